"""RoI features and levels against torchvision's pooler and against plain arithmetic."""

from __future__ import annotations

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops import roi_align as torchvision_roi_align

from tasks.detection.boxes.conventions import preset
from tasks.detection.network.proposals import pool_rois, propose, roi_levels
from tasks.detection.network.roi_align import roi_align

STRIDES = (4, 8, 16, 32)


def pyramid(size: int = 256, channels: int = 3) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, channels, size // s, size // s, generator=generator) for s in STRIDES]


def rois() -> list[torch.Tensor]:
    return [
        torch.tensor([[1.0, 2.0, 30.0, 40.0], [10.0, 10.0, 250.0, 200.0], [5.0, 5.0, 6.0, 6.5]]),
        torch.tensor([[100.0, 20.0, 212.0, 132.0], [0.0, 0.0, 256.0, 256.0]]),
    ]


def test_torchvision_pooling_is_torchvisions() -> None:
    maps = pyramid()
    pooler = MultiScaleRoIAlign([str(i) for i in range(4)], 7, 2)
    expected = pooler({str(i): x for i, x in enumerate(maps)}, rois(), [(256, 256), (250, 240)])
    made = pool_rois(maps, STRIDES, rois(), 7, preset("torchvision"), [(256, 256), (250, 240)])
    assert torch.equal(made, expected)


@pytest.mark.parametrize("name", ["hrnet_detection", "mmdet"])
def test_levels_follow_the_published_rule(name: str) -> None:
    sides = torch.tensor([8.0, 55.9, 56.0, 111.9, 112.0, 223.9, 224.0, 900.0])
    square = torch.stack([sides * 0, sides * 0, sides, sides], dim=1)
    assert roi_levels(square, preset(name)).tolist() == [0, 0, 0, 0, 1, 1, 2, 3]


def test_aligned_pooling_reads_a_ramp_at_its_bins() -> None:
    """On f(x, y) = x the aligned mean of a bin is the bin's centre, half a cell less than without the shift."""
    ramp = torch.arange(64.0).expand(1, 1, 64, 64).contiguous()
    box = [torch.tensor([[40.0, 40.0, 72.0, 72.0]])]
    aligned = pool_rois([ramp], (4,), box, 4, preset("mmdet"), [(256, 256)])[0, 0, 0]
    centres = (torch.tensor([40.0, 48.0, 56.0, 64.0]) + 4) / 4 - 0.5
    assert torch.allclose(aligned, centres, atol=1e-5)
    legacy = pool_rois([ramp], (4,), box, 4, preset("hrnet_detection"), [(256, 256)])[0, 0, 0]
    assert torch.allclose(legacy, centres + 0.5, atol=1e-5)


def test_small_rois_are_widened_by_torchvision_alone() -> None:
    ramp = torch.arange(64.0).expand(1, 1, 64, 64).contiguous()
    tiny = [torch.tensor([[40.0, 40.0, 41.0, 41.0]])]
    spread = {
        name: pool_rois([ramp], (4,), tiny, 2, preset(name), [(256, 256)])[0, 0, 0].diff().item()
        for name in ("torchvision", "hrnet_detection")
    }
    assert spread["torchvision"] == pytest.approx(0.5, abs=1e-5)
    assert spread["hrnet_detection"] == pytest.approx(0.125, abs=1e-5)


def test_proposals_are_sorted_clipped_and_capped() -> None:
    generator = torch.Generator().manual_seed(0)
    conventions = preset("mmdet").change(proposals_per_level=(50, 40), proposals=(30, 20))
    anchors = [torch.rand(300, 4, generator=generator).sort(dim=1).values * 100 for _ in range(2)]
    outputs = [(torch.randn(2, 300, generator=generator), torch.randn(2, 300, 4, generator=generator)) for _ in anchors]
    made = propose(outputs, anchors, [(60, 100), (100, 80)], conventions)
    assert [len(boxes) <= 20 for boxes in made] == [True, True]
    assert made[0][:, 3].max() <= 60
    assert made[1][:, 2].max() <= 80
    alone = propose([(s[1:], c[1:]) for s, c in outputs], anchors, [(100, 80)], conventions)
    assert torch.equal(made[1], alone[0])
    many = propose(outputs, anchors, [(60, 100), (100, 80)], conventions, training=True)
    assert len(many[0]) > len(made[0])


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling", [0, 2])
def test_gradient_of_roi_align_is_torchvisions(sampling: int, aligned: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    corners = torch.rand(40, 2, 2, generator=generator, dtype=torch.float64) * 200 - 30
    sides = corners.sort(dim=1).values.reshape(40, 4)  # some begin or end outside the map of 30 x 22 cells
    sides[3] = torch.tensor([5.0, 5.0, 5.2, 5.1])
    sides[4] = torch.tensor([400.0, 5.0, 460.0, 60.0])
    boxes = torch.cat([torch.randint(0, 3, (40, 1), generator=generator).double(), sides], dim=1)
    made = []
    for operator in (roi_align, torchvision_roi_align):
        x = torch.randn(3, 5, 22, 30, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()
        pooled = operator(x, boxes, 4, 0.25, sampling, aligned)
        pooled.backward(torch.randn(pooled.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64))
        made.append((pooled.detach(), x.grad))
    assert torch.equal(made[0][0], made[1][0])
    torch.testing.assert_close(made[0][1], made[1][1], rtol=1e-12, atol=1e-12)
    assert made[1][1].abs().sum() > 0


def test_pictures_without_rois_have_no_gradient() -> None:
    x = torch.randn(2, 3, 8, 8).requires_grad_()
    roi_align(x, torch.tensor([[1.0, 2.0, 2.0, 20.0, 20.0]]), 3, 0.25, 0, True).sum().backward()
    assert x.grad is not None and x.grad[0].abs().max() == 0 < x.grad[1].abs().max()
