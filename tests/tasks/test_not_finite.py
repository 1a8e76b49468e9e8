"""A network whose outputs are NaN is refused by every task: none may score it as a bad network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tasks import build_model, get_task
from tasks.detection.network.base import DetectionModel
from tasks.pose.posetrack.inference import poses_in

REFUSED = "Expected finite outputs of the network, got NaN or infinity"


def broken(network: nn.Module, value: float = float("nan"), only: str = "") -> nn.Module:
    """The network with a value in all parameters whose names begin so."""
    chosen = [p for name, p in network.named_parameters() if name.startswith(only)]
    assert chosen
    with torch.no_grad():
        for parameter in chosen:
            parameter.fill_(value)
    return network.eval()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_segmentation(value: float) -> None:
    task = get_task("segmentation")
    protocol = task.protocol("cityscapes", tier="smoke")
    batch = {"images": torch.randn(1, 3, 32, 64), "size_hw": [(32, 64)]}
    network = build_model("segmentation", "hrnet_micro_w8", "cityscapes").eval()
    assert task.predict(network, batch, protocol)[0].shape == (32, 64)
    with pytest.raises(ValueError, match=REFUSED):
        task.predict(broken(network, value), batch, protocol)


PARTS = {
    "faster_rcnn": ("rpn.cls", "rpn.reg", "box_head.reg"),
    "cascade_rcnn": ("box_heads.2",),
    "fcos": ("point_head.cls", "point_head.reg", "body"),
}


@pytest.mark.parametrize(("detector", "part"), [(name, part) for name, parts in PARTS.items() for part in parts])
def test_detection(detector: str, part: str) -> None:
    network = build_model("detection", "hrnet_micro_w8", "coco", detector=detector).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert len(network(images)) == 1 and network(images[:0]) == []
        with pytest.raises(ValueError, match=REFUSED):
            broken(network, only=part)(images)


def test_distances_beyond_float32_are_clipped_to_the_picture() -> None:
    network = build_model("detection", "hrnet_micro_w8", "coco", detector="fcos").eval()
    assert isinstance(network, DetectionModel)
    with torch.no_grad():
        network.point_head.reg.bias.fill_(1000.0)  # type: ignore[union-attr, operator]
        network.point_head.cls.bias.fill_(0.0)  # type: ignore[union-attr, operator]
        [found] = network(torch.randn(1, 3, 64, 64))
    assert len(found["boxes"]) and bool((found["boxes"] == torch.tensor([0.0, 0.0, 63.0, 63.0])).all())


def test_persons_of_a_video() -> None:
    task = get_task("pose")
    protocol = task.protocol("posetrack18", tier="smoke")
    network = build_model("pose", "hrnet_micro_w8", "posetrack18").eval()
    picture, boxes = np.zeros((48, 64, 3), np.uint8), np.array([[4.0, 4.0, 40.0, 40.0]])
    assert poses_in(task, network, picture, boxes, protocol).shape[0] == 1
    assert poses_in(task, network, picture, boxes[:0], protocol).shape[0] == 0
    with pytest.raises(ValueError, match=REFUSED):
        poses_in(task, broken(network), picture, boxes, protocol)


@pytest.mark.parametrize(
    ("name", "dataset"),
    [("pose", "coco"), ("landmarks", "300w"), ("classification", "imagenet"), ("segmentation", "lip")],
)
def test_pictures_of_ones_own(name: str, dataset: str) -> None:
    task = get_task(name)
    protocol = task.protocol(dataset, tier="smoke")
    boxes = [np.array([[4.0, 4.0, 40.0, 40.0]])] if task.sees_boxes != "none" else None
    network = broken(build_model(name, "hrnet_micro_w8", dataset))
    with torch.inference_mode(), pytest.raises(ValueError, match=REFUSED):
        task.predict_pictures(network, dataset, [np.zeros((48, 64, 3), np.uint8)], protocol, boxes)


class Constant(nn.Module):
    """Every output of every pixel is a number of its own."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.values = nn.Parameter(values)

    def forward(self, images: Tensor) -> Tensor:
        return self.values.view(1, -1, 1, 1).expand(len(images), -1, *images.shape[-2:])


def test_the_256th_output_and_later_ones_are_of_no_class() -> None:
    """On an accelerator output 300 would wrap around to class 44."""
    from tasks.segmentation.inference import label_maps
    from tasks.segmentation.protocol import SegmentationProtocol

    for best, expected in ((254, 254), (255, 255), (256, 255), (300, 255)):
        network = Constant(torch.nn.functional.one_hot(torch.tensor(best), 301).float())
        protocol = SegmentationProtocol(255, align_corners=False)
        [made] = label_maps(network, torch.zeros(1, 3, 4, 5), [(4, 5)], protocol, np.arange(301))
        assert (made == expected).all()
