"""What can move a pose score, as frozen dataclasses.

Defaults are HRNet's (leoxiaobin/deep-high-resolution-net.pytorch); `pose_protocol` sets what the family of a checkpoint does
otherwise. Source: docs/protocols.md, sections 3 to 5 and traps T4, T20, T22, T23.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.baselines import traits_of
from hrnet.traits import Traits
from tasks.images import IMAGENET_MEAN, IMAGENET_STD
from tasks.options import later

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
        decoder: "quarter" (towards the higher neighbour), "quarter_per_axis" (mmpose 1.x: each axis by itself at the border),
            "argmax", "dark" (second-order expansion of the smoothed log), "quarter_one_based" (pytorch-pose: quarter cell, plus
            half a cell, truncated to whole pixels), "udp" (a Newton step on the smoothed log), "udp_combined" (a disc and two
            offsets a joint), or one of :data:`tasks.heatmaps.simcc.KINDS` (classes of columns and rows).
        dark_blur: side of the smoothing kernel of "dark" and both "udp", in cells.
        crop: "affine" (warpAffine around the padded box), "affine_along_x" (the same, rounded as mmpose 1.x rounds it), "udp" (in
            units of pixel distances: size - 1), or "corners" (pytorch-pose: whole-pixel corners, then resized).
        colour: order of the input's channels, as the checkpoint was trained. normaliser: a key of `NORMALISERS`.
        target: what training draws: the recipe's `target_rule`, or UDP's Gaussian at the joint itself, its disc and offsets, or
            SimCC's classes or their Gaussians.
        simcc_split: classes a pixel of SimCC.
    """

    input_wh: tuple[int, int] = (192, 256)
    flip: bool = True
    shift: bool = True
    flip_merge: Literal["mean", "sum"] = "mean"
    scales: tuple[float, ...] = (1.0,)
    decoder: Literal[
        "quarter",
        "quarter_per_axis",
        "argmax",
        "dark",
        "quarter_one_based",
        "udp",
        "udp_combined",
        "simcc",
        "simcc_gaussian",
        "simcc_logits",
    ] = "quarter"
    dark_blur: int = 11
    crop: Literal["affine", "affine_along_x", "udp", "corners"] = "affine"
    colour: Literal["rgb", "bgr"] = "rgb"
    normaliser: Literal["imagenet", "mpii_mean"] = "imagenet"
    target: Literal["recipe", "udp", "udp_combined", "simcc", "simcc_gaussian"] = later("recipe")
    simcc_split: float = later(2.0)


@dataclass(frozen=True)
class CocoProtocol(PoseProtocol):
    """COCO keypoints.

    Attributes:
        boxes: "gt" or "detector". boxes_file: the detector's boxes; empty means the official file's place.
        box_threshold: detector boxes below this score are left out.
        keypoint_threshold: a pose's score is its box's times the mean of its keypoint scores above this.
        box_rule: how a box is read: "hrnet" (annotated ones lose a pixel and are clipped) or "mmpose" (clipped alone; another
            rounding of the padding).
        nms: "oks", "soft_oks" or "none"; nms_threshold: poses more similar than this are suppressed.
    """

    boxes: Literal["gt", "detector"] = "gt"
    boxes_file: str = ""
    box_threshold: float = 0.0
    keypoint_threshold: float = 0.2
    nms: Literal["oks", "soft_oks", "none"] = "oks"
    nms_threshold: float = 0.9
    box_rule: Literal["hrnet", "mmpose"] = later("hrnet")


@dataclass(frozen=True)
class MpiiProtocol(PoseProtocol):
    """MPII: boxes always come from the annotation's centre and scale. Both published ways of counting PCKh are reported."""

    input_wh: tuple[int, int] = (256, 256)
    boxes: Literal["gt"] = "gt"


CODINGS: dict[str, str] = {
    "_udp_regress": "udp_combined",
    "_udp": "udp",
    "_simcc_gaussian": "simcc_gaussian",
    "_simcc": "simcc",
}
"""What a model's name ends in -> its coding: that body with the protocol preset."""


def body_of(model: str) -> str:
    """The body of a pose model: the name without `CODINGS`' endings."""
    return next((model.removesuffix(suffix) for suffix in CODINGS if model.endswith(suffix)), model)


def coding_of(model: str, family: str | None = None) -> str:
    """How a network codes joints: "udp", "udp_combined", "simcc", "simcc_gaussian", or "" for plain heat maps.

    Its name says so, its body (ViTPose's released networks all use UDP, UDP-Pose's own HRNet the combined form), or the
    configuration in a checkpoint, which the checkpoint's family carries.
    """
    for name in (model, family or ""):
        for suffix, coding in CODINGS.items():
            if name.endswith(suffix):
                return coding
    origin = traits_of(body_of(model)).origin if model else ""
    return {"vitpose": "udp", "udp_pose": "udp_combined"}.get(origin, "")


@dataclass(frozen=True)
class Start:
    """What a dataset's protocols start from.

    Attributes:
        plain: as HRNet's repository evaluates. small_wh: input of the small tiers.
        pytorch_pose: of the networks of that repository, where they are released for this dataset.
    """

    plain: PoseProtocol
    small_wh: tuple[int, int]
    pytorch_pose: PoseProtocol | None = None


def pose_protocol(start: Start, model: str = "", family: str | None = None, tier: str = "full") -> PoseProtocol:
    """The protocol of a dataset, with what the model's or the checkpoint's family implies.

    UDP sets crop, target, decoding and flip (no shift) together, where `coding_of` finds it. mmpose's networks have its box and
    its quarter step, and read RGB. SimpleBaseline of its authors (and of HRNet's repository) reads BGR. pytorch-pose's
    hourglass has its own crop, normaliser and decoding, and no shift, where it is released. Cells of the small tiers are all
    trained here and share one protocol, but for UDP.
    """
    traits, coding = traits_of(body_of(model)) if model else Traits(), coding_of(model, family)
    small = tier != "full" or traits.micro
    made = _plain_protocol(start, traits, family, small)
    if (traits.origin in ("mmpose", "vitpose") or (family or "").startswith("mm")) and not small:
        made = replace(made, crop="affine_along_x", decoder="quarter_per_axis")
        made = replace(made, box_rule="mmpose") if isinstance(made, CocoProtocol) else made
    if coding.startswith("simcc"):
        made = _simcc_protocol(made, coding, family, small)
    elif coding == "udp":
        made = replace(made, crop="udp", target="udp", decoder="udp", shift=False)
    elif coding:
        made = replace(made, crop="udp", target="udp_combined", decoder="udp_combined", shift=False)
    return made


def _simcc_protocol(plain: PoseProtocol, coding: str, family: str | None, small: bool) -> PoseProtocol:
    """SimCC's targets and decoding: its authors', whose poses count joints from 0.01 on, or mmpose's, whose flip has no shift."""
    if (family or "").startswith("mm"):
        return replace(plain, target="simcc_gaussian", decoder="simcc_logits", shift=False)
    made = replace(plain, target=coding, decoder=coding)  # type: ignore[arg-type]
    return made if small or not isinstance(made, CocoProtocol) else replace(made, keypoint_threshold=0.01)


def _plain_protocol(start: Start, traits: Traits, family: str | None, small: bool) -> PoseProtocol:
    """The protocol of plain heat maps in the frameworks of HRNet, SimpleBaseline and pytorch-pose."""
    if small:
        # At 24x32 cells a quarter cell is coarse: targets and decoding are DARK's, between cells.
        return replace(start.plain, input_wh=start.small_wh, decoder="dark", dark_blur=3)
    if family is not None and family.startswith("mm"):
        return start.plain
    if traits.origin == "simple_baseline":
        return replace(start.plain, colour="bgr")
    if traits.origin == "pytorch_pose" and start.pytorch_pose is not None:
        return start.pytorch_pose
    return start.plain


def check_protocol(protocol: PoseProtocol) -> None:
    """Raises ValueError for sizes or combinations that cannot be carried out."""
    width, height = protocol.input_wh
    if width < 32 or height < 32 or width % 4 or height % 4:
        raise ValueError(
            f"Expected an input of at least 32x32 with sides divisible by 4 but got input_wh={width},{height}"
        )
    if not protocol.scales or min(protocol.scales) <= 0:
        raise ValueError(f"Expected positive scales but got {protocol.scales}; for example scales=0.8,1.0,1.2")
    if (protocol.crop == "corners") != (protocol.decoder == "quarter_one_based"):
        raise ValueError(
            f"Expected crop=corners together with decoder=quarter_one_based but got crop={protocol.crop} and "
            f"decoder={protocol.decoder}; the two undo each other's rounding"
        )
    if protocol.decoder.startswith("simcc") != protocol.target.startswith("simcc"):
        raise ValueError(
            f"Expected decoder and target both of SimCC but got decoder={protocol.decoder} and target={protocol.target}"
        )
    if protocol.decoder.startswith("simcc") and protocol.scales != (1.0,):
        raise ValueError(f"Expected one scale for decoder={protocol.decoder} but got {protocol.scales}")
    udp = ("udp", "udp_combined")
    if (protocol.crop == "udp") != (protocol.decoder in udp) or (protocol.target == "udp_combined") != (
        protocol.decoder == "udp_combined"
    ):
        raise ValueError(
            f"Expected crop=udp together with decoder=udp and target=udp (or both udp_combined) but got crop={protocol.crop}, "
            f"decoder={protocol.decoder} and target={protocol.target}; they count pixels alike"
        )
    if protocol.crop == "udp" and (protocol.scales != (1.0,) or protocol.shift):
        raise ValueError(
            f"Expected one scale and shift=false for crop=udp but got {protocol.scales} and shift={protocol.shift}; its mirror "
            "image needs no shift"
        )
    if protocol.crop == "corners" and (width != height or protocol.scales != (1.0,)):
        raise ValueError(
            f"Expected a square input and one scale for crop=corners but got {protocol.input_wh}, {protocol.scales}"
        )


def header(protocol: PoseProtocol) -> str:
    """What moves the score, short enough for a table's header.

    Colour order and normaliser are left out: they are the checkpoint's own input convention, not a way to score.
    """
    width, height = protocol.input_wh
    boxes = f"{getattr(protocol, 'boxes', 'gt')} boxes"
    if isinstance(protocol, CocoProtocol) and protocol.boxes == "gt" and protocol.box_rule != "hrnet":
        boxes += f" as {protocol.box_rule} reads them"
    parts = [boxes, f"{height}x{width}"]
    parts.append(("flip with shift" if protocol.shift else "flip") if protocol.flip else "no flip")
    if protocol.scales != (1.0,):
        parts.append("scales " + "/".join(f"{scale:g}" for scale in protocol.scales))
    parts.append(f"{protocol.decoder.replace('_', ' ')} decoding")
    if protocol.crop not in ("affine", "affine_along_x"):
        parts.append(f"{protocol.crop} crop")
    if isinstance(protocol, CocoProtocol):
        parts.append(
            "no NMS"
            if protocol.nms == "none"
            else f"{protocol.nms.upper().replace('_', ' ')} NMS {protocol.nms_threshold:g}"
        )
    return ", ".join(parts)
