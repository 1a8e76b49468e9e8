"""Samples of landmark training and evaluation: crops of faces, normalised, and their targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, TrainData
from tasks.files.picture_entry import PictureEntry
from tasks.geometry import transform_points
from tasks.images import normalise
from tasks.landmarks.crops.augment import FaceAugment
from tasks.landmarks.crops.face_crops import affine_crop, crop_matrix, reference_crop
from tasks.landmarks.entries.entry import Entry
from tasks.landmarks.files.faces import Faces, with_boxes
from tasks.landmarks.files.markup import mirror_points
from tasks.landmarks.protocol import LandmarkProtocol, check_protocol
from tasks.landmarks.targets import face_targets
from tasks.survey import entry_problem, looked_at

STRIDE = 4


def read_faces(entry: Entry, root: Path, split: str, protocol: LandmarkProtocol) -> Faces:
    """The faces of a split in the protocol's boxes, from whichever form of the dataset is there.

    Raises:
        ValueError: files missing or malformed; file and line are named.
    """
    return with_boxes(entry.read(root, split, protocol.box), protocol)


class LandmarkEvalData(EvalData):
    """One sample per face, in the annotation's order.

    Items: index, images (3, S, S) float32 normalised or bytes (`Samples.far`), centre (2,) 1-based px, scale () padded in
    200-px units, num_points.
    """

    def __init__(self, entry: Entry, root: Path, split: str, protocol: LandmarkProtocol) -> None:
        check_protocol(protocol)
        self.split, self.protocol = split, protocol
        self.markup, self.as_float, self.from_files = entry.markup, entry.as_float, entry.stored is None
        self.faces = read_faces(entry, Path(root), split, protocol)
        self.notes = (*entry.notes, *self.faces.notes)
        self.folder = entry.folder(Path(root), split)
        self.picture = entry.pictures(Path(root), split, self.faces, 128)

    def entries(self) -> list[PictureEntry]:
        return face_entries(self.faces, self.folder, self.protocol) if self.from_files else []

    def __len__(self) -> int:
        return len(self.faces)

    def image_ids(self) -> list[str]:
        return list(self.faces.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        centre, scale = self.faces.centres[index], float(self.faces.scales[index]) * self.protocol.padding
        picture = self.picture(index)
        self._check(index, picture)
        images = self.pixels(face_crop(picture, centre, scale, self.protocol, self.as_float))
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


def face_entries(faces: Faces, folder: Path, protocol: LandmarkProtocol) -> list[PictureEntry]:
    """The faces' pictures, for `tasks.survey`."""
    return [faces.entry(index, folder, protocol.padding) for index in range(len(faces))]


def face_input(
    picture: NDArray[np.uint8],
    centre: NDArray[np.float64],
    scale: float,
    protocol: LandmarkProtocol,
    as_float: bool = True,
) -> NDArray[np.float32]:
    """Crop and normalise one face: (3, S, S) float32."""
    return normalise(face_crop(picture, centre, scale, protocol, as_float))


def face_crop(
    picture: NDArray[np.uint8], centre: NDArray[np.float64], scale: float, protocol: LandmarkProtocol, as_float: bool
) -> NDArray[np.uint8]:
    """Crop one face: (S, S, 3) uint8."""
    size = protocol.input_wh
    if protocol.crop == "reference":
        return reference_crop(picture, centre, scale, size, 0.0, as_float)
    return affine_crop(picture, _zero_based(crop_matrix(centre, scale, size)), size)


def _zero_based(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """A matrix from 1-based picture coordinates, made to start from 0-based pixels."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2].sum(1)])


class LandmarkTrainData(TrainData):
    """One sample per face, cropped with the recipe's augmentation.

    Items: index, images (3, S, S) float32 or bytes (`Samples.far`), target (P, S / 4, S / 4) float32.
    """

    def __init__(
        self,
        entry: Entry,
        root: Path,
        split: str,
        protocol: LandmarkProtocol,
        augment: FaceAugment,
        seed: int,
        input_wh: tuple[int, int] | None = None,
    ) -> None:
        self.protocol = replace(protocol, input_wh=input_wh or protocol.input_wh)
        check_protocol(self.protocol)
        self.augment, self.seed = augment, seed
        self.markup, self.as_float = entry.markup, entry.as_float
        self.faces = read_faces(entry, Path(root), split, protocol)
        if entry.stored is None:
            looked_at(face_entries(self.faces, entry.folder(Path(root), split), protocol))
        self.picture = entry.pictures(Path(root), split, self.faces, 512)

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
        return {"index": index, "images": self.pixels(images), "target": target}

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
            return reference_crop(picture, centre, scale, size, rotation, self.as_float), matrix
        return affine_crop(np.ascontiguousarray(picture), _zero_based(matrix), size), matrix
