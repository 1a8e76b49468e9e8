"""Everything about an evaluation that can move a segmentation score. See docs/protocols.md, sections 6 to 8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SegmentationProtocol:
    """How a picture becomes a label map, and where it is scored.

    Attributes:
        num_classes: how many are scored.
        view: what the network sees of a (rescaled) picture:
            "whole": all of it;
            "tiles": all of it up to ``crop_hw``, beyond that tiles of ``crop_hw`` side by side, the last ones shifted back;
            "windows": windows of ``crop_hw`` at two thirds of its size apart, padded with black at the border;
            "square": squashed to ``crop_hw`` whatever its shape.
        crop_hw: height and width in px for the views that need them.
        base_px: side in px to which a picture is brought at scale 1; 0 keeps its own size.
        base_side: whether ``base_px`` is the longer or the shorter side.
        first_short_px: pictures are brought to this short side, as 8-bit pixels, before scales and views; their scores return
            from there to the label's size. 0 leaves them.
        pad_multiple: pictures are padded (mean colour, bottom and right) until both sides divide by this; 1 never pads.
        scales, flip: scores of every scale are added; a mirrored pass is averaged with the plain one.
        combine: "exp_logits" adds exp(mean of plain and mirrored logits), as the reference does;
            "softmax" averages class probabilities instead.
        align_corners: of every enlargement of logits and scores.
        score_at: "original": at the label's own size, the benchmark ("testval" in the reference); "crop": picture and label
            both squashed to ``crop_hw``, the quick figure that the reference prints in training ("val").
        labels: where PASCAL Context has both: the Detail json's masks ("json") or the pngs of its "lists"; "auto" takes the
            json if it is there.
    """

    num_classes: int
    view: Literal["whole", "tiles", "windows", "square"] = "whole"
    crop_hw: tuple[int, int] = (1024, 2048)
    base_px: int = 0
    base_side: Literal["long", "short"] = "long"
    first_short_px: int = 0
    pad_multiple: int = 1
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    combine: Literal["exp_logits", "softmax"] = "exp_logits"
    align_corners: bool = False
    score_at: Literal["original", "crop"] = "original"
    labels: Literal["auto", "json", "lists"] = "auto"

    def __post_init__(self) -> None:
        if not self.scales or min(self.scales) <= 0:
            raise ValueError(f"Expected one positive scale or more, got {self.scales}; for example scales=0.75,1,1.25.")
        if min(self.crop_hw) < 1 or self.pad_multiple < 1 or min(self.base_px, self.first_short_px) < 0:
            raise ValueError(
                f"Expected positive sizes, got crop_hw={self.crop_hw}, pad_multiple={self.pad_multiple}, "
                f"base_px={self.base_px}, first_short_px={self.first_short_px}."
            )

    @property
    def input_wh(self) -> tuple[int, int]:
        """Width and height in px at which a network's cost is counted."""
        return self.crop_hw[1], self.crop_hw[0]

    @property
    def header(self) -> str:
        """What a table's heading says about it."""
        if len(self.scales) > 1:
            scales = f"{len(self.scales)} scales ({self.scales[0]:g} to {self.scales[-1]:g})"
        else:
            scales = "single scale" if self.scales == (1.0,) else f"scale {self.scales[0]:g}"
        crop = f"{self.crop_hw[0]}x{self.crop_hw[1]}"
        view = {
            "whole": "whole picture",
            "tiles": f"tiles of {crop} where larger",
            "windows": f"windows of {crop}",
            "square": f"squashed to {crop}",
        }[self.view]
        parts = [f"{self.num_classes} classes", view, scales, "flip" if self.flip else "no flip"]
        if self.first_short_px:
            parts.append(f"first short side {self.first_short_px} px")
        if self.base_px:
            parts.append(f"{self.base_side} side {self.base_px} px")
        if self.combine == "softmax" and (self.flip or len(self.scales) > 1 or self.view in ("tiles", "windows")):
            parts.append("probabilities averaged")
        if self.align_corners:
            parts.append("align_corners")
        if self.score_at == "crop":
            parts.append("scored at the crop's size (not the benchmark)")
        return ", ".join(parts)


def with_short_side(size_hw: tuple[int, ...], side: int) -> tuple[int, int]:
    """Height and width in px of a picture whose short side becomes ``side``."""
    height, width = size_hw
    if height < width:
        return side, int(width * side / height + 0.5)
    return int(height * side / width + 0.5), side
