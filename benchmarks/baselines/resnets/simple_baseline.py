"""SimpleBaseline (arXiv 1804.06208): a ResNet and three transposed convolutions; one map at stride 4."""

from __future__ import annotations

from torch import Tensor, nn

from benchmarks.baselines.resnets.resnet import DEPTHS, ResNet
from hrnet.backbone import initialise

NAMES = (
    "simple_baseline_r50",
    "simple_baseline_r101",
    "simple_baseline_r152",
    "simple_baseline_micro",
    "simple_baseline_micro_w22",
)
MICRO = ("simple_baseline_micro", "simple_baseline_micro_w22")
TRAITS = {"structure": "encoder_decoder", "origin": "simple_baseline"}

_RESNETS = {"simple_baseline_r50": "resnet50", "simple_baseline_r101": "resnet101", "simple_baseline_r152": "resnet152"}
_MICRO = {"simple_baseline_micro": 16, "simple_baseline_micro_w22": 22}
"""Channels of the first stage and of the transposed convolutions; w22 costs what micro HRNet does with all maps (V2)."""


def deconvolutions(channels: int, count: int = 3, width: int = 256, bn_momentum: float = 0.1) -> nn.Sequential:
    """`count` times [4x4 transposed convolution with stride 2 and no bias, BN, ReLU], with PyTorch's own start."""
    layers: list[nn.Module] = []
    for _ in range(count):
        layers.append(nn.ConvTranspose2d(channels, width, 4, 2, 1, bias=False))
        layers += [nn.BatchNorm2d(width, momentum=bn_momentum), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


class SimpleBaseline(ResNet):
    """forward(images (B, 3, H, W)) -> [map (B, width, H/4, W/4)].

    ``deconv_layers`` holds three times [4x4 transposed convolution with stride 2 and no bias, BN, ReLU]. For sizes that
    are not divisible by 32 the map is 8 times the size of C5.
    """

    def __init__(
        self, block: str, blocks: tuple[int, int, int, int], first: int, width: int = 256, bn_momentum: float = 0.1
    ) -> None:
        super().__init__(block, blocks, first, bn_momentum)
        self.deconv_layers = deconvolutions(self.out_channels[-1], 3, width, bn_momentum)
        self.out_channels, self.strides = (width,), (4,)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.deconv_layers(super().forward(images)[-1])]


def build(name: str, bn_momentum: float = 0.1, init: str = "kaiming") -> SimpleBaseline:
    """One of :data:`NAMES`. ``init`` is the ResNet's; the transposed convolutions always start from N(0, 0.001)."""
    if name in _RESNETS:
        body = SimpleBaseline(*DEPTHS[_RESNETS[name]], bn_momentum=bn_momentum)
    else:
        body = SimpleBaseline("basic", (1, 1, 1, 1), _MICRO[name], _MICRO[name], bn_momentum=bn_momentum)
    initialise(body, init)
    initialise(body.deconv_layers, "normal_0.001")
    return body
