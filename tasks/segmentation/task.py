"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import traits_of
from hrnet.variants import VARIANTS
from tasks.base import DatasetInfo, EvalData, Evaluation, MetricInfo, Stats, Task, TrainData
from tasks.declarations.declaration import Declaration
from tasks.direction import Direction
from tasks.options import nearest
from tasks.recipe import Recipe
from tasks.segmentation.datasets import SegmentationEvalData, SegmentationTrainData
from tasks.segmentation.entries import ENTRIES, Entry
from tasks.segmentation.entries.declared import completed, declared_entry
from tasks.segmentation.evaluation import SegmentationEvaluation
from tasks.segmentation.metrics import figures_from_stats
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.recipes import OCR_SUFFIX
from tasks.survey import surveyed, surveyed_training

if TYPE_CHECKING:
    from torch import Tensor, nn

HEADS = ("conv", "ocr")
ALIGN_CORNERS = {
    "segmentation": False,
    "segmentation_master": False,
    "segmentation_ocr": True,
    "mmseg": False,
    "mmseg_ocr": False,
    "mmseg_pspnet": False,
    "mmseg_deeplabv3": False,
    "mmseg_deeplabv3plus": False,
    "torchvision_segmentation": False,
}
"""How the networks of a checkpoint's family enlarge their maps (T2); files of ours and new networks go by their head."""
REPRESENTATIONS = ("V1", "V1h", "V2", "V2cat", "V2p", "V1p", "V1hp")
"""What a dense head can read: one map of high resolution."""


def _percent(name: str, description: str) -> MetricInfo:
    return MetricInfo(name, "%", Direction.HIGHER, 2, (0.0, 100.0), description)


_METRICS = [
    _percent("mIoU", "mean IoU over all classes from pooled pixels; an absent class counts 0, as in the reference"),
    _percent("mIoU/present", "mean IoU over the classes that occur in the truth or the predictions"),
    _percent("pixel_acc", "labelled pixels whose class is right"),
    _percent("avg_acc", "mean over all classes of the share of their pixels that is right"),
    MetricInfo(
        "absent", "classes", Direction.LOWER, 0, None, "classes that occur neither in the truth nor in the predictions"
    ),
]


def _class_metrics(names: Iterable[str]) -> list[MetricInfo]:
    return [_percent(f"IoU/{name}", f"intersection over union of {name}") for name in names]


_CLASS_NAMES = sorted({name for entry in ENTRIES.values() for table in entry.tables for name in table.names})


class SegmentationTask(Task):
    """Every pixel of a picture gets one of the dataset's classes."""

    name = "segmentation"
    version = 1
    input_fields = ("align_corners",)
    reads_submissions = True
    datasets: Mapping[str, DatasetInfo] = {name: entry.info for name, entry in ENTRIES.items()}
    metrics: Mapping[str, MetricInfo] = {metric.name: metric for metric in (*_METRICS, *_class_metrics(_CLASS_NAMES))}
    recipe_variants = {name: made for entry in ENTRIES.values() for name, made in entry.variants.items()}
    recipe_extras = {"aux_weight": float, "ohem_threshold": float, "ohem_kept": int, "label_stride": int}

    def entry(self, dataset: str) -> Entry:
        """What the task knows of a dataset, of its own or declared."""
        declaration = self.dataset(dataset).declaration
        return ENTRIES[dataset] if declaration is None else declared_entry(declaration)

    def complete(self, declaration: Declaration, folder: Path) -> Declaration:
        return completed(declaration, folder)

    def declared_info(self, declaration: Declaration) -> DatasetInfo:
        entry = declared_entry(declaration)
        self.metrics = {**self.metrics, **{m.name: m for m in _class_metrics(entry.table().names)}}
        return entry.info

    # -- networks ------------------------------------------------------------------------------------------------
    def named(self, model: str, options: Mapping[str, Any]) -> str:
        """ "<body>_ocr" where ``head="ocr"`` asks for that head."""
        ocr = options.get("head") == "ocr" and not model.endswith(OCR_SUFFIX)
        return f"{model}{OCR_SUFFIX}" if ocr else model

    def body_name(self, model: str) -> str:
        return model.removesuffix(OCR_SUFFIX)

    def implied_protocol(self, model: str, options: Mapping[str, Any], dataset: str) -> dict[str, Any]:
        """The number of scored classes, and align_corners where an HRNet's is stated."""
        implied = (
            {"align_corners": options["align_corners"]} if model in VARIANTS and "align_corners" in options else {}
        )
        outputs = options.get("num_outputs", options.get("num_classes"))
        return implied if outputs is None else implied | {"num_classes": self.entry(dataset).scored(int(outputs))}

    def check_model(self, model: str) -> None:
        """As for every task, and "<hrnet>_ocr" is an HRNet with the OCR head."""
        if model.endswith(OCR_SUFFIX) and model.removesuffix(OCR_SUFFIX) not in VARIANTS:
            raise ValueError(f"Expected an HRNet before {OCR_SUFFIX!r}, got {model!r}; other bodies take head='ocr'.")
        super().check_model(model)

    def model_names(self, bodies: Sequence[str]) -> list[str]:
        return [*bodies, *(f"{name}{OCR_SUFFIX}" for name in bodies if name in VARIANTS)]

    def default_representation(self, model: str, dataset: str) -> str:
        if model.endswith(OCR_SUFFIX):
            return "V2cat"
        return "V1" if traits_of(model).one_map else "V2"

    def build_model(self, model: str, dataset: str, representation: str | None = None, **changes: Any) -> nn.Module:
        """See :func:`tasks.build_model`; the task's own options: ``num_outputs`` (or ``num_classes``), ``head`` ("conv" or
        "ocr") and ``level``.

        "hrnet_w48_ocr" is short for "hrnet_w48" with head="ocr".
        """
        from tasks.segmentation.heads import build_network

        info = self.dataset(dataset)
        body = self.body_name(model)
        head = changes.pop("head", "ocr" if model.endswith(OCR_SUFFIX) else "conv")
        level = int(changes.pop("level", 0))
        named = changes.pop("num_classes", info.num_outputs)
        num_classes = int(changes.pop("num_outputs", named))
        self.check_model(model)
        self.entry(dataset).scored(num_classes)
        if head not in HEADS:
            raise ValueError(f"Unknown head {head!r} of segmentation. {nearest(str(head), HEADS)}")
        dilated = traits_of(body).structure == "dilated"
        if head == "ocr" and dilated:
            raise ValueError(f"Expected a body without its own head for head='ocr', got {body!r}; use an HRNet.")
        default = "V2cat" if head == "ocr" else self.default_representation(body, dataset)
        chosen = representation or default
        if head == "ocr" and chosen == "V2":
            chosen = "V2cat"
        if chosen not in REPRESENTATIONS:
            raise ValueError(
                f"Expected a representation of one high-resolution map for segmentation, got {chosen!r}. "
                f"{nearest(chosen, REPRESENTATIONS)}"
            )
        if dilated and chosen != "V1":
            raise ValueError(f"Expected representation V1 for {body!r}, which brings its own head, got {chosen!r}.")
        return build_network(body, chosen, num_classes, dataset, head, level, changes)

    # -- protocol and recipe -------------------------------------------------------------------------------------
    def protocol(
        self, dataset: str, *, model: str = "", family: str | None = None, tier: str = "full"
    ) -> SegmentationProtocol:
        self.dataset(dataset)
        ocr = model.endswith(OCR_SUFFIX) or family in ("segmentation_ocr", "mmseg_ocr")
        # Serial bodies have no bilinear exchange whose convention the head's could follow.
        align_corners = ALIGN_CORNERS.get(
            family or "", ocr and (not model or model.removesuffix(OCR_SUFFIX) in VARIANTS)
        )
        made = self.entry(dataset).protocol(ocr=ocr, tier=tier)
        return self.with_own_protocol(dataset, replace(made, align_corners=align_corners))

    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        origin = traits_of(self.body_name(model)).origin
        return self.with_own_recipe(dataset, tier, self.entry(dataset).recipe(model, tier, origin))

    def protocol_header(self, protocol: SegmentationProtocol) -> str:
        return protocol.header

    # -- data ----------------------------------------------------------------------------------------------------
    def eval_data(self, dataset: str, root: Path, split: str, protocol: SegmentationProtocol) -> EvalData:
        self.dataset(dataset).check_split(split)
        return surveyed(SegmentationEvalData(self.entry(dataset), Path(root), split, protocol))

    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: SegmentationProtocol, seed: int
    ) -> TrainData:
        entry = self.entry(dataset)
        entry.info.check_split(split)
        return surveyed_training(SegmentationTrainData(entry, Path(root), split, recipe.augment, protocol, seed))

    def data_files(self, dataset: str, root: Path, split: str, protocol: SegmentationProtocol) -> list[Path]:
        try:
            return self.entry(dataset).open(Path(root), split, protocol, True).files
        except FileNotFoundError as error:
            # The text starts with what is missing; the caller reports it, or trains on another split.
            return [Path(str(error).partition(": ")[0])]

    def meet(self, model: nn.Module, data: EvalData | TrainData) -> None:
        """Says of a network with more outputs than classes how it is scored."""
        outputs = int(getattr(model, "num_outputs", 0))
        if not isinstance(data, SegmentationEvalData) or outputs <= (classes := len(data.table)):
            return
        note = (
            f"the network has {outputs} outputs, {self.dataset(str(model.dataset)).title} {classes} classes: its outputs 0 to "
            f"{classes - 1} are these, and a pixel whose best output is another counts as wrong"
        )
        data.notes = (*(other for other in data.notes if other != note), note)

    # -- computation ---------------------------------------------------------------------------------------------
    def loss(self, model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        from tasks.segmentation.losses import AUX_WEIGHT, OHEM_THRESHOLD, ohem_kept, pixel_accuracy, segmentation_loss

        network: Any = model
        entry = self.entry(str(network.dataset))
        outputs = network.outputs(batch["images"])
        extra = recipe.extra
        losses = segmentation_loss(
            outputs,
            batch["labels"],
            "cross_entropy" if recipe.loss == "default" else recipe.loss,
            align_corners=network.align_corners,
            aux_weight=float(extra.get("aux_weight", AUX_WEIGHT)),
            threshold=float(extra.get("ohem_threshold", OHEM_THRESHOLD)),
            kept=int(extra.get("ohem_kept", ohem_kept(len(batch["labels"]), entry.ohem_crops))),
            label_stride=int(extra.get("label_stride", 1)),
            own_weights=entry.class_weights,
        )
        return {**losses, "accuracy": pixel_accuracy(outputs[-1].detach(), batch["labels"])}

    def predict(self, model: nn.Module, batch: dict[str, Any], protocol: SegmentationProtocol) -> list[Any]:
        """Label maps (H, W) uint8; where the batch brings the true ones (`Samples.far`), `Counted`."""
        import torch

        from tasks.segmentation.inference import best_maps, counted

        network = getattr(model, "align_corners", protocol.align_corners)
        if network != protocol.align_corners:
            raise ValueError(
                f"Expected a protocol with align_corners={network}, as the network enlarges its maps, got "
                f"{protocol.align_corners}; leave it out of --protocol, or build the network with --set "
                f"model.align_corners={str(protocol.align_corners).lower()}."
            )
        mirror = self.entry(str(model.dataset)).table(protocol.num_classes).mirror()
        outputs = int(getattr(model, "num_outputs", protocol.num_classes))
        if self.entry(str(model.dataset)).scored(outputs) != protocol.num_classes:
            raise ValueError(
                f"Expected a network with the protocol's {protocol.num_classes} classes, got {outputs}; build it with "
                f"model.num_outputs={protocol.num_classes}, or set --protocol num_classes={outputs}."
            )
        # Outputs beyond the classes have no mirror pair that we know of.
        mirror = np.concatenate([mirror, np.arange(len(mirror), outputs)])
        images, sizes_hw = batch["images"], batch["size_hw"]
        device = next(model.parameters()).device
        if isinstance(images, torch.Tensor):
            made = best_maps(model, images.to(device), sizes_hw, protocol, mirror)
        else:
            made = []
            for image, size_hw in zip(images, sizes_hw, strict=True):
                made += best_maps(model, image.to(device), [size_hw], protocol, mirror)
        return counted(made, batch.get("label"), bool(batch.get("keep", True)))

    def evaluation(self, data: EvalData, protocol: SegmentationProtocol) -> Evaluation:
        assert isinstance(data, SegmentationEvalData)
        return SegmentationEvaluation(data, protocol)

    def figures(
        self, dataset: str, stats: Stats, protocol: Mapping[str, Any], counts: np.ndarray | None = None
    ) -> dict[str, float]:
        return figures_from_stats(stats, self.entry(dataset).table(int(protocol["num_classes"])).names, counts)

    def submission_stats(
        self, dataset: str, root: Path, split: str, path: Path, protocol: SegmentationProtocol
    ) -> tuple[Stats, tuple[str, ...]]:
        """Of a folder of label pngs that hold the dataset's own ids, as submissions do."""
        from tasks.segmentation.submissions import label_map_stats

        return label_map_stats(self.entry(dataset), Path(root), split, path, protocol)

    # -- pictures ------------------------------------------------------------------------------------------------
    def predict_pictures(
        self,
        model: nn.Module,
        dataset: str,
        pictures: Sequence[NDArray[np.uint8]],
        protocol: SegmentationProtocol,
        boxes: Sequence[NDArray[np.float64]] | None = None,
    ) -> list[Any]:
        """`tasks.segmentation.predict.SegmentationResult` of every picture."""
        from tasks.segmentation.predict import predict_pictures

        return list(predict_pictures(self, model, self.entry(dataset).table(protocol.num_classes), pictures, protocol))


TASK = SegmentationTask()
