"""Invariants of the shared geometry."""

from __future__ import annotations

import numpy as np
import pytest

from tasks import geometry

PAIRS = ((0, 1), (2, 4))


def draws(count: int) -> list[tuple[np.ndarray, np.ndarray, float, tuple[int, int]]]:
    rng = np.random.default_rng(0)
    sizes = [(192, 256), (256, 256), (288, 384), (128, 96)]
    return [
        (rng.uniform(0, 600, 2), rng.uniform(0.3, 3, 2), float(rng.uniform(-80, 80)), sizes[i % len(sizes)])
        for i in range(count)
    ]


def test_sheet_vectors() -> None:
    straight = geometry.affine_matrix((300, 200), (1.5, 2.0), 0, (192, 256))
    np.testing.assert_allclose(straight, [[0.64, 0, -96], [0, 0.64, 0]], atol=1e-9)
    turned = geometry.affine_matrix((300, 200), (1.5, 2.0), 30, (192, 256))
    np.testing.assert_allclose(turned, [[0.55425626, 0.32, -134.276880], [-0.32, 0.55425626, 113.148749]], atol=2e-5)


@pytest.mark.parametrize("closed", [False, True])
def test_there_and_back(closed: bool) -> None:
    matrix = geometry.affine_matrix_closed if closed else geometry.affine_matrix
    for centre, scale, rotation, size in draws(12):
        points = np.random.default_rng(1).uniform(-50, 700, (20, 2))
        there = geometry.transform_points(points, matrix(centre, scale, rotation, size))
        back = geometry.transform_points(there, matrix(centre, scale, rotation, size, inverse=True))
        np.testing.assert_allclose(back, points, atol=1e-6 if closed else 5e-2)
        middle = geometry.transform_points(centre, matrix(centre, scale, rotation, size))
        np.testing.assert_allclose(middle, np.array(size) / 2, atol=1e-3)


def test_closed_form_agrees() -> None:
    for centre, scale, rotation, size in draws(12):
        for inverse in (False, True):
            solved = geometry.affine_matrix(centre, scale, rotation, size, inverse)
            closed = geometry.affine_matrix_closed(centre, scale, rotation, size, inverse)
            np.testing.assert_allclose(solved, closed, atol=5e-3, rtol=1e-5)


def test_height_of_scale_does_not_matter() -> None:
    one = geometry.affine_matrix((10, 20), (1.0, 1.0), 5, (192, 256))
    np.testing.assert_array_equal(one, geometry.affine_matrix((10, 20), (1.0, 7.0), 5, (192, 256)))


def test_crop_follows_the_points() -> None:
    rng = np.random.default_rng(3)
    image = np.zeros((300, 400, 3), dtype=np.uint8)
    for x, y in rng.integers(60, 240, (4, 2)):
        image[:] = 0
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
        matrix = geometry.affine_matrix((150, 150), (1.0, 1.0), 25, (256, 256))
        out = geometry.crop(image, matrix, (256, 256))
        rows, columns = np.nonzero(out[..., 0] > 127)
        expected = geometry.transform_points((x, y), matrix)
        np.testing.assert_allclose((columns.mean(), rows.mean()), expected, atol=0.5)


def test_crop_outside_is_black() -> None:
    image = np.full((20, 20, 3), 200, dtype=np.uint8)
    out = geometry.crop(image, geometry.affine_matrix((0, 0), (0.2, 0.2), 0, (64, 64)), (64, 64))
    assert out[:30, :30].max() == 0 and out[40:60, 40:60].min() == 200


def test_flip_twice_is_identity() -> None:
    points = np.random.default_rng(0).uniform(0, 90, (6, 2))
    values = np.arange(6)
    once, swapped = geometry.flip_points(points, 96, PAIRS, values)
    np.testing.assert_array_equal(swapped, [1, 0, 4, 3, 2, 5])
    np.testing.assert_allclose(once[3], [95 - points[3, 0], points[3, 1]])
    twice, restored = geometry.flip_points(once, 96, PAIRS, swapped)
    np.testing.assert_allclose(twice, points)
    np.testing.assert_array_equal(restored, values)


def test_rotation_turns_x_towards_y() -> None:
    np.testing.assert_allclose(geometry.rotate_points((3, 1), (2, 1), 90), (2, 2), atol=1e-12)
    points = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_allclose(geometry.rotate_points(geometry.rotate_points(points, (1, 2), 33), (1, 2), -33), points)


def test_boxes_convert_and_clip() -> None:
    boxes = np.array([[1.0, 2, 3, 4], [-5, -5, 200, 10]])
    np.testing.assert_allclose(geometry.xyxy_to_xywh(geometry.xywh_to_xyxy(boxes)), boxes)
    np.testing.assert_allclose(geometry.clip_boxes(geometry.xywh_to_xyxy(boxes), (100, 50))[1], [0, 0, 100, 5])


def test_box_is_grown_to_the_aspect() -> None:
    for box in ((10, 20, 100, 30), (10, 20, 30, 100)):
        centre, scale = geometry.box_to_centre_scale(box, 0.75)
        assert scale[0] / scale[1] == pytest.approx(0.75)
        np.testing.assert_allclose(centre, (box[0] + box[2] / 2, box[1] + box[3] / 2))
        assert (scale * 200 / 1.25 >= np.array(box[2:]) - 1e-3).all()


@pytest.mark.parametrize("box", [(1, 2, 0, 0), (1, 2, float("nan"), 5), (1, 2, -3, 5)])
def test_bad_box_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="Expected a box"):
        geometry.box_to_centre_scale(box, 0.75)
