"""What every detector is: a body and a pyramid, answers in the pixels of pictures, losses, conventions of a family."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from hrnet.backbone import CONVENTIONS as BODY_CONVENTIONS
from tasks.detection.network.postprocess import Keep
from tasks.detection.network.transform import torchvision_batch
from tasks.detection.targets import Truth
from tasks.model import TaskModel


class DetectionModel(TaskModel):
    """A detector; parameter names start with ``body.*`` and ``representation.*``.

    forward(images (B, 3, H, W), normalised) -> one dictionary per picture: ``boxes`` (n, 4) xyxy in the tensor's pixels with
    the family's ends, ``labels`` (n,) from 1, ``scores`` (n,), best first, and with a mask head ``masks`` (n, H, W) bool.
    forward(list of (3, H, W) in 0 .. 1) does torchvision's own resizing and normalising first and answers in the pixels of
    the pictures given. Evaluation mode only; training goes through :meth:`losses`.

    Attributes:
        detector: "faster_rcnn", "mask_rcnn", "cascade_rcnn", "cascade_mask_rcnn", "htc" or "fcos".
        conventions: what the checkpoint's family implies. keep: thresholds of forward.
        strides: of the pyramid's maps. has_masks: whether it answers (and learns) masks.
        needs_semantic: whether it learns from a map of the classes of all pixels.
    """

    conventions: Any
    has_masks: bool = False
    needs_semantic: bool = False

    def __init__(
        self,
        body: nn.Module,
        representation: nn.Module,
        *,
        dataset: str,
        name: str,
        representation_name: str,
        num_outputs: int,
        detector: str,
    ) -> None:
        nn.Module.__init__(self)
        self.body, self.representation = body, representation
        self.task, self.dataset, self.name = "detection", dataset, name
        self.representation_name, self.num_outputs = representation_name, num_outputs
        self.detector, self.keep = detector, Keep()
        self.strides: tuple[int, ...] = tuple(representation.strides)  # type: ignore[arg-type]

    # -- parts ---------------------------------------------------------------------------------------------------
    def pyramid(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the maps, finest first."""
        return self.representation(self.body(images))

    def set_body_conventions(self, conventions: dict[str, Any]) -> None:
        """Takes the fields of body and pyramid out of ``conventions`` and sets them."""
        body = {k: conventions.pop(k) for k in BODY_CONVENTIONS if k in conventions}
        if body:
            _set_body(self.body, self.representation, body)
        epsilon = conventions.pop("bn_eps", None)
        if epsilon is not None:
            for module in self.body.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eps = float(epsilon)

    def freeze(self, stages: int) -> None:
        """Stops learning in the body's stem and first ``stages`` stages (the R-FPN baselines freeze one)."""
        names = ["conv1", "bn1", "conv2", "bn2"] if stages else []
        names += [f"layer{i}" for i in range(1, stages + 1)]
        for name in names:
            part = getattr(self.body, name, None)
            if part is None:
                continue
            part.eval()
            for parameter in part.parameters():
                parameter.requires_grad_(False)

    # -- inference -----------------------------------------------------------------------------------------------
    def forward(self, images: Tensor | Sequence[Tensor]) -> list[dict[str, Tensor]]:  # type: ignore[override]
        if self.training:
            raise ValueError("Expected evaluation mode, got training mode. Call .eval(), or .losses(...) to train.")
        if len(images) == 0:
            return []
        if isinstance(images, Tensor):
            size_hw = (images.shape[-2], images.shape[-1])
            return self.answer(images, [size_hw] * len(images), [size_hw] * len(images))
        batch, sizes = torchvision_batch(images)
        return self.answer(batch, sizes, [(x.shape[-2], x.shape[-1]) for x in images])

    @abstractmethod
    def answer(
        self,
        images: Tensor,
        sizes_hw: Sequence[tuple[int, int]],
        source_hw: Sequence[tuple[int, int]],
        scales_xy: Sequence[tuple[float, float]] | None = None,
        keep: Keep | None = None,
        mask_threshold: float = 0.5,
    ) -> list[dict[str, Tensor]]:
        """Detections in the pixels of the source pictures.

        Args:
            images: padded batch. sizes_hw: of the unpadded inputs. source_hw: of the pictures to answer for.
            scales_xy: input pixels per source pixel; by default the ratio of the sizes.
        """

    @abstractmethod
    def losses(self, images: Tensor, truths: Sequence[Truth]) -> dict[str, Tensor]:
        """The losses of a batch; names start with "loss", others are shown alone."""


def scales_of(sizes_hw: Sequence[tuple[int, int]], source_hw: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """Input pixels per source pixel (x, y) of every picture."""
    return [(n[1] / o[1], n[0] / o[0]) for n, o in zip(sizes_hw, source_hw, strict=True)]


def _set_body(body: nn.Module, representation: nn.Module, conventions: dict[str, Any]) -> None:
    from hrnet.backbone import HRNet

    if isinstance(body, HRNet):
        body.set_conventions(**conventions)
    if "align_corners" in conventions and hasattr(representation, "align_corners"):
        representation.align_corners = conventions["align_corners"]  # type: ignore[assignment]
