"""From pictures to label maps: whole, tiled or windowed, several scales, mirrored, without full-size score maps.

The network's logits stay at their own stride. Scores at full size exist for a strip of rows at a time: a strip is
enlarged, combined over views, reduced to the best class, and forgotten. Rules: docs/protocols.md, sections 6 to 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tasks.accelerator import sent
from tasks.images import IMAGENET_MEAN, IMAGENET_STD
from tasks.model import require_finite
from tasks.segmentation.files.classes import IGNORE
from tasks.segmentation.protocol import SegmentationProtocol, with_short_side

STRIP_ELEMENTS = {"cpu": 2**20, "cuda": 2**26}
"""Scores held at full size at one time: on a CPU a strip should stay in the cache."""
BLACK = tuple(-m / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD))
MEAN = (0.0, 0.0, 0.0)
"""What lies beyond a view, normalised: black around windows, the mean colour where sides are padded to a multiple."""
Rows = Callable[[int, int], Tensor]


def view_size(size_hw: tuple[int, int], scale: float, protocol: SegmentationProtocol) -> tuple[int, int]:
    """Height and width in px of a picture at a scale: the base side is int(base * scale + 0.5), as in the reference; a thin
    picture keeps a pixel."""
    height, width = _view_size(size_hw, scale, protocol)
    return max(1, height), max(1, width)


def _view_size(size_hw: tuple[int, int], scale: float, protocol: SegmentationProtocol) -> tuple[int, int]:
    height, width = size_hw
    if protocol.view == "square" or protocol.score_at == "crop":
        return int(height * scale + 0.5), int(width * scale + 0.5)
    short = protocol.base_side == "short"
    base = protocol.base_px or (min(size_hw) if short else max(size_hw))
    side = int(base * scale + 0.5)
    if (height > width) != short:
        return side, int(width * side / height + 0.5)
    return int(height * side / width + 0.5), side


@dataclass(frozen=True)
class Window:
    """One pass of the network: where its scores lie in the view, and the logits of the plain and mirrored picture.

    ``members`` are (B, K, h, w) at the network's stride, for an input of ``input_hw``; of its scores those of the first
    ``size_hw`` rows and columns count, at ``top``, ``left`` of the view.
    """

    top: int
    left: int
    size_hw: tuple[int, int]
    input_hw: tuple[int, int]
    members: tuple[Tensor, ...]


def window_places(length: int, crop: int, stride: int, shift_back: bool) -> list[tuple[int, int]]:
    """(start, stop) of the windows along one side of ``length`` >= 1 px."""
    count = max(0, math.ceil((length - crop) / stride)) + 1
    places = []
    for index in range(count):
        stop = min(index * stride + crop, length)
        start = max(stop - crop, 0) if shift_back else index * stride
        places.append((start, stop))
    return places


def windows_of(size_hw: tuple[int, int], protocol: SegmentationProtocol) -> list[tuple[int, int, int, int, int, int]]:
    """(top, bottom, left, right, input height, input width) of every pass over a view; what lies beyond the view is padded."""
    height, width = size_hw
    crop_h, crop_w = protocol.crop_hw
    if protocol.view == "windows":
        places = (
            window_places(height, crop_h, int(crop_h * 2 / 3), False),
            window_places(width, crop_w, int(crop_w * 2 / 3), False),
        )
        return [(t, b, x, r, crop_h, crop_w) for t, b in places[0] for x, r in places[1]]
    if protocol.view == "tiles" and (height > crop_h or width > crop_w):
        places = (window_places(height, crop_h, crop_h, True), window_places(width, crop_w, crop_w, True))
        return [(t, b, x, r, b - t, r - x) for t, b in places[0] for x, r in places[1]]
    m = protocol.pad_multiple
    return [(0, height, 0, width, -(-height // m) * m, -(-width // m) * m)]


def run_windows(
    model: nn.Module, images: Tensor, size_hw: tuple[int, int], protocol: SegmentationProtocol, mirror: Tensor
) -> list[Window]:
    """Passes the views (B, 3, H, W) of one scale through the network, window by window."""
    if tuple(images.shape[-2:]) != size_hw:
        images = functional.interpolate(images, size=size_hw, mode="bilinear", align_corners=False)
    made = []
    for top, bottom, left, right, in_h, in_w in windows_of(size_hw, protocol):
        part = images[..., top:bottom, left:right]
        if part.shape[-2:] != (in_h, in_w):
            colour = BLACK if protocol.view == "windows" else MEAN
            canvas = part.new_empty((len(part), 3, in_h, in_w))
            for channel, value in enumerate(colour):
                canvas[:, channel] = value
            canvas[..., : bottom - top, : right - left] = part
            part = canvas
        logits = model(part).float().contiguous()
        if logits.shape[1] != len(mirror):
            raise ValueError(f"Expected a network of {len(mirror)} outputs, got {logits.shape[1]}.")
        members: tuple[Tensor, ...] = (logits,)
        if protocol.flip:
            mirrored = model(part.flip(3)).float().flip(3)[:, mirror].contiguous()
            # Enlarging is linear and symmetric, so logits may be averaged before it.
            members = ((logits + mirrored) / 2,) if protocol.combine == "exp_logits" else (logits, mirrored)
        made.append(Window(top, left, (bottom - top, right - left), (in_h, in_w), members))
    return made


def resized_rows(
    rows: Rows, in_hw: tuple[int, int], out_hw: tuple[int, int], start: int, stop: int, align_corners: bool
) -> Tensor:
    """Rows ``start`` to ``stop`` of a bilinear resize (K, ``out_hw``) of a map (K, ``in_hw``) given by ``rows(start, stop)``.

    Equals the same rows of ``functional.interpolate`` to rounding, from the few input rows that they need.
    """
    if in_hw == out_hw:
        return rows(start, stop)
    height, width = out_hw
    at = torch.arange(start, stop, dtype=torch.float64)
    if align_corners:
        source = at * ((in_hw[0] - 1) / (height - 1) if height > 1 else 0.0)
    else:
        source = ((at + 0.5) * (in_hw[0] / height) - 0.5).clamp_(min=0)
    low = source.floor().long().clamp_(max=in_hw[0] - 1)
    high = (low + 1).clamp_(max=in_hw[0] - 1)
    first, last = int(low[0]), int(high[-1]) + 1
    part = rows(first, last)
    if in_hw[1] != width:
        part = functional.interpolate(part[None], (last - first, width), mode="bilinear", align_corners=align_corners)[
            0
        ]
    low_rows, high_rows, weight = (
        values.to(part.device, non_blocking=True)
        for values in (low - first, high - first, (source - low).to(part.dtype))
    )
    return torch.lerp(part[:, low_rows], part[:, high_rows], weight.view(-1, 1))


def _map_rows(values: Tensor, start: int, stop: int) -> Tensor:
    return values[:, start:stop]


def window_rows(
    window: Window, sample: int, start: int, stop: int, protocol: SegmentationProtocol, plain: bool
) -> Tensor:
    """Scores (K, stop - start, width) of a window's own rows; ``plain`` gives logits, where only their order counts."""
    total: Tensor | None = None
    for member in window.members:
        logits = member[sample]
        in_hw = (logits.shape[-2], logits.shape[-1])
        part = resized_rows(partial(_map_rows, logits), in_hw, window.input_hw, start, stop, protocol.align_corners)[
            ..., : window.size_hw[1]
        ]
        if not plain:
            part = part.exp() if protocol.combine == "exp_logits" else part.softmax(dim=0)
        total = part if total is None else total.add_(part)
    assert total is not None
    return total if len(window.members) == 1 else total.div_(len(window.members))


def view_rows(
    windows: Sequence[Window],
    size_hw: tuple[int, int],
    sample: int,
    start: int,
    stop: int,
    protocol: SegmentationProtocol,
    plain: bool = False,
) -> Tensor:
    """Rows of a view: the mean of the windows that cover each pixel."""
    if len(windows) == 1:
        return window_rows(windows[0], sample, start, stop, protocol, plain)
    reference = windows[0].members[0]
    total = reference.new_zeros(reference.shape[1], stop - start, size_hw[1])
    count = reference.new_zeros(stop - start, size_hw[1])
    for window in windows:
        a, b = max(start, window.top), min(stop, window.top + window.size_hw[0])
        if a >= b:
            continue
        part = window_rows(window, sample, a - window.top, b - window.top, protocol, plain)
        columns = slice(window.left, window.left + window.size_hw[1])
        total[:, a - start : b - start, columns] += part
        count[a - start : b - start, columns] += 1
    return total.div_(count)


Views = Sequence[tuple[tuple[int, int], Sequence[Window]]]
"""Size of every scale's view, and its windows."""


def _summed_rows(
    views: Views,
    sample: int,
    out_hw: tuple[int, int],
    start: int,
    stop: int,
    protocol: SegmentationProtocol,
    plain: bool = False,
) -> Tensor:
    """Rows (K, stop - start, width) of the scores of all scales, each brought to ``out_hw``, added."""
    total: Tensor | None = None
    for size_hw, windows in views:
        rows: Rows = partial(view_rows, windows, size_hw, sample, protocol=protocol, plain=plain)
        part = resized_rows(rows, size_hw, out_hw, start, stop, protocol.align_corners)
        total = part if total is None else total + part
    assert total is not None
    return total


def _cut_rows(rows: Rows, width: int, start: int, stop: int) -> Tensor:
    return rows(start, stop)[..., :width]


def best_class(scores: Tensor) -> Tensor:
    """(K, h, w) -> (h, w) uint8; the lower class where two tie, as argmax; 255 for every class from 255 on."""
    if scores.device.type != "cpu":
        return scores.argmax(dim=0).clamp_(max=IGNORE).to(torch.uint8)
    # Reducing the outermost axis step by step is several times faster on a CPU than argmax over it.
    best = scores[0].clone()
    which = torch.zeros(best.shape, dtype=torch.uint8)
    for index in range(1, len(scores)):
        better = scores[index] > best
        torch.maximum(best, scores[index], out=best)
        which.masked_fill_(better, min(index, IGNORE))
    return which


def label_maps(
    model: nn.Module,
    images: Tensor,
    sizes_hw: Sequence[tuple[int, int]],
    protocol: SegmentationProtocol,
    mirror: NDArray[np.integer],
) -> list[NDArray[np.uint8]]:
    """As :func:`best_maps`, as arrays."""
    return [found.cpu().numpy() for found in best_maps(model, images, sizes_hw, protocol, mirror)]


class Counted(NamedTuple):
    """A prediction that was counted where it was made.

    Attributes:
        pairs: (256, 256) int64, how often each pair of bytes of the true (rows) and the predicted label map occurs.
        found: (H, W) uint8, the predicted map; None where nobody keeps it.
    """

    pairs: NDArray[np.int64]
    found: NDArray[np.uint8] | None


def counted(found: Sequence[Tensor], labels: Sequence[Tensor | None] | None, keep: bool) -> list[Any]:
    """Predicted maps as arrays, or as `Counted` where there are true ones beside them.

    Args:
        labels: (H, W) uint8 of each map's size, on its device; None where a sample, or every one, has none.
        keep: whether the maps of those are wanted too.
    """
    made: list[Any] = []
    for one, label in zip(found, labels or [None] * len(found), strict=True):
        if label is None:
            made.append(one.cpu().numpy())
            continue
        pairs = torch.bincount(label.reshape(-1).to(torch.int32) * 256 + one.reshape(-1), minlength=256 * 256)
        made.append(Counted(pairs.cpu().numpy().reshape(256, 256), one.cpu().numpy() if keep else None))
    return made


@torch.inference_mode()
def best_maps(
    model: nn.Module,
    images: Tensor,
    sizes_hw: Sequence[tuple[int, int]],
    protocol: SegmentationProtocol,
    mirror: NDArray[np.integer],
) -> list[Tensor]:
    """Predicted classes of a batch, where the network is.

    Args:
        images: (B, 3, H, W) normalised, on the network's device.
        sizes_hw: the height and width at which each sample is scored.
        mirror: (N,) output -> output in a mirrored picture; outputs from the protocol's classes on are of no class.

    Returns:
        One (h, w) uint8 map per sample; 255 where the best output is of no class.

    Raises:
        ValueError: the network has another number of outputs, or fewer than the protocol has classes, or they are not finite.
    """
    if len(mirror) < protocol.num_classes:
        raise ValueError(
            f"Expected a network of at least the protocol's {protocol.num_classes} classes, got {len(mirror)}; build it with "
            f"model.num_outputs={protocol.num_classes}, or set --protocol num_classes={len(mirror)}."
        )
    order = sent(np.asarray(mirror), images.device)
    views = []
    for scale in protocol.scales:
        size_hw = view_size((images.shape[-2], images.shape[-1]), scale, protocol)
        views.append((size_hw, run_windows(model, images, size_hw, protocol, order)))
    require_finite(*(member for _, windows in views for window in windows for member in window.members))
    only_order = len(views) == 1 and len(views[0][1]) == 1 and len(views[0][1][0].members) == 1
    maps = []
    for sample, out_hw in enumerate(sizes_hw):
        out_hw = (int(out_hw[0]), int(out_hw[1]))
        scored = partial(_summed_rows, views, sample, protocol=protocol)
        if protocol.first_short_px:
            # All scales meet at the input's size; what was padded there is cut before the scores return to the label's size.
            in_hw = (images.shape[-2], images.shape[-1])
            kept_hw = with_short_side(out_hw, protocol.first_short_px)
            inner: Rows = partial(_cut_rows, partial(scored, in_hw), kept_hw[1])
            rows: Rows = partial(resized_rows, inner, kept_hw, out_hw, align_corners=protocol.align_corners)
        else:
            # A resize of exp(logits) is not that of the logits, but without one the exponential keeps the order.
            rows = partial(scored, out_hw, plain=only_order and views[0][0] == out_hw)
        found = torch.empty(out_hw, dtype=torch.uint8, device=images.device)
        budget = STRIP_ELEMENTS["cpu" if images.device.type == "cpu" else "cuda"]
        step = max(1, budget // (len(mirror) * out_hw[1]))
        for start in range(0, out_hw[0], step):
            stop = min(start + step, out_hw[0])
            found[start:stop] = best_class(rows(start, stop))
        found[found >= protocol.num_classes] = IGNORE
        maps.append(found)
    return maps
