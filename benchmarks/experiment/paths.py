"""Where things lie: datasets, embedded data, weights, results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.experiment.cell import Cell
from tasks import get_task, task_names
from tasks.base import DatasetInfo
from tasks.declarations.declaration import declared_below
from tasks.recipe import Recipe

LOGGERS = ("tensorboard", "wandb", "mlflow", "aim")
"""What ``--log`` takes, each an extra of that name."""


@dataclass(frozen=True)
class Places:
    """Folders and machine options of a call; nothing here may change a number beyond the rounding of its last digits.

    Attributes:
        out: the result store.
        embedded: embedded data, one folder per tier below it.
        data_root: the real datasets; None if none was given.
        weights: released checkpoints; None if none was given.
        batch_size: of evaluation; None lets model and input size decide, and on an accelerator its memory.
        log: where curves and figures go beside the results, of ``LOGGERS``.
        num_workers: loader processes of evaluation and training; None for the recipe's, and no more than there are cores.
        cells_per_gpu: cells that share an accelerator, and its memory in equal parts.
    """

    out: Path = Path("results/runs")
    embedded: Path = Path("data/embedded")
    data_root: Path | None = None
    weights: Path | None = None
    batch_size: int | None = None
    num_workers: int | None = None
    threads: int | None = None
    log: tuple[str, ...] = ()
    launcher: str = "none"
    cells_per_gpu: int = 1


def dataset_root(cell: Cell, places: Places) -> Path:
    """The dataset's own folder for a cell.

    Raises:
        FileNotFoundError: no ``--data-root``, or the dataset is not below it; says what was looked for.
    """
    info = get_task(cell.task).dataset(cell.dataset)
    if cell.data is not None:
        return places.embedded / cell.tier / cell.data
    return real_root(info, places.data_root)


def real_root(info: DatasetInfo, data_root: Path | None) -> Path:
    """``data_root/<folder>``, or ``data_root`` itself where that is the dataset's own folder; of a declared dataset the
    folder with its dataset.toml."""
    if data_root is None:
        raise FileNotFoundError(
            f"{info.title} is needed: give the folder that holds {info.folder}/ (or that folder itself) with --data-root."
        )
    data_root = Path(data_root)
    if not data_root.is_dir():
        raise FileNotFoundError(f"{data_root}: expected a folder with datasets (--data-root), found none.")
    if info.declaration is not None:
        for folder, declared in declared_below(data_root):
            if declared.name == info.name:
                return folder
        raise FileNotFoundError(
            f"{data_root}: expected a folder whose dataset.toml declares {info.name!r}, found none."
        )
    below = data_root / info.folder
    if below.is_dir():
        return below
    known = {known.folder for name in task_names() for known in type(get_task(name)).datasets.values()}
    if data_root.name == info.folder or not any((data_root / folder).is_dir() for folder in known):
        return data_root
    raise FileNotFoundError(
        f"{below}: expected {info.title} in its official layout there, found no such folder. "
        f"See tasks/{_task_of(info)}/README.md for the layout."
    )


def _task_of(info: DatasetInfo) -> str:
    for name in task_names():
        if info in type(get_task(name)).datasets.values():
            return name
    return "<task>"


def checkpoint_path(name: str, weights: Path | None) -> Path:
    """A checkpoint given by path, or by file name below ``--weights``.

    Raises:
        FileNotFoundError: says where it was looked for.
    """
    path = Path(name)
    if path.is_absolute() or path.exists() or weights is None:
        if path.is_file():
            return path
        where = "" if path.is_absolute() or weights is not None else " Give the folder of the weights with --weights."
        raise FileNotFoundError(f"{path}: expected a checkpoint file there, found none.{where}")
    for candidate in (weights / name, *sorted(weights.rglob(name))):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"{weights / name}: expected a checkpoint of that name below --weights, found none.")


def initial_path(recipe: Recipe, weights: Path | None) -> Path:
    """The checkpoint that a recipe starts from.

    Raises:
        FileNotFoundError: says where it was looked for, and how to train from nothing.
    """
    assert recipe.init_from is not None
    try:
        return checkpoint_path(recipe.init_from, weights)
    except FileNotFoundError as error:
        frozen = " recipe.batch_norm=train" if recipe.batch_norm == "frozen" else ""
        raise FileNotFoundError(f"{error} From nothing: --set recipe.init_from=none{frozen}.") from None
