"""300W: .pts files beside their pictures to face_landmarks_300w_{train,valid,valid_common,valid_challenge,test}.csv."""

from __future__ import annotations

from pathlib import Path

from tasks.landmarks.entries.w300 import MARKUP
from tasks.landmarks.files import raw_forms
from tasks.landmarks.prepare.face_csv import csv_bytes, same_table
from tasks.preparation import Preparation, Target, find

OFFICIAL = {"train": 3148, "valid": 689, "valid_common": 554, "valid_challenge": 135, "test": 600}
ALIASES = {"Test/01_Indoor": ("300W/01_Indoor", "01_Indoor"), "Test/02_Outdoor": ("300W/02_Outdoor", "02_Outdoor")}
"""Where the archives of the private set unpack to; the csv files say Test/."""


def prepare(raw: Path, target: Target) -> None:
    """Brings the folders of pictures to their places and writes a csv for every split whose folders are all there.

    Raises:
        ValueError: no .pts file, a broken one, or a csv that says something else.
    """
    folders = {folder for names in raw_forms.FOLDERS_300W.values() for folder in names}
    there = {folder: found for folder in sorted(folders) if (found := find(raw, (folder, *ALIASES.get(folder, ()))))}
    written = 0
    for folder, found in there.items():
        target.place(found, f"images/{folder}")
    for split, names in raw_forms.FOLDERS_300W.items():
        missing = [name for name in names if name not in there]
        if missing:
            target.tell(f"! {split}: not made, there is no {' nor '.join(missing)} in {raw}")
            continue
        faces = raw_forms.read_300w_raw(target.folder, target.folder / "images", split, MARKUP.num_points)
        content = csv_bytes(faces.images, faces.points, faces.centres, faces.scales)
        target.told_write(f"face_landmarks_300w_{split}.csv", content, f"{len(faces)} faces", same_table)
        target.count(f"faces of {split}", len(faces), OFFICIAL[split])
        written += 1
    if not written:
        raise ValueError(
            f"{raw}: expected 300W's folders afw, helen/trainset, lfpw/trainset, ... with .pts files, found no split whole. "
            "Unpack the owners' archives there."
        )


W300 = Preparation(
    "landmarks",
    "300w",
    "300w",
    "afw.zip, helen.zip, ibug.zip, lfpw.zip and the 300-W test set, with .pts files beside the pictures",
    prepare,
)
