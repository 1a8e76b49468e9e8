"""Samples of landmark training and evaluation: crops of faces, normalised, and their targets. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, TrainData
from tasks.files.picture_entry import PictureEntry
from tasks.geometry import transform_points
from tasks.images import PictureCache, normalise
from tasks.landmarks.crops import affine_crop, crop_matrix, reference_crop
from tasks.landmarks.files import raw_forms
from tasks.landmarks.files.cofw import CofwPictures, mat_path, read_cofw
from tasks.landmarks.files.csv_form import members, read_csv
from tasks.landmarks.files.faces import Faces, with_boxes
from tasks.landmarks.files.markup import MARKUPS, mirror_points
from tasks.landmarks.protocol import LandmarkProtocol, check_protocol
from tasks.landmarks.targets import face_targets
from tasks.recipe import check_odds
from tasks.survey import entry_problem, looked_at

STRIDE = 4
WFLW_SUBSETS = dict(zip(raw_forms.WFLW_FLAGS, ("largepose", *raw_forms.WFLW_FLAGS[1:]), strict=True))


@dataclass(frozen=True)
class FaceAugment:
    """How a training sample is varied, and its targets; a recipe names one. Defaults are the reference's.

    Attributes:
        scale_factor: the box times U(1 - f, 1 + f). rotation_factor: degrees U(-f, f), with odds `rotation_prob`.
        flip_prob: odds of a mirror.
        sigma: of the targets, in cells; 0 takes the dataset's (1.0 for 300W, 1.5 for the others).
        target_rule: "face" (truncated twice), "pose" (rounded) or "exact" (not rounded); see `tasks.landmarks.targets`.
    """

    scale_factor: float = 0.25
    rotation_factor: float = 30.0
    rotation_prob: float = 0.6
    flip_prob: float = 0.5
    sigma: float = 0.0
    target_rule: Literal["face", "pose", "exact"] = "face"

    def __post_init__(self) -> None:
        check_odds(self, "rotation_prob", "flip_prob")


def csv_path(dataset: str, root: Path, split: str) -> Path:
    """Where a split's csv lies."""
    return root / f"face_landmarks_{dataset}_{split}.csv"


def picture_root(dataset: str, root: Path) -> Path:
    """The folder that picture names start from: WFLW_images/ or images/ where there is one, else the dataset's own."""
    for name in (("WFLW_images",) if dataset == "wflw" else ()) + ("images",):
        if (root / name).is_dir():
            return root / name
    return root


def wflw_list(root: Path, split: str) -> Path:
    """WFLW's raw list of a split, beside the csv files or in the release's own folders."""
    name = f"list_98pt_rect_attr_{split}.txt"
    nested = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test" / name
    return nested if nested.exists() and not (root / name).exists() else root / name


def annotation_files(dataset: str, root: Path, split: str, box: str = "file") -> list[Path]:
    """The files that hold a split's faces: the csv (and the csvs of its subsets), or those of the raw release."""
    if dataset == "cofw":
        return [mat_path(root, split)]
    main = csv_path(dataset, root, split)
    if dataset == "300w" and not main.exists():
        return raw_forms.pts_files(picture_root(dataset, root), split) or [main]
    if dataset == "wflw" and split in ("train", "test"):
        listed = wflw_list(root, split)
        if box == "rect" or (not main.exists() and (listed.exists() or listed.is_symlink())):
            return [listed]
    if dataset == "wflw" and split == "test":
        parts = [csv_path(dataset, root, f"test_{subset}") for subset in WFLW_SUBSETS.values()]
        return [main, *(part for part in parts if part.exists())]
    if dataset == "aflw" and split == "test":
        frontal = csv_path(dataset, root, "test_frontal")
        return [main, *([frontal] if frontal.exists() else [])]
    return [main]


def read_faces(dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> Faces:
    """The faces of a split in the protocol's boxes, from whichever form of the dataset is there.

    Raises:
        ValueError: files missing or malformed; file and line are named.
    """
    count = MARKUPS[dataset].num_points
    if dataset == "cofw":
        return with_boxes(read_cofw(root, split, count), protocol)
    files = annotation_files(dataset, root, split, protocol.box)
    if files[0].suffix == ".pts":
        faces = raw_forms.read_300w_raw(root, picture_root(dataset, root), split, count)
    elif files[0].suffix == ".txt":
        faces = raw_forms.read_wflw_list(files[0], root, count)
    else:
        faces = read_csv(files[0], dataset, count, root)
    return with_boxes(replace(faces, subsets=_subsets(dataset, split, faces, files)), protocol)


def _subsets(dataset: str, split: str, faces: Faces, files: list[Path]) -> dict[str, NDArray[np.bool_]]:
    if dataset == "300w":
        if split not in ("valid", "test"):
            return {}
        name, other, mark = (
            ("challenge", "common", "ibug/") if split == "valid" else ("outdoor", "indoor", "02_Outdoor/")
        )
        chosen = np.array([mark in image for image in faces.images], dtype=bool)
        return {other: ~chosen, name: chosen}
    found = dict(faces.subsets)
    names = {f"test_{file}": subset for subset, file in WFLW_SUBSETS.items()} | {"test_frontal": "frontal"}
    for path in files[1:]:
        subset = names[path.stem.removeprefix(f"face_landmarks_{dataset}_")]
        found[subset] = members(faces, path, dataset, MARKUPS[dataset].num_points)
    return found


def open_pictures(
    dataset: str, root: Path, split: str, faces: Faces, limit_mib: int
) -> Callable[[int], NDArray[np.uint8]]:
    """A function from face index to its picture (H, W, 3) RGB."""
    if dataset == "cofw":
        stored = CofwPictures(mat_path(root, split), split, limit_mib)
        return stored.__getitem__
    return FilePictures(faces, picture_root(dataset, root), limit_mib)


class FilePictures:
    """Pictures by face index from files, kept once read; an error names the face's record. Can be sent to loader processes."""

    def __init__(self, faces: Faces, folder: Path, limit_mib: int) -> None:
        self.faces, self.cache = faces, PictureCache(folder, "rgb", limit_mib)

    def __call__(self, index: int) -> NDArray[np.uint8]:
        try:
            return self.cache[self.faces.images[index]]
        except ValueError as error:
            raise ValueError(f"{self.faces.where(index)}: {error}") from error


class LandmarkEvalData(EvalData):
    """One sample per face, in the annotation's order.

    Items: index, images (3, S, S) float32 normalised, centre (2,) 1-based px, scale () padded in 200-px units, num_points.
    """

    def __init__(self, dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> None:
        check_protocol(protocol)
        self.dataset, self.split, self.protocol = dataset, split, protocol
        self.markup = MARKUPS[dataset]
        self.faces = read_faces(dataset, Path(root), split, protocol)
        self.notes = self.faces.notes
        self.folder = picture_root(dataset, Path(root))
        self.picture = open_pictures(dataset, Path(root), split, self.faces, 128)

    def entries(self) -> list[PictureEntry]:
        return face_entries(self.faces, self.dataset, self.folder, self.protocol)

    def __len__(self) -> int:
        return len(self.faces)

    def image_ids(self) -> list[str]:
        return list(self.faces.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        centre, scale = self.faces.centres[index], float(self.faces.scales[index]) * self.protocol.padding
        picture = self.picture(index)
        self._check(index, picture)
        images = face_input(picture, centre, scale, self.protocol, self.dataset != "cofw")
        return {
            "index": index,
            "images": images,
            "centre": centre,
            "scale": np.float64(scale),
            "num_points": self.markup.num_points,
        }

    def _check(self, index: int, picture: NDArray[np.uint8]) -> None:
        """Raises ValueError where a face's box or points do not belong to its picture."""
        entry = self.faces.entry(index, self.folder, self.protocol.padding)
        problem = entry_problem(entry, (picture.shape[1], picture.shape[0]))
        if problem:
            raise ValueError(f"{entry.where}: {problem}")


def face_entries(faces: Faces, dataset: str, folder: Path, protocol: LandmarkProtocol) -> list[PictureEntry]:
    """The faces' pictures, for `tasks.survey`; none of COFW, whose pictures are no files."""
    if dataset == "cofw":
        return []
    return [faces.entry(index, folder, protocol.padding) for index in range(len(faces))]


def face_input(
    picture: NDArray[np.uint8],
    centre: NDArray[np.float64],
    scale: float,
    protocol: LandmarkProtocol,
    as_float: bool = True,
) -> NDArray[np.float32]:
    """Crop and normalise one face: (3, S, S) float32."""
    size = protocol.input_wh
    if protocol.crop == "reference":
        return normalise(reference_crop(picture, centre, scale, size, 0.0, as_float))
    return normalise(affine_crop(picture, _zero_based(crop_matrix(centre, scale, size)), size))


def _zero_based(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """A matrix from 1-based picture coordinates, made to start from 0-based pixels."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2].sum(1)])


class LandmarkTrainData(TrainData):
    """One sample per face, cropped with the recipe's augmentation.

    Items: index, images (3, S, S) float32, target (P, S / 4, S / 4) float32.
    """

    def __init__(
        self,
        dataset: str,
        root: Path,
        split: str,
        protocol: LandmarkProtocol,
        augment: FaceAugment,
        seed: int,
        input_wh: tuple[int, int] | None = None,
    ) -> None:
        self.protocol = replace(protocol, input_wh=input_wh or protocol.input_wh)
        check_protocol(self.protocol)
        self.dataset, self.augment, self.seed = dataset, augment, seed
        self.markup = MARKUPS[dataset]
        self.faces = read_faces(dataset, Path(root), split, protocol)
        looked_at(face_entries(self.faces, dataset, picture_root(dataset, Path(root)), protocol))
        self.picture = open_pictures(dataset, Path(root), split, self.faces, 512)

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        faces, augment = self.faces, self.augment
        rng = np.random.default_rng([self.seed, epoch, index])
        zoom = float(rng.uniform(1 - augment.scale_factor, 1 + augment.scale_factor))
        turned = rng.random() <= augment.rotation_prob
        rotation = float(rng.uniform(-augment.rotation_factor, augment.rotation_factor)) if turned else 0.0
        flip = bool(rng.random() <= augment.flip_prob) if augment.flip_prob > 0 else False
        picture, points = self.picture(index), faces.points[index]
        centre, scale = faces.centres[index], float(faces.scales[index]) * self.protocol.padding * zoom
        if flip:
            picture, points, centre = self._mirror(picture, points, centre)
        images, matrix = self._crop(picture, centre, scale, rotation)
        cells = transform_points(points, matrix) / STRIDE
        side = self.protocol.input_wh[0] // STRIDE
        sigma = augment.sigma or self.markup.sigma
        target = face_targets(cells, (side, side), sigma, augment.target_rule, points[:, 1] > 0)
        return {"index": index, "images": normalise(images), "target": target}

    def _mirror(
        self, picture: NDArray[np.uint8], points: NDArray[np.float64], centre: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
        """The reference mirrors at the width; with the affine crop the mirror is exact (1-based: width + 1 - x)."""
        width = picture.shape[1] + (self.protocol.crop == "affine")
        mirrored = mirror_points(points, width, self.markup)
        return picture[:, ::-1], mirrored, np.array([width - centre[0], centre[1]])

    def _crop(
        self, picture: NDArray[np.uint8], centre: NDArray[np.float64], scale: float, rotation: float
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """The crop, and the matrix that takes 1-based picture coordinates to its pixels."""
        size = self.protocol.input_wh
        matrix = crop_matrix(centre, scale, size, rotation, self.protocol.crop)
        if self.protocol.crop == "reference":
            return reference_crop(picture, centre, scale, size, rotation, self.dataset != "cofw"), matrix
        return affine_crop(np.ascontiguousarray(picture), _zero_based(matrix), size), matrix
