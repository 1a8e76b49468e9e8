"""The mark-ups of the face datasets: mirror pairs, eye points and what a drawing connects. Torch-free.

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
    """

    num_points: int
    pairs: Pairs
    outer_corners: tuple[int, int] | None
    pupils: tuple[tuple[int, ...], tuple[int, ...]] | None
    lines: tuple[tuple[int, ...], ...]
    sigma: float

    def order(self) -> NDArray[np.intp]:
        """Index (N,) that exchanges the members of each pair."""
        return swap_order(self.num_points, self.pairs)


def _pairs(text: str, base: int = 1) -> Pairs:
    numbers = [tuple(int(v) - base for v in pair.split("-")) for pair in text.split(",")]
    return tuple((a, b) for a, b in numbers)


def _run(*parts: int | tuple[int, int]) -> tuple[int, ...]:
    """(0, 4), 7 -> 0 1 2 3 4 7."""
    run: list[int] = []
    for part in parts:
        run += [part] if isinstance(part, int) else list(range(part[0], part[1] + 1))
    return tuple(run)


MARKUPS: dict[str, Markup] = {
    "300w": Markup(
        68,
        _pairs(
            "1-17,2-16,3-15,4-14,5-13,6-12,7-11,8-10,18-27,19-26,20-25,21-24,22-23,32-36,33-35,37-46,38-45,39-44,40-43,"
            "41-48,42-47,49-55,50-54,51-53,62-64,61-65,68-66,59-57,60-56"
        ),
        (36, 45),
        (_run((36, 41)), _run((42, 47))),
        (
            _run((0, 16)),
            _run((17, 21)),
            _run((22, 26)),
            _run((27, 30)),
            _run((31, 35)),
            _run((36, 41), 36),
            _run((42, 47), 42),
            _run((48, 59), 48),
            _run((60, 67), 60),
        ),
        1.0,
    ),
    "aflw": Markup(
        19,
        _pairs("1-6,2-5,3-4,7-12,8-11,9-10,13-15,16-18"),
        None,
        None,
        ((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11), (12, 13, 14), (15, 16, 17)),
        1.5,
    ),
    "cofw": Markup(
        29,
        _pairs("1-2,5-7,3-4,6-8,9-10,11-12,13-15,17-18,14-16,19-20,23-24"),
        (8, 9),
        ((16,), (17,)),
        (
            (0, 4, 2, 5, 0),
            (3, 6, 1, 7, 3),
            (8, 12, 10, 13, 8),
            (11, 14, 9, 15, 11),
            (18, 21, 19, 20, 18),
            (22, 24, 23, 27, 22),
            (22, 25, 23, 26, 22),
        ),
        1.5,
    ),
    "wflw": Markup(
        98,
        tuple((k, 32 - k) for k in range(16))
        + _pairs(
            "33-46,34-45,35-44,36-43,37-42,38-50,39-49,40-48,41-47,60-72,61-71,62-70,63-69,64-68,65-75,66-74,67-73,55-59,"
            "56-58,76-82,77-81,78-80,87-83,86-84,88-92,89-91,95-93,96-97",
            base=0,
        ),
        (60, 72),
        ((96,), (97,)),
        (
            _run((0, 32)),
            _run((33, 41), 33),
            _run((42, 50), 42),
            _run((51, 54)),
            _run((55, 59)),
            _run((60, 67), 60),
            _run((68, 75), 68),
            _run((76, 87), 76),
            _run((88, 95), 88),
        ),
        1.5,
    ),
}


def mirror_points(points: ArrayLike, width: float, markup: Markup) -> NDArray[np.float64]:
    """Mirror points (N, 2) in a picture `width` px wide as the reference does: x -> width - x, and swap the pairs.

    In 1-based coordinates an exact mirror would be width + 1 - x; the reference leaves the 1 out.
    """
    mirrored = np.array(points, dtype=np.float64)[markup.order()]
    mirrored[:, 0] = width - mirrored[:, 0]
    return mirrored
