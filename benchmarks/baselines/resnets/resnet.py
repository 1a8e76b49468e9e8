"""ResNet and ResNeXt (arXiv 1512.03385, 1611.05431), the common serial bodies: maps C2 to C5, torchvision's parameter names."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hrnet.backbone import initialise
from hrnet.blocks import BLOCKS, Bottleneck, SubsampledConv

NAMES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet50_caffe",
    "resnet101_caffe",
    "resnet152_caffe",
    "resnext101_32x4d",
    "resnext101_64x4d",
    "resnet_micro",
    "resnet_micro_w8",
    "resnet_micro_w10",
)
MICRO = ("resnet_micro", "resnet_micro_w8", "resnet_micro_w10")
TRAITS = {"structure": "encoder", "origin": "torchvision"}

DEPTHS: dict[str, tuple[str, tuple[int, int, int, int], int]] = {
    "resnet18": ("basic", (2, 2, 2, 2), 64),
    "resnet34": ("basic", (3, 4, 6, 3), 64),
    "resnet50": ("bottleneck", (3, 4, 6, 3), 64),
    "resnet101": ("bottleneck", (3, 4, 23, 3), 64),
    "resnet152": ("bottleneck", (3, 8, 36, 3), 64),
    "resnet50_caffe": ("caffe", (3, 4, 6, 3), 64),
    "resnet101_caffe": ("caffe", (3, 4, 23, 3), 64),
    "resnet152_caffe": ("caffe", (3, 8, 36, 3), 64),
    "resnext101_32x4d": ("32x4d", (3, 4, 23, 3), 64),
    "resnext101_64x4d": ("64x4d", (3, 4, 23, 3), 64),
    "resnet_micro": ("basic", (2, 2, 2, 1), 12),
    "resnet_micro_w8": ("basic", (2, 2, 2, 1), 8),
    "resnet_micro_w10": ("basic", (2, 2, 2, 1), 10),
}
"""Name -> kind of block, blocks per stage, channels of the first stage (doubled at each further one). The micro sizes cost
what micro HRNet does: under a pyramid, w10 with all maps (V2), and w8 with all maps where HRNet gives its highest alone (V1)."""


class CaffeBottleneck(Bottleneck):
    """The first networks' bottleneck (arXiv 1512.03385): the stride is on the first 1x1 convolution."""

    def __init__(self, in_channels: int, planes: int, stride: int = 1, momentum: float = 0.1) -> None:
        super().__init__(in_channels, planes, stride, momentum)
        self.conv1 = SubsampledConv(in_channels, planes, 1, stride, bias=False)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)


class GroupedBottleneck(Bottleneck):
    """ResNeXt's (arXiv 1611.05431): `groups` groups of planes * group_width / 64 channels in the 3x3 convolution."""

    groups, group_width = 32, 4

    def __init__(self, in_channels: int, planes: int, stride: int = 1, momentum: float = 0.1) -> None:
        super().__init__(in_channels, planes, stride, momentum)
        width = planes * self.group_width // 64 * self.groups
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width, momentum=momentum)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=self.groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width, momentum=momentum)
        self.conv3 = nn.Conv2d(width, planes * self.expansion, 1, bias=False)


class WiderGroupedBottleneck(GroupedBottleneck):
    """The same with 64 groups."""

    groups = 64


KINDS = {**BLOCKS, "caffe": CaffeBottleneck, "32x4d": GroupedBottleneck, "64x4d": WiderGroupedBottleneck}


class ResNet(nn.Module):
    """forward(images (B, 3, H, W)) -> [C2, C3, C4, C5], each (B, C_i, H/s, W/s), s = 4, 8, 16, 32.

    7x7 stem with stride 2, 3x3 max pooling with stride 2, four stages; a bottleneck's stride is on its 3x3 convolution, of the
    "_caffe" ones on the 1x1 before it.
    """

    def __init__(self, block: str, blocks: Sequence[int], width: int, bn_momentum: float = 0.1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width, momentum=bn_momentum)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        kind = KINDS[block]
        channels, outs = width, []
        for number, count in enumerate(blocks):
            planes = width * 2**number
            layers: list[nn.Module] = []
            for k in range(count):
                stride = 2 if number > 0 and k == 0 else 1
                layers.append(kind(channels, planes, stride, bn_momentum))
                channels = planes * kind.expansion
            self.add_module(f"layer{number + 1}", nn.Sequential(*layers))
            outs.append(channels)
        self.out_channels: tuple[int, ...] = tuple(outs)
        self.strides: tuple[int, ...] = (4, 8, 16, 32)

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        maps = []
        for number in range(4):
            x = getattr(self, f"layer{number + 1}")(x)
            maps.append(x)
        return maps


def build(name: str, bn_momentum: float = 0.1, init: str = "kaiming") -> ResNet:
    """One of :data:`NAMES`; ``init`` as in :func:`hrnet.backbone.initialise`."""
    block, blocks, width = DEPTHS[name]
    body = ResNet(block, blocks, width, bn_momentum)
    initialise(body, init)
    return body
