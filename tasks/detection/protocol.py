"""What can move a detection score, as a frozen dataclass. Torch-free.

What weights imply (anchors, box ends, proposals kept) belongs to the detector: :mod:`tasks.detection.network.conventions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.baselines import traits_of


@dataclass(frozen=True)
class DetectionProtocol:
    """COCO detection. Defaults are the HRNet detection code's (docs/protocols.md 11).

    Attributes:
        short_px, long_px: keep-ratio resize until the short side is short_px or the long side long_px.
        resize: "opencv" (8 bit, bilinear, sides rounded) or "interpolate" (after normalising, sides rounded down; torchvision).
        rescale: boxes go back by the one "scale" factor, or by the ratio of the "sides", which rounding makes differ.
        pad_multiple: the input is padded with zeros, to the right and below, to multiples of this.
        colour: order of the input's channels. Mean and deviation are ImageNet's.
        score_threshold, nms_iou, max_detections: what remains of a picture's detections.
        mask_threshold: probability from which a pixel belongs to a mask.
        degenerate_boxes: annotations outside their picture or of no area: an "error", or "skip".
    """

    short_px: int = 800
    long_px: int = 1333
    resize: Literal["opencv", "interpolate"] = "opencv"
    rescale: Literal["scale", "sides"] = "scale"
    pad_multiple: int = 32
    colour: Literal["rgb", "bgr"] = "rgb"
    score_threshold: float = 0.05
    nms_iou: float = 0.5
    max_detections: int = 100
    mask_threshold: float = 0.5
    degenerate_boxes: Literal["error", "skip"] = "error"

    @property
    def input_wh(self) -> tuple[int, int]:
        """Width and height in px at which a network's cost is counted: a picture that fills the frame, padded."""
        multiple = self.pad_multiple
        return -(-self.long_px // multiple) * multiple, -(-self.short_px // multiple) * multiple


def detection_protocol(family: str | None = None, tier: str = "full", model: str = "") -> DetectionProtocol:
    """The protocol with what the checkpoint's family implies: torchvision resizes in floating point, mmdet 2.x and later
    scale boxes back by the sides. The small tiers, and micro models at any tier, read 192x144: their anchors fit that."""
    if tier != "full" or (model and traits_of(model).micro):
        return DetectionProtocol(short_px=EMBEDDED_SHORT_PX, long_px=EMBEDDED_LONG_PX)
    if family is not None and family.startswith("torchvision"):
        return DetectionProtocol(resize="interpolate", rescale="sides")
    if family is not None and family.startswith("mmdet"):
        return DetectionProtocol(rescale="sides")
    return DetectionProtocol()


EMBEDDED_SHORT_PX, EMBEDDED_LONG_PX = 144, 192


def header(protocol: DetectionProtocol) -> str:
    """What moves the score, short enough for a table's header."""
    return (
        f"{protocol.long_px}x{protocol.short_px} keep-ratio, score > {protocol.score_threshold:g}, "
        f"NMS {protocol.nms_iou:g}, top {protocol.max_detections}"
    )
