"""SimCC's network: the head, the flip test of its outputs, its loss; rules are those of :mod:`tasks.heatmaps.simcc`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from tasks.geometry import swap_order
from tasks.heatmaps.heads import HeatmapModel
from tasks.heatmaps.simcc import columns_of
from tasks.model import PredictionHead


class SimccHead(PredictionHead):
    """``head.{predict,along_x,along_y}``: maps (B, C, h, w) -> (B, J, 1, k W + k H).

    One map a joint, read as a row of h w numbers by two linear layers that all joints share.
    """

    def __init__(self, in_channels: int, num_outputs: int, map_wh: Sequence[int], classes_wh: Sequence[int]) -> None:
        super().__init__(in_channels, num_outputs)
        self.map_wh = (int(map_wh[0]), int(map_wh[1]))
        cells = self.map_wh[0] * self.map_wh[1]
        self.along_x, self.along_y = nn.Linear(cells, int(classes_wh[0])), nn.Linear(cells, int(classes_wh[1]))

    def forward(self, x: Tensor) -> Tensor:
        if (x.shape[-1], x.shape[-2]) != self.map_wh:
            raise ValueError(
                f"Expected maps of {self.map_wh[0]}x{self.map_wh[1]} cells, got {x.shape[-1]}x{x.shape[-2]}: a SimCC network "
                "reads inputs of one size. Set protocol.input_wh to it, or model.input_wh to another."
            )
        rows = self.predict(x).flatten(2)
        return torch.cat([self.along_x(rows), self.along_y(rows)], dim=-1)[:, :, None]


class SimccModel(HeatmapModel):
    """forward(images (B, 3, H, W)) -> (B, J, 1, k W + k H) unnormalised log-probabilities of columns and rows.

    Attributes:
        gaussian: whether it learns from Gaussians instead of single classes. columns: how many numbers are columns'.
    """

    gaussian = False
    columns = 0


def parts(vectors: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """Columns' and rows' numbers, (B, J, k W) and (B, J, k H)."""
    return vectors[:, :, 0, :columns], vectors[:, :, 0, columns:]


def unflip(vectors: Tensor, pairs: Sequence[Sequence[int]], columns: int, shift: bool) -> Tensor:
    """Turns the vectors of a mirrored picture back: columns reversed, left joints exchanged with right ones.

    Args:
        shift: also moves columns left by one class, the last keeping its value: of k classes a pixel, the mirror image of the
            first of a pixel is the first of another, k - 1 classes from where reversing puts it.
    """
    order = torch.from_numpy(swap_order(vectors.shape[1], pairs)).to(vectors.device)
    x, y = parts(vectors[:, order], columns)
    x = x.flip(-1)
    if shift:
        x = torch.cat([x[..., 1:], x[..., -1:]], dim=-1)
    return torch.cat([x, y], dim=-1)[:, :, None]


def merged(
    vectors: Tensor,
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    pairs: Sequence[Sequence[int]],
    *,
    kind: str,
    flip: bool,
    shift: bool,
) -> Tensor:
    """What is decoded: probabilities (of "simcc_logits" mean outputs) of the pictures and, with ``flip``, their mirror images."""
    columns = columns_of(vectors.shape[-1], (images.shape[-1], images.shape[-2]))
    passes = [vectors]
    if flip:
        passes.append(unflip(model(images.flip(-1)), pairs, columns, shift))
    if kind == "simcc":
        return torch.stack([_softmax(one, columns) for one in passes]).mean(0)
    mean = torch.stack(passes).mean(0)
    return mean if kind == "simcc_logits" else _softmax(mean, columns)


def _softmax(vectors: Tensor, columns: int) -> Tensor:
    return torch.cat([part.softmax(-1) for part in parts(vectors, columns)], dim=-1)[:, :, None]


def simcc_loss(output: Tensor, target: Tensor, weight: Tensor, columns: int, gaussian: bool) -> Tensor:
    """Kullback-Leibler divergence of the outputs' softmax from the targets, columns' and rows' added.

    Single classes: summed over classes and joints, the mean over persons. Gaussians: the mean over all of these.

    Args:
        output, target: (B, J, 1, k W + k H). weight: (B, J).

    Raises:
        ValueError: another number of joints or classes than the targets'.
    """
    if output.shape != target.shape:
        raise ValueError(
            f"Expected outputs {tuple(target.shape)} as the targets, got {tuple(output.shape)}: model.input_wh and model.split "
            "are protocol.input_wh and protocol.simcc_split."
        )
    total = output.new_zeros(())
    for found, true in zip(parts(output, columns), parts(target, columns), strict=True):
        divergence = functional.kl_div(found.log_softmax(-1), true, reduction="none")
        one = (divergence.mean(-1) if gaussian else divergence.sum(-1)) * weight
        total = total + (one.mean() if gaussian else one.sum(1).mean())
    return total


def simcc_accuracy(output: Tensor, target: Tensor, columns: int) -> Tensor:
    """Share of drawn joints whose column and row lie within a twentieth of the input of the target's; for the progress bar."""
    drawn = target.flatten(2).amax(-1) > 0
    hits = drawn.clone()
    for found, true in zip(parts(output, columns), parts(target, columns), strict=True):
        hits &= (found.argmax(-1) - true.argmax(-1)).abs() < found.shape[-1] / 20
    return hits.sum() / drawn.sum().clamp(min=1)
