"""Points in csv files: one line a face, with its box and x and y of every point."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from tasks.describing.guess import Guess, by_split, folders_below, picture_folder, relative, split_of
from tasks.files.opening import read_text
from tasks.landmarks.files.csv_columns import NAME, count_points


def guess_points(root: Path) -> Guess | None:
    """The layout of a folder by csv files whose header names a picture and points."""
    listed, guessed = [], []
    counts: dict[int, str] = {}
    for path in (path for folder in folders_below(root) for path in sorted(folder.glob("*.csv"))):
        lines = read_text(path, "a csv").splitlines()
        first = lines[0] if lines else ""
        rows = list(csv.reader(lines, delimiter=max(",;\t", key=first.count)))
        count = count_points(rows[0]) if rows and len(rows) > 1 else 0
        if not count:
            continue
        place = [cell.strip().lower() for cell in rows[0]].index(NAME)
        names = [row[place].strip() for row in rows[1:] if len(row) > place]
        images = picture_folder(root, names, split_of(path.stem))
        if images is None:
            raise ValueError(
                f"{path}: expected its pictures below {root} (first: {names[0][:60]!r}), found none; put them there"
            )
        counts[count] = path.name
        listed.append((path.stem, {"csv": relative(path, root), "images": relative(images, root)}))
        guessed.append(f"{relative(path, root)}: points-csv, {len(names)} lines of {count} points")
    if not listed:
        return None
    if len(counts) > 1:
        raise ValueError(
            f"{root}: expected csv files of one number of points, got {', '.join(f'{n} in {f}' for n, f in counts.items())}; put "
            "each kind into a folder of its own"
        )
    splits, check = by_split(listed)
    points: dict[str, Any] = {"count": next(iter(counts)), "normaliser": "box"}
    check = (
        *check,
        "points.flip_pairs: pairs of points that change places in a mirror, as [[0, 1], [3, 4]]; none: no mirror",
        'points.normaliser: two points whose distance errors are divided by, as [0, 1], or "box" (root of the points\' box)',
    )
    return Guess(root, "points-csv", splits, {"points": points}, tuple(guessed), check)
