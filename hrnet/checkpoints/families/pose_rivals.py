"""Pose networks beside HRNet: how mmpose's zoo and the official ViTPose and UDP-Pose call the parameters of bodies.

Every rule is proved on the key lists of the zoo's checkpoints (tests/golden/test_pose_rivals.py).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from hrnet.checkpoints.family import HRNET_BODY, Family, State, always, has, implies

Rules = tuple[tuple[str, str], ...]

_ENCODER: Rules = ((r"^body\.(?!deconv_layers\.)(.+)$", r"body.encoder.\1"),)

_VIT_OF_MMPRETRAIN: Rules = (
    (r"^body\.pos_embed$", "body.vit.pos_embed"),
    (r"^body\.patch_embed\.projection\.(.+)$", r"body.vit.patch_embed.proj.\1"),
    (r"^body\.layers\.(\d+)\.ln([12])\.(.+)$", r"body.vit.blocks.\1.norm\2.\3"),
    (r"^body\.layers\.(\d+)\.ffn\.layers\.0\.0\.(.+)$", r"body.vit.blocks.\1.mlp.fc1.\2"),
    (r"^body\.layers\.(\d+)\.ffn\.layers\.1\.(.+)$", r"body.vit.blocks.\1.mlp.fc2.\2"),
    (r"^body\.layers\.(\d+)\.attn\.(.+)$", r"body.vit.blocks.\1.attn.\2"),
    (r"^body\.ln1\.(.+)$", r"body.vit.norm.\1"),
)

_VIT_OF_VITPOSE: Rules = (
    (r"^body\.last_norm\.(.+)$", r"body.vit.norm.\1"),
    (r"^body\.(pos_embed|(?:patch_embed|blocks)\..+)$", r"body.vit.\1"),
)

_RESNET_V1D: Rules = (
    (r"^body\.stem\.0\.conv\.(.+)$", r"body.encoder.conv1.0.\1"),
    (r"^body\.stem\.0\.bn\.(.+)$", r"body.encoder.conv1.1.\1"),
    (r"^body\.stem\.1\.conv\.(.+)$", r"body.encoder.conv1.3.\1"),
    (r"^body\.stem\.1\.bn\.(.+)$", r"body.encoder.conv1.4.\1"),
    (r"^body\.stem\.2\.conv\.(.+)$", r"body.encoder.conv1.6.\1"),
    (r"^body\.stem\.2\.bn\.(.+)$", r"body.encoder.bn1.\1"),
    # timm keeps an identity where the others average before the shortcut's convolution.
    (r"^body\.layer1\.0\.downsample\.0\.(.+)$", r"body.encoder.layer1.0.downsample.1.\1"),
    (r"^body\.layer1\.0\.downsample\.1\.(.+)$", r"body.encoder.layer1.0.downsample.2.\1"),
    *_ENCODER,
)

_SE_RESNET: Rules = (
    (r"^body\.(layer\d\.\d+)\.se_layer\.conv([12])\.conv\.(.+)$", r"body.encoder.\1.se.fc\2.\3"),
    *_ENCODER,
)


def _mobilenet_v2() -> Rules:
    rules = [(rf"^body\.conv1\.{part}\.(.+)$", rf"body.encoder.0.{k}.\1") for k, part in enumerate(("conv", "bn"))]
    place = 1
    for number, count in enumerate((1, 2, 3, 4, 3, 3, 1), start=1):
        for block in range(count):
            theirs, ours = rf"^body\.layer{number}\.{block}\.conv", f"body.encoder.{place}.conv"
            last = 1 if number == 1 else 2  # the first block does not expand
            for k in range(last):
                rules += [
                    (rf"{theirs}\.{k}\.{part}\.(.+)$", rf"{ours}.{k}.{n}.\1") for n, part in enumerate(("conv", "bn"))
                ]
            rules.append((rf"{theirs}\.{last}\.conv\.(.+)$", rf"{ours}.{last}.\1"))
            rules.append((rf"{theirs}\.{last}\.bn\.(.+)$", rf"{ours}.{last + 1}.\1"))
            place += 1
    rules += [
        (rf"^body\.conv2\.{part}\.(.+)$", rf"body.encoder.{place}.{k}.\1") for k, part in enumerate(("conv", "bn"))
    ]
    return tuple(rules)


def _shufflenet_v2() -> Rules:
    rules = []
    for k, part in enumerate(("conv", "bn")):
        rules.append((rf"^body\.conv1\.{part}\.(.+)$", rf"body.encoder.conv1.{k}.\1"))
        rules.append((rf"^body\.layers\.3\.{part}\.(.+)$", rf"body.encoder.conv5.{k}.\1"))
    # Their activations count as places of the sequence, and only some convolutions have one.
    places = {"branch1": ((0, 1), (2, 3)), "branch2": ((0, 1), (3, 4), (5, 6))}
    for stage in range(3):
        for branch, pairs in places.items():
            for k, pair in enumerate(pairs):
                for part, place in zip(("conv", "bn"), pair, strict=True):
                    theirs = rf"^body\.layers\.{stage}\.(\d+)\.{branch}\.{k}\.{part}\.(.+)$"
                    rules.append((theirs, rf"body.encoder.stage{stage + 2}.\1.{branch}.{place}.\2"))
    return tuple(rules)


_MOBILENET_V2, _SHUFFLENET_V2 = _mobilenet_v2(), _shufflenet_v2()


def body_renames(state: State) -> Rules:
    """The rules of the body whose parameters these are, from the names that only it has; none for HRNet, ResNet, Lite-HRNet."""
    for prefix, rules in (
        ("body.layers.0.ln1.", _VIT_OF_MMPRETRAIN),
        ("body.last_norm.", _VIT_OF_VITPOSE),
        ("body.stem.2.conv.", _RESNET_V1D),
        ("body.layer1.0.se_layer.", _SE_RESNET),
        ("body.layer7.0.conv.", _MOBILENET_V2),
        ("body.layers.0.0.g_conv_1x1_compress.", _ENCODER),
        ("body.layers.0.0.branch1.", _SHUFFLENET_V2),
    ):
        if has(state, prefix):
            return rules
    grouped = state.get("body.layer1.0.conv2.weight")
    return _ENCODER if grouped is not None and grouped.dim() == 4 and grouped.shape[1] * 32 == grouped.shape[0] else ()


def first_row_to_every_token(state: dict[str, Tensor]) -> list[str]:
    """ViTPose's repository stores the class token's position first and adds it to every patch's."""
    positions = state.get("body.vit.pos_embed")
    if positions is None or positions.shape[1] % 2 == 0:
        return []
    state["body.vit.pos_embed"] = positions[:, 1:] + positions[:, :1]
    return ["the class token's position embedding is added to every patch's, as the official ViTPose does"]


_HEAD: Rules = (
    (r"^keypoint_head\.(deconv_layers\..+)$", r"body.\1"),
    (r"^keypoint_head\.final_layer\.(weight|bias)$", r"head.predict.\1"),
)

VITPOSE = Family(
    "mmpose_vitpose",
    "the official ViTPose",
    lambda s: has(s, "backbone.blocks.0.norm1.", "backbone.last_norm.", "keypoint_head."),
    ((r"^backbone\.(.+)$", r"body.\1"), *_HEAD),
    task=always("pose"),
    renames=body_renames,
    adapt=first_row_to_every_token,
)

UDP_POSE = Family(
    "udp_pose",
    "UDP-Pose's own HRNet",
    lambda s: has(s, "stage4.2.fuse_layers.0.0.0.", "final_layer."),
    ((HRNET_BODY, r"body.\1"), (r"^final_layer\.(weight|bias)$", r"head.predict.\1")),
    task=always("pose"),
    conventions=implies(upsample="nearest", bn_momentum=0.1),
)

UDP = "_udp"
UDP_REGRESS = "_udp_regress"
_IS_UDP = re.compile(r"UDPHeatmap|use_udp\s*=\s*True")
_IS_COMBINED = re.compile(r"heatmap_type\s*=\s*['\"]combined|target_type\s*=\s*['\"]?CombinedTarget")


def by_configuration(family: Family, extra: Mapping[str, Any]) -> Family:
    """The family with what the configuration inside the file says of its coding: "mmpose_1x_udp" where that is UDP.

    Args:
        extra: what the file holds beside its weights; mmpose stores its configuration's text under meta.
    """
    meta = extra.get("meta")
    if not family.name.startswith("mmpose") or not isinstance(meta, Mapping):
        return family
    text = "\n".join(str(meta[key]) for key in ("cfg", "config") if meta.get(key))
    if not _IS_UDP.search(text):
        return family
    suffix = UDP_REGRESS if _IS_COMBINED.search(text) else UDP
    return dataclasses.replace(family, name=family.name + suffix, title=f"{family.title} with UDP")
