"""How heat maps lie over their input: every cell a square of whole pixels."""

from __future__ import annotations

from torch import Tensor


def require_whole_cells(maps: Tensor, images: Tensor) -> None:
    """Refuses heat maps (B, J, h, w) that do not cover their input (B, 3, H, W) exactly, such as a body's that rounds a side
    up: positions are read as if they did, and all of them would be shifted.

    Raises:
        ValueError: a side of the input is not the same whole multiple of the map's as the other.
    """
    (h, w), (height, width) = maps.shape[-2:], images.shape[-2:]
    if width % w or height % h or width // w != height // h:
        raise ValueError(
            f"Expected heat maps that cover the input of {width}x{height} exactly, got {w}x{h} cells; choose an "
            "input_wh whose sides are multiples of 32"
        )
