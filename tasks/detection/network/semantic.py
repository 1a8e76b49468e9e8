"""The semantic branch of hybrid task cascade (arXiv 1901.07518): classes of all pixels from the pyramid, and its loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hrnet.backbone import initialise

IGNORED = 255
NUM_CLASSES = 183
"""COCO's stuff and thing maps: pixels hold category id - 1, up to 181; 255 is unlabelled."""
LOSS_WEIGHT = 0.2


class SemanticHead(nn.Module):
    """``semantic.{laterals.L,convs.I,predict,embedding}``: pyramid -> logits (B, 183, H/s, W/s) and embedding (B, C, H/s, W/s).

    All levels are brought to the size of level ``level`` (bilinear, aligned corners) and summed.
    """

    def __init__(
        self, in_channels: int, num_levels: int = 5, level: int = 1, num_classes: int = NUM_CLASSES, num_convs: int = 4
    ) -> None:
        super().__init__()
        self.level = level
        self.laterals = nn.ModuleList(nn.Conv2d(in_channels, in_channels, 1) for _ in range(num_levels))
        self.convs = nn.ModuleList(nn.Conv2d(in_channels, in_channels, 3, padding=1) for _ in range(num_convs))
        self.embedding = nn.Conv2d(in_channels, in_channels, 1)
        self.predict = nn.Conv2d(in_channels, num_classes, 1)
        initialise(self, "kaiming")

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        size = maps[self.level].shape[-2:]
        x = functional.relu(self.laterals[self.level](maps[self.level]))
        for index, (lateral, level) in enumerate(zip(self.laterals, maps, strict=True)):
            if index != self.level:
                resized = functional.interpolate(level, size=size, mode="bilinear", align_corners=True)
                x = x + functional.relu(lateral(resized))
        for conv in self.convs:
            x = functional.relu(conv(x))
        return self.predict(x), functional.relu(self.embedding(x))


def semantic_loss(logits: Tensor, labels: Sequence[Tensor], stride: int, over: str = "labelled") -> Tensor:
    """Cross-entropy times 0.2; what is padded is unlabelled.

    Args:
        logits: (B, K, h, w). labels: per picture (H, W) classes at the input's resolution, 255 unlabelled; every ``stride``-th
            is read. over: what the sum is divided by, the "labelled" pixels or "all".
    """
    height, width = logits.shape[-2:]
    rows = []
    for label in labels:
        small = label[::stride, ::stride].long()
        rows.append(functional.pad(small, (0, width - small.shape[1], 0, height - small.shape[0]), value=IGNORED))
    targets = torch.stack(rows).to(logits.device)
    count = targets.numel() if over == "all" else int((targets != IGNORED).sum())
    total = functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")
    return LOSS_WEIGHT * total / max(count, 1)
