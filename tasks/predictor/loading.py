"""From weights to a predictor: what a file is, the network that it belongs to, and the protocol that it predicts under."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet.checkpoints import Description, identify_checkpoint, load_checkpoint
from tasks import declare_stored, get_task, task_names
from tasks.base import Task
from tasks.predictor.chained import Chained
from tasks.predictor.predictor import Predictor
from tasks.predictor.printable import printable
from tasks.predictor.trained import Say, trained_protocol

if TYPE_CHECKING:
    import torch


def load_predictor(
    weights: str | os.PathLike[str],
    *,
    task: str | None,
    model: str | None,
    dataset: str | None,
    device: str,
    precision: str,
    detector: Any,
    representation: str | None,
    state: str | None,
    tier: str | None,
    protocol: Mapping[str, Any] | None,
    batch_size: int | None,
    say: Say,
) -> Predictor:
    """See :func:`tasks.load_predictor`."""
    path = Path(weights)

    def told(text: str) -> None:
        say(printable(text))

    found = identify_checkpoint(path, state)
    kind = get_task(task or _task_of(found, path))
    if found.declaration is not None and found.task == kind.name:
        declare_stored(kind, found.declaration, str(path))
    name = model or _model_of(found, path)
    kind.check_model(name)
    chosen = dataset or dataset_of(kind, found, path, told)
    kind.dataset(chosen)
    place = _device(device)
    options = dict(found.build_options(kind.name, name, chosen))
    implied = options.pop("representation", None)
    network = kind.build_model(name, chosen, representation or implied, **options)
    load_checkpoint(network, path, state=state)
    made = trained_protocol(kind, chosen, name, found, path, tier, "full", told)
    made = kind.protocol_with(made, protocol or {})
    return Predictor(
        kind, network, chosen, made, place, precision, _chained(kind, chosen, detector, device, precision), batch_size
    )


def _chained(task: Task, dataset: str, detector: Any, device: str, precision: str) -> Chained | None:
    if detector is None:
        return None
    if task.sees_boxes == "none":
        raise ValueError(f"Expected no detector for {task.name}, which sees whole pictures; leave it out")
    if isinstance(detector, str | os.PathLike):
        from tasks import load_predictor as load

        detector = load(detector, task="detection", device=device, precision=precision)
    if not isinstance(detector, Predictor) or detector.task.name != "detection":
        raise ValueError(f"Expected a detector's weights, or its predictor, got {type(detector).__name__}")
    return Chained(detector, task.box_category(dataset))


def _task_of(found: Description, path: Path) -> str:
    if found.task is None:
        raise ValueError(
            f"{path} is {found}: its task cannot be told; name one of {', '.join(task_names())} as the task."
        )
    return found.task


def _model_of(found: Description, path: Path) -> str:
    if found.model is None:
        raise ValueError(f"{path} is {found}: name the model that it belongs to.")
    return found.model


def dataset_of(task: Task, found: Description, path: Path, say: Say) -> str:
    """The dataset that a checkpoint was trained on, by its own word or its number of outputs.

    Raises:
        ValueError: the task has several datasets and the checkpoint tells none.
    """
    if found.task in (task.name, None) and found.dataset in task.datasets:
        say(f"{path.name}: --dataset {found.dataset}")
        return str(found.dataset)
    if found.task == task.name and found.dataset is not None:
        raise ValueError(
            f"{path} is of the dataset {found.dataset!r}, which nothing here declares; name the folder of its dataset.toml "
            "with --data-root"
        )
    if len(task.datasets) == 1 or found.task not in (task.name, None):
        return next(iter(task.datasets))  # a file of another task: loading it explains the rest
    raise ValueError(f"{path} does not tell its dataset: name one of {', '.join(task.datasets)} with --dataset.")


def _device(name: str) -> torch.device:
    """Raises ValueError where there is no such device."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        made = torch.device(name)
        torch.empty(0, device=made)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0][:100]
        raise ValueError(f"Expected a device that is here (auto, cpu, cuda, cuda:1), got {name!r} ({reason})") from None
    return made
