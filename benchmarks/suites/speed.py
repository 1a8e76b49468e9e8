"""Speed and accuracy of trained networks in precisions and runtimes, for the machine at hand.

python run_all.py run --suite speed --jobs 1
python run_all.py run --suite speed --jobs 1 --models hrnet_micro_w8,resnet_micro

The networks are those of the default run: what is trained there already is only evaluated. What a machine has not (bf16
arithmetic, a runtime's package) is a failed row with the reason. Run it with one job on a quiet machine: speeds of cells
that run side by side mean nothing, and a row says so that was not measured alone. The papers' tables of speed follow.
"""

from __future__ import annotations

from benchmarks.experiment.cell import Cell, evaluation_of, make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.published.printed.speed import printed_speed
from benchmarks.suites.parts.ablation import columns_of, models_of
from benchmarks.tables.speed_table import SpeedTable

ROWS = (
    ("fp32", "eager"),
    ("bf16", "eager"),
    ("fp32", "onnxruntime"),
    ("fp32", "openvino"),
    ("bf16", "openvino"),
)
"""Precision and runtime of each row; the first is the base."""
SETS = (
    ("pose", "coco"),
    ("pose", "mpii"),
    ("segmentation", "cityscapes"),
    ("segmentation", "lip"),
    ("landmarks", "300w"),
    ("detection", "coco"),
)


def suite(tier: str = "embedded", models: str = "") -> Suite:
    """Five rows for each body and set; `models` between commas, micro HRNet by default: 30 rows of six trained networks."""
    bodies = models_of(models, tier, with_serial=False)
    cells: list[Cell] = []
    tables = []
    for task, dataset in SETS:
        ids: list[str] = []
        for model in bodies:
            trained = make_cell(task, dataset, model, tier=tier)  # of micro HRNet the default run's own cell
            rows = [evaluation_of(trained, precision=precision, runtime=runtime) for precision, runtime in ROWS]
            cells += [trained, *rows]
            ids += [cell.id for cell in rows]
        title = f"Speed, {task}, {dataset}, {tier}"
        tables.append(
            SpeedTable(f"{tier}_speed_{task}_{dataset}", title, task, dataset, tuple(ids), columns_of(task, dataset))
        )
    description = "Precisions and runtimes of trained networks, and what papers and mmpose printed."
    return Suite("speed", tuple(cells), (*tables, *printed_speed()), description)
