"""UDP: what is drawn is found again, at any place and after mirroring; the combined coding alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tasks.geometry import boxes_to_centre_scale, boxes_to_centre_scale_mmpose, transform_points, udp_matrix
from tasks.heatmaps import udp
from tasks.heatmaps.flip import unflip_combined

INPUT_WH, MAP_WH = (192, 256), (48, 64)


def points(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform((30, 30), (160, 220), (count, 2))


def test_targets_decode_to_the_point_and_back_to_the_picture() -> None:
    """Crop, target, decoding and way back use one unit, so a joint comes out where it went in."""
    centre, scale = np.array([300.0, 200.0], np.float32), np.array([0.6, 0.8], np.float32)
    inside = points(20)
    matrix = udp_matrix(centre, scale, 0.0, INPUT_WH)
    picture = np.linalg.solve(matrix[:, :2], (inside - matrix[:, 2]).T).T
    cells, scores = udp.decode_udp(udp.udp_targets(inside, np.ones(20), INPUT_WH, MAP_WH, 2)[0])
    back = udp.udp_to_image(cells[None], centre[None], scale[None] * 200, MAP_WH)[0]
    np.testing.assert_allclose(back, picture, atol=0.05)
    assert (scores > 0.8).all()


def test_corners_of_the_box_land_on_the_outer_pixels() -> None:
    matrix = udp_matrix([100.0, 80.0], [0.3, 0.4], 0.0, INPUT_WH)
    corners = transform_points([[70, 40], [130, 120]], matrix)
    np.testing.assert_allclose(corners, [[0, 0], [191, 255]], atol=1e-3)


def test_combined_targets_decode_to_the_point() -> None:
    inside = points(9)
    maps, weight = udp.combined_targets(inside, np.ones(9), INPUT_WH, MAP_WH)
    assert maps.shape == (27, 64, 48) and (weight == 1).all()
    cells, _ = udp.decode_combined(maps, 3)
    np.testing.assert_allclose(cells, inside / udp.udp_stride(INPUT_WH, MAP_WH), atol=1e-3)


def test_weights_of_points_outside_and_unseen() -> None:
    outside = [[-60.0, 50.0], [50.0, 50.0], [400.0, 50.0]]
    maps, weight = udp.udp_targets(outside, [1, 0, 1], INPUT_WH, MAP_WH, 2)
    assert weight.tolist() == [0, 0, 0] and maps.max() == 0
    maps, weight = udp.combined_targets(outside, [1, 0, 1], INPUT_WH, MAP_WH)
    assert weight.tolist() == [1, 0, 1] and maps[::3].max() == 0 and maps[3:6].max() == 0
    for draw in (udp.udp_targets, udp.combined_targets):
        with pytest.raises(ValueError, match="finite"):
            draw([[np.nan, 3.0]], [1], INPUT_WH, MAP_WH, *((2,) if draw is udp.udp_targets else ()))


def test_empty_and_negative_maps_decode_without_a_number_going_wrong() -> None:
    maps = np.zeros((2, 12, 10), np.float32)
    maps[1] = -1
    cells, scores = udp.decode_udp(maps)
    assert (cells == -1).all() and scores.tolist() == [0, -1]
    with pytest.raises(ValueError, match="odd"):
        udp.decode_udp(maps, 4)
    with pytest.raises(ValueError, match="three maps"):
        udp.decode_combined(maps)


def test_combined_flip_twice_is_identity_and_turns_x() -> None:
    maps = torch.randn(2, 9, 6, 5, generator=torch.Generator().manual_seed(0))
    once = unflip_combined(maps, [(1, 2)])
    assert torch.equal(unflip_combined(once, [(1, 2)]), maps)
    assert torch.equal(once[:, 3], maps[:, 6].flip(-1)) and torch.equal(once[:, 4], -maps[:, 7].flip(-1))


def test_both_orders_of_padding_agree_but_for_rounding() -> None:
    boxes = [[10, 20, 30, 90], [10, 20, 130, 90]]
    ours, theirs = boxes_to_centre_scale(boxes, 0.75), boxes_to_centre_scale_mmpose(boxes, 0.75)
    np.testing.assert_allclose(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
