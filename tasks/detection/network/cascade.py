"""Cascade R-CNN and Cascade Mask R-CNN over any body and pyramid (arXiv 1712.00726)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tasks.detection.boxes.coding import clip, decode
from tasks.detection.boxes.conventions import Conventions
from tasks.detection.boxes.heads import BoxHead, MaskHead, chosen_codes, probabilities
from tasks.detection.losses import RoiSample, box_losses, sample_rois
from tasks.detection.network.model import Detector
from tasks.detection.network.postprocess import Detections, Keep, chosen_masks, select
from tasks.detection.targets import Truth

Sizes = Sequence[tuple[int, int]]


class CascadeDetector(Detector):
    """Box heads in a row, each on the boxes of the one before; parameter names ``box_heads.K.*`` and ``mask_heads.K.*``.

    In a test the logits of all stages are averaged, on the boxes that each has refined; masks of all stages are read from the
    last stage's boxes.
    """

    def make_heads(self, width: int, fc_width: int, mask_width: int, mask_convs: int) -> None:
        stages, count = len(self.conventions.stage_ious), self.num_outputs
        self.box_heads = nn.ModuleList(
            BoxHead(width, self.roi_size, count, self.conventions, fc_width) for _ in range(stages)
        )
        self.mask_heads = nn.ModuleList(
            self.make_mask_head(stage, width, mask_width, mask_convs)
            for stage in range(stages if self.has_masks else 0)
        )

    def make_mask_head(self, stage: int, width: int, mask_width: int, mask_convs: int) -> MaskHead:
        """The mask head of a stage."""
        return MaskHead(width, self.num_outputs, self.conventions, mask_width, mask_convs)

    def roi_heads(self) -> list[BoxHead | MaskHead]:
        return [*self.box_heads, *self.mask_heads]  # type: ignore[list-item]

    @property
    def num_stages(self) -> int:
        return len(self.box_heads)

    def stage_conventions(self, stage: int) -> Conventions:
        """The conventions with the stage's divisors in the coder."""
        return self.conventions.change(box_stds=self.conventions.stage_stds[stage])

    # -- parts ---------------------------------------------------------------------------------------------------
    def context(self, maps: Sequence[Tensor]) -> Any:
        """What the heads see beside the RoIs' own features; nothing here."""
        return None

    def box_features(self, maps: Sequence[Tensor], rois: Sequence[Tensor], sizes_hw: Sizes, context: Any) -> Tensor:
        """(sum of RoIs, C, S, S) features of the box heads."""
        return self.pool(maps, rois, self.roi_size, sizes_hw)

    def mask_features(self, maps: Sequence[Tensor], rois: Sequence[Tensor], sizes_hw: Sizes, context: Any) -> Tensor:
        """(sum of RoIs, C, 2 S, 2 S) features of the mask heads."""
        return self.pool(maps, rois, 2 * self.roi_size, sizes_hw)

    def mask_logits(self, stage: int, features: Tensor) -> Tensor:
        """Mask logits of a stage."""
        return self.mask_heads[stage](features)

    def refine(self, rois: Tensor, codes: Tensor, labels: Tensor, size_hw: tuple[int, int], stage: int) -> Tensor:
        """RoIs (n, 4) of one picture moved by a stage's codes and clipped to the picture; no gradient passes."""
        chosen = chosen_codes(codes.detach(), labels, self.conventions)
        conventions = self.conventions
        moved = decode(chosen, rois, conventions.stage_stds[stage], conventions.clamp_both)[:, 0]
        return clip(moved, size_hw, conventions)

    # -- inference -----------------------------------------------------------------------------------------------
    def detect_in(
        self,
        maps: Sequence[Tensor],
        proposals: Sequence[Tensor],
        sizes_hw: Sizes,
        scales_xy: Sequence[tuple[float, float]],
        keep: Keep,
    ) -> list[Detections]:
        rois, logits, codes = self.cascade(maps, proposals, sizes_hw)
        conventions, counts = self.stage_conventions(self.num_stages - 1), [len(r) for r in rois]
        return [
            select(part, code, boxes, hw, self.num_outputs, conventions, keep, scale)
            for part, code, boxes, hw, scale in zip(
                logits.split(counts), codes.split(counts), rois, sizes_hw, scales_xy, strict=True
            )
        ]

    def cascade(
        self, maps: Sequence[Tensor], proposals: Sequence[Tensor], sizes_hw: Sizes
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """RoIs that the last stage saw, the mean of all stages' logits, and the last stage's codes."""
        context = self.context(maps)
        rois, counts = list(proposals), [len(p) for p in proposals]
        total: Tensor | None = None
        for stage, head in enumerate(self.box_heads):
            logits, codes = head(self.box_features(maps, rois, sizes_hw, context))
            total = logits if total is None else total + logits
            if stage + 1 < self.num_stages:
                labels = (probabilities(logits, self.conventions).argmax(1) + 1).split(counts)
                rois = [
                    self.refine(r, c, n, hw, stage)
                    for r, c, n, hw in zip(rois, codes.split(counts), labels, sizes_hw, strict=True)
                ]
        assert total is not None
        return rois, total / self.num_stages, codes

    def masks(self, maps: Sequence[Tensor], found: Sequence[Detections], sizes_hw: Sizes) -> list[Tensor]:
        rois = [d.rois for d in found]
        features = self.mask_features(maps, rois, sizes_hw, self.context(maps))
        labels = torch.cat([d.labels for d in found])
        stages = range(self.num_stages)[-1:] if self.conventions.mask_stages == "last" else range(self.num_stages)
        soft = [chosen_masks(self.mask_logits(stage, features), labels, self.conventions) for stage in stages]
        return list(torch.stack(soft).mean(0).split([len(r) for r in rois]))

    # -- training ------------------------------------------------------------------------------------------------
    def roi_losses(
        self, maps: Sequence[Tensor], proposals: Sequence[Tensor], truths: Sequence[Truth]
    ) -> dict[str, Tensor]:
        """``loss_cls``, ``loss_box`` and perhaps ``loss_mask`` of every stage, times its weight, as ``loss_cls_s0`` and so on."""
        context, sizes = self.context(maps), [t.size_hw for t in truths]
        losses = self.context_losses(context, truths)
        for stage in range(self.num_stages):
            samples = self.sample(proposals, truths, stage)
            logits, codes = self.box_heads[stage](self.box_features(maps, [s.boxes for s in samples], sizes, context))
            made = box_losses(logits, codes, samples, truths, self.num_outputs, self.stage_conventions(stage))
            if stage + 1 < self.num_stages or self.refines_before_masks:
                proposals = self.refined(samples, codes, sizes, stage)
            if self.has_masks:
                seen = self.sample(proposals, truths, stage, again=True) if self.refines_before_masks else samples
                positive = [s.boxes[: s.num_positive] for s in seen]
                features = self.mask_features(maps, positive, sizes, context)
                made["loss_mask"] = self.mask_loss(self.mask_logits(stage, features), seen, truths)
            losses |= self.weighted(made, stage)
        return losses

    def context_losses(self, context: Any, truths: Sequence[Truth]) -> dict[str, Tensor]:
        """Losses of what :meth:`context` gives; none here."""
        return {}

    refines_before_masks = False
    """Whether the masks of a stage learn from the boxes that the stage has refined."""

    def sample(
        self, proposals: Sequence[Tensor], truths: Sequence[Truth], stage: int, again: bool = False
    ) -> list[RoiSample]:
        """RoIs to learn from, by the stage's overlap; ``again`` draws another time for the same stage."""
        conventions = self.conventions
        iou, stream = conventions.stage_ious[stage], 1 + stage + (self.num_stages if again else 0)
        return sample_rois(proposals, truths, self.sampling, iou, conventions.roi_low_quality, stream)

    @torch.no_grad()
    def refined(self, samples: Sequence[RoiSample], codes: Tensor, sizes_hw: Sizes, stage: int) -> list[Tensor]:
        """The next stage's proposals: the sampled RoIs, moved, without those that were true boxes themselves."""
        result = []
        for s, part, hw in zip(samples, codes.split([len(s.boxes) for s in samples]), sizes_hw, strict=True):
            moved = self.refine(s.boxes, part, s.labels.clamp(min=1), hw, stage)
            kept = torch.ones(len(moved), dtype=torch.bool, device=moved.device)
            kept[: s.num_positive] = ~s.given
            result.append(moved[kept])
        return result

    def weighted(self, losses: dict[str, Tensor], stage: int) -> dict[str, Tensor]:
        """A stage's losses times its weight, and its accuracy as it is, under the stage's names."""
        weight = self.conventions.stage_weights[stage]
        return {f"{k}_s{stage}": v * weight if k.startswith("loss") else v for k, v in losses.items()}
