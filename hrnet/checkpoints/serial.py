"""Serial networks of torchvision and timm: ImageNet ResNets, DeepLabV3 and FCN."""

from __future__ import annotations

from hrnet.checkpoints.family import RESNET_BODY, Family, always, has

RESNET = Family(
    "resnet",
    "an ImageNet ResNet (torchvision's names)",
    lambda s: has(s, "conv1.", "layer4.") and not has(s, "stage4.") and not has(s, "deconv_layers."),
    ((RESNET_BODY, r"body.\1"),),
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
