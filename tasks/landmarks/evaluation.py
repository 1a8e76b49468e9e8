"""Collecting landmarks and scoring them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tasks.base import EvalData, Evaluation, Stats
from tasks.landmarks.datasets import LandmarkEvalData
from tasks.landmarks.drawing import draw_in_view
from tasks.landmarks.files.faces import Faces
from tasks.landmarks.files.markup import Markup
from tasks.landmarks.metrics import check_stats, cumulative_errors, face_errors, figure_counts, normaliser_lengths
from tasks.landmarks.protocol import LandmarkProtocol


def landmark_stats(faces: Faces, markup: Markup, points: np.ndarray, protocol: LandmarkProtocol) -> Stats:
    """Per-face statistics of points (N, P, 2), 1-based px.

    Raises:
        ValueError: another number of points, or a face without the distance that the protocol divides by.
    """
    lengths = normaliser_lengths(faces.points, markup, faces.box_size)
    for name, length in lengths.items():
        bad = np.flatnonzero(~(length > 0))
        if len(bad) and name == protocol.normaliser:
            raise ValueError(
                f"{faces.where(int(bad[0]))}: expected a positive {name} distance to divide by but got "
                f"{length[bad[0]]:g}; correct or remove the record"
            )
    # Faces of one picture are drawn together.
    stats: Stats = {"image": np.array(faces.images), "error_px": face_errors(points, faces.points)}
    # A face without this distance (both pupils on one spot) cannot be normed by it: the figure is left out.
    stats |= {f"length_{name}": length for name, length in lengths.items() if (length > 0).all()}
    stats |= {f"subset_{name}": members for name, members in sorted(faces.subsets.items())}
    if faces.occluded is not None:
        stats["occluded"] = faces.occluded
    check_stats(stats, protocol.normaliser)
    return stats


class LandmarkEvaluation(Evaluation):
    """Points (N, P, 3) of every face: x, y in 1-based pixels and score."""

    data: LandmarkEvalData
    protocol: LandmarkProtocol
    per_sample = ("points",)

    def __init__(self, data: EvalData, protocol: LandmarkProtocol) -> None:
        super().__init__(data, protocol)
        self.points = np.full((len(self.data), self.data.markup.num_points, 3), np.nan)

    def add(self, indices: Sequence[int], predictions: Sequence[Any]) -> None:
        for index, points in zip(indices, predictions, strict=True):
            found = np.asarray(points)
            if found.shape != self.points.shape[1:]:
                raise ValueError(
                    f"Expected predictions of {self.points.shape[1]} points (x, y, score) but got shape {found.shape}; the model "
                    "and the dataset must share one mark-up"
                )
            self.points[index] = found

    def complete(self) -> np.ndarray:
        """The points of all faces; raises ValueError where some were never added or are not finite."""
        lacking = np.flatnonzero(~np.isfinite(self.points).all((1, 2)))
        if len(lacking):
            raise ValueError(
                f"Expected predictions of all {len(self.points)} faces but {len(lacking)} are missing or not finite (first: "
                f"{self.data.faces.where(int(lacking[0]))}); evaluate every face, and look for NaN in the weights"
            )
        return self.points

    def stats(self) -> Stats:
        return landmark_stats(self.data.faces, self.data.markup, self.complete()[..., :2], self.protocol)

    def counts(self) -> dict[str, int]:
        return figure_counts(self.stats(), self.protocol.normaliser)

    def nme(self) -> np.ndarray:
        """(N,) normalised mean errors, fractions, by the protocol's normaliser."""
        stats = self.stats()
        return stats["error_px"].mean(1) / stats[f"length_{self.protocol.normaliser}"]

    def write_predictions(self, path: Path) -> None:
        """A csv: picture, face, then x and y of every point in the annotation's 1-based pixels, in all their digits: what
        `score` reads gives the figures that were stored."""
        path = path if path.suffix else path.with_suffix(".csv")
        count = self.points.shape[1]
        header = ["image_name", "face", *(f"point_{k}_{axis}" for k in range(count) for axis in "xy")]
        with path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(header)
            for index, (name, points) in enumerate(zip(self.data.faces.images, self.complete(), strict=True)):
                writer.writerow([name, index, *points[:, :2].ravel().tolist()])

    def sample_scores(self) -> np.ndarray:
        """Minus the NME of every face, in percent."""
        return -100 * self.nme()

    def picture(self, index: int, what: Literal["truth", "prediction"]) -> np.ndarray:
        faces = self.data.faces
        points = faces.points[index] if what == "truth" else self.points[index, :, :2]
        hidden = faces.occluded[index] if what == "truth" and faces.occluded is not None else None
        side = float(faces.scales[index]) * 200 * self.protocol.padding * 1.1
        picture = self.data.picture(index)
        return draw_in_view(picture, faces.centres[index], side, points, self.data.markup, hidden)

    def curves(self) -> dict[str, list[list[float]]]:
        stats = self.stats()
        nme = self.nme()
        upto = 0.15 if self.protocol.normaliser != "box" else 0.08
        made = {"faces at or below an NME, %": cumulative_errors(nme, upto)}
        for name in sorted(stats):
            if name.startswith("subset_") and stats[name].any():
                made[f"{name.removeprefix('subset_').replace('_', ' ')} faces"] = cumulative_errors(
                    nme[stats[name]], upto
                )
        return made
