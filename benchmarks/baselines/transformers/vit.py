"""ViTPose (arXiv 2204.12484): a plain vision transformer and a head of two transposed convolutions; one map at stride 4.

The transformer is timm's, with two differences of the released networks: the patch convolution is padded by 2, and position
embeddings are resized without antialiasing. The small one has twelve heads, not timm's six.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from benchmarks.baselines.resnets.simple_baseline import deconvolutions
from hrnet.backbone import initialise

NAMES = ("vitpose_s", "vitpose_b", "vitpose_l", "vitpose_h", "vitpose_micro")
MICRO = ("vitpose_micro",)
TRAITS = {"structure": "encoder_decoder", "origin": "vitpose"}

PATCH = 16
SIZES: dict[str, tuple[int, int, int, float]] = {
    "s": (384, 12, 12, 0.1),
    "b": (768, 12, 12, 0.3),
    "l": (1024, 24, 16, 0.5),
    "h": (1280, 32, 16, 0.55),
    "micro": (64, 5, 4, 0.0),
}
"""Size -> width of a token, layers, heads, and the last layer's odds of being left out in training (drop path)."""


class ViTPose(nn.Module):
    """forward(images (B, 3, H, W)) -> [map at stride 4].

    Args:
        dim, depth, heads, drop_path: as in :data:`SIZES`.
        width: channels of the transposed convolutions; None for the simple decoder: ReLU and bilinear enlargement by four, of
            ``dim`` channels.
        grid_hw: rows and columns of patches that the position embeddings are stored for.
    """

    def __init__(
        self,
        dim: int,
        depth: int,
        heads: int,
        drop_path: float,
        *,
        width: int | None = 256,
        grid_hw: tuple[int, int] = (16, 12),
    ) -> None:
        super().__init__()
        self.grid_hw = grid_hw
        self.vit = _transformer(grid_hw, dim, depth, heads, drop_path)
        self.deconv_layers = None if width is None else deconvolutions(dim, 2, width)
        if self.deconv_layers is not None:
            initialise(self.deconv_layers, "normal_0.001")
        self.out_channels: tuple[int, ...] = (width or dim,)
        self.strides: tuple[int, ...] = (4,)
        self.num_layers = depth + 2

    def layer_of(self, parameter: str) -> int:
        """Where a parameter stands, for rates that fall from layer to layer.

        0 for embeddings, 1 to ``depth`` for the transformer's layers, ``num_layers`` - 1 for its last normalisation and what
        follows it.
        """
        if parameter.startswith(("vit.pos_embed", "vit.patch_embed.")):
            return 0
        parts = parameter.split(".")
        return int(parts[2]) + 1 if parts[:2] == ["vit", "blocks"] else self.num_layers - 1

    def tokens(self, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Normalised tokens (B, rows * columns, dim), and (rows, columns)."""
        vit: Any = self.vit
        patches = vit.patch_embed.proj(images)
        rows, columns = int(patches.shape[2]), int(patches.shape[3])
        positions = resize_positions(vit.pos_embed, self.grid_hw, (rows, columns))
        x = vit.pos_drop(patches.flatten(2).transpose(1, 2) + positions)
        return vit.norm(vit.blocks(x)), (rows, columns)

    def forward(self, images: Tensor) -> list[Tensor]:
        x, (rows, columns) = self.tokens(images)
        maps = x.transpose(1, 2).reshape(x.shape[0], x.shape[2], rows, columns)
        if self.deconv_layers is not None:
            return [self.deconv_layers(maps)]
        enlarged = functional.interpolate(functional.relu(maps), scale_factor=4, mode="bilinear", align_corners=False)
        return [enlarged]


def resize_positions(positions: Tensor, grid_hw: tuple[int, int], size_hw: tuple[int, int]) -> Tensor:
    """Position embeddings (1, rows * columns, dim) of another grid: bicubic, without aligned corners and without antialiasing."""
    if grid_hw == size_hw:
        return positions
    maps = positions.reshape(1, *grid_hw, -1).permute(0, 3, 1, 2)
    maps = functional.interpolate(maps, size=size_hw, mode="bicubic", align_corners=False)
    return maps.flatten(2).transpose(1, 2)


def _transformer(grid_hw: tuple[int, int], dim: int, depth: int, heads: int, drop_path: float) -> nn.Module:
    try:
        from timm.models.vision_transformer import VisionTransformer
    except ImportError:
        raise ValueError("ViTPose needs timm, which is not installed: pip install timm.") from None
    made: nn.Module = VisionTransformer(
        img_size=(grid_hw[0] * PATCH, grid_hw[1] * PATCH),
        patch_size=PATCH,
        num_classes=0,
        global_pool="",
        class_token=False,
        embed_dim=dim,
        depth=depth,
        num_heads=heads,
        drop_path_rate=drop_path,
    )
    made.patch_embed.proj.padding = (2, 2)  # type: ignore[union-attr]
    return made


def build(name: str, drop_path: float | None = None) -> ViTPose:
    """One of :data:`NAMES`.

    Args:
        drop_path: odds of leaving the last layer out in training; the published ones where None.

    Raises:
        ValueError: timm is not installed.
    """
    dim, depth, heads, odds = SIZES[name.removeprefix("vitpose_")]
    odds = odds if drop_path is None else drop_path
    if name in MICRO:
        return ViTPose(dim, depth, heads, odds, width=32, grid_hw=(8, 6))
    return ViTPose(dim, depth, heads, odds)
