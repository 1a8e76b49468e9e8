"""What a checkpoint holds, read from canonical names and shapes: body, representation, head, outputs."""

from __future__ import annotations

import math
import re
from typing import Any

from hrnet.checkpoints.families.bodies import Shapes, body_name, count
from hrnet.checkpoints.families.own import own_changes
from hrnet.checkpoints.families.pose_rivals import UDP, UDP_REGRESS
from hrnet.checkpoints.family import Canonical, has
from hrnet.checkpoints.report import Description

DATASETS: dict[tuple[str, int], str] = {
    ("pose", 17): "coco",
    ("pose", 16): "mpii",
    ("segmentation", 19): "cityscapes",
    ("segmentation", 59): "pascal_context",
    ("segmentation", 60): "pascal_context",
    ("segmentation", 20): "lip",
    ("landmarks", 68): "300w",
    ("landmarks", 19): "aflw",
    ("landmarks", 29): "cofw",
    ("landmarks", 98): "wflw",
    ("detection", 80): "coco",
    ("detection", 90): "coco",
    ("classification", 1000): "imagenet",
}


def describe(canonical: Canonical) -> Description:
    """The description of a file; ``build`` of our own format says what it says, shapes the rest."""
    shapes = {name: tuple(tensor.shape) for name, tensor in canonical.state.items()}
    family, build = canonical.family, canonical.extra.get("build")
    own: dict[str, Any] = build if isinstance(build, dict) else {}
    task = own.get("task") or family.task(canonical.state)
    model, representation = body_name(shapes), _representation(shapes)
    outputs, head = _outputs(shapes), _head(shapes, task)
    changes = own_changes(own) or _changes(shapes, head)
    if task == "pose" and model is not None and not own:
        model, outputs, coding = _pose_coding(family.name, model, outputs, shapes)
        changes |= coding
    if task is None and not family.body_only:
        # A file of ours without its build: the head's kind says what is sure.
        task = "detection" if head in dict(DETECTOR_HEADS) else "classification" if head == "linear" else None
    return Description(
        family=family.name,
        title=family.title,
        task=task,
        model=own.get("model") or model,
        num_outputs=None if family.body_only else outputs,
        head=None if family.body_only else head,
        representation=own.get("representation") or (None if family.body_only else representation),
        dataset=own.get("dataset") or (DATASETS.get((task, outputs)) if task and outputs else None),
        changes=changes,
        protocol=dict(own["protocol"]) if isinstance(own.get("protocol"), dict) else None,
        tier=str(own["tier"]) if own.get("tier") else None,
        usual_outputs=outputs is None or (task or "", outputs) in DATASETS,
        declaration=dict(own["declaration"]) if isinstance(own.get("declaration"), dict) else None,
    )


def _changes(shapes: Shapes, head: str | None) -> dict[str, Any]:
    """What keys tell of a detector beyond its kind: FCOS's levels, hybrid task cascade without its semantic branch."""
    if head == "fcos":
        levels = count(shapes, r"^representation\.smooth\.(\d+)\.")
        return {"levels": levels} if levels == 6 else {}
    if head == "htc" and not has(shapes, "semantic."):
        return {"semantic": False}
    return {}


def _representation(shapes: Shapes) -> str | None:
    mix = shapes.get("representation.mix.conv.weight")
    if mix is not None:
        return "V2" if mix[0] == mix[1] else "V1h"
    for prefix, name in (
        ("representation.widen.", "V1hp"),
        ("representation.reduce.", _reduced(shapes)),
        ("representation.laterals.", "FPN"),
        ("representation.incre_modules.", "C"),
        ("head.attention.", "V2cat"),
        ("body.score.", "stacks"),
    ):
        if has(shapes, prefix):
            return name
    return "V1" if has(shapes, "head.predict.") else None


def _reduced(shapes: Shapes) -> str:
    """Which maps of a body a pyramid reduces: the highest alone where it takes no more channels than that has, else all."""
    reduce = shapes.get("representation.reduce.weight")
    highest = shapes.get("body.stage4.0.branches.0.0.conv1.weight")
    return "V1p" if reduce and highest and reduce[1] == highest[0] else "V2p"


def _outputs(shapes: Shapes) -> int | None:
    for name in ("box_head.cls.weight", "box_heads.0.cls.weight"):
        if name in shapes:
            return shapes[name][0] - 1
    for name in (
        "point_head.cls.weight",
        "head.predict.weight",
        "head.main.predict.weight",
        "head.classifier.weight",
        "body.score.0.weight",
    ):
        if name in shapes:
            return shapes[name][0]
    last = sorted(key for key in shapes if re.match(r"^head\.main\.\d+\.weight$", key))
    return shapes[last[-1]][0] if last else None


DETECTOR_HEADS = (
    ("fcos", "point_head."),
    ("htc", "mask_heads.1.res."),
    ("cascade_mask_rcnn", "mask_heads."),
    ("cascade_rcnn", "box_heads."),
    ("mask_rcnn", "mask_head."),
    ("faster_rcnn", "box_head."),
)
"""Detector -> the beginning of names that tell it, most telling first."""


def _head(shapes: Shapes, task: str | None) -> str | None:
    for detector, prefix in DETECTOR_HEADS:
        if has(shapes, prefix):
            return detector
    if has(shapes, "head.attention."):
        return "ocr"
    if "head.classifier.weight" in shapes:
        return "linear"
    return "conv" if _outputs(shapes) is not None else None


def _pose_coding(
    family: str, model: str, outputs: int | None, shapes: Shapes
) -> tuple[str, int | None, dict[str, Any]]:
    """Model, joints and build options of a pose network: three maps a joint are UDP's with offsets, which its configuration or
    its number of outputs (three times a known number of joints) tell. SimCC's layers tell the size of its input, not which of
    its two codings it learnt: the plain one's name is given."""
    if "head.along_x.weight" in shapes:
        width, height, split = _simcc_size(shapes["head.along_x.weight"], shapes["head.along_y.weight"])
        return f"{model}_simcc", outputs, {"input_wh": f"{width},{height}", "split": split}
    suffix = next((s for s in (UDP_REGRESS, UDP) if family.endswith(s)), "")
    thirds = outputs // 3 if outputs is not None and outputs % 3 == 0 and ("pose", outputs // 3) in DATASETS else None
    if model.endswith("_udppose"):
        return (model, thirds, {}) if thirds else (model, outputs, {"offsets": False})
    if thirds:
        return model + UDP_REGRESS, thirds, {}
    # A transformer's released networks all use UDP: their names say so already.
    return (model if model.startswith("vitpose") else model + suffix), outputs, {}


def _simcc_size(along_x: tuple[int, ...], along_y: tuple[int, ...]) -> tuple[int, int, float]:
    """Width and height of the input in px and classes a pixel: a map has W H / 16 cells, the layers k W and k H classes."""
    split = math.sqrt(along_x[0] * along_y[0] / (16 * along_x[1]))
    return round(along_x[0] / split), round(along_y[0] / split), round(split, 3)
