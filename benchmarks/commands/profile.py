"""Parameters and multiply-adds of models, true and as the papers count.

Without arguments: one row per model, in pose, and in segmentation what was made for it. With models, a task or a dataset
named: every combination of what is named.
"""

from __future__ import annotations

import argparse
import csv
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks import get_task, task_names
from tasks.options import nearest

if TYPE_CHECKING:
    from hrnet.profile import Profile

HOME = "pose"
HOMES = {"torchvision_segmentation": "segmentation"}
"""File of a body -> the task that its one row is about; the others', side by side, are about pose where pose can build them."""

_ROW = "{:15} {:15} {:26} {:6} {:>10} {:>11} {:>11} {:>20}"
_COLUMNS = ("task", "dataset", "model", "repr.", "input", "params (M)", "MACs (1e9)", "as published (2^30)")


@dataclass(frozen=True)
class Row:
    """One network and its cost, or the reason why there is none."""

    task: str
    dataset: str
    model: str
    representation: str
    input_hw: tuple[int, int]
    cost: Profile | None
    reason: str = ""

    def __str__(self) -> str:
        size = "{}x{}".format(*self.input_hw)
        if self.cost is None:
            start = _ROW.format(self.task, self.dataset, self.model, self.representation, size, "-", "-", "-")
            return f"{start}  {self.reason}"
        counts = (
            f"{self.cost.params / 1e6:.3f}",
            f"{self.cost.macs / 1e9:.3f}",
            f"{self.cost.macs_as_published:.3f}",
        )
        return _ROW.format(self.task, self.dataset, self.model, self.representation, size, *counts)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: every model")
    parser.add_argument("--task", help="only this task, on each of its datasets")
    parser.add_argument("--dataset", help="only this dataset, in each task that knows it")
    parser.add_argument("--size", metavar="HxW", help="input size (default: the dataset's usual one)")
    parser.add_argument("--layers", action="store_true", help="multiply-adds layer by layer")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the rows there as well")


def main(arguments: argparse.Namespace) -> int:
    from benchmarks.baselines import shared_bodies

    with shared_bodies(), _without_collection():
        return _profiled(arguments)


def _profiled(arguments: argparse.Namespace) -> int:
    size_hw = parse_size(arguments.size) if arguments.size else None
    wanted = list(combinations(arguments.models, arguments.task, arguments.dataset))
    print(_ROW.format(*_COLUMNS))
    rows = []
    for task, dataset, model in wanted:
        row = profile_row(task, dataset, model, size_hw or get_task(task).dataset(dataset).profile_hw)
        rows.append(row)
        print(row, flush=True)
        if arguments.layers and row.cost is not None:
            for layer in row.cost.layers:
                print(f"    {layer.name:60} {layer.kind:16} {layer.macs / 1e6:12.3f} M")
    if arguments.csv:
        write_csv(rows, arguments.csv)
    return 1 if any(row.cost is None for row in rows) else 0


@contextmanager
def _without_collection() -> Iterator[None]:
    """Python's search for cycles among what importing PyTorch makes, which stays to the end, takes a fifth of its import."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of ``HxW``.

    Raises:
        ValueError: another form, or a side below 1.
    """
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"--size: expected height x width in pixels, such as 256x192, got {text!r}.")
    return int(parts[0]), int(parts[1])


def combinations(models: list[str], task: str | None, dataset: str | None) -> Iterator[tuple[str, str, str]]:
    """(task, dataset, model) of every row; see the module's text for what is chosen where nothing is named.

    Raises:
        ValueError: an unknown name (the nearest is given), or a model that none of the tasks asked for can build.
    """
    from benchmarks.baselines import body_names, check_body_name

    tasks = [task] if task else task_names()
    if dataset:
        known = sorted({name for other in tasks for name in get_task(other).datasets})
        tasks = [other for other in tasks if dataset in get_task(other).datasets]
        if not tasks:
            raise ValueError(
                f"Unknown dataset {dataset!r}{f' of task {task}' if task else ''}. {nearest(dataset, known)}"
            )
    if not (models or task or dataset):
        every = dict.fromkeys(name for other in tasks for name in get_task(other).model_names(body_names()))
        for model in every:
            home = _home(model)
            yield home, next(iter(get_task(home).datasets)), model
        return
    for model in models:
        if not any(_accepts(other, model) for other in tasks):
            if not any(_accepts(other, model) for other in task_names()):
                check_body_name(model)
            get_task(tasks[0]).check_model(model)
    for other in tasks:
        for name in [dataset] if dataset else get_task(other).datasets:
            for model in models or get_task(other).model_names(body_names()):
                if _accepts(other, model):
                    yield other, name, model


def profile_row(task_name: str, dataset: str, model: str, input_hw: tuple[int, int]) -> Row:
    """Builds a network without memory and counts it; what cannot be counted becomes a row that says why."""
    from hrnet.profile import profile
    from hrnet.without_memory import WithoutMemory

    task = get_task(task_name)
    kind = task.default_representation(model, dataset)
    try:
        with WithoutMemory():
            network = task.build_model(model, dataset)
        return Row(task_name, dataset, model, kind, input_hw, profile(network, input_hw))
    except (ValueError, RuntimeError, IndexError, TypeError) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        return Row(task_name, dataset, model, kind, input_hw, None, reason)


def write_csv(rows: list[Row], path: Path) -> None:
    """The rows with plain counts; a row without any has its reason in the last column."""
    names = ("task", "dataset", "model", "representation", "input_hw", "params", "macs", "macs_as_published", "reason")
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(names)
        for row in rows:
            cost: tuple[Any, ...] = ("", "", "")
            if row.cost is not None:
                cost = (row.cost.params, row.cost.macs, row.cost.macs_as_published)
            size = "{}x{}".format(*row.input_hw)
            writer.writerow((row.task, row.dataset, row.model, row.representation, size, *cost, row.reason))


def _home(model: str) -> str:
    """The task whose row stands for a model where no task is named."""
    from benchmarks.baselines import file_of_body

    file = file_of_body(model)
    first = HOMES.get(file.stem if file else "", HOME)
    return next(name for name in (first, *task_names()) if _accepts(name, model))


def _accepts(task_name: str, model: str) -> bool:
    try:
        get_task(task_name).check_model(model)
    except ValueError:
        return False
    return True
