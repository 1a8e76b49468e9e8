"""Landmarks in given boxes, of faces above all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import check_body_name, traits_of
from tasks.base import DatasetInfo, EvalData, Evaluation, MetricInfo, Stats, Task, TrainData
from tasks.declarations.declaration import Declaration
from tasks.declarations.sides import check_mirror
from tasks.landmarks.crops.augment import FaceAugment
from tasks.landmarks.datasets import LandmarkEvalData, LandmarkTrainData
from tasks.landmarks.entries import ENTRIES, Entry
from tasks.landmarks.entries.declared import completed, declared_entry
from tasks.landmarks.evaluation import LandmarkEvaluation
from tasks.landmarks.metrics import landmark_figures, metric_infos
from tasks.landmarks.protocol import LandmarkProtocol, header
from tasks.recipe import Recipe
from tasks.survey import surveyed

if TYPE_CHECKING:
    from torch import Tensor, nn


class LandmarkTask(Task):
    """Facial landmark detection in given face boxes."""

    name = "landmarks"
    version = 1
    reads_submissions = True
    figures_by_name = True
    sees_boxes = "whole"
    datasets: Mapping[str, DatasetInfo] = {name: entry.info for name, entry in ENTRIES.items()}
    metrics: Mapping[str, MetricInfo] = metric_infos(subset for entry in ENTRIES.values() for subset in entry.subsets)

    def entry(self, dataset: str) -> Entry:
        """What the task knows of a dataset, of its own or declared."""
        declaration = self.dataset(dataset).declaration
        return ENTRIES[dataset] if declaration is None else declared_entry(declaration)

    def complete(self, declaration: Declaration, folder: Path) -> Declaration:
        return completed(declaration)

    def declared_info(self, declaration: Declaration) -> DatasetInfo:
        return declared_entry(declaration).info

    # -- networks ------------------------------------------------------------------------------------------------
    def default_representation(self, model: str, dataset: str) -> str:
        structure = traits_of(model).structure
        return {"stacked": "stacks", "encoder_decoder": "V1"}.get(structure, "V2")

    def build_model(self, model: str, dataset: str, representation: str | None = None, **changes: Any) -> nn.Module:
        from tasks.landmarks.heads import build

        check_body_name(model)
        outputs = int(changes.pop("num_outputs", self.dataset(dataset).num_outputs))
        chosen = representation or self.default_representation(model, dataset)
        return build(model, dataset, chosen, outputs, **changes)

    # -- protocol and recipe -------------------------------------------------------------------------------------
    def protocol(
        self, dataset: str, *, model: str = "", family: str | None = None, tier: str = "full"
    ) -> LandmarkProtocol:
        return self.with_own_protocol(dataset, self.entry(dataset).protocol(model, family, tier))

    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        return self.with_own_recipe(dataset, tier, self.entry(dataset).recipe(model, tier))

    def protocol_header(self, protocol: LandmarkProtocol) -> str:
        return header(protocol)

    # -- data ----------------------------------------------------------------------------------------------------
    def eval_data(self, dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> EvalData:
        self.dataset(dataset).check_split(split)
        self._check_split(dataset, Path(root), split, protocol)
        return surveyed(LandmarkEvalData(self.entry(dataset), Path(root), split, protocol))

    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: LandmarkProtocol, seed: int
    ) -> TrainData:
        augment, entry = recipe.augment or FaceAugment(), self.entry(dataset)
        entry.info.check_split(split)
        check_mirror(entry.mirrored, "recipe.augment.flip_prob", augment.flip_prob, "points.flip_pairs")
        return LandmarkTrainData(entry, Path(root), split, protocol, augment, seed, recipe.input_wh)

    def data_files(self, dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> list[Path]:
        return self.entry(dataset).files(Path(root), split, protocol.box)

    def _check_split(self, dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> None:
        """Where a split's files are missing but other splits' are there, say which."""
        if all(path.exists() for path in self.data_files(dataset, root, split, protocol)):
            return
        present = [
            other
            for other in self.dataset(dataset).splits
            if all(path.exists() for path in self.data_files(dataset, root, other, protocol))
        ]
        if present:
            missing = next(p for p in self.data_files(dataset, root, split, protocol) if not p.exists())
            raise FileNotFoundError(
                f"Expected the {split} split of {dataset} at {missing} but there is no such file; present: "
                f"{', '.join(present)} (--split {present[-1]})"
            )

    # -- computation ---------------------------------------------------------------------------------------------
    def loss(self, model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        from tasks.heatmaps.losses import heatmap_loss, peak_error_cells

        outputs = model.stacks(batch["images"])  # type: ignore[operator]
        loss = heatmap_loss(outputs, batch["target"], kind=recipe.loss)
        return {"loss": loss, "error_cells": peak_error_cells(outputs[-1].detach(), batch["target"])}

    def predict(self, model: nn.Module, batch: dict[str, Any], protocol: LandmarkProtocol) -> list[np.ndarray]:
        from tasks.landmarks.inference import predict_points

        entry = self.entry(str(model.dataset))
        check_mirror(entry.mirrored, "flip", protocol.flip, "points.flip_pairs")
        return predict_points(model, batch, entry.markup, protocol)

    def evaluation(self, data: EvalData, protocol: LandmarkProtocol) -> Evaluation:
        return LandmarkEvaluation(data, protocol)

    def figures(
        self,
        dataset: str,
        stats: Stats,
        protocol: Mapping[str, Any],
        counts: np.ndarray | None = None,
        wanted: Collection[str] | None = None,
    ) -> dict[str, float]:
        return landmark_figures(stats, str(protocol["normaliser"]), counts, wanted)

    def submission_stats(
        self, dataset: str, root: Path, split: str, path: Path, protocol: LandmarkProtocol
    ) -> tuple[Stats, tuple[str, ...]]:
        """Of a csv of points, one line a face."""
        from tasks.landmarks.submissions import csv_stats

        return csv_stats(self.entry(dataset), Path(root), split, path, protocol)

    # -- pictures ------------------------------------------------------------------------------------------------
    def predict_pictures(
        self,
        model: nn.Module,
        dataset: str,
        pictures: Sequence[NDArray[np.uint8]],
        protocol: LandmarkProtocol,
        boxes: Sequence[NDArray[np.float64]] | None = None,
    ) -> list[Any]:
        """`tasks.landmarks.predict.LandmarkResult` of every picture."""
        from tasks.landmarks.predict import predict_pictures

        assert boxes is not None
        return list(predict_pictures(self, model, self.entry(dataset), pictures, protocol, boxes))

    def follower(self, model: nn.Module, dataset: str, protocol: LandmarkProtocol) -> Any:
        """`tasks.landmarks.predict.FaceTracks`: a video's faces keep their ids from frame to frame."""
        from tasks.landmarks.predict import FaceTracks

        return FaceTracks(self, model, self.entry(dataset), protocol)

    def box_category(self, dataset: str) -> str:
        return "face"

    def box_source(self, dataset: str, images: Sequence[Path], named: Path | None, annotated_only: bool) -> Any:
        """Csv files of faces; see `tasks.landmarks.predict.FaceBoxes`."""
        from tasks.landmarks.predict import FaceBoxes

        return FaceBoxes(named, images)


TASK = LandmarkTask()
