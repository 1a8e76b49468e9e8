"""MPII: mpii_human_pose_v1_u12_1.mat to annot/{train,valid,trainval,test}.json and gt_valid.mat, as HRNet's authors converted it.

The owners divide their pictures in training and test alone. The validation split of every published figure is Tompson's (CVPR
2015), 2958 persons of training pictures; it is taken from whichever list of it lies beside the raw file. The other persons of its
pictures are neither trained on nor validated (22246 remain), as in the converted files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.files.mat_file import read_mat
from tasks.files.mat_values import as_list, read_mat_values
from tasks.files.matlab import mat_bytes
from tasks.pose.files.mpii import HELD_OUT, Truth
from tasks.pose.prepare.mpii_split import Split, find_split
from tasks.preparation import Preparation, Target, find, find_one, same_json

RAW = "mpii_human_pose_v1_u12_1.mat"
OFFICIAL = {"train": 22246, "valid": 2958, "test": 7247}
JOINT_NAMES = (
    "rank", "rkne", "rhip", "lhip", "lkne", "lank", "pelv", "thor", "neck", "head", "rwri", "relb", "rsho", "lsho",
    "lelb", "lwri",
)  # fmt: skip
NUM_JOINTS = len(JOINT_NAMES)


@dataclass(frozen=True)
class RawPerson:
    """A person of the raw file: picture and rectangle by their 1-based numbers, pixels from 1.

    ``joints`` (16, 2) with -1 where there is none, ``seen`` (16,) whether there is one, ``head`` (2, 2) corners or None.
    """

    picture: int
    rectangle: int
    image: str
    centre: tuple[float, float]
    scale: float
    joints: NDArray[np.float64]
    seen: NDArray[np.bool_]
    head: NDArray[np.float64] | None

    def record(self, labelled: bool) -> dict[str, Any]:
        """The person as a record of the json files."""
        made: dict[str, Any] = {"image": self.image, "center": list(self.centre), "scale": self.scale}
        if labelled:
            made["joints_vis"] = self.seen.astype(int).tolist()
            made["joints"] = self.joints.tolist()
        return made


@dataclass(frozen=True)
class Release:
    """The raw file: persons of training pictures with joints, and the test pictures' separate persons."""

    training: tuple[RawPerson, ...]
    test: tuple[RawPerson, ...]


def read_release(path: Path) -> Release:
    """Reads the raw file.

    Raises:
        ValueError: it is no MATLAB file of level 5, or has not RELEASE's fields; the text names what is missing.
    """
    held = read_mat_values(path, "MPII's raw annotations", f"unpack the archive that holds {RAW}").get("RELEASE")
    if not isinstance(held, dict) or not {"annolist", "img_train"} <= set(held):
        found = sorted(held) if isinstance(held, dict) else "no structure RELEASE"
        raise ValueError(
            f"{path}: expected the structure RELEASE with annolist and img_train, got {found}; fetch it again"
        )
    pictures = as_list(held["annolist"])
    trains = np.atleast_1d(np.asarray(held["img_train"], np.float64)).ravel()
    if len(trains) != len(pictures):
        raise ValueError(
            f"{path}: expected a flag of img_train for each of the {len(pictures)} pictures, got {len(trains)}; fetch it again"
        )
    alone = _per_picture(held.get("single_person"), len(pictures))
    training: list[RawPerson] = []
    test: list[RawPerson] = []
    for number, picture in enumerate(pictures, start=1):
        where = f"{path}, picture {number}"
        for person in _persons(picture, number, where):
            if trains[number - 1]:
                training += [person] * bool(person.seen.any())
            elif not alone or person.rectangle in _numbers(alone[number - 1] if number <= len(alone) else None):
                test.append(person)
    if not training:
        raise ValueError(f"{path}: expected persons with joints in training pictures, got none; fetch the file again")
    return Release(tuple(training), tuple(test))


def _per_picture(value: Any, count: int) -> list[Any]:
    """A cell for each picture; MATLAB's tools store cells of one number each as a plain array."""
    if isinstance(value, np.ndarray) and value.shape[0] == count:
        return list(value)
    return as_list(value)


def _numbers(value: Any) -> set[int]:
    return set() if value is None else {int(number) for number in np.atleast_1d(np.asarray(value, np.float64)).ravel()}


def _persons(picture: Any, number: int, where: str) -> Iterator[RawPerson]:
    """The persons of a picture that have a place and a size; the others cannot be cropped."""
    image = picture.get("image") if isinstance(picture, dict) else None
    name = image.get("name") if isinstance(image, dict) else None
    if not isinstance(name, str):
        raise ValueError(f"{where}: expected image.name, got {str(image)[:60]}; fetch the file again")
    for rectangle, rect in enumerate(as_list(picture.get("annorect")), start=1):
        if not isinstance(rect, dict):
            raise ValueError(
                f"{where}, person {rectangle}: expected a structure, got {str(rect)[:60]}; fetch the file again"
            )
        place, scale = rect.get("objpos"), rect.get("scale")
        if not isinstance(place, dict) or not isinstance(scale, float):
            continue
        x, y = place.get("x"), place.get("y")
        if not isinstance(x, float) or not isinstance(y, float):
            raise ValueError(
                f"{where}, person {rectangle}: expected objpos.x and .y, got {x}, {y}; fetch the file again"
            )
        joints, seen = _joints(rect.get("annopoints"), f"{where}, person {rectangle}")
        yield RawPerson(
            number,
            rectangle,
            name,
            (x, y),
            scale,
            joints,
            seen,
            _head(rect),
        )


def _joints(points: Any, where: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    joints, seen = np.full((NUM_JOINTS, 2), -1.0), np.zeros(NUM_JOINTS, np.bool_)
    for point in as_list(points.get("point")) if isinstance(points, dict) else []:
        number, x, y = (point.get(field) if isinstance(point, dict) else None for field in ("id", "x", "y"))
        if not isinstance(number, float) or not 0 <= number < NUM_JOINTS or number != int(number):
            raise ValueError(
                f"{where}: expected joint ids from 0 to {NUM_JOINTS - 1}, got {number}; fetch the file again"
            )
        if not isinstance(x, float) or not isinstance(y, float) or not np.isfinite([x, y]).all():
            raise ValueError(f"{where}: expected x and y of joint {int(number)}, got {x}, {y}; fetch the file again")
        joints[int(number)], seen[int(number)] = (x, y), True
    return joints, seen


def _head(rect: dict[str, Any]) -> NDArray[np.float64] | None:
    corners = [rect.get(name) for name in ("x1", "y1", "x2", "y2")]
    if not all(isinstance(value, float) for value in corners):
        return None
    return np.array(corners, np.float64).reshape(2, 2)


def truth_of(persons: Sequence[RawPerson]) -> Truth:
    """The arrays of gt_valid.mat, in the persons' order.

    Raises:
        ValueError: a person has no head box, in whose size distances are measured.
    """
    heads = [person.head for person in persons if person.head is not None]
    if len(heads) != len(persons):
        first = next(person for person in persons if person.head is None)
        raise ValueError(
            f"picture {first.picture}, person {first.rectangle} ({first.image}): expected a head box x1, y1, x2, y2, got none; "
            "PCKh needs it. Fetch the raw file again, or another list of the validation split"
        )
    joints = np.stack([np.where(person.seen[:, None], person.joints, 0.0) for person in persons])
    return Truth(joints, np.stack([~person.seen for person in persons]), np.stack(heads))


def _mat(truth: Truth) -> bytes:
    names = np.empty((1, NUM_JOINTS), dtype=object)
    names[0] = list(JOINT_NAMES)
    return mat_bytes(
        {
            "dataset_joints": names,
            "jnt_missing": truth.missing.T.astype(np.uint8),
            "pos_gt_src": np.asfortranarray(truth.joints.transpose(1, 2, 0)),
            "headboxes_src": np.asfortranarray(truth.head_boxes.transpose(1, 2, 0)),
        }
    )


def _same_truth(one: bytes, other: bytes) -> bool:
    """Whether two gt_valid.mat hold the same arrays, to a thousandth of a pixel."""
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        held = []
        for number, content in enumerate((one, other)):
            path = Path(place) / f"{number}.mat"
            path.write_bytes(content)
            try:
                held.append(read_mat(path, "gt_valid.mat"))
            except ValueError:
                return False
    return all(
        name in held[0]
        and held[0][name].shape == held[1][name].shape
        and bool((abs(held[0][name].astype(float) - held[1][name]) < 1e-3).all())
        for name in ("jnt_missing", "pos_gt_src", "headboxes_src")
    )


def _text(persons: Sequence[RawPerson], labelled: bool = True) -> bytes:
    return json.dumps([person.record(labelled) for person in persons]).encode()


def prepare(raw: Path, target: Target) -> None:
    """Writes annot/ from the raw file, and brings images/ to its place.

    Raises:
        ValueError: no raw file, a broken one, a split that names no person of it, or files of annot/ that say something else.
    """
    release = read_release(find_one(raw, (RAW,), "MPII's annotations"))
    split = find_split(raw, [(person.picture, person.rectangle) for person in release.training], release.training)
    if not split.own and (target.folder / HELD_OUT).exists():
        raise ValueError(
            f"{target.folder / HELD_OUT}: annot/ was made without the benchmark's validation split, which is there now; nothing "
            "is overwritten. Move annot/ away and prepare again"
        )
    valid, train = divide(release.training, split)
    files = {
        "train": _text(train),
        "valid": _text(valid),
        "trainval": _text(release.training),
        "test": _text(release.test, labelled=False),
    }
    truth = truth_of(valid)
    for name, text in files.items():
        target.told_write(f"annot/{name}.json", text, name, same_json)
    target.told_write("annot/gt_valid.mat", _mat(truth), "head boxes and joints of valid", _same_truth)
    if split.own:
        target.write(HELD_OUT, f"{split.text}\n".encode())
        target.differ += 1
        target.tell(f"! {split.text}")
    else:
        target.tell(f"validation split: {split.text}")
    for name, persons in (("train", train), ("valid", valid), ("test", release.test)):
        target.count(f"persons of {name}", len(persons), OFFICIAL[name])
    images = find(raw, ("images",))
    target.place_pictures(images, "images", raw)


def divide(persons: Sequence[RawPerson], split: Split) -> tuple[list[RawPerson], list[RawPerson]]:
    """Persons of validation in the split's order, and those of pictures that it leaves alone."""
    known = {(person.picture, person.rectangle): person for person in persons}
    valid = [known[key] for key in split.keys]
    pictures = {picture for picture, _ in split.keys}
    return valid, [person for person in persons if person.picture not in pictures]


MPII = Preparation(
    "pose",
    "mpii",
    "mpii",
    f"mpii_human_pose_v1_u12_2.zip ({RAW}) and mpii_human_pose_v1.tar.gz (images/), and a list of the validation split: "
    "detections.mat of mpii_valid_pred.zip (Tompson), mpii_annotations.json or detections_our_format.mat (pytorch-pose)",
    prepare,
)
