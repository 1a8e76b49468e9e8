"""COCO results files, read back: what keypoints, boxes and masks have in common. Torch-free."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any


def read_records(path: Path, image_ids: Collection[Any]) -> list[dict[str, Any]]:
    """The list of records of a results file, each of a picture that the ground truth has.

    Raises:
        ValueError: no such file, not a list of objects, or results for other pictures.
    """
    if not path.is_file():
        raise ValueError(f"Expected COCO results at {path} but there is no such file; check the name")
    try:
        records = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, got {error}; write the results again") from None
    if not isinstance(records, list):
        raise ValueError(
            f"{path}: expected a list of results, got {type(records).__name__}; is this an annotation file?"
        )
    known = set(image_ids)
    strangers: set[Any] = set()
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            raise ValueError(f"{path}, entry {row}: expected an object, got {record!r}; write the results again")
        name = record.get("image_id")
        if not isinstance(name, int | str):
            raise ValueError(f"{path}, entry {row}: expected an image_id, got {name!r}; write the results again")
        if name not in known:
            strangers.add(name)
    if strangers:
        some = ", ".join(str(s) for s in sorted(strangers, key=str)[:3])
        raise ValueError(
            f"{path}: expected results for the {len(known)} pictures of the ground truth, got results for {len(strangers)} "
            f"others (image_id {some}); choose the split that these results were made for"
        )
    return records
