"""The tasks: one folder each, found by walking; nothing task-specific outside its folder. Importing this needs no torch."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.options import nearest

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task


def task_names() -> list[str]:
    """The folders below ``tasks/`` that hold a ``task.py``, sorted."""
    return sorted(p.parent.name for p in Path(__file__).parent.glob("*/task.py"))


@lru_cache
def get_task(name: str) -> Task:
    """The task object of a folder.

    Raises:
        ValueError: no such task; the nearest name is given.
    """
    if name not in task_names():
        raise ValueError(f"Unknown task {name!r}. {nearest(name, task_names())}")
    return import_module(f"tasks.{name}.task").TASK


_DECLARED: dict[tuple[str, str], tuple[Path, object]] = {}
"""(task, name) -> folder and declaration: what was declared last, so that the next cell of a run declares nothing anew."""


def declare_below(data_root: Path) -> None:
    """Makes every dataset that a ``dataset.toml`` in ``data_root`` or in a folder there declares one of its task's.

    Raises:
        ValueError: a declaration is broken, or two folders declare the same name.
    """
    from tasks.declarations.declaration import declared_below

    found: dict[str, Path] = {}
    for folder, declaration in declared_below(data_root):
        name, task = declaration.name, get_task(declaration.task)
        if name in found:
            raise ValueError(f"{folder}: declares {name!r}, which {found[name]} declares too; rename one of them")
        found[name] = folder
        before = _DECLARED.get((task.name, name))
        if name in task.datasets and before is not None and before[0] == folder and before[1] is declaration:
            continue
        task.declare(declaration, folder)
        _DECLARED[task.name, name] = folder, declaration


def declared_datasets() -> list[tuple[str, str]]:
    """Task and name of every dataset that :func:`declare_below` has met, sorted."""
    return sorted(_DECLARED)


def build_model(task: str, model: str, dataset: str, representation: str | None = None, **changes: Any) -> nn.Module:
    """Builds the network of a task.

    Args:
        task: "pose", "segmentation", "landmarks", "detection", "classification".
        model: "hrnet_w18_small_v1" ... "hrnet_w64", "simple_baseline_r50|r101|r152", "hourglass_s1|s2|s8", "resnet50",
            "timm:<name>", or a micro size.
        dataset: decides the number of outputs ("coco", "mpii", "cityscapes", ...).
        representation: "V1", "V1h", "V2", "V2p", ...; None takes the task's usual one for that body.
        changes: spec fields of the body, and options of the task's head.

    Returns:
        A module whose eval-mode forward(images (B, 3, H, W)) gives heatmaps (pose, landmarks), logits at stride 4
        (segmentation), class logits (classification) or a list of {boxes, labels, scores} (detection).

    Raises:
        ValueError: an unknown name; the nearest one is given.
    """
    return get_task(task).build_model(model, dataset, representation, **changes)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        import hrnet

        return hrnet.__version__
    raise AttributeError(f"module 'tasks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", "build_model", "declare_below", "get_task", "task_names"]
