"""mmpose 0.x and 1.x (top-down heat maps), mmseg (FCN and OCR heads on HRNet) and mmpretrain (HRNet on ImageNet)."""

from __future__ import annotations

import torch
from torch import Tensor

from hrnet.checkpoints.families.pose_rivals import body_renames
from hrnet.checkpoints.family import OPENMMLAB_BODY, OPENMMLAB_DROPS, Family, State, always, has, implies

FACE_POINTS = (19, 29, 68, 98, 106)


def _pose_or_face(state: State) -> str:
    predict = state.get("head.predict.weight")
    wide = "representation.mix.conv.weight" in state
    return "landmarks" if wide and predict is not None and predict.shape[0] in FACE_POINTS else "pose"


def _mmpose_conventions(state: State) -> dict[str, object]:
    """Nearest by default; the configurations with a head over all resolutions (faces) set bilinear without aligned corners."""
    wide = has(state, "head.conv_layers.") or has(state, "keypoint_head.final_layer.0.")
    if not has(state, "backbone.stage4."):
        return {}
    if wide:
        return {"upsample": "bilinear", "align_corners": False, "bn_momentum": 0.1}
    return {"upsample": "nearest", "bn_momentum": 0.1}


def _heatmap_rules(head: str) -> tuple[tuple[str, str], ...]:
    return (
        OPENMMLAB_BODY,
        (rf"^{head}\.(deconv_layers\..+)$", r"body.\1"),
        (rf"^{head}\.final_layer\.(weight|bias)$", r"head.predict.\1"),
        (rf"^{head}\.(?:conv_layers|final_layer)\.0\.(.+)$", r"representation.mix.conv.\1"),
        (rf"^{head}\.(?:conv_layers|final_layer)\.1\.(.+)$", r"representation.mix.bn.\1"),
        (rf"^{head}\.final_layer\.3\.(.+)$", r"head.predict.\1"),
    )


_SIMCC = (
    (r"^head\.mlp_head_([xy])\.(weight|bias)$", r"head.along_\1.\2"),
    (r"^head\.deconv_head\.(deconv_layers\..+)$", r"body.\1"),
    (r"^head\.deconv_head\.final_layer\.(weight|bias)$", r"head.predict.\1"),
)
"""Of mmpose's SimCC, whose heads on encoders hold the layers of heat maps in a head of their own."""

MMPOSE_0X = Family(
    "mmpose_0x",
    "mmpose 0.x",
    lambda s: has(s, "backbone.", "keypoint_head."),
    _heatmap_rules("keypoint_head"),
    task=_pose_or_face,
    conventions=_mmpose_conventions,
    renames=body_renames,
)

MMPOSE_1X = Family(
    "mmpose_1x",
    "mmpose 1.x",
    lambda s: has(s, "backbone.") and (has(s, "head.final_layer.") or has(s, "head.deconv_head.final_layer.")),
    (*_heatmap_rules("head"), *_SIMCC),
    drops=OPENMMLAB_DROPS,
    task=_pose_or_face,
    conventions=_mmpose_conventions,
    renames=body_renames,
)


def _zero_bias(state: dict[str, Tensor]) -> list[str]:
    """OpenMMLab's convolutions before a normalisation have no bias; ours, as the references', have one, so it is 0."""
    notes = []
    widening = (*(f"representation.downsamp_modules.{i}.0" for i in range(3)), "representation.final_layer.0")
    for name in ("representation.mix.conv", "head.aux.conv", "head.ocr.conv", *widening):
        weight = state.get(f"{name}.weight")
        if weight is not None and f"{name}.bias" not in state:
            state[f"{name}.bias"] = torch.zeros(weight.shape[0], dtype=weight.dtype, device=weight.device)
            notes.append(f"{name}.bias set to 0, which the file has not")
    return notes


MMSEG = Family(
    "mmseg",
    "mmseg's FCN on HRNet",
    lambda s: has(s, "backbone.stage4.", "decode_head.convs.0."),
    (
        OPENMMLAB_BODY,
        (r"^decode_head\.convs\.0\.conv\.(.+)$", r"representation.mix.conv.\1"),
        (r"^decode_head\.convs\.0\.bn\.(.+)$", r"representation.mix.bn.\1"),
        (r"^decode_head\.conv_seg\.(weight|bias)$", r"head.predict.\1"),
    ),
    drops=(*OPENMMLAB_DROPS, (r"^auxiliary_head\.", "an auxiliary head, which only training uses")),
    task=always("segmentation"),
    conventions=implies(upsample="bilinear", align_corners=False, bn_momentum=0.1),
    adapt=_zero_bias,
)

_BLOCK = r"^decode_head\.1\.object_context_block\."

MMSEG_OCR = Family(
    "mmseg_ocr",
    "mmseg's OCR on HRNet",
    lambda s: has(s, "backbone.stage4.", "decode_head.0.", "decode_head.1.object_context_block."),
    (
        OPENMMLAB_BODY,
        (r"^decode_head\.0\.convs\.0\.(conv|bn)\.(.+)$", r"head.aux.\1.\2"),
        (r"^decode_head\.0\.conv_seg\.(weight|bias)$", r"head.aux.predict.\1"),
        (r"^decode_head\.1\.bottleneck\.(conv|bn)\.(.+)$", r"head.ocr.\1.\2"),
        # Their query is the pixels, their key the regions.
        (rf"{_BLOCK}query_project\.([01])\.(conv|bn)\.(.+)$", r"head.attention.pixel.\1.\2.\3"),
        (rf"{_BLOCK}key_project\.([01])\.(conv|bn)\.(.+)$", r"head.attention.object.\1.\2.\3"),
        (rf"{_BLOCK}value_project\.(conv|bn)\.(.+)$", r"head.attention.down.\1.\2"),
        (rf"{_BLOCK}out_project\.(conv|bn)\.(.+)$", r"head.attention.up.\1.\2"),
        (rf"{_BLOCK}bottleneck\.(conv|bn)\.(.+)$", r"head.fuse.\1.\2"),
        (r"^decode_head\.1\.conv_seg\.(weight|bias)$", r"head.predict.\1"),
    ),
    drops=OPENMMLAB_DROPS,
    task=always("segmentation"),
    conventions=implies(upsample="bilinear", align_corners=False, bn_momentum=0.1),
    adapt=_zero_bias,
)

MMPRETRAIN = Family(
    "mmpretrain",
    "mmpretrain's HRNet on ImageNet",
    lambda s: has(s, "backbone.stage4.", "neck.increase_layers.", "head.fc."),
    (
        OPENMMLAB_BODY,
        (r"^neck\.increase_layers\.(\d)\.(.+)$", r"representation.incre_modules.\1.\2"),
        (r"^neck\.downsample_layers\.(\d)\.conv\.(.+)$", r"representation.downsamp_modules.\1.0.\2"),
        (r"^neck\.downsample_layers\.(\d)\.bn\.(.+)$", r"representation.downsamp_modules.\1.1.\2"),
        (r"^neck\.final_layer\.conv\.(.+)$", r"representation.final_layer.0.\1"),
        (r"^neck\.final_layer\.bn\.(.+)$", r"representation.final_layer.1.\1"),
        (r"^head\.fc\.(weight|bias)$", r"head.classifier.\1"),
    ),
    drops=OPENMMLAB_DROPS,
    task=always("classification"),
    conventions=implies(upsample="nearest", bn_momentum=0.1),
    adapt=_zero_bias,
)

MM_BACKBONE = Family(
    "openmmlab_backbone",
    "an OpenMMLab backbone",
    lambda s: has(s, "backbone.") and all(key.startswith(("backbone.", "head.fc.", "head.layers.")) for key in s),
    (OPENMMLAB_BODY,),
    drops=((r"^head\.", "the ImageNet head of an initialisation"),),
    renames=body_renames,
    body_only=True,
)

MM_VIT = Family(
    "openmmlab_vit",
    "a vision transformer's weights of masked auto-encoding, as mmpose publishes them",
    lambda s: has(s, "patch_embed.projection.", "layers.0.ln1."),
    ((r"^((?:pos_embed|patch_embed|layers|ln1).*)$", r"body.\1"),),
    drops=((r"^(cls_token|mask_token)$", "the tokens of the pre-training"),),
    renames=body_renames,
    body_only=True,
)
