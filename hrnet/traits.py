"""What a body is, as data that planning reads without building it. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

Structure = Literal["parallel", "encoder", "encoder_decoder", "stacked", "dilated", "other"]


@dataclass(frozen=True)
class Traits:
    """A body's traits.

    Attributes:
        structure: "parallel" (several resolutions side by side), "encoder" (maps of falling resolution, as classification
            networks make), "encoder_decoder" (one map, enlarged again), "stacked" (hourglasses, which predict by themselves),
            "dilated" (two maps at stride 8, read by a head of its own), or "other".
        origin: whose released networks its names stand for: "hrnet", "simple_baseline", "pytorch_pose", "torchvision", "timm",
            "mmpose", "udp_pose", "mmseg"; empty where nothing is released.
        micro: trained from nothing within minutes.
        options: names of build options beside the parameters of the file's `build`, for a `build` that takes ``**options``.
        any_option: whether `build` hands any option on to a library that refuses what it does not know.
        prediction_kernel: side of the convolution that a heat-map head predicts with.
    """

    structure: Structure = "other"
    origin: str = ""
    micro: bool = False
    options: tuple[str, ...] = ()
    any_option: bool = False
    prediction_kernel: int = 1

    @property
    def one_map(self) -> bool:
        """Whether heads read one map, because there is no other."""
        return self.structure in ("encoder_decoder", "stacked", "dilated")


@runtime_checkable
class Recomputable(Protocol):
    """A body that names the parts whose activations may be made again in the backward pass, to save memory."""

    def recomputable(self) -> list[Any]:
        """Modules of the body, none within another, each called once a forward pass."""
