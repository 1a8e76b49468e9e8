"""How each task's networks start, as their repositories start them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tasks import build_model


def outside_the_body(network: nn.Module) -> dict[str, nn.Conv2d]:
    """The convolutions with a bias of representation and head, by name."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.bias is not None and not name.startswith("body.")
    }


@pytest.mark.parametrize(
    ("task", "model", "dataset", "options"),
    [
        ("segmentation", "hrnet_w18_small_v1", "cityscapes", {}),
        ("segmentation", "hrnet_w18_small_v1", "lip", {"representation": "V1h"}),
        ("landmarks", "hrnet_w18", "300w", {}),
        ("landmarks", "hrnet_w18_small_v1", "wflw", {"representation": "V1h"}),
        ("landmarks", "hrnet_w18_small_v1", "aflw", {"representation": "V2p"}),
    ],
)
def test_segmentation_and_faces_start_small_with_pytorchs_biases(
    task: str, model: str, dataset: str, options: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    convolutions = outside_the_body(build_model(task, model, dataset, **options))
    assert len(convolutions) >= 2
    for name, layer in convolutions.items():
        assert float(layer.weight.detach().std()) == pytest.approx(0.001, rel=0.1), name
        assert layer.bias is not None
        bias, bound = layer.bias.detach(), layer.weight[0].numel() ** -0.5
        assert float(bias.abs().max()) <= bound and float(bias.std()) == pytest.approx(bound / 3**0.5, rel=0.4), name


@pytest.mark.parametrize("representation", ["V1", "V1h", "V2"])
def test_pose_starts_every_convolution_small_with_biases_of_zero(representation: str) -> None:
    torch.manual_seed(0)
    network = build_model("pose", "hrnet_w18_small_v1", "coco", representation)
    for name, layer in outside_the_body(network).items():
        assert float(layer.weight.detach().std()) == pytest.approx(0.001, rel=0.1), name
        assert layer.bias is not None and not layer.bias.any(), name


def test_classification_keeps_pytorchs_biases() -> None:
    torch.manual_seed(0)
    convolutions = outside_the_body(build_model("classification", "hrnet_w18_small_v1", "imagenet"))
    assert all(layer.bias is not None and layer.bias.any() for layer in convolutions.values()) and convolutions


@pytest.mark.parametrize("task", ["pose", "landmarks"])
def test_micro_heads_predict_near_zero_at_first(task: str) -> None:
    network = build_model(task, "hrnet_micro_w8", {"pose": "coco", "landmarks": "300w"}[task])
    assert not network.head.predict.bias.any() and float(network.head.predict.weight.detach().std()) < 0.002
