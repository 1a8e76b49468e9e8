"""Any timm model as a body: ``timm:<name>`` takes its intermediate maps (``features_only``) from stride 4 on."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hrnet.names import close_names

NAMES = ("timm:",)
TRAITS = {"structure": "encoder", "origin": "timm", "any_option": True}


class TimmBody(nn.Module):
    """forward(images (B, 3, H, W)) -> the model's maps whose stride is at least 4, highest resolution first.

    Maps of stride 2 are left out, so that heads see the same grid over every body. Models with channels last
    (Swin and others) are permuted to (B, C, H, W).
    """

    def __init__(self, net: nn.Module, name: str) -> None:
        super().__init__()
        self.net, self.name = net, name
        info: Any = net.feature_info
        channels, reductions = tuple(info.channels()), tuple(info.reduction())
        self.keep = tuple(i for i, stride in enumerate(reductions) if stride >= 4)
        self.out_channels: tuple[int, ...] = tuple(int(channels[i]) for i in self.keep)
        self.strides: tuple[int, ...] = tuple(int(reductions[i]) for i in self.keep)
        self.channels_last = str(getattr(net, "output_fmt", "NCHW")).upper().endswith("NHWC")

    def forward(self, images: Tensor) -> list[Tensor]:
        try:
            maps = self.net(images)
        except AssertionError as error:  # models of one input size (Swin and others) say so in this way
            height, width = images.shape[-2:]
            raise ValueError(
                f"{self.name} does not take inputs of {height}x{width}: {error} "
                f"Build it for them with --set model.img_size={height}x{width}."
            ) from None
        chosen = [maps[i] for i in self.keep]
        return [x.permute(0, 3, 1, 2) for x in chosen] if self.channels_last else chosen


def build(name: str, **options: Any) -> TimmBody:
    """``timm:<name>``, randomly initialised; ``options`` go to ``timm.create_model`` (pretrained, ...); ``img_size`` is a
    number, a pair (height, width) or a text like "256x192".

    Raises:
        ValueError: timm is not installed, the name is unknown (the nearest are given), or the model has no maps.
    """
    try:
        import timm
    except ImportError:
        raise ValueError(f"Model {name!r} needs timm, which is not installed: pip install timm.") from None
    wanted = name.removeprefix("timm:")
    known = timm.list_models()
    if wanted.partition(".")[0] not in known:
        near = close_names(wanted, known, 3, cutoff=0.5)
        hint = f" Did you mean {', '.join(f'timm:{n}' for n in near)}?" if near else ""
        raise ValueError(f"timm {timm.__version__} has no model {wanted!r}.{hint} timm.list_models() names all.")
    size = options.get("img_size")
    if isinstance(size, str):
        try:
            options["img_size"] = tuple(int(side) for side in size.split("x", 1))
        except ValueError:
            raise ValueError(f"Expected img_size as HEIGHTxWIDTH, for example 256x192, got {size!r}.") from None
    try:
        net = timm.create_model(wanted, **{"pretrained": False, **options}, features_only=True)
    except (RuntimeError, AttributeError, TypeError, KeyError, AssertionError) as error:
        raise ValueError(
            f"timm cannot build {wanted!r} with features_only: {error}. Choose a model with maps."
        ) from error
    body = TimmBody(net, name)
    if not body.keep:
        raise ValueError(f"timm's {wanted!r} has no map of stride 4 or more.")
    return body
