"""Which body parameters belong to, from canonical names and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hrnet.checkpoints.family import has
from hrnet.variants import VARIANTS, HRNetSpec

Shapes = Mapping[str, tuple[int, ...]]

RESNETS = {
    ("basic", (2, 2, 2, 2)): "resnet18",
    ("basic", (3, 4, 6, 3)): "resnet34",
    ("bottleneck", (3, 4, 6, 3)): "resnet50",
    ("bottleneck", (3, 4, 23, 3)): "resnet101",
    ("bottleneck", (3, 8, 36, 3)): "resnet152",
}

VITS = {(384, 12): "vitpose_s", (768, 12): "vitpose_b", (1024, 24): "vitpose_l", (1280, 32): "vitpose_h"}
"""(Width of a token, layers) -> name."""

LITE = {2: "litehrnet_18", 3: "litehrnet_30"}
"""Modules of the first stage -> name."""


def body_name(shapes: Shapes) -> str | None:
    """Our name of the body whose parameters are ``body.*``; None if it is none of the published or micro sizes."""
    if "body.stage4.2.fuse_layers.0.0.0.weight" in shapes:
        name = _hrnet_name(shapes)
        return f"{name}_udppose" if name else None
    if has(shapes, "body.stage4."):
        return _hrnet_name(shapes)
    if "body.vit.pos_embed" in shapes:
        return _vit_name(shapes)
    if any(".cross_resolution_weighting." in key for key in shapes):
        return LITE.get(count(shapes, r"^body\.stage0\.(\d+)\."))
    if has(shapes, "body.encoder."):
        return _encoder_name(shapes)
    if has(shapes, "body.hg."):
        stacks = count(shapes, r"^body\.hg\.(\d+)\.")
        width = shapes.get("body.fc.0.0.weight", (0,))[0]
        return f"hourglass_s{stacks}" if width == 256 else None
    prefix = "body.resnet." if has(shapes, "body.resnet.") else "body."
    if f"{prefix}layer4.0.conv1.weight" not in shapes:
        return None
    kind = "bottleneck" if f"{prefix}layer1.0.conv3.weight" in shapes else "basic"
    blocks = tuple(count(shapes, rf"^{re.escape(prefix)}layer{i}\.(\d+)\.") for i in range(1, 5))
    stem = next((shapes[prefix + k] for k in ("conv1.weight", "stem.6.weight") if prefix + k in shapes), (0,))
    name = RESNETS.get((kind, blocks)) if stem[0] == 64 else None  # type: ignore[arg-type]
    if name is None:
        return None
    depth = name.removeprefix("resnet")
    if f"{prefix}stem.6.weight" in shapes:
        plus, aspp = (f"head.main.{part}.conv.weight" in shapes for part in ("low", "aspp.0"))
        return f"{'deeplabv3plus' if plus else 'mmseg_deeplabv3' if aspp else 'pspnet'}_r{depth}"
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
    if count(shapes, r"^body\.layer1\.(\d+)\.") != spec.stage1.num_blocks:
        return False
    for number in (2, 3, 4):
        stage = spec.stages[number - 1]
        if count(shapes, rf"^body\.stage{number}\.(\d+)\.") != stage.num_modules:
            return False
        if count(shapes, rf"^body\.stage{number}\.0\.branches\.0\.(\d+)\.") != stage.num_blocks:
            return False
        for branch, channels in enumerate(stage.channels):
            if shapes.get(f"body.stage{number}.0.branches.{branch}.0.conv1.weight", (0,))[0] != channels:
                return False
    return True


def count(shapes: Shapes, pattern: str) -> int:
    """How many different numbers the pattern's group matches among the keys."""
    found = re.compile(pattern)
    return len({m.group(1) for key in shapes if (m := found.match(key))})


def _vit_name(shapes: Shapes) -> str | None:
    name = VITS.get((shapes["body.vit.pos_embed"][2], count(shapes, r"^body\.vit\.blocks\.(\d+)\.")))
    simple = "body.deconv_layers.0.weight" not in shapes
    return f"{name}_simple" if name and simple else name


def _encoder_name(shapes: Shapes) -> str | None:
    """SimpleBaseline on other encoders than ResNet."""
    for key, name in (
        ("body.encoder.18.0.weight", "mobilenetv2"),
        ("body.encoder.conv5.0.weight", "shufflenetv2"),
        ("body.encoder.layers.0.0.g_conv_1x1_compress.conv.weight", "shufflenetv1"),
    ):
        if key in shapes:
            return f"simple_baseline_{name}"
    blocks = tuple(count(shapes, rf"^body\.encoder\.layer{i}\.(\d+)\.") for i in range(1, 5))
    depth = (RESNETS.get(("bottleneck", blocks)) or "").removeprefix("resnet")  # type: ignore[arg-type]
    if not depth:
        return None
    if "body.encoder.conv1.0.weight" in shapes:
        return f"simple_baseline_r{depth}d"
    kind = "seresnet" if "body.encoder.layer1.0.se.fc1.weight" in shapes else "resnext"
    return f"simple_baseline_{kind}{depth}"
