"""Hybrid task cascade: mask heads that hand their features on, and a semantic branch (arXiv 1901.07518)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from tasks.detection.boxes.heads import MaskHead
from tasks.detection.network.cascade import CascadeDetector, Sizes
from tasks.detection.network.semantic import SemanticHead, semantic_loss
from tasks.detection.targets import Truth


class HybridTaskCascade(CascadeDetector):
    """Cascade Mask R-CNN with chained mask heads (``mask_heads.K.res``) and a semantic branch (``semantic.*``).

    The masks of a stage learn from the boxes that the stage has refined, and those boxes go on to the next stage.

    Args:
        semantic: whether it has the semantic branch; its published relatives without are called "htc without semantic".
    """

    refines_before_masks = True

    def __init__(self, body: nn.Module, representation: nn.Module, *, semantic: bool = True, **options: Any) -> None:
        super().__init__(body, representation, **{**options, "masks": True, "detector": "htc"})
        self.needs_semantic = semantic
        width: int = representation.out_channels[0]  # type: ignore[index,assignment]
        self.semantic = SemanticHead(width, len(self.strides)) if semantic else None

    def make_mask_head(self, stage: int, width: int, mask_width: int, mask_convs: int) -> MaskHead:
        return MaskHead(width, self.num_outputs, self.conventions, mask_width, mask_convs, chained=stage > 0)

    # -- parts ---------------------------------------------------------------------------------------------------
    def context(self, maps: Sequence[Tensor]) -> Any:
        """The semantic branch's logits and embedding; None without it."""
        return None if self.semantic is None else self.semantic(maps)

    def box_features(self, maps: Sequence[Tensor], rois: Sequence[Tensor], sizes_hw: Sizes, context: Any) -> Tensor:
        features = super().box_features(maps, rois, sizes_hw, context)
        return features + self._pooled(rois, context, self.roi_size) if context is not None else features

    def mask_features(self, maps: Sequence[Tensor], rois: Sequence[Tensor], sizes_hw: Sizes, context: Any) -> Tensor:
        features = super().mask_features(maps, rois, sizes_hw, context)
        return features + self._pooled(rois, context, 2 * self.roi_size) if context is not None else features

    def _pooled(self, rois: Sequence[Tensor], context: tuple[Tensor, Tensor], size: int) -> Tensor:
        """The embedding under every RoI at twice the box heads' resolution, averaged down to ``size``."""
        from torchvision.ops import roi_align

        assert self.semantic is not None
        embedding, conventions = context[1], self.conventions
        scale, aligned = 1 / self.strides[self.semantic.level], conventions.roi_aligned
        boxes = [r.to(embedding.dtype) for r in rois]
        if not aligned and not conventions.roi_at_least_one:
            # As in pool_rois: the operator widens RoIs to one cell unless it shifts them.
            boxes, aligned = [r + 0.5 / scale for r in boxes], True
        pooled = roi_align(embedding, boxes, 2 * self.roi_size, scale, conventions.roi_sampling, aligned)
        return pooled if size == 2 * self.roi_size else functional.adaptive_avg_pool2d(pooled, size)

    def mask_logits(self, stage: int, features: Tensor) -> Tensor:
        before: Tensor | None = None
        for head in self.mask_heads[: stage + 1]:
            assert isinstance(head, MaskHead)
            before = head.features(features, before)
        assert before is not None
        return self.mask_heads[stage].logits(before)  # type: ignore[operator]

    def reduced_calls(self) -> list[tuple[nn.Module, str]]:
        """As of a cascade; mask heads are called in two halves, and the semantic branch is one more."""
        calls = [call for call in super().reduced_calls() if not isinstance(call[0], MaskHead)]
        calls += [(head, half) for head in self.mask_heads for half in ("features", "logits")]
        return calls if self.semantic is None else [*calls, (self.semantic, "forward")]

    # -- training ------------------------------------------------------------------------------------------------
    def context_losses(self, context: Any, truths: Sequence[Truth]) -> dict[str, Tensor]:
        """``loss_semantic`` of the semantic branch."""
        if context is None:
            return {}
        assert self.semantic is not None
        labels = [t.semantic for t in truths if t.semantic is not None]
        assert len(labels) == len(truths)
        stride = self.strides[self.semantic.level]
        return {"loss_semantic": semantic_loss(context[0], labels, stride, self.conventions.semantic_over)}
