"""Pose functions against the reference implementation's recorded numbers, over every archive found."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tasks.geometry import affine_matrix, affine_matrix_closed, box_to_centre_scale
from tasks.heatmaps.decoding import decode, to_image
from tasks.heatmaps.flip import unflip
from tasks.pose.crops.augment import half_body
from tasks.pose.metrics import head_normalised_errors, pckh_hrnet
from tasks.pose.skeletons.coco import COCO
from tasks.pose.skeletons.nms import oks_nms, soft_oks_nms
from tasks.pose.targets import pose_targets

GOLDEN = Path(os.environ.get("HRNET_GOLDEN", Path(__file__).parents[1] / "data" / "golden"))


def archives(pattern: str) -> list[object]:
    """Parameters of the archives that match; a skipped one that says so where there is none."""
    found = sorted((GOLDEN / "functions").glob(pattern))
    if not found:
        reason = f"no {pattern} below {GOLDEN / 'functions'}"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id=f"no-{pattern}")]
    return [pytest.param(path, id=path.stem) for path in found]


def load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("path", archives("pose_affine*.npz"))
def test_affine(path: Path) -> None:
    data = load(path)
    rows = zip(data["center"], data["scale"], data["rotation_deg"], data["output_size_wh"], strict=True)
    for index, (centre, scale, rotation, size) in enumerate(rows):
        np.testing.assert_array_equal(affine_matrix(centre, scale, rotation, size), data["matrix"][index])
        np.testing.assert_array_equal(
            affine_matrix(centre, scale, rotation, size, inverse=True), data["inverse"][index]
        )
        zoom = size[0] / (200 * scale[0])
        closed = affine_matrix_closed(centre, scale, rotation, size)
        np.testing.assert_allclose(closed, data["matrix"][index], atol=2e-5 * (1 + zoom * (1 + zoom) * 10), rtol=1e-4)


@pytest.mark.parametrize("path", archives("pose_coco_box*.npz"))
def test_box_to_centre_scale(path: Path) -> None:
    data = load(path)
    for index, box in enumerate(data["box_xywh"]):
        centre, scale = box_to_centre_scale(box, float(data["aspect_w_over_h"]))
        np.testing.assert_array_equal(centre, data["center"][index])
        np.testing.assert_array_equal(scale, data["scale"][index])


@pytest.mark.parametrize("path", archives("pose_target_*.npz"))
def test_targets(path: Path) -> None:
    data = load(path)
    for index, joints in enumerate(data["joints_xy"]):
        maps, weight = pose_targets(
            joints, data["visible"][index], data["image_size_wh"], data["heatmap_size_wh"], float(data["sigma"])
        )
        np.testing.assert_array_equal(weight, data["weight"][index, :, 0])
        np.testing.assert_allclose(maps, data["target"][index], atol=1e-7, rtol=0)


@pytest.mark.parametrize("path", archives("pose_decode*.npz"))
def test_decode(path: Path) -> None:
    data = load(path)
    heatmaps = data["heatmaps"]
    points, scores = decode(heatmaps)
    size_wh = (heatmaps.shape[3], heatmaps.shape[2])
    found = to_image(points, data["center"], data["scale"], size_wh)
    np.testing.assert_allclose(found, data["keypoints"], atol=1e-4, rtol=0)
    np.testing.assert_array_equal(scores[..., None], data["scores"])
    back = unflip(torch.from_numpy(heatmaps), data["flip_pairs"].tolist())
    np.testing.assert_array_equal(back.numpy(), data["flipped_back"])


@pytest.mark.parametrize("path", archives("pose_half_body*.npz"))
def test_half_body(path: Path) -> None:
    data = load(path)
    for joints, expected in zip(data["joints_xyv"], data["upper_center_scale"], strict=True):
        half = half_body(joints[:, :2], joints[:, 2], COCO.upper, bool(expected[0]), 192 / 256)
        assert half is not None
        np.testing.assert_allclose(np.concatenate(half), expected[1:], rtol=2e-7)


@pytest.mark.parametrize("path", archives("pose_oks_nms*.npz"))
def test_oks_nms(path: Path) -> None:
    data = load(path)
    poses, scores, areas = data["keypoints"], data["score"], data["area"]
    np.testing.assert_array_equal(oks_nms(poses, scores, areas, 0.9, COCO.sigmas()), data["keep_at_0_9"])
    np.testing.assert_array_equal(oks_nms(poses, scores, areas, 0.5, COCO.sigmas()), data["keep_at_0_5"])
    np.testing.assert_array_equal(soft_oks_nms(poses, scores, areas, 0.9, COCO.sigmas()), data["soft_keep_at_0_9"])


@pytest.mark.parametrize("path", archives("pose_pckh*.npz"))
def test_pckh(path: Path) -> None:
    data = load(path)
    errors = head_normalised_errors(
        data["pred_xy_0based"] + 1,
        data["gt_xy_1based"].transpose(2, 0, 1),
        data["missing"].T,
        data["head_box_1based"].transpose(2, 0, 1),
    )
    figures = pckh_hrnet(errors)
    figures["Mean_at_0.1"] = figures["Mean@0.11"]
    recorded = {
        name.removeprefix("metric_"): float(value) for name, value in data.items() if name.startswith("metric_")
    }
    assert recorded
    for name, value in recorded.items():
        assert figures[name] == pytest.approx(value, abs=1e-9), name
