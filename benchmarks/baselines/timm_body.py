"""Any timm model as a body: ``timm:<name>`` takes its intermediate maps (``features_only``) from stride 4 on."""

from __future__ import annotations

import difflib
from typing import Any

from torch import Tensor, nn


class TimmBody(nn.Module):
    """forward(images (B, 3, H, W)) -> the model's maps whose stride is at least 4, highest resolution first.

    Maps of stride 2 are left out, so that heads see the same grid over every body. Models with channels last
    (Swin and others) are permuted to (B, C, H, W).
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        info: Any = net.feature_info
        channels, reductions = tuple(info.channels()), tuple(info.reduction())
        self.keep = tuple(i for i, stride in enumerate(reductions) if stride >= 4)
        self.out_channels: tuple[int, ...] = tuple(int(channels[i]) for i in self.keep)
        self.strides: tuple[int, ...] = tuple(int(reductions[i]) for i in self.keep)
        self.channels_last = str(getattr(net, "output_fmt", "NCHW")).upper().endswith("NHWC")

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = self.net(images)
        chosen = [maps[i] for i in self.keep]
        return [x.permute(0, 3, 1, 2) for x in chosen] if self.channels_last else chosen


def build(name: str, **options: Any) -> TimmBody:
    """``timm:<name>``, randomly initialised; ``options`` go to ``timm.create_model`` (img_size, pretrained, ...).

    Raises:
        ValueError: timm is not installed, the name is unknown (the nearest are given), or the model has no maps.
    """
    try:
        import timm
    except ImportError:
        raise ValueError(
            f"Model {name!r} needs timm, which is not installed: pip install 'hrnet-benchmark[timm]'."
        ) from None
    wanted = name.removeprefix("timm:")
    known = timm.list_models()
    if wanted.partition(".")[0] not in known:
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
        hint = f" Did you mean {', '.join(f'timm:{n}' for n in near)}?" if near else ""
        raise ValueError(f"timm {timm.__version__} has no model {wanted!r}.{hint} timm.list_models() names all.")
    try:
        net = timm.create_model(wanted, **{"pretrained": False, **options}, features_only=True)
    except (RuntimeError, AttributeError, TypeError, KeyError, AssertionError) as error:
        raise ValueError(
            f"timm cannot build {wanted!r} with features_only: {error}. Choose a model with maps."
        ) from error
    body = TimmBody(net)
    if not body.keep:
        raise ValueError(f"timm's {wanted!r} has no map of stride 4 or more.")
    return body
