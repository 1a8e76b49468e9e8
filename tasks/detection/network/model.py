"""Faster and Mask R-CNN over any body and pyramid (arXiv 1506.01497, 1612.03144, 1703.06870)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tasks.detection.boxes.anchors import RATIOS, anchors_on
from tasks.detection.boxes.conventions import Conventions, preset
from tasks.detection.boxes.heads import BoxHead, MaskHead, ProposalHead
from tasks.detection.losses import (
    RoiSample,
    Sampling,
    box_losses,
    mask_loss,
    proposal_losses,
    sample_rois,
)
from tasks.detection.network.base import DetectionModel, scales_of
from tasks.detection.network.postprocess import Detections, Keep, chosen_masks, paste, select
from tasks.detection.network.proposals import pool_rois, propose
from tasks.detection.targets import Truth, mask_targets

ROI_LEVELS = 4
"""RoIs are read from the four finest levels; the fifth serves the RPN alone."""


class Detector(DetectionModel):
    """Two-stage detector; parameter names ``body.*``, ``representation.*``, ``rpn.*``, ``box_head.*``, ``mask_head.*``.

    Attributes:
        stated: conventions that the caller chose when building, which a checkpoint's family does not overrule.
        anchor_scale: anchor side over stride, 8 in every published detector.
        finest_px: box size that ends the finest RoI level, 56 where the pyramid starts at stride 4.
    """

    conventions: Conventions

    def __init__(
        self,
        body: nn.Module,
        representation: nn.Module,
        *,
        conventions: Conventions,
        masks: bool = False,
        anchor_scale: float = 8.0,
        roi_size: int = 7,
        fc_width: int = 1024,
        mask_width: int = 256,
        mask_convs: int = 4,
        sampling: Sampling | None = None,
        detector: str | None = None,
        stated: Mapping[str, Any] | None = None,
        **names: Any,
    ) -> None:
        super().__init__(body, representation, detector=detector or ("mask_rcnn" if masks else "faster_rcnn"), **names)
        self.stated = dict(stated or {})
        self.conventions, self.sampling = conventions.change(**self.stated), sampling or Sampling()
        self.anchor_scale, self.roi_size = float(anchor_scale), roi_size
        self.has_masks = masks
        self.finest_px = 14.0 * self.strides[0]
        width: int = representation.out_channels[0]  # type: ignore[index,assignment]
        self.rpn = ProposalHead(width, len(RATIOS))
        self.make_heads(width, fc_width, mask_width, mask_convs)

    def make_heads(self, width: int, fc_width: int, mask_width: int, mask_convs: int) -> None:
        """Makes the heads on RoIs over a pyramid of ``width`` channels."""
        count, conventions = self.num_outputs, self.conventions
        self.box_head = BoxHead(width, self.roi_size, count, conventions, fc_width)
        self.mask_head = MaskHead(width, count, conventions, mask_width, mask_convs) if self.has_masks else None

    def roi_heads(self) -> list[BoxHead | MaskHead]:
        """Every head whose outputs have rows by class."""
        return [self.box_head] if self.mask_head is None else [self.box_head, self.mask_head]

    # -- conventions ---------------------------------------------------------------------------------------------
    def set_conventions(self, **conventions: Any) -> None:
        """Sets what a checkpoint's family implies, before its weights are loaded.

        Args:
            conventions: ``detection`` (or ``preset``) names a preset of :data:`PRESETS`; fields of
                :class:`Conventions` change single ones; ``num_classes`` the classes (torchvision's files have 90);
                ``bn_eps`` the epsilon of every batch normalisation; ``upsample``, ``align_corners``, ``bn_momentum`` go to
                body and pyramid. Outputs whose number of rows changes are made anew.

        Raises:
            ValueError: an unknown field or preset; the nearest is named.
        """
        self.set_body_conventions(conventions)
        base = conventions.pop("detection", conventions.pop("preset", None))
        self.num_outputs = int(conventions.pop("num_classes", self.num_outputs))
        current = self.conventions if base is None else preset(base, self.detector)
        of_a_family = base is not None or "name" in conventions
        self.conventions = current.change(**conventions).change(**(self.stated if of_a_family else {}))
        for head in self.roi_heads():
            head.set_rows(self.num_outputs, self.conventions)

    def reduced_calls(self) -> list[tuple[nn.Module, str]]:
        """Pyramid and heads; boxes are decoded, suppressed and pooled in float32."""
        return [(self, "pyramid"), *((head, "forward") for head in (self.rpn, *self.roi_heads()))]

    # -- parts ---------------------------------------------------------------------------------------------------
    def profile_forward(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Body, pyramid and RPN: what does not depend on values (the count of the published key manifests)."""
        return self.rpn(self.pyramid(images))

    def anchors(self, maps: Sequence[Tensor], input_hw: tuple[int, int]) -> list[Tensor]:
        """Anchors of every level for a padded input of ``input_hw``, where the maps are."""
        sizes = tuple((x.shape[-2], x.shape[-1]) for x in maps)
        device = maps[0].device
        return list(anchors_on(device, sizes, self.strides, input_hw, self.conventions, self.anchor_scale))

    def pool(self, maps: Sequence[Tensor], boxes: Sequence[Tensor], size: int, sizes_hw: Sequence[Any]) -> Tensor:
        """RoI features of boxes (one tensor per picture) from the four finest levels."""
        used = min(ROI_LEVELS, len(maps))
        return pool_rois(
            maps[:used], self.strides[:used], boxes, size, self.conventions, sizes_hw, finest_px=self.finest_px
        )

    # -- inference -----------------------------------------------------------------------------------------------
    def answer(
        self,
        images: Tensor,
        sizes_hw: Sequence[tuple[int, int]],
        source_hw: Sequence[tuple[int, int]],
        scales_xy: Sequence[tuple[float, float]] | None = None,
        keep: Keep | None = None,
        mask_threshold: float = 0.5,
    ) -> list[dict[str, Tensor]]:
        maps = self.pyramid(images)
        found = self.detect(maps, images, sizes_hw, scales_xy or scales_of(sizes_hw, source_hw), keep or self.keep)
        answers = [{"boxes": d.boxes, "labels": d.labels, "scores": d.scores} for d in found]
        if self.has_masks:
            soft = self.masks(maps, found, sizes_hw)
            for answer, d, part, hw in zip(answers, found, soft, source_hw):
                answer["masks"] = paste(part, d.boxes, hw, self.conventions, mask_threshold)
        return answers

    def masks(
        self, maps: Sequence[Tensor], found: Sequence[Detections], sizes_hw: Sequence[tuple[int, int]]
    ) -> list[Tensor]:
        """(n, M, M) probabilities of every picture's detections."""
        assert self.mask_head is not None
        rois = [d.rois for d in found]
        logits = self.mask_head(self.pool(maps, rois, 2 * self.roi_size, sizes_hw))
        parts = logits.split([len(r) for r in rois])
        return [chosen_masks(part, d.labels, self.conventions) for part, d in zip(parts, found, strict=True)]

    def detect(
        self,
        maps: Sequence[Tensor],
        images: Tensor,
        sizes_hw: Sequence[tuple[int, int]],
        scales_xy: Sequence[tuple[float, float]],
        keep: Keep,
    ) -> list[Detections]:
        """Boxes of every picture from its pyramid."""
        anchors = self.anchors(maps, (images.shape[-2], images.shape[-1]))
        proposals = propose(self.rpn(maps), anchors, sizes_hw, self.conventions)
        return self.detect_in(maps, proposals, sizes_hw, scales_xy, keep)

    def detect_in(
        self,
        maps: Sequence[Tensor],
        proposals: Sequence[Tensor],
        sizes_hw: Sequence[tuple[int, int]],
        scales_xy: Sequence[tuple[float, float]],
        keep: Keep,
    ) -> list[Detections]:
        """Boxes of every picture from its proposals."""
        logits, codes = self.box_head(self.pool(maps, proposals, self.roi_size, sizes_hw))
        counts = [len(p) for p in proposals]
        return [
            select(part, code, boxes, hw, self.num_outputs, self.conventions, keep, scale)
            for part, code, boxes, hw, scale in zip(
                logits.split(counts), codes.split(counts), proposals, sizes_hw, scales_xy, strict=True
            )
        ]

    # -- training ------------------------------------------------------------------------------------------------
    def losses(self, images: Tensor, truths: Sequence[Truth]) -> dict[str, Tensor]:
        """The losses of a batch (names start with "loss") and the RoI classifier's ``accuracy`` in per cent."""
        maps = self.pyramid(images)
        anchors = self.anchors(maps, (images.shape[-2], images.shape[-1]))
        outputs = self.rpn(maps)
        losses = proposal_losses(outputs, anchors, truths, self.conventions, self.sampling)
        sizes = [t.size_hw for t in truths]
        proposals = propose(outputs, anchors, sizes, self.conventions, training=True)
        return losses | self.roi_losses(maps, proposals, truths)

    def roi_losses(
        self, maps: Sequence[Tensor], proposals: Sequence[Tensor], truths: Sequence[Truth]
    ) -> dict[str, Tensor]:
        """The losses of the heads on RoIs that are sampled from the proposals."""
        sizes = [t.size_hw for t in truths]
        samples = sample_rois(proposals, truths, self.sampling)
        logits, codes = self.box_head(self.pool(maps, [s.boxes for s in samples], self.roi_size, sizes))
        losses = box_losses(logits, codes, samples, truths, self.num_outputs, self.conventions)
        if self.mask_head is not None:
            positive = [s.boxes[: s.num_positive] for s in samples]
            predicted = self.mask_head(self.pool(maps, positive, 2 * self.roi_size, sizes))
            losses["loss_mask"] = self.mask_loss(predicted, samples, truths)
        return losses

    def mask_loss(self, predicted: Tensor, samples: Sequence[RoiSample], truths: Sequence[Truth]) -> Tensor:
        """The mask loss of the samples' positives."""
        size, conventions = 4 * self.roi_size, self.conventions
        wanted = [
            mask_targets(t, s.boxes[: s.num_positive], s.truth, size, conventions)
            for t, s in zip(truths, samples, strict=True)
        ]
        labels = torch.cat([s.labels[: s.num_positive] for s in samples])
        return mask_loss(predicted, torch.cat(wanted), labels, conventions)
