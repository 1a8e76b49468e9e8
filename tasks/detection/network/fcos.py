"""FCOS over any body and pyramid, with five or six levels (arXiv 1904.01355)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.accelerator import constant, sent
from tasks.detection.boxes.point_conventions import PointConventions, point_preset
from tasks.detection.boxes.points import boxes_at, points_on, size_ranges
from tasks.detection.network.base import DetectionModel, scales_of
from tasks.detection.network.postprocess import Detections, Keep, suppress
from tasks.detection.points.heads import PointHead
from tasks.detection.points.losses import point_losses
from tasks.detection.points.targets import PointTargets, point_targets
from tasks.detection.targets import Truth
from tasks.model import require_finite

Outputs = Sequence[tuple[Tensor, Tensor, Tensor]]


class FCOS(DetectionModel):
    """One-stage detector without anchors; parameter names ``body.*``, ``representation.*``, ``point_head.*``.

    Attributes:
        range_scale: sizes that a level answers for, in strides: 8 in every published one.
    """

    conventions: PointConventions

    def __init__(
        self,
        body: nn.Module,
        representation: nn.Module,
        *,
        conventions: PointConventions,
        tower_width: int = 256,
        tower_convs: int = 4,
        range_scale: float = 8.0,
        start_at_strides: bool = False,
        **names: Any,
    ) -> None:
        super().__init__(body, representation, detector="fcos", **names)
        self.conventions, self.range_scale = conventions, float(range_scale)
        width: int = representation.out_channels[0]  # type: ignore[index,assignment]
        self.point_head = PointHead(width, self.num_outputs, len(self.strides), conventions, tower_width, tower_convs)
        if start_at_strides:
            self.point_head.start_at(self.strides)

    def set_conventions(self, **conventions: Any) -> None:
        """Sets what a checkpoint's family implies, before its weights are loaded.

        Args:
            conventions: ``detection`` (or ``preset``) names a preset of :data:`POINT_PRESETS`; fields of
                :class:`PointConventions` change single ones; ``num_classes`` the classes; ``upsample``, ``align_corners``,
                ``bn_momentum``, ``bn_eps`` go to body and pyramid.

        Raises:
            ValueError: an unknown field or preset; the nearest is named.
        """
        self.set_body_conventions(conventions)
        base = conventions.pop("detection", conventions.pop("preset", None))
        self.num_outputs = int(conventions.pop("num_classes", self.num_outputs))
        current = self.conventions if base is None else point_preset(base)
        self.conventions = current.change(**conventions)
        self.point_head.set_rows(self.num_outputs, self.conventions)

    def reduced_calls(self) -> list[tuple[nn.Module, str]]:
        """Pyramid and head; boxes are decoded and suppressed in float32."""
        return [(self, "pyramid"), (self.point_head, "forward")]

    # -- parts ---------------------------------------------------------------------------------------------------
    def profile_forward(self, images: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """The whole network; what follows has no parameters."""
        return self.point_head(self.pyramid(images))

    def points(self, outputs: Outputs) -> list[Tensor]:
        """(H W, 2) points of every level."""
        sizes = tuple((x.shape[-2], x.shape[-1]) for x, _, _ in outputs)
        like = outputs[0][1]
        return [p.to(like) for p in points_on(like.device, sizes, self.strides)]

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
        outputs = self.point_head(self.pyramid(images))
        found = self.detect(outputs, sizes_hw, scales_xy or scales_of(sizes_hw, source_hw), keep or self.keep)
        return [{"boxes": d.boxes, "labels": d.labels, "scores": d.scores} for d in found]

    def detect(
        self,
        outputs: Outputs,
        sizes_hw: Sequence[tuple[int, int]],
        scales_xy: Sequence[tuple[float, float]],
        keep: Keep,
    ) -> list[Detections]:
        """Boxes of every picture from the head's outputs; raises ValueError where they are not finite."""
        for logits, distance, centre in outputs:
            require_finite(logits, distance.clamp(max=1.0), centre)  # a distance may overflow: boxes are clipped
        one = 1.0 if self.conventions.inclusive_ends else 0.0
        result = []
        for index, (size_hw, scale_xy) in enumerate(zip(sizes_hw, scales_xy, strict=True)):
            boxes, scores, labels = self.candidates(outputs, index, size_hw, keep.score_threshold)
            ends = boxes + constant((0.0, 0.0, one, one), boxes)
            best = suppress(ends, scores, labels, keep, self.conventions.kept)
            factor = sent(np.array([*scale_xy] * 2), boxes.device).to(boxes.dtype)
            result.append(Detections(boxes[best] / factor, labels[best], scores[best], ends[best]))
        return result

    def candidates(
        self, outputs: Outputs, index: int, size_hw: tuple[int, int], threshold: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (n, 4) with the family's ends, scores and labels from 1 of one picture, before suppression.

        A point and a class whose probability is above ``threshold`` are a candidate; the best ``per_level`` of each level stay.
        """
        conventions, parts = self.conventions, []
        for points, stride, (logits, distance, centre) in zip(self.points(outputs), self.strides, outputs, strict=True):
            scores = logits[index].permute(1, 2, 0).reshape(len(points), -1).sigmoid()
            ltrb = distance[index].permute(1, 2, 0).reshape(-1, 4)
            row, label = torch.where(scores > threshold)
            seen = scores[row, label]
            product = seen * centre[index].reshape(-1).sigmoid()[row]
            ranked = product if conventions.product_first else seen
            top = ranked.topk(min(conventions.per_level, len(ranked))).indices
            boxes = boxes_at(points[row[top]], ltrb[row[top]] * (stride if conventions.normed else 1))
            parts.append((boxes, product[top], label[top] + 1))
        boxes, scores, labels = (torch.cat(x) for x in zip(*parts, strict=True))
        one = 1.0 if conventions.inclusive_ends else 0.0
        limit = sent(np.array([size_hw[1] - one, size_hw[0] - one] * 2), boxes.device).to(boxes.dtype)
        boxes = torch.minimum(boxes.clamp(min=0), limit)
        if conventions.drops_empty:
            kept = torch.where((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))[0]
            boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        return boxes, scores, labels

    # -- training ------------------------------------------------------------------------------------------------
    def losses(self, images: Tensor, truths: Sequence[Truth]) -> dict[str, Tensor]:
        """``loss_cls``, ``loss_box`` and ``loss_centerness`` of a batch."""
        outputs = self.point_head(self.pyramid(images))
        return point_losses(outputs, self.targets(outputs, truths), self.conventions, self.strides)

    def targets(self, outputs: Outputs, truths: Sequence[Truth]) -> list[PointTargets]:
        """Targets of every picture's points."""
        points, ranges = self.points(outputs), size_ranges(self.strides, self.range_scale)
        one = 1.0 if self.conventions.inclusive_ends else 0.0
        return [
            point_targets(
                points,
                self.strides,
                ranges,
                t.boxes - constant((0.0, 0.0, one, one), t.boxes),
                t.labels,
                self.conventions,
            )
            for t in truths
        ]
