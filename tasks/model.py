"""body -> representation -> head: what :func:`tasks.build_model` returns for every dense task."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.baselines import build_body
from hrnet.backbone import Biases, HRNet, start_bias
from hrnet.representations import build_representation


class TaskModel(nn.Module):
    """forward(images (B, 3, H, W)) -> head(representation(body(images))).

    Parameter names below it are ``body.*``, ``representation.*`` and ``head.*``; the checkpoint adapters map every outside
    family onto these.

    Attributes:
        task, dataset, name: how it was asked for.
        representation_name: V1, V2, ...
        num_outputs: joints, classes or points.
        classes: what they are, [[id, name], ...], where the weights or the training data say it. Plain data.
    """

    classes: list[list[Any]] | None = None

    def __init__(
        self,
        body: nn.Module,
        representation: nn.Module,
        head: nn.Module,
        *,
        task: str,
        dataset: str,
        name: str,
        representation_name: str,
        num_outputs: int,
    ) -> None:
        super().__init__()
        self.body, self.representation, self.head = body, representation, head
        self.task, self.dataset, self.name = task, dataset, name
        self.representation_name, self.num_outputs = representation_name, num_outputs

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.representation(self.body(images)))

    def reduced_calls(self) -> list[tuple[nn.Module, str]]:
        """Modules and names of their methods that may run in reduced precision; what they return is cast to float32."""
        return [(self, "forward")]

    def set_conventions(self, **conventions: Any) -> None:
        """Sets what a checkpoint's family implies (``upsample``, ``align_corners``, ``bn_momentum``) on body and head.

        A field that the caller stated when building stays; serial bodies have none of them but the head's align_corners.
        """
        if isinstance(self.body, HRNet):
            self.body.set_conventions(**conventions)
        for part in (self.representation, self.head):
            if "align_corners" in conventions and hasattr(part, "align_corners"):
                part.align_corners = conventions["align_corners"]  # type: ignore[assignment]
            if "bn_momentum" in conventions:
                for module in part.modules():
                    if isinstance(module, nn.BatchNorm2d):
                        module.momentum = conventions["bn_momentum"]


class PredictionHead(nn.Module):
    """A convolution with bias: (B, C, H, W) -> (B, num_outputs, H, W).

    Args:
        init_std: of the weights' normal; None leaves PyTorch's own start.
        biases: as in :func:`hrnet.backbone.initialise`.
        kernel: side of the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        num_outputs: int,
        init_std: float | None = 0.001,
        biases: Biases = "zero",
        kernel: int = 1,
    ) -> None:
        super().__init__()
        self.predict = nn.Conv2d(in_channels, num_outputs, kernel, padding=kernel // 2)
        if init_std is not None:
            nn.init.normal_(self.predict.weight, std=init_std)
            start_bias(self.predict, biases)

    def forward(self, x: Tensor) -> Tensor:
        return self.predict(x)


def build_parts(
    model: str,
    representation: str,
    *,
    body_options: dict[str, Any],
    bn_momentum: float = 0.1,
    align_corners: bool = False,
    representation_options: dict[str, Any] | None = None,
) -> tuple[nn.Module, nn.Module]:
    """The body by name (HRNet or serial) and a representation over its maps."""
    body = build_body(model, **body_options)
    options = dict(representation_options or {})
    if representation in ("V2p", "V1p", "V1hp") and "width" not in options:
        # A dense task reads the pyramid's highest level; only a detector, which states its width, needs the others.
        options = {"width": pyramid_width(sum(body.out_channels)), "highest_only": True}  # type: ignore[arg-type]
    made = build_representation(
        representation,
        body.out_channels,  # type: ignore[arg-type]
        body.strides,  # type: ignore[arg-type]
        momentum=bn_momentum,
        align_corners=align_corners,
        **options,
    )
    return body, made


def pyramid_width(concatenated: int) -> int:
    """Channels of a V2p that no checkpoint states: the share that the published pyramid of HRNetV2-W32 keeps (256 of 480), in
    multiples of 8, and never more than its 256."""
    return min(256, max(8, round(concatenated * 256 / 480 / 8) * 8))


def require_finite(*outputs: Tensor) -> None:
    """Refuses outputs of an evaluation that nobody can score: NaN has no best class and passes no threshold, so that figures
    of it would look like a bad network's.

    Raises:
        ValueError: NaN or infinity among the numbers.
    """
    if not bool(torch.stack([torch.isfinite(values).all() for values in outputs]).all()):
        raise ValueError(
            "Expected finite outputs of the network, got NaN or infinity; look for NaN in the weights, or for an overflow of "
            "--precision fp16"
        )


def require_finite_values(values: NDArray[np.floating]) -> None:
    """As :func:`require_finite`, of what was made of outputs."""
    require_finite(torch.from_numpy(values))


def network_batch(inputs: NDArray[np.float32], model: nn.Module) -> Tensor:
    """Inputs (B, 3, H, W), or (B, S, 3, H, W), on a network's device, laid out in memory as an evaluation's are."""
    images = torch.from_numpy(inputs).to(next(model.parameters()).device)
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images
