"""Detectors: the HRNet detection release (an mmdet 0.x fork), mmdet 2.x and 3.x, torchvision. Rows keep the family's order."""

from __future__ import annotations

from hrnet.checkpoints.family import Family, always, has, implies

_BODY = (r"^backbone\.(.+)$", r"body.\1")
_RPN = (
    (r"^rpn_head\.rpn_conv\.(weight|bias)$", r"rpn.conv.\1"),
    (r"^rpn_head\.rpn_cls\.(weight|bias)$", r"rpn.cls.\1"),
    (r"^rpn_head\.rpn_reg\.(weight|bias)$", r"rpn.reg.\1"),
)


def _box_head(prefix: str) -> tuple[tuple[str, str], ...]:
    return (
        (rf"^{prefix}\.shared_fcs\.0\.(weight|bias)$", r"box_head.fc6.\1"),
        (rf"^{prefix}\.shared_fcs\.1\.(weight|bias)$", r"box_head.fc7.\1"),
        (rf"^{prefix}\.fc_cls\.(weight|bias)$", r"box_head.cls.\1"),
        (rf"^{prefix}\.fc_reg\.(weight|bias)$", r"box_head.reg.\1"),
    )


def _mask_head(prefix: str) -> tuple[tuple[str, str], ...]:
    return (
        (rf"^{prefix}\.convs\.(\d+)\.conv\.(weight|bias)$", r"mask_head.convs.\1.\2"),
        (rf"^{prefix}\.upsample\.(weight|bias)$", r"mask_head.upsample.\1"),
        (rf"^{prefix}\.conv_logits\.(weight|bias)$", r"mask_head.predict.\1"),
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
    (_BODY, *_NECK, *_RPN, *_box_head("bbox_head"), *_mask_head("mask_head")),
    task=always("detection"),
    conventions=_CONVENTIONS,
    detector="hrnet_detection",
)

MMDET = Family(
    "mmdet",
    "mmdet 2.x or 3.x",
    lambda s: has(s, "backbone.", "neck.", "rpn_head.", "roi_head."),
    (_BODY, *_NECK, *_RPN, *_box_head(r"roi_head\.bbox_head"), *_mask_head(r"roi_head\.mask_head")),
    drops=((r"^data_preprocessor\.", "normalisation constants, which are the protocol's"),),
    task=always("detection"),
    conventions=_CONVENTIONS,
    detector="mmdet",
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
