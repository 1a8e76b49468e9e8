"""Pose: joints of persons, or of whatever a dataset has joints of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import traits_of
from tasks.accelerator import on_host
from tasks.base import DatasetInfo, EvalData, Evaluation, MetricInfo, Stats, Task, TrainData
from tasks.declarations.declaration import Declaration
from tasks.declarations.sides import check_mirror
from tasks.direction import Direction
from tasks.pose.crops.augment import PoseAugment
from tasks.pose.datasets import PoseEvalData, PoseTrainData
from tasks.pose.entries import ENTRIES, Entry
from tasks.pose.entries.declared import completed, declared_entry
from tasks.pose.metrics import GROUPS
from tasks.pose.posetrack.datasets import PoseTrackEvalData
from tasks.pose.posetrack.metrics import metric_infos
from tasks.pose.posetrack.protocol import PoseTrackProtocol
from tasks.pose.posetrack.protocol import header as posetrack_header
from tasks.pose.protocol import NORMALISERS, PoseProtocol, body_of, coding_of, header
from tasks.pose.skeletons.joints import check_joints
from tasks.recipe import Recipe
from tasks.results.box_source import GivenBoxes
from tasks.survey import surveyed, surveyed_training

if TYPE_CHECKING:
    from torch import Tensor, nn

_AREAS = {"": "", "50": " at OKS 0.50", "75": " at OKS 0.75", "M": ", medium persons", "L": ", large persons"}


def _percent(name: str, description: str) -> MetricInfo:
    return MetricInfo(name, "%", Direction.HIGHER, 1, (0.0, 100.0), description)


_METRICS = [
    *(_percent(f"AP{key}", f"average precision over OKS thresholds{text}") for key, text in _AREAS.items()),
    *(_percent(f"AR{key}", f"average recall over OKS thresholds{text}") for key, text in _AREAS.items()),
    _percent("PCKh@0.5", "HRNet's Mean: joints within half a head size, weighted by how often a joint occurs"),
    *(_percent(f"PCKh@0.5/{group}", f"PCKh of {group.lower()}") for group in GROUPS),
    _percent("PCKh@0.11", "what HRNet's code prints as Mean@0.1: its threshold is 0.11"),
    _percent("PCKh@0.5 unweighted", "pytorch-pose's: strictly within half a head size, plain mean of 14 joints"),
    *metric_infos(),
]


class PoseTask(Task):
    """Top-down human pose estimation."""

    name = "pose"
    version = 1
    reads_submissions = True
    figures_by_name = True
    input_fields = ("colour", "normaliser")
    datasets: Mapping[str, DatasetInfo] = {name: entry.info for name, entry in ENTRIES.items()}
    sees_boxes = "needed"
    metrics: Mapping[str, MetricInfo] = {metric.name: metric for metric in _METRICS}
    recipe_variants = {name: made for entry in ENTRIES.values() for name, made in entry.variants.items()}

    def entry(self, dataset: str) -> Entry:
        """What the task knows of a dataset, of its own or declared."""
        declaration = self.dataset(dataset).declaration
        return ENTRIES[dataset] if declaration is None else declared_entry(declaration)

    def complete(self, declaration: Declaration, folder: Path) -> Declaration:
        return completed(declaration, folder)

    def declared_info(self, declaration: Declaration) -> DatasetInfo:
        return declared_entry(declaration).info

    # -- networks ------------------------------------------------------------------------------------------------
    def body_name(self, model: str) -> str:
        return body_of(model)

    def model_names(self, bodies: Sequence[str]) -> list[str]:
        """All bodies, and HRNet with UDP's crop, target, decoding and flip, or with SimCC's head."""
        simcc = [f"hrnet_w{width}_simcc{kind}" for width in (32, 48) for kind in ("", "_gaussian")]
        return [*bodies, "hrnet_w32_udp", "hrnet_w48_udp", "hrnet_w32_udp_regress", *simcc]

    def implied_protocol(self, model: str, options: Mapping[str, Any], dataset: str) -> dict[str, Any]:
        """Target and decoding where offsets are stated otherwise than the model's name has them; SimCC's size and classes."""
        implied = {
            ours: options[name]
            for name, ours in (("input_wh", "input_wh"), ("split", "simcc_split"))
            if name in options
        }
        if "offsets" not in options:
            return implied
        return implied | dict.fromkeys(("target", "decoder"), "udp_combined" if options["offsets"] else "udp")

    def default_representation(self, model: str, dataset: str) -> str:
        structure = traits_of(body_of(model)).structure
        if structure == "stacked":
            return "stacks"
        # An encoder's map of highest resolution is its shallowest: it needs the others.
        return "V1" if structure in ("parallel", "encoder_decoder") else "V2"

    def build_model(self, model: str, dataset: str, representation: str | None = None, **changes: Any) -> nn.Module:
        from tasks.pose.heads import build

        self.check_model(model)
        outputs = int(changes.pop("num_outputs", self.dataset(dataset).num_outputs))
        chosen = representation or self.default_representation(model, dataset)
        outputs = self.entry(dataset).outputs(changes, outputs)
        if coding_of(model).startswith("simcc"):
            changes.setdefault("input_wh", self.protocol(dataset, model=model).input_wh)
        return build(model, dataset, chosen, outputs, **changes)

    # -- protocol and recipe -------------------------------------------------------------------------------------
    def protocol(self, dataset: str, *, model: str = "", family: str | None = None, tier: str = "full") -> PoseProtocol:
        return self.with_own_protocol(dataset, self.entry(dataset).protocol(model, family, tier))

    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        return self.with_own_recipe(dataset, tier, self.entry(dataset).recipe(model, tier))

    def protocol_header(self, protocol: PoseProtocol) -> str:
        text = header(protocol)
        return f"{text}, {posetrack_header(protocol)}" if isinstance(protocol, PoseTrackProtocol) else text

    def input_facts(self, protocol: PoseProtocol) -> dict[str, Any]:
        mean, std = NORMALISERS[protocol.normaliser]
        return {"channels": protocol.colour, "range": "0 to 1", "mean": list(mean), "std": list(std)}

    # -- data ----------------------------------------------------------------------------------------------------
    def eval_data(self, dataset: str, root: Path, split: str, protocol: PoseProtocol) -> EvalData:
        entry = self.entry(dataset)
        if entry.open is not None:
            return surveyed(entry.open(Path(root), split, protocol))
        return surveyed(PoseEvalData(entry, Path(root), split, protocol))

    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: PoseProtocol, seed: int
    ) -> TrainData:
        augment, entry = recipe.augment or PoseAugment(), self.entry(dataset)
        check_mirror(entry.mirrored, "recipe.augment.flip_prob", augment.flip_prob, "keypoints.names and flip_pairs")
        return surveyed_training(PoseTrainData(entry, root, split, protocol, augment, seed, recipe.input_wh))

    def data_files(self, dataset: str, root: Path, split: str, protocol: PoseProtocol) -> list[Path]:
        return self.entry(dataset).files(Path(root), split, protocol)

    def meet(self, model: nn.Module, data: EvalData | TrainData) -> None:
        """Refuses a network of another skeleton than the data's. PoseTrack's own reading maps the joints of several."""
        if isinstance(data, PoseEvalData | PoseTrainData) and not self.entry(str(model.dataset)).maps_joints:
            check_joints(model, data.skeleton)

    # -- computation ---------------------------------------------------------------------------------------------
    def loss(self, model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        from tasks.heatmaps.losses import heatmap_loss, peak_accuracy
        from tasks.heatmaps.simcc_network import SimccModel, simcc_accuracy, simcc_loss

        outputs = model.stacks(batch["images"])  # type: ignore[operator]
        target, weight, found = batch["target"], batch["weight"], outputs[-1].detach()
        if isinstance(model, SimccModel):
            loss = simcc_loss(outputs[-1], target, weight, model.columns, model.gaussian)
            return {"loss": loss, "accuracy": simcc_accuracy(found, target, model.columns)}
        if target.shape[1] != weight.shape[1]:  # UDP's combined coding: three maps a joint
            loss = heatmap_loss(outputs, target, weight, "udp_combined")
            return {"loss": loss, "accuracy": peak_accuracy(found[:, ::3], target[:, ::3])}
        # Half the squared error, as HRNet's pose code (protocols, section 3).
        loss = heatmap_loss(outputs, target, weight, recipe.loss, factor=0.5, softmax_share=1e-2)
        return {"loss": loss, "accuracy": peak_accuracy(found, target)}

    def predict(self, model: nn.Module, batch: dict[str, Any], protocol: PoseProtocol) -> list[Any]:
        """Keypoints (J, 3) of every person's crop; of videos ("sequences" in the batch) `TrackedVideo`s."""
        from tasks.pose.inference import keypoints, merged_heatmaps
        from tasks.pose.posetrack.inference import channel_pairs, dataset_joints, track_sequence

        if isinstance(protocol, PoseTrackProtocol) and "sequences" in batch:
            return [track_sequence(self, model, sequence, protocol) for sequence in batch["sequences"]]
        entry = self.entry(str(model.dataset))
        check_mirror(entry.mirrored, "flip", protocol.flip, "keypoints.names and flip_pairs")
        pairs = channel_pairs(model, protocol, entry.skeleton)
        heatmaps = merged_heatmaps(model, batch["images"], pairs, protocol)
        found = keypoints(heatmaps, on_host(batch["centre"]), on_host(batch["scale"]), protocol)
        return list(dataset_joints(found, protocol))

    def evaluation(self, data: EvalData, protocol: PoseProtocol) -> Evaluation:
        name = data.dataset if isinstance(data, PoseEvalData | PoseTrackEvalData) else ""
        return self.entry(name).evaluation(data, protocol)

    def figures(
        self,
        dataset: str,
        stats: Stats,
        protocol: Mapping[str, Any],
        counts: np.ndarray | None = None,
        wanted: Collection[str] | None = None,
    ) -> dict[str, float]:
        return dict(self.entry(dataset).figures(stats, counts, wanted))

    def submission_stats(
        self, dataset: str, root: Path, split: str, path: Path, protocol: PoseProtocol
    ) -> tuple[Stats, tuple[str, ...]]:
        """Of COCO keypoint results (json), of MPII's pred.mat, or of a folder of PoseTrack's files."""
        entry = self.entry(dataset)
        stats, notes = entry.submission(Path(root), split, path, protocol)
        return stats, (*entry.notes, *notes)

    # -- pictures ------------------------------------------------------------------------------------------------
    def predict_pictures(
        self,
        model: nn.Module,
        dataset: str,
        pictures: Sequence[NDArray[np.uint8]],
        protocol: PoseProtocol,
        boxes: Sequence[NDArray[np.float64]] | None = None,
    ) -> list[Any]:
        """`tasks.pose.predict.PoseResult` of every picture."""
        from tasks.pose.predict import predict_pictures

        assert boxes is not None
        skeleton, category = self.entry(dataset).skeleton, self._category(dataset)
        return list(predict_pictures(self, model, skeleton, pictures, protocol, boxes, category))

    def as_evaluated(self, given: GivenBoxes, size_wh: tuple[int, int], protocol: PoseProtocol) -> GivenBoxes:
        from tasks.pose.predict import annotated_boxes

        return annotated_boxes(given, size_wh, protocol) if given.annotated else given

    def follower(self, model: nn.Module, dataset: str, protocol: PoseProtocol) -> Any:
        """`tasks.pose.predict.PoseTracks`: a video's persons keep their ids from frame to frame."""
        from tasks.pose.predict import PoseTracks

        return PoseTracks(self, model, self.entry(dataset).skeleton, protocol, self._category(dataset))

    def _category(self, dataset: str) -> tuple[int, str]:
        """Number and name of what a dataset's keypoints belong to: a person, or what a declared dataset's file says."""
        declaration = self.dataset(dataset).declaration
        stated = None if declaration is None or declaration.keypoints is None else declaration.keypoints.category
        return stated or (1, "person")

    def box_category(self, dataset: str) -> str:
        return self._category(dataset)[1]

    def box_source(self, dataset: str, images: Sequence[Path], named: Path | None, annotated_only: bool) -> Any:
        """COCO annotations, or a list of detections; see `tasks.pose.predict.PersonBoxes`."""
        from tasks.pose.predict import PersonBoxes

        return PersonBoxes(named, images, annotated_only, self._category(dataset))


TASK = PoseTask()
