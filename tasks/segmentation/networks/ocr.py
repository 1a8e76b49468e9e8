"""The object-contextual head (OCR): every pixel is described a second time by the soft object regions that it belongs to.

Source: arXiv 1909.11065 as HRNet's OCR branch builds it (docs/protocols.md, section 1.3); same shapes, own names.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


def conv_bn_relu(
    in_channels: int, out_channels: int, kernel: int, momentum: float, bias: bool = False
) -> nn.Sequential:
    """Convolution (same size), BN and ReLU under the names ``conv``, ``bn``, ``relu``."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=bias),
            bn=nn.BatchNorm2d(out_channels, momentum=momentum),
            relu=nn.ReLU(inplace=True),
        )
    )


class AuxiliaryHead(nn.Module):
    """The coarse prediction whose maps gather the object regions: (B, C, H, W) -> logits (B, num_classes, H, W)."""

    def __init__(self, in_channels: int, num_classes: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, in_channels, 1)
        self.bn = nn.BatchNorm2d(in_channels, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.predict = nn.Conv2d(in_channels, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.predict(self.relu(self.bn(self.conv(x))))


def gather_regions(features: Tensor, logits: Tensor) -> Tensor:
    """Soft object regions: the mean feature under each class's map, a softmax over *space*.

    Args:
        features: (B, C, H, W). logits: (B, K, H, W).

    Returns:
        (B, C, K, 1).
    """
    shares = logits.flatten(2).softmax(dim=2)
    return torch.bmm(features.flatten(2), shares.transpose(1, 2)).unsqueeze(3)


class ObjectAttention(nn.Module):
    """Pixels ask the regions: (B, C, H, W) and (B, C, K, 1) -> context (B, C, H, W)."""

    def __init__(self, channels: int, key_channels: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.key_channels = key_channels

        def twice() -> nn.Sequential:
            return nn.Sequential(
                conv_bn_relu(channels, key_channels, 1, momentum), conv_bn_relu(key_channels, key_channels, 1, momentum)
            )

        self.pixel, self.object = twice(), twice()
        self.down = conv_bn_relu(channels, key_channels, 1, momentum)
        self.up = conv_bn_relu(key_channels, channels, 1, momentum)

    def forward(self, features: Tensor, regions: Tensor) -> Tensor:
        batch, _, height, width = features.shape
        query = self.pixel(features).flatten(2).transpose(1, 2)
        key = self.object(regions).flatten(2)
        value = self.down(regions).flatten(2).transpose(1, 2)
        attention = (torch.bmm(query, key) * self.key_channels**-0.5).softmax(dim=2)
        context = torch.bmm(attention, value).transpose(1, 2).reshape(batch, self.key_channels, height, width)
        return self.up(context)


class OCRHead(nn.Module):
    """Concatenated maps (B, 15C, H, W) -> [auxiliary logits, logits], both (B, num_classes, H, W).

    Goes with the representation "V2cat". Initialised as PyTorch does, like the reference's.

    Args:
        channels: of the pixel features and the context; key_channels: of the attention.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        channels: int = 512,
        key_channels: int = 256,
        dropout: float = 0.05,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        self.aux = AuxiliaryHead(in_channels, num_classes, momentum)
        self.ocr = conv_bn_relu(in_channels, channels, 3, momentum, bias=True)
        self.attention = ObjectAttention(channels, key_channels, momentum)
        self.fuse = conv_bn_relu(2 * channels, channels, 1, momentum)
        self.dropout = nn.Dropout2d(dropout)
        self.predict = nn.Conv2d(channels, num_classes, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        coarse = self.aux(x)
        features = self.ocr(x)
        context = self.attention(features, gather_regions(features, coarse))
        return [coarse, self.predict(self.dropout(self.fuse(torch.cat([context, features], dim=1))))]
