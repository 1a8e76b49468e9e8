"""SimpleBaseline's head on other encoders, as mmpose's zoo has them: ResNet-V1d, ResNeXt, SE-ResNet, MobileNetV2, ShuffleNet.

Encoders are torchvision's where their parameters agree with mmpose's, else timm's, else (ShuffleNetV1) built here.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from benchmarks.baselines.resnets.simple_baseline import deconvolutions
from hrnet.backbone import initialise

NAMES = (
    "simple_baseline_r50d",
    "simple_baseline_r101d",
    "simple_baseline_r152d",
    "simple_baseline_resnext50",
    "simple_baseline_resnext101",
    "simple_baseline_resnext152",
    "simple_baseline_seresnet50",
    "simple_baseline_seresnet101",
    "simple_baseline_seresnet152",
    "simple_baseline_mobilenetv2",
    "simple_baseline_shufflenetv1",
    "simple_baseline_shufflenetv2",
)
TRAITS = {"structure": "encoder_decoder", "origin": "mmpose"}

_BLOCKS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}


class EncoderDecoder(nn.Module):
    """forward(images (B, 3, H, W)) -> [map (B, 256, H/4, W/4)]: ``encoder`` to stride 32, then ``deconv_layers``.

    Args:
        encoder: images -> (B, channels, H/32, W/32).
    """

    def __init__(self, encoder: nn.Module, channels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.deconv_layers = deconvolutions(channels)
        initialise(self.deconv_layers, "normal_0.001")
        self.out_channels: tuple[int, ...] = (256,)
        self.strides: tuple[int, ...] = (4,)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.deconv_layers(self.encoder(images))]


def _children(network: nn.Module, leave_out: tuple[str, ...]) -> nn.Sequential:
    """A network's children in their order and under their names, without the classifier."""
    kept = nn.Sequential()
    for name, child in network.named_children():
        if name not in leave_out:
            kept.add_module(name, child)
    return kept


def _resnext(depth: str) -> tuple[nn.Module, int]:
    from torchvision.models.resnet import Bottleneck, ResNet

    made = ResNet(Bottleneck, list(_BLOCKS[depth]), groups=32, width_per_group=4)
    return _children(made, ("avgpool", "fc")), 2048


def _timm_resnet(prefix: str, depth: str, suffix: str) -> tuple[nn.Module, int]:
    try:
        import timm
    except ImportError:
        raise ValueError(
            f"SimpleBaseline on {prefix}{depth}{suffix} needs timm, which is not installed: pip install timm."
        ) from None
    made = timm.create_model(f"{prefix}{depth}{suffix}", pretrained=False)
    return _children(made, ("global_pool", "fc")), 2048


def _mobilenet() -> tuple[nn.Module, int]:
    from torchvision.models import mobilenet_v2

    return mobilenet_v2(weights=None).features, 1280


def _shufflenet_v2() -> tuple[nn.Module, int]:
    from torchvision.models import shufflenet_v2_x1_0

    return _children(shufflenet_v2_x1_0(weights=None), ("fc",)), 1024


def _shufflenet_v1() -> tuple[nn.Module, int]:
    from benchmarks.baselines.light.shufflenet_v1 import ShuffleNetV1

    return ShuffleNetV1(), 960


def _encoder(name: str) -> tuple[nn.Module, int]:
    kind = name.removeprefix("simple_baseline_")
    others: dict[str, Callable[[], tuple[nn.Module, int]]] = {
        "mobilenetv2": _mobilenet,
        "shufflenetv1": _shufflenet_v1,
        "shufflenetv2": _shufflenet_v2,
    }
    if kind in others:
        return others[kind]()
    depth = next(depth for depth in _BLOCKS if depth in kind)
    if kind.endswith("d"):
        return _timm_resnet("resnet", depth, "d")
    return _timm_resnet("seresnet", depth, "") if kind.startswith("se") else _resnext(depth)


def build(name: str) -> EncoderDecoder:
    """One of :data:`NAMES`, the encoder with its library's initialisation.

    Raises:
        ValueError: the encoder is timm's, and timm is not installed.
    """
    return EncoderDecoder(*_encoder(name))
