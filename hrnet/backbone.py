"""The whole body: stem, four stages of one to four parallel resolutions, and their transitions."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from hrnet.blocks import block_chain
from hrnet.exchange import ExchangeUnit
from hrnet.names import nearest
from hrnet.stages import Transition, build_stage
from hrnet.variants import VARIANTS, HRNetSpec

CONVENTIONS = ("upsample", "align_corners", "bn_momentum")
"""Spec fields that can change on a built network, because no parameter depends on them."""


class HRNet(nn.Module):
    """forward(images (B, 3, H, W)) -> list of maps (B, C_i, H/s, W/s), s = 4, 8, 16, 32.

    Parameter names follow the grammar that every public HRNet shares (``stage3.1.fuse_layers.0.2.0.weight``).
    With ``fuse_last="one"`` the list has the stride-4 map only. Maps are rounded up where a size is not divisible.

    Attributes:
        spec: the frozen description that built it, updated by :meth:`set_conventions`.
        out_channels, strides: of the returned maps.
        stated: names of the fields that the caller changed, which a checkpoint may not overrule.
    """

    def __init__(self, spec: HRNetSpec, stated: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.spec = spec
        self.stated = stated
        m, stem = spec.bn_momentum, spec.stem_channels
        self.conv1 = nn.Conv2d(3, stem, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem, momentum=m)
        self.conv2 = nn.Conv2d(stem, stem, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(stem, momentum=m)
        self.relu = nn.ReLU(inplace=True)
        first = spec.stage1
        self.layer1 = block_chain(first.block, stem, first.channels[0], first.num_blocks, m)
        outs = [stage.out_channels for stage in spec.stages]
        self.transition1 = Transition(outs[0], outs[1], spec.transition_input, m)
        self.stage2 = build_stage(spec, 2)
        self.transition2 = Transition(outs[1], outs[2], spec.transition_input, m)
        self.stage3 = build_stage(spec, 3)
        self.transition3 = Transition(outs[2], outs[3], spec.transition_input, m)
        self.stage4 = build_stage(spec, 4)
        num_outputs = 1 if spec.fuse_last == "one" else 4
        self.out_channels: tuple[int, ...] = outs[3][:num_outputs]
        self.strides: tuple[int, ...] = (4, 8, 16, 32)[:num_outputs]
        initialise(self, spec.init)

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.relu(self.bn2(self.conv2(x)))
        xs = [self.layer1(x)]
        for transition, stage in (
            (self.transition1, self.stage2),
            (self.transition2, self.stage3),
            (self.transition3, self.stage4),
        ):
            xs = stage(transition(xs))
        return xs[: len(self.strides)]

    def recomputable(self) -> list[nn.Module]:
        """The bottlenecks at the highest resolution and every module of the three stages: see `hrnet.traits.Recomputable`."""
        return [*self.layer1, *self.stage2, *self.stage3, *self.stage4]

    def set_conventions(self, **conventions: Any) -> None:
        """Sets ``upsample``, ``align_corners`` or ``bn_momentum`` on the built network; no parameter changes.

        Raises:
            ValueError: the name is not one of these, or the value is not allowed.
        """
        unknown = sorted(set(conventions) - set(CONVENTIONS))
        if unknown:
            raise ValueError(f"Expected conventions among {CONVENTIONS}, got {unknown}; other fields need a new build.")
        self.spec = self.spec.change(**conventions)
        for module in self.modules():
            if isinstance(module, ExchangeUnit):
                module.upsample, module.align_corners = self.spec.upsample, self.spec.align_corners
            elif isinstance(module, nn.BatchNorm2d) and "bn_momentum" in conventions:
                module.momentum = self.spec.bn_momentum


Biases = Literal["zero", "uniform"]
"""How a convolution's bias starts: see :func:`initialise`."""


@torch.no_grad()
def initialise(module: nn.Module, scheme: str, biases: Biases = "zero") -> None:
    """Initialises every convolution and batch normalisation below ``module``.

    "kaiming": normal, fan-out, ReLU (classification code); "normal_0.001": N(0, 0.001) (pose, segmentation and face code);
    "default": PyTorch's own, untouched.

    Args:
        biases: of convolutions; "zero" (pose code), or "uniform": PyTorch's own within 1 / sqrt(fan-in), which the
            segmentation, face and classification code leave as they are.
    """
    if scheme == "default":
        return
    for child in module.modules():
        if isinstance(child, nn.Conv2d | nn.ConvTranspose2d):
            if scheme == "kaiming":
                nn.init.kaiming_normal_(child.weight, mode="fan_out", nonlinearity="relu")
            else:
                nn.init.normal_(child.weight, std=0.001)
            if child.bias is not None:
                start_bias(child, biases)
        elif isinstance(child, nn.BatchNorm2d):
            nn.init.ones_(child.weight)
            nn.init.zeros_(child.bias)


@torch.no_grad()
def start_bias(layer: nn.Conv2d | nn.ConvTranspose2d, biases: Biases) -> None:
    """Sets a layer's bias to zero, or draws it as PyTorch does, uniform within 1 / sqrt(fan-in)."""
    assert layer.bias is not None
    if biases == "zero":
        nn.init.zeros_(layer.bias)
    else:
        bound = layer.weight[0].numel() ** -0.5
        nn.init.uniform_(layer.bias, -bound, bound)


def build_backbone(name: str, **changes: Any) -> HRNet:
    """Builds a body of :data:`hrnet.VARIANTS`, with spec fields replaced by ``changes``.

    Raises:
        ValueError: the name or a field is unknown; the nearest one is named.

    Example:
        >>> maps = build_backbone("hrnet_w32", upsample="bilinear")(images)  # 4 maps, strides 4, 8, 16, 32
    """
    if name not in VARIANTS:
        raise ValueError(f"Unknown HRNet variant {name!r}. {nearest(name, VARIANTS)}")
    return HRNet(VARIANTS[name].change(**changes), frozenset(changes))
