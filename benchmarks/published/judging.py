"""Judges a measured figure by the published one."""

from __future__ import annotations

from benchmarks.published.figures import Figure

ROUNDING = {"%": 0.1}
"""Difference that counts as reproduced: half of the last printed digit on either side, and other arithmetic."""
TOLERANCE = {"AP": 0.5, "box_AP": 0.5, "mask_AP": 0.5, "mIoU": 0.5, "PCKh@0.5": 0.3, "NME": 0.05, "FR@0.10": 0.3}
DEFAULT_TOLERANCE = 0.5
IMAGES = {
    ("COCO keypoints", "val2017"): 5000,
    ("COCO detection", "val2017"): 5000,
    ("COCO detection", "val2017 (minival)"): 5000,
    ("MPII", "val"): 2729,
    ("Cityscapes", "val"): 500,
    ("PASCAL-Context", "val(testing 5105)"): 5105,
    ("LIP", "val"): 10000,
    ("300W", "full"): 689,
    ("300W", "common"): 554,
    ("300W", "challenge"): 135,
    ("300W", "test"): 600,
    ("AFLW", "full"): 4386,
    ("COFW", "test"): 507,
    ("WFLW", "test"): 2500,
    ("ADE20K", "val"): 2000,
    ("COCO-Stuff", "test"): 1000,
    ("ImageNet-1k", "val"): 50000,
}
"""Pictures of a whole benchmark split by (benchmark, split)."""
WHOLE = 0.9
"""Share of a split's pictures from which a figure counts as one of the whole split (MPII's people share pictures)."""


def judge(figure: Figure, measured: float) -> str:
    """Status of a measured value: "reproduced", "within tolerance", "off" or "suspiciously better"."""
    if figure.bound == "<":
        return "reproduced" if measured < figure.value else "off"
    difference = measured - figure.value
    if abs(difference) <= ROUNDING.get(figure.unit, 0.0) / (1 if figure.metric != "NME" else 10):
        return "reproduced"
    if abs(difference) <= TOLERANCE.get(figure.metric, DEFAULT_TOLERANCE):
        return "within tolerance"
    return "suspiciously better" if figure.direction.gain(difference) > 0 else "off"


def part_of_split(figure: Figure, n: int | None) -> str:
    """Says that a figure over `n` samples is not one of the whole split; "" if it is, or if that is not known."""
    whole = IMAGES.get((figure.benchmark, figure.split))
    if whole is None or n is None or n >= WHOLE * whole:
        return ""
    return f"Measured on {n} of {whole} pictures: not a reproduction."
