"""The tasks: one folder each, found by walking; nothing task-specific outside its folder. Importing this needs no torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet import plugins
from tasks.options import nearest

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task
    from tasks.predictor.predictor import Predictor


def task_names() -> list[str]:
    """The folders below ``tasks/`` that hold a ``task.py``, sorted, then the tasks of plug-ins."""
    return [*_own_names(), *plugin_tasks()]


def _own_names() -> list[str]:
    return sorted(p.parent.name for p in Path(__file__).parent.glob("*/task.py"))


def plugin_tasks() -> dict[str, Path]:
    """The tasks that plug-ins bring: name -> file.

    Raises:
        ValueError: one has the name of a task that is here.
    """
    found: dict[str, Path] = {}
    for path in plugins.with_name("TASK"):
        name = str(plugins.load(path).TASK.name)
        if name in found or name in _own_names():
            raise ValueError(f"{path}: {name!r} is the name of a task already; choose another")
        found[name] = path
    return found


@lru_cache
def get_task(name: str) -> Task:
    """The task object of a folder.

    Raises:
        ValueError: no such task; the nearest name is given.
    """
    if name not in task_names():
        raise ValueError(f"Unknown task {name!r}. {nearest(name, task_names())}")
    outside = plugin_tasks().get(name)
    module = import_module(f"tasks.{name}.task") if outside is None else plugins.load(outside)
    found: Task = module.TASK
    return found


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


def declare_stored(task: Task, plain: Mapping[str, Any], where: str) -> None:
    """Makes the dataset that a file of weights carries one of its task's, unless a dataset.toml has declared it here.

    Raises:
        ValueError: the declaration is broken, is another task's, or speaks of other joints, points or classes than the one here.
    """
    from tasks.declarations.declaration import stored_declaration

    declared = stored_declaration(plain, f"{where}, its dataset")
    if declared.task != task.name:
        raise ValueError(
            f"{where}: expected a dataset of {task.name}, got one of {declared.task}; save the weights again"
        )
    known = task.datasets.get(declared.name)
    if known is None:
        task.declare_completed(declared)
        return
    here = known.declaration
    what = ("keypoints", "labels", "points")
    if here is None or any(getattr(here, field) != getattr(declared, field) for field in what):
        raise ValueError(
            f"{where}: its dataset {declared.name!r} has other joints, points or classes than the dataset of this name that is "
            "known here; rename one of them"
        )


def load_predictor(
    weights: str | os.PathLike[str],
    *,
    task: str | None = None,
    model: str | None = None,
    dataset: str | None = None,
    device: str = "auto",
    precision: str = "fp32",
    detector: Any = None,
    representation: str | None = None,
    state: str | None = None,
    tier: str | None = None,
    protocol: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
    quiet: bool = True,
) -> Predictor:
    """A callable on pictures from weights: a file of ours, or a released one of any known family.

    ``predictor(image, boxes=None)`` takes an RGB array (H, W, 3) uint8 or a path and returns a typed result (``PoseResult``,
    ``LandmarkResult``, ``SegmentationResult``, ``DetectionResult``, ``ClassificationResult``); of a list, a folder or a video it
    returns an iterator of results. The same picture, boxes and protocol give what an evaluation gives.

    Args:
        weights: a file of ours says what it is; others are known by their keys and their number of outputs.
        task, model, dataset: where the file does not tell them, or to contradict its guess.
        device: "auto", "cpu", "cuda", "cuda:1". precision: "fp32", "bf16" or "fp16", of the network's products.
        detector: weights of a detector (or its predictor) that finds the boxes of pose and faces where none are given.
        representation, state, tier: as the options of ``eval``. protocol: fields to change ({"flip": False}).
        batch_size: pictures that are read and predicted together.
        quiet: False says on stderr what was taken from the file.

    Raises:
        ValueError: the file cannot be read, does not tell what it is, or does not fit; the text says what to state.
    """
    from tasks.predictor.loading import load_predictor as load

    return load(
        weights,
        task=task,
        model=model,
        dataset=dataset,
        device=device,
        precision=precision,
        detector=detector,
        representation=representation,
        state=state,
        tier=tier,
        protocol=protocol,
        batch_size=batch_size,
        say=(lambda text: None) if quiet else (lambda text: print(text, file=sys.stderr)),
    )
