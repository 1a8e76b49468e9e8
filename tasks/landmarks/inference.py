"""From face crops to landmarks in picture pixels: flip test and decoding."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from tasks.accelerator import is_far, on_host
from tasks.heatmaps.cells import require_whole_cells
from tasks.heatmaps.flip import flip_test
from tasks.landmarks.files.markup import Markup
from tasks.landmarks.protocol import LandmarkProtocol
from tasks.landmarks.targets import decode_faces


def predict_heatmaps(model: nn.Module, images: Tensor, markup: Markup, protocol: LandmarkProtocol) -> Tensor:
    """Heat maps (B, P, S / 4, S / 4) of crops (B, 3, S, S), averaged with the mirrored crop's where the protocol flips.

    Raises:
        ValueError: the model predicts another number of points than the mark-up has, or maps that do not cover the crop.
    """
    maps = model(images)
    if maps.shape[1] != markup.num_points:
        raise ValueError(
            f"Expected a model of {markup.num_points} points but this one predicts {maps.shape[1]}; evaluate it on the dataset "
            "whose mark-up it was trained with"
        )
    require_whole_cells(maps, images)
    if not protocol.flip:
        return maps
    return flip_test(maps, model, images, markup.pairs, shift=protocol.shift)


def predict_points(
    model: nn.Module, batch: dict[str, Any], markup: Markup, protocol: LandmarkProtocol
) -> list[np.ndarray]:
    """One (P, 3) array per face: x, y in 1-based picture pixels, and the peak's height."""
    found = predict_heatmaps(model, batch["images"], markup, protocol).float()
    maps = found if is_far(found.device) else on_host(found)
    points, scores = decode_faces(maps, on_host(batch["centre"]), on_host(batch["scale"]), protocol)
    return list(np.concatenate([points, scores[..., None]], -1))
