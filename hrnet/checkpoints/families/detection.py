"""Detectors: the HRNet detection release (an mmdet 0.x fork), mmdet 2.x and 3.x, torchvision, HRNet's other repositories.

Rows keep the family's order.
"""

from __future__ import annotations

from torch import Tensor

from hrnet.checkpoints.family import OPENMMLAB_BODY, OPENMMLAB_DROPS, Family, always, has, implies

_RPN = (
    (r"^rpn_head\.rpn_conv\.(weight|bias)$", r"rpn.conv.\1"),
    (r"^rpn_head\.rpn_cls\.(weight|bias)$", r"rpn.cls.\1"),
    (r"^rpn_head\.rpn_reg\.(weight|bias)$", r"rpn.reg.\1"),
)


def _box_head(prefix: str) -> tuple[tuple[str, str], ...]:
    """Of one head, and of the heads of a cascade's stages."""
    return tuple(
        (rf"^{prefix}{stage}\.{theirs}\.(weight|bias)$", rf"{target}.{ours}.\{group}")
        for stage, target, group in (("", "box_head", 1), (r"\.(\d+)", r"box_heads.\1", 2))
        for theirs, ours in (
            (r"shared_fcs\.0", "fc6"),
            (r"shared_fcs\.1", "fc7"),
            ("fc_cls", "cls"),
            ("fc_reg", "reg"),
        )
    )


def _mask_head(prefix: str) -> tuple[tuple[str, str], ...]:
    one = (
        (rf"^{prefix}\.convs\.(\d+)\.conv\.(weight|bias)$", r"mask_head.convs.\1.\2"),
        (rf"^{prefix}\.upsample\.(weight|bias)$", r"mask_head.upsample.\1"),
        (rf"^{prefix}\.conv_logits\.(weight|bias)$", r"mask_head.predict.\1"),
    )
    stages = (
        (rf"^{prefix}\.(\d+)\.convs\.(\d+)\.conv\.(weight|bias)$", r"mask_heads.\1.convs.\2.\3"),
        (rf"^{prefix}\.(\d+)\.conv_res\.conv\.(weight|bias)$", r"mask_heads.\1.res.\2"),
        (rf"^{prefix}\.(\d+)\.upsample\.(weight|bias)$", r"mask_heads.\1.upsample.\2"),
        (rf"^{prefix}\.(\d+)\.conv_logits\.(weight|bias)$", r"mask_heads.\1.predict.\2"),
    )
    return one + stages


def _semantic(prefix: str) -> tuple[tuple[str, str], ...]:
    return (
        (rf"^{prefix}\.lateral_convs\.(\d+)\.conv\.(weight|bias)$", r"semantic.laterals.\1.\2"),
        (rf"^{prefix}\.convs\.(\d+)\.conv\.(weight|bias)$", r"semantic.convs.\1.\2"),
        (rf"^{prefix}\.conv_embedding\.conv\.(weight|bias)$", r"semantic.embedding.\1"),
        (rf"^{prefix}\.conv_logits\.(weight|bias)$", r"semantic.predict.\1"),
    )


_NECK = (
    (r"^neck\.reduction_conv\.(?:0|conv)\.(weight|bias)$", r"representation.reduce.\1"),
    (r"^neck\.lateral_convs\.(\d+)\.conv\.(weight|bias)$", r"representation.laterals.\1.\2"),
    # Both the pyramid of HRNet (fpn_conv in the fork, fpn_convs in mmdet) and the ResNets' end in a 3x3 per level.
    (r"^neck\.fpn_convs?\.(\d+)\.(?:conv\.)?(weight|bias)$", r"representation.smooth.\1.\2"),
)
_CONVENTIONS = implies(upsample="nearest", align_corners=False, bn_momentum=0.1)
"""Exchange by nearest neighbour; the pyramid's own upsampling is bilinear without aligned corners."""

DETECTION = Family(
    "detection",
    "the HRNet detection release",
    lambda s: has(s, "backbone.", "neck.", "rpn_head.") and not has(s, "roi_head."),
    (OPENMMLAB_BODY, *_NECK, *_RPN, *_box_head("bbox_head"), *_mask_head("mask_head"), *_semantic("semantic_head")),
    task=always("detection"),
    conventions=_CONVENTIONS,
    detector="hrnet_detection",
)

MMDET = Family(
    "mmdet",
    "mmdet 2.x or 3.x",
    lambda s: has(s, "backbone.", "neck.", "rpn_head.", "roi_head."),
    (
        OPENMMLAB_BODY,
        *_NECK,
        *_RPN,
        *_box_head(r"roi_head\.bbox_head"),
        *_mask_head(r"roi_head\.mask_head"),
        *_semantic(r"roi_head\.semantic_head"),
    ),
    drops=OPENMMLAB_DROPS,
    task=always("detection"),
    conventions=_CONVENTIONS,
    detector="mmdet",
)

MMDET_FCOS = Family(
    "mmdet_fcos",
    "mmdet's FCOS",
    lambda s: has(s, "backbone.", "neck.", "bbox_head.scales."),
    (
        OPENMMLAB_BODY,
        *_NECK,
        (r"^bbox_head\.(cls|reg)_convs\.(\d+)\.(conv|gn)\.(weight|bias)$", r"point_head.\1_tower.\2.\3.\4"),
        # Files of mmdet 1.x say fcos_ where later ones say conv_.
        (r"^bbox_head\.(?:conv|fcos)_(cls|reg|centerness)\.(weight|bias)$", r"point_head.\1.\2"),
        (r"^bbox_head\.scales\.(\d+)\.scale$", r"point_head.scales.\1"),
    ),
    drops=OPENMMLAB_DROPS,
    task=always("detection"),
    conventions=_CONVENTIONS,
    detector="mmdet",
)


def _fcos_values(state: dict[str, Tensor]) -> list[str]:
    """The factor of each level is a number here and a vector of one there."""
    scales = [name for name in state if name.startswith("point_head.scales.")]
    for name in scales:
        state[name] = state[name].reshape(())
    return [f"{len(scales)} scales of one element read as numbers"] if scales else []


_TOWER = tuple((str(3 * unit + k), f"{unit}.{part}") for unit in range(4) for k, part in enumerate(("conv", "gn")))
"""Index in a Sequential of convolution, normalisation and ReLU -> our name."""

HRNET_FCOS = Family(
    "hrnet_fcos",
    "the HRNet-FCOS release",
    lambda s: has(s, "backbone.body.", "backbone.fpn.", "rpn.head.cls_tower."),
    (
        (r"^backbone\.body\.(.+)$", r"body.\1"),
        (r"^backbone\.fpn\.reduction_conv\.0\.(weight|bias)$", r"representation.reduce.\1"),
        (r"^backbone\.fpn\.fpn_conv\.(\d+)\.(weight|bias)$", r"representation.smooth.\1.\2"),
        *(
            (rf"^rpn\.head\.{theirs}_tower\.{index}\.(weight|bias)$", rf"point_head.{ours}_tower.{place}.\1")
            for theirs, ours in (("cls", "cls"), ("bbox", "reg"))
            for index, place in _TOWER
        ),
        (r"^rpn\.head\.cls_logits\.(weight|bias)$", r"point_head.cls.\1"),
        (r"^rpn\.head\.bbox_pred\.(weight|bias)$", r"point_head.reg.\1"),
        (r"^rpn\.head\.centerness\.(weight|bias)$", r"point_head.centerness.\1"),
        (r"^rpn\.head\.scales\.(\d+)\.scale$", r"point_head.scales.\1"),
    ),
    task=always("detection"),
    conventions=_CONVENTIONS,
    adapt=_fcos_values,
    detector="hrnet_fcos",
)

BN_EPSILON = 1e-5


def _frozen_normalisation(state: dict[str, Tensor]) -> list[str]:
    """Frozen normalisations keep their epsilon as a buffer; another than ours goes into the variance."""
    names = [name for name in state if name.endswith(".eps")]
    moved = 0
    for name in names:
        epsilon, variance = state.pop(name), f"{name.removesuffix('.eps')}.running_var"
        if variance in state and bool(((epsilon - BN_EPSILON).abs() > 1e-9).any()):
            state[variance] = state[variance] + epsilon - BN_EPSILON
            moved += 1
    if not names:
        return []
    text = f"{len(names)} epsilons of frozen normalisations are read"
    return [text + (f"; {moved} differ from {BN_EPSILON:g} and were added to the variance" if moved else "")]


MASKRCNN_BENCHMARK = Family(
    "mrb",
    "the HRNet release of maskrcnn-benchmark",
    lambda s: has(s, "backbone.body.", "backbone.neck.", "roi_heads.box."),
    (
        (r"^backbone\.body\.(.+)$", r"body.\1"),
        (r"^backbone\.neck\.reduction_conv\.0\.(weight|bias)$", r"representation.reduce.\1"),
        (r"^backbone\.neck\.fpn_conv\.(\d+)\.(weight|bias)$", r"representation.smooth.\1.\2"),
        (r"^rpn\.head\.conv\.(weight|bias)$", r"rpn.conv.\1"),
        (r"^rpn\.head\.cls_logits\.(weight|bias)$", r"rpn.cls.\1"),
        (r"^rpn\.head\.bbox_pred\.(weight|bias)$", r"rpn.reg.\1"),
        (r"^roi_heads\.box\.feature_extractor\.(fc[67])\.(weight|bias)$", r"box_head.\1.\2"),
        (r"^roi_heads\.box\.predictor\.cls_score\.(weight|bias)$", r"box_head.cls.\1"),
        (r"^roi_heads\.box\.predictor\.bbox_pred\.(weight|bias)$", r"box_head.reg.\1"),
        *(
            (rf"^roi_heads\.mask\.feature_extractor\.mask_fcn{i}\.(weight|bias)$", rf"mask_head.convs.{i - 1}.\1")
            for i in range(1, 5)
        ),
        (r"^roi_heads\.mask\.predictor\.conv5_mask\.(weight|bias)$", r"mask_head.upsample.\1"),
        (r"^roi_heads\.mask\.predictor\.mask_fcn_logits\.(weight|bias)$", r"mask_head.predict.\1"),
    ),
    drops=((r"^rpn\.anchor_generator\.", "anchors, which are computed here"),),
    task=always("detection"),
    conventions=_CONVENTIONS,
    adapt=_frozen_normalisation,
    detector="mrb",
)

TORCHVISION_DETECTION = Family(
    "torchvision",
    "torchvision's Faster or Mask R-CNN",
    lambda s: has(s, "backbone.body.", "backbone.fpn.", "roi_heads."),
    (
        (r"^backbone\.body\.(.+)$", r"body.\1"),
        # torchvision named these without the inner index until version 0.14.
        (r"^backbone\.fpn\.inner_blocks\.(\d+)\.(?:0\.)?(weight|bias)$", r"representation.laterals.\1.\2"),
        (r"^backbone\.fpn\.layer_blocks\.(\d+)\.(?:0\.)?(weight|bias)$", r"representation.smooth.\1.\2"),
        (r"^rpn\.head\.conv\.(?:0\.0\.)?(weight|bias)$", r"rpn.conv.\1"),
        (r"^rpn\.head\.cls_logits\.(weight|bias)$", r"rpn.cls.\1"),
        (r"^rpn\.head\.bbox_pred\.(weight|bias)$", r"rpn.reg.\1"),
        (r"^roi_heads\.box_head\.(fc[67])\.(weight|bias)$", r"box_head.\1.\2"),
        (r"^roi_heads\.box_predictor\.cls_score\.(weight|bias)$", r"box_head.cls.\1"),
        (r"^roi_heads\.box_predictor\.bbox_pred\.(weight|bias)$", r"box_head.reg.\1"),
        (r"^roi_heads\.mask_head\.(\d)\.0\.(weight|bias)$", r"mask_head.convs.\1.\2"),
        (r"^roi_heads\.mask_predictor\.conv5_mask\.(weight|bias)$", r"mask_head.upsample.\1"),
        (r"^roi_heads\.mask_predictor\.mask_fcn_logits\.(weight|bias)$", r"mask_head.predict.\1"),
    ),
    task=always("detection"),
    detector="torchvision",
)
