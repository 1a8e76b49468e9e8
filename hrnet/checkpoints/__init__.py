"""Checkpoints of every outside family, loaded onto our models: strict by rule, tensors and plain data only.

One adapter per family (reference, detection, openmmlab, serial, own); nobody else knows foreign key names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from hrnet.checkpoints.describe import describe
from hrnet.checkpoints.families.own import conventions_of
from hrnet.checkpoints.family import Canonical
from hrnet.checkpoints.fitting import contradictions, copy_values, match, misfit, set_conventions
from hrnet.checkpoints.outputs import named_outputs
from hrnet.checkpoints.reading import read_checkpoint
from hrnet.checkpoints.registry import FAMILIES, interpret
from hrnet.checkpoints.report import CheckpointError, Description, LoadReport

__all__ = [
    "FAMILIES",
    "CheckpointError",
    "Description",
    "LoadReport",
    "conventions_of",
    "identify_checkpoint",
    "load_backbone",
    "load_checkpoint",
]

COCO_CATEGORY_IDS = 90
"""Outputs of torchvision's COCO detectors, background not counted: one per category id."""


def load_checkpoint(
    model: nn.Module, path: str | Path, ignore: str | Sequence[str] = (), *, state: str | None = None
) -> LoadReport:
    """Loads a checkpoint of any known family into a model and sets the conventions that the family implies.

    Strict: every tensor of the file and of the model must find its partner, except where a stated rule says otherwise;
    the report names the rules that were used.

    Args:
        model: a task's network (``body.*``, ``representation.*``, ``head.*``), a detector, or a bare body, for which the
            file's heads are dropped.
        path: what torch.save wrote, or a .safetensors file. Only tensors and plain data are read.
        ignore: names, dotted beginnings or glob patterns of tensors, ours or the file's, that stay as they are; one may
            be given without a list.
        state: which weights of a file that holds several: their key ("ema_state_dict"), or what begins their names.

    Raises:
        CheckpointError: the file cannot be read, is of no known family, does not fit, or contradicts a field that the
            caller stated when building the body.
    """
    canonical = _interpret(model, path, state)
    description = describe(canonical)
    task = getattr(model, "task", None)
    if canonical.family.body_only and task is not None:
        raise CheckpointError(
            f"{path} is {description}: it initialises a body and is no {task} network. Train from it by naming it as the "
            "recipe's init_from (load_backbone), or give a checkpoint of the whole network."
        )
    conventions = dict(canonical.conventions)
    recorded = conventions.pop("detector", None)
    against = contradictions(model, conventions)
    if against:
        raise CheckpointError(
            f"{path} ({description.title}) contradicts what was stated when the model was built: {'; '.join(against)}. "
            "Leave the field unstated, or load a file of its family."
        )
    if task == "detection" and (getattr(model, "detector", None) == "fcos") == (description.head == "fcos"):
        # The family's class order decides how many rows the outputs have, so it comes before the comparison.
        set_conventions(model, recorded or _detector_conventions(canonical, description))
    fit = match(model, canonical, description, _patterns(ignore), initialise_only=False)
    if not fit.complete:
        raise misfit(path, model, fit)
    fit.report.notes.extend(copy_values(model, fit.values))
    fit.report.conventions.update(set_conventions(model, conventions))
    if hasattr(model, "classes"):
        model.classes = named_outputs(canonical.extra, description.num_outputs)  # type: ignore[assignment]
    return fit.report


def load_backbone(body: nn.Module, path: str | Path, ignore: str | Sequence[str] = ()) -> LoadReport:
    """Initialises a body from any checkpoint that contains one; everything else in the file is dropped.

    The body keeps its own conventions: networks pretrained with nearest-neighbour exchange are fine-tuned with the
    task's. What differs is noted in the report.

    Args:
        body: a body, or a network with one (``.body``). ignore: as in :func:`load_checkpoint`.

    Raises:
        CheckpointError: the file cannot be read, or its body is another one.
    """
    inner = getattr(body, "body", body)
    canonical = _interpret(inner, path)
    description = describe(canonical)
    fit = match(inner, canonical, description, _patterns(ignore), initialise_only=True)
    if not fit.complete:
        raise misfit(path, inner, fit)
    if not fit.values:
        raise CheckpointError(f"{path} is {description}: nothing in it belongs to a body.")
    fit.report.notes.extend(copy_values(inner, fit.values))
    spec = getattr(inner, "spec", None)
    fit.report.notes.extend(
        f"pretrained with {name}={value}, this body keeps {getattr(spec, name)}"
        for name, value in canonical.conventions.items()
        if name in ("upsample", "align_corners") and hasattr(spec, name) and getattr(spec, name) != value
    )
    return fit.report


def identify_checkpoint(path: str | Path, state: str | None = None) -> Description:
    """What a file holds: family, task, model, outputs and a guess of the dataset. Prints as one line with its arguments.

    Raises:
        CheckpointError: the file cannot be read, or is of no known family.
    """
    return describe(interpret(read_checkpoint(path, state)))


def _patterns(ignore: str | Sequence[str]) -> tuple[str, ...]:
    return (ignore,) if isinstance(ignore, str) else tuple(ignore)


def _interpret(model: nn.Module, path: str | Path, state: str | None = None) -> Canonical:
    raw = read_checkpoint(path, state)
    names = getattr(getattr(model, "net", None), "feature_info", None)
    if names is not None and not any(key.startswith("body.") for key in raw.state):
        from hrnet.checkpoints.families.timm_features import interpret_for_timm

        return interpret_for_timm(model, raw)
    return interpret(raw)


def _detector_conventions(canonical: Canonical, description: Description) -> dict[str, Any]:
    if canonical.family.detector is None:
        return {}
    found: dict[str, Any] = {"detection": canonical.family.detector}
    for name in ("box_head.reg.weight", "box_heads.0.reg.weight"):
        if name in canonical.state:
            found["class_agnostic"] = canonical.state[name].shape[0] == 4
    meta = canonical.extra.get("meta")
    if description.head == "htc" and isinstance(meta, dict) and str(meta.get("mmdet_version", "")).startswith("3."):
        # mmdet 3.x reads the masks of the last head alone; 2.x, which trained the released files, averages all three.
        found["mask_stages"] = "last"
    if canonical.family.detector == "torchvision":
        if description.num_outputs is not None:
            # COCO's own category ids up to 90: ten rows of the file are never used. Other counts are other classes.
            found["num_classes"] = description.num_outputs
            found["labels"] = "category_id" if description.num_outputs == COCO_CATEGORY_IDS else "rank"
        untracked = not any(key.endswith("num_batches_tracked") for key in canonical.state)
        # The released weights have frozen normalisations without counters and run with epsilon 0.
        found["bn_eps"] = 0.0 if untracked else 1e-5
    return found
