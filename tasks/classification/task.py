"""Classification: one label per picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import traits_of
from tasks.base import DatasetInfo, EvalData, Evaluation, MetricInfo, Stats, Task, TrainData
from tasks.classification.datasets import ClassificationEvalData, ClassificationTrainData
from tasks.classification.entries import ENTRIES, Entry
from tasks.classification.entries.declared import declared_entry
from tasks.classification.folders import ClassFolders, completed, read_folders
from tasks.classification.metrics import ClassificationEvaluation, top_figures
from tasks.classification.protocol import ClassificationProtocol, header
from tasks.classification.recipes import CropAugment
from tasks.declarations.declaration import Declaration
from tasks.direction import Direction
from tasks.recipe import Recipe
from tasks.survey import surveyed

if TYPE_CHECKING:
    from torch import Tensor, nn


def _is_dilated(model: str) -> bool:
    return traits_of(model).structure == "dilated"


class ClassificationTask(Task):
    """One label per picture."""

    name = "classification"
    version = 1
    reads_submissions = True
    datasets: Mapping[str, DatasetInfo] = {name: entry.info for name, entry in ENTRIES.items()}
    metrics: Mapping[str, MetricInfo] = {
        "top1": MetricInfo("top1", "%", Direction.HIGHER, 2, (0.0, 100.0), "pictures whose best class is the true one"),
        "top5": MetricInfo(
            "top5", "%", Direction.HIGHER, 2, (0.0, 100.0), "pictures whose true class is among the best five"
        ),
        "top1_err": MetricInfo("top1_err", "%", Direction.LOWER, 2, (0.0, 100.0), "100 minus top1"),
        "top5_err": MetricInfo("top5_err", "%", Direction.LOWER, 2, (0.0, 100.0), "100 minus top5"),
    }

    # -- networks ------------------------------------------------------------------------------------------------
    def check_model(self, model: str) -> None:
        """As for every task; representation C halves the resolution from map to map, which dilated bodies do not."""
        super().check_model(model)
        if _is_dilated(model):
            raise ValueError(
                f"Expected a body whose maps halve from one to the next for classification, got {model!r}, which is dilated; "
                f"use resnet{model.rpartition('_r')[2]}."
            )

    def model_names(self, bodies: Sequence[str]) -> list[str]:
        return [name for name in bodies if not _is_dilated(name)]

    def default_representation(self, model: str, dataset: str) -> str:
        return "C"

    def build_model(self, model: str, dataset: str, representation: str | None = None, **changes: Any) -> nn.Module:
        from tasks.classification.heads import build

        self.check_model(model)
        outputs = int(changes.pop("num_outputs", self.dataset(dataset).num_outputs))
        return build(model, dataset, representation or "C", outputs, **changes)

    # -- protocol and recipe -------------------------------------------------------------------------------------
    def protocol(
        self, dataset: str, *, model: str = "", family: str | None = None, tier: str = "full"
    ) -> ClassificationProtocol:
        return self.with_own_protocol(dataset, ClassificationProtocol())

    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        return self.with_own_recipe(dataset, tier, self.entry(dataset).recipe(tier))

    def protocol_header(self, protocol: ClassificationProtocol) -> str:
        return header(protocol)

    # -- data ----------------------------------------------------------------------------------------------------
    def eval_data(self, dataset: str, root: Path, split: str, protocol: ClassificationProtocol) -> EvalData:
        return surveyed(ClassificationEvalData(root, split, protocol, self._source(dataset)))

    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: ClassificationProtocol, seed: int
    ) -> TrainData:
        augment = recipe.augment or CropAugment()
        return ClassificationTrainData(root, split, protocol, augment, seed, self._source(dataset))

    def data_files(self, dataset: str, root: Path, split: str, protocol: ClassificationProtocol) -> list[Path]:
        """The split's pictures: the folders are the annotation."""
        declared, source = self.declaration_files(dataset, root), self._source(dataset)
        folder = Path(root) / source.folders[split]
        if not folder.is_dir():
            return [folder]
        folders = read_folders(Path(root), split, source)
        return [*declared, *(folders.root / file for file in folders.files)]

    def entry(self, dataset: str) -> Entry:
        """What the task knows of a dataset, of its own or declared."""
        declaration = self.dataset(dataset).declaration
        return ENTRIES[dataset] if declaration is None else declared_entry(declaration)

    def _source(self, dataset: str) -> ClassFolders:
        return self.entry(dataset).source

    def complete(self, declaration: Declaration, folder: Path) -> Declaration:
        return completed(declaration, folder)

    def declared_info(self, declaration: Declaration) -> DatasetInfo:
        return declared_entry(declaration).info

    def meet(self, model: nn.Module, data: EvalData | TrainData) -> None:
        """Says of a network with more outputs than classes how it is scored.

        Raises:
            ValueError: the network has fewer outputs than classes.
        """
        assert isinstance(data, ClassificationEvalData | ClassificationTrainData)
        classes = len(data.folders.classes)
        outputs = int(getattr(model, "num_outputs", classes))
        if outputs < classes:
            raise ValueError(
                f"Expected a network of at least {classes} outputs, the classes of {model.dataset}, got {outputs}; correct "
                "model.num_outputs"
            )
        if outputs == classes:
            return
        note = (
            f"the network has {outputs} outputs, the dataset {classes} classes: its outputs 0 to {classes - 1} are these, and a "
            "picture whose best output is another counts as wrong"
        )
        data.notes = (*(other for other in data.notes if other != note), note)

    # -- computation ---------------------------------------------------------------------------------------------
    def loss(self, model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        from torch.nn import functional

        if recipe.loss not in ("default", "cross_entropy"):
            raise ValueError(f"Expected recipe.loss to be default or cross_entropy, got {recipe.loss!r}.")
        logits = model(batch["images"])
        accuracy = (logits.detach().argmax(1) == batch["label"]).float().mean()
        return {"loss": functional.cross_entropy(logits, batch["label"]), "accuracy": accuracy}

    def predict(self, model: nn.Module, batch: dict[str, Any], protocol: ClassificationProtocol) -> list[np.ndarray]:
        return list(model(batch["images"]).float().cpu().numpy())

    def evaluation(self, data: EvalData, protocol: ClassificationProtocol) -> Evaluation:
        return ClassificationEvaluation(data, protocol)

    def figures(
        self, dataset: str, stats: Stats, protocol: Mapping[str, Any], counts: np.ndarray | None = None
    ) -> dict[str, float]:
        return top_figures(stats["rank"], counts)

    def submission_stats(
        self, dataset: str, root: Path, split: str, path: Path, protocol: ClassificationProtocol
    ) -> tuple[Stats, tuple[str, ...]]:
        """Of a csv (image, classes) with the five best classes of every picture."""
        from tasks.classification.submissions import csv_stats

        return csv_stats(Path(root), split, path, self._source(dataset))

    # -- pictures ------------------------------------------------------------------------------------------------
    def predict_pictures(
        self,
        model: nn.Module,
        dataset: str,
        pictures: Sequence[NDArray[np.uint8]],
        protocol: ClassificationProtocol,
        boxes: Sequence[NDArray[np.float64]] | None = None,
    ) -> list[Any]:
        """`tasks.classification.predict.ClassificationResult` of every picture."""
        from tasks.classification.predict import predict_pictures

        return list(predict_pictures(self, model, self._names(dataset), pictures, protocol))

    def _names(self, dataset: str) -> tuple[str, ...]:
        """Of the classes: the declared ones; ImageNet's as torchvision's weights list them."""
        from torchvision.models import ResNet50_Weights

        declared = self._source(dataset).names
        return declared or tuple(ResNet50_Weights.IMAGENET1K_V1.meta["categories"])


TASK = ClassificationTask()
