"""Faster and Mask R-CNN over any body and pyramid (arXiv 1506.01497, 1612.03144, 1703.06870)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hrnet.backbone import CONVENTIONS as BODY_CONVENTIONS
from tasks.detection.heads import BoxHead, MaskHead, ProposalHead
from tasks.detection.losses import Sampling, box_losses, mask_loss, proposal_losses, sample_rois
from tasks.detection.network.anchors import RATIOS, pyramid_anchors
from tasks.detection.network.conventions import Conventions, preset
from tasks.detection.network.postprocess import Detections, Keep, chosen_masks, paste, select
from tasks.detection.network.proposals import pool_rois, propose
from tasks.detection.network.transform import torchvision_batch
from tasks.detection.targets import Truth, mask_targets
from tasks.model import TaskModel

ROI_LEVELS = 4
"""RoIs are read from the four finest levels; the fifth serves the RPN alone."""


class Detector(TaskModel):
    """Two-stage detector; parameter names ``body.*``, ``representation.*``, ``rpn.*``, ``box_head.*``, ``mask_head.*``.

    forward(images (B, 3, H, W), normalised) -> one dictionary per picture: ``boxes`` (n, 4) xyxy in the tensor's pixels with
    the family's ends, ``labels`` (n,) from 1, ``scores`` (n,), best first, and with a mask head ``masks`` (n, H, W) bool.
    forward(list of (3, H, W) in 0 .. 1) does torchvision's own resizing and normalising first and answers in the pixels of
    the pictures given. Evaluation mode only; training goes through :meth:`losses`.

    Attributes:
        conventions: what the checkpoint's family implies. keep: thresholds of forward.
        anchor_scale: anchor side over stride, 8 in every published detector.
        finest_px: box size that ends the finest RoI level, 56 where the pyramid starts at stride 4.
    """

    def __init__(
        self,
        body: nn.Module,
        representation: nn.Module,
        *,
        dataset: str,
        name: str,
        representation_name: str,
        num_outputs: int,
        conventions: Conventions,
        masks: bool = False,
        anchor_scale: float = 8.0,
        roi_size: int = 7,
        fc_width: int = 1024,
        mask_width: int = 256,
        mask_convs: int = 4,
        sampling: Sampling | None = None,
    ) -> None:
        nn.Module.__init__(self)
        self.body, self.representation = body, representation
        self.task, self.dataset, self.name = "detection", dataset, name
        self.representation_name, self.num_outputs = representation_name, num_outputs
        self.conventions, self.keep, self.sampling = conventions, Keep(), sampling or Sampling()
        self.anchor_scale, self.roi_size = float(anchor_scale), roi_size
        width: int = representation.out_channels[0]  # type: ignore[index,assignment]
        self.strides: tuple[int, ...] = tuple(representation.strides)  # type: ignore[arg-type]
        self.finest_px = 14.0 * self.strides[0]
        self.rpn = ProposalHead(width, len(RATIOS))
        self.box_head = BoxHead(width, roi_size, num_outputs, conventions, fc_width)
        self.mask_head = MaskHead(width, num_outputs, conventions, mask_width, mask_convs) if masks else None

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
        body = {k: conventions.pop(k) for k in BODY_CONVENTIONS if k in conventions}
        if body:
            _set_body(self.body, self.representation, body)
        epsilon = conventions.pop("bn_eps", None)
        if epsilon is not None:
            for module in self.body.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eps = float(epsilon)
        base = conventions.pop("detection", conventions.pop("preset", None))
        self.num_outputs = int(conventions.pop("num_classes", self.num_outputs))
        current = self.conventions if base is None else preset(base)
        self.conventions = current.change(**conventions)
        self.box_head.set_rows(self.num_outputs, self.conventions)
        if self.mask_head is not None:
            self.mask_head.set_rows(self.num_outputs, self.conventions)

    def reduced_calls(self) -> list[tuple[nn.Module, str]]:
        """Pyramid and heads; boxes are decoded, suppressed and pooled in float32."""
        heads = [self.rpn, self.box_head, *([self.mask_head] if self.mask_head is not None else [])]
        return [(self, "pyramid"), *((head, "forward") for head in heads)]

    # -- parts ---------------------------------------------------------------------------------------------------
    def pyramid(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the five maps, finest first."""
        return self.representation(self.body(images))

    def profile_forward(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Body, pyramid and RPN: what does not depend on values (the count of the published key manifests)."""
        return self.rpn(self.pyramid(images))

    def anchors(self, maps: Sequence[Tensor], input_hw: tuple[int, int]) -> list[Tensor]:
        """Anchors of every level for a padded input of ``input_hw``."""
        sizes = [(x.shape[-2], x.shape[-1]) for x in maps]
        return pyramid_anchors(sizes, self.strides, input_hw, self.conventions, self.anchor_scale)

    def pool(self, maps: Sequence[Tensor], boxes: Sequence[Tensor], size: int, sizes_hw: Sequence[Any]) -> Tensor:
        """RoI features of boxes (one tensor per picture) from the four finest levels."""
        used = min(ROI_LEVELS, len(maps))
        return pool_rois(
            maps[:used], self.strides[:used], boxes, size, self.conventions, sizes_hw, finest_px=self.finest_px
        )

    # -- inference -----------------------------------------------------------------------------------------------
    def forward(self, images: Tensor | Sequence[Tensor]) -> list[dict[str, Tensor]]:  # type: ignore[override]
        if self.training:
            raise ValueError("Expected evaluation mode, got training mode. Call .eval(), or .losses(...) to train.")
        if isinstance(images, Tensor):
            size_hw = (images.shape[-2], images.shape[-1])
            return self.answer(images, [size_hw] * len(images), [size_hw] * len(images))
        batch, sizes = torchvision_batch(images)
        return self.answer(batch, sizes, [(x.shape[-2], x.shape[-1]) for x in images])

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
        if scales_xy is None:
            scales_xy = [(n[1] / o[1], n[0] / o[0]) for n, o in zip(sizes_hw, source_hw)]
        maps = self.pyramid(images)
        found = self.detect(maps, images, sizes_hw, scales_xy, keep or self.keep)
        answers = [{"boxes": d.boxes, "labels": d.labels, "scores": d.scores} for d in found]
        if self.mask_head is not None:
            rois = [d.rois for d in found]
            logits = self.mask_head(self.pool(maps, rois, 2 * self.roi_size, sizes_hw))
            for answer, d, part, hw in zip(answers, found, logits.split([len(r) for r in rois]), source_hw):
                soft = chosen_masks(part, d.labels, self.conventions)
                answer["masks"] = paste(soft, d.boxes, hw, self.conventions, mask_threshold)
        return answers

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
        samples = sample_rois(proposals, truths, self.sampling)
        logits, codes = self.box_head(self.pool(maps, [s.boxes for s in samples], self.roi_size, sizes))
        losses |= box_losses(logits, codes, samples, truths, self.num_outputs, self.conventions)
        if self.mask_head is not None:
            positive = [s.boxes[: s.num_positive] for s in samples]
            size = 2 * self.roi_size
            predicted = self.mask_head(self.pool(maps, positive, size, sizes))
            wanted = [
                mask_targets(t, b, s.truth, 2 * size, self.conventions) for t, b, s in zip(truths, positive, samples)
            ]
            labels = torch.cat([s.labels[: s.num_positive] for s in samples])
            losses["loss_mask"] = mask_loss(predicted, torch.cat(wanted), labels, self.conventions)
        return losses

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


def _set_body(body: nn.Module, representation: nn.Module, conventions: dict[str, Any]) -> None:
    from hrnet.backbone import HRNet

    if isinstance(body, HRNet):
        body.set_conventions(**conventions)
    if "align_corners" in conventions and hasattr(representation, "align_corners"):
        representation.align_corners = conventions["align_corners"]  # type: ignore[assignment]
