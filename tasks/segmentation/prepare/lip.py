"""LIP: its two trees brought to their places, and the lists of the reference written."""

from __future__ import annotations

from pathlib import Path

from tasks.files.opening import read_text
from tasks.preparation import Preparation, Target, find

OFFICIAL = {"train": 30462, "val": 10000}
IMAGES, LABELS = "TrainVal_images", "TrainVal_parsing_annotations"
LISTS = {"train": ("trainList.txt",), "val": ("valList.txt", "testvalList.txt")}


def prepare(raw: Path, target: Target) -> None:
    """Writes "picture label" lists in the order of the owners' id files, sorted where these lack.

    Raises:
        ValueError: a folder is missing, a picture has no label map, or a list says something else.
    """
    pairs: dict[str, list[str]] = {}
    folders: dict[str, Path] = {}
    for split in OFFICIAL:
        for kind, name in (("pictures", f"{split}_images"), ("label maps", f"{split}_segmentations")):
            found = find(raw, (name,))
            if found is None:
                raise ValueError(
                    f"{raw}: expected LIP's {kind} of {split} in a folder {name} there or below, found none. Unpack "
                    "TrainVal_images.zip and TrainVal_parsing_annotations.zip."
                )
            folders[name] = found
        pairs[split] = _lines(raw, split, folders[f"{split}_images"], folders[f"{split}_segmentations"])
    for split in OFFICIAL:
        target.place(folders[f"{split}_images"], f"{IMAGES}/{split}_images")
        target.place(folders[f"{split}_segmentations"], f"{LABELS}/{split}_segmentations")
        for name in LISTS[split]:
            target.told_write(
                name, "".join(f"{line}\n" for line in pairs[split]).encode(), f"{len(pairs[split])} pictures"
            )
        target.count(f"pictures of {split}", len(pairs[split]), OFFICIAL[split])


def _lines(raw: Path, split: str, pictures: Path, labels: Path) -> list[str]:
    listed = find(raw, (f"{split}_id.txt",))
    stems = [path.stem for path in sorted(pictures.glob("*.jpg"))]
    if listed is not None:
        named = read_text(listed, "LIP's ids").split()
        known = set(stems)
        strangers = [name for name in named if name not in known]
        if strangers:
            raise ValueError(
                f"{listed}: names {len(strangers)} pictures that {pictures} has not (first: {strangers[0]})"
            )
        stems = named
    with_label = {path.stem for path in labels.glob("*.png")}
    lacking = [stem for stem in stems if stem not in with_label]
    if lacking:
        raise ValueError(
            f"{labels}: expected a label map for each of the {len(stems)} pictures of {split}, {len(lacking)} lack (first: "
            f"{lacking[0]}.png). Unpack the archive again."
        )
    return [f"{split}_images/{stem}.jpg {split}_segmentations/{stem}.png" for stem in stems]


LIP = Preparation("segmentation", "lip", "lip", "TrainVal_images.zip and TrainVal_parsing_annotations.zip", prepare)
