"""Every published HRNet width as a frozen spec, and micro sizes for the CPU. Needs no torch.

The stage table is the one of the papers (arXiv 1902.09212, 1908.07919) as their code builds it; the fields below the
stages are what the reference implementations do differently on identical parameter names.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from hrnet.names import nearest


@dataclass(frozen=True)
class StageSpec:
    """One stage: ``num_modules`` modules, each with one branch per entry of ``channels``.

    ``channels`` are the block's planes; a bottleneck's output has four times as many.
    """

    num_modules: int
    num_blocks: int
    channels: tuple[int, ...]
    block: str = "basic"

    @property
    def out_channels(self) -> tuple[int, ...]:
        expansion = {"basic": 1, "bottleneck": 4}[self.block]
        return tuple(c * expansion for c in self.channels)


@dataclass(frozen=True)
class HRNetSpec:
    """A complete description of an HRNet body.

    Fields after the stages are the conventions in which the reference implementations differ:

    * ``upsample``: interpolation in the exchange, "nearest" (pose, classification, detection, timm) or "bilinear"
      (segmentation, faces, mmseg).
    * ``align_corners``: of bilinear upsampling, in the exchange and in the representations.
    * ``bn_momentum``: 0.1 (pose, classification, detection) or 0.01 (segmentation, faces); matters in training only.
    * ``init``: "kaiming" (fan-out normal), "normal_0.001", or "default" (PyTorch's own).
    * ``exchange_final``, ``exchange_across``, ``exchange_within``: which exchange units are kept: the one that ends the
      last stage, those that end the earlier stages, those between the modules of a stage (arXiv 1902.09212, Table 6).
    * ``fuse_last``: "all", or "one" where the last exchange computes the highest resolution only (the pose code).
    * ``transition_input``: which branch feeds a non-identity transition of an existing branch, "lowest" or "own".
      Matters for no published width, because their existing branches keep their channels after the first transition.
    """

    name: str
    stage1: StageSpec
    stage2: StageSpec
    stage3: StageSpec
    stage4: StageSpec
    stem_channels: int = 64
    upsample: str = "nearest"
    align_corners: bool = False
    bn_momentum: float = 0.1
    init: str = "kaiming"
    exchange_final: bool = True
    exchange_across: bool = True
    exchange_within: bool = True
    fuse_last: str = "all"
    transition_input: str = "lowest"

    def __post_init__(self) -> None:
        choices = {
            "upsample": ("nearest", "bilinear"),
            "init": ("kaiming", "normal_0.001", "default"),
            "fuse_last": ("all", "one"),
            "transition_input": ("lowest", "own"),
        }
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise ValueError(f"Expected {field} to be one of {allowed}, got {getattr(self, field)!r}.")
        for number, stage in enumerate(self.stages, start=1):
            if len(stage.channels) != number:
                raise ValueError(f"Expected {number} branches in stage {number}, got channels {stage.channels}.")

    @property
    def stages(self) -> tuple[StageSpec, StageSpec, StageSpec, StageSpec]:
        return (self.stage1, self.stage2, self.stage3, self.stage4)

    @property
    def width(self) -> int:
        """Channels of the high-resolution branch (the 32 of W32)."""
        return self.stage4.channels[0]

    def change(self, **changes: Any) -> HRNetSpec:
        """A copy with fields replaced.

        Raises:
            ValueError: a field is unknown (the nearest name is given) or its value is not allowed.
        """
        known = {f.name for f in dataclasses.fields(self)}
        for key in changes:
            if key not in known:
                raise ValueError(f"Unknown field {key!r} of an HRNet spec. {nearest(key, sorted(known))}")
        return dataclasses.replace(self, **changes)


def _standard(name: str, width: int) -> HRNetSpec:
    c = width
    return HRNetSpec(
        name,
        StageSpec(1, 4, (64,), "bottleneck"),
        StageSpec(1, 4, (c, 2 * c)),
        StageSpec(4, 4, (c, 2 * c, 4 * c)),
        StageSpec(3, 4, (c, 2 * c, 4 * c, 8 * c)),
    )


def _bottleneck(name: str, width: int) -> HRNetSpec:
    """Bottlenecks in every stage, as arXiv 1908.07919, Table 15, has them beside ResNets; parameters agree with those printed."""
    c = width // 4
    return HRNetSpec(
        name,
        StageSpec(1, 4, (64,), "bottleneck"),
        StageSpec(1, 4, (c, 2 * c), "bottleneck"),
        StageSpec(4, 4, (c, 2 * c, 4 * c), "bottleneck"),
        StageSpec(3, 4, (c, 2 * c, 4 * c, 8 * c), "bottleneck"),
    )


def _small(name: str, width: int, stage1: StageSpec, modules: tuple[int, int, int], stem: int = 64) -> HRNetSpec:
    c, blocks = width, 2
    return HRNetSpec(
        name,
        stage1,
        StageSpec(modules[0], blocks, (c, 2 * c)),
        StageSpec(modules[1], blocks, (c, 2 * c, 4 * c)),
        StageSpec(modules[2], blocks, (c, 2 * c, 4 * c, 8 * c)),
        stem_channels=stem,
    )


def _micro(name: str, width: int, stem: int, modules: tuple[int, int, int] = (1, 2, 1)) -> HRNetSpec:
    c = width
    return HRNetSpec(
        name,
        StageSpec(1, 1, (stem // 2,), "bottleneck"),
        StageSpec(modules[0], 1, (c, 2 * c)),
        StageSpec(modules[1], 1, (c, 2 * c, 4 * c)),
        StageSpec(modules[2], 1, (c, 2 * c, 4 * c, 8 * c)),
        stem_channels=stem,
    )


_MICRO_SIZES = [_micro(f"hrnet_micro_w{width}", width, 2 * width) for width in (8, 12, 16)]

_ALL = [
    # Named W18 by its repository, but 16 channels wide, with a 128-channel first stage.
    _small("hrnet_w18_small_v1", 16, StageSpec(1, 1, (32,), "bottleneck"), (1, 1, 1)),
    _small("hrnet_w18_small_v2", 18, StageSpec(1, 2, (64,), "bottleneck"), (1, 3, 2)),
    *(_standard(f"hrnet_w{width}", width) for width in (18, 30, 32, 40, 44, 48, 64)),
    *_MICRO_SIZES,
    # Of the classification heads that were compared (arXiv 1908.07919, Table 16), and of Table 15.
    *(_standard(f"hrnet_w{width}", width) for width in (25, 27, 34, 36, 43, 45)),
    *(_bottleneck(f"hrnet_w{width}_bottleneck", width) for width in (44, 76, 96)),
]

RELEASED: tuple[str, ...] = tuple(f"hrnet_w{width}" for width in (18, 30, 32, 40, 44, 48, 64))
"""Names of the variants whose ImageNet weights were released as hrnetv2_<width>_imagenet_pretrained.pth."""

VARIANTS: dict[str, HRNetSpec] = {spec.name: spec for spec in _ALL}

MICRO: tuple[str, ...] = tuple(spec.name for spec in _MICRO_SIZES)
"""Names of the variants that are trained from nothing within minutes."""
