"""The parametric face: mark-ups agree with each other, mirror, and hide what lies behind something."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.synthetic.faces.markup import NUM_POINTS, landmarks
from benchmarks.synthetic.faces.scene import ATTRIBUTES, Difficulty, View, render
from benchmarks.synthetic.faces.shape import FaceGeometry, FaceShape, random_shape
from benchmarks.synthetic.raster.zbuffer import rasterise

# The datasets' own left-right pairs, 1-based but for WFLW (protocols, section 9).
PAIRS = {
    "300w": "1-17,2-16,3-15,4-14,5-13,6-12,7-11,8-10,18-27,19-26,20-25,21-24,22-23,32-36,33-35,37-46,38-45,39-44,40-43,41-48,"
    "42-47,49-55,50-54,51-53,62-64,61-65,68-66,59-57,60-56",
    "aflw": "1-6,2-5,3-4,7-12,8-11,9-10,13-15,16-18",
    "cofw": "1-2,5-7,3-4,6-8,9-10,11-12,13-15,17-18,14-16,19-20,23-24",
    "wflw": "33-46,34-45,35-44,36-43,37-42,38-50,39-49,40-48,41-47,60-72,61-71,62-70,63-69,64-68,65-75,66-74,67-73,55-59,56-58,"
    "76-82,77-81,78-80,87-83,86-84,88-92,89-91,95-93,96-97," + ",".join(f"{k}-{32 - k}" for k in range(16)),
}


def mirror_order(markup: str) -> np.ndarray:
    """Index of each point's mirror image."""
    order = np.arange(NUM_POINTS[markup])
    for pair in PAIRS[markup].split(","):
        a, b = (int(v) - (markup != "wflw") for v in pair.split("-"))
        order[a], order[b] = b, a
    return order


def points_of(shape: FaceShape, yaw_deg: float, markup: str) -> np.ndarray:
    """Landmarks of a face seen by a camera at the origin."""
    view = View(yaw_deg, 4.0, 0.0, 100.0, np.zeros(2), 8.0)
    return landmarks(FaceGeometry(shape), markup, view.project, view.axis)[0][:, :2]


@pytest.mark.parametrize("markup", sorted(NUM_POINTS))
@pytest.mark.parametrize("yaw_deg", [0.0, 25.0, 70.0])
def test_order_follows_the_datasets_pairs(markup: str, yaw_deg: float) -> None:
    """A symmetric face turned left is the mirror image of the same face turned right, point by mirrored point."""
    shape = FaceShape(width=0.4, jaw=-0.3, nose_width=0.5, smile=0.7, open_mouth=0.5, brow_arch=0.5)
    left, right = points_of(shape, yaw_deg, markup), points_of(shape, -yaw_deg, markup)
    mirrored = right[mirror_order(markup)] * [-1, 1]
    np.testing.assert_allclose(left, mirrored, atol=0.15)
    assert left.shape == (NUM_POINTS[markup], 2)


def test_shared_points_are_the_same_in_every_markup() -> None:
    shape = random_shape(np.random.default_rng(3))
    wflw, w300, cofw, aflw = (points_of(shape, 12.0, m) for m in ("wflw", "300w", "cofw", "aflw"))
    for wflw_index, w300_index in (
        (60, 36),
        (64, 39),
        (68, 42),
        (72, 45),
        (16, 8),
        (0, 0),
        (32, 16),
        (54, 30),
        (76, 48),
        (82, 54),
    ):
        np.testing.assert_allclose(wflw[wflw_index], w300[w300_index], atol=1e-6)
    for wflw_index, cofw_index in ((60, 8), (72, 9), (96, 16), (97, 17), (54, 20), (76, 22), (82, 23), (16, 28)):
        np.testing.assert_allclose(wflw[wflw_index], cofw[cofw_index], atol=1e-6)
    for wflw_index, aflw_index in ((60, 6), (64, 8), (68, 9), (72, 11), (54, 13), (76, 15), (82, 17), (16, 18)):
        np.testing.assert_allclose(wflw[wflw_index], aflw[aflw_index], atol=1e-6)
    np.testing.assert_allclose(wflw[0:33:2], w300[:17], atol=1.0)


def test_every_second_wflw_point_of_the_outline_is_300w() -> None:
    """On a frontal face the 33 outline points halve the 300W steps."""
    wflw, w300 = points_of(FaceShape(), 0.0, "wflw"), points_of(FaceShape(), 0.0, "300w")
    np.testing.assert_allclose(wflw[0:33:2], w300[:17], atol=0.2)


def test_far_outline_lies_on_the_silhouette() -> None:
    """Turned by 50 degrees the far outline points lie outside eyes and mouth, as annotators place them."""
    points = points_of(FaceShape(), 50.0, "300w")
    right_is_far = points[30, 0] > points[27, 0]  # the nose points away from the near side
    far, eyes = (points[9:17, 0], points[36:48, 0]) if right_is_far else (-points[:8, 0], -points[36:48, 0])
    assert far.max() > eyes.max()


def test_unknown_markup_is_named() -> None:
    with pytest.raises(ValueError, match="markup must be one of"):
        points_of(FaceShape(), 0.0, "68")


def test_rasteriser_agrees_with_a_pixel_by_pixel_test() -> None:
    rng = np.random.default_rng(0)
    xy, depth = rng.uniform(-3, 23, (30, 2)), rng.uniform(0, 1, 30)
    triangles = rng.permutation(30).reshape(10, 3)
    near, values = rasterise(xy, depth, triangles, depth[:, None], (17, 19))
    slow = np.full((17, 19), -np.inf)
    for tri in triangles:
        a, b, c = xy[tri]
        matrix = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
        for y in range(17):
            for x in range(19):
                weights = np.linalg.solve(matrix, [x, y, 1])
                if (weights >= 0).all():
                    slow[y, x] = max(slow[y, x], weights @ depth[tri])
    assert np.isfinite(slow).mean() > 0.3
    np.testing.assert_allclose(near, slow, atol=1e-4)
    np.testing.assert_allclose(values[..., 0][np.isfinite(slow)], slow[np.isfinite(slow)], atol=1e-4)


def test_transparent_fragments_hide_nothing() -> None:
    xy = np.array([[0, 0], [10, 0], [0, 10], [0, 0], [10, 0], [0, 10]], float)
    depth = np.array([0, 0, 0, 1, 1, 1], float)
    triangles = np.array([[0, 1, 2], [3, 4, 5]])
    near, _ = rasterise(xy, depth, triangles, depth[:, None], (8, 8), keep=lambda values: values[:, 0] < 0.5)
    assert near[1, 1] == 0


def test_pictures_depend_on_their_generator_alone() -> None:
    first = render(np.random.default_rng([1, 2]), Difficulty(), ("wflw", "cofw"))
    again = render(np.random.default_rng([1, 2]), Difficulty(), ("wflw", "cofw"))
    other = render(np.random.default_rng([1, 3]), Difficulty(), ("wflw", "cofw"))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.points["wflw"], again.points["wflw"])
    assert first.image.shape != other.image.shape or (first.image != other.image).any()


def test_attributes_show_in_the_pictures() -> None:
    """Occluded pictures hide more points, posed ones turn further, blurred ones hold less detail."""

    def batch(**on: float) -> list:
        chances = tuple(on.get(name, 0.0) for name in ATTRIBUTES)
        return [render(np.random.default_rng([9, k]), Difficulty(chances=chances), ("cofw",)) for k in range(10)]

    plain, occluded, posed, blurred = batch(), batch(occlusion=1.0), batch(pose=1.0), batch(blur=1.0)
    hidden = [np.mean([p.occluded["cofw"].mean() for p in part]) for part in (plain, occluded)]
    assert hidden[1] > hidden[0] + 0.05
    assert min(abs(p.yaw_deg) for p in posed) > 40 > max(abs(p.yaw_deg) for p in plain)
    assert all(p.attributes["pose"] for p in posed)

    def detail(part: list) -> float:
        return float(np.mean([np.abs(np.diff(p.image.astype(float).mean(-1), 2, axis=0)).mean() for p in part]))

    assert detail(blurred) < detail(plain)


def test_points_lie_in_the_picture() -> None:
    inside = []
    for k in range(12):
        picture = render(np.random.default_rng([5, k]), Difficulty(), ("wflw",))
        height, width = picture.image.shape[:2]
        inside.append((picture.points["wflw"] >= 0).all() and (picture.points["wflw"] < [width, height]).all())
    assert np.mean(inside) >= 0.9
