"""What can move a pose score, as frozen dataclasses. Torch-free.

Defaults are HRNet's (leoxiaobin/deep-high-resolution-net.pytorch); `coco_protocol` and `mpii_protocol` set what the family of a
checkpoint does otherwise. Source: docs/protocols.md, sections 3 to 5 and traps T4, T20, T22, T23.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.baselines import traits_of
from hrnet.traits import Traits
from tasks.images import IMAGENET_MEAN, IMAGENET_STD

NORMALISERS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    # Always in this order, whatever the colour order: models that see BGR were trained with RGB statistics (T20).
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    # pytorch-pose subtracts the mean of MPII and never divides.
    "mpii_mean": ((0.4404, 0.4440, 0.4327), (1.0, 1.0, 1.0)),
}
MULTI_SCALE = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)


@dataclass(frozen=True)
class PoseProtocol:
    """What COCO and MPII share.

    Attributes:
        input_wh: width and height of the network's input.
        flip: average with the mirrored picture's heat maps. shift: move those right by one cell first.
        flip_merge: "mean", or "sum" (pytorch-pose; scores double, positions stay).
        scales: factors on the box, their heat maps averaged in the box's own frame; MPII's test uses six.
        decoder: "quarter" (towards the higher neighbour), "argmax", "dark" (second-order expansion of the smoothed log), or
            "quarter_one_based" (pytorch-pose: quarter cell, plus half a cell, truncated to whole pixels).
        dark_blur: side of DARK's smoothing kernel, in cells.
        crop: "affine" (warpAffine around the padded box) or "corners" (pytorch-pose: whole-pixel corners, then resized).
        colour: order of the input's channels, as the checkpoint was trained. normaliser: a key of `NORMALISERS`.
    """

    input_wh: tuple[int, int] = (192, 256)
    flip: bool = True
    shift: bool = True
    flip_merge: Literal["mean", "sum"] = "mean"
    scales: tuple[float, ...] = (1.0,)
    decoder: Literal["quarter", "argmax", "dark", "quarter_one_based"] = "quarter"
    dark_blur: int = 11
    crop: Literal["affine", "corners"] = "affine"
    colour: Literal["rgb", "bgr"] = "rgb"
    normaliser: Literal["imagenet", "mpii_mean"] = "imagenet"


@dataclass(frozen=True)
class CocoProtocol(PoseProtocol):
    """COCO keypoints.

    Attributes:
        boxes: "gt" or "detector". boxes_file: the detector's boxes; empty means the official file's place.
        box_threshold: detector boxes below this score are left out.
        keypoint_threshold: a pose's score is its box's times the mean of its keypoint scores above this.
        nms: "oks", "soft_oks" or "none"; nms_threshold: poses more similar than this are suppressed.
    """

    boxes: Literal["gt", "detector"] = "gt"
    boxes_file: str = ""
    box_threshold: float = 0.0
    keypoint_threshold: float = 0.2
    nms: Literal["oks", "soft_oks", "none"] = "oks"
    nms_threshold: float = 0.9


@dataclass(frozen=True)
class MpiiProtocol(PoseProtocol):
    """MPII: boxes always come from the annotation's centre and scale. Both published ways of counting PCKh are reported."""

    input_wh: tuple[int, int] = (256, 256)
    boxes: Literal["gt"] = "gt"


def pose_protocol(dataset: str, model: str = "", family: str | None = None, tier: str = "full") -> PoseProtocol:
    """The protocol of a dataset, with what the model's or the checkpoint's family implies.

    SimpleBaseline of its authors (and of HRNet's repository) reads BGR; mmpose's reads RGB. pytorch-pose's hourglass has its own
    crop, normaliser and decoding, and no shift, on MPII (for COCO nothing is released). Cells of the small tiers are
    all trained here and share one protocol.
    """
    kind = {"coco": CocoProtocol, "mpii": MpiiProtocol}[dataset]
    traits = traits_of(model) if model else Traits()
    if tier != "full" or traits.micro:
        # At 24x32 cells a quarter cell is coarse: targets and decoding are DARK's, between cells.
        return kind(input_wh=(96, 128) if dataset == "coco" else (128, 128), decoder="dark", dark_blur=3)
    other_framework = family is not None and family.startswith("mm")
    if traits.origin == "simple_baseline" and not other_framework:
        return kind(colour="bgr")
    if traits.origin == "pytorch_pose" and dataset == "mpii" and not other_framework:
        return MpiiProtocol(
            shift=False,
            flip_merge="sum",
            decoder="quarter_one_based",
            crop="corners",
            normaliser="mpii_mean",
        )
    return kind()


def header(protocol: PoseProtocol) -> str:
    """What moves the score, short enough for a table's header.

    Colour order and normaliser are left out: they are the checkpoint's own input convention, not a way to score.
    """
    width, height = protocol.input_wh
    parts = [f"{getattr(protocol, 'boxes', 'gt')} boxes", f"{height}x{width}"]
    parts.append(("flip with shift" if protocol.shift else "flip") if protocol.flip else "no flip")
    if protocol.scales != (1.0,):
        parts.append("scales " + "/".join(f"{scale:g}" for scale in protocol.scales))
    parts.append(f"{protocol.decoder.replace('_', ' ')} decoding")
    if protocol.crop != "affine":
        parts.append(f"{protocol.crop} crop")
    if isinstance(protocol, CocoProtocol):
        parts.append(
            "no NMS"
            if protocol.nms == "none"
            else f"{protocol.nms.upper().replace('_', ' ')} NMS {protocol.nms_threshold:g}"
        )
    return ", ".join(parts)
