"""Segmentations of a file: polygons are checked together, also where run lengths of crowds lie among them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tasks.coco import shapes

POLYGON, THIN = b"[[1,1,5,1,5,5]]", b"[[1,1,2,2]]"
RUNS = b'{"size":[10,20],"counts":[0,50,150]}'


def made(texts: list[bytes]) -> shapes.Shapes:
    sizes = np.full((len(texts), 2), (20, 10))
    return shapes.shapes_of([msgspec.Raw(text) for text in texts], sizes, lambda row: f"annotation {row}")


def test_polygons_are_checked_together_beside_crowds(monkeypatch: pytest.MonkeyPatch) -> None:
    singly: list[int] = []
    checked = shapes._drawn

    def noted(text: bytes, size: Any, row: int, where: Any) -> bool:
        singly.append(row)
        return checked(text, size, row, where)

    monkeypatch.setattr(shapes, "_drawn", noted)
    found = made([POLYGON, RUNS, b"null", THIN, POLYGON])
    assert found.drawn.tolist() == [True, True, False, False, True] and found.thin == 1 and singly == [1]
    assert found[0] == [[1, 1, 5, 1, 5, 5]] and found[2] is None and found[1]["size"] == [10, 20]
    mask = found.mask(1, 10, 20)
    assert mask is not None and mask.sum() == 50
    assert found.take(np.array([4, 1])).text.tobytes() == POLYGON + RUNS


@pytest.mark.parametrize("bad", [b"[[1,1,5,1,5]]", b"[[1,1,5000,1,5,5]]", b'{"size":[10,20],"counts":[0,5]}'])
def test_the_first_that_is_wrong_is_named(bad: bytes) -> None:
    with pytest.raises(ValueError, match="annotation 2: "):
        made([POLYGON, RUNS, bad, bad])
