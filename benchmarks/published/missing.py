"""What a cell on released weights and official data lacks."""

from __future__ import annotations

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.published.weights import weights_of


def missing(cell: Cell, places: Places) -> list[str]:
    """Everything that a cell lacks: the checkpoint under its file name, and the data where they were looked for."""
    resolved = resolve(cell, places)
    lacking: list[str] = []
    assert cell.checkpoint is not None
    if resolved.lack("weights"):
        lacking.append(f"weights {cell.checkpoint} ({weights_of(cell.checkpoint).project})")
    lack = resolved.lack("root", "files", "layout")
    if lack is None:
        return lacking
    if lack.kind == "root":
        lacking.append(f"data {resolved.dataset.folder}/ below --data-root")
    elif lack.kind == "files":
        more = f" and {len(lack.files) - 1} more" if len(lack.files) > 1 else ""
        lacking.append(f"data {lack.files[0]}{more}")
    else:
        # A dataset that is there in part, such as COCO without the detector's boxes, is missing data of this row alone.
        lacking.append("data " + " ".join(lack.text.split()))
    return lacking
