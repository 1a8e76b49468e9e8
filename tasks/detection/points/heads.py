"""The head of FCOS as a module without policy: class logits, distances and centerness of every cell."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from tasks.detection.boxes.point_conventions import PointConventions
from tasks.precision import in_float

PRIOR = 0.01
"""Probability of a class that a fresh head answers: keeps the focal loss of all negatives small."""


class PointHead(nn.Module):
    """``point_head.{cls_tower,reg_tower}.I.{conv,gn}``, ``point_head.{cls,reg,centerness}`` and ``point_head.scales``.

    One head for all levels, with one learnt factor per level. forward(maps, strides) -> per level logits (B, K, H, W),
    distances (B, 4, H, W) (left, top, right, bottom in px; with ``normed`` in strides) and centerness logits (B, 1, H, W).
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        num_levels: int,
        conventions: PointConventions,
        width: int = 256,
        num_convs: int = 4,
    ) -> None:
        super().__init__()
        self.conventions = conventions
        self.cls_tower = _tower(in_channels, width, num_convs, conventions.tower_bias)
        self.reg_tower = _tower(in_channels, width, num_convs, conventions.tower_bias)
        self.cls = nn.Conv2d(width, num_classes, 3, padding=1)
        self.reg = nn.Conv2d(width, 4, 3, padding=1)
        self.centerness = nn.Conv2d(width, 1, 3, padding=1)
        self.scales = nn.ParameterList(nn.Parameter(torch.tensor(1.0)) for _ in range(num_levels))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _normal(module)
        self._set_prior()

    def _set_prior(self) -> None:
        assert self.cls.bias is not None
        nn.init.constant_(self.cls.bias, -math.log((1 - PRIOR) / PRIOR))

    def start_at(self, strides: Sequence[int]) -> None:
        """What a training of minutes needs: boxes that start at four strides a side instead of at two pixels, Kaiming's towers.

        Published weights of N(0, 0.01) before a normalisation suit the small steps of SGD: Adam's first ones would replace them.
        """
        assert self.reg.bias is not None
        first = math.log(2 * strides[0])
        nn.init.constant_(self.reg.bias, first)
        for scale, stride in zip(self.scales, strides, strict=True):
            nn.init.constant_(scale, math.log(2 * stride) / first)
        for unit in (*self.cls_tower, *self.reg_tower):
            nn.init.kaiming_normal_(unit.conv.weight, nonlinearity="relu")  # type: ignore[union-attr, arg-type]

    def set_rows(self, num_classes: int, conventions: PointConventions) -> None:
        """Gives the towers and the class logits what the conventions ask for; what is so already is kept."""
        self.conventions = conventions
        for unit in (*self.cls_tower, *self.reg_tower):
            conv: nn.Conv2d = unit.conv  # type: ignore[union-attr, assignment]
            if (conv.bias is not None) != conventions.tower_bias:
                bias = torch.zeros(conv.out_channels).to(conv.weight) if conventions.tower_bias else None
                conv.bias = None if bias is None else nn.Parameter(bias)
        if self.cls.out_channels != num_classes:
            like = self.cls.weight
            self.cls = nn.Conv2d(self.cls.in_channels, num_classes, 3, padding=1).to(like)
            _normal(self.cls)
            self._set_prior()

    def forward(self, maps: Sequence[Tensor]) -> list[tuple[Tensor, Tensor, Tensor]]:
        outputs = []
        for x, scale in zip(maps, self.scales, strict=True):
            classes, boxes = self.cls_tower(x), self.reg_tower(x)
            distance = scale * in_float(self.reg(boxes))  # an exponential in bf16 would be a percent off
            distance = functional.relu(distance) if self.conventions.normed else distance.exp()
            seen = classes if self.conventions.centerness_from == "class" else boxes
            outputs.append((self.cls(classes), distance, self.centerness(seen)))
        return outputs


def _tower(in_channels: int, width: int, num_convs: int, bias: bool) -> nn.Sequential:
    # 32 groups of 8 channels in the published width; narrower towers keep the channels of a group above one.
    groups = min(32, max(1, width // 8))
    return nn.Sequential(
        *(
            nn.Sequential(
                OrderedDict(
                    conv=nn.Conv2d(in_channels if i == 0 else width, width, 3, padding=1, bias=bias),
                    gn=nn.GroupNorm(groups, width),
                    relu=nn.ReLU(inplace=True),
                )
            )
            for i in range(num_convs)
        )
    )


def _normal(conv: nn.Conv2d) -> None:
    nn.init.normal_(conv.weight, std=0.01)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
