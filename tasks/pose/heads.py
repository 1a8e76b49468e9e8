"""Pose networks: a body, a representation and a 1x1 convolution to heat maps; hourglasses carry their own predictions."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hrnet.variants import VARIANTS
from tasks.model import PredictionHead, TaskModel, build_parts
from tasks.options import nearest


class HourglassModel(TaskModel):
    """A stacked hourglass: its body predicts after every stack, so there is no head beside it."""

    def forward(self, images: Tensor) -> Tensor:
        return self.stacks(images)[-1]

    def stacks(self, images: Tensor) -> list[Tensor]:
        """Heat maps (B, J, H / 4, W / 4) of every stack, the last being the prediction."""
        return self.body.stacks(images)  # type: ignore[operator]


def build(model: str, dataset: str, representation: str, num_joints: int, level: int = 0, **options: Any) -> TaskModel:
    """The pose network of a body.

    Args:
        representation: "V1" (the references'), "V1h", "V2", "V2p" (its highest level), or "stacks" for hourglasses.
        level: which map V1 reads (0: the highest resolution), for the papers' resolution ablation.
        options: spec fields of the body.

    Raises:
        ValueError: a representation that gives no heat maps, or that does not suit the body.
    """
    named: dict[str, Any] = {"task": "pose", "dataset": dataset, "name": model, "num_outputs": num_joints}
    if model.startswith("hourglass"):
        if representation != "stacks":
            raise ValueError(
                f"Expected representation 'stacks' for {model}, which predicts in every stack, got {representation!r}."
            )
        from benchmarks.baselines import build_body

        body = build_body(model, num_outputs=num_joints, **options)
        return HourglassModel(body, nn.Identity(), nn.Identity(), representation_name=representation, **named)
    known = ("V1", "V1h", "V2", "V2p")
    if representation not in known:
        raise ValueError(f"Unknown representation {representation!r} for pose. {nearest(representation, known)}")
    if level and representation != "V1":
        raise ValueError(
            f"Expected level=0 with representation {representation}: only V1 reads one map, got level={level}."
        )
    if model in VARIANTS:
        micro = "micro" in model
        # The micro sizes start from nothing: N(0, 0.001) suits weights that ImageNet overwrites.
        options = {"init": "kaiming" if micro else "normal_0.001", **options}
        options = {"fuse_last": "one" if representation == "V1" and level == 0 else "all", **options}
    momentum = float(options.get("bn_momentum", 0.1))
    body, made = build_parts(
        model,
        representation,
        body_options=options,
        bn_momentum=momentum,
        representation_options={"level": level} if representation == "V1" else None,
    )
    head = PredictionHead(made.out_channels[0], num_joints)  # type: ignore[index, arg-type]
    return TaskModel(body, made, head, representation_name=representation, **named)
