"""Heat-map losses of faces: the reference's plain squared error, and a sharper one for short trainings."""

from __future__ import annotations

import torch
from torch import Tensor

LOSSES = ("default", "mse", "mse_softmax")
SHARPNESS = 10.0
SOFTMAX_SHARE = 1e-3


def heatmap_loss(outputs: list[Tensor], target: Tensor, kind: str = "default") -> Tensor:
    """The loss of one network's outputs (B, P, H, W), summed over its stacks.

    "mse" (the default): the mean squared error over everything, without weights (reference/protocols.md, section 9).
    "mse_softmax": plus a small cross-entropy between each sharpened map as a distribution and its target, which asks
    the peak to stand out from the first step on; squared error alone spends hundreds of steps on predicting zero. Not a published
    loss.

    Raises:
        ValueError: an unknown kind, or another number of points or size of maps than the targets'.
    """
    if kind not in LOSSES:
        raise ValueError(f"Expected recipe.loss to be one of {', '.join(LOSSES)}, got {kind!r}.")
    if outputs[-1].shape != target.shape:
        raise ValueError(
            f"Expected heat maps {tuple(target.shape)} as the targets, got {tuple(outputs[-1].shape)}: the model and the "
            "dataset must share one mark-up and a stride of 4."
        )
    losses = []
    for output in outputs:
        loss = (output - target).square().mean()
        losses.append(loss + SOFTMAX_SHARE * softmax_term(output, target) if kind == "mse_softmax" else loss)
    return torch.stack(losses).sum()


def softmax_term(predicted: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy between targets as distributions and the softmax of sharpened maps, over points that are drawn."""
    shares = target.flatten(2)
    mass = shares.sum(-1)
    logs = torch.log_softmax(predicted.flatten(2) * SHARPNESS, dim=-1)
    entropy = -(shares * logs).sum(-1) / mass.clamp(min=1e-6)
    drawn = (mass > 0).to(entropy.dtype)
    return (entropy * drawn).sum() / drawn.sum().clamp(min=1.0)


def peak_error_cells(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean distance in cells between the peaks of prediction and target, over points that are drawn; for the progress bar."""
    width = predicted.shape[-1]
    drawn = target.flatten(2).amax(-1) > 0
    found, true = predicted.flatten(2).argmax(-1), target.flatten(2).argmax(-1)
    dx, dy = (found % width - true % width).float(), (found // width - true // width).float()
    distance = (dx.square() + dy.square()).sqrt() * drawn
    return distance.sum() / drawn.sum().clamp(min=1)
