"""Reading the raw releases: 300W's .pts files and WFLW's list file.

Source: docs/protocols.md, section 10. Both count pixels from 1, as far as 300W goes; WFLW's numbers are taken as they are,
as HRNet's csv does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tasks.files.names import picture_name
from tasks.files.opening import as_utf8, read_bytes, read_text
from tasks.landmarks.files.faces import Faces, landmark_boxes

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".JPG", ".PNG")
FOLDERS_300W: dict[str, tuple[str, ...]] = {
    "train": ("afw", "helen/trainset", "lfpw/trainset"),
    "valid_common": ("helen/testset", "lfpw/testset"),
    "valid_challenge": ("ibug",),
    "test": ("Test/01_Indoor", "Test/02_Outdoor"),
}
FOLDERS_300W["valid"] = FOLDERS_300W["valid_common"] + FOLDERS_300W["valid_challenge"]
WFLW_FLAGS = ("pose", "expression", "illumination", "makeup", "occlusion", "blur")


def read_pts(path: Path, num_points: int) -> np.ndarray:
    """The points (P, 2) of a .pts file, 1-based.

    Raises:
        ValueError: another form or number of points; file and line are named.
    """
    # What a header says in other encodings does not matter: the numbers are ASCII.
    lines = as_utf8(read_bytes(path, "a .pts file"), path).decode("utf-8", "replace").splitlines()
    body = [index for index, line in enumerate(lines) if line.strip() in ("{", "}")]
    if len(body) != 2:
        raise ValueError(f"{path}: expected points between a line '{{' and a line '}}' but found {len(body)} of them")
    rows = [(index, lines[index].split()) for index in range(body[0] + 1, body[1]) if lines[index].strip()]
    points = []
    for index, row in rows:
        try:
            x, y = (float(value) for value in row)
        except ValueError:
            raise ValueError(
                f"{path}, line {index + 1}: expected two numbers but got {lines[index].strip()[:60]!r}; correct it"
            ) from None
        points.append((x, y))
    if len(points) != num_points:
        raise ValueError(f"{path}: expected {num_points} points but got {len(points)}; is it another mark-up?")
    found = np.array(points)
    if not np.isfinite(found).all():
        bad = int(np.flatnonzero(~np.isfinite(found).all(1))[0])
        raise ValueError(
            f"{path}: expected finite points but got {found[bad].tolist()} as number {bad + 1}; correct it"
        )
    return found


def pts_files(pictures: Path, split: str) -> list[Path]:
    """The .pts files of a split of the raw 300W, sorted by folder and name."""
    return [path for folder in FOLDERS_300W[split] for path in sorted((pictures / folder).glob("*.pts"))]


def read_300w_raw(root: Path, pictures: Path, split: str, num_points: int) -> Faces:
    """The faces of a split from .pts files beside their pictures; boxes follow from the landmarks."""
    files = pts_files(pictures, split)
    if not files:
        raise ValueError(
            f"{pictures}: expected .pts files of {split} in {', '.join(FOLDERS_300W[split])} but found none"
        )
    names = []
    for path in files:
        found = [path.with_suffix(s) for s in PICTURE_SUFFIXES if path.with_suffix(s).exists()]
        if not found:
            raise ValueError(f"{path}: expected a picture of the same name (.png or .jpg) beside it but found none")
        names.append(found[0].relative_to(pictures).as_posix())
    points = np.stack([read_pts(path, num_points) for path in files])
    centres, scales = landmark_boxes(points)
    records = tuple(path.relative_to(pictures).as_posix() for path in files)
    return Faces(root, pictures, tuple(names), records, points, centres, scales)


def read_wflw_list(path: Path, root: Path, num_points: int) -> Faces:
    """The faces of WFLW's raw list: coordinates, rectangle, six flags, picture, separated by blanks.

    Raises:
        ValueError: a line of another form; it is named.
    """
    expected = 2 * num_points + 4 + 6 + 1
    names, records, rows = [], [], []
    for number, line in enumerate(read_text(path, "WFLW's list").splitlines(), start=1):
        if not line.strip():
            continue
        fields = line.split()
        if len(fields) != expected:
            raise ValueError(
                f"{path}, line {number}: expected {expected} fields (2 x {num_points} coordinates, 4 of the rectangle, "
                f"6 flags, a name) but got {len(fields)}; complete the line or fetch the file again"
            )
        values = [_number(field) for field in fields[:-1]]
        if not np.isfinite(values).all():
            bad = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(
                f"{path}, line {number}: expected a finite number in field {bad + 1} but got {fields[bad][:60]!r}; correct it"
            )
        rows.append(np.array(values))
        names.append(picture_name(fields[-1], f"{path}, line {number}"))
        records.append(f"line {number}")
    table = np.reshape(rows, (-1, expected - 1))
    points = table[:, : 2 * num_points].reshape(-1, num_points, 2)
    centres, scales = landmark_boxes(points)
    flags = table[:, 2 * num_points + 4 :] > 0
    return Faces(
        root, path, tuple(names), tuple(records), points, centres, scales,
        rects=table[:, 2 * num_points : 2 * num_points + 4],
        subsets={name: flags[:, k] for k, name in enumerate(WFLW_FLAGS)},
    )  # fmt: skip


def _number(text: str) -> float:
    """A field's number; NaN for what is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
