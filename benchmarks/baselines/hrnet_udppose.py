"""The HRNet of UDP-Pose (arXiv 1911.07524): its last exchange makes a map of four times the width.

mmpose's UDP networks are plain HRNets; this one's parameters fit no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from hrnet.backbone import HRNet, initialise
from hrnet.blocks import conv_bn
from hrnet.exchange import ExchangeUnit
from hrnet.variants import VARIANTS

NAMES = ("hrnet_w32_udppose", "hrnet_w48_udppose")
TRAITS = {"structure": "parallel", "origin": "udp_pose", "options": ("bn_momentum", "init", "upsample")}

WIDENING = 4


class WideFusion(ExchangeUnit):
    """The exchange's first output alone, with four times its channels; its own branch passes a plain 1x1 convolution."""

    def __init__(self, channels: Sequence[int], **conventions: Any) -> None:
        super().__init__(channels, 1, **conventions)
        width = channels[0] * WIDENING
        momentum = conventions.get("momentum", 0.1)
        row = nn.ModuleDict({"0": nn.Sequential(nn.Conv2d(channels[0], width, 1, bias=False))})
        row.update({str(j): conv_bn(c, width, 1, momentum=momentum) for j, c in enumerate(channels) if j > 0})
        self["0"] = row


class UdpPoseHRNet(HRNet):
    """forward(images (B, 3, H, W)) -> [map (B, 4 width, H/4, W/4)]."""

    def __init__(self, name: str, **changes: Any) -> None:
        spec = VARIANTS[name].change(**{"init": "normal_0.001", **changes, "fuse_last": "one"})
        super().__init__(spec, frozenset(changes))
        last: Any = self.stage4[-1]
        last.fuse_layers = WideFusion(
            spec.stage4.out_channels,
            upsample=spec.upsample,
            align_corners=spec.align_corners,
            momentum=spec.bn_momentum,
        )
        initialise(last.fuse_layers, spec.init)
        self.out_channels = (spec.width * WIDENING,)


def build(name: str, **options: Any) -> UdpPoseHRNet:
    """One of :data:`NAMES`; `options` are spec fields of HRNet, as ``TRAITS`` lists them."""
    return UdpPoseHRNet(name.removesuffix("_udppose"), **options)
