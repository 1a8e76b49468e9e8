"""Embedded people in the layout of MPII Human Pose (docs/protocols.md section 4): pictures, json files, gt_valid.mat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.synthetic.people.people import RenderedPerson
from benchmarks.synthetic.people.scene import Scene, compose_scene
from tasks.files.matlab import write_mat

VERSION = 1
SIZES = {"smoke": {"train": 16, "valid": 8, "test": 4}, "embedded": {"train": 950, "valid": 200, "test": 8}}
"""Pictures by tier and split; a picture holds one or two annotated people."""

SPLITS = {"train": 0, "valid": 1, "test": 2}
PICTURE_SIZES = ((320, 240), (320, 240), (240, 320), (280, 280))
JOINT_NAMES = (
    "rank", "rkne", "rhip", "lhip", "lkne", "lank", "pelv", "thor",
    "neck", "head", "rwri", "relb", "rsho", "lsho", "lelb", "lwri",
)  # fmt: skip
_STREAM = 23
_JPEG_QUALITY = 90


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`: images/ and annot/{train,valid,trainval,test}.json, annot/gt_valid.mat.

    Picture k of a split depends on (seed, split, k) alone. `sizes` maps "train", "valid" and "test" to numbers of pictures.
    """
    (root / "images").mkdir(parents=True, exist_ok=True)
    annot = root / "annot"
    annot.mkdir(parents=True, exist_ok=True)
    records = {split: _write_split(root / "images", split, count, seed) for split, count in sizes.items()}
    for split, entries in records.items():
        public = [entry["test" if split == "test" else "record"] for entry in entries]
        (annot / f"{split}.json").write_text(json.dumps(public, separators=(",", ":")))
    if "train" in records and "valid" in records:
        both = [entry["record"] for split in ("train", "valid") for entry in records[split]]
        (annot / "trainval.json").write_text(json.dumps(both, separators=(",", ":")))
    if records.get("valid"):
        write_mat(annot / "gt_valid.mat", ground_truth(records["valid"]))


def render_picture(seed: int, split: str, number: int) -> tuple[Scene, np.random.Generator]:
    """Return picture `number` of a split, and the generator with which its annotation goes on."""
    rng = np.random.default_rng([seed, _STREAM, SPLITS[split], number])
    size_wh = PICTURE_SIZES[int(rng.integers(len(PICTURE_SIZES)))]
    num_people = int(rng.choice([1, 2], p=[0.68, 0.32]))
    return compose_scene(rng, size_wh, num_people, height_px=(95.0, 225.0), truncated=0.08, occluded=0.12), rng


def _write_split(folder: Path, split: str, count: int, seed: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for number in range(count):
        scene, rng = render_picture(seed, split, number)
        name = f"{SPLITS[split] + 1:02d}{number:07d}.jpg"
        cv2.imwrite(str(folder / name), scene.image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        for person in scene.people:
            if person.mask.sum() >= 0.25 * person.full_area and person.mask.sum() >= 60:
                entries.append(annotate(person, name, rng))
    return entries


def annotate(person: RenderedPerson, image: str, rng: np.random.Generator) -> dict[str, Any]:
    """Return one person as {"record", "test", "head_box"}; all coordinates 1-based.

    A joint outside of the picture, and one in eight of those hidden, is missing: (-1, -1) with joints_vis 0. Every other
    joint is annotated (joints_vis 1), hidden or not. The scale is the person's height over 200 pixels, the centre the
    middle of its extent.
    """
    joints, visible = person.mpii
    skipped = rng.random(len(JOINT_NAMES)) < 0.125
    known = person.inside_mpii & (visible | ~skipped)
    x0, y0, x1, y1 = person.extent
    scale = max(y1 - y0, x1 - x0, 0.7 * person.stature_px) / 200.0 * rng.uniform(0.96, 1.06)
    centre = np.array(((x0 + x1) / 2, (y0 + y1) / 2)) + rng.normal(0, 0.01 * 200 * scale, 2)
    placed = np.where(known[:, None], np.rint(joints) + 1.0, -1.0)
    test = {
        "image": image,
        "scale": round(float(scale), 6),
        "center": [float(value) for value in np.rint(centre) + 1.0],
    }
    record = {
        "joints_vis": [int(value) for value in known],
        "joints": [[float(x), float(y)] for x, y in placed],
        **test,
    }
    return {"record": record, "test": test, "head_box": person.head_box + 1.0}


def ground_truth(entries: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Return the arrays of gt_valid.mat for the people of valid.json, in its order; a missing joint is (0, 0) there."""
    joints = np.array([entry["record"]["joints"] for entry in entries])
    missing = np.array([entry["record"]["joints_vis"] for entry in entries]) == 0
    joints[missing] = 0.0
    boxes = np.array([np.rint(entry["head_box"]) for entry in entries]).reshape(-1, 2, 2)
    names = np.empty((1, len(JOINT_NAMES)), object)
    names[0] = JOINT_NAMES
    return {
        "dataset_joints": names,
        "jnt_missing": missing.T.astype(np.uint8),
        "pos_gt_src": np.ascontiguousarray(joints.transpose(1, 2, 0)),
        "headboxes_src": np.ascontiguousarray(boxes.transpose(1, 2, 0)),
    }
