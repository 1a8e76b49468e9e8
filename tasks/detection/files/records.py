"""Records of an instances file, checked: what pycocotools takes without a word, or stumbles over later. Torch-free."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, Literal

from tasks.rle import check_run_lengths

OUTSIDE_PX = 2.0
"""Boxes may leave the picture by this much; COCO's own do, by rounding."""


def check_images(entries: list[Any], path: Path) -> dict[Any, dict[str, Any]]:
    """id -> entry {id, file_name, width, height} of the list ``images`` of the file ``path``.

    Raises:
        ValueError: none, or an entry without one of these, with a size that is no positive integer, or with an id twice.
    """
    if not entries:
        raise ValueError(f"{path}: expected pictures under 'images', got an empty list; fetch the file again")
    images: dict[Any, dict[str, Any]] = {}
    for row, entry in enumerate(entries):
        known = entry if isinstance(entry, dict) else {}
        where = f"{path}, images[{row}] (id {known.get('id')})"
        missing = [key for key in ("id", "file_name", "width", "height") if known.get(key) in (None, "")]
        if missing:
            raise ValueError(
                f"{where}: expected the field {missing[0]!r} but it is missing or empty; correct the entry "
                "or fetch the file again"
            )
        for side in ("width", "height"):
            if not isinstance(known[side], int) or isinstance(known[side], bool) or known[side] < 1:
                raise ValueError(
                    f"{where}: expected {side} as a positive whole number of pixels, got {known[side]!r}; correct it"
                )
        named = isinstance(known["id"], int | str)
        if not named or known["id"] in images:
            problem = "a second picture of this id" if named else repr(known["id"])
            raise ValueError(
                f"{where}: expected an id (number or text) of its own, got {problem}; correct or remove the entry"
            )
        images[known["id"]] = entry
    return images


def check_categories(entries: list[Any], path: Path) -> dict[int, str]:
    """id -> name of the list ``categories``.

    Raises:
        ValueError: an entry without a number as id, or one listed twice.
    """
    names: dict[int, str] = {}
    for row, entry in enumerate(entries):
        number = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or number in names:
            second = isinstance(number, int) and not isinstance(number, bool)
            problem = "a second entry of this id" if second else repr(number)
            raise ValueError(
                f"{path}, categories[{row}]: expected a whole number of its own as id, got {problem}; correct it"
            )
        names[number] = str(entry.get("name", number))
    return names


def check_ids(annotations: list[Any], path: Path) -> None:
    """Raises ValueError where an annotation is no object, has no id, or has another's: matches go by it."""
    seen: set[Any] = set()
    for row, annotation in enumerate(annotations):
        name = annotation.get("id") if isinstance(annotation, dict) else None
        if not isinstance(name, int | str):
            raise ValueError(
                f"{path}, annotations[{row}]: expected an annotation with an id, got id {name!r}; number them"
            )
        if name in seen:
            raise ValueError(
                f"{path}, annotations[{row}]: expected an id of its own, got {name!r} a second time; number the annotations anew"
            )
        seen.add(name)


def check_annotation(
    annotation: Mapping[str, Any],
    images: Mapping[Any, Mapping[str, Any]],
    categories: Mapping[int, str],
    path: Path,
    degenerate: Literal["error", "skip"],
) -> dict[str, Any] | None:
    """The annotation with a usable box, or None where ``degenerate`` leaves it out.

    Raises:
        ValueError: a picture or category that is not listed, no four numbers as box, a box outside or of no area (unless these
            are skipped), an area that is no number, a broken segmentation.
    """
    where = f"{path}, annotation {annotation.get('id')}"
    if not _listed(annotation.get("image_id"), images):
        raise ValueError(
            f"{where}: expected the id of a listed picture, got {annotation.get('image_id')!r}; fetch the file again"
        )
    if not _listed(annotation.get("category_id"), categories):
        listed = ", ".join(f"{k} {v}" for k, v in list(categories.items())[:10])
        raise ValueError(
            f"{where}: expected a listed category, got category_id {annotation.get('category_id')!r} (listed: {listed}"
            f"{', ...' if len(categories) > 10 else ''}); correct it or add the category"
        )
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_finite(v) for v in box):
        raise ValueError(f"{where}: expected bbox as four numbers x, y, width, height, got {box!r}; correct it")
    if not _finite(annotation.get("area", 0)):
        raise ValueError(f"{where}: expected area as a number, got {annotation['area']!r}; correct or remove it")
    x, y, width, height = (float(v) for v in box)
    image = images[annotation["image_id"]]
    size = f"{image['width']}x{image['height']}"
    if width <= 0 or height <= 0:
        if degenerate == "skip":
            return None
        raise ValueError(
            f"{where}: expected a box with an area, got width {width:g} and height {height:g} in {box}; correct or remove it, "
            "or leave such boxes out with degenerate_boxes=skip"
        )
    _check_shape(annotation, int(image["height"]), int(image["width"]), where)
    right, bottom = x + width, y + height
    over = max(-x, -y, right - image["width"], bottom - image["height"])
    if over > OUTSIDE_PX:
        if degenerate == "error":
            raise ValueError(
                f"{where}: expected a box inside its picture of {size} pixels, got {box}, which leaves it by {over:g} px; "
                "correct or remove it, or clip such boxes with degenerate_boxes=skip"
            )
        x1, y1 = min(max(x, 0.0), image["width"]), min(max(y, 0.0), image["height"])
        right, bottom = min(right, float(image["width"])), min(bottom, float(image["height"]))
        if right - x1 <= 0 or bottom - y1 <= 0:
            return None
        return {**annotation, "bbox": [x1, y1, right - x1, bottom - y1]}
    return dict(annotation)


def _listed(name: Any, known: Container[Any]) -> bool:
    return isinstance(name, int | str) and name in known


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _check_shape(annotation: Mapping[str, Any], height: int, width: int, where: str) -> None:
    """Polygons, or run lengths over the picture; none at all is fine (boxes alone)."""
    shape = annotation.get("segmentation")
    if not shape:
        return
    if isinstance(shape, list):
        for polygon in shape:
            if not isinstance(polygon, list) or len(polygon) < 4 or len(polygon) % 2 or not _all_finite(polygon):
                raise ValueError(
                    f"{where}: expected polygons of points x, y, x, y, ..., got {_short(polygon)}; correct or remove it"
                )
        return
    try:
        check_run_lengths(shape, height, width)
    except ValueError as error:
        raise ValueError(f"{where}, segmentation: {error}") from None


def _all_finite(numbers: list[Any]) -> bool:
    try:
        return math.isfinite(sum(numbers))
    except TypeError:
        return False


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
