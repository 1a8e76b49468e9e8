"""What can move a detection score, as a frozen dataclass.

What weights imply (anchors, box ends, proposals kept) belongs to the detector: :mod:`tasks.detection.boxes.conventions`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.baselines import traits_of
from tasks.detection.network.names import split_name


@dataclass(frozen=True)
class DetectionProtocol:
    """COCO detection. Defaults are the HRNet detection code's (docs/protocols.md 11).

    Attributes:
        short_px, long_px: keep-ratio resize until the short side is short_px or the long side long_px.
        resize: "opencv" (8 bit, bilinear, sides rounded), "interpolate" (after normalising, sides rounded down; torchvision), or
            "pil" (8 bit, bilinear over the area that shrinks, sides rounded down; maskrcnn-benchmark).
        rescale: boxes go back by the one "scale" factor, or by the ratio of the "sides", which rounding makes differ.
        pad_multiple: the input is padded with zeros, to the right and below, to multiples of this.
        colour: order of the input's channels, each with its own of ImageNet's means and deviations; "bgr_caffe" is B, G, R in
            0 .. 255 less 102.9801, 115.9465, 122.7717, not divided (HRNet-FCOS).
        score_threshold, nms_iou, max_detections: what remains of a picture's detections.
        mask_threshold: probability from which a pixel belongs to a mask.
        degenerate_boxes: annotations outside their picture or of no area: an "error", or "skip".
    """

    short_px: int = 800
    long_px: int = 1333
    resize: Literal["opencv", "interpolate", "pil"] = "opencv"
    rescale: Literal["scale", "sides"] = "scale"
    pad_multiple: int = 32
    colour: Literal["rgb", "bgr", "bgr_caffe"] = "rgb"
    score_threshold: float = 0.05
    nms_iou: float = 0.5
    max_detections: int = 100
    mask_threshold: float = 0.5
    degenerate_boxes: Literal["error", "skip"] = "error"

    @property
    def bgr(self) -> bool:
        """Whether the input's first channel is blue."""
        return self.colour != "rgb"

    @property
    def channel_order(self) -> str:
        """In which order pictures are read: "rgb" or "bgr"."""
        return "bgr" if self.bgr else "rgb"

    @property
    def input_wh(self) -> tuple[int, int]:
        """Width and height in px at which a network's cost is counted: a picture that fills the frame, padded."""
        multiple = self.pad_multiple
        return -(-self.long_px // multiple) * multiple, -(-self.short_px // multiple) * multiple


def detection_protocol(family: str | None = None, tier: str = "full", model: str = "") -> DetectionProtocol:
    """The protocol with what the checkpoint's family and the detector imply.

    torchvision resizes in floating point, mmdet 2.x and later scale boxes back by the sides. FCOS reads BGR: of mmdet with
    ImageNet's statistics and a suppression at 0.5, of HRNet-FCOS (and where nothing is said) in 0 .. 255 and at 0.6. Hybrid task
    cascade keeps scores from 0.001 on. The small tiers, and micro models at any tier, read 192x144: their anchors fit that.

    Args:
        model: of :func:`tasks.detection.network.names.named`.
    """
    body, detector = split_name(model)
    if tier != "full" or (body and traits_of(body).micro):
        made = DetectionProtocol(short_px=EMBEDDED_SHORT_PX, long_px=EMBEDDED_LONG_PX)
    elif family is not None and family.startswith("torchvision"):
        made = DetectionProtocol(resize="interpolate", rescale="sides")
    elif family is not None and family.startswith("mmdet"):
        made = DetectionProtocol(rescale="sides", colour="bgr" if detector == "fcos" else "rgb")
    elif family == "mrb":
        made = DetectionProtocol(resize="pil", rescale="sides")
    elif detector == "fcos":
        made = DetectionProtocol(resize="pil", rescale="sides", colour="bgr_caffe", nms_iou=0.6)
    else:
        made = DetectionProtocol()
    return replace(made, score_threshold=0.001) if detector == "htc" else made


EMBEDDED_SHORT_PX, EMBEDDED_LONG_PX = 144, 192


def header(protocol: DetectionProtocol) -> str:
    """What moves the score, short enough for a table's header."""
    return (
        f"{protocol.long_px}x{protocol.short_px} keep-ratio, score > {protocol.score_threshold:g}, "
        f"NMS {protocol.nms_iou:g}, top {protocol.max_detections}"
    )
