"""Object detection and instance segmentation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import traits_of
from tasks.base import DatasetInfo, EvalData, Evaluation, Stats, Task, TrainData
from tasks.declarations.declaration import Declaration
from tasks.detection import recipes
from tasks.detection.datasets import DetectionAugment, DetectionEvalData, DetectionTrainData
from tasks.detection.entries import ENTRIES, Entry
from tasks.detection.entries.declared import completed, declared_entry
from tasks.detection.evaluation import DetectionEvaluation
from tasks.detection.files.categories import classes_of_model
from tasks.detection.geometry import CAFFE_MEAN_BGR
from tasks.detection.metrics import METRICS, class_figures, figures
from tasks.detection.network.names import detector_of, named, split_name
from tasks.detection.protocol import DetectionProtocol, detection_protocol, header
from tasks.recipe import Recipe
from tasks.survey import surveyed, surveyed_training

if TYPE_CHECKING:
    from torch import Tensor, nn


class DetectionTask(Task):
    """Faster, Mask and Cascade R-CNN, hybrid task cascade and FCOS over any body."""

    name = "detection"
    version = 1
    reads_submissions = True
    figures_by_name = True
    graph_varies = True  # heads that see no object in a batch
    datasets: Mapping[str, DatasetInfo] = {name: entry.info for name, entry in ENTRIES.items()}
    metrics = METRICS
    recipe_variants = recipes.RECIPE_VARIANTS
    recipe_extras = {"semantic": str | None, "frozen_stages": int}
    input_fields = ("colour", "resize", "rescale")
    """Protocol fields that are the network's own input conventions, not a way to score."""

    def entry(self, dataset: str) -> Entry:
        """What the task knows of a dataset, of its own or declared."""
        declaration = self.dataset(dataset).declaration
        return ENTRIES[dataset] if declaration is None else declared_entry(declaration)

    def complete(self, declaration: Declaration, folder: Path) -> Declaration:
        return completed(declaration, folder)

    def declared_info(self, declaration: Declaration) -> DatasetInfo:
        return declared_entry(declaration).info

    def named(self, model: str, options: Mapping[str, Any]) -> str:
        """ "<body>+<detector>" for cascades and FCOS, whose recipes and protocols are others."""
        return named(model, options)

    def implied_protocol(self, model: str, options: Mapping[str, Any], dataset: str) -> dict[str, Any]:
        """An FCOS with mmdet's conventions reads its colours and suppresses as mmdet's."""
        if detector_of(options) == "fcos" and options.get("conventions") == "mmdet" and not traits_of(model).micro:
            return {"colour": "bgr", "resize": "opencv", "nms_iou": 0.5}
        return {}

    def body_name(self, model: str) -> str:
        return split_name(model)[0]

    # -- networks ------------------------------------------------------------------------------------------------
    def default_representation(self, model: str, dataset: str) -> str:
        return "FPN" if traits_of(self.body_name(model)).structure == "encoder" else "V2p"

    def build_model(self, model: str, dataset: str, representation: str | None = None, **changes: Any) -> nn.Module:
        from tasks.detection.network.build import build_detector

        chosen = representation or self.default_representation(model, dataset)
        outputs = int(changes.pop("num_outputs", self.dataset(dataset).num_outputs))
        return build_detector(model, dataset, chosen, outputs, **changes)

    # -- protocol and recipe -------------------------------------------------------------------------------------
    def protocol(
        self, dataset: str, *, model: str = "", family: str | None = None, tier: str = "full"
    ) -> DetectionProtocol:
        return self.with_own_protocol(dataset, detection_protocol(family, tier, model))

    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        made = {"full": recipes.published, "embedded": recipes.embedded, "smoke": recipes.smoke}[tier](model)
        return self.with_own_recipe(dataset, tier, made)

    def protocol_header(self, protocol: DetectionProtocol) -> str:
        return header(protocol)

    def input_facts(self, protocol: DetectionProtocol) -> dict[str, Any]:
        if protocol.colour == "bgr_caffe":
            return {"channels": "bgr", "range": "0 to 255", "mean": list(CAFFE_MEAN_BGR), "std": [1.0, 1.0, 1.0]}
        facts = super().input_facts(protocol)
        if protocol.colour == "rgb":
            return facts
        return facts | {"channels": "bgr", "mean": facts["mean"][::-1], "std": facts["std"][::-1]}

    # -- data ----------------------------------------------------------------------------------------------------
    def eval_data(self, dataset: str, root: Path, split: str, protocol: DetectionProtocol) -> EvalData:
        entry = self.entry(dataset)
        data = DetectionEvalData(root, split, protocol, entry.places)
        data.notes = (*entry.notes, *data.notes)
        return surveyed(data)

    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: DetectionProtocol, seed: int
    ) -> TrainData:
        augment = recipe.augment if recipe.augment is not None else DetectionAugment()
        places, semantic = self.entry(dataset).places, recipe.extra.get("semantic")
        return surveyed_training(DetectionTrainData(root, split, augment, seed, protocol, semantic, places))

    def data_files(self, dataset: str, root: Path, split: str, protocol: DetectionProtocol) -> list[Path]:
        return self.entry(dataset).files(Path(root), split)

    def options_of_data(self, dataset: str, root: Path, split: str) -> dict[str, Any]:
        outputs = self.entry(dataset).outputs(Path(root), split)
        return {} if outputs is None else {"num_outputs": outputs}

    def meet(self, model: nn.Module, data: EvalData | TrainData) -> None:
        """The network's classes meet the categories of an annotation file; see :func:`tasks.detection.files.categories.match`."""
        assert isinstance(data, DetectionEvalData | DetectionTrainData)
        if isinstance(data, DetectionTrainData) and getattr(model, "classes", None) is None:
            if model.num_outputs != len(data.classes):
                raise ValueError(
                    f"{data.instances.path}: expected a network of {len(data.classes)} outputs for the categories "
                    f"{data.classes.shown()}, got one of {model.num_outputs}; leave num_outputs to the file, or set "
                    f"model.num_outputs={len(data.classes)}"
                )
            model.classes = data.classes.plain()  # type: ignore[assignment]
        data.meet(classes_of_model(model))

    def prepare(self, model: nn.Module, recipe: Recipe) -> None:
        """Freezes the body's first stages (``frozen_stages``)."""
        from tasks.detection.network.base import DetectionModel

        assert isinstance(model, DetectionModel)
        model.freeze(int(recipe.extra.get("frozen_stages", 0)))

    # -- computation ---------------------------------------------------------------------------------------------
    def loss(self, model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        from tasks.detection.inference import training_losses

        if recipe.loss != "default":
            raise ValueError(f"Expected recipe.loss to be default, as each detector has its own, got {recipe.loss!r}.")
        return training_losses(model, batch, recipe)

    def predict(self, model: nn.Module, batch: dict[str, Any], protocol: DetectionProtocol) -> list[Any]:
        from tasks.detection.inference import predict

        return predict(model, batch, protocol)

    def evaluation(self, data: EvalData, protocol: DetectionProtocol) -> Evaluation:
        assert isinstance(data, DetectionEvalData)
        return DetectionEvaluation(data, protocol)

    def figures(
        self,
        dataset: str,
        stats: Stats,
        protocol: Mapping[str, Any],
        counts: np.ndarray | None = None,
        wanted: Collection[str] | None = None,
    ) -> dict[str, float]:
        return figures(stats, counts, wanted)

    def submission_stats(
        self, dataset: str, root: Path, split: str, path: Path, protocol: DetectionProtocol
    ) -> tuple[Stats, tuple[str, ...]]:
        """Of a results file (boxes, masks, or both), or a folder with bbox.json and segm.json."""
        from tasks.detection.files.annotations import read_instances
        from tasks.detection.files.results import read_submission
        from tasks.detection.metrics import submission_stats

        entry = self.entry(dataset)
        instances = read_instances(Path(root), split, protocol.degenerate_boxes, False, entry.places)
        submission = read_submission(path, instances)
        return submission_stats(instances, submission), (*entry.notes, *instances.notes, *submission.notes)

    def class_figures(self, dataset: str, stats: Stats) -> dict[str, dict[str, Any]]:
        """For the report's bars: see :func:`tasks.detection.metrics.class_figures`; empty without match lists."""
        return class_figures(stats) if "all_truths" in stats else {}

    # -- pictures ------------------------------------------------------------------------------------------------
    def predict_pictures(
        self,
        model: nn.Module,
        dataset: str,
        pictures: Sequence[NDArray[np.uint8]],
        protocol: DetectionProtocol,
        boxes: Sequence[NDArray[np.float64]] | None = None,
    ) -> list[Any]:
        """`tasks.detection.predict.DetectionResult` of every picture."""
        from tasks.detection.predict import predict_pictures

        return list(predict_pictures(self, model, pictures, protocol))

    def categories(self, model: nn.Module) -> list[tuple[int, str]]:
        classes = classes_of_model(model)
        return list(zip(classes.ids, classes.names, strict=True))


TASK = DetectionTask()
