"""Keypoints of one's own in COCO's form, from a completed declaration: any joints of anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tasks.base import declared_dataset
from tasks.coco.categories import CategoryRecord, plain_name
from tasks.coco.keypoints import NO_AREA, Keypoints, read_keypoints
from tasks.declarations.declaration import FILE, Declaration
from tasks.declarations.declaration import Keypoints as Declared
from tasks.declarations.sides import look_sided, sided_pairs
from tasks.files.json_file import read_json, shorten
from tasks.files.names import as_posix
from tasks.pose.entries.coco import SET_UP, START
from tasks.pose.entries.coco_form import coco_entry
from tasks.pose.entry import Entry
from tasks.pose.files.coco import CocoFiles
from tasks.pose.protocol import CocoProtocol, PoseProtocol, pose_protocol
from tasks.pose.skeletons.coco import COCO
from tasks.pose.skeletons.joints import Skeleton
from tasks.recipe import Recipe

MEAN_SIGMA = float(np.mean(COCO.sigmas()))
"""Of COCO's seventeen tolerances: stands in for each joint where a dataset states none."""


class DeclaredFiles(CocoFiles):
    """Where a declaration says that the files are."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration, self.skeleton = declaration, skeleton_of(declaration)

    def has_truth(self, split: str) -> bool:
        return True

    def annotation_path(self, root: Path, split: str) -> Path:
        return root / as_posix(str(self.declaration.splits[split].annotations))

    def image_folder(self, root: Path, split: str) -> str:
        return as_posix(str(self.declaration.splits[split].images)).rstrip("/")

    def boxes_path(self, root: Path, split: str, boxes_file: str) -> Path:
        if not boxes_file:
            raise ValueError(
                f"Expected the detector's boxes of {self.declaration.name}, got no file: name it with --protocol "
                "boxes_file=FILE, or evaluate with boxes=gt"
            )
        path = Path(boxes_file)
        return path if path.is_absolute() or not (root / path).exists() else root / path

    def files(self, root: Path, split: str, protocol: PoseProtocol) -> list[Path]:
        found = [root / FILE, self.annotation_path(root, split)]
        if isinstance(protocol, CocoProtocol) and protocol.boxes == "detector" and protocol.boxes_file:
            found.append(self.boxes_path(root, split, protocol.boxes_file))
        return found

    def read_truth(self, root: Path, split: str) -> Keypoints:
        path = self.annotation_path(root, split)
        read = read_keypoints(path, self.skeleton.names, advice=f"correct {FILE}", own=True)
        if not len(read) or (read.areas > 0).any():
            return read
        said = f"{path.name}: no annotation has an area: those of the boxes stand in as the scale of OKS"
        notes = (*(note for note in read.notes if NO_AREA not in note), said)
        return replace(read, areas=np.prod(read.boxes[:, 2:], axis=1), notes=notes)


def skeleton_of(declaration: Declaration) -> Skeleton:
    """The joints that a completed declaration states."""
    stated = declaration.keypoints
    assert stated is not None and stated.flip_pairs is not None
    place = {name: index for index, name in enumerate(stated.names)}
    return Skeleton(
        names=stated.names,
        pairs=tuple((place[a], place[b]) for a, b in stated.flip_pairs),
        upper=(),
        bones=tuple((place[a], place[b]) for a, b in stated.bones or ()),
        loss_weights=(1.0,) * len(stated.names),
        oks_sigmas=stated.sigmas,
    )


def declared_entry(declaration: Declaration) -> Entry:
    """The entry of a dataset whose declaration states its joints; protocol and recipe are COCO's, without half bodies."""
    places = DeclaredFiles(declaration)
    joints = places.skeleton.num_joints
    info = declared_dataset(declaration, num_outputs=joints, headline="AP", profile_hw=(256, 192))
    whole = replace(SET_UP, hrnet=replace(SET_UP.hrnet, half_body_prob=0.0), half_body_prob=0.0)
    made = coco_entry(info, places, START, whole, notes=declaration.derived)
    numbered = all(name == _number_name(number) for number, name in enumerate(places.skeleton.names))
    if not numbered or places.skeleton.pairs:
        return made
    # Nobody knows which of numbered joints change places in a mirror.
    unmirrored = partial(pose_protocol, replace(START, plain=replace(START.plain, flip=False)))
    return replace(made, protocol=unmirrored, recipe=partial(_unmirrored, made.recipe), mirrored=False)


def _unmirrored(recipe: Callable[[str, str], Recipe], model: str, tier: str) -> Recipe:
    made = recipe(model, tier)
    return replace(made, augment=replace(made.augment, flip_prob=0.0))


def _number_name(number: int) -> str:
    return f"joint {number}"


class _Category(CategoryRecord):
    skeleton: Any = None


class _Annotation(msgspec.Struct):
    category_id: Any = None
    keypoints: Any = None


class _File(msgspec.Struct):
    categories: list[_Category] = []
    annotations: list[_Annotation] = []


def completed(declaration: Declaration, root: Path) -> Declaration:
    """The declaration with names of joints, mirror pairs, sigmas and bones: stated, or derived from the file of val and said.

    Raises:
        ValueError: the file cannot be read, or does not tell the joints.
    """
    stated = declaration.keypoints or Declared()
    path = root / as_posix(str(declaration.splits["val"].annotations))
    file = read_json(path, _File, "COCO keypoint annotations", f"correct {root / FILE}")
    said: list[str] = []
    category = _category(file, stated.names, path)
    names = stated.names or tuple(str(name) for name in category.keypoints or ())
    if not names:
        names = _numbered(file, path)
        said.append(f"joints are not named: {len(names)} are taken, as many as an annotation has; nothing is mirrored")
    if len(set(names)) != len(names):
        raise ValueError(f"{path}: expected every joint's name once, got {shorten(', '.join(names))}; correct it")
    sigmas = stated.sigmas
    if not sigmas:
        sigmas = (MEAN_SIGMA,) * len(names)
        said.append(f"sigmas are not stated: {MEAN_SIGMA:.4f}, the mean of COCO's, for every joint")
    elif len(sigmas) != len(names):
        raise ValueError(
            f"{root / FILE}, keypoints.sigmas: expected one of each of the {len(names)} joints, got {len(sigmas)}"
        )
    pairs = stated.flip_pairs
    if pairs is None and names[0] == _number_name(0):
        pairs = ()
    elif pairs is None:
        pairs = sided_pairs(names)
        shown = ", ".join(f"{a} and {b}" for a, b in pairs) or "none"
        alike = "" if pairs else look_sided(names)
        hint = f"; {alike}: if so, state flip_pairs, or a mirror confuses them" if alike else ""
        said.append(f"flip_pairs are not stated: by left and right in the names, {shown}{hint}")
    else:
        for member in (name for pair in pairs for name in pair if name not in names):
            raise ValueError(f"{root / FILE}, keypoints.flip_pairs: expected joints of {path.name}, got {member!r}")
    bones = stated.bones if stated.bones is not None else _bones(category.skeleton, names)
    number = 1 if category.id is None else int(category.id)
    what = stated.category or (number, str(category.name or declaration.name))
    made = Declared(names=names, flip_pairs=pairs, sigmas=sigmas, bones=bones, category=what)
    return msgspec.structs.replace(declaration, keypoints=made, derived=(*declaration.derived, *said))


def _category(file: _File, names: Sequence[str], path: Path) -> _Category:
    """The category that has the joints: the one that lists these names, else the only one that lists any, else the only one."""
    wanted = [plain_name(name) for name in names]
    listing = [one for one in file.categories if one.keypoints]
    fitting = [one for one in listing if [plain_name(str(k)) for k in one.keypoints or ()] == wanted]
    found = fitting or listing or file.categories
    if len(found) != 1:
        held = ", ".join(f"{one.id} {one.name}" for one in found[:5]) or "none"
        raise ValueError(
            f"{path}: expected one category with keypoints, got {held}; keep one of them in a file of its own"
        )
    return found[0]


def _numbered(file: _File, path: Path) -> tuple[str, ...]:
    numbers = next(
        (one.keypoints for one in file.annotations if isinstance(one.keypoints, list) and one.keypoints), None
    )
    if not numbers or len(numbers) % 3:
        raise ValueError(
            f"{path}: expected joints, in the category's keypoints or as x, y, visibility in annotations, got none; is this an "
            "instances file? State keypoints.names"
        )
    return tuple(_number_name(number) for number in range(len(numbers) // 3))


def _bones(skeleton: Any, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The category's skeleton, pairs of places from 1, as far as it is one."""
    bones = []
    for pair in skeleton if isinstance(skeleton, list) else ():
        good = (
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(k, int) and 0 < k <= len(names) for k in pair)
        )
        if good:
            bones.append((names[pair[0] - 1], names[pair[1] - 1]))
    return tuple(bones)
