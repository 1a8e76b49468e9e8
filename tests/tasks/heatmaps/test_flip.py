"""The flip test that evaluations run: mirrored, exchanged, and moved to the right where the protocol shifts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tasks.heatmaps.flip import flip_test, unflip
from tasks.landmarks import inference as landmark_inference
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.protocol import LandmarkProtocol
from tasks.pose import inference as pose_inference
from tasks.pose.protocol import PoseProtocol
from tasks.pose.skeletons.coco import COCO


def test_flip_twice_is_identity_and_shift_moves_right() -> None:
    maps = torch.randn(2, 17, 8, 6, generator=torch.Generator().manual_seed(0))
    once = unflip(maps, COCO.pairs)
    assert torch.equal(unflip(once, COCO.pairs), maps)
    assert torch.equal(once[:, 1], maps[:, 2].flip(-1))
    shifted = unflip(maps, COCO.pairs, shift=True)
    assert torch.equal(shifted[..., 1:], once[..., :-1])
    assert torch.equal(shifted[..., 0], once[..., 0])


class Sampler(torch.nn.Module):
    """Heat maps of the input's own values at every fourth pixel, from pixel 0 on, as strided convolutions sample."""

    def __init__(self, joints: int) -> None:
        super().__init__()
        self.joints = joints

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :1, ::4, ::4].expand(-1, self.joints, -1, -1)


def pose(images: Tensor, shift: bool) -> Tensor:
    protocol = PoseProtocol(flip=True, shift=shift)
    return torch.from_numpy(pose_inference.predict_heatmaps(Sampler(17), images, COCO.pairs, protocol))


def landmarks(images: Tensor, shift: bool) -> Tensor:
    markup = ENTRIES["cofw"].markup
    protocol = LandmarkProtocol(flip=True, shift=shift)
    return landmark_inference.predict_heatmaps(Sampler(markup.num_points), images, markup, protocol)


@pytest.mark.parametrize("predict", [pose, landmarks])
def test_the_live_shift_goes_to_the_right(predict: Callable[[Tensor, bool], Tensor]) -> None:
    """On a ramp along x the mirrored maps read 3 px further right (pixel 4 c + 3 instead of 4 c); one cell to the right they
    read 1 px further left."""
    ramp = torch.arange(32.0).expand(1, 3, 16, 32).contiguous()
    cells = torch.arange(8.0) * 4
    assert torch.equal(predict(ramp, False)[0, 0, 0], cells + 3 / 2)
    assert torch.equal(predict(ramp, True)[0, 0, 0, 1:], cells[1:] - 1 / 2)


def test_means_and_sums() -> None:
    images = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    model = Sampler(17)
    mean, total = (
        flip_test(model(images), model, images, COCO.pairs, shift=True, merge=merge) for merge in ("mean", "sum")
    )
    assert torch.equal(total, 2 * mean)
