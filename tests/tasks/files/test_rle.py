"""Run lengths: our reading equals pycocotools' encoder, and what its decoder lets pass is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from tasks.files.rle import check_run_lengths, run_lengths


def masks() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    made = [rng.random((h, w)) < p for h, w, p in ((7, 9, 0.5), (40, 3, 0.1), (200, 310, 0.9), (1, 1, 0.5))]
    block = np.zeros((300, 400), bool)
    block[50:250, 100:380] = True
    return [*made, block, np.zeros((5, 6), bool), np.ones((5, 6), bool)]


@pytest.mark.parametrize("mask", masks(), ids=lambda m: "x".join(map(str, m.shape)))
def test_compressed_text_is_read_as_pycocotools_wrote_it(mask: np.ndarray) -> None:
    coded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    flat = mask.reshape(-1, order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    expected = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    expected = [0, *expected] if flat[0] else expected
    for counts in (coded["counts"], coded["counts"].decode(), expected):
        found = run_lengths(counts)
        assert found is not None and found.tolist() == expected
        check_run_lengths({"size": list(mask.shape), "counts": counts}, *mask.shape)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"counts": "abc"}, "expected runs over 63 pixels, got"),
        ({"counts": "\x00\x01"}, "got a broken one"),
        ({"counts": ""}, "got a broken one"),
        ({"counts": "PPPP"}, "got a broken one"),
        ({"counts": [10, 20]}, "expected runs over 63 pixels, got 30"),
        ({"counts": [70, -7]}, "got a broken one"),
        ({"counts": ["a"]}, "got a broken one"),
        ({"counts": None}, "size and counts"),
        ({"size": [9, 7]}, "picture's size 9x7, got 7x9"),
        ({"size": "7x9"}, r"size \[height, width\]"),
    ],
)
def test_broken_run_lengths_are_refused(change: dict[str, Any], words: str) -> None:
    coded = coco_mask.encode(np.asfortranarray(masks()[0].astype(np.uint8)))
    whole = {"size": [7, 9], "counts": coded["counts"].decode()}
    with pytest.raises(ValueError, match=words):
        check_run_lengths({**whole, **change}, 7, 9)


def test_text_cut_short_anywhere_is_refused() -> None:
    text = coco_mask.encode(np.asfortranarray(masks()[0].astype(np.uint8)))["counts"].decode()
    for stop in range(1, len(text)):
        with pytest.raises(ValueError, match="expected runs over 63 pixels"):
            check_run_lengths({"size": [7, 9], "counts": text[:stop]}, 7, 9)
