"""Dilated ResNets with a stem of three 3x3 convolutions: the bodies of mmseg's PSPNet and DeepLabV3+.

The last two stages keep stride 8 and dilate by 2 and 4, the first block of each by half of that. Heads:
tasks/segmentation/networks/mmseg_heads.py.
"""

from __future__ import annotations

from torch import Tensor, nn

from hrnet.backbone import initialise

NAMES = (
    "pspnet_r50",
    "pspnet_r101",
    "pspnet_micro",
    "mmseg_deeplabv3_r50",
    "mmseg_deeplabv3_r101",
    "deeplabv3plus_r50",
    "deeplabv3plus_r101",
    "deeplabv3plus_micro",
)
TRAITS = {"structure": "dilated", "origin": "mmseg"}
MICRO = ("pspnet_micro", "deeplabv3plus_micro")
SIZES = {"r50": ((3, 4, 6, 3), 64), "r101": ((3, 4, 23, 3), 64), "micro": ((1, 1, 1, 1), 6)}
"""Blocks per stage, and planes of the first stage's bottlenecks, doubled at each further one."""


class DilatedResNetV1c(nn.Module):
    """forward(images (B, 3, H, W)) -> [last stage (B, 32 P, H/8, W/8), the one before (B, 16 P, H/8, W/8), the first
    (B, 4 P, H/4, W/4)], P the planes of the first stage (64 as published)."""

    def __init__(self, blocks: tuple[int, ...], planes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_convolution(3, planes // 2, 2),
            *_convolution(planes // 2, planes // 2),
            *_convolution(planes // 2, planes),
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = planes
        for number, (count, stride, dilation) in enumerate(zip(blocks, (1, 2, 1, 1), (1, 1, 2, 4), strict=True)):
            width = planes * 2**number
            self.add_module(f"layer{number + 1}", _stage(channels, width, count, stride, dilation))
            channels = 4 * width
        self.out_channels: tuple[int, ...] = (channels, channels // 2, 4 * planes)
        self.strides: tuple[int, ...] = (8, 8, 4)
        initialise(self, "kaiming")

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.maxpool(self.stem(images))
        maps = []
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
            maps.append(x)
        return [maps[3], maps[2], maps[0]]


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
    return [conv, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]


def _stage(in_channels: int, planes: int, count: int, stride: int, dilation: int) -> nn.Sequential:
    from torchvision.models.resnet import Bottleneck

    shortcut = nn.Sequential(nn.Conv2d(in_channels, 4 * planes, 1, stride, bias=False), nn.BatchNorm2d(4 * planes))
    first = Bottleneck(in_channels, planes, stride, shortcut, dilation=max(1, dilation // 2))
    return nn.Sequential(first, *(Bottleneck(4 * planes, planes, dilation=dilation) for _ in range(count - 1)))


def build(name: str) -> DilatedResNetV1c:
    """One of :data:`NAMES`."""
    blocks, planes = SIZES[name.rpartition("_")[2]]
    return DilatedResNetV1c(blocks, planes)
