"""Points of one's own, from a declaration: any number of them, normed by two of them or by their box."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

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
    return read_csv(_csv(declaration, root, split), declaration.points.count, root, box_size="taken", needs_box=False)


def _folder(declaration: Declaration, root: Path, split: str) -> Path:
    return root / as_posix(str(declaration.splits[split].images))
