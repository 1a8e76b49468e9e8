"""From the RPN's outputs to proposals, and from proposals to the pyramid's features (torchvision's operators)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tasks.detection.boxes.coding import clip, decode, large_enough
from tasks.detection.boxes.conventions import Conventions
from tasks.detection.network.roi_align import roi_align
from tasks.model import require_finite


@torch.no_grad()
def propose(
    outputs: Sequence[tuple[Tensor, Tensor]],
    anchors: Sequence[Tensor],
    sizes_hw: Sequence[tuple[int, int]],
    conventions: Conventions,
    training: bool = False,
    per_level: int | None = None,
    total: int | None = None,
) -> list[Tensor]:
    """Proposals (P, 4) of each picture, best first, exclusive ends, pixels of the network's input.

    Per level the best ``proposals_per_level`` are decoded and clipped to the picture (not to its padding) and suppressed within
    their level; over all levels the best ``proposals`` remain.

    Args:
        outputs: of :class:`tasks.detection.boxes.heads.ProposalHead`. anchors: per level. sizes_hw: of the unpadded pictures.
        per_level, total: override the conventions' counts.

    Raises:
        ValueError: in an evaluation, outputs that are not finite.
    """
    from torchvision.ops import batched_nms

    if not training:
        require_finite(*(values for pair in outputs for values in pair))
    which = 0 if training else 1
    per_level = per_level or conventions.proposals_per_level[which]
    total = total or conventions.proposals[which]
    scores, codes, cells, levels = [], [], [], []
    for level, ((logit, code), cell) in enumerate(zip(outputs, anchors, strict=True)):
        best, top = logit.topk(min(per_level, logit.shape[1]), dim=1)
        scores.append(best)
        codes.append(code.gather(1, top[:, :, None].expand(-1, -1, 4)))
        cells.append(cell.to(code)[top])
        levels.append(torch.full_like(top[0], level))
    all_scores, level_of_all = torch.cat(scores, dim=1).sigmoid(), torch.cat(levels)
    flat = [torch.cat(parts, dim=1).reshape(-1, 4) for parts in (codes, cells)]
    decoded = decode(flat[0], flat[1], conventions.rpn_stds, conventions.clamp_both)
    decoded = decoded.reshape(len(sizes_hw), -1, 4)
    result = []
    for index, size_hw in enumerate(sizes_hw):
        box = clip(decoded[index], size_hw, conventions)
        keep = torch.where(large_enough(box, conventions.rpn_min_size_px))[0]
        box, score, level_of = box[keep], all_scores[index, keep], level_of_all[keep]
        keep = batched_nms(box, score, level_of, conventions.rpn_nms_iou)[:total]
        result.append(box[keep])
    return result


def roi_levels(boxes: Tensor, conventions: Conventions, num_levels: int = 4, finest_px: float = 56.0) -> Tensor:
    """(N,) level of each box: floor(log2(sqrt(area) / finest_px)), clamped; ``finest_px`` ends level 0 (at stride 4: 56)."""
    size = torch.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    if conventions.level_epsilon_inside:
        level = torch.floor(torch.log2(size / finest_px + 1e-6))
    else:
        # torchvision counts from level 4 at 224 pixels; the sum is kept in its order for equal rounding.
        level = torch.floor(4 + torch.log2(size / (4 * finest_px)) + torch.tensor(1e-6, dtype=size.dtype)) - 2
    return level.clamp(0, num_levels - 1).to(torch.int64)


def pool_rois(
    maps: Sequence[Tensor],
    strides: Sequence[int],
    boxes: Sequence[Tensor],
    output_size: int,
    conventions: Conventions,
    sizes_hw: Sequence[tuple[int, int]],
    finest_px: float = 56.0,
) -> Tensor:
    """RoIAlign over the pyramid: boxes of each picture -> (sum of boxes, C, output_size, output_size).

    Args:
        maps, strides: the levels that RoIs are read from, finest first. sizes_hw: of the unpadded pictures.
    """
    maps = list(maps)
    scales = [1 / s for s in strides]
    shift = 0
    if conventions.strides_measured:
        height = max(h for h, _ in sizes_hw)
        scales = [2.0 ** round(math.log2(x.shape[-2] / height)) for x in maps]
        shift = int(-math.log2(scales[0])) - int(math.log2(strides[0]))
    rois = torch.cat(
        [torch.cat([b.new_full((len(b), 1), i), b], dim=1) for i, b in enumerate(boxes)] or [maps[0].new_zeros((0, 5))]
    )
    levels = roi_levels(rois[:, 1:], conventions, len(maps), finest_px * 2.0**shift)
    pooled = maps[0].new_zeros((len(rois), maps[0].shape[1], output_size, output_size))
    counts = (levels[:, None] == torch.arange(len(maps), device=levels.device)).sum(0).tolist()
    of_levels = levels.argsort(stable=True).split(counts)
    for x, scale, where in zip(maps, scales, of_levels, strict=True):
        if len(where) == 0:
            continue
        part, aligned = rois[where].to(x.dtype), conventions.roi_aligned
        if not aligned and not conventions.roi_at_least_one:
            # The operator widens RoIs to one cell unless it shifts them: let it shift, and shift them back before.
            part = torch.cat([part[:, :1], part[:, 1:] + 0.5 / scale], dim=1)
            aligned = True
        features = roi_align(x, part, output_size, scale, conventions.roi_sampling, aligned)
        pooled = pooled.index_copy(0, where, features.to(pooled.dtype))
    return pooled
