"""Heat-map losses: squared error, its hard-example form, and a sharper one for short trainings; summed over stacks."""

from __future__ import annotations

import torch
from torch import Tensor

from hrnet.names import nearest

LOSSES = ("default", "mse", "ohkm", "mse_softmax", "udp_combined")
HARD_JOINTS = 8
ACCURACY_SAMPLES = 4
SHARPNESS = 10.0


def squared_error(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean of (w p - w t)^2 over everything.

    Args:
        predicted, target: (B, J, H, W). weight: (B, J); joints of weight 0 count as zero error, not as absent. None: all 1.
    """
    return _difference(predicted, target, weight).square().mean()


def hard_squared_error(
    predicted: Tensor, target: Tensor, weight: Tensor | None = None, hardest: int = HARD_JOINTS
) -> Tensor:
    """As `squared_error`, over each sample's `hardest` joints only (online hard keypoint mining)."""
    per_joint = _difference(predicted, target, weight).square().mean(dim=(2, 3))
    return per_joint.topk(min(hardest, per_joint.shape[1]), dim=1).values.mean()


def combined_error(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """UDP's combined loss over three maps a point: half the squared errors of the disc and, within it, of both offsets.

    Args:
        predicted, target: (B, 3 J, H, W) in the order disc, x, y per joint. weight: (B, J).
    """
    shape = (predicted.shape[0], -1, 3, *predicted.shape[2:])
    found, true = predicted.reshape(shape), target.reshape(shape)
    weights = torch.ones_like(true[:, :, 0, :1, :1]) if weight is None else weight[:, :, None, None]
    disc = true[:, :, 0] * weights
    error = (found[:, :, 0] * weights - disc).square()
    error = error + (disc[:, :, None] * (found[:, :, 1:] - true[:, :, 1:])).square().sum(2)
    return 0.5 * error.mean()


def softmax_term(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Cross-entropy between targets as distributions and the softmax of sharpened maps, over joints that are drawn.

    It asks the peak to stand out wherever it is, from the first step on; squared error alone first spends hundreds of steps on
    predicting zero. For short trainings from nothing: not a published loss.
    """
    shares = target.flatten(2)
    mass = shares.sum(-1)
    logs = torch.log_softmax(predicted.flatten(2) * SHARPNESS, dim=-1)
    entropy = -(shares * logs).sum(-1) / mass.clamp(min=1e-6)
    drawn = (mass > 0).to(entropy.dtype)
    counted = drawn if weight is None else weight * drawn
    return (entropy * counted).sum() / counted.sum().clamp(min=1.0)


def heatmap_loss(
    outputs: list[Tensor],
    target: Tensor,
    weight: Tensor | None = None,
    kind: str = "default",
    *,
    factor: float = 1.0,
    softmax_share: float = 1e-3,
) -> Tensor:
    """The loss of one network's outputs (B, J, H, W), summed over its stacks (one output: itself).

    Args:
        weight: (B, J), or None where every joint counts.
        kind: one of `LOSSES`; "default" is "mse"; "udp_combined" for three maps a point.
        factor: on the squared error (HRNet's pose code halves it).
        softmax_share: weight of `softmax_term` in "mse_softmax".

    Raises:
        ValueError: an unknown kind, or another number of joints or size of maps than the targets'.
    """
    if kind not in LOSSES:
        raise ValueError(f"Unknown recipe.loss {kind!r}. {nearest(kind, LOSSES)}")
    if outputs[-1].shape != target.shape:
        raise ValueError(
            f"Expected heat maps {tuple(target.shape)} as the targets, got {tuple(outputs[-1].shape)}. Model and dataset must "
            "share one set of points; set recipe.augment.stride to the stride of the map that the model predicts on."
        )
    losses = []
    for output in outputs:
        one = {"ohkm": hard_squared_error, "udp_combined": combined_error}.get(kind, squared_error)
        loss = factor * one(output, target, weight)
        if kind == "mse_softmax":
            loss = loss + softmax_share * softmax_term(output, target, weight)
        losses.append(loss)
    return torch.stack(losses).sum()


def peak_accuracy(predicted: Tensor, target: Tensor) -> Tensor:
    """Share of joints whose highest cell lies within a twentieth of the map of the target's, over joints that are drawn.

    A quick figure for the progress bar, of the batch's first samples alone: looking for peaks takes a CPU as long as a layer.
    """
    height, width = predicted.shape[-2:]
    dx, dy, drawn = _peak_offsets(predicted[:ACCURACY_SAMPLES], target[:ACCURACY_SAMPLES])
    dx, dy = dx / (width / 10), dy / (height / 10)
    hits = ((dx.square() + dy.square()).sqrt() < 0.5) & drawn
    return hits.sum() / drawn.sum().clamp(min=1)


def peak_error_cells(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean distance in cells between the peaks of prediction and target, over points that are drawn; for the progress bar."""
    dx, dy, drawn = _peak_offsets(predicted, target)
    distance = (dx.square() + dy.square()).sqrt() * drawn
    return distance.sum() / drawn.sum().clamp(min=1)


def _difference(predicted: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    return predicted - target if weight is None else (predicted - target) * weight[:, :, None, None]


def _peak_offsets(predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From the target's highest cell to the prediction's: dx and dy in cells, and where the target is drawn; (B, J) each."""
    width = predicted.shape[-1]
    drawn = target.flatten(2).amax(-1) > 0
    found, true = predicted.flatten(2).argmax(-1), target.flatten(2).argmax(-1)
    return (found % width - true % width).float(), (found // width - true // width).float(), drawn
