"""What comes out of reading a checkpoint: a description, a report, or an error that says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 6
"""How many names of a list an error message shows."""

SECOND_CLASS_COUNTS = {("segmentation", "pascal_context"): 60}
"""PASCAL Context is scored over 59 classes, or over 60 with the background."""

USUAL_REPRESENTATIONS: dict[str, tuple[str, ...]] = {
    "pose": ("V1", "stacks"),
    "segmentation": ("V2", "V2cat"),
    "landmarks": ("V2", "stacks"),
    "classification": ("C",),
}
"""What a network of the task has when nothing else is said; other representations must be named to build one."""
USUAL_PYRAMIDS = {"hrnet": "V2p", "resnet": "FPN"}
"""Of detectors, by the beginning of the body's name; over another body a pyramid is always named."""


OTHER_DETECTORS = ("cascade_rcnn", "cascade_mask_rcnn", "htc", "fcos")
"""Detectors that must be named to build one."""


@dataclass(frozen=True)
class Description:
    """What a checkpoint holds, read from its keys and shapes alone.

    Attributes:
        family: the adapter that recognised it; title: the same in words.
        task: pose, segmentation, landmarks, detection or classification; None for a bare body.
        model: the body's name here; None if it is none of ours.
        num_outputs: joints, classes (background not counted) or points.
        head: "ocr", a detector's name ("faster_rcnn", "fcos", ...), "linear" or "conv"; None without one.
        representation: V1, V1h, V2, V2p, V1p, V1hp, V2cat, FPN, C or stacks.
        dataset: a guess from task and number of outputs.
        changes: what a file of ours was built with beyond its model and dataset.
        usual_outputs: whether a dataset of the task is known by this number of outputs.
        protocol, tier: what a file of ours was trained for, as plain data; None for others, and for older ones.
        declaration: of ours, the content of the dataset.toml that it was trained with, as plain data; None where there was none.
    """

    family: str
    title: str
    task: str | None = None
    model: str | None = None
    num_outputs: int | None = None
    head: str | None = None
    representation: str | None = None
    dataset: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    protocol: dict[str, Any] | None = None
    tier: str | None = None
    usual_outputs: bool = True
    declaration: dict[str, Any] | None = None

    def build_options(self, task: str, model: str, dataset: str) -> dict[str, Any]:
        """Options of :func:`tasks.build_model` that this file needs beyond ``task``, ``model`` and ``dataset``.

        ``head`` for OCR, ``masks`` for Mask R-CNN, ``detector`` for the others but Faster R-CNN, ``num_classes`` where a dataset
        has two usual numbers of them, ``num_outputs`` where no dataset is known by theirs, ``representation`` where it is not
        the task's usual one, and whatever a file of ours was built with. Empty for a file of another task: loading it explains
        the rest.
        """
        if task != self.task:
            return {}
        options = dict(self.changes)
        if self.head == "ocr" and not model.endswith("_ocr"):
            options.setdefault("head", "ocr")
        if self.head == "mask_rcnn":
            options.setdefault("masks", True)
        elif self.head in OTHER_DETECTORS and not {"detector", "head"} & set(options):
            options["detector"] = self.head
        if SECOND_CLASS_COUNTS.get((task, dataset)) == self.num_outputs:
            options.setdefault("num_classes", self.num_outputs)
        if not self.usual_outputs and self.num_outputs is not None and "num_classes" not in options:
            options.setdefault("num_outputs", self.num_outputs)  # of no dataset that is known by its number of outputs
        usual = USUAL_REPRESENTATIONS.get(task, ())
        if task == "detection":
            usual = tuple(pyramid for body, pyramid in USUAL_PYRAMIDS.items() if model.startswith(body))
        if self.representation is not None and self.representation not in usual:
            options["representation"] = self.representation
        return options

    @property
    def arguments(self) -> str:
        """Command-line arguments that build the network of this file, as far as they are known."""
        parts = [f"--{k} {v}" for k, v in (("task", self.task), ("dataset", self.dataset)) if v]
        if self.model:
            parts.append(f"--model {self.model}{'_ocr' if self.head == 'ocr' else ''}")
        return " ".join(parts)

    def __str__(self) -> str:
        parts = [self.model or "a body that is none of the published sizes"]
        if self.task:
            parts.append(self.task)
        if self.head and self.head != "conv":
            parts.append(f"({self.head.replace('_', ' ')})")
        if self.num_outputs is not None:
            parts.append(f"with {self.num_outputs} outputs")
        elif self.task is None:
            parts.append("without a task's head")
        text = f"{' '.join(parts)}, from {self.title}"
        return f"{text}: {self.arguments}" if self.task and self.model else text


@dataclass(frozen=True)
class LoadReport:
    """What :func:`hrnet.load_checkpoint` did. Names are the model's own, except where a file's key has no place in it.

    Attributes:
        family: the adapter's name; the task's protocol may depend on it.
        loaded: parameters and buffers that got the file's values.
        missing, unexpected, mismatched: not in the file; not in the model; of another shape, as "name: file shape, model
            shape". Always empty after a successful load.
        ignored: left alone because the caller said so.
        dropped: file keys that a rule leaves out, with the reason.
        conventions: spec fields that the family implies, as set on the model.
        notes: rules that were applied to values or to names.
        description: what the file holds.
    """

    family: str
    loaded: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    conventions: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    description: Description | None = None

    def summary(self) -> str:
        """One paragraph for the terminal."""
        lines = [f"{self.description or self.family}; {len(self.loaded)} tensors loaded"]
        if self.ignored:
            lines.append(f"{len(self.ignored)} ignored")
        for reason, keys in grouped(self.dropped).items():
            lines.append(f"{len(keys)} dropped ({reason})")
        if self.conventions:
            lines.append("set " + ", ".join(f"{k}={v}" for k, v in self.conventions.items()))
        return "; ".join([*lines, *self.notes]) + "."


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or does not fit and no rule covers the difference.

    Attributes:
        report: the lists behind the message, where there are any.
    """

    def __init__(self, message: str, report: LoadReport | None = None) -> None:
        super().__init__(message)
        self.report = report


def grouped(dropped: Mapping[str, str]) -> dict[str, list[str]]:
    """Reason -> keys."""
    groups: dict[str, list[str]] = {}
    for key, reason in dropped.items():
        groups.setdefault(reason, []).append(key)
    return groups


def shortened(names: Sequence[str], limit: int = SHOWN) -> str:
    """The first names and how many more there are."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f", and {rest} more" if rest > 0 else "")
