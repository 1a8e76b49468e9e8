"""Stages: parallel branches with exchanges between them, and the transitions that open a new branch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hrnet.blocks import block_chain, conv_bn
from hrnet.exchange import ExchangeUnit
from hrnet.variants import HRNetSpec, StageSpec


class HRModule(nn.Module):
    """Parallel chains of residual blocks, then (unless left out) one exchange.

    Lists of (B, C_i, H/2^i, W/2^i) in and out; out has one entry less per resolution that the exchange does not compute.
    """

    def __init__(self, stage: StageSpec, in_channels: Sequence[int], exchange: ExchangeUnit | None, momentum: float):
        super().__init__()
        self.branches = nn.ModuleList(
            block_chain(stage.block, c_in, planes, stage.num_blocks, momentum)
            for c_in, planes in zip(in_channels, stage.channels, strict=True)
        )
        self.fuse_layers = exchange

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        xs = [branch(x) for branch, x in zip(self.branches, xs, strict=True)]
        return xs if self.fuse_layers is None else self.fuse_layers(xs)


def build_stage(spec: HRNetSpec, number: int) -> nn.Sequential:
    """Stage ``number`` (2 to 4) of ``spec``: a chain of modules, with the exchanges that the spec keeps."""
    stage = spec.stages[number - 1]
    channels = stage.out_channels
    modules = []
    for index in range(stage.num_modules):
        last_of_stage = index == stage.num_modules - 1
        last_of_all = last_of_stage and number == 4
        if last_of_all:
            keep = spec.exchange_final
        else:
            keep = spec.exchange_across if last_of_stage else spec.exchange_within
        exchange = None
        if keep and len(channels) > 1:
            exchange = ExchangeUnit(
                channels,
                1 if last_of_all and spec.fuse_last == "one" else None,
                upsample=spec.upsample,
                align_corners=spec.align_corners,
                momentum=spec.bn_momentum,
            )
        modules.append(HRModule(stage, channels, exchange, spec.bn_momentum))
    return nn.Sequential(*modules)


class Transition(nn.ModuleDict):
    """From the maps of one stage to the branches of the next.

    An existing branch keeps its map, or passes a 3x3 convolution where its channels change; a new branch starts from the
    lowest resolution through strided 3x3 convolutions, of which the last changes the channels. Entries exist only for
    branches that compute something.
    """

    def __init__(self, before: Sequence[int], after: Sequence[int], input_of_existing: str, momentum: float) -> None:
        super().__init__()
        self.num_before, self.num_after = len(before), len(after)
        self.input_of_existing = input_of_existing
        for i, channels in enumerate(after):
            if i < len(before):
                if before[i] != channels:
                    source = before[-1] if input_of_existing == "lowest" else before[i]
                    self[str(i)] = conv_bn(source, channels, 3, momentum=momentum, relu=True)
                continue
            steps = i + 1 - len(before)
            units = [
                conv_bn(before[-1], channels if k == steps - 1 else before[-1], 3, 2, momentum=momentum, relu=True)
                for k in range(steps)
            ]
            self[str(i)] = nn.Sequential(*units)

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        outputs = []
        for i in range(self.num_after):
            if str(i) not in self:
                outputs.append(xs[i])
            elif i < self.num_before and self.input_of_existing == "own":
                outputs.append(self[str(i)](xs[i]))
            else:
                outputs.append(self[str(i)](xs[-1]))
        return outputs
