"""MPII on disk: the json files and gt_valid.mat of the HRNet and SimpleBaseline authors, and pred.mat. Torch-free.

Layout below the dataset's folder: annot/<split>.json, annot/gt_valid.mat, images/. Files count pixels from 1; everything here
counts from 0 until it is written again. Rules: docs/protocols.md, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.matlab import write_mat
from tasks.pose.files.persons import Persons, finite_row, read_json, require_folder
from tasks.pose.joints import MPII

SPLITS = ("train", "valid", "trainval", "test")


@dataclass(frozen=True)
class Truth:
    """gt_valid.mat: joints (N, 16, 2) 1-based px, missing (N, 16), head boxes (N, 2, 2) corners."""

    joints: NDArray[np.float64]
    missing: NDArray[np.uint8]
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


def read_persons(root: Path, split: str) -> Persons:
    """The persons of a split in the file's order, 0-based, with the crop's centre and scale.

    Raises:
        ValueError: a file or folder is missing, or a record is unusable; the text names file, record and fix.
    """
    path = annotation_path(root, split)
    data = read_json(path, "MPII annotations")
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        kind = "an object (COCO's form)" if isinstance(data, dict) else "something else"
        raise ValueError(f"Expected a list of persons in {path} but got {kind}; check the file")
    require_folder(root / "images", "the MPII pictures")
    files: dict[str, int] = {}
    count = len(data)
    image = np.zeros(count, dtype=np.int64)
    centres, scales = np.zeros((count, 2)), np.zeros((count, 2))
    joints = np.zeros((count, MPII.num_joints, 2))
    visible = np.zeros((count, MPII.num_joints), dtype=np.float32)
    labelled = split != "test"
    for row, entry in enumerate(data):
        where = f"{path}, record {row}"
        needed = ("image", "center", "scale") + (("joints", "joints_vis") if labelled else ())
        missing = [key for key in needed if key not in entry]
        if missing:
            raise ValueError(
                f"{where}: expected the field {missing[0]!r} but got {sorted(entry)}; use the json files that HRNet's authors "
                "converted (annot/ of their release), not the raw .mat's or pytorch-pose's"
            )
        image[row] = files.setdefault(f"images/{entry['image']}", len(files))
        centre = finite_row(entry["center"], 2, "a centre (x, y)", where)
        scale = float(finite_row(entry["scale"], 1, "a scale", where)[0])
        if scale <= 0:
            raise ValueError(f"{where}: expected a positive scale but got {scale}; correct or remove the record")
        if centre[0] != -1:
            # Lowered and widened so that no limb is cut.
            centre[1] += 15 * scale
            scale *= 1.25
        centres[row], scales[row] = centre - 1, scale
        if labelled:
            points = finite_row(entry["joints"], 2 * MPII.num_joints, "joints", where).reshape(-1, 2)
            joints[row] = points - 1
            visible[row] = finite_row(entry["joints_vis"], MPII.num_joints, "joints_vis", where)
    return Persons(
        root=root,
        annotation=path,
        files=tuple(files),
        image_ids=tuple(Path(name).name for name in files),
        image=image,
        record=tuple(range(count)),
        centres=centres,
        scales=scales,
        scores=np.ones(count),
        joints=joints,
        visible=visible,
        areas=np.zeros(count),
    )


def read_truth(path: Path) -> Truth:
    """Read gt_valid.mat.

    Raises:
        ValueError: it is missing, no .mat file, lacks an array, or holds numbers that are not finite.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        data = loadmat(str(path))
    except FileNotFoundError:
        raise ValueError(
            f"Expected the MPII ground truth at {path} but there is no such file; take gt_valid.mat from the annot/ folder of "
            "HRNet's release: PCKh needs its head boxes"
        ) from None
    except (MatReadError, ValueError, NotImplementedError, OSError) as error:
        raise ValueError(f"Expected a .mat file at {path} but it cannot be read ({error}); fetch it again") from error
    missing = [name for name in ("pos_gt_src", "jnt_missing", "headboxes_src") if name not in data]
    if missing:
        names = sorted(name for name in data if not name.startswith("_"))
        raise ValueError(f"Expected the array {missing[0]!r} in {path} but got {names}; fetch gt_valid.mat again")
    joints, absent, boxes = data["pos_gt_src"], data["jnt_missing"], data["headboxes_src"]
    count = joints.shape[-1]
    if joints.shape != (16, 2, count) or absent.shape != (16, count) or boxes.shape != (2, 2, count):
        raise ValueError(
            f"Expected arrays (16, 2, N), (16, N), (2, 2, N) in {path} but got {joints.shape}, {absent.shape}, {boxes.shape}; "
            "fetch gt_valid.mat again"
        )
    try:
        truth = Truth(
            joints.transpose(2, 0, 1).astype(np.float64), absent.T, boxes.transpose(2, 0, 1).astype(np.float64)
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected arrays of numbers in {path} but got {error}; fetch gt_valid.mat again") from error
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
    return truth


def write_predictions(path: Path, keypoints: ArrayLike) -> None:
    """Write pred.mat: `preds` (N, 16, 2) from 0-based points (N, 16, >=2), with the +1 that makes them 1-based."""
    points: Any = np.asarray(keypoints, dtype=np.float64)[..., :2] + 1.0
    write_mat(path, {"preds": points})
