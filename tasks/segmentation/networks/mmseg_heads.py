"""Heads of PSPNet (arXiv 1612.01105), DeepLabV3 and DeepLabV3+ (1706.05587, 1802.02611) as mmseg builds them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

POOLED = (1, 2, 3, 6)
DILATIONS = (12, 24, 36)


def conv_bn_relu(in_channels: int, out_channels: int, kernel: int = 1) -> nn.Sequential:
    """Convolution without bias, BN and ReLU under the names ``conv``, ``bn``, ``relu``; the size stays."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
            bn=nn.BatchNorm2d(out_channels),
            relu=nn.ReLU(inplace=True),
        )
    )


class SeparableConv(nn.Module):
    """A 3x3 convolution of every channel by itself and a 1x1 of all, each with BN and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.depthwise = conv_bn_relu(in_channels, in_channels)
        self.depthwise.conv = nn.Conv2d(
            in_channels, in_channels, 3, padding=dilation, dilation=dilation, groups=in_channels, bias=False
        )
        self.pointwise = conv_bn_relu(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class PyramidPoolingHead(nn.Module):
    """PSPNet: the last map beside its means over grids of 1, 2, 3 and 6 cells -> logits at the map's stride."""

    def __init__(self, in_channels: Sequence[int], num_classes: int, channels: int = 512, dropout: float = 0.1) -> None:
        super().__init__()
        self.pooled = nn.ModuleList(conv_bn_relu(in_channels[0], channels) for _ in POOLED)
        self.bottleneck = conv_bn_relu(in_channels[0] + len(POOLED) * channels, channels, 3)
        self.dropout = nn.Dropout2d(dropout)
        self.predict = nn.Conv2d(channels, num_classes, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        x = maps[0]
        parts = [x]
        for cells, part in zip(POOLED, self.pooled, strict=True):
            pooled = part(functional.adaptive_avg_pool2d(x, cells))
            parts.append(functional.interpolate(pooled, x.shape[-2:], mode="bilinear", align_corners=False))
        return self.predict(self.dropout(self.bottleneck(torch.cat(parts, dim=1))))


class AtrousHead(nn.Module):
    """DeepLabV3: the last map under several dilations, and its mean -> logits at the map's stride."""

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        channels: int = 512,
        dilations: Sequence[int] = DILATIONS,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        wide = in_channels[0]
        self.image_pool = conv_bn_relu(wide, channels)
        self.aspp = nn.ModuleList([conv_bn_relu(wide, channels)])
        for dilation in dilations:
            unit = conv_bn_relu(wide, channels, 3)
            unit.conv = nn.Conv2d(wide, channels, 3, padding=dilation, dilation=dilation, bias=False)
            self.aspp.append(unit)
        self.bottleneck = conv_bn_relu((len(dilations) + 2) * channels, channels, 3)
        self.dropout = nn.Dropout2d(dropout)
        self.predict = nn.Conv2d(channels, num_classes, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        x = maps[0]
        mean = self.image_pool(functional.adaptive_avg_pool2d(x, 1)).expand(-1, -1, *x.shape[-2:])
        joined = self.bottleneck(torch.cat([mean, *(part(x) for part in self.aspp)], dim=1))
        return self.predict(self.dropout(joined))


class AtrousSeparableHead(nn.Module):
    """DeepLabV3+: the last map under several dilations, enlarged and joined with the first stage's -> logits at its stride."""

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        channels: int = 512,
        low_channels: int = 48,
        dilations: Sequence[int] = DILATIONS,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        wide = in_channels[0]
        self.image_pool = conv_bn_relu(wide, channels)
        self.aspp = nn.ModuleList(
            [conv_bn_relu(wide, channels), *(SeparableConv(wide, channels, d) for d in dilations)]
        )
        self.bottleneck = conv_bn_relu((len(dilations) + 2) * channels, channels, 3)
        self.low = conv_bn_relu(in_channels[2], low_channels)
        self.refine = nn.Sequential(SeparableConv(channels + low_channels, channels), SeparableConv(channels, channels))
        self.dropout = nn.Dropout2d(dropout)
        self.predict = nn.Conv2d(channels, num_classes, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        x, low = maps[0], self.low(maps[2])
        mean = self.image_pool(functional.adaptive_avg_pool2d(x, 1)).expand(-1, -1, *x.shape[-2:])
        joined = self.bottleneck(torch.cat([mean, *(part(x) for part in self.aspp)], dim=1))
        joined = functional.interpolate(joined, low.shape[-2:], mode="bilinear", align_corners=False)
        return self.predict(self.dropout(self.refine(torch.cat([joined, low], dim=1))))


class AuxiliaryConvHead(nn.Module):
    """A 3x3 convolution on the map before the last -> logits, for training alone."""

    def __init__(self, in_channels: int, num_classes: int, channels: int = 256, dropout: float = 0.1) -> None:
        super().__init__()
        self.mix = conv_bn_relu(in_channels, channels, 3)
        self.dropout = nn.Dropout2d(dropout)
        self.predict = nn.Conv2d(channels, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.predict(self.dropout(self.mix(x)))


def mmseg_heads(model: str, in_channels: Sequence[int], num_classes: int, micro: bool) -> tuple[nn.Module, nn.Module]:
    """Main and auxiliary head of a "pspnet_*", "mmseg_deeplabv3_*" or "deeplabv3plus_*"; micro ones have a sixteenth of the
    channels."""
    share = 16 if micro else 1
    aux = AuxiliaryConvHead(in_channels[1], num_classes, 256 // share)
    if model.startswith("pspnet"):
        return PyramidPoolingHead(in_channels, num_classes, 512 // share), aux
    if model.startswith("mmseg_deeplabv3_"):
        return AtrousHead(in_channels, num_classes, 512 // share), aux
    # The embedded pictures' maps are 12 to 24 cells wide: dilations beyond that would see padding alone.
    dilations = (2, 4, 6) if micro else DILATIONS
    return AtrousSeparableHead(in_channels, num_classes, 512 // share, 48 // (share // 4 or 1), dilations), aux
