"""Heat-map targets of a face and the way back from maps to picture coordinates. NumPy only.

Source: docs/protocols.md, section 9; mmpose's rule is the pose rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.accelerator import is_tensor
from tasks.geometry import PIXEL_STD
from tasks.heatmaps.corners import decode_whole_pixels
from tasks.heatmaps.decoding import decode, to_image
from tasks.heatmaps.targets import gaussian_targets, whole_gaussians
from tasks.landmarks.crops.face_crops import ONE_BASED
from tasks.landmarks.protocol import LandmarkProtocol

if TYPE_CHECKING:
    from torch import Tensor

RULES = ("face", "pose", "exact")


def face_targets(
    cells: ArrayLike, size_wh: Sequence[int], sigma: float, rule: str = "face", drawn: ArrayLike | None = None
) -> NDArray[np.float32]:
    """One Gaussian map per landmark.

    Args:
        cells: (N, 2) heat-map cells, not rounded. size_wh: of the maps. sigma: in cells.
        rule: "face", the reference's: the cell is truncated towards 0 and the corner of the patch again, so that with sigma 1.5
            the peak of cells 0 to 4 moves one further on (T5); "pose": rounded half up, as mmpose; or "exact": not rounded,
            over the whole map, as DARK's unbiased coding (arXiv 1910.06278) draws it.
        drawn: (N,) bool, which landmarks get a map; the reference leaves out those whose file states y <= 0.

    Returns:
        (N, height, width) float32, peak 1.
    """
    if rule not in RULES:
        raise ValueError(f"Expected a target rule of {list(RULES)} but got {rule!r}")
    xy = np.asarray(cells, dtype=np.float64)
    weights = np.ones(len(xy), dtype=np.float32) if drawn is None else np.asarray(drawn, dtype=np.float32)
    if rule == "exact":
        return _exact_gaussians(xy, weights, size_wh, sigma)
    if rule == "face":
        return gaussian_targets(np.trunc(xy), weights, size_wh, sigma, "hourglass")[0]
    return gaussian_targets(xy, weights, size_wh, sigma, "pose")[0]


def _exact_gaussians(
    xy: NDArray[np.float64], weights: NDArray[np.float32], size_wh: Sequence[int], sigma: float
) -> NDArray[np.float32]:
    """Gaussians centred on unrounded cells; empty where the cell lies outside the map."""
    inside = ((xy > -0.5) & (xy < np.array(size_wh, dtype=np.float64) - 0.5)).all(1)
    maps = whole_gaussians(xy, size_wh, sigma).astype(np.float32)
    maps[~(inside & (weights > 0.5))] = 0
    return maps


def decode_faces(
    heatmaps: ArrayLike | Tensor, centres: ArrayLike, scales: ArrayLike, protocol: LandmarkProtocol
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Landmarks (B, N, 2) in 1-based picture pixels and scores (B, N) of maps (B, N, S, S).

    The reference's whole pixels, or sub-pixel: the affine crop's targets are centred on the rounded cell; those of the
    reference's crop were truncated, so that half a cell is added back.

    Args:
        centres: (B, 2) 1-based px. scales: (B,) padded, 200-px units.
    """
    centre, scale = np.asarray(centres, dtype=np.float64), np.asarray(scales, dtype=np.float64).reshape(-1)
    if protocol.decoder == "reference":
        points, scores = decode_whole_pixels(heatmaps, centre, scale)
        return points.astype(np.float64), scores
    points, scores = decode(heatmaps, protocol.decoder, protocol.dark_blur, rim=True)
    size = heatmaps.shape[-1] if is_tensor(heatmaps) else np.asarray(heatmaps).shape[-1]
    if protocol.crop == "affine":
        found = to_image(points, centre - ONE_BASED, np.stack([scale, scale], 1), (size, size)) + ONE_BASED
        return found.astype(np.float64), scores
    side = (scale * PIXEL_STD)[:, None, None]
    return (points.astype(np.float64) + 0.5) * side / size + centre[:, None] - side / 2, scores
