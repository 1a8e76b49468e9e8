"""SimpleBaseline (arXiv 1804.06208): a ResNet and three transposed convolutions; one map at stride 4."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from benchmarks.baselines.resnets.resnet import DEPTHS, ResNet
from hrnet.backbone import initialise

NAMES = (
    "simple_baseline_r50",
    "simple_baseline_r101",
    "simple_baseline_r152",
    "simple_baseline_r50_caffe",
    "simple_baseline_r101_caffe",
    "simple_baseline_r152_caffe",
    "simple_baseline_micro",
    "simple_baseline_micro_w22",
)
MICRO = ("simple_baseline_micro", "simple_baseline_micro_w22")
TRAITS = {"structure": "encoder_decoder", "origin": "simple_baseline"}

_RESNETS = {
    f"simple_baseline_r{depth}{style}": f"resnet{depth}{style}" for depth in (50, 101, 152) for style in ("", "_caffe")
}
_MICRO = {"simple_baseline_micro": 16, "simple_baseline_micro_w22": 22}
"""Channels of the first stage and of the transposed convolutions; w22 costs what micro HRNet does with all maps (V2)."""


KERNELS = {4: (1, 0), 3: (1, 1), 2: (0, 0)}
"""Side of a transposed convolution -> its padding and output padding, with which it doubles the map."""


def deconvolutions(
    channels: int, count: int = 3, width: int = 256, bn_momentum: float = 0.1, kernel: int = 4
) -> nn.Sequential:
    """`count` times [4x4 transposed convolution with stride 2 and no bias, BN, ReLU], with PyTorch's own start."""
    if kernel not in KERNELS or count < 1:
        raise ValueError(
            f"Expected 1 transposed convolution or more of side 2, 3 or 4, got {count} of side {kernel}; set deconvs and kernel."
        )
    layers: list[nn.Module] = []
    for _ in range(count):
        layers.append(nn.ConvTranspose2d(channels, width, kernel, 2, *KERNELS[kernel], bias=False))
        layers += [nn.BatchNorm2d(width, momentum=bn_momentum), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


class SimpleBaseline(ResNet):
    """forward(images (B, 3, H, W)) -> [map (B, width, H/4, W/4)].

    ``deconv_layers`` holds three times [4x4 transposed convolution with stride 2 and no bias, BN, ReLU]. For sizes that
    are not divisible by 32 the map is 8 times the size of C5.
    """

    def __init__(
        self,
        block: str,
        blocks: tuple[int, int, int, int],
        first: int,
        width: int = 256,
        bn_momentum: float = 0.1,
        deconvs: int = 3,
        kernel: int = 4,
    ) -> None:
        super().__init__(block, blocks, first, bn_momentum)
        self.deconv_layers = deconvolutions(self.out_channels[-1], deconvs, width, bn_momentum, kernel)
        self.out_channels, self.strides = (width,), (32 // 2**deconvs,)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.deconv_layers(super().forward(images)[-1])]


def build(
    name: str, bn_momentum: float = 0.1, init: str = "kaiming", deconvs: int = 3, kernel: int = 4
) -> SimpleBaseline:
    """One of :data:`NAMES`. ``init`` is the ResNet's; the transposed convolutions always start from N(0, 0.001).

    ``deconvs`` is their number, ``kernel`` their side (the paper's Table 2 compares 2 and 3 of them, with sides of 2, 3 and 4).
    """
    options: dict[str, Any] = {"bn_momentum": bn_momentum, "deconvs": deconvs, "kernel": kernel}
    if name in _RESNETS:
        body = SimpleBaseline(*DEPTHS[_RESNETS[name]], **options)
    else:
        body = SimpleBaseline("basic", (1, 1, 1, 1), _MICRO[name], _MICRO[name], **options)
    initialise(body, init)
    initialise(body.deconv_layers, "normal_0.001")
    return body
