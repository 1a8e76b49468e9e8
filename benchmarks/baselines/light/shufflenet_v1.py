"""ShuffleNet V1 with three groups (arXiv 1707.01083), with mmpose's parameter names: an encoder, not a body by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.baselines.light.conv_module import ConvModule, channel_shuffle

GROUPS = 3
CHANNELS = (240, 480, 960)
BLOCKS = (4, 8, 4)


class ShuffleUnit(nn.Module):
    """1x1 grouped convolution, 3x3 depthwise, shuffle, 1x1 grouped: added to the input, or (``down``) beside its average."""

    def __init__(self, in_channels: int, out_channels: int, *, down: bool, first_groups: int = GROUPS) -> None:
        super().__init__()
        middle = out_channels // 4
        made = out_channels - in_channels if down else out_channels
        self.down = down
        self.g_conv_1x1_compress = ConvModule(in_channels, middle, 1, groups=first_groups)
        self.depthwise_conv3x3_bn = ConvModule(middle, middle, 3, 2 if down else 1, groups=middle, act=None)
        self.g_conv_1x1_expand = ConvModule(middle, made, 1, groups=GROUPS, act=None)

    def forward(self, x: Tensor) -> Tensor:
        y = channel_shuffle(self.depthwise_conv3x3_bn(self.g_conv_1x1_compress(x)), GROUPS)
        y = self.g_conv_1x1_expand(y)
        return functional.relu(torch.cat([functional.avg_pool2d(x, 3, 2, 1), y], 1) if self.down else x + y)


class ShuffleNetV1(nn.Module):
    """forward(images (B, 3, H, W)) -> (B, 960, H/32, W/32)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvModule(3, 24, 3, 2)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels, stages = 24, []
        for number, (width, count) in enumerate(zip(CHANNELS, BLOCKS, strict=True)):
            # The very first 1x1 convolution has too few channels for groups.
            units = [ShuffleUnit(channels, width, down=True, first_groups=1 if number == 0 else GROUPS)]
            units += [ShuffleUnit(width, width, down=False) for _ in range(count - 1)]
            stages.append(nn.Sequential(*units))
            channels = width
        self.layers = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> Tensor:
        x: Tensor = self.maxpool(self.conv1(images))
        for stage in self.layers:
            x = stage(x)
        return x
