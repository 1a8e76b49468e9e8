"""Where generations of detectors differ on identical weights, as named fields.

Boxes are held with exclusive ends inside this package: (x1, y1, x2, y2), width x2 - x1. A generation with inclusive ends
(width x2 - x1 + 1) is the same arithmetic with x2 and y2 one pixel further: overlaps, encoding, RoI ends and levels then agree
with it to rounding, and only what is written in :class:`Conventions` remains. See docs/protocols.md 11 and 15, trap T17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tasks.options import changed, nearest


@dataclass(frozen=True)
class Conventions:
    """What a checkpoint's family implies about a detector; no picture-level choice (those are the protocol's).

    Boxes and anchors:
        inclusive_ends: x2 is the last pixel (results x2 - x1 + 1 wide) and clipping is to size - 1.
        anchor_centre: of the first cell's anchors, in strides: 0.5 (the cell's middle) or 0.0 (its corner).
        anchor_rounded: corners are rounded to whole pixels (in the family's own ends).
        anchor_sides: "exact", or "whole": sides at the scale of the stride are rounded before they grow (Detectron's).
        strides_measured: anchor and RoI strides are inferred from map and picture sizes, as torchvision does.
        rpn_stds, box_stds: the coder's divisors of (dx, dy, dw, dh).
        clamp_both: log sizes are clamped to +-log(1000/16); otherwise from above only.
    Classes:
        background: "first" (row 0; the regression has its four unused rows too) or "last" (no regression rows).
        class_agnostic: one regression for all classes, as in cascades.
        labels: "rank" (1 .. 80 in order of category id) or "category_id" (COCO's own, 1 .. 90).
    Proposals, (training, test):
        proposals_per_level: kept by score before suppression; proposals: kept after it, over all levels.
        rpn_nms_iou, rpn_min_size_px: suppression threshold within a level; smaller boxes are dropped.
    RoIs:
        roi_aligned: RoIAlign's half-pixel shift. roi_sampling: points per bin and axis, 0 adaptive.
        roi_at_least_one: RoIs are widened to one cell. level_epsilon_inside: the 1e-6 of the level rule is inside the logarithm.
        box_min_size_px: smaller detections are dropped; None keeps them.
        nms_in_source: the final suppression sees boxes in the source picture's pixels (matters with inclusive ends).
        kept: of a picture's detections the "best", or those that score no less than the last of the best ("tied").
    Cascade (three stages, one entry each):
        stage_ious: overlap from which a RoI is positive. stage_weights: of the stage's losses. stage_stds: the coder's divisors.
        roi_low_quality: a truth also takes the RoI that it overlaps best, in favour of that truth alone, as for anchors.
        semantic_over: the loss of HTC's semantic branch is divided by the "labelled" pixels, or by "all".
        mask_stages: masks are the "mean" of the stages' probabilities (mmdet 2.x), or the "last" stage's (3.x, for HTC).
    Masks:
        mask_paste: "integer" (whole-pixel box, thresholded after resizing), "expanded" (torchvision) or "grid"
            (half-pixel sampling).
        mask_target: "crop" (whole-pixel crop, resized) or "roi_align".
    Training:
        rpn_border_px: anchors may leave the picture by this much; -1 for any.
        rpn_min_iou: least overlap of a truth's best anchor.
        rpn_beta, box_beta: where smooth L1 turns linear; 0 is L1.
        rpn_at_least_one: the RPN's losses are divided by the sampled anchors, each picture counting at least one positive and
            one negative.
    """

    name: str
    inclusive_ends: bool
    anchor_centre: float
    anchor_rounded: bool
    strides_measured: bool
    clamp_both: bool
    background: Literal["first", "last"]
    labels: Literal["rank", "category_id"]
    proposals_per_level: tuple[int, int]
    proposals: tuple[int, int]
    rpn_min_size_px: float
    roi_aligned: bool
    roi_sampling: int
    roi_at_least_one: bool
    level_epsilon_inside: bool
    box_min_size_px: float | None
    nms_in_source: bool
    mask_paste: Literal["integer", "expanded", "grid"]
    mask_target: Literal["crop", "roi_align"]
    rpn_border_px: float
    rpn_min_iou: float
    rpn_beta: float
    box_beta: float
    rpn_at_least_one: bool = True
    class_agnostic: bool = False
    anchor_sides: Literal["exact", "whole"] = "exact"
    kept: Literal["best", "tied"] = "best"
    stage_ious: tuple[float, ...] = (0.5, 0.6, 0.7)
    stage_weights: tuple[float, ...] = (1.0, 0.5, 0.25)
    stage_stds: tuple[tuple[float, float, float, float], ...] = (
        (0.1, 0.1, 0.2, 0.2),
        (0.05, 0.05, 0.1, 0.1),
        (0.033, 0.033, 0.067, 0.067),
    )
    roi_low_quality: bool = False
    semantic_over: Literal["labelled", "all"] = "labelled"
    mask_stages: Literal["mean", "last"] = "mean"
    rpn_nms_iou: float = 0.7
    rpn_stds: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    box_stds: tuple[float, float, float, float] = (0.1, 0.1, 0.2, 0.2)

    def num_class_rows(self, num_classes: int) -> int:
        """Rows of the classifier: the classes and background."""
        return num_classes + 1

    def num_box_rows(self, num_classes: int) -> int:
        """Rows of the box regression."""
        if self.class_agnostic:
            return 4
        return 4 * (num_classes + (self.background == "first"))

    def num_mask_rows(self, num_classes: int) -> int:
        """Channels of the mask prediction."""
        return num_classes + (self.background == "first")

    def change(self, **changes: Any) -> Conventions:
        """A copy with fields replaced; raises ValueError naming the nearest field."""
        return changed(self, changes, "detection convention")


PRESETS: dict[str, Conventions] = {
    "hrnet_detection": Conventions(
        name="hrnet_detection",
        inclusive_ends=True,
        anchor_centre=0.5,
        anchor_rounded=True,
        strides_measured=False,
        clamp_both=True,
        background="first",
        labels="rank",
        proposals_per_level=(2000, 2000),
        proposals=(2000, 2000),
        rpn_min_size_px=0.0,
        roi_aligned=False,
        roi_sampling=2,
        roi_at_least_one=False,
        level_epsilon_inside=True,
        box_min_size_px=None,
        nms_in_source=True,
        mask_paste="integer",
        mask_target="crop",
        rpn_border_px=0.0,
        rpn_min_iou=0.3,
        rpn_beta=1 / 9,
        box_beta=1.0,
    ),
    "mmdet": Conventions(
        name="mmdet",
        inclusive_ends=False,
        anchor_centre=0.0,
        anchor_rounded=False,
        strides_measured=False,
        clamp_both=True,
        background="last",
        labels="rank",
        proposals_per_level=(2000, 1000),
        proposals=(1000, 1000),
        rpn_min_size_px=0.0,
        roi_aligned=True,
        roi_sampling=0,
        roi_at_least_one=False,
        level_epsilon_inside=True,
        box_min_size_px=None,
        nms_in_source=True,
        mask_paste="grid",
        mask_target="roi_align",
        rpn_border_px=-1.0,
        rpn_min_iou=0.3,
        rpn_beta=0.0,
        box_beta=0.0,
    ),
    "torchvision": Conventions(
        name="torchvision",
        inclusive_ends=False,
        anchor_centre=0.0,
        anchor_rounded=True,
        strides_measured=True,
        clamp_both=False,
        background="first",
        labels="category_id",
        proposals_per_level=(2000, 1000),
        proposals=(2000, 1000),
        rpn_min_size_px=1e-3,
        roi_aligned=False,
        roi_sampling=2,
        roi_at_least_one=True,
        level_epsilon_inside=False,
        box_min_size_px=1e-2,
        nms_in_source=False,
        mask_paste="expanded",
        mask_target="roi_align",
        rpn_border_px=-1.0,
        rpn_min_iou=0.0,
        rpn_beta=1 / 9,
        box_beta=1 / 9,
        rpn_at_least_one=False,
    ),
    "mrb": Conventions(
        name="mrb",
        inclusive_ends=True,
        anchor_centre=0.5,
        anchor_rounded=False,
        strides_measured=False,
        clamp_both=False,
        background="first",
        labels="rank",
        proposals_per_level=(2000, 1000),
        proposals=(2000, 1000),
        rpn_min_size_px=0.0,
        roi_aligned=False,
        roi_sampling=2,
        roi_at_least_one=True,
        level_epsilon_inside=False,
        box_min_size_px=None,
        nms_in_source=False,
        mask_paste="expanded",
        mask_target="crop",
        rpn_border_px=0.0,
        rpn_min_iou=0.0,
        rpn_beta=1 / 9,
        box_beta=1.0,
        anchor_sides="whole",
        kept="tied",
    ),
}
"""The HRNet detection releases (an mmdet 0.x fork), mmdet 2.x and 3.x, torchvision's reference models, and the HRNet release of
maskrcnn-benchmark."""

DEFAULT = "hrnet_detection"

CASCADES = ("cascade_rcnn", "cascade_mask_rcnn", "htc")
_OF_CASCADES: dict[str, dict[str, Any]] = {
    "hrnet_detection": {"roi_low_quality": True},
    "mmdet": {
        "proposals": (2000, 1000),
        "rpn_beta": 1 / 9,
        "box_beta": 1.0,
        "semantic_over": "all",
        "rpn_border_px": 0.0,
    },
}


def preset(name: str, detector: str = "faster_rcnn") -> Conventions:
    """The conventions of a family for one of its two-stage detectors.

    Raises:
        ValueError: no such family; the nearest is named.
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown detection conventions {name!r}. {nearest(name, PRESETS)}")
    if detector not in CASCADES:
        return PRESETS[name]
    made = PRESETS[name].change(class_agnostic=True, **_OF_CASCADES.get(name, {}))
    # With masks mmdet suppresses before it scales back.
    return made.change(nms_in_source=False) if name == "mmdet" and detector != "cascade_rcnn" else made
