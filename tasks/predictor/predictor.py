"""The callable over pictures: boxes, batches, the network, typed results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.base import Task
from tasks.predictor.sources import Shown, is_single, is_video, read_shown, shown_of
from tasks.results.box_source import GivenBoxes
from tasks.results.result import as_boxes

if TYPE_CHECKING:
    import torch
    from torch import nn

    from tasks.predictor.chained import Chained
    from tasks.results.result import Result

TOGETHER = {"cpu": 4, "cuda": 16}
"""Pictures that are read and predicted together."""
WHOLE = "whole"
WHOLE_PICTURE = "the whole picture"


class Predictor:
    """One network, ready for pictures: ``predictor(image)``. See :func:`tasks.load_predictor`.

    Attributes:
        task, network, dataset, protocol: what predicts, and under which protocol.
        detector: what finds the boxes where none are given; None without one.
    """

    def __init__(
        self,
        task: Task,
        network: nn.Module,
        dataset: str,
        protocol: Any,
        device: torch.device,
        precision: str = "fp32",
        detector: Chained | None = None,
        batch_size: int | None = None,
    ) -> None:
        import torch

        from tasks.precision import check_precision

        check_precision(precision, device)
        self.task, self.dataset, self.protocol = task, dataset, protocol
        self.precision, self.device, self.detector = precision, device, detector
        self.batch_size = batch_size or TOGETHER.get(device.type, TOGETHER["cuda"])
        # The layout that an evaluation gives it: the same products, in the same order.
        self.network = network.eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, image: Any, boxes: Any = None) -> Any:
        """What the network says about a picture, or an iterator over what it says about several.

        Args:
            image: (H, W, 3) uint8 RGB, or the path of a picture: one result. A list of these, a folder (its pictures by name) or
                a video (its frames, one by one): an iterator of results.
            boxes: for pose and faces: (N, 4) x0, y0, x1, y1 px, (0, 0) the middle of the first pixel; or "whole" for the whole
                picture. Of a list one such entry per picture. None takes the detector's, or for faces the whole picture.

        Raises:
            ValueError: no such picture, none that can be read, or boxes that lack or do not fit.
        """
        self._check_boxes(boxes)
        if is_single(image):
            return self.predicted([read_shown(image, boxes)])[0]
        shown = shown_of(image, boxes)
        return self.frames(shown) if isinstance(image, str | Path) and is_video(Path(image)) else self.stream(shown)

    def frames(self, pictures: Iterable[Shown]) -> Iterator[Any]:
        """The results of one video's frames in their order; persons and faces carry the ids of their tracks."""
        follow = self.task.follower(self.network, self.dataset, self.protocol)
        if follow is None:
            yield from self.stream(pictures)
            return
        waiting = iter(pictures)
        while part := list(islice(waiting, self.batch_size)):
            given = self._boxes(part)
            assert given is not None
            for one, boxes in zip(part, given, strict=True):
                with self._computing():
                    result: Result = follow(one.picture, boxes)
                yield result.placed(**one.place(), boxes_from=boxes.origin, note=boxes.why or result.note)

    def stream(self, pictures: Iterable[Shown]) -> Iterator[Any]:
        """The results of pictures in their order; no more are read than go through the network together."""
        waiting = iter(pictures)
        while part := list(islice(waiting, self.batch_size)):
            yield from self.predicted(part)

    def predicted(self, pictures: list[Shown]) -> list[Any]:
        """The results of some pictures, which go through the network together."""
        given = self._boxes(pictures)
        boxes = None if given is None else [one.xyxy_px for one in given]
        with self._computing():
            results: list[Result] = self.task.predict_pictures(
                self.network, self.dataset, [one.picture for one in pictures], self.protocol, boxes
            )
        made = []
        for number, (result, one) in enumerate(zip(results, pictures, strict=True)):
            where = one.place()
            if given is not None:
                where |= {"boxes_from": given[number].origin, "note": given[number].why}
            made.append(result.placed(**where))
        return made

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Without gradients, in the precision that was asked for."""
        import torch

        from tasks.precision import float32_products, reduced

        with (
            torch.inference_mode(),
            float32_products(
                self.precision == "tf32", self.device, same_shapes=False
            ),  # as many boxes as a picture has
            reduced(self.network, self.precision, self.device),
        ):
            yield

    def _check_boxes(self, boxes: Any) -> None:
        if boxes is not None and self.task.sees_boxes == "none":
            raise ValueError(f"Expected no boxes for {self.task.name}, which sees whole pictures; leave them out")
        if isinstance(boxes, str) and boxes != WHOLE:
            raise ValueError(f'Expected boxes as numbers or "{WHOLE}", got {boxes!r}')
        if boxes is None and self.task.sees_boxes == "needed" and self.detector is None:
            raise ValueError(
                f"Expected boxes of what {self.task.name} looks into, got none: give boxes=[[x0, y0, x1, y1], ...], "
                f'boxes="{WHOLE}" for the whole picture, or a detector (load_predictor(..., detector=WEIGHTS))'
            )

    def _boxes(self, pictures: list[Shown]) -> list[GivenBoxes] | None:
        """The boxes of every picture: given with it, else the detector's, else the whole picture."""
        if self.task.sees_boxes == "none":
            return None
        found: list[GivenBoxes | None] = [_given(one) for one in pictures]
        asked = [one for one, boxes in zip(pictures, found, strict=True) if boxes is None]
        if asked and self.detector is not None:
            detected = iter(self.detector.boxes(asked))
            found = [next(detected) if boxes is None else boxes for boxes in found]
        for one, boxes in zip(pictures, found, strict=True):
            if boxes is None and self.task.sees_boxes == "needed":
                self._check_boxes(None)
                raise ValueError(f"Expected boxes in {one.image or 'the picture'}, got none")
        known = ((one, boxes or _whole(one)) for one, boxes in zip(pictures, found, strict=True))
        return [self.task.as_evaluated(boxes, one.size_wh, self.protocol) for one, boxes in known]


def _given(one: Shown) -> GivenBoxes | None:
    if one.boxes is None or isinstance(one.boxes, GivenBoxes):
        return one.boxes
    if isinstance(one.boxes, str):
        return _whole(one)
    what = f"{one.image}: boxes" if one.image else "boxes"
    return GivenBoxes(as_boxes(one.boxes, one.size_wh, what), "the caller")


def _whole(one: Shown) -> GivenBoxes:
    width, height = one.size_wh
    return GivenBoxes(np.array([[0.0, 0.0, width, height]]), WHOLE_PICTURE)
