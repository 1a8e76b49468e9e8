"""Residual blocks: two 3x3 convolutions (basic), or 1x1, 3x3, 1x1 with four times the channels (bottleneck)."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional


def conv_bn(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, *, momentum: float = 0.1, relu: bool = False
) -> nn.Sequential:
    """Convolution without bias, batch normalisation and, if asked for, ReLU; padded so that stride 1 keeps the size."""
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels, momentum=momentum),
    ]
    if relu:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class BasicBlock(nn.Module):
    """(B, C_in, H, W) -> (B, planes, H/stride, W/stride): 3x3, BN, ReLU, 3x3, BN, plus the shortcut, ReLU."""

    expansion = 1

    def __init__(self, in_channels: int, planes: int, stride: int = 1, momentum: float = 0.1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes, momentum=momentum)
        self.downsample = _shortcut(in_channels, planes, stride, momentum)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        result: Tensor = self.relu(self.bn2(self.conv2(x)).add_(shortcut))
        return result


class Bottleneck(nn.Module):
    """(B, C_in, H, W) -> (B, 4 planes, H/stride, W/stride); the stride is on the 3x3 convolution."""

    expansion = 4

    def __init__(self, in_channels: int, planes: int, stride: int = 1, momentum: float = 0.1) -> None:
        super().__init__()
        out_channels = planes * self.expansion
        self.conv1 = nn.Conv2d(in_channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes, momentum=momentum)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes, momentum=momentum)
        self.conv3 = nn.Conv2d(planes, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, out_channels, stride, momentum)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        result: Tensor = self.relu(self.bn3(self.conv3(x)).add_(shortcut))
        return result


class SubsampledConv(nn.Conv2d):
    """A 1x1 convolution whose stride is taken by slicing first: the same sums.

    oneDNN's own strided backward (PyTorch 2.15) overruns memory for channels-last maps, several threads, an odd batch and
    channels that are no multiple of eight.
    """

    def forward(self, x: Tensor) -> Tensor:
        step_y, step_x = self.stride
        return functional.conv2d(x[..., ::step_y, ::step_x], self.weight, self.bias)


def _shortcut(in_channels: int, out_channels: int, stride: int, momentum: float) -> nn.Sequential | None:
    if stride == 1 and in_channels == out_channels:
        return None
    conv = SubsampledConv(in_channels, out_channels, 1, stride, bias=False)
    return nn.Sequential(OrderedDict([("0", conv), ("1", nn.BatchNorm2d(out_channels, momentum=momentum))]))


BLOCKS: dict[str, type[BasicBlock] | type[Bottleneck]] = {"basic": BasicBlock, "bottleneck": Bottleneck}


def block_chain(block: str, in_channels: int, planes: int, num_blocks: int, momentum: float) -> nn.Sequential:
    """``num_blocks`` residual blocks at one resolution; the first adapts the channels."""
    kind = BLOCKS[block]
    layers = [kind(in_channels, planes, momentum=momentum)]
    layers += [kind(planes * kind.expansion, planes, momentum=momentum) for _ in range(num_blocks - 1)]
    return nn.Sequential(*layers)
