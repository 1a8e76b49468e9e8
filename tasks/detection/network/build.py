"""A detector by name: body, pyramid and heads, with the sizes that the micro models use."""

from __future__ import annotations

from typing import Any

from benchmarks.baselines import traits_of
from tasks.detection.losses import Sampling
from tasks.detection.network.conventions import DEFAULT, preset
from tasks.detection.network.model import Detector
from tasks.model import build_parts
from tasks.options import nearest

PYRAMIDS = ("V2p", "V1p", "V1hp", "FPN")
OPTIONS = ("num_classes", "masks", "conventions", "pyramid_width", "anchor_scale", "roi_size", "fc_width", "mask_width")
MASK_OPTIONS = ("mask_convs",)
SAMPLING = ("sampled_anchors", "sampled_rois")
PUBLISHED: dict[str, Any] = {
    "pyramid_width": 256,
    "anchor_scale": 8.0,
    "roi_size": 7,
    "fc_width": 1024,
    "mask_width": 256,
}
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


def build_detector(model: str, dataset: str, representation: str, num_outputs: int, **changes: Any) -> Detector:
    """Faster R-CNN, or with ``masks`` Mask R-CNN.

    Args:
        changes: ``num_classes``; ``head`` "faster_rcnn" or "mask_rcnn" (or ``masks``); ``conventions`` (a preset's name), sizes
            (:data:`PUBLISHED`), ``sampled_anchors`` and ``sampled_rois`` per picture; everything else goes to the body.

    Raises:
        ValueError: an unknown option or name; the nearest is given.
    """
    if representation not in PYRAMIDS:
        raise ValueError(
            f"Expected a pyramid for detection, got representation {representation!r}. {nearest(representation, PYRAMIDS)}"
        )
    micro = traits_of(model).micro
    sizes = {**PUBLISHED, **(MICRO if micro else {})}
    masks = _masks(changes)
    conventions = preset(changes.pop("conventions", DEFAULT))
    if micro:
        conventions = conventions.change(**MICRO_PROPOSALS)
    num_classes = int(changes.pop("num_classes", num_outputs))
    for key in (*OPTIONS, *MASK_OPTIONS, *SAMPLING):
        if key in changes:
            sizes[key] = changes.pop(key)
    sampling = Sampling(sizes.pop("sampled_anchors", 256), sizes.pop("sampled_rois", 512))
    momentum = changes.get("bn_momentum", 0.1)
    try:
        body, pyramid = build_parts(
            model,
            representation,
            body_options=changes,
            bn_momentum=momentum,
            align_corners=bool(changes.get("align_corners", False)),
            representation_options={"width": sizes.pop("pyramid_width")},
        )
    except TypeError as error:
        known = (*OPTIONS, *MASK_OPTIONS, *SAMPLING, "head")
        raise ValueError(f"{error}. {nearest(next(iter(changes), ''), known)}") from None
    return Detector(
        body,
        pyramid,
        dataset=dataset,
        name=model,
        representation_name=representation,
        num_outputs=num_classes,
        conventions=conventions,
        masks=masks,
        sampling=sampling,
        **sizes,
    )


def _masks(changes: dict[str, Any]) -> bool:
    heads = {"faster_rcnn": False, "mask_rcnn": True}
    head = changes.pop("head", None)
    if head is not None and head not in heads:
        raise ValueError(f"Unknown detection head {head!r}. {nearest(str(head), heads)}")
    asked = changes.pop("masks", heads.get(head, False))
    return bool(asked) if not isinstance(asked, str) else asked.lower() in ("true", "1", "yes")
