"""The archives of detectors: where they lie, their networks with seeded weights, and how detections are compared. Not a test."""

from __future__ import annotations

import csv
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_archives import REPOSITORY, manifest_of, seeded_input, seeded_tensor
from numpy.typing import NDArray
from torch import Tensor

from hrnet import identify_checkpoint, load_checkpoint
from tasks import build_model
from tasks.detection.targets import NEGATIVE, Truth

Archive = dict[str, NDArray[Any]]
LIMIT = 1e-5
"""Relative L2 error; the references in float32 stay below 5e-6 of their own float64."""


def _folder() -> Path:
    if "HRNET_GOLDEN" in os.environ:
        return Path(os.environ["HRNET_GOLDEN"]) / "detectors"
    ours = REPOSITORY / "tests" / "data" / "golden" / "detectors"
    return ours if ours.is_dir() else REPOSITORY.parent / "shared" / "golden" / "detectors"


FOLDER = _folder()


def rows() -> list[dict[str, str]]:
    """The rows of detectors/index.csv; none if there is no such file."""
    path = FOLDER / "detectors" / "index.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


NONE = [pytest.param(None, marks=pytest.mark.skip(reason=f"no detectors below {FOLDER}"), id="none-found")]


def of(*detectors: str) -> list[Any]:
    """Ids of the archives of these detectors (all without any)."""
    found = [
        pytest.param(row["archive"], id=f"detectors-{row['archive']}")
        for row in rows()
        if not detectors or row["detector"] in detectors
    ]
    return found or NONE


def load(path: Path) -> Archive:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


@dataclass
class Case:
    """An archive with its network, its input and the pyramid of that input."""

    row: dict[str, str]
    data: Archive
    network: Any
    images: Tensor
    maps: list[Tensor]

    @property
    def size_hw(self) -> tuple[int, int]:
        height, width = (int(n) for n in self.data["valid_hw"])
        return height, width

    @property
    def scale_xy(self) -> tuple[float, float]:
        if "scale_factor_wh" in self.data:
            x, y = (float(n) for n in self.data["scale_factor_wh"])
            return x, y
        factor = float(self.data.get("scale_factor", np.float64(1.0)))
        return factor, factor

    @property
    def one(self) -> float:
        """What the family's last pixel lies before the exclusive end."""
        return 1.0 if self.network.conventions.inclusive_ends else 0.0

    def boxes(self, name: str) -> Tensor:
        """Recorded boxes with exclusive ends."""
        return tensor(self.data[name]) + torch.tensor([0.0, 0.0, self.one, self.one])

    @property
    def first_label(self) -> int:
        """mmdet counts true labels from 0, the official repositories from 1."""
        return 0 if self.row["family"] == "mmdet" else 1

    def truth(self) -> Truth:
        """The recorded ground truth."""
        labels = tensor(self.data["gt_labels"]).long() + 1 - self.first_label
        masks = None
        if "gt_masks" in self.data:
            masks = unpacked(self.data["gt_masks"], self.data["gt_masks_shape"])
        semantic = self.data.get("gt_semantic")
        pixels = None if semantic is None else torch.from_numpy(semantic)
        return Truth(self.boxes("gt_boxes"), labels, masks, self.size_hw, 0, pixels)


def tensor(values: NDArray[Any]) -> Tensor:
    """As float32 where the numbers are floating."""
    made = torch.from_numpy(np.ascontiguousarray(values))
    return made.float() if made.is_floating_point() else made


def unpacked(bits: NDArray[np.uint8], shape: NDArray[np.int64]) -> Tensor:
    """(n, H, W) bool of masks that are packed along x."""
    return torch.from_numpy(np.unpackbits(bits, axis=-1)[..., : int(shape[-1])].astype(bool))


def case(name: str) -> Case:
    """The archive ``name`` and its network, loaded from a checkpoint in the source's own form."""
    row = next(r for r in rows() if r["archive"] == name)
    data = load(FOLDER / "detectors" / f"{name}.npz")
    state = {k: seeded_tensor(k, s) for k, s in manifest_of(FOLDER / "manifests" / f"{row['manifest']}.tsv").items()}
    for entry in filter(None, row["gains"].split(";")):
        ending, factor = entry.split("=")
        for key in state:
            if key.endswith(ending):
                state[key] = state[key] * float(factor)
    for key in (k for k in data if k.startswith("set/")):
        state[key.removeprefix("set/")] = tensor(data[key]).reshape(state[key.removeprefix("set/")].shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pth"
        torch.save({"meta": {}, "state_dict": state}, path)
        description = identify_checkpoint(path)
        assert description.head == row["detector"] and description.model is not None
        options = description.build_options("detection", description.model, "coco")
        network = build_model("detection", description.model, "coco", **options).eval()
        load_checkpoint(network, path)
    images = seeded_input(name, tuple(int(n) for n in row["input_shape"].split("x")))
    height, width = (int(n) for n in data["valid_hw"])
    images[..., height:, :] = 0
    images[..., width:] = 0
    with torch.no_grad():
        maps = network.pyramid(images)  # type: ignore[operator]
    return Case(row, data, network, images, maps)


def error(found: Any, expected: NDArray[Any]) -> float:
    """Relative L2 error; of an array without numbers 0."""
    ours = np.asarray(found.detach() if isinstance(found, Tensor) else found, dtype=np.float64)
    assert ours.shape == expected.shape, f"{ours.shape}, recorded {expected.shape}"
    norm = float(np.linalg.norm(expected.astype(np.float64)))
    return float(np.linalg.norm(ours - expected)) / (norm or 1.0)


def close(found: Any, expected: NDArray[Any], limit: float = LIMIT) -> None:
    """Asserts a relative L2 error of at most ``limit``."""
    difference = error(found, expected)
    assert difference <= limit, f"relative L2 error {difference:.2e}"


def same_detections(
    found: tuple[Tensor, Tensor, Tensor], boxes: NDArray[Any], labels: NDArray[Any], scores: NDArray[Any]
) -> None:
    """Asserts that (boxes, labels, scores) are the recorded ones, in whatever order: those of nearly equal scores may swap.

    At the end of the list one may replace another of the same score.
    """
    assert len(found[0]) == len(boxes)
    free = list(range(len(boxes)))
    ours = [np.asarray(x.detach(), dtype=np.float64) for x in found]
    for box, label, score in zip(boxes, labels, scores, strict=True):
        fits = [
            i
            for i in free
            if ours[1][i] == label and abs(ours[2][i] - score) < 2e-5 and np.abs(ours[0][i] - box).max() < 0.02
        ]
        assert fits, f"no detection of label {label}, score {score:.5f}, box {np.round(box, 2)}"
        free.remove(fits[0])


def same_candidates(found: tuple[Tensor, ...], recorded: list[Any], shift: int) -> None:
    """By label and then by place, as nearly equal scores may swap; at the cut one may replace another."""

    def table(boxes: Any, scores: Any, labels: Any, moved: int) -> dict[tuple[int, ...], list[float]]:
        made: dict[tuple[int, ...], list[float]] = {}
        for box, score, label in zip(np.asarray(boxes), np.asarray(scores), np.asarray(labels), strict=True):
            made.setdefault((int(label) - moved, *(round(float(v)) for v in box)), []).append(float(score))
        return made

    ours, theirs = table(*found, moved=shift), table(*recorded, moved=0)
    missing = [key for key in theirs if key not in ours]
    # Rounding to whole pixels may fall on either side.
    assert len(missing) <= 0.01 * len(theirs)
    for key in theirs:
        if key in ours and len(ours[key]) == len(theirs[key]):
            np.testing.assert_allclose(sorted(ours[key]), sorted(theirs[key]), atol=2e-5)
    close(np.sort(np.asarray(found[1])), np.sort(recorded[1]))


def first_in_order(matched: Tensor, count: int, positive_share: float, seed: int) -> tuple[Tensor, Tensor]:
    """What the archives have in place of random sampling."""
    positive, negative = torch.where(matched >= 0)[0], torch.where(matched == NEGATIVE)[0]
    positive = positive[: int(count * positive_share)]
    return positive, negative[: count - len(positive)]
