"""Where generations of FCOS differ on identical weights, as named fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tasks.options import changed, nearest


@dataclass(frozen=True)
class PointConventions:
    """What a checkpoint's family implies about an FCOS; no picture-level choice (those are the protocol's).

    Network:
        tower_bias: the towers' convolutions have a bias before their normalisation.
        normed: distances are ReLU(scale x) in strides; otherwise exp(scale x) in pixels.
        centerness_from: the tower that centerness is read from.
    Boxes:
        inclusive_ends: areas and overlaps of the final suppression count x2 - x1 + 1, and clipping is to size - 1.
        product_first: candidates of a level are ranked by class score times centerness; otherwise by the class score alone.
        per_level: candidates kept per level.
        drops_empty: boxes without a side, which clipping leaves of points in the padding, are dropped.
        kept: of a picture's detections the "best", or those that score no less than the last of the best ("tied").
    Training:
        centre_radius: points within so many strides of an object's centre are positive; None: all inside its box.
        box_loss: "iou" (-log IoU), "iou_plus_one" (-log((I + 1) / (U + 1))) or "giou".
        focal_over: the focal loss is divided by the "positives" (at least 1), or by "positives_and_pictures".
        averages_processes: counts of positives are averaged over all processes.
    """

    name: str
    tower_bias: bool
    inclusive_ends: bool
    product_first: bool
    drops_empty: bool
    kept: Literal["best", "tied"]
    box_loss: Literal["iou", "iou_plus_one", "giou"]
    focal_over: Literal["positives", "positives_and_pictures"]
    averages_processes: bool
    normed: bool = False
    centerness_from: Literal["class", "box"] = "class"
    per_level: int = 1000
    centre_radius: float | None = None
    labels: Literal["rank", "category_id"] = "rank"

    def change(self, **changes: Any) -> PointConventions:
        """A copy with fields replaced; raises ValueError naming the nearest field."""
        return changed(self, changes, "convention of FCOS")


POINT_PRESETS: dict[str, PointConventions] = {
    "hrnet_fcos": PointConventions(
        name="hrnet_fcos",
        tower_bias=True,
        inclusive_ends=True,
        product_first=True,
        drops_empty=False,
        kept="tied",
        box_loss="iou_plus_one",
        focal_over="positives_and_pictures",
        averages_processes=False,
    ),
    "mmdet": PointConventions(
        name="mmdet",
        tower_bias=False,
        inclusive_ends=False,
        product_first=False,
        drops_empty=True,
        kept="best",
        box_loss="iou",
        focal_over="positives",
        averages_processes=True,
    ),
}
"""The HRNet-FCOS release, and mmdet 2.x and 3.x."""

POINT_DEFAULT = "hrnet_fcos"


def point_preset(name: str) -> PointConventions:
    """Raises ValueError naming the nearest preset."""
    if name not in POINT_PRESETS:
        raise ValueError(f"Unknown conventions {name!r} of FCOS. {nearest(name, POINT_PRESETS)}")
    return POINT_PRESETS[name]
