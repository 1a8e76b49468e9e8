"""What a checkpoint holds, read from canonical names and shapes: body, representation, head, outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hrnet.checkpoints.family import Canonical
from hrnet.checkpoints.report import Description
from hrnet.variants import VARIANTS, HRNetSpec

Shapes = Mapping[str, tuple[int, ...]]

RESNETS = {
    ("basic", (2, 2, 2, 2)): "resnet18",
    ("basic", (3, 4, 6, 3)): "resnet34",
    ("bottleneck", (3, 4, 6, 3)): "resnet50",
    ("bottleneck", (3, 4, 23, 3)): "resnet101",
    ("bottleneck", (3, 8, 36, 3)): "resnet152",
}

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
        changes=dict(own.get("changes") or _changes(shapes, head)),
        protocol=dict(own["protocol"]) if isinstance(own.get("protocol"), dict) else None,
        tier=str(own["tier"]) if own.get("tier") else None,
        usual_outputs=outputs is None or (task or "", outputs) in DATASETS,
    )


def _changes(shapes: Shapes, head: str | None) -> dict[str, Any]:
    """What keys tell of a detector beyond its kind: FCOS's levels, hybrid task cascade without its semantic branch."""
    if head == "fcos":
        levels = _count(shapes, r"^representation\.smooth\.(\d+)\.")
        return {"levels": levels} if levels == 6 else {}
    if head == "htc" and not any(key.startswith("semantic.") for key in shapes):
        return {"semantic": False}
    return {}


def body_name(shapes: Shapes) -> str | None:
    """Our name of the body whose parameters are ``body.*``; None if it is none of the published or micro sizes."""
    if any(key.startswith("body.stage4.") for key in shapes):
        return _hrnet_name(shapes)
    if any(key.startswith("body.hg.") for key in shapes):
        stacks = _count(shapes, r"^body\.hg\.(\d+)\.")
        width = shapes.get("body.fc.0.0.weight", (0,))[0]
        return f"hourglass_s{stacks}" if width == 256 else None
    prefix = "body.resnet." if any(key.startswith("body.resnet.") for key in shapes) else "body."
    if f"{prefix}layer4.0.conv1.weight" not in shapes:
        return None
    kind = "bottleneck" if f"{prefix}layer1.0.conv3.weight" in shapes else "basic"
    blocks = tuple(_count(shapes, rf"^{re.escape(prefix)}layer{i}\.(\d+)\.") for i in range(1, 5))
    stem = next((shapes[prefix + k] for k in ("conv1.weight", "stem.6.weight") if prefix + k in shapes), (0,))
    name = RESNETS.get((kind, blocks)) if stem[0] == 64 else None  # type: ignore[arg-type]
    if name is None:
        return None
    depth = name.removeprefix("resnet")
    if f"{prefix}stem.6.weight" in shapes:
        return f"{'deeplabv3plus' if 'head.main.low.conv.weight' in shapes else 'pspnet'}_r{depth}"
    if prefix == "body.resnet.":
        return f"{'deeplabv3' if 'head.main.0.convs.0.0.weight' in shapes else 'fcn'}_r{depth}"
    return f"simple_baseline_r{depth}" if "body.deconv_layers.0.weight" in shapes else name


def _hrnet_name(shapes: Shapes) -> str | None:
    for name, spec in VARIANTS.items():
        if _is_variant(shapes, spec):
            return name
    return None


def _is_variant(shapes: Shapes, spec: HRNetSpec) -> bool:
    if shapes.get("body.conv1.weight", (0,))[0] != spec.stem_channels:
        return False
    if shapes.get("body.layer1.0.conv1.weight", (0,))[0] != spec.stage1.channels[0]:
        return False
    if _count(shapes, r"^body\.layer1\.(\d+)\.") != spec.stage1.num_blocks:
        return False
    for number in (2, 3, 4):
        stage = spec.stages[number - 1]
        if _count(shapes, rf"^body\.stage{number}\.(\d+)\.") != stage.num_modules:
            return False
        if _count(shapes, rf"^body\.stage{number}\.0\.branches\.0\.(\d+)\.") != stage.num_blocks:
            return False
        for branch, channels in enumerate(stage.channels):
            if shapes.get(f"body.stage{number}.0.branches.{branch}.0.conv1.weight", (0,))[0] != channels:
                return False
    return True


def _count(shapes: Shapes, pattern: str) -> int:
    found = re.compile(pattern)
    return len({m.group(1) for key in shapes if (m := found.match(key))})


def _representation(shapes: Shapes) -> str | None:
    def has(prefix: str) -> bool:
        return any(key.startswith(prefix) for key in shapes)

    mix = shapes.get("representation.mix.conv.weight")
    if mix is not None:
        return "V2" if mix[0] == mix[1] else "V1h"
    for prefix, name in (
        ("representation.reduce.", "V2p"),
        ("representation.laterals.", "FPN"),
        ("representation.incre_modules.", "C"),
        ("head.attention.", "V2cat"),
        ("body.score.", "stacks"),
    ):
        if has(prefix):
            return name
    return "V1" if has("head.predict.") else None


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
        if any(key.startswith(prefix) for key in shapes):
            return detector
    if any(key.startswith("head.attention.") for key in shapes):
        return "ocr"
    if "head.classifier.weight" in shapes:
        return "linear"
    return "conv" if _outputs(shapes) is not None else None
