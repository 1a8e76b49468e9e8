"""What a COCO file gave, taken apart into plain data and arrays, and put together again: nothing of it is another's."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.coco.annotations import Annotations
from tasks.coco.categories import Categories
from tasks.coco.pictures import Pictures

_COLUMNS = ("place", "image", "category", "boxes", "areas", "crowd", "ignore", "start")


def taken_apart(read: Annotations) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Plain data and arrays of what all annotations have."""
    plain: dict[str, Any] = {
        "picture_ids": read.pictures.ids,
        "picture_names": read.pictures.names,
        "categories": [read.categories.ids, read.categories.names, read.categories.keypoints],
        "notes": read.notes,
    }
    arrays = {name: getattr(read, name) for name in _COLUMNS} | {"sizes_wh": read.pictures.sizes_wh}
    if isinstance(read.ids, array):
        arrays["ids"] = np.array(read.ids, np.int64)
    else:
        plain["ids"] = read.ids
    return plain, arrays


def put_together(plain: Any, arrays: Mapping[str, NDArray[Any]], path: Path) -> dict[str, Any]:
    """The fields of :class:`Annotations`, from what :func:`taken_apart` made of a file that lies at `path` now."""
    ids, names, keypoints = plain["categories"]
    return {
        "path": path,
        "pictures": Pictures(path, tuple(plain["picture_ids"]), tuple(plain["picture_names"]), arrays["sizes_wh"]),
        "categories": Categories(tuple(ids), tuple(names), tuple(map(tuple, keypoints))),
        "ids": array("q", arrays["ids"].tobytes()) if "ids" in arrays else tuple(plain["ids"]),
        "notes": tuple(plain["notes"]),
        **{name: arrays[name] for name in _COLUMNS},
    }
