"""The reference repositories: pose, its ImageNet initialisations, SimpleBaseline, hourglass, classification, segmentation, faces.

Key names are those of docs/protocols.md, section 2; conventions those of its section 1.2.
"""

from __future__ import annotations

from torch import Tensor

from hrnet.checkpoints.family import (
    HRNET_BODY,
    RESNET_BODY,
    Family,
    State,
    always,
    batch_norm_scales,
    has,
    implies,
)

V2_PARTS = (("0", "representation.mix.conv"), ("1", "representation.mix.bn"), ("3", "head.predict"))


def _v2(name: str) -> tuple[tuple[str, str], ...]:
    """Rules for a V2 head that is a Sequential called ``name``."""
    return tuple((rf"^{name}\.{index}\.(.+)$", rf"{target}.\1") for index, target in V2_PARTS)


def _is_convolution(state: State, key: str) -> bool:
    return key in state and state[key].dim() == 4


def _untracked(state: State) -> bool:
    return not any(key.endswith("num_batches_tracked") for key in state)


def absolute_scales(state: dict[str, Tensor]) -> list[str]:
    """InPlaceABNSync scales by |gamma| + 1e-5 where batch normalisation scales by gamma (docs/protocols.md, T1)."""
    scales = batch_norm_scales(state)
    for key in scales:
        state[key] = state[key].abs() + 1e-5
    return [f"{len(scales)} scales w became |w| + 1e-5, as the synchronised in-place batch normalisation reads them"]


def _ocr_adapt(state: dict[str, Tensor]) -> list[str]:
    return absolute_scales(state) if _untracked(state) else []


SIMCC = (r"^mlp_head_([xy])\.(weight|bias)$", r"head.along_\1.\2")
"""The linear layers of SimCC, whose repository is HRNet's with these beside."""

POSE = Family(
    "pose",
    "the HRNet pose release",
    lambda s: has(s, "stage4.") and _is_convolution(s, "final_layer.weight"),
    ((HRNET_BODY, r"body.\1"), (r"^final_layer\.(weight|bias)$", r"head.predict.\1"), SIMCC),
    task=always("pose"),
    conventions=implies(upsample="nearest", bn_momentum=0.1),
)

POSE_IMAGENET = Family(
    "pose_imagenet",
    "the pose repository's ImageNet initialisations",
    lambda s: has(s, "stage4.") and "fc.weight" in s and s["fc.weight"].dim() == 2,
    ((HRNET_BODY, r"body.\1"),),
    drops=((r"^(head|fc)\.", "the ImageNet head of an initialisation"),),
    body_only=True,
)

SIMPLE_BASELINE = Family(
    "simple_baseline",
    "the SimpleBaseline release",
    lambda s: has(s, "deconv_layers.", "layer4."),
    (
        (RESNET_BODY, r"body.\1"),
        (r"^(deconv_layers\..+)$", r"body.\1"),
        (r"^final_layer\.(weight|bias)$", r"head.predict.\1"),
        SIMCC,
    ),
    task=always("pose"),
)

HOURGLASS = Family(
    "hourglass",
    "pytorch-pose's stacked hourglass",
    lambda s: has(s, "hg.0.hg.0."),
    ((r"^((?:conv1|bn1|layer[123]|hg|res|fc|fc_|score|score_)\..+)$", r"body.\1"),),
    task=always("pose"),
)

CLASSIFICATION = Family(
    "classification",
    "HRNet's ImageNet classification release, or timm under the same names",
    lambda s: has(s, "stage4.", "incre_modules.") and "classifier.weight" in s,
    (
        (HRNET_BODY, r"body.\1"),
        (r"^((?:incre_modules|downsamp_modules|final_layer)\..+)$", r"representation.\1"),
        (r"^classifier\.(weight|bias)$", r"head.classifier.\1"),
    ),
    task=always("classification"),
    conventions=implies(upsample="nearest", bn_momentum=0.1),
)

TIMM_FEATURES = Family(
    "timm",
    "timm's HRNet with features_only",
    lambda s: has(s, "stage4.", "incre_modules."),
    ((HRNET_BODY, r"body.\1"),),
    drops=(
        (r"^(incre_modules|downsamp_modules|final_layer|classifier)\.", "the widening blocks of a feature extractor"),
    ),
    conventions=implies(upsample="nearest", bn_momentum=0.1),
    body_only=True,
)

SEGMENTATION = Family(
    "segmentation",
    "the HRNet segmentation release (PyTorch 1.1 branch)",
    lambda s: has(s, "stage4.", "last_layer.") and not _untracked(s),
    ((HRNET_BODY, r"body.\1"), *_v2("last_layer")),
    task=always("segmentation"),
    conventions=implies(upsample="bilinear", align_corners=False, bn_momentum=0.01),
)

SEGMENTATION_MASTER = Family(
    "segmentation_master",
    "the HRNet segmentation release (PyTorch 0.4 branch)",
    lambda s: has(s, "stage4.", "last_layer.") and _untracked(s),
    SEGMENTATION.rules,
    task=always("segmentation"),
    conventions=SEGMENTATION.conventions,
    adapt=absolute_scales,
)

_CONTEXT = r"^ocr_distri_head\.object_context_block\."
_TWICE = (("0", "0.conv"), ("1.0", "0.bn"), ("2", "1.conv"), ("3.0", "1.bn"))
_ONCE = (("0", "conv"), ("1.0", "bn"))


def _attention_rules() -> tuple[tuple[str, str], ...]:
    rules = []
    for theirs, ours, parts in (
        ("f_pixel", "pixel", _TWICE),
        ("f_object", "object", _TWICE),
        ("f_down", "down", _ONCE),
        ("f_up", "up", _ONCE),
    ):
        for index, part in parts:
            pattern = index.replace(".", r"\.")
            tail = r"(weight|bias)" if part.endswith("conv") else r"([a-z_]+)"
            rules.append((rf"{_CONTEXT}{theirs}\.{pattern}\.{tail}$", rf"head.attention.{ours}.{part}.\1"))
    return tuple(rules)


SEGMENTATION_OCR = Family(
    "segmentation_ocr",
    "the HRNet-OCR release",
    lambda s: has(s, "stage4.", "ocr_distri_head."),
    (
        (HRNET_BODY, r"body.\1"),
        (r"^aux_head\.0\.(.+)$", r"head.aux.conv.\1"),
        (r"^aux_head\.1\.(.+)$", r"head.aux.bn.\1"),
        (r"^aux_head\.3\.(.+)$", r"head.aux.predict.\1"),
        (r"^conv3x3_ocr\.0\.(.+)$", r"head.ocr.conv.\1"),
        (r"^conv3x3_ocr\.1\.(?:0\.)?(.+)$", r"head.ocr.bn.\1"),
        *_attention_rules(),
        (r"^ocr_distri_head\.conv_bn_dropout\.0\.(.+)$", r"head.fuse.conv.\1"),
        (r"^ocr_distri_head\.conv_bn_dropout\.1\.0\.(.+)$", r"head.fuse.bn.\1"),
        (r"^cls_head\.(weight|bias)$", r"head.predict.\1"),
    ),
    task=always("segmentation"),
    conventions=implies(upsample="bilinear", align_corners=True, bn_momentum=0.1),
    adapt=_ocr_adapt,
)
"""align_corners is True because every OCR configuration leaves the branch's default (T2); the same branch's plain networks,
whose keys are ``last_layer.*``, state False and come under "segmentation". A file trained otherwise says so by building the
model with align_corners stated, which is then an error here: the user knows, the keys do not."""

FACE = Family(
    "face",
    "the HRNet facial landmark release",
    lambda s: has(s, "stage4.") and _is_convolution(s, "head.0.weight") and _is_convolution(s, "head.3.weight"),
    ((HRNET_BODY, r"body.\1"), *_v2("head")),
    task=always("landmarks"),
    conventions=implies(upsample="bilinear", align_corners=False, bn_momentum=0.01),
)

BODY = Family(
    "body",
    "a bare body",
    lambda s: has(s, "stage4.") and not has(s, "body."),
    ((HRNET_BODY, r"body.\1"),),
    body_only=True,
)
