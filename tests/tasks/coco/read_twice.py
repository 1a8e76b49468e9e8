"""Small annotation files of every kind, and whether two readings are one another's copy: what tests of the cache share."""

from __future__ import annotations

import dataclasses
import json
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import judged
import numpy as np

from tasks.readings import kept


def things(**changes: Any) -> Any:
    """Instances of every kind: no box, no area, a crowd, a box that leaves its picture, one of no area, a thin polygon."""
    truth = judged.things()
    one = truth["annotations"]
    del one[0]["bbox"]
    one[1]["area"] = None
    one[2] |= {"iscrowd": 1, "segmentation": judged.runs(one[2]["segmentation"])}
    one[3]["bbox"] = [150, 100, 90, 90]
    one[4]["bbox"] = [20, 20, 0, 5]
    one[5]["segmentation"] = [[1, 1, 2, 2]]
    one[6]["ignore"] = 1
    return truth | changes


def named(truth: Any) -> Any:
    """With ids of other kinds: texts beside numbers for pictures, fractions and none for annotations."""
    truth["images"][1]["id"] = "two"
    for record in truth["annotations"]:
        record["image_id"] = "two" if record["image_id"] == 2 else record["image_id"]
    truth["annotations"][7]["id"], truth["annotations"][8]["id"] = "eight", 2.5
    del truth["annotations"][9]["id"]
    return truth


def persons() -> Any:
    truth = judged.persons()
    truth["categories"].append({"id": 7, "name": "dog", "keypoints": ["tail"]})
    truth["annotations"][2]["category_id"] = 7
    truth["annotations"][3]["num_keypoints"] = 1
    del truth["annotations"][4]["bbox"]
    truth["annotations"][5]["area"] = 0
    return truth


def write(path: Path, truth: Any) -> Path:
    path.write_text(json.dumps(truth), encoding="utf-8")
    return path


def same(a: Any, b: Any) -> bool:
    """Whether two readings are one another's copy: types, bits, order in memory."""
    if type(a) is not type(b):
        return False
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a))
    if isinstance(a, np.ndarray):
        alike = a.dtype == b.dtype and a.shape == b.shape and a.flags.c_contiguous and b.flags.c_contiguous
        return bool(alike and a.tobytes() == b.tobytes() and a.flags.writeable == b.flags.writeable)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) and (not isinstance(a, array) or a.typecode == b.typecode)


def itself(read: Callable[[], Any]) -> Any:
    """What reading the file itself gives."""
    with kept.reading_anew():
        return read()


def refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("the file itself was read")
