"""What a head sees of a body's maps: V1, V1h, V2, V2p, C, Ci, Cii (arXiv 1908.07919), and FPN for serial rivals.

Each takes a list of maps, highest resolution first, of any body. Channel counts and strides come from the body's
``out_channels`` and ``strides``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hrnet.backbone import initialise
from hrnet.blocks import Bottleneck
from hrnet.exchange import upsample_to
from hrnet.names import nearest


class Representation(nn.Module):
    """Base: list of maps -> one map (B, C, H, W), or a list for the pyramids.

    Attributes:
        out_channels, strides: of the outputs, one entry each.
        align_corners: of bilinear upsampling, where there is any.
    """

    out_channels: tuple[int, ...]
    strides: tuple[int, ...]
    align_corners: bool = False


class V1(Representation):
    """The map of highest resolution alone; ``level`` reads a lower one instead (the papers' resolution ablation)."""

    def __init__(self, channels: Sequence[int], strides: Sequence[int], level: int = 0) -> None:
        super().__init__()
        if not 0 <= level < len(channels):
            raise ValueError(f"Expected a level between 0 and {len(channels) - 1} for this body, got {level}.")
        self.level = level
        self.out_channels, self.strides = (channels[level],), (strides[level],)

    def forward(self, maps: list[Tensor]) -> Tensor:
        return maps[self.level]


class V1h(Representation):
    """The map of highest resolution, widened to V2's width by a 1x1 convolution (bias), BN and ReLU."""

    def __init__(self, channels: Sequence[int], strides: Sequence[int], momentum: float = 0.1) -> None:
        super().__init__()
        width = sum(channels) if len(channels) > 1 else channels[0]
        self.mix = _mix(channels[0], width, momentum)
        self.out_channels, self.strides = (width,), (strides[0],)

    def forward(self, maps: list[Tensor]) -> Tensor:
        result: Tensor = self.mix(maps[0])
        return result


class V2(Representation):
    """All maps, upsampled bilinearly to the highest resolution, concatenated, mixed by 1x1 convolution (bias), BN, ReLU.

    For an HRNet of width C that is 15 C channels.
    """

    def __init__(
        self, channels: Sequence[int], strides: Sequence[int], momentum: float = 0.1, align_corners: bool = False
    ) -> None:
        super().__init__()
        width = sum(channels)
        self.align_corners = align_corners
        self.mix = _mix(width, width, momentum)
        self.out_channels, self.strides = (width,), (strides[0],)

    def forward(self, maps: list[Tensor]) -> Tensor:
        result: Tensor = self.mix(concatenate(maps, self.align_corners))
        return result


class V2Concat(Representation):
    """V2 before its mixing convolution: what the OCR head starts from."""

    def __init__(self, channels: Sequence[int], strides: Sequence[int], align_corners: bool = False) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.out_channels, self.strides = (sum(channels),), (strides[0],)

    def forward(self, maps: list[Tensor]) -> Tensor:
        return concatenate(maps, self.align_corners)


class Pyramid(Representation):
    """One high-resolution map, reduced by 1x1 convolution, average-pooled to five levels, a 3x3 convolution on each.

    ``source`` says which map is reduced: "V2" (V2p), "V1" or "V1h" (the rivals in the papers' ablation). ``levels`` is their
    number, ``step`` the stride of the 3x3 convolutions (2 in FCOS of five levels).

    Returns five maps (B, width, H/s, W/s), s = 4, 8, 16, 32, 64 for a stride-4 body; with ``highest_only`` the first of
    them alone, as one tensor: what a dense task reads of it.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        source: str = "V2",
        width: int = 256,
        align_corners: bool = False,
        highest_only: bool = False,
        levels: int = 5,
        step: int = 1,
    ) -> None:
        super().__init__()
        self.source, self.align_corners, self.highest_only = source, align_corners, highest_only
        num_levels = 1 if highest_only else levels
        wide = sum(channels)
        self.widen = nn.Conv2d(channels[0], wide, 1) if source == "V1h" else None
        self.reduce = nn.Conv2d(channels[0] if source == "V1" else wide, width, 1)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, step, 1) for _ in range(num_levels))
        for conv in self.modules():
            if isinstance(conv, nn.Conv2d):
                nn.init.kaiming_normal_(conv.weight, a=1)
                assert conv.bias is not None
                nn.init.zeros_(conv.bias)
        self.out_channels = (width,) * num_levels
        self.strides = tuple(strides[0] * step * 2**i for i in range(num_levels))

    def forward(self, maps: list[Tensor]) -> list[Tensor] | Tensor:
        if self.source == "V2":
            x = concatenate(maps, self.align_corners)
        else:
            x = maps[0] if self.widen is None else self.widen(maps[0])
        x = self.reduce(x)
        if self.highest_only:
            result: list[Tensor] | Tensor = self.smooth[0](x)
            return result
        height, width = x.shape[-2:]
        # Of a map narrower than the window there is still one column.
        windows = [(min(2**i, height), min(2**i, width)) for i in range(1, len(self.smooth))]
        pooled = [x] + [functional.avg_pool2d(x, window) for window in windows]
        return [smooth(level) for smooth, level in zip(self.smooth, pooled, strict=True)]


class FPN(Representation):
    """Feature pyramid of serial bodies: 1x1 laterals, nearest top-down sums, 3x3 per level, extra levels by stride 2.

    Returns five maps; the fifth is a stride-2 subsampling of the fourth (arXiv 1612.03144, as detection code builds it).
    ``levels`` is their number; with ``step`` 2 the body's finest map is left out (FCOS's levels from stride 8 on). ``extra``
    says how levels beyond the body's are made: "pool", or "conv" (3x3 of stride 2, from the second on after ReLU; FCOS's).
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        width: int = 256,
        levels: int = 5,
        step: int = 1,
        extra: str = "pool",
    ) -> None:
        super().__init__()
        self.first, self.levels = step - 1, levels
        if len(channels) <= self.first:
            raise ValueError(
                f"Expected a body of several maps for an FPN of step {step}, got {len(channels)}; use V2p."
            )
        channels, strides = channels[self.first :], strides[self.first :]
        self.laterals = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels)
        beyond = levels - len(channels) if extra == "conv" else 0
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)
        self.smooth.extend(nn.Conv2d(width, width, 3, 2, padding=1) for _ in range(beyond))
        for conv in self.modules():
            if isinstance(conv, nn.Conv2d):
                nn.init.xavier_uniform_(conv.weight)
                assert conv.bias is not None
                nn.init.zeros_(conv.bias)
        self.out_channels = (width,) * levels
        self.strides = tuple(strides) + tuple(strides[-1] * 2 ** (k + 1) for k in range(levels - len(strides)))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        levels = [lateral(x) for lateral, x in zip(self.laterals, maps[self.first :], strict=True)]
        for i in range(len(levels) - 1, 0, -1):
            size_hw = (levels[i - 1].shape[-2], levels[i - 1].shape[-1])
            levels[i - 1] = levels[i - 1] + upsample_to(levels[i], size_hw, "nearest", False)
        outputs = [smooth(x) for smooth, x in zip(self.smooth, levels)]
        for number, smooth in enumerate(self.smooth[len(levels) :]):
            outputs.append(smooth(functional.relu(outputs[-1]) if number else outputs[-1]))
        while len(outputs) < self.levels:
            outputs.append(functional.max_pool2d(outputs[-1], 1, 2))
        return outputs


class Classification(Representation):
    """C: a bottleneck per map (to 128, 256, 512, 1024 channels), summed downwards, 1x1 to 2048; for ImageNet.

    ``planes`` are those bottlenecks' planes; the micro sizes use smaller ones.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        momentum: float = 0.1,
        planes: Sequence[int] = (32, 64, 128, 256),
        width: int = 2048,
    ) -> None:
        super().__init__()
        planes = tuple(planes)[: len(channels)]
        self.incre_modules = nn.ModuleList(
            nn.Sequential(Bottleneck(c, p, momentum=momentum)) for c, p in zip(channels, planes, strict=True)
        )
        self.downsamp_modules = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(4 * a, 4 * b, 3, 2, 1), nn.BatchNorm2d(4 * b, momentum=momentum), nn.ReLU(inplace=True)
            )
            for a, b in zip(planes, planes[1:])
        )
        self.final_layer = nn.Sequential(
            nn.Conv2d(4 * planes[-1], width, 1), nn.BatchNorm2d(width, momentum=momentum), nn.ReLU(inplace=True)
        )
        initialise(self, "kaiming", "uniform")
        self.out_channels, self.strides = (width,), (strides[len(planes) - 1],)

    def forward(self, maps: list[Tensor]) -> Tensor:
        y = self.incre_modules[0](maps[0])
        for i, down in enumerate(self.downsamp_modules, start=1):
            y = self.incre_modules[i](maps[i]) + down(y)
        result: Tensor = self.final_layer(y)
        return result


class PooledMaps(Representation):
    """Ci: every map averaged down to the lowest one's size, joined; the first of two rivals of C for ImageNet.

    With the global average that follows, each map is averaged by itself (exactly so where sizes halve).
    """

    def __init__(self, channels: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        self.out_channels, self.strides = (sum(channels),), (strides[-1],)

    def forward(self, maps: list[Tensor]) -> Tensor:
        size_hw = (maps[-1].shape[-2], maps[-1].shape[-1])
        return torch.cat([functional.adaptive_avg_pool2d(x, size_hw) for x in maps], dim=1)


class DownsampledMaps(Representation):
    """Cii: every map through bottlenecks of stride 2 (64, 128, 256, 512 channels, from its own level on) -> 2048 channels.

    The other rival of C (arXiv 1908.07919, Table 16), which says that each unit doubles the channels and not which they are:
    with these the whole network has 1 % more parameters than printed.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        momentum: float = 0.1,
        planes: Sequence[int] = (16, 32, 64, 128),
    ) -> None:
        super().__init__()
        chains = []
        for level, inside in enumerate(channels):
            units = []
            for width in tuple(planes)[level:]:
                units.append(Bottleneck(inside, width, 2, momentum))
                inside = 4 * width
            chains.append(nn.Sequential(*units))
        self.chains = nn.ModuleList(chains)
        initialise(self, "kaiming", "uniform")
        self.out_channels = (4 * planes[-1] * len(channels),)
        self.strides = (strides[0] * 2 ** len(planes),)

    def forward(self, maps: list[Tensor]) -> Tensor:
        return torch.cat([chain(x) for chain, x in zip(self.chains, maps, strict=True)], dim=1)


def concatenate(maps: Sequence[Tensor], align_corners: bool) -> Tensor:
    """Maps of several resolutions -> (B, sum of channels, H, W) at the first one's size, bilinear."""
    size_hw = (maps[0].shape[-2], maps[0].shape[-1])
    return torch.cat([upsample_to(x, size_hw, "bilinear", align_corners) for x in maps], dim=1)


def _mix(in_channels: int, out_channels: int, momentum: float) -> nn.Sequential:
    mix = nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, out_channels, 1),
            bn=nn.BatchNorm2d(out_channels, momentum=momentum),
            relu=nn.ReLU(inplace=True),
        )
    )
    initialise(mix, "kaiming")
    return mix


_Builder = Callable[..., Representation]
REPRESENTATIONS: dict[str, _Builder] = {
    "V1": lambda c, s, m, a, **kw: V1(c, s, **kw),
    "V1h": lambda c, s, m, a, **kw: V1h(c, s, m, **kw),
    "V2": lambda c, s, m, a, **kw: V2(c, s, m, a, **kw),
    "V2cat": lambda c, s, m, a, **kw: V2Concat(c, s, a, **kw),
    "V2p": lambda c, s, m, a, **kw: Pyramid(c, s, "V2", align_corners=a, **kw),
    "V1p": lambda c, s, m, a, **kw: Pyramid(c, s, "V1", align_corners=a, **kw),
    "V1hp": lambda c, s, m, a, **kw: Pyramid(c, s, "V1h", align_corners=a, **kw),
    "FPN": lambda c, s, m, a, **kw: FPN(c, s, **kw),
    "C": lambda c, s, m, a, **kw: Classification(c, s, m, **kw),
    "Ci": lambda c, s, m, a, **kw: PooledMaps(c, s, **kw),
    "Cii": lambda c, s, m, a, **kw: DownsampledMaps(c, s, m, **kw),
}


def build_representation(
    name: str,
    channels: Sequence[int],
    strides: Sequence[int],
    *,
    momentum: float = 0.1,
    align_corners: bool = False,
    **options: object,
) -> Representation:
    """Builds a representation by name over a body's ``out_channels`` and ``strides``.

    Raises:
        ValueError: the name is unknown (the nearest one is given).
    """
    if name not in REPRESENTATIONS:
        raise ValueError(f"Unknown representation {name!r}. {nearest(name, REPRESENTATIONS, cutoff=0.3)}")
    return REPRESENTATIONS[name](tuple(channels), tuple(strides), momentum, align_corners, **options)
