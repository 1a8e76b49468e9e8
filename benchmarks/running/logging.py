"""The sinks of ``--log`` around one cell: begun before its training, given its curves, and at its end its figures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.store.record import Figure

if TYPE_CHECKING:
    from benchmarks.engine.hooks import Report
    from benchmarks.engine.loggers import Loggers


def begin_logging(cell: Cell, places: Places, workspace: Path, report: Report) -> Loggers | None:
    """The sinks, begun; None where none is asked for, and on any but the first of several processes."""
    from benchmarks.engine.distributed import is_main_process
    from benchmarks.engine.hooks import Progress

    if not places.log or not is_main_process():
        return None
    from benchmarks.engine.loggers import open_loggers

    def say(text: str) -> None:
        report(Progress("data", note=text))

    return open_loggers(places.log, workspace, places.out.parent, cell.name, cell.identity(), say)


def end_logging(loggers: Loggers | None, figures: Mapping[str, Figure], workspace: Path, kept: Path) -> None:
    """Writes the figures and ends the sinks; TensorBoard's events go with the result."""
    if loggers is None:
        return
    numbers: dict[str, Any] = {name: figure.value for name, figure in figures.items() if figure.value is not None}
    loggers.add_scalars(numbers)
    loggers.close()
    if (workspace / "tensorboard").exists():
        shutil.copytree(workspace / "tensorboard", kept / "tensorboard", dirs_exist_ok=True)
