"""A segmentation network: body, representation and head, with its outputs in either mode."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from hrnet.backbone import HRNet
from tasks.model import TaskModel


class SegmentationModel(TaskModel):
    """forward(images (B, 3, H, W)) -> logits (B, num_classes, H/4, W/4).

    In training mode a network with an auxiliary prediction returns [auxiliary, main]; in eval mode the main one alone.
    :meth:`outputs` gives all of them in either mode.
    """

    def outputs(self, images: Tensor) -> list[Tensor]:
        """Every prediction, the main one last."""
        made = self.head(self.representation(self.body(images)))
        return list(made) if isinstance(made, list | tuple) else [made]

    def forward(self, images: Tensor) -> Any:
        made = self.outputs(images)
        return made if self.training and len(made) > 1 else made[-1]

    @property
    def align_corners(self) -> bool:
        """How logits are enlarged to the labels' size in the loss: as the body enlarges its maps."""
        return self.body.spec.align_corners if isinstance(self.body, HRNet) else False
