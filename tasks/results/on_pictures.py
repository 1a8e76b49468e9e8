"""What a task does with pictures of one's own: the part of its contract that `predict` and `load_predictor` call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

    from tasks.results.box_source import BoxSource, GivenBoxes

Follower = Callable[[NDArray[np.uint8], "GivenBoxes"], Any]
"""Takes the frames of one video in order, (H, W, 3) uint8 RGB with their boxes, and remembers; returns a frame's result."""


class OnPictures(ABC):
    """Predicts pictures.

    Attributes:
        sees_boxes: what the network is shown: "none": whole pictures; "needed": boxes in them; "whole": boxes, else the
            whole picture.
    """

    sees_boxes: Literal["none", "whole", "needed"] = "none"

    @abstractmethod
    def predict_pictures(
        self,
        model: nn.Module,
        dataset: str,
        pictures: Sequence[NDArray[np.uint8]],
        protocol: Any,
        boxes: Sequence[NDArray[np.float64]] | None = None,
    ) -> list[Any]:
        """A `tasks.results.result.Result` for each RGB picture (H, W, 3): what an evaluation would find in it.

        Args:
            model: in eval mode; called under inference mode.
            boxes: of every picture (N, 4) x0, y0, x1, y1 px, where the task ``sees_boxes``; else None.
        """

    def as_evaluated(self, given: GivenBoxes, size_wh: tuple[int, int], protocol: Any) -> GivenBoxes:
        """Annotated boxes in a picture of this size as the protocol's evaluation reads them; others as they are."""
        return given

    def follower(self, model: nn.Module, dataset: str, protocol: Any) -> Follower | None:
        """What predicts the frames of one video in their order, with what it remembers of the frames before; a new one for
        every video, called under inference mode. None where frames are predicted as pictures are."""
        return None

    def categories(self, model: nn.Module) -> list[tuple[int, str]]:
        """(id, name) of what a network of this task finds boxes of; of tasks that find boxes."""
        raise NotImplementedError

    def box_category(self, dataset: str) -> str:
        """Which category of a detector's gives boxes to look into; of tasks that look into boxes."""
        raise NotImplementedError

    def box_source(self, dataset: str, images: Sequence[Path], named: Path | None, annotated_only: bool) -> BoxSource:
        """Where `predict` finds boxes of picture files, of tasks that look into boxes.

        Args:
            images: all pictures that are asked for. named: a file of boxes; None for what a picture's dataset holds.
            annotated_only: of a dataset its annotations alone, no detections.
        """
        raise NotImplementedError
