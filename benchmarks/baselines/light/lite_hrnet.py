"""Lite-HRNet (arXiv 2104.06403), with mmpose's parameter names: parallel branches of conditional channel weighting.

A body of its own: its blocks, its transitions and its exchange share nothing with HRNet's but the shape of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.baselines.light.conv_module import ConvModule, channel_shuffle
from hrnet.backbone import initialise

NAMES = ("litehrnet_18", "litehrnet_30", "litehrnet_micro")
MICRO = ("litehrnet_micro",)
TRAITS = {"structure": "parallel", "origin": "mmpose"}

CHANNELS = (40, 80, 160, 320)
MODULES: dict[str, tuple[int, int, int]] = {
    "litehrnet_18": (2, 4, 2),
    "litehrnet_30": (3, 8, 3),
    "litehrnet_micro": (1, 1, 1),
}
MICRO_CHANNELS = (30, 60, 120, 240)
"""Modules of the stages with two, three and four branches; a module has two blocks."""
BLOCKS = 2
RESOLUTION_RATIO = 8
SPATIAL_RATIO = 4


class Stem(nn.Module):
    """(B, 3, H, W) -> (B, 32, H/4, W/4): a strided convolution, then one half beside the other, shuffled."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = ConvModule(3, channels, 3, 2)
        self.branch1 = nn.Sequential(
            ConvModule(half, half, 3, 2, groups=half, act=None), ConvModule(half, channels - half, 1)
        )
        self.expand_conv = ConvModule(half, channels, 1)
        self.depthwise_conv = ConvModule(channels, channels, 3, 2, groups=channels, act=None)
        self.linear_conv = ConvModule(channels, half, 1)

    def forward(self, images: Tensor) -> Tensor:
        first, second = self.conv1(images).chunk(2, 1)
        second = self.linear_conv(self.depthwise_conv(self.expand_conv(second)))
        return channel_shuffle(torch.cat([self.branch1(first), second], 1), 2)


class CrossResolutionWeighting(nn.Module):
    """Weighs every branch, pixel by pixel of the smallest one, by what all branches hold there."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels, total = list(channels), sum(channels)
        self.conv1 = ConvModule(total, int(total / RESOLUTION_RATIO), 1)
        self.conv2 = ConvModule(int(total / RESOLUTION_RATIO), total, 1, act="sigmoid")

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        smallest = (xs[-1].shape[-2], xs[-1].shape[-1])
        pooled = [functional.adaptive_avg_pool2d(x, smallest) for x in xs[:-1]]
        weights = self.conv2(self.conv1(torch.cat([*pooled, xs[-1]], 1))).split(self.channels, 1)
        return [x * functional.interpolate(w, size=x.shape[-2:], mode="nearest") for x, w in zip(xs, weights)]


class SpatialWeighting(nn.Module):
    """Weighs the channels of one branch by their means over the map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvModule(channels, int(channels / SPATIAL_RATIO), 1, norm=False)
        self.conv2 = ConvModule(int(channels / SPATIAL_RATIO), channels, 1, norm=False, act="sigmoid")

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.conv2(self.conv1(x.mean((2, 3), keepdim=True)))
        return x * weights


class ConditionalChannelWeighting(nn.Module):
    """A block over all branches: half the channels of each pass unchanged, the others are weighed and convolved."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        halves = [c // 2 for c in channels]
        self.cross_resolution_weighting = CrossResolutionWeighting(halves)
        self.depthwise_convs = nn.ModuleList(ConvModule(c, c, 3, groups=c, act=None) for c in halves)
        self.spatial_weighting = nn.ModuleList(SpatialWeighting(c) for c in halves)

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        pairs = [x.chunk(2, 1) for x in xs]
        weighed = self.cross_resolution_weighting([second for _, second in pairs])
        weighed = [weigh(conv(x)) for x, conv, weigh in zip(weighed, self.depthwise_convs, self.spatial_weighting)]
        return [channel_shuffle(torch.cat([first, x], 1), 2) for (first, _), x in zip(pairs, weighed)]


def _separable(in_channels: int, out_channels: int, stride: int, relu: bool) -> nn.Sequential:
    """3x3 depthwise, BN, 1x1, BN and, if asked for, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False),
        nn.BatchNorm2d(in_channels),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


class Fusion(nn.ModuleDict):
    """The exchange as the released weights need it, which is no plain sum (the code adds to branch 0 in place).

    y0 = 2 x0 + sum over j > 0 of F0j(xj); output 0 = ReLU(y0); output i = ReLU(2 Fi0(y0) + xi + sum over the other j of Fij(xj)).
    F is a 1x1 convolution and nearest enlargement from lower resolutions, strided separable convolutions from higher ones.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        for i, out_channels in enumerate(channels):
            row = nn.ModuleDict()
            for j, in_channels in enumerate(channels):
                if j > i:
                    row[str(j)] = nn.Sequential(
                        nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
                    )
                elif j < i:
                    steps = [_separable(in_channels, in_channels, 2, relu=True) for _ in range(i - j - 1)]
                    row[str(j)] = nn.Sequential(*steps, _separable(in_channels, out_channels, 2, relu=False))
            self[str(i)] = row

    def _term(self, i: int, j: int, x: Tensor, size_hw: torch.Size) -> Tensor:
        row = self[str(i)]
        assert isinstance(row, nn.ModuleDict)
        made: Tensor = row[str(j)](x)
        return functional.interpolate(made, size=size_hw, mode="nearest") if j > i else made

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        first = xs[0] + xs[0]
        for j in range(1, len(xs)):
            first = first + self._term(0, j, xs[j], xs[0].shape[-2:])
        outputs = [functional.relu(first)]
        for i in range(1, len(xs)):
            # Twice the same sum: the released code computes it twice, and so are its batch statistics updated.
            total = self._term(i, 0, first, xs[i].shape[-2:]) + self._term(i, 0, first, xs[i].shape[-2:])
            for j in range(1, len(xs)):
                total = total + (xs[j] if j == i else self._term(i, j, xs[j], xs[i].shape[-2:]))
            outputs.append(functional.relu(total))
        return outputs


class Module(nn.Module):
    """Two blocks and the exchange, over the maps of all branches."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(ConditionalChannelWeighting(channels) for _ in range(BLOCKS)))
        self.fuse_layers = Fusion(channels)

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        made: list[Tensor] = self.fuse_layers(self.layers(xs))
        return made


class SeparableConv(nn.Module):
    """3x3 depthwise with BN, 1x1 with BN and ReLU, under mmpose's names."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise_conv = ConvModule(in_channels, in_channels, 3, groups=in_channels, act=None)
        self.pointwise_conv = ConvModule(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.pointwise_conv(self.depthwise_conv(x))
        return made


class IterativeHead(nn.Module):
    """From the smallest map up: convolve, enlarge (bilinear, corners aligned), add to the next larger one."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        rising = list(channels)[::-1]
        self.projects = nn.ModuleList(SeparableConv(a, b) for a, b in zip(rising, [*rising[1:], rising[-1]]))

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        made: list[Tensor] = []
        for x, project in zip(xs[::-1], self.projects):
            if made:
                x = x + functional.interpolate(made[-1], size=x.shape[-2:], mode="bilinear", align_corners=True)
            made.append(project(x))
        return made[::-1]


class LiteHRNet(nn.Module):
    """forward(images (B, 3, H, W)) -> 4 maps at strides 4, 8, 16, 32, each of the next larger branch's width.

    Args:
        modules: number of modules in the stages of two, three and four branches.
        channels: of the branches.
    """

    def __init__(self, modules: Sequence[int], channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        self.stem = Stem()
        self.transition0 = nn.ModuleList(
            [_separable(32, channels[0], 1, relu=True), nn.Sequential(_separable(32, channels[1], 2, relu=True))]
        )
        for number, count in enumerate(modules):
            branches = channels[: number + 2]
            if number > 0:
                new = nn.Sequential(_separable(branches[-2], branches[-1], 2, relu=True))
                self.add_module(f"transition{number}", nn.ModuleDict({str(number + 1): new}))
            self.add_module(f"stage{number}", nn.Sequential(*(Module(branches) for _ in range(count))))
        self.num_stages = len(modules)
        self.head_layer = IterativeHead(channels)
        self.out_channels: tuple[int, ...] = (channels[0], *channels[:-1])
        self.strides: tuple[int, ...] = (4, 8, 16, 32)

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.stem(images)
        xs = [transition(x) for transition in self.transition0]
        for number in range(self.num_stages):
            if number > 0:
                grow = self.get_submodule(f"transition{number}.{number + 1}")
                xs = [*xs, grow(xs[-1])]
            xs = self.get_submodule(f"stage{number}")(xs)
        maps: list[Tensor] = self.head_layer(xs)
        return maps


def build(name: str, init: str = "normal_0.001") -> LiteHRNet:
    """One of :data:`NAMES`; ``init`` as in :func:`hrnet.backbone.initialise` (the micro size, trained for minutes: Kaiming's)."""
    body = LiteHRNet(MODULES[name], MICRO_CHANNELS if name in MICRO else CHANNELS)
    initialise(body, "kaiming" if name in MICRO and init == "normal_0.001" else init)
    return body
