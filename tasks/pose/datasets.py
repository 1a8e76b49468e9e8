"""Samples of pose training and evaluation: crops of persons, normalised, and their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, TrainData
from tasks.coco.identities import texts_of
from tasks.files.picture_entry import PictureEntry
from tasks.geometry import crop, flip_points, transform_points
from tasks.images import PictureCache
from tasks.pose.crops.augment import PoseAugment, draw
from tasks.pose.crops.person_crop import crop_matrix, person_crops, person_values
from tasks.pose.entry import Entry
from tasks.pose.files import coco
from tasks.pose.protocol import NORMALISERS, CocoProtocol, PoseProtocol, check_protocol
from tasks.pose.skeletons.joints import Skeleton
from tasks.pose.targets import pose_targets


class PoseEvalData(EvalData):
    """One sample per person box, in the dataset's order.

    Items: index, images (3, H, W) float32 normalised, or (S, 3, H, W) where the protocol has other scales than (1,), or bytes
    (`Samples.far`), centre (2,) px and scale (2,) in 200-px units.
    """

    def __init__(self, entry: Entry, root: Path, split: str, protocol: PoseProtocol) -> None:
        check_protocol(protocol)
        self.dataset, self.split, self.protocol = entry.info.name, split, protocol
        self.read_persons = partial(entry.persons, Path(root), split)
        self.persons = self.read_persons(protocol)
        self.notes = (*entry.notes, *self.persons.notes, *entry.person_notes(self.persons, split))
        if self.persons.truth is not None:
            coco.require_areas(self.persons.truth)
        self.skeleton: Skeleton = entry.skeleton
        self.pictures = PictureCache(root, protocol.colour, 128, self.persons.stated_sizes())

    def entries(self) -> Sequence[PictureEntry]:
        return self.persons.entries()

    def __len__(self) -> int:
        return len(self.persons)

    def image_ids(self) -> list[str]:
        texts = texts_of(self.persons.image_ids)
        return [texts[row] for row in self.persons.image]

    def __getitem__(self, index: int) -> dict[str, Any]:
        persons = self.persons
        picture = self.pictures[persons.files[persons.image[index]]]
        centre, scale = persons.centres[index], persons.scales[index]
        return {"index": index, "images": self.inputs(picture, centre, scale), "centre": centre, "scale": scale}

    def inputs(self, picture: NDArray[np.uint8], centre: NDArray[np.floating], scale: NDArray[np.floating]) -> NDArray:
        """The network's input of one person: (3, H, W), or (S, 3, H, W) with other scales than (1,)."""
        return self.pixels(person_crops(picture, centre, scale, self.protocol))

    def byte_values(self) -> NDArray[np.float32]:
        return person_values(self.protocol)


class PoseTrainData(TrainData):
    """One sample per annotated person, cropped with the recipe's augmentation.

    Items: index, images (3, H, W) float32, or bytes where no colours are drawn (`Samples.far`), target (J, H / s, W / s) float32
    (3 J maps for UDP's combined coding, (J, 1, classes) for SimCC), weight (J,) float32, s the target's stride.
    """

    def __init__(
        self,
        entry: Entry,
        root: Path,
        split: str,
        protocol: PoseProtocol,
        augment: PoseAugment,
        seed: int,
        input_wh: tuple[int, int] | None = None,
    ) -> None:
        check_protocol(protocol)
        self.skeleton: Skeleton = entry.skeleton
        truth = protocol
        if isinstance(protocol, CocoProtocol):
            truth = CocoProtocol(input_wh=protocol.input_wh, box_rule=protocol.box_rule)
        # The crops need the persons alone, not the file's other records.
        self.persons = replace(entry.persons(Path(root), split, truth), truth=None)
        self.notes = (*entry.notes, *self.persons.notes)
        self.protocol, self.augment, self.seed = protocol, augment, seed
        self.size_wh = input_wh or protocol.input_wh
        stride = augment.stride
        if self.size_wh[0] % stride or self.size_wh[1] % stride:
            raise ValueError(
                f"Expected an input divisible by the targets' stride {stride} but got input_wh={self.size_wh}"
            )
        self.map_wh = (self.size_wh[0] // stride, self.size_wh[1] // stride)
        self.pictures = PictureCache(root, protocol.colour, sizes_wh=self.persons.stated_sizes())

    def entries(self) -> Sequence[PictureEntry]:
        return self.persons.entries()

    def byte_values(self) -> NDArray[np.float32]:
        return person_values(self.protocol)

    def __len__(self) -> int:
        return len(self.persons)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        persons, augment, skeleton = self.persons, self.augment, self.skeleton
        rng = np.random.default_rng([self.seed, epoch, index])
        picture = self.pictures[persons.files[persons.image[index]]]
        joints, visible = persons.joints[index], persons.visible[index]
        aspect = self.size_wh[0] / self.size_wh[1]
        drawn = draw(
            rng, augment, persons.centres[index], persons.scales[index], joints, visible, skeleton.upper, aspect
        )
        centre, matrix = np.array(drawn.centre), None
        if drawn.flip:
            joints, swapped = flip_points(joints, picture.shape[1], skeleton.pairs, visible)
            assert swapped is not None
            visible = swapped
            centre[0] = picture.shape[1] - 1 - centre[0]
        matrix = crop_matrix(self.protocol, centre, drawn.scale, drawn.rotation_deg, self.size_wh)
        joints = transform_points(joints, matrix)
        if drawn.flip:
            # The mirror is folded into the matrix, which spares a copy of the picture.
            matrix = matrix @ np.array([[-1.0, 0.0, picture.shape[1] - 1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        patch = crop(picture, matrix, self.size_wh)
        if drawn.colour is None:
            images = self.pixels(patch)
        else:
            mean, std = NORMALISERS[self.protocol.normaliser]
            tinted = np.clip(patch.astype(np.float32) / 255 * drawn.colour, 0, 1)
            images = np.ascontiguousarray(
                ((tinted - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)).transpose(2, 0, 1)
            )
        weights = skeleton.loss_weights if augment.joint_weights else None
        rule = augment.target_rule if self.protocol.target == "recipe" else self.protocol.target
        sigma, split = augment.sigma_for(self.size_wh), self.protocol.simcc_split
        target, weight = pose_targets(joints, visible, self.size_wh, self.map_wh, sigma, rule, weights, split)
        return {"index": index, "images": images, "target": target, "weight": weight}
