"""The detectors by name, and what a network's options say about which it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.options import nearest


@dataclass(frozen=True)
class DetectorInfo:
    """A detector's title, whether it answers masks, and the schedule of its published figures."""

    title: str
    masks: bool = False
    schedule: str = "1x"


DETECTORS: dict[str, DetectorInfo] = {
    "faster_rcnn": DetectorInfo("Faster R-CNN"),
    "mask_rcnn": DetectorInfo("Mask R-CNN", masks=True),
    "cascade_rcnn": DetectorInfo("Cascade R-CNN", schedule="20e"),
    "cascade_mask_rcnn": DetectorInfo("Cascade Mask R-CNN", masks=True, schedule="20e"),
    "htc": DetectorInfo("Hybrid task cascade", masks=True, schedule="20e"),
    "fcos": DetectorInfo("FCOS", schedule="2x"),
}
SEPARATOR = "+"


def check_detector(name: str) -> None:
    """Raises ValueError naming the nearest detector."""
    if name not in DETECTORS:
        raise ValueError(f"Unknown detector (or detection head) {name!r}. {nearest(name, DETECTORS)}")


def detector_of(options: Mapping[str, Any]) -> str:
    """Which detector a network's options ask for: ``detector``, or ``head``; ``masks`` makes Faster R-CNN a Mask R-CNN."""
    name = str(options.get("detector") or options.get("head") or "faster_rcnn")
    asked = options.get("masks", False)
    masks = asked.lower() in ("true", "1", "yes", "on") if isinstance(asked, str) else bool(asked)
    with_masks = {"faster_rcnn": "mask_rcnn", "cascade_rcnn": "cascade_mask_rcnn"}
    return with_masks.get(name, name) if masks else name


def named(model: str, options: Mapping[str, Any]) -> str:
    """``model``, and after a "+" the detector and its levels where it is none of the R-CNNs with one stage."""
    detector = detector_of(options)
    if detector in ("faster_rcnn", "mask_rcnn"):
        return model
    return f"{model}{SEPARATOR}{detector}"


def split_name(name: str) -> tuple[str, str]:
    """The inverse of :func:`named`: body and detector."""
    model, _, detector = name.partition(SEPARATOR)
    return model, detector or "faster_rcnn"
