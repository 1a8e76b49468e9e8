"""Heat-map losses: joint-weighted squared error, its hard-example form, and the sum over stacks."""

from __future__ import annotations

import torch
from torch import Tensor

LOSSES = ("default", "mse", "ohkm", "mse_softmax")
HARD_JOINTS = 8
ACCURACY_SAMPLES = 4
SHARPNESS = 10.0
SOFTMAX_SHARE = 1e-2


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


def joint_mse_softmax(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """`joint_mse` plus a small cross-entropy between the softmax of a joint's sharpened map and its target as a distribution.

    The second term asks the peak to stand out wherever it is, from the first step on; squared error alone first spends
    hundreds of steps on predicting zero. For short trainings from nothing: not a published loss.
    """
    batch, joints = target.shape[:2]
    shares = target.reshape(batch, joints, -1)
    mass = shares.sum(-1)
    logs = torch.log_softmax(predicted.reshape(batch, joints, -1) * SHARPNESS, dim=-1)
    entropy = -(shares * logs).sum(-1) / mass.clamp(min=1e-6)
    counted = weight * (mass > 0)
    cross = (entropy * counted).sum() / counted.sum().clamp(min=1.0)
    return joint_mse(predicted, target, weight) + SOFTMAX_SHARE * cross


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
    one = {"ohkm": joint_mse_hard, "mse_softmax": joint_mse_softmax}.get(kind, joint_mse)
    return torch.stack([one(output, target, weight) for output in outputs]).sum()


def peak_accuracy(predicted: Tensor, target: Tensor) -> Tensor:
    """Share of joints whose highest cell lies within a twentieth of the map of the target's, over joints that are drawn.

    A quick figure for the progress bar, of the batch's first samples alone: looking for peaks takes a CPU as long as a layer.
    `tasks.heatmaps.flip.pck_accuracy` is the reference's.
    """
    predicted, target = predicted[:ACCURACY_SAMPLES], target[:ACCURACY_SAMPLES]
    height, width = predicted.shape[-2:]
    drawn = target.flatten(2).amax(-1) > 0
    found, true = predicted.flatten(2).argmax(-1), target.flatten(2).argmax(-1)
    dx = (found % width - true % width).float() / (width / 10)
    dy = (found // width - true // width).float() / (height / 10)
    hits = ((dx.square() + dy.square()).sqrt() < 0.5) & drawn
    return hits.sum() / drawn.sum().clamp(min=1)
