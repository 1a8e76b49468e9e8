"""Landmarks of a parametric face in the four mark-ups: WFLW (98), 300W (68), COFW (29) and AFLW (19).

All four are read off the same curves, so that a point that two mark-ups share (an eye corner, the chin) is the same point.
The face outline follows what annotators do: on the side turned away they mark the visible edge, so those points
slide along the skin to the silhouette.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.synthetic.faces.shape import FaceGeometry, along

NUM_POINTS = {"wflw": 98, "300w": 68, "cofw": 29, "aflw": 19}
_LANES = np.concatenate(
    [[0.0], np.linspace(0.02, 0.72, 36)]
)  # shares of the way from the outline to the middle of the face


def outline_lanes(geometry: FaceGeometry, num_points: int) -> np.ndarray:
    """For each outline landmark (left ear, chin, right ear) the skin points that it may slide along: (N, 37, 3)."""
    half = (num_points + 1) // 2
    contour = along(geometry.outline[: geometry.ear_index + 1], np.linspace(0, 1, half))  # chin to ear
    angle = (1 - _LANES) * np.pi / 2
    x = contour[:, :1] * np.sin(angle)[None]
    y = np.repeat(contour[:, 1:2], len(angle), 1)
    front = geometry.depth(contour[:, 1])[:, None]
    z = contour[:, 2:3] + (front - contour[:, 2:3]) * np.cos(angle)[None] ** 0.9
    right = np.stack([x, y, z], -1)
    left = right * [-1, 1, 1]
    return np.concatenate([left[::-1], right[1:]])


def project_outline(
    lanes: np.ndarray, project: Callable[[np.ndarray], np.ndarray], axis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slide hidden outline points to the silhouette.

    Args:
        lanes: (N, L, 3) from `outline_lanes`.
        project: model points (M, 3) -> picture (M, 3) = x, y, nearness.
        axis: picture direction (2,) of the face's own x axis (its roll).

    Returns:
        chosen model points (N, 3), their projections (N, 3).
    """
    count, steps = lanes.shape[:2]
    seen = project(lanes.reshape(-1, 3)).reshape(count, steps, 3)
    middle = count // 2
    sign = np.sign(np.arange(count) - middle)  # -1 left, +1 right
    reach = seen[..., :2] @ axis * sign[:, None]
    best = np.argmax(reach + 1e-9 * -np.arange(steps), axis=1)
    best[middle] = 0
    rows = np.arange(count)
    return lanes[rows, best], seen[rows, best]


def feature_points(geometry: FaceGeometry, markup: str) -> np.ndarray:
    """The flat (x, y) landmarks other than the outline, in the mark-up's order: (N, 2)."""
    g = geometry
    (left_up, left_low), (right_up, right_low) = g.brows
    if markup == "wflw":
        share = np.linspace(0, 1, 5)
        low = np.array([1.0, 0.75, 0.5, 0.25])
        brows = [along(left_up, share), along(left_low, low), along(right_up, share[::-1]), along(right_low, low[::-1])]
        # the outer tip belongs to both edges: WFLW gives it once, at the upper row's end
        eyes = []
        for side, (upper, lower) in enumerate(g.eye_lids):
            quarter = np.array([0.25, 0.5, 0.75])
            up, down = _lid(upper, quarter), _lid(lower, quarter)
            ends = upper[[0, -1]]
            ring = [ends[:1], up, ends[1:], down[::-1]] if side == 0 else [ends[1:], up[::-1], ends[:1], down]
            eyes += ring
        return np.concatenate(
            [*brows, g.nose_bridge, g.nose_floor, *eyes, g.lip_outer, g.lip_inner, np.stack(g.pupils)]
        )
    if markup == "300w":
        share = np.linspace(0, 1, 5)
        brows = [along((left_up * 0.7 + left_low * 0.3), share), along((right_up * 0.7 + right_low * 0.3), share[::-1])]
        eyes = []
        for side, (upper, lower) in enumerate(g.eye_lids):
            third = np.array([0.32, 0.68])
            up, down, ends = _lid(upper, third), _lid(lower, third), upper[[0, -1]]
            eyes += [ends[:1], up, ends[1:], down[::-1]] if side == 0 else [ends[1:], up[::-1], ends[:1], down]
        return np.concatenate([*brows, g.nose_bridge, g.nose_floor, *eyes, g.lip_outer, g.lip_inner])
    middle = np.array([0.5])
    if markup == "cofw":
        tips = [(up[0], up[-1] * 0.5 + low[-1] * 0.5) for up, low in g.brows]
        tops = [(along(up, middle)[0], along(low, middle)[0]) for up, low in g.brows]
        eye = [(up[0], up[-1], _lid(up, middle)[0], _lid(low, middle)[0]) for up, low in g.eye_lids]
        points = [
            tips[0][0], tips[1][0], tips[0][1], tips[1][1],
            tops[0][0], tops[0][1], tops[1][0], tops[1][1],
            eye[0][0], eye[1][0], eye[0][1], eye[1][1],
            eye[0][2], eye[0][3], eye[1][2], eye[1][3],
            g.pupils[0], g.pupils[1],
            g.nose_floor[0], g.nose_floor[4], g.nose_bridge[3], g.nose_floor[2],
            g.lip_outer[0], g.lip_outer[6], g.lip_outer[3], g.lip_inner[2], g.lip_inner[6], g.lip_outer[9],
        ]  # fmt: skip
        return np.stack(points)
    if markup == "aflw":
        brow = [along(up * 0.5 + low * 0.5, np.array([0.0, 0.5, 1.0])) for up, low in g.brows]
        lids = [up for up, _ in g.eye_lids]
        points = [
            *brow[0], *brow[1][::-1],
            lids[0][0], g.eye_centers[0], lids[0][-1], lids[1][-1], g.eye_centers[1], lids[1][0],
            g.nose_floor[0] * [0.9, 1] + [0, 0.02], g.nose_bridge[3], g.nose_floor[4] * [0.9, 1] + [0, 0.02],
            g.lip_outer[0], (g.lip_inner[2] + g.lip_inner[6]) / 2, g.lip_outer[6],
        ]  # fmt: skip
        return np.stack(points)
    raise ValueError(f"markup must be one of {sorted(NUM_POINTS)}, got {markup!r}")


def _lid(curve: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Points of a lid at shares of the eye's width."""
    at = np.asarray(shares) * (len(curve) - 1)
    return np.stack([np.interp(at, np.arange(len(curve)), curve[:, d]) for d in range(2)], 1)


def landmarks(
    geometry: FaceGeometry, markup: str, project: Callable[[np.ndarray], np.ndarray], axis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All landmarks of one mark-up: picture positions (N, 3) = x, y, nearness, and which belong to the outline (N,) bool."""
    features = geometry.lift(feature_points(geometry, markup))
    count = {"wflw": 33, "300w": 17, "cofw": 1, "aflw": 1}[markup]
    lanes = outline_lanes(geometry, max(count, 3))
    _, outline = project_outline(lanes, project, axis)
    if count == 1:
        # chin: the lowest point of the soft outline, last in both mark-ups
        seen = np.concatenate([project(features), outline[1:2]])
        edge = np.zeros(len(seen), bool)
        edge[-1] = True
        return seen, edge
    seen = np.concatenate([outline, project(features)])
    return seen, np.arange(len(seen)) < count
