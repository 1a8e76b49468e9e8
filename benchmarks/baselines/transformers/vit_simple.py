"""ViTPose with its simple decoder: ReLU, bilinear enlargement by four, and a 3x3 convolution that predicts."""

from __future__ import annotations

from benchmarks.baselines.transformers.vit import SIZES, ViTPose

NAMES = ("vitpose_s_simple", "vitpose_b_simple", "vitpose_l_simple", "vitpose_h_simple")
TRAITS = {"structure": "encoder_decoder", "origin": "vitpose", "prediction_kernel": 3}


def build(name: str, drop_path: float | None = None) -> ViTPose:
    """One of :data:`NAMES`; `drop_path` as in `benchmarks.baselines.transformers.vit.build`.

    Raises:
        ValueError: timm is not installed.
    """
    dim, depth, heads, odds = SIZES[name.removeprefix("vitpose_").removesuffix("_simple")]
    return ViTPose(dim, depth, heads, odds if drop_path is None else drop_path, width=None)
