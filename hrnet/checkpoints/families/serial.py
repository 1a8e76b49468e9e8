"""Serial networks: ImageNet ResNets, torchvision's DeepLabV3 and FCN, mmseg's PSPNet, DeepLabV3 and DeepLabV3+."""

from __future__ import annotations

from hrnet.checkpoints.family import OPENMMLAB_BODY, OPENMMLAB_DROPS, RESNET_BODY, Family, always, has

RESNET = Family(
    "resnet",
    "an ImageNet ResNet (torchvision's names)",
    lambda s: (
        has(s, "layer4.")
        and (has(s, "conv1.") or has(s, "stem.0."))
        and not has(s, "stage4.")
        and not has(s, "deconv_layers.")
    ),
    ((RESNET_BODY, r"body.\1"), (r"^(stem\..+)$", r"body.\1")),
    drops=((r"^fc\.", "the ImageNet head of an initialisation"),),
    body_only=True,
)

TORCHVISION_SEGMENTATION = Family(
    "torchvision_segmentation",
    "torchvision's DeepLabV3 or FCN",
    lambda s: has(s, "backbone.layer4.", "classifier.") and not has(s, "backbone.body."),
    (
        (r"^backbone\.(.+)$", r"body.resnet.\1"),
        (r"^classifier\.(.+)$", r"head.main.\1"),
        (r"^aux_classifier\.(.+)$", r"head.aux.\1"),
    ),
    task=always("segmentation"),
)


def _unit(theirs: str, ours: str) -> tuple[str, str]:
    """A convolution with its normalisation."""
    return (rf"^{theirs}\.(conv|bn)\.(.+)$", rf"{ours}.\1.\2")


_COMMON = (
    OPENMMLAB_BODY,
    _unit(r"decode_head\.bottleneck", "head.main.bottleneck"),
    (r"^decode_head\.conv_seg\.(weight|bias)$", r"head.main.predict.\1"),
    _unit(r"auxiliary_head\.convs\.0", "head.aux.mix"),
    (r"^auxiliary_head\.conv_seg\.(weight|bias)$", r"head.aux.predict.\1"),
)

MMSEG_PSPNET = Family(
    "mmseg_pspnet",
    "mmseg's PSPNet",
    lambda s: has(s, "backbone.stem.", "decode_head.psp_modules."),
    (*_COMMON, (r"^decode_head\.psp_modules\.(\d)\.1\.(conv|bn)\.(.+)$", r"head.main.pooled.\1.\2.\3")),
    drops=OPENMMLAB_DROPS,
    task=always("segmentation"),
)

MMSEG_DEEPLAB = Family(
    "mmseg_deeplabv3",
    "mmseg's DeepLabV3",
    lambda s: has(s, "backbone.stem.", "decode_head.aspp_modules.") and not has(s, "decode_head.c1_bottleneck."),
    (
        *_COMMON,
        _unit(r"decode_head\.image_pool\.1", "head.main.image_pool"),
        (r"^decode_head\.aspp_modules\.(\d)\.(conv|bn)\.(.+)$", r"head.main.aspp.\1.\2.\3"),
    ),
    drops=OPENMMLAB_DROPS,
    task=always("segmentation"),
)

MMSEG_DEEPLAB_PLUS = Family(
    "mmseg_deeplabv3plus",
    "mmseg's DeepLabV3+",
    lambda s: has(s, "backbone.stem.", "decode_head.aspp_modules.", "decode_head.c1_bottleneck."),
    (
        *_COMMON,
        _unit(r"decode_head\.image_pool\.1", "head.main.image_pool"),
        _unit(r"decode_head\.c1_bottleneck", "head.main.low"),
        (r"^decode_head\.aspp_modules\.0\.(conv|bn)\.(.+)$", r"head.main.aspp.0.\1.\2"),
        *(
            (rf"^decode_head\.{theirs}\.(\d)\.{part}_conv\.(conv|bn)\.(.+)$", rf"head.main.{ours}.\1.{part}.\2.\3")
            for theirs, ours in (("aspp_modules", "aspp"), ("sep_bottleneck", "refine"))
            for part in ("depthwise", "pointwise")
        ),
    ),
    drops=OPENMMLAB_DROPS,
    task=always("segmentation"),
)
