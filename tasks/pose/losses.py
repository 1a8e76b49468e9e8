"""Heat-map losses: joint-weighted squared error, its hard-example form, and the sum over stacks."""

from __future__ import annotations

import torch
from torch import Tensor

LOSSES = ("default", "mse", "ohkm")
HARD_JOINTS = 8


def joint_mse(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Half the mean over batch and pixels of (w p - w t)^2 for each joint, averaged over joints (reference/protocols.md, 3).

    Args:
        predicted, target: (B, J, H, W). weight: (B, J); joints of weight 0 count as zero error, not as absent.
    """
    difference = (predicted - target) * weight[:, :, None, None]
    return 0.5 * difference.square().mean()


def joint_mse_hard(predicted: Tensor, target: Tensor, weight: Tensor, hardest: int = HARD_JOINTS) -> Tensor:
    """As `joint_mse`, over each sample's `hardest` joints only (online hard keypoint mining)."""
    difference = (predicted - target) * weight[:, :, None, None]
    per_joint = 0.5 * difference.square().mean(dim=(2, 3))
    return per_joint.topk(min(hardest, per_joint.shape[1]), dim=1).values.mean()


def heatmap_loss(outputs: list[Tensor], target: Tensor, weight: Tensor, kind: str = "default") -> Tensor:
    """The loss of one network's outputs: the sum over its stacks (one output: itself).

    Raises:
        ValueError: an unknown kind, or maps of another size than the targets'.
    """
    if kind not in LOSSES:
        raise ValueError(f"Expected recipe.loss to be one of {', '.join(LOSSES)}, got {kind!r}.")
    if outputs[-1].shape != target.shape:
        raise ValueError(
            f"Expected heat maps {tuple(target.shape)} as the targets, got {tuple(outputs[-1].shape)}. Set recipe.augment.stride "
            "to the stride of the map that the model predicts on."
        )
    one = joint_mse_hard if kind == "ohkm" else joint_mse
    return torch.stack([one(output, target, weight) for output in outputs]).sum()


def peak_accuracy(predicted: Tensor, target: Tensor) -> Tensor:
    """Share of joints whose highest cell lies within a twentieth of the map of the target's, over joints that are drawn.

    A quick figure for the progress bar; `tasks.heatmaps.pck_accuracy` is the reference's.
    """
    height, width = predicted.shape[-2:]
    drawn = target.flatten(2).amax(-1) > 0
    found, true = predicted.flatten(2).argmax(-1), target.flatten(2).argmax(-1)
    dx = (found % width - true % width).float() / (width / 10)
    dy = (found // width - true // width).float() / (height / 10)
    hits = ((dx.square() + dy.square()).sqrt() < 0.5) & drawn
    return hits.sum() / drawn.sum().clamp(min=1)
