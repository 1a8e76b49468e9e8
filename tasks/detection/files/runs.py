"""Masks as COCO's run lengths, by pycocotools, without its complaint about newer NumPy. Torch-free."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """(H, W) mask -> compressed run lengths {size [H, W], counts text}, as results files hold them."""
    from pycocotools import mask as rle

    coded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(n) for n in coded["size"]], "counts": coded["counts"].decode("ascii")}


def decode(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Polygons, run lengths or compressed run lengths -> (H, W) mask."""
    from pycocotools import mask as rle

    coded = segmentation
    if isinstance(segmentation, list):
        coded = rle.merge(rle.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        coded = rle.frPyObjects(segmentation, height, width)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        return np.asarray(rle.decode(coded)).astype(bool)
