"""Bodies side by side on data of one's own: every dataset that a dataset.toml below --data-root declares.

    python run_all.py run    --suite own --data-root D --models hrnet_w18,resnet50
    python run_all.py tables --suite own --data-root D --models hrnet_w18,resnet50 --format tex --width column

Trained with the papers' recipes, with what the dataset's own [recipe] says on top; `--tier smoke` tries it with a few steps.
Where a recipe starts from released weights, `plan` says so: start all bodies alike (--weights W, or `recipe.init_from=none`).
"""

from __future__ import annotations

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.installation import program
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable
from tasks import declared_datasets, get_task

MODELS = {"classification": ("hrnet_w18", "resnet50"), "detection": ("hrnet_w18", "resnet50")}
"""HRNet beside a ResNet; where maps are asked for, the ResNet has SimpleBaseline's transposed convolutions."""
DENSE = ("hrnet_w18", "simple_baseline_r50")
COLUMNS = {
    "pose": ("AP50", "AP75", "AR"),
    "segmentation": ("pixel_acc", "avg_acc"),
    "landmarks": (),
    "detection": ("AP50", "AP75"),
    "classification": ("top5",),
}
"""Beside each dataset's headline."""


def suite(tier: str = "full", models: str = "") -> Suite:
    """A cell for every declared dataset and body; `models` between commas.

    Raises:
        ValueError: no dataset is declared below --data-root.
    """
    found = declared_datasets()
    if not found:
        raise ValueError(
            f"suite own: expected datasets with a dataset.toml below --data-root, found none. `{program()} describe FOLDER` "
            "writes one."
        )
    named = tuple(name.strip() for name in models.split(",") if name.strip())
    cells: list[Cell] = []
    tables = []
    for task, dataset in found:
        bodies = named or MODELS.get(task, DENSE)
        rows = [make_cell(task, dataset, body, tier=tier) for body in bodies]
        info = get_task(task).dataset(dataset)
        columns = (info.headline, *COLUMNS.get(task, ()))
        ids = tuple(cell.id for cell in rows)
        tables.append(TaskTable(f"own_{dataset}", info.title, task, dataset, ids, columns))
        cells += rows
    return Suite("own", tuple(cells), tuple(tables), "Bodies side by side on data of one's own.")
