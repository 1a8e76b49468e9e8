"""Points of one's own, from a declaration: any number of them, normed by two of them or by their box."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from tasks.base import declared_dataset
from tasks.declarations.declaration import FILE, Declaration
from tasks.files.names import as_posix
from tasks.landmarks.entries.entry import Entry
from tasks.landmarks.files.csv_form import read_csv
from tasks.landmarks.files.faces import Faces
from tasks.landmarks.files.markup import Markup

NO_PAIRS = "points.flip_pairs are not stated: faces are not mirrored in training"


def declared_entry(declaration: Declaration) -> Entry:
    """The entry of a dataset of points in csv files."""
    points = declaration.points
    assert points is not None
    norm = points.normaliser if not isinstance(points.normaliser, str) else None
    markup = Markup(points.count, points.flip_pairs or (), None, None, (), 1.5, norm)
    normaliser = "box" if norm is None else "points"
    info = declared_dataset(declaration, num_outputs=points.count, headline=f"NME[{normaliser}]", profile_hw=(256, 256))
    return Entry(
        info,
        markup,
        partial(_files, declaration),
        partial(_read, declaration),
        partial(_folder, declaration),
        normaliser="box" if norm is None else "points",
        mirrored=points.flip_pairs is not None,
        notes=declaration.derived,
    )


def completed(declaration: Declaration) -> Declaration:
    """The declaration with what is derived said."""
    assert declaration.points is not None
    if declaration.points.flip_pairs is not None:
        return declaration
    return msgspec.structs.replace(declaration, derived=(*declaration.derived, NO_PAIRS))


def _csv(declaration: Declaration, root: Path, split: str) -> Path:
    return root / as_posix(str(declaration.splits[split].csv))


def _files(declaration: Declaration, root: Path, split: str, box: str) -> list[Path]:
    return [root / FILE, _csv(declaration, root, split)]


def _read(declaration: Declaration, root: Path, split: str, box: str) -> Faces:
    assert declaration.points is not None
    path = _csv(declaration, root, split)
    return annotated(read_csv(path, declaration.points.count, root, box_size="taken", needs_box=False))


def annotated(faces: Faces) -> Faces:
    """The faces, with a note of points at 0, 0, the corner outside the picture, where tools write points that they do not know.

    Raises:
        ValueError: a point at -1, -1, which says that it is not annotated: an error of it would be of nothing.
    """
    for row, point in np.argwhere((faces.points == -1).all(2))[:1].tolist():
        raise ValueError(
            f"{faces.where(row)}: expected every point of a face, got point {point} at -1, -1, which says that it is not "
            "annotated; annotate it, or leave the line out"
        )
    zero = (faces.points == 0).all(2).any(1)
    if not zero.any():
        return faces
    said = (
        f"{faces.annotation.name}: {int(zero.sum())} of {len(faces)} lines have a point at 0, 0 (first: "
        f"{faces.where(int(np.flatnonzero(zero)[0]))}), which counts as annotated there"
    )
    return replace(faces, notes=(*faces.notes, said))


def _folder(declaration: Declaration, root: Path, split: str) -> Path:
    return root / as_posix(str(declaration.splits[split].images))
