"""Collecting poses and scoring them: COCO by match lists, MPII by head-normalised errors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, Evaluation, Stats
from tasks.coco import matches as coco_matches
from tasks.coco.keypoints import PERSON
from tasks.coco.scored.scoring import keypoint_matches
from tasks.files.archive import write_zip
from tasks.pose.datasets import PoseEvalData
from tasks.pose.drawing import draw_in_view
from tasks.pose.files import coco, mpii
from tasks.pose.files.persons import Persons
from tasks.pose.metrics import GROUPS, head_normalised_errors, pckh_hrnet, pckh_pytorch_pose
from tasks.pose.protocol import CocoProtocol, PoseProtocol
from tasks.pose.skeletons.nms import oks, oks_nms, rescore, soft_oks_nms


class PoseEvaluation(Evaluation):
    """Keypoints (N, J, 3) of every sample: x, y in 0-based pixels and score."""

    data: PoseEvalData
    protocol: PoseProtocol
    per_sample = ("keypoints",)

    def __init__(self, data: EvalData, protocol: PoseProtocol) -> None:
        super().__init__(data, protocol)
        self.keypoints = np.full((len(self.data), self.data.skeleton.num_joints, 3), np.nan, dtype=np.float32)

    def add(self, indices: Sequence[int], predictions: Sequence[Any]) -> None:
        for index, pose in zip(indices, predictions, strict=True):
            self.keypoints[index] = pose

    def complete(self) -> NDArray[np.float32]:
        """The keypoints of all samples.

        Raises:
            ValueError: some were never added, or are not finite.
        """
        lacking = np.flatnonzero(~np.isfinite(self.keypoints).all((1, 2)))
        if len(lacking):
            raise ValueError(
                f"Expected predictions of all {len(self.keypoints)} samples but {len(lacking)} are missing or not finite (first: "
                f"{self.data.persons.where(int(lacking[0]))}); evaluate every sample, and look for NaN in the weights"
            )
        return self.keypoints

    def truth_of(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
        """Joints (J, 2) px, visibility (J,) and area of the person that a sample shows."""
        persons = self.data.persons
        return persons.joints[index], persons.visible[index], float(persons.areas[index])

    def picture(self, index: int, what: Literal["truth", "prediction"]) -> np.ndarray:
        persons = self.data.persons
        picture = self.data.pictures[persons.files[persons.image[index]]]
        if self.protocol.colour == "bgr":
            picture = np.ascontiguousarray(picture[..., ::-1])
        if what == "truth":
            points, visible, _ = self.truth_of(index)
            shown = visible > 0
        else:
            points = self.keypoints[index, :, :2].astype(np.float64)
            shown = self.keypoints[index, :, 2] > 0.05
        width, height = self.protocol.input_wh
        centre, scale = persons.centres[index], persons.scales[index]
        return draw_in_view(picture, centre, scale, width / height, points, shown, self.data.skeleton)


class CocoEvaluation(PoseEvaluation):
    """COCO: rescoring, suppression, pycocotools."""

    protocol: CocoProtocol

    def __init__(self, data: EvalData, protocol: PoseProtocol) -> None:
        super().__init__(data, protocol)
        self._stats: Stats | None = None
        self._shown: tuple[Persons, NDArray[np.int64]] | None = None

    def add(self, indices: Sequence[int], predictions: Sequence[Any]) -> None:
        super().add(indices, predictions)
        self._stats = None

    def results(self) -> list[dict[str, Any]]:
        """COCO result records after rescoring and suppression, pictures in the order of their first sample."""
        keypoints, persons, protocol = self.complete(), self.data.persons, self.protocol
        scores = rescore(persons.scores, keypoints[..., 2], protocol.keypoint_threshold)
        # Areas are those of the padded boxes (T21).
        areas = np.prod(persons.scales * 200, axis=1).astype(np.float64)
        kept: list[int] = []
        sigmas = self.data.skeleton.sigmas()
        for members in _by_picture(persons.image):
            poses, score, area = keypoints[members], scores[members], areas[members]
            if protocol.nms == "oks":
                chosen = oks_nms(poses, score, area, protocol.nms_threshold, sigmas)
            elif protocol.nms == "soft_oks":
                chosen = soft_oks_nms(poses, score, area, protocol.nms_threshold, sigmas)
            else:
                chosen = np.arange(len(members))
            kept += [int(i) for i in members[chosen]]
        ids = [persons.image_ids[row] for row in persons.image[kept]]
        category = PERSON if persons.truth is None else persons.truth.person
        return coco.results(ids, keypoints[kept], scores[kept], category)

    def stats(self) -> Stats:
        if self._stats is None:
            truth = self.data.persons.truth
            if truth is not None:
                self._stats = keypoint_matches(truth, self.results(), self.data.skeleton.sigmas())
            else:
                self._stats = {"image": np.array([str(name) for name in self.data.persons.image_ids])}
        return self._stats

    def write_predictions(self, path: Path) -> None:
        coco.write_results(_with_suffix(path, ".json"), self.results())

    def write_submission(self, folder: Path) -> str:
        """The archive that COCO's server takes: its name says kind, split and algorithm."""
        if self.data.persons.truth is not None:
            return ""
        name = f"person_keypoints_{self.data.split}_pose_results"
        write_zip(folder.with_name(f"{name}.zip"), {f"{name}.json": _with_suffix(folder, ".json")})
        return f"{self.data.split}: the truth is the server's; upload {name}.zip, beside the predictions, to COCO's evaluation"

    def truth_of(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
        """As for any pose; a detector's box shows the annotated person that it overlaps most, or nobody."""
        persons = self.data.persons
        if self.protocol.boxes != "detector" or persons.truth is None:
            return super().truth_of(index)
        if self._shown is None:
            annotated = self.data.read_persons(replace(self.protocol, boxes="gt"))
            self._shown = annotated, overlapped(persons, annotated)
        annotated, rows = self._shown
        row = rows[index]
        if row < 0:
            return super().truth_of(index)
        return annotated.joints[row], annotated.visible[row], float(annotated.areas[row])

    def sample_scores(self) -> np.ndarray:
        """OKS of every sample with its own annotation; NaN for detector boxes that show no annotated person."""
        scores = np.full(len(self.data), np.nan)
        sigmas = self.data.skeleton.sigmas()
        for index in range(len(self.data)):
            joints, visible, area = self.truth_of(index)
            seen = visible > 0
            if seen.any() and area > 0:
                truth, pose = joints[seen], self.keypoints[index][None, seen]
                scores[index] = oks(truth, pose, area, [area], sigmas[seen])[0]
        return scores

    def curves(self) -> dict[str, list[list[float]]]:
        if self.data.persons.truth is None:
            return {}
        precision, _ = coco_matches.curves(self.stats(), "all", 20)
        recall = coco_matches.RECALL_POINTS
        return {
            f"precision over recall, OKS {threshold:.2f}": [
                [float(r), float(p)] for r, p in zip(recall, precision[0, row], strict=True)
            ]
            for row, threshold in ((0, 0.5), (5, 0.75))
            if not np.isnan(precision[0, row]).any()
        }


class MpiiEvaluation(PoseEvaluation):
    """MPII: errors over head sizes, per person, grouped by picture."""

    def __init__(self, data: EvalData, protocol: PoseProtocol) -> None:
        super().__init__(data, protocol)
        self.truth: mpii.Truth | None = None
        if mpii.has_truth(self.data.split):
            self.truth, _ = mpii.matching_truth(self.data.persons)

    def errors(self) -> NDArray[np.float64]:
        """(N, 16) distances over head sizes, NaN where a joint is missing."""
        if self.truth is None:
            raise ValueError(
                f"Expected the validation split: PCKh needs head boxes, which {self.data.split} does not have"
            )
        return _errors(self._points(), self.truth)

    def _points(self) -> NDArray[np.float64]:
        # Predictions count from 0, the file from 1.
        return self.complete()[..., :2].astype(np.float64) + 1.0

    def stats(self) -> Stats:
        if self.truth is None:
            return {"image": np.array([str(name) for name in self.data.persons.image_ids])}
        return mpii_stats(self.data.persons, self.truth, self._points())

    def write_predictions(self, path: Path) -> None:
        mpii.write_predictions(_with_suffix(path, ".mat"), self.complete())

    def write_submission(self, folder: Path) -> str:
        """MPII takes the MATLAB file by mail."""
        if self.truth is not None:
            return ""
        return (
            f"{self.data.split}: the truth is its owners'; they take predictions.mat by mail, the persons of the test set in "
            "the order of their list, the joints in MPII's order and pixels counted from 1, and ask for the paper, the training "
            "data used and whether others' networks were"
        )

    def sample_scores(self) -> np.ndarray:
        """Minus the mean error in head sizes, each joint's capped at 1; NaN without ground truth."""
        if self.truth is None:
            return np.full(len(self.data), np.nan)
        errors = np.minimum(self.errors(), 1.0)
        seen = ~np.isnan(errors)
        mean = np.where(seen, errors, 0).sum(1) / np.maximum(seen.sum(1), 1)
        return np.where(seen.any(1), -mean, np.nan)

    def curves(self) -> dict[str, list[list[float]]]:
        if self.truth is None:
            return {}
        errors = self.errors()
        seen = errors[~np.isnan(errors)]
        if not len(seen):
            return {}
        return {
            "joints within a distance, head sizes": [
                [float(t), float(100 * (seen <= t).mean())] for t in np.linspace(0, 1, 41)
            ]
        }


def mpii_stats(persons: Persons, truth: mpii.Truth, points: NDArray[np.float64]) -> Stats:
    """Errors of points (N, 16, 2), counted from 1, grouped by picture: `image`, `errors_start`, `errors`."""
    order = np.argsort(persons.image, kind="stable")
    counts = np.bincount(persons.image, minlength=len(persons.files))
    return {
        "image": np.array([str(name) for name in persons.image_ids]),
        "errors_start": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        "errors": _errors(points, truth)[order],
    }


def _errors(points: NDArray[np.float64], truth: mpii.Truth) -> NDArray[np.float64]:
    return head_normalised_errors(points, truth.joints, truth.missing, truth.head_boxes)


def coco_figures(
    stats: Stats, counts: NDArray[np.integer] | None = None, wanted: Collection[str] | None = None
) -> dict[str, float]:
    """The ten COCO keypoint figures in per cent, or those ``wanted``; none without ground truth."""
    if "all_score" not in stats:
        return {}
    chosen = [figure for figure in coco_matches.KEYPOINT_FIGURES if wanted is None or figure.name in wanted]
    return coco_matches.accumulate(stats, chosen, counts)


def mpii_figures(stats: Stats, counts: NDArray[np.integer] | None = None) -> dict[str, float]:
    """PCKh in per cent, as HRNet and as pytorch-pose report it; none without ground truth."""
    if "errors" not in stats:
        return {}
    errors = stats["errors"]
    if counts is not None:
        times = np.repeat(np.asarray(counts), np.diff(stats["errors_start"]))
        errors = np.repeat(errors, times, axis=0)
    hrnet = pckh_hrnet(errors)
    figures = {"PCKh@0.5": hrnet["Mean"]}
    figures |= {f"PCKh@0.5/{group}": hrnet[group] for group in GROUPS}
    figures["PCKh@0.11"] = hrnet["Mean@0.11"]
    figures["PCKh@0.5 unweighted"] = pckh_pytorch_pose(errors)
    return figures


def overlapped(persons: Persons, annotated: Persons, least: float = 0.3) -> NDArray[np.int64]:
    """(N,) for every person the row of `annotated` whose box it overlaps most, -1 where no IoU reaches `least`.

    Boxes are those of the crops; both lists are of the same pictures.
    """

    def corners(of: Persons) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        half = np.asarray(of.scales, np.float64) * 100
        return of.centres - half, of.centres + half

    (low, high), (own_low, own_high) = corners(annotated), corners(persons)
    rows = np.full(len(persons), -1, dtype=np.int64)
    for index, image in enumerate(persons.image):
        members = np.flatnonzero(annotated.image == image)
        if not len(members):
            continue
        sides = np.minimum(high[members], own_high[index]) - np.maximum(low[members], own_low[index])
        common = np.prod(np.clip(sides, 0, None), axis=1)
        areas = np.prod(high[members] - low[members], axis=1) + np.prod(own_high[index] - own_low[index])
        share = common / (areas - common)
        if share.max() >= least:
            rows[index] = members[share.argmax()]
    return rows


def _by_picture(image: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Sample indices of each picture, pictures in the order of their first sample."""
    order = np.argsort(image, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(image[order])) + 1) if len(order) else []
    return sorted(groups, key=lambda members: int(members[0]))


def _with_suffix(path: Path, suffix: str) -> Path:
    return path if path.suffix else path.with_suffix(suffix)
