"""How a cell's network is judged while it is trained: by the headline metric on what is evaluated at the end."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.engine import loops as engine
from benchmarks.engine.distributed import get_world_size, is_main_process
from benchmarks.engine.hooks import Report
from benchmarks.engine.validation import Validation
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.running.cores import evaluation_workers
from tasks import get_task
from tasks.base import EvalData
from tasks.options import to_plain


def validation_of(
    cell: Cell, data: EvalData, protocol: Any, places: Places, workspace: Path, report: Report
) -> Validation | None:
    """None where the recipe validates nothing. Its measure gives NaN on all but the first of several processes."""
    if cell.recipe is None or not cell.recipe.validate_every:
        return None
    task, batch = get_task(cell.task), places.batch_size or cell.recipe.batch_size
    metric = task.headline(cell.dataset)
    beside = torch.cuda.is_available(), max(get_world_size(), places.cells_per_gpu)

    def measure(network: nn.Module) -> float:
        with tempfile.TemporaryDirectory(dir=workspace) as folder:
            evaluation, _ = engine.evaluate(
                network,
                task,
                data,
                protocol,
                workspace=Path(folder),
                report=report,
                batch_size=batch,
                num_workers=evaluation_workers(cell.tier, len(data), places.num_workers, *beside),
                precision=cell.precision,
                runtime=cell.runtime,
                keep=False,
            )
        if not is_main_process():
            return math.nan
        return float(task.figures(cell.dataset, evaluation.stats(), to_plain(protocol))[metric])

    return Validation(measure, metric, task.metrics[metric].direction, cell.split)
