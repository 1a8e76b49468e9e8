"""The network's input of one person: the crop that the protocol names, normalised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.geometry import affine_matrix, crop, udp_matrix
from tasks.images import byte_values, look_up
from tasks.pose.crops.corner_crop import crop_by_corners
from tasks.pose.protocol import NORMALISERS, PoseProtocol


def person_inputs(
    picture: NDArray[np.uint8], centre: NDArray[np.floating], scale: NDArray[np.floating], protocol: PoseProtocol
) -> NDArray[np.float32]:
    """Crop and normalise one person: (3, H, W) float32, or (S, 3, H, W) with other scales than (1,)."""
    return look_up(person_crops(picture, centre, scale, protocol), person_values(protocol))


def person_values(protocol: PoseProtocol) -> NDArray[np.float32]:
    """(3, 256): the protocol's normalised value of every byte."""
    return byte_values(*NORMALISERS[protocol.normaliser])


def person_crops(
    picture: NDArray[np.uint8], centre: NDArray[np.floating], scale: NDArray[np.floating], protocol: PoseProtocol
) -> NDArray[np.uint8]:
    """Crop one person: (H, W, 3) uint8, or (S, H, W, 3) with other scales than (1,)."""
    size = protocol.input_wh
    made = []
    for factor in protocol.scales:
        if protocol.crop == "corners":
            made.append(crop_by_corners(picture, centre, float(scale[0]) * factor, size))
        else:
            grown = scale if factor == 1.0 else scale * factor
            made.append(crop(picture, crop_matrix(protocol, centre, grown, 0.0, size), size))
    # One scale other than 1 keeps its axis: its heat maps have to be brought into the box's own frame.
    return made[0] if protocol.scales == (1.0,) else np.stack(made)


def crop_matrix(
    protocol: PoseProtocol, centre: ArrayLike, scale: ArrayLike, rotation_deg: float, size_wh: Sequence[int]
) -> NDArray[np.float64]:
    """The 2x3 matrix picture -> crop that the protocol's crop stands for ("corners" has none: its training crops are affine)."""
    if protocol.crop == "udp":
        return udp_matrix(centre, scale, rotation_deg, size_wh)
    along: Literal["x", "y"] = "x" if protocol.crop == "affine_along_x" else "y"
    return affine_matrix(centre, scale, rotation_deg, size_wh, along=along)
