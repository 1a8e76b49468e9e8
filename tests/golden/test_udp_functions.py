"""UDP's functions and mmpose's own against the recorded numbers, over every archive found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rival_archives import archives, load

from tasks.geometry import affine_matrix, boxes_to_centre_scale_mmpose, crop, transform_points, udp_matrix
from tasks.heatmaps import udp
from tasks.heatmaps.decoding import decode, to_image
from tasks.heatmaps.flip import unflip, unflip_combined
from tasks.heatmaps.losses import heatmap_loss
from tasks.pose.files.coco import kept_boxes
from tasks.pose.targets import pose_targets


@pytest.mark.parametrize("path", archives("pose_udp_affine*.npz"))
def test_udp_matrix(path: Path) -> None:
    data = load(path)
    for k in range(len(data["matrix"])):
        arguments = (
            data["center"][k],
            data["scale_px"][k] / 200,
            float(data["rotation_deg"][k]),
            data["output_size_wh"][k],
        )
        found = udp_matrix(*arguments)
        np.testing.assert_allclose(transform_points(data["points"][k], found), data["points_warped"][k], atol=2e-3)
        np.testing.assert_allclose(found, data["matrix"][k], rtol=1e-6, atol=1e-5)
        if data["aspect_fixed"][k]:
            plain = affine_matrix(*arguments, along="x")
            np.testing.assert_allclose(plain, data["msra_matrix"][k], rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("path", archives("pose_udp_crop*.npz"))
def test_udp_crop(path: Path) -> None:
    data = load(path)
    size = data["output_size_wh"]
    for k, expected in enumerate(data["crop_udp"]):
        matrix = udp_matrix(data["center"][k], data["scale_px"][k] / 200, float(data["rotation_deg"][k]), size)
        difference = np.abs(crop(data["image"], matrix, size).astype(int) - expected)
        assert (difference == 0).mean() >= 0.999 and difference.max() <= 1


@pytest.mark.parametrize("path", archives("pose_udp_target*.npz"))
def test_udp_targets(path: Path) -> None:
    data = load(path)
    for k, joints in enumerate(data["joints_xy"]):
        sizes = data["image_size_wh"], data["heatmap_size_wh"]
        maps, weight = pose_targets(joints, data["visible"][k], *sizes, float(data["sigma"]), "udp")
        np.testing.assert_array_equal(weight, data["weight"][k])
        np.testing.assert_allclose(maps, data["target"][k], atol=2e-6, rtol=0)


@pytest.mark.parametrize("path", archives("pose_udp_combined_target*.npz"))
def test_combined_targets(path: Path) -> None:
    data = load(path)
    joints, visible = data["joints_xy"][0], data["visible"][0]
    maps, weight = pose_targets(joints, visible, data["image_size_wh"], data["heatmap_size_wh"], 2, "udp_combined")
    np.testing.assert_array_equal(weight, data["weight"][0])
    np.testing.assert_array_equal(maps[::3], data["class_map"])
    drawn = visible >= 0.5
    np.testing.assert_allclose(maps[1::3, 0][drawn], data["offset_x_row0"][drawn], atol=2e-6)
    np.testing.assert_allclose(maps[2::3, :, 0][drawn], data["offset_y_col0"][drawn], atol=2e-6)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy], ids=["on the host", "where the network is"])
@pytest.mark.parametrize("path", archives("pose_udp_decode*.npz"))
def test_udp_dark_and_quarter_decoding(path: Path, kind: Callable[[np.ndarray], Any]) -> None:
    data = load(path)
    maps, blur, found = kind(data["heatmaps"]), int(data["blur_kernel"]), data["found"] == 1
    map_wh, scale = (maps.shape[3], maps.shape[2]), data["scale_px"]
    cell_px = (scale / (np.array(map_wh) - 1)).max()
    cells, scores = udp.decode_udp(maps, blur)
    points = udp.udp_to_image(cells, data["center"], scale, map_wh)
    np.testing.assert_allclose(scores[found], data["scores"][found], rtol=1e-6)
    np.testing.assert_allclose(points[found], data["udp_keypoints_image"][found], atol=2e-3 * cell_px)
    for method, name in (("dark", "dark"), ("quarter_per_axis", "quarter")):
        cells, _ = decode(maps, method, blur)
        points = to_image(cells, data["center"], scale / 200, map_wh)
        np.testing.assert_allclose(points[found], data[f"{name}_keypoints_image"][found], atol=2e-3 * cell_px)
    hrnet = to_image(decode(maps)[0], data["center"], scale / 200, map_wh)
    np.testing.assert_allclose(hrnet[found], data["quarter_keypoints_image_hrnet"][found], atol=2e-3 * cell_px)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy], ids=["on the host", "where the network is"])
@pytest.mark.parametrize("path", archives("pose_udp_combined_decode*.npz"))
def test_combined_decoding(path: Path, kind: Callable[[np.ndarray], Any]) -> None:
    data = load(path)
    maps = kind(data["heatmaps"])
    cells, scores = udp.decode_combined(maps, int(data["blur_kernel"]))
    points = udp.udp_to_image(cells, data["center"], data["scale_px"], (maps.shape[3], maps.shape[2]))
    np.testing.assert_allclose(scores, data["scores"], rtol=1e-4)
    np.testing.assert_allclose(points, data["keypoints_image"], atol=1e-2)


@pytest.mark.parametrize("path", archives("pose_udp_flip*.npz"))
def test_udp_flip(path: Path) -> None:
    data = load(path)
    order = data["flip_indices"].tolist()
    pairs = [(k, other) for k, other in enumerate(order) if k < other]
    mirrored, maps = torch.from_numpy(data["heatmaps_of_mirrored_image"]), torch.from_numpy(data["heatmaps"])
    for shift, name in ((False, "no_shift"), (True, "with_shift")):
        back = unflip(mirrored, pairs, shift)
        np.testing.assert_array_equal(back.numpy(), data[f"flipped_{name}"])
        np.testing.assert_allclose(((maps + back) * 0.5).numpy(), data[f"mean_{name}"], rtol=1e-6)
    combined = unflip_combined(torch.from_numpy(data["combined_of_mirrored_image"]), pairs)
    np.testing.assert_array_equal(combined.numpy(), data["combined_flipped"])


@pytest.mark.parametrize("path", archives("pose_loss*.npz"))
def test_losses(path: Path) -> None:
    data = {name: torch.from_numpy(np.asarray(value)) for name, value in load(path).items()}
    arguments = [data["prediction"]], data["target"], data["weight"]
    assert float(heatmap_loss(*arguments)) == pytest.approx(float(data["loss_mmpose"]), rel=1e-5)
    assert float(heatmap_loss(*arguments, factor=0.5)) == pytest.approx(float(data["loss_hrnet"]), rel=1e-5)
    combined = [data["combined_prediction"]], data["combined_target"], data["combined_weight"]
    assert float(heatmap_loss(*combined, "udp_combined")) == pytest.approx(
        float(data["loss_combined_mmpose"]), rel=1e-5
    )


@pytest.mark.parametrize("path", archives("pose_mmpose_box*.npz"))
def test_mmpose_box(path: Path) -> None:
    data = load(path)
    points = np.ones((len(data["box_xywh"]), 17, 3))
    boxes, kept = kept_boxes(data["box_xywh"], points, data["image_size_wh"], "mmpose")
    assert kept.all()
    centres, scales = boxes_to_centre_scale_mmpose(boxes, float(data["aspect_w_over_h"]), float(data["padding"]))
    np.testing.assert_allclose(centres, data["center"], rtol=1e-6)
    np.testing.assert_allclose(scales * 200, data["scale_px"], rtol=1e-6)


@pytest.mark.parametrize("path", archives("vit_pos_embed_resize*.npz"))
def test_position_embeddings_are_resized_without_antialiasing(path: Path) -> None:
    from benchmarks.baselines.transformers.vit import resize_positions

    data = load(path)
    table_, square = torch.from_numpy(data["table"]), torch.from_numpy(data["table_square"])
    for name, expected in data.items():
        found = re.fullmatch(r"resized_(\d+)x(\d+)", name)
        if found:
            size = int(found[1]), int(found[2])
            np.testing.assert_allclose(resize_positions(table_, (16, 12), size).numpy(), expected, atol=1e-5)
    resized = resize_positions(square, (14, 14), (16, 12)).numpy()
    np.testing.assert_allclose(resized, data["square_14x14_to_16x12"], atol=1e-5)
