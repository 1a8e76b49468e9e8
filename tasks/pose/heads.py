"""Pose networks: a body, a representation and a 1x1 convolution to heat maps; hourglasses carry their own predictions."""

from __future__ import annotations

from typing import Any

from hrnet.variants import VARIANTS
from tasks.model import PredictionHead, TaskModel, build_hourglass, build_parts, check_heatmap_representation


def build(model: str, dataset: str, representation: str, num_joints: int, level: int = 0, **options: Any) -> TaskModel:
    """The pose network of a body.

    Args:
        representation: "V1" (the references'), "V1h", "V2", "V2p" (its highest level), or "stacks" for hourglasses.
        level: which map V1 reads (0: the highest resolution), for the papers' resolution ablation.
        options: spec fields of the body.

    Raises:
        ValueError: a representation that gives no heat maps, or that does not suit the body.
    """
    if model.startswith("hourglass"):
        return build_hourglass(model, representation, task="pose", dataset=dataset, num_outputs=num_joints, **options)
    check_heatmap_representation("pose", representation)
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
    return TaskModel(
        body,
        made,
        head,
        task="pose",
        dataset=dataset,
        name=model,
        representation_name=representation,
        num_outputs=num_joints,
    )
