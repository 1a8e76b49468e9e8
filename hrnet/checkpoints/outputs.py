"""What a checkpoint says its outputs are: ids and names of classes, or names of joints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def named_outputs(extra: Mapping[str, Any], num_outputs: int | None) -> list[list[Any]] | None:
    """[[id, name], ...] in the order of the outputs, from the plain data beside the weights; None where it says nothing.

    Our own files hold ``build["classes"]``; the OpenMMLab's ``meta`` holds names of classes (2.x: CLASSES; 3.x: dataset_meta)
    or of joints, whose ids are their places from 1.
    """
    build = extra.get("build")
    if isinstance(build, Mapping):
        return _pairs(build.get("classes"), num_outputs)
    meta = extra.get("meta")
    if not isinstance(meta, Mapping):
        return None
    dataset = meta.get("dataset_meta")
    places = (dataset, meta) if isinstance(dataset, Mapping) else (meta,)
    for place in places:
        for key in ("keypoint_id2name", "classes", "CLASSES"):
            names = place.get(key)
            if isinstance(names, Mapping):
                names = [names[k] for k in sorted(names)] if all(isinstance(k, int) for k in names) else None
            if isinstance(names, list | tuple) and names and len(names) == num_outputs:
                return [[number, str(name)] for number, name in enumerate(names, start=1)]
    return None


def _pairs(value: Any, num_outputs: int | None) -> list[list[Any]] | None:
    if not isinstance(value, list | tuple) or len(value) != num_outputs:
        return None
    pairs = [list(pair) for pair in value if isinstance(pair, list | tuple) and len(pair) == 2]
    good = len(pairs) == len(value) and all(isinstance(number, int) for number, _ in pairs)
    return [[number, str(name)] for number, name in pairs] if good else None
