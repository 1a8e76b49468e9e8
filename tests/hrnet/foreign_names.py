"""Our names back into each family's: independent tables for round trips. Not a test itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from torch import Tensor

Table = tuple[tuple[str, str], ...]

_V2 = ("representation.mix.conv.", "representation.mix.bn.", "head.predict.")


def _v2(*targets: str) -> Table:
    return tuple(zip(_V2, targets, strict=True))


_DETECTOR_MM: Table = (
    ("body.", "backbone."),
    ("rpn.conv.", "rpn_head.rpn_conv."),
    ("rpn.cls.", "rpn_head.rpn_cls."),
    ("rpn.reg.", "rpn_head.rpn_reg."),
)
_BOXES: Table = (
    ("box_head.fc6.", "bbox_head.shared_fcs.0."),
    ("box_head.fc7.", "bbox_head.shared_fcs.1."),
    ("box_head.cls.", "bbox_head.fc_cls."),
    ("box_head.reg.", "bbox_head.fc_reg."),
    ("mask_head.convs.#.", "mask_head.convs.#.conv."),
    ("mask_head.upsample.", "mask_head.upsample."),
    ("mask_head.predict.", "mask_head.conv_logits."),
)
_PYRAMID_FORK: Table = (
    ("representation.reduce.", "neck.reduction_conv.0."),
    ("representation.smooth.#.", "neck.fpn_conv.#."),
)
_PYRAMID_MM: Table = (
    ("representation.reduce.", "neck.reduction_conv.conv."),
    ("representation.laterals.#.", "neck.lateral_convs.#.conv."),
    ("representation.smooth.#.", "neck.fpn_convs.#.conv."),
)
_CONTEXT = "ocr_distri_head.object_context_block."

TABLES: dict[str, Table] = {
    "pose": (("body.", ""), ("head.predict.", "final_layer.")),
    "simple_baseline": (("body.", ""), ("head.predict.", "final_layer.")),
    "hourglass": (("body.", ""),),
    "classification": (("body.", ""), ("representation.", ""), ("head.classifier.", "classifier.")),
    "segmentation": (("body.", ""), *_v2("last_layer.0.", "last_layer.1.", "last_layer.3.")),
    "face": (("body.", ""), *_v2("head.0.", "head.1.", "head.3.")),
    "segmentation_ocr": (
        ("body.", ""),
        ("head.aux.conv.", "aux_head.0."),
        ("head.aux.bn.", "aux_head.1."),
        ("head.aux.predict.", "aux_head.3."),
        ("head.ocr.conv.", "conv3x3_ocr.0."),
        ("head.ocr.bn.", "conv3x3_ocr.1."),
        ("head.attention.pixel.0.conv.", f"{_CONTEXT}f_pixel.0."),
        ("head.attention.pixel.0.bn.", f"{_CONTEXT}f_pixel.1.0."),
        ("head.attention.pixel.1.conv.", f"{_CONTEXT}f_pixel.2."),
        ("head.attention.pixel.1.bn.", f"{_CONTEXT}f_pixel.3.0."),
        ("head.attention.object.0.conv.", f"{_CONTEXT}f_object.0."),
        ("head.attention.object.0.bn.", f"{_CONTEXT}f_object.1.0."),
        ("head.attention.object.1.conv.", f"{_CONTEXT}f_object.2."),
        ("head.attention.object.1.bn.", f"{_CONTEXT}f_object.3.0."),
        ("head.attention.down.conv.", f"{_CONTEXT}f_down.0."),
        ("head.attention.down.bn.", f"{_CONTEXT}f_down.1.0."),
        ("head.attention.up.conv.", f"{_CONTEXT}f_up.0."),
        ("head.attention.up.bn.", f"{_CONTEXT}f_up.1.0."),
        ("head.fuse.conv.", "ocr_distri_head.conv_bn_dropout.0."),
        ("head.fuse.bn.", "ocr_distri_head.conv_bn_dropout.1.0."),
        ("head.predict.", "cls_head."),
    ),
    "mmpose_0x": (("body.", "backbone."), ("head.predict.", "keypoint_head.final_layer.")),
    "mmpose_1x": (("body.", "backbone."), ("head.predict.", "head.final_layer.")),
    "mmpose_0x_faces": (
        ("body.", "backbone."),
        *_v2("keypoint_head.final_layer.0.", "keypoint_head.final_layer.1.", "keypoint_head.final_layer.3."),
    ),
    "mmpose_1x_faces": (
        ("body.", "backbone."),
        *_v2("head.conv_layers.0.", "head.conv_layers.1.", "head.final_layer."),
    ),
    "mmpose_1x_simple_baseline": (
        ("body.deconv_layers.", "head.deconv_layers."),
        ("body.", "backbone."),
        ("head.predict.", "head.final_layer."),
    ),
    "mmpretrain": (
        ("body.", "backbone."),
        ("representation.incre_modules.", "neck.increase_layers."),
        ("representation.downsamp_modules.#.0.", "neck.downsample_layers.#.conv."),
        ("representation.downsamp_modules.#.1.", "neck.downsample_layers.#.bn."),
        ("representation.final_layer.0.", "neck.final_layer.conv."),
        ("representation.final_layer.1.", "neck.final_layer.bn."),
        ("head.classifier.", "head.fc."),
    ),
    "vit": (
        ("vit.patch_embed.proj.", "patch_embed.projection."),
        ("vit.blocks.#.norm1.", "layers.#.ln1."),
        ("vit.blocks.#.norm2.", "layers.#.ln2."),
        ("vit.blocks.#.mlp.fc1.", "layers.#.ffn.layers.0.0."),
        ("vit.blocks.#.mlp.fc2.", "layers.#.ffn.layers.1."),
        ("vit.blocks.#.attn.", "layers.#.attn."),
        ("vit.norm.", "ln1."),
        ("vit.pos_embed", "pos_embed"),
        ("deconv_layers.", "deconv_layers."),
    ),
    "mmseg": (
        ("body.", "backbone."),
        *_v2("decode_head.convs.0.conv.", "decode_head.convs.0.bn.", "decode_head.conv_seg."),
    ),
    "mmseg_ocr": (
        ("body.", "backbone."),
        ("head.aux.predict.", "decode_head.0.conv_seg."),
        ("head.aux.", "decode_head.0.convs.0."),
        ("head.ocr.", "decode_head.1.bottleneck."),
        ("head.attention.pixel.", "decode_head.1.object_context_block.query_project."),
        ("head.attention.object.", "decode_head.1.object_context_block.key_project."),
        ("head.attention.down.", "decode_head.1.object_context_block.value_project."),
        ("head.attention.up.", "decode_head.1.object_context_block.out_project."),
        ("head.fuse.", "decode_head.1.object_context_block.bottleneck."),
        ("head.predict.", "decode_head.1.conv_seg."),
    ),
    "detection": (*_DETECTOR_MM, *_PYRAMID_FORK, *_BOXES),
    "torchvision": (
        ("body.", "backbone.body."),
        ("representation.laterals.#.", "backbone.fpn.inner_blocks.#.0."),
        ("representation.smooth.#.", "backbone.fpn.layer_blocks.#.0."),
        ("rpn.conv.", "rpn.head.conv.0.0."),
        ("rpn.cls.", "rpn.head.cls_logits."),
        ("rpn.reg.", "rpn.head.bbox_pred."),
        ("box_head.cls.", "roi_heads.box_predictor.cls_score."),
        ("box_head.reg.", "roi_heads.box_predictor.bbox_pred."),
        ("box_head.", "roi_heads.box_head."),
    ),
    "mmdet": (*_DETECTOR_MM, *_PYRAMID_MM, *((ours, f"roi_head.{theirs}") for ours, theirs in _BOXES)),
}


def foreign(state: Mapping[str, Tensor], table: str, prefix: str = "") -> dict[str, Tensor]:
    """A state dict of ours under a family's names; ``#`` in a table stands for a number."""
    rules: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = []
    for ours, theirs in TABLES[table]:
        pattern = re.compile("^" + re.escape(ours).replace(r"\#", r"(\d+)"))
        rules.append((pattern, lambda m, theirs=theirs: theirs.replace("#", m.group(1)) if "#" in theirs else theirs))
    renamed: dict[str, Tensor] = {}
    for key, tensor in state.items():
        pattern, make = next((p, f) for p, f in rules if p.match(key))
        renamed[prefix + pattern.sub(make, key)] = tensor
    assert len(renamed) == len(state)
    return renamed
