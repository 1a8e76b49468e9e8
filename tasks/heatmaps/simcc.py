"""SimCC: a joint as two classifications, of its column and of its row, in fractions of a pixel (arXiv 2107.03332). NumPy only.

Vectors of both axes lie side by side in one array (..., 1, k W + k H) for an input of W x H px and k classes a pixel, so that
they pass where heat maps do. Rules are those of the authors' code (leeyegy/SimCC), whose two codings are called SimDR and
SA-SimDR there, and SimCC and SimCC* in the paper; mmpose decodes the second from plain outputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

KINDS = ("simcc", "simcc_gaussian", "simcc_logits")
"""Ways to decode: mean of both passes' probabilities and the larger of two scores; softmax of their mean outputs and the lesser;
or those mean outputs themselves (mmpose)."""
SMOOTHING = 0.1
"""What "simcc" takes from the joint's own class and spreads evenly over all others of the axis."""


def simcc_targets(
    points: ArrayLike, visible: ArrayLike, input_wh: Sequence[int], split: float, kind: str, sigma: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Targets (J, 1, k W + k H) and weights (J,), both float32.

    Args:
        points: (J, 2) in input pixels. visible: (J,), 0 or 1; a joint is drawn from 0.5 on.
        split: k, classes a pixel. kind: "simcc" (the nearest class; joints outside weigh nothing) or "simcc_gaussian".
        sigma: of the Gaussian at the exact place, in classes. A joint weighs nothing from 3 sigma pixels beyond the input.

    Raises:
        ValueError: a visible point that is not finite.
    """
    xy, weight = np.asarray(points, dtype=np.float64), np.array(visible, dtype=np.float32).reshape(-1)
    if not np.isfinite(xy[weight >= 0.5]).all():
        raise ValueError("Expected finite coordinates of visible joints; check the annotation file")
    xy = np.where(weight[:, None] >= 0.5, xy, 0.0)
    sizes, made = np.asarray(input_wh, dtype=np.float64), []
    if kind == "simcc":
        places = np.around(xy * split).astype(np.int64)
        outside = ((places < 0) | (places >= sizes * split)).any(1)
    else:
        # As the authors' code: the reach counts classes, the input pixels, and both ends are cut towards zero.
        low, high = np.trunc(xy - 3 * sigma), np.trunc(xy + 3 * sigma + 1)
        outside = ((low >= sizes) | (high < 0)).any(1)
    weight[outside] = 0
    drawn = weight >= 0.5
    for axis in (0, 1):
        count = int(input_wh[axis] * split)
        classes = np.arange(count, dtype=np.float64)
        if kind == "simcc":
            one = np.full((len(xy), count), SMOOTHING / (count - 1))
            one[drawn, places[drawn, axis]] = 1 - SMOOTHING
        else:
            one = np.exp(-((classes[None] - xy[:, axis, None] * split) ** 2) / (2 * sigma**2))
            one /= sigma * math.sqrt(2 * math.pi)
        made.append(np.where(drawn[:, None], one, 0.0))
    return np.concatenate(made, axis=1)[:, None].astype(np.float32), weight


def columns_of(length: int, input_wh: Sequence[int]) -> int:
    """How many of ``length`` numbers are columns', of an input's width and height in px."""
    return round(length * input_wh[0] / (input_wh[0] + input_wh[1]))


def decode_simcc(
    vectors: ArrayLike, kind: str, input_wh: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (B, J, 2) in input pixels and scores (B, J) of `merged` vectors.

    A point is the first class of the highest number on each axis, in pixels. Without a positive number on both axes, mmpose's
    ("simcc_logits") is one class before the first.
    """
    if kind not in KINDS:
        raise ValueError(f"Expected a decoder of {list(KINDS)} but got {kind!r}")
    flat = np.asarray(vectors)[:, :, 0]
    columns = columns_of(flat.shape[-1], input_wh)
    x, y = flat[..., :columns], flat[..., columns:]
    scores = (np.maximum if kind == "simcc" else np.minimum)(x.max(-1), y.max(-1)).astype(np.float32)
    classes = np.stack([x.argmax(-1), y.argmax(-1)], axis=-1).astype(np.float32)
    if kind == "simcc_logits":
        classes[scores <= 0] = -1
    return classes / np.float32(columns / input_wh[0]), scores
