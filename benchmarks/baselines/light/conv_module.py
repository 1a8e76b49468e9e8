"""Convolution, batch normalisation and activation under OpenMMLab's names (``conv``, ``bn``), and the channel shuffle."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvModule(nn.Module):
    """(B, C_in, H, W) -> (B, C_out, H/stride, W/stride): ``conv``, ``bn`` (or a bias instead), then ReLU, sigmoid or nothing."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        norm: bool = True,
        act: str | None = "relu",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=not norm)
        self.bn = nn.BatchNorm2d(out_channels) if norm else None
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        if self.act == "relu":
            return torch.relu(x)
        return torch.sigmoid(x) if self.act == "sigmoid" else x


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Channel k of group g goes to place k * groups + g: (B, C, H, W) -> the same shape."""
    batch, channels, height, width = x.shape
    return x.reshape(batch, groups, channels // groups, height, width).transpose(1, 2).reshape(x.shape)
