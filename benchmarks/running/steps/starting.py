"""The weights that a cell is evaluated with, or that its training starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.experiment.cell import Cell
from benchmarks.store.digests import file_digest
from benchmarks.store.record import WeightsFile
from hrnet.checkpoints import LoadReport, load_backbone, load_checkpoint
from hrnet.checkpoints.report import shortened
from tasks.options import to_plain


@dataclass(frozen=True)
class Start:
    """What was loaded.

    Attributes:
        file: the weights. report: of a checkpoint that is evaluated, as stored; None of a start.
        notes: what of a network that a training starts from was not loaded.
    """

    file: WeightsFile
    report: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


def load_weights(network: nn.Module, cell: Cell, path: Path) -> Start:
    """Loads the checkpoint of a cell into its network, or the part of one that its recipe starts from.

    Raises:
        CheckpointError: the file cannot be read or does not fit.
    """
    file = WeightsFile(file=path.name, sha256=file_digest(path))
    if cell.checkpoint is not None:
        loaded = load_checkpoint(network, path, state=cell.state)
        return Start(file, to_plain(loaded) | {"loaded": len(loaded.loaded)})
    assert cell.recipe is not None
    if cell.recipe.init_part == "all":
        load_checkpoint(network, path)
        return Start(file)
    loaded = load_backbone(network.body, path)  # type: ignore[arg-type]
    if cell.weights_from is not None:  # of this very suite, whose recipe says so
        return Start(WeightsFile(file=f"{cell.weights_from}/{path.name}", sha256=file.sha256))
    return Start(file, notes=_left_out(path, loaded))


def _left_out(path: Path, loaded: LoadReport) -> tuple[str, ...]:
    """What of another task's or dataset's network was not loaded; nothing of weights that are made to start from."""
    description = loaded.description
    if description is None or description.task in (None, "classification") or not loaded.dropped:
        return ()
    outputs = f" of {description.num_outputs} outputs" if description.num_outputs is not None else ""
    return (
        f"training started from {path.name}: {len(loaded.loaded)} tensors of the body; {len(loaded.dropped)} others of its "
        f"{description.task} network{outputs} were not loaded ({shortened(list(loaded.dropped), 3)})",
    )
