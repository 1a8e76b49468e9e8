"""What can move a classification score. Source: docs/protocols.md, section 12."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ClassificationProtocol:
    """A single crop from the middle of the resized picture.

    Attributes:
        crop: side of the crop, the network's input. resize: what the picture's shorter side becomes first.
        interpolation: of that resizing; HRNet's is bilinear, timm's own evaluation of the same weights bicubic.
    """

    crop: int = 224
    resize: int = 256
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"

    @property
    def input_wh(self) -> tuple[int, int]:
        """Width and height of the network's input."""
        return self.crop, self.crop


def header(protocol: ClassificationProtocol) -> str:
    """What moves the score, for a table's header."""
    return f"one {protocol.crop} centre crop of {protocol.resize} ({protocol.interpolation})"
