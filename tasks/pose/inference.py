"""From inputs to keypoints in picture pixels: flip test, scales, decoding."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from tasks.accelerator import is_far, is_tensor, on_host, sent
from tasks.geometry import PIXEL_STD
from tasks.heatmaps.cells import require_whole_cells
from tasks.heatmaps.decoding import decode, to_image
from tasks.heatmaps.flip import flip_test
from tasks.heatmaps.simcc import decode_simcc
from tasks.heatmaps.simcc_network import merged
from tasks.heatmaps.udp import decode_combined, decode_udp, udp_to_image
from tasks.pose.crops.corner_crop import decode_one_based
from tasks.pose.protocol import PoseProtocol


def predict_heatmaps(
    model: nn.Module, images: Tensor, pairs: Sequence[Sequence[int]], protocol: PoseProtocol
) -> NDArray[np.float32]:
    """Heat maps (B, J, h, w) of inputs (B, 3, H, W), or (B, S, 3, H, W) with several scales, flip test included.

    Of SimCC: probabilities of columns and rows (B, J, 1, classes), which :func:`keypoints` takes alike.
    """
    return on_host(merged_heatmaps(model, images, pairs, protocol))


def merged_heatmaps(
    model: nn.Module, images: Tensor, pairs: Sequence[Sequence[int]], protocol: PoseProtocol
) -> Tensor | NDArray[np.float32]:
    """As :func:`predict_heatmaps`, where the network is."""
    if images.ndim == 4:
        return _one_scale(model, images, pairs, protocol).float()
    scales = [
        _one_scale(model, images[:, index].contiguous(), pairs, protocol).float() for index in range(images.shape[1])
    ]
    if is_far(images.device):
        return fuse_there(scales, protocol.scales)
    return fuse_scales([on_host(maps) for maps in scales], protocol.scales)


def _one_scale(model: nn.Module, images: Tensor, pairs: Sequence[Sequence[int]], protocol: PoseProtocol) -> Tensor:
    maps = model(images)
    if protocol.decoder.startswith("simcc"):
        kind, flip, shift = protocol.decoder, protocol.flip, protocol.shift
        return merged(maps, model, images, pairs, kind=kind, flip=flip, shift=shift)
    require_whole_cells(maps, images)
    if not protocol.flip:
        return maps
    combined = protocol.decoder == "udp_combined"
    return flip_test(maps, model, images, pairs, shift=protocol.shift, merge=protocol.flip_merge, combined=combined)


def fuse_scales(maps: Sequence[NDArray[np.float32]], factors: Sequence[float]) -> NDArray[np.float32]:
    """Mean of heat maps (B, J, h, w) whose crops were `factors` times as large, in the frame of factor 1.

    Each map is resampled about its middle, where the box's centre lies; a cell that some crops do not cover takes the mean of
    those that do. The papers' code for this was never released: the rule is ours (docs/protocols.md, section 4).
    """
    batch, joints, height, width = maps[0].shape
    total = np.zeros((batch * joints, height, width), dtype=np.float32)
    covered = np.zeros((height, width), dtype=np.float32)
    ones = np.ones((height, width), dtype=np.float32)
    for stack, factor in zip(maps, factors, strict=True):
        covered += _resampled(ones, factor, factor)
        for row, one in enumerate(stack.reshape(-1, height, width)):
            total[row] += _resampled(one, factor, factor)
    mean: NDArray[np.float32] = (total / np.maximum(covered, np.float32(1e-6))).astype(np.float32)
    return mean.reshape(batch, joints, height, width)


def fuse_there(maps: Sequence[Tensor], factors: Sequence[float]) -> Tensor:
    """:func:`fuse_scales` on the maps' device, in products of float64 with the weights that OpenCV resamples by."""
    height, width = maps[0].shape[-2:]
    total, covered = maps[0].double() * 0, maps[0].new_zeros((height, width)).double()
    for stack, factor in zip(maps, factors, strict=True):
        down = sent(_resampled(np.eye(height, dtype=np.float32), 1.0, factor), stack.device).double()
        across = sent(_resampled(np.eye(width, dtype=np.float32), factor, 1.0), stack.device).double()
        total += down @ (stack.double() @ across)
        covered += down.sum(1, keepdim=True) * across.sum(0)
    return (total / covered.clamp(min=1e-6)).float()


def _resampled(one: NDArray[np.float32], factor_x: float, factor_y: float) -> NDArray[np.float32]:
    """A map (H, W) about its middle: cell u of the common frame is cell (u - size / 2) / factor + size / 2 of it."""
    height, width = one.shape
    matrix = np.array(
        [[1 / factor_x, 0, width / 2 * (1 - 1 / factor_x)], [0, 1 / factor_y, height / 2 * (1 - 1 / factor_y)]]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(one, matrix, (width, height), flags=flags), np.float32)


def keypoints(
    heatmaps: NDArray[np.float32] | Tensor, centres: ArrayLike, scales: ArrayLike, protocol: PoseProtocol
) -> NDArray[np.float32]:
    """Keypoints (B, J, 3) as x, y in picture pixels (0-based) and score, of heat maps (B, J, h, w).

    Of maps on an accelerator only the peaks travel, and what is around them.

    centres, scales: (B, 2) as the crops were cut.
    """
    if is_tensor(heatmaps) and not is_far(heatmaps.device):
        heatmaps = on_host(heatmaps)
    map_wh = (heatmaps.shape[3], heatmaps.shape[2])
    if protocol.decoder == "quarter_one_based":
        points, scores = decode_one_based(heatmaps, centres, scales)
    elif protocol.decoder in ("udp", "udp_combined"):
        decode_blurred = decode_udp if protocol.decoder == "udp" else decode_combined
        cells, scores = decode_blurred(heatmaps, protocol.dark_blur)
        points = udp_to_image(cells, centres, np.asarray(scales) * PIXEL_STD, map_wh)
    elif protocol.decoder.startswith("simcc"):
        pixels, scores = decode_simcc(on_host(heatmaps), protocol.decoder, protocol.input_wh)
        points = to_image(pixels, centres, scales, protocol.input_wh)
    else:
        cells, scores = decode(heatmaps, protocol.decoder, protocol.dark_blur)
        points = to_image(cells, centres, scales, map_wh)
    return np.concatenate([points, scores[..., None]], axis=-1).astype(np.float32)
