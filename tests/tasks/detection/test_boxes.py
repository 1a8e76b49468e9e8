"""Box coding, the two kinds of ends, and the anchors of every generation."""

from __future__ import annotations

import math

import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from tasks.detection.boxes.anchors import anchors_on, cell_anchors, pyramid_anchors
from tasks.detection.boxes.coding import LOG_SIZE_LIMIT, clip, decode, encode, from_family, to_family
from tasks.detection.boxes.conventions import PRESETS, preset
from tasks.detection.boxes.points import points_on, pyramid_points

LEGACY = {
    4: [(-21, -9, 24, 12), (-14, -14, 17, 17), (-9, -21, 12, 24)],
    8: [(-41, -19, 48, 26), (-28, -28, 35, 35), (-19, -41, 26, 48)],
    16: [(-83, -37, 98, 52), (-56, -56, 71, 71), (-37, -83, 52, 98)],
    32: [(-165, -75, 196, 106), (-112, -112, 143, 143), (-75, -165, 106, 196)],
    64: [(-330, -149, 393, 212), (-224, -224, 287, 287), (-149, -330, 212, 393)],
}
"""docs/protocols.md, section 15: corners with inclusive ends."""


def boxes(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 200
    return torch.cat([corner, corner + 2 + torch.rand(count, 2, generator=generator) * 90], dim=1)


@pytest.mark.parametrize("stride", LEGACY)
def test_legacy_anchors_are_the_recorded_ones(stride: int) -> None:
    conventions = preset("hrnet_detection")
    made = to_family(cell_anchors(stride, conventions), conventions)
    assert made.tolist() == [list(map(float, row)) for row in LEGACY[stride]]


def test_torchvision_anchors_are_torchvisions() -> None:
    sizes = [(25, 34), (13, 17), (7, 9), (4, 5), (2, 3)]
    generator = AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)
    maps = [torch.zeros(1, 1, *size) for size in sizes]
    expected = generator(ImageList(torch.zeros(1, 3, 100, 136), [(100, 130)]), maps)[0]
    made = pyramid_anchors(sizes, (4, 8, 16, 32, 64), (100, 136), preset("torchvision"))
    assert torch.equal(torch.cat(made), expected)


def test_mmdet_anchors_are_centred_on_cell_corners_and_not_rounded() -> None:
    made = cell_anchors(8, preset("mmdet"))
    assert torch.allclose(made[:, :2], -made[:, 2:])
    width, height = (made[:, 2:] - made[:, :2]).unbind(1)
    assert torch.allclose(height / width, torch.tensor([0.5, 1.0, 2.0]))
    assert torch.allclose(width * height, torch.tensor(64.0**2))


@pytest.mark.parametrize("name", PRESETS)
def test_decode_undoes_encode(name: str) -> None:
    conventions = preset(name)
    truths, anchors = boxes(50), boxes(50, 1)
    for stds in (conventions.rpn_stds, conventions.box_stds):
        back = decode(encode(truths, anchors, stds), anchors, stds, conventions.clamp_both)[:, 0]
        assert torch.allclose(back, truths, atol=1e-3)


def test_inclusive_arithmetic_of_the_reference() -> None:
    """mmdet 0.x writes +1 everywhere; the same boxes with exclusive ends give the same codes and boxes."""
    conventions = preset("hrnet_detection")
    inclusive, anchor = boxes(20), boxes(20, 2)
    wide, high = anchor[:, 2] - anchor[:, 0] + 1, anchor[:, 3] - anchor[:, 1] + 1
    target_w, target_h = inclusive[:, 2] - inclusive[:, 0] + 1, inclusive[:, 3] - inclusive[:, 1] + 1
    expected = torch.stack(
        [
            (inclusive[:, 0] + inclusive[:, 2] - anchor[:, 0] - anchor[:, 2]) / 2 / wide,
            (inclusive[:, 1] + inclusive[:, 3] - anchor[:, 1] - anchor[:, 3]) / 2 / high,
            torch.log(target_w / wide),
            torch.log(target_h / high),
        ],
        dim=1,
    )
    made = encode(from_family(inclusive, conventions), from_family(anchor, conventions), (1.0, 1.0, 1.0, 1.0))
    assert torch.allclose(made, expected, atol=1e-5)
    back = decode(made, from_family(anchor, conventions), (1.0, 1.0, 1.0, 1.0), True)[:, 0]
    assert torch.allclose(to_family(back, conventions), inclusive, atol=1e-3)


def test_log_sizes_are_clamped_on_one_side_or_both() -> None:
    anchor = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    codes = torch.tensor([[0.0, 0.0, -9.0, 9.0]])
    both = decode(codes, anchor, (1, 1, 1, 1), True)[0, 0]
    above = decode(codes, anchor, (1, 1, 1, 1), False)[0, 0]
    assert (both[2] - both[0]).item() == pytest.approx(10 * math.exp(-LOG_SIZE_LIMIT), rel=1e-3)
    assert (above[2] - above[0]).item() == pytest.approx(10 * math.exp(-9), rel=1e-2)
    assert (both[3] - both[1]).item() == pytest.approx(10 * 62.5, rel=1e-4)


def test_clipping_keeps_the_family_inside_its_picture() -> None:
    wild = torch.tensor([[-5.0, -5.0, 120.0, 90.0], [100.0, 70.0, 101.0, 71.0]])
    exclusive = clip(wild, (60, 80), preset("mmdet"))
    assert exclusive.tolist() == [[0, 0, 80, 60], [80, 60, 80, 60]]
    legacy = to_family(clip(wild, (60, 80), preset("hrnet_detection")), preset("hrnet_detection"))
    assert legacy.tolist() == [[0, 0, 79, 59], [79, 59, 79, 59]]


def test_unknown_conventions_name_the_nearest() -> None:
    with pytest.raises(ValueError, match="mmdet"):
        preset("mmdet2")
    with pytest.raises(ValueError, match="roi_aligned"):
        preset("mmdet").change(roi_align=True)


@pytest.mark.parametrize("family", PRESETS)
def test_anchors_and_points_are_made_once_and_can_be_trained_with(family: str) -> None:
    sizes, strides, cpu = ((20, 28), (10, 14)), (8, 16), torch.device("cpu")
    with torch.inference_mode():
        kept = anchors_on(cpu, sizes, strides, (160, 224), preset(family), 8.0), points_on(cpu, sizes, strides)
    again = anchors_on(cpu, sizes, strides, (160, 224), preset(family), 8.0), points_on(cpu, sizes, strides)
    made = pyramid_anchors(sizes, strides, (160, 224), preset(family)), pyramid_points(sizes, strides)
    for one, other, fresh in zip(kept, again, made, strict=True):
        assert one is other and all(torch.equal(a, b) for a, b in zip(one, fresh, strict=True))
        assert not any(level.is_inference() for level in one)
