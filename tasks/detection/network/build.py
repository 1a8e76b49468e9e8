"""A detector by name: body, pyramid and heads, with the sizes that the micro models use."""

from __future__ import annotations

from typing import Any

from benchmarks.baselines import traits_of
from tasks.detection.boxes.conventions import DEFAULT, preset
from tasks.detection.boxes.point_conventions import POINT_DEFAULT, point_preset
from tasks.detection.losses import Sampling
from tasks.detection.network.base import DetectionModel
from tasks.detection.network.names import DETECTORS, check_detector, detector_of
from tasks.model import build_parts
from tasks.options import nearest

PYRAMIDS = ("V2p", "V1p", "V1hp", "FPN")
SIZES = {
    "pyramid_width": 256,
    "anchor_scale": 8.0,
    "roi_size": 7,
    "fc_width": 1024,
    "mask_width": 256,
    "mask_convs": 4,
    "sampled_anchors": 256,
    "sampled_rois": 512,
}
"""Of two-stage detectors, as published."""
MICRO: dict[str, Any] = {
    "pyramid_width": 32,
    "anchor_scale": 5.0,
    "roi_size": 5,
    "fc_width": 128,
    "mask_width": 32,
    "mask_convs": 2,
    "sampled_anchors": 128,
    "sampled_rois": 64,
}
"""Of models with "micro" in their name: heads that a CPU trains in minutes, anchors for pictures of 256 pixels."""
MICRO_PROPOSALS = {"proposals_per_level": (200, 200), "proposals": (200, 200)}
POINT_SIZES = {"pyramid_width": 256, "tower_width": 256, "tower_convs": 4, "range_scale": 8.0}
"""Of FCOS, as published."""
MICRO_POINT: dict[str, Any] = {"pyramid_width": 32, "tower_width": 32, "tower_convs": 2, "range_scale": 6.0}
CHOICES = ("num_classes", "detector", "head", "masks", "conventions", "mask_stages", "semantic", "levels")


def build_detector(model: str, dataset: str, representation: str, num_outputs: int, **changes: Any) -> DetectionModel:
    """A detector over a body and a pyramid.

    Args:
        changes: ``detector``, one of :data:`DETECTORS` (or ``head``, or ``masks`` for Mask R-CNN); ``num_classes``;
            ``conventions`` (a preset's name); sizes (:data:`SIZES`, :data:`POINT_SIZES`); ``levels`` 5 or 6 of FCOS;
            ``semantic`` and ``mask_stages`` of hybrid task cascade; everything else goes to the body.

    Raises:
        ValueError: an unknown option or name; the nearest is given.
    """
    if representation not in PYRAMIDS:
        raise ValueError(
            f"Expected a pyramid for detection, got representation {representation!r}. {nearest(representation, PYRAMIDS)}"
        )
    detector = detector_of(changes)
    for key in ("detector", "head", "masks"):
        changes.pop(key, None)
    check_detector(detector)
    names: dict[str, Any] = {
        "dataset": dataset,
        "name": model,
        "representation_name": representation,
        "num_outputs": int(changes.pop("num_classes", num_outputs)),
    }
    make = _fcos if detector == "fcos" else _two_stage
    return make(model, representation, detector, names, changes)


def _two_stage(
    model: str, representation: str, detector: str, names: dict[str, Any], changes: dict[str, Any]
) -> DetectionModel:
    from tasks.detection.network.cascade import CascadeDetector
    from tasks.detection.network.htc import HybridTaskCascade
    from tasks.detection.network.model import Detector

    micro = traits_of(model).micro
    sizes = _sizes(SIZES, MICRO if micro else {}, changes)
    conventions = preset(changes.pop("conventions", DEFAULT), detector)
    if micro:
        conventions = conventions.change(**MICRO_PROPOSALS)
    stated: dict[str, Any] = {}
    if "mask_stages" in changes:
        stated["mask_stages"] = _one_of("mask_stages", changes.pop("mask_stages"), "mean", "last")
    semantic = _is_true(changes.pop("semantic", True)) if detector == "htc" else False
    sampling = Sampling(int(sizes.pop("sampled_anchors")), int(sizes.pop("sampled_rois")))
    body, pyramid = _parts(model, representation, changes, {"width": sizes.pop("pyramid_width")})
    options: dict[str, Any] = {"conventions": conventions, "stated": stated, "sampling": sampling, "detector": detector}
    options |= names | sizes
    if detector == "htc":
        return HybridTaskCascade(body, pyramid, semantic=semantic, **options)
    kind = CascadeDetector if detector.startswith("cascade") else Detector
    return kind(body, pyramid, masks=DETECTORS[detector].masks, **options)


def _fcos(
    model: str, representation: str, detector: str, names: dict[str, Any], changes: dict[str, Any]
) -> DetectionModel:
    from tasks.detection.network.fcos import FCOS

    sizes = _sizes(POINT_SIZES, MICRO_POINT if traits_of(model).micro else {}, changes)
    levels = int(_one_of("levels", str(changes.pop("levels", 5)), "5", "6"))
    conventions = point_preset(changes.pop("conventions", POINT_DEFAULT))
    pyramid_options: dict[str, Any] = {"width": sizes.pop("pyramid_width"), "levels": levels}
    pyramid_options["step"] = 2 if levels == 5 else 1
    if representation == "FPN":
        pyramid_options["extra"] = "conv"
    body, pyramid = _parts(model, representation, changes, pyramid_options)
    micro = traits_of(model).micro
    return FCOS(body, pyramid, conventions=conventions, start_at_strides=micro, **names, **sizes)


def _sizes(published: dict[str, Any], micro: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Sizes, with those that ``changes`` states taken out of it; text becomes the number that it says."""
    sizes = {**published, **micro}
    for key in published:
        if key in changes:
            sizes[key] = type(published[key])(changes.pop(key))
    return sizes


def _parts(model: str, representation: str, changes: dict[str, Any], options: dict[str, Any]) -> tuple[Any, Any]:
    try:
        return build_parts(
            model,
            representation,
            body_options=changes,
            bn_momentum=changes.get("bn_momentum", 0.1),
            align_corners=bool(changes.get("align_corners", False)),
            representation_options=options,
        )
    except TypeError as error:
        known = (*SIZES, *POINT_SIZES, *CHOICES)
        raise ValueError(f"{error}. {nearest(next(iter(changes), ''), known)}") from None


def _one_of(name: str, value: Any, *known: str) -> str:
    if str(value) not in known:
        raise ValueError(f"Expected {name} to be one of {', '.join(known)}, got {value!r}.")
    return str(value)


def _is_true(value: Any) -> bool:
    return value.lower() in ("true", "1", "yes", "on") if isinstance(value, str) else bool(value)
