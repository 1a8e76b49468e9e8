"""Landmark networks: a body, a representation and a 1x1 convolution to heat maps; hourglasses carry their own predictions."""

from __future__ import annotations

from typing import Any

from torch import nn

from hrnet.backbone import HRNet, initialise
from hrnet.variants import VARIANTS
from tasks.model import PredictionHead, TaskModel, build_hourglass, build_parts, check_heatmap_representation


def build(model: str, dataset: str, representation: str, num_points: int, **options: Any) -> TaskModel:
    """The landmark network of a body, with the conventions of HRNet's face code (protocols 1.2): bilinear exchange without
    aligned corners, BN momentum 0.01, weights from N(0, 0.001).

    Args:
        representation: "V2" (the reference's), "V1", "V1h", "V2p" (its highest level), or "stacks" for hourglasses.
        options: spec fields of the body.

    Raises:
        ValueError: a representation that gives no heat maps, or that does not suit the body.
    """
    if model.startswith("hourglass"):
        made = build_hourglass(
            model, representation, task="landmarks", dataset=dataset, num_outputs=num_points, **options
        )
        if "micro" in model:
            _start_quietly(made.body)
        return made
    check_heatmap_representation("landmarks", representation)
    momentum, align_corners = float(options.get("bn_momentum", 0.1)), False
    stated = frozenset(options)
    if model in VARIANTS:
        # The micro sizes are trained from nothing in a few epochs: weights of N(0, 0.001) and slow statistics suit ImageNet's.
        micro = "micro" in model
        defaults = {
            "upsample": "bilinear",
            "align_corners": False,
            "bn_momentum": 0.1 if micro else 0.01,
            "init": "kaiming" if micro else "normal_0.001",
        }
        options = {**defaults, **options}
        momentum, align_corners = float(options["bn_momentum"]), bool(options["align_corners"])
    body, reader = build_parts(
        model, representation, body_options=options, bn_momentum=momentum, align_corners=align_corners
    )
    if isinstance(body, HRNet):
        # What this task's reference implies may be overruled by a checkpoint's family; what the caller said may not.
        body.stated = stated
    head = PredictionHead(reader.out_channels[0], num_points)  # type: ignore[index, arg-type]
    return TaskModel(
        body,
        reader,
        head,
        task="landmarks",
        dataset=dataset,
        name=model,
        representation_name=representation,
        num_outputs=num_points,
    )


def _start_quietly(body: nn.Module) -> None:
    """Kaiming weights, and predictions near zero: PyTorch's own start needs more epochs than the micro sizes get."""
    initialise(body, "kaiming")
    assert isinstance(body.score, nn.ModuleList)
    for score in body.score:
        assert isinstance(score, nn.Conv2d) and score.bias is not None
        nn.init.normal_(score.weight, std=0.001)
        nn.init.zeros_(score.bias)
