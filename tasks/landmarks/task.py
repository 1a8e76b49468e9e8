"""Facial landmarks: 300W, AFLW, COFW and WFLW. Torch-free at import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.baselines import check_body_name, traits_of
from tasks.base import DatasetInfo, EvalData, Evaluation, MetricInfo, Stats, Task, TrainData
from tasks.landmarks.datasets import FaceAugment, LandmarkEvalData, LandmarkTrainData, annotation_files
from tasks.landmarks.evaluation import LandmarkEvaluation
from tasks.landmarks.files.markup import MARKUPS
from tasks.landmarks.metrics import landmark_figures, metric_infos
from tasks.landmarks.protocol import LandmarkProtocol, header, landmark_protocol
from tasks.landmarks.recipes import landmark_recipe
from tasks.options import refuse_unknown
from tasks.recipe import Recipe
from tasks.survey import surveyed

if TYPE_CHECKING:
    from torch import Tensor, nn

_WFLW_TESTS = ("largepose", "expression", "illumination", "makeup", "occlusion", "blur")
SPLITS: dict[str, tuple[str, ...]] = {
    "300w": ("train", "valid", "valid_common", "valid_challenge", "test"),
    "aflw": ("train", "test", "test_frontal"),
    "cofw": ("train", "test"),
    "wflw": ("train", "test", *(f"test_{subset}" for subset in _WFLW_TESTS)),
}
_TITLES = {"300w": "300W", "aflw": "AFLW", "cofw": "COFW", "wflw": "WFLW"}


def _info(name: str) -> DatasetInfo:
    evaluated = "valid" if name == "300w" else "test"
    headline = "NME[box]" if name == "aflw" else "NME[inter_ocular]"
    points = MARKUPS[name].num_points
    return DatasetInfo(name, _TITLES[name], name, points, "train", evaluated, SPLITS[name], headline, (256, 256), name)


class LandmarkTask(Task):
    """Facial landmark detection in given face boxes."""

    name = "landmarks"
    version = 1
    datasets: Mapping[str, DatasetInfo] = {name: _info(name) for name in MARKUPS}
    metrics: Mapping[str, MetricInfo] = metric_infos()

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
        self.dataset(dataset)
        return landmark_protocol(dataset, model, family, tier)

    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        self.dataset(dataset)
        return landmark_recipe(dataset, model, tier)

    def protocol_header(self, protocol: LandmarkProtocol) -> str:
        return header(protocol)

    # -- data ----------------------------------------------------------------------------------------------------
    def eval_data(self, dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> EvalData:
        self._check_split(dataset, Path(root), split, protocol)
        return surveyed(LandmarkEvalData(dataset, Path(root), split, protocol))

    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: LandmarkProtocol, seed: int
    ) -> TrainData:
        augment = recipe.augment or FaceAugment()
        return LandmarkTrainData(dataset, Path(root), split, protocol, augment, seed, recipe.input_wh)

    def data_files(self, dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> list[Path]:
        return annotation_files(dataset, Path(root), split, protocol.box)

    def _check_split(self, dataset: str, root: Path, split: str, protocol: LandmarkProtocol) -> None:
        """Where a split's files are missing but other splits' are there, say which."""
        if all(path.exists() for path in self.data_files(dataset, root, split, protocol)):
            return
        present = [
            other
            for other in SPLITS[dataset]
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

        return predict_points(model, batch, MARKUPS[str(model.dataset)], protocol)

    def evaluation(self, data: EvalData, protocol: LandmarkProtocol) -> Evaluation:
        return LandmarkEvaluation(data, protocol)

    def figures(
        self, dataset: str, stats: Stats, protocol: Mapping[str, Any], counts: np.ndarray | None = None
    ) -> dict[str, float]:
        return landmark_figures(stats, str(protocol["normaliser"]), counts)

    # -- pictures ------------------------------------------------------------------------------------------------
    def predict_images(
        self, model: nn.Module, dataset: str, images: Sequence[Path], protocol: LandmarkProtocol, **options: Any
    ) -> list[tuple[np.ndarray, Any]]:
        """Points on pictures.

        Args:
            options: ``boxes``: a csv of face boxes; see `tasks.landmarks.predict.predict_pictures`.
        """
        from tasks.landmarks.predict import predict_pictures

        refuse_unknown(options, ("boxes",), "predict for landmarks")
        return predict_pictures(self, model, dataset, images, protocol, **options)


TASK = LandmarkTask()
