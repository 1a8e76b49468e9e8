"""The exchange unit: every resolution receives the sum of all resolutions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from hrnet.blocks import conv_bn


def upsample_to(x: Tensor, size_hw: tuple[int, int], mode: str, align_corners: bool) -> Tensor:
    """Resizes (B, C, H, W) to ``size_hw``; ``align_corners`` counts in bilinear mode only."""
    if x.shape[-2:] == size_hw:
        return x
    if mode == "nearest":
        return functional.interpolate(x, size=size_hw, mode="nearest")
    return functional.interpolate(x, size=size_hw, mode="bilinear", align_corners=align_corners)


class ExchangeUnit(nn.ModuleDict):
    """Output i = ReLU(sum over j of f_ij(x_j)), summed in the order of j.

    f_ij is the identity for j = i, unless the row holds one; 1x1 convolution, BN and upsampling for j > i (lower
    resolution); i - j strided 3x3 convolutions for j < i, all but the last with ReLU and unchanged channels. Row i of the
    dictionary holds the f_ij.

    Args:
        channels: channels of each branch, highest resolution first.
        num_outputs: how many resolutions are computed, from the highest; 1 in the last exchange of the pose code.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_outputs: int | None = None,
        *,
        upsample: str = "nearest",
        align_corners: bool = False,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        self.upsample = upsample
        self.align_corners = align_corners
        self.num_branches = len(channels)
        self.num_outputs = len(channels) if num_outputs is None else num_outputs
        for i in range(self.num_outputs):
            row = nn.ModuleDict()
            for j in range(len(channels)):
                if j > i:
                    row[str(j)] = conv_bn(channels[j], channels[i], 1, momentum=momentum)
                elif j < i:
                    row[str(j)] = _downsampler(channels[j], channels[i], i - j, momentum)
            self[str(i)] = row

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        outputs = []
        for i in range(self.num_outputs):
            row = self[str(i)]
            assert isinstance(row, nn.ModuleDict)
            size_hw = (xs[i].shape[-2], xs[i].shape[-1])
            total: Tensor | None = None
            for j in range(self.num_branches):
                if j == i:
                    term = row[str(j)](xs[j]) if str(j) in row else xs[j]
                elif j > i:
                    term = upsample_to(row[str(j)](xs[j]), size_hw, self.upsample, self.align_corners)
                else:
                    term = row[str(j)](xs[j])
                total = term if total is None else total + term
            assert total is not None
            outputs.append(functional.relu(total))
        return outputs


def _downsampler(in_channels: int, out_channels: int, steps: int, momentum: float) -> nn.Sequential:
    units = [conv_bn(in_channels, in_channels, 3, 2, momentum=momentum, relu=True) for _ in range(steps - 1)]
    return nn.Sequential(*units, conv_bn(in_channels, out_channels, 3, 2, momentum=momentum))
