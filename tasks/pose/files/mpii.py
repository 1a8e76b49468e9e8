"""MPII on disk: the json files and gt_valid.mat of the HRNet and SimpleBaseline authors, and pred.mat.

Layout below the dataset's folder: annot/<split>.json, annot/gt_valid.mat, images/. Files count pixels from 1; everything here
counts from 0 until it is written again. Rules: docs/protocols.md, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.files.json_file import read_json
from tasks.files.mat_file import read_mat
from tasks.files.matlab import write_mat
from tasks.files.names import picture_name
from tasks.files.opening import is_file, read_text
from tasks.pose.files.persons import Persons, finite_row, require_folder
from tasks.pose.skeletons.mpii import MPII

SPLITS = ("train", "valid", "trainval", "test")
LAYOUT = "put the dataset in its official layout (tasks/pose/README.md) or correct --data-root and --split"
CONVERTED = (
    "use the json files that HRNet's authors converted (annot/ of their release), or make them from the raw .mat "
    "with `prepare mpii`"
)
HELD_OUT = "annot/held_out.txt"
"""Written by `prepare` where no list of the benchmark's validation split was at hand; what it says goes with every figure."""
FARTHEST_PX = 1e5
LARGEST_SCALE = 30
"""In units of 200 px: three pictures' heights. The dataset's largest is a third of it."""
SAME_PX, SAME_SHARE = 0.75, 0.01
"""Two files' joints of one person differ by no more (rounding); more than this share of other persons is refused."""


@dataclass(frozen=True)
class Truth:
    """gt_valid.mat: joints (N, 16, 2) 1-based px, missing (N, 16), head boxes (N, 2, 2) corners."""

    joints: NDArray[np.float64]
    missing: NDArray[np.bool_]
    head_boxes: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.joints)


def has_truth(split: str) -> bool:
    """Whether PCKh can be computed: head boxes are published with the validation split alone."""
    return split == "valid"


def annotation_path(root: Path, split: str) -> Path:
    """The split's json file."""
    return root / "annot" / f"{split}.json"


def truth_path(root: Path) -> Path:
    """The validation ground truth with its head boxes."""
    return root / "annot" / "gt_valid.mat"


class MpiiRecord(msgspec.Struct, frozen=True):
    """A person of the json files; the test split has no joints."""

    image: str
    center: list[float]
    scale: float
    joints: list[list[float]] | None = None
    joints_vis: list[float] | None = None


def read_records(path: Path, labelled: bool) -> list[MpiiRecord]:
    """The persons of a json file.

    Raises:
        ValueError: no such file, another form, or a record that lacks a field.
    """
    records = read_json(path, list[MpiiRecord], "a list of persons (MPII annotations)", LAYOUT, fix=CONVERTED)
    for row, record in enumerate(records):
        lacking = next((name for name in ("joints", "joints_vis") if getattr(record, name) is None), None)
        if labelled and lacking is not None:
            raise ValueError(f"{path}, record {row}: expected the field {lacking!r} but it is missing; {CONVERTED}")
    return records


def read_persons(root: Path, split: str, pictures: bool = True) -> Persons:
    """The persons of a split in the file's order, 0-based, with the crop's centre and scale.

    Args:
        pictures: False where none will be read, so that their folder may lack.

    Raises:
        ValueError: a file or folder is missing, or a record is unusable; the text names file, record and fix.
    """
    path = annotation_path(root, split)
    labelled = split != "test"
    data = read_records(path, labelled)
    if pictures:
        require_folder(root / "images", "the MPII pictures")
    files: dict[str, int] = {}
    count = len(data)
    image = np.zeros(count, dtype=np.int64)
    centres, scales = np.zeros((count, 2)), np.zeros((count, 2))
    joints = np.zeros((count, MPII.num_joints, 2))
    visible = np.zeros((count, MPII.num_joints), dtype=np.float32)
    for row, entry in enumerate(data):
        where = f"{path}, record {row}"
        image[row] = files.setdefault(f"images/{picture_name(entry.image, where)}", len(files))
        centre = finite_row(entry.center, 2, "a centre (x, y)", where)
        scale = entry.scale
        if not 0 < scale <= LARGEST_SCALE:
            hint = "a size in px? 1 stands for 200 px; " if scale > 0 else ""
            raise ValueError(
                f"{where}: expected a positive scale of at most {LARGEST_SCALE} but got {scale:g}; {hint}correct or remove the "
                "record"
            )
        if centre[0] != -1:
            # Lowered and widened so that no limb is cut.
            centre[1] += 15 * scale
            scale *= 1.25
        centres[row], scales[row] = centre - 1, scale
        if labelled:
            points = finite_row(entry.joints, 2 * MPII.num_joints, "joints", where).reshape(-1, 2)
            joints[row] = points - 1
            visible[row] = finite_row(entry.joints_vis, MPII.num_joints, "joints_vis", where)
            far = (np.abs(points) > FARTHEST_PX).any(1) & (visible[row] > 0)
            if far.any():
                raise ValueError(
                    f"{where}: expected joints within {FARTHEST_PX:g} px but got {points[far][0].tolist()} as joint "
                    f"{int(np.flatnonzero(far)[0])}; correct or remove the record"
                )
    names = [Path(name).name for name in files]
    return Persons(
        root=root,
        annotation=path,
        files=tuple(files),
        image_ids=tuple(names if len(set(names)) == len(names) else [name.removeprefix("images/") for name in files]),
        image=image,
        record=tuple(range(count)),
        centres=centres,
        scales=scales,
        scores=np.ones(count),
        joints=joints,
        visible=visible,
        areas=np.zeros(count),
        notes=_split_notes(root, split),
    )


def _split_notes(root: Path, split: str) -> tuple[str, ...]:
    """That train and valid are not the benchmark's, where `prepare` had to divide them itself."""
    path = root / HELD_OUT
    if split not in ("train", "valid") or not is_file(path):
        return ()
    return (" ".join(read_text(path, "how the validation split was made").split()),)


def matching_truth(persons: Persons) -> tuple[Truth, tuple[str, ...]]:
    """gt_valid.mat beside the persons of valid.json, once both describe the same persons; and what a reader must know.

    Joints are compared where both files have them; official files agree to the last digit.

    Raises:
        ValueError: as `read_truth`; another number of persons, or of more than one in a hundred another person.
    """
    path = truth_path(persons.root)
    truth = read_truth(path)
    if len(truth) != len(persons):
        raise ValueError(
            f"Expected the {len(persons)} persons of {persons.annotation} in {path} but it holds {len(truth)}; take both files "
            "from the same release"
        )
    both = (persons.visible > 0) & (truth.missing == 0)
    offset = np.where(both[..., None], persons.joints + 1 - truth.joints, np.nan)[both.any(1)]
    if not len(offset):
        return truth, ()
    shift = np.nanmedian(offset, axis=1)
    wrong = np.flatnonzero((np.abs(shift) > SAME_PX).any(1))
    if not len(wrong):
        return truth, ()
    record = int(np.flatnonzero(both.any(1))[wrong[0]])
    first = f"first: {persons.where(record)}, {shift[wrong[0]].round(1).tolist()} px apart"
    share = f"{len(wrong)} of {len(persons)} persons ({first})"
    if len(wrong) > len(persons) * SAME_SHARE:
        common = np.median(shift, axis=0).round(1)
        counted = (np.abs(shift - common) <= SAME_PX).all() and (np.abs(common) == 1).all()
        hint = "one of them counts pixels from 0; both count from 1" if counted else "another order, or another set"
        raise ValueError(
            f"Expected {persons.annotation} and {path} to describe the same persons but the joints of {share} differ: {hint}; "
            "take both files from the same release"
        )
    return truth, (f"{persons.annotation.name} and {path.name} differ in the joints of {share}",)


def read_truth(path: Path) -> Truth:
    """Read gt_valid.mat.

    Raises:
        ValueError: it is missing, no .mat file, lacks an array, or holds numbers that are not finite.
    """
    data = read_mat(
        path,
        "the MPII ground truth",
        "take gt_valid.mat from the annot/ folder of HRNet's release: PCKh needs its head boxes",
    )
    missing = [name for name in ("pos_gt_src", "jnt_missing", "headboxes_src") if name not in data]
    if missing:
        raise ValueError(
            f"Expected the array {missing[0]!r} in {path} but got {sorted(data)}; fetch gt_valid.mat again"
        )
    joints, absent, boxes = data["pos_gt_src"], data["jnt_missing"], data["headboxes_src"]
    count = joints.shape[-1] if getattr(joints, "ndim", 0) else 0
    if joints.shape != (16, 2, count) or absent.shape != (16, count) or boxes.shape != (2, 2, count):
        raise ValueError(
            f"Expected arrays (16, 2, N), (16, N), (2, 2, N) in {path} but got {joints.shape}, {absent.shape}, {boxes.shape}; "
            "fetch gt_valid.mat again"
        )
    try:
        places, hidden, heads = (np.asarray(array, dtype=np.float64) for array in (joints, absent, boxes))
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected arrays of numbers in {path} but got {error}; fetch gt_valid.mat again") from error
    truth = Truth(places.transpose(2, 0, 1), hidden.T != 0, heads.transpose(2, 0, 1))
    # A joint that is missing may have any coordinates; of the others, a NaN would count as missing unseen.
    wrong = ~np.isfinite(truth.joints).all(2) & (truth.missing == 0)
    if wrong.any():
        row, joint = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"{path}, pos_gt_src of record {row}, joint {joint}: expected finite coordinates where jnt_missing is 0 but "
            f"got {truth.joints[row, joint].tolist()}; fetch gt_valid.mat again"
        )
    if not np.isfinite(truth.head_boxes).all():
        row = int(np.argwhere(~np.isfinite(truth.head_boxes))[0][0])
        raise ValueError(
            f"{path}, headboxes_src of record {row}: expected finite corners but got {truth.head_boxes[row].tolist()}; fetch "
            "gt_valid.mat again"
        )
    _check_outliers(truth, path)
    return truth


def _check_outliers(truth: Truth, path: Path) -> None:
    """Raises ValueError for the first person whose joints no picture holds, or whose head is far larger than the person."""
    joints = np.where(truth.missing[..., None] == 0, truth.joints, np.nan)
    seen = (truth.missing == 0).any(1)
    size = np.linalg.norm(truth.head_boxes[:, 1] - truth.head_boxes[:, 0], axis=-1)
    extent = np.zeros(len(truth))
    extent[seen] = (np.nanmax(joints[seen], axis=1) - np.nanmin(joints[seen], axis=1)).max(1)
    far = (np.abs(joints) > FARTHEST_PX).any((1, 2))
    head = (size > FARTHEST_PX) | ((size > 5 * extent) & (size > 1000))
    for wrong, expected in ((far, f"joints within {FARTHEST_PX:g} px"), (head, "a head box smaller than the person")):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"{path}, record {row}: expected {expected} but got joints over {extent[row]:.6g} px and a head box of "
                f"{size[row]:.6g} px ({int(wrong.sum())} such records); fetch gt_valid.mat again"
            )


def write_predictions(path: Path, keypoints: ArrayLike) -> None:
    """Write pred.mat: `preds` (N, 16, 2) from 0-based points (N, 16, >=2), with the +1 that makes them 1-based."""
    points: Any = np.asarray(keypoints, dtype=np.float64)[..., :2] + 1.0
    write_mat(path, {"preds": points})
