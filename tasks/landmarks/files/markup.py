"""What a mark-up of faces is: mirror pairs, eye points, and what a drawing connects.

Indices are 0-based, in the order of the datasets' files. Source: docs/protocols.md, section 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.geometry import swap_order

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Markup:
    """One dataset's landmarks.

    Attributes:
        num_points: how many. pairs: indices that change places in a mirror.
        outer_corners: the outer eye corners, left of the picture first; None where the set does not norm by them.
        pupils: the points whose means are the two eye centres; None as above.
        lines: runs of points that a drawing connects; `closed` of them end where they begin.
        sigma: of the reference's targets, in cells.
        norm_points: two points whose distance errors are divided by, of a set that is normed by neither eye corners nor pupils.
    """

    num_points: int
    pairs: Pairs
    outer_corners: tuple[int, int] | None
    pupils: tuple[tuple[int, ...], tuple[int, ...]] | None
    lines: tuple[tuple[int, ...], ...]
    sigma: float
    norm_points: tuple[int, int] | None = None

    def order(self) -> NDArray[np.intp]:
        """Index (N,) that exchanges the members of each pair."""
        return swap_order(self.num_points, self.pairs)


def pairs(text: str, base: int = 1) -> Pairs:
    """Pairs of indices from a text "1-17,2-16" that counts from ``base``."""
    numbers = [tuple(int(v) - base for v in pair.split("-")) for pair in text.split(",")]
    return tuple((a, b) for a, b in numbers)


def run(*parts: int | tuple[int, int]) -> tuple[int, ...]:
    """(0, 4), 7 -> 0 1 2 3 4 7."""
    made: list[int] = []
    for part in parts:
        made += [part] if isinstance(part, int) else list(range(part[0], part[1] + 1))
    return tuple(made)


def mirror_points(points: ArrayLike, width: float, markup: Markup) -> NDArray[np.float64]:
    """Mirror points (N, 2) in a picture `width` px wide as the reference does: x -> width - x, and swap the pairs.

    In 1-based coordinates an exact mirror would be width + 1 - x; the reference leaves the 1 out.
    """
    mirrored = np.array(points, dtype=np.float64)[markup.order()]
    mirrored[:, 0] = width - mirrored[:, 0]
    return mirrored
