"""Heat-map networks: a body, a representation and a 1x1 convolution; hourglasses carry their own predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from benchmarks.baselines import build_body, traits_of
from hrnet.backbone import Biases, HRNet, initialise
from hrnet.names import nearest
from hrnet.variants import VARIANTS
from tasks.model import PredictionHead, TaskModel, build_parts

READABLE = ("V1", "V1h", "V2", "V2p")
"""Representations that heat maps can be read from; V2p gives its highest level."""


class HeatmapModel(TaskModel):
    """forward(images (B, 3, H, W)) -> heat maps (B, num_outputs, H / s, W / s)."""

    def stacks(self, images: Tensor) -> list[Tensor]:
        """Every prediction that is trained, the last being the one that counts: here the only one."""
        return [self(images)]


class HourglassModel(HeatmapModel):
    """A stacked hourglass: its body predicts after every stack, so there is no head beside it."""

    def forward(self, images: Tensor) -> Tensor:
        return self.stacks(images)[-1]

    def reduced_calls(self) -> list[tuple[nn.Module, str]]:
        return [(self, "stacks")]

    def stacks(self, images: Tensor) -> list[Tensor]:
        """Heat maps (B, num_outputs, H / 4, W / 4) of every stack, the last being the prediction."""
        return self.body.stacks(images)  # type: ignore[operator]


def build(
    task: str,
    model: str,
    dataset: str,
    representation: str,
    num_outputs: int,
    *,
    conventions: Mapping[str, Any],
    biases: Biases = "zero",
    level: int = 0,
    maps_per_point: int = 1,
    name: str = "",
    **options: Any,
) -> HeatmapModel:
    """The heat-map network of a body.

    Args:
        representation: one of `READABLE`, or "stacks" for hourglasses.
        conventions: spec fields of HRNet bodies as the task's reference has them. A checkpoint's family may overrule these, but
            not what the caller states in `options`.
        biases: how those of representation and head start, see `hrnet.backbone.initialise`.
        level: which map V1 reads (0: the highest resolution), for the papers' resolution ablation.
        maps_per_point: 3 for UDP's combined coding. name: how the network was asked for, where that is not the body's name.
        options: spec fields of the body.

    Raises:
        ValueError: a representation that gives no heat maps, or that does not suit the body.
    """
    traits = traits_of(model)
    names = {"task": task, "dataset": dataset, "name": name or model, "representation_name": representation}
    if traits.structure == "stacked":
        body = _hourglass(model, representation, num_outputs=num_outputs * maps_per_point, **options)
        return HourglassModel(body, nn.Identity(), nn.Identity(), num_outputs=num_outputs, **names)
    if representation not in READABLE:
        raise ValueError(f"Unknown representation {representation!r} for {task}. {nearest(representation, READABLE)}")
    if level and representation != "V1":
        raise ValueError(
            f"Expected level=0 with representation {representation}: only V1 reads one map, got level={level}."
        )
    stated = frozenset(options)
    if model in VARIANTS:
        options = {**conventions, **options}
    body, reader = build_parts(
        model,
        representation,
        body_options=options,
        bn_momentum=float(options.get("bn_momentum", 0.1)),
        align_corners=bool(options.get("align_corners", False)),
        representation_options={"level": level} if representation == "V1" else None,
    )
    if isinstance(body, HRNet):
        body.stated = stated
        if body.spec.init == "normal_0.001":  # the references start every convolution alike, the mixing one too
            initialise(reader, body.spec.init, biases)
    width, outputs = int(reader.out_channels[0]), num_outputs * maps_per_point  # type: ignore[index, arg-type]
    head = PredictionHead(width, outputs, biases=biases, kernel=traits.prediction_kernel)
    return HeatmapModel(body, reader, head, num_outputs=num_outputs, **names)


def start_quietly(body: nn.Module) -> None:
    """Kaiming weights, and predictions near zero: a hourglass's own start needs more epochs than the micro sizes get."""
    initialise(body, "kaiming")
    assert isinstance(body.score, nn.ModuleList)
    for score in body.score:
        assert isinstance(score, nn.Conv2d) and score.bias is not None
        nn.init.normal_(score.weight, std=0.001)
        nn.init.zeros_(score.bias)


def _hourglass(model: str, representation: str, **options: Any) -> nn.Module:
    if representation != "stacks":
        raise ValueError(
            f"Expected representation 'stacks' for {model}, which predicts in every stack, got {representation!r}."
        )
    return build_body(model, **options)
