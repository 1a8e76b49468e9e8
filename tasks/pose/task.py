"""Human pose: COCO keypoints, MPII, and PoseTrack's videos. Torch-free at import."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.baselines import traits_of
from tasks.base import DatasetInfo, EvalData, Evaluation, MetricInfo, Stats, Task, TrainData
from tasks.direction import Direction
from tasks.options import refuse_unknown
from tasks.pose.crops.augment import PoseAugment
from tasks.pose.datasets import PoseEvalData, PoseTrainData
from tasks.pose.evaluation import CocoEvaluation, MpiiEvaluation, figures
from tasks.pose.files import coco, mpii
from tasks.pose.metrics import GROUPS
from tasks.pose.posetrack import metrics as posetrack_metrics
from tasks.pose.posetrack.datasets import PoseTrackEvalData
from tasks.pose.posetrack.evaluation import PoseTrackEvaluation, submission_stats
from tasks.pose.posetrack.files import splits as posetrack
from tasks.pose.posetrack.metrics import metric_infos
from tasks.pose.posetrack.protocol import PoseTrackProtocol, posetrack_protocol
from tasks.pose.posetrack.protocol import header as posetrack_header
from tasks.pose.posetrack.recipes import posetrack_recipe
from tasks.pose.protocol import NORMALISERS, CocoProtocol, PoseProtocol, body_of, header, pose_protocol
from tasks.pose.recipes import RECIPE_VARIANTS, pose_recipe
from tasks.pose.skeletons.joints import check_joints
from tasks.recipe import Recipe
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
    datasets: Mapping[str, DatasetInfo] = {
        "coco": DatasetInfo(
            "coco", "COCO keypoints", "coco", 17, "train2017", "val2017", coco.SPLITS, "AP", (256, 192), "coco"
        ),
        "mpii": DatasetInfo("mpii", "MPII", "mpii", 16, "train", "valid", mpii.SPLITS, "PCKh@0.5", (256, 256), "mpii"),
        **{
            f"posetrack{year}": DatasetInfo(
                f"posetrack{year}",
                f"PoseTrack20{year}",
                f"posetrack{year}",
                15,
                "train",
                "val",
                posetrack.SPLITS,
                "MOTA",
                (256, 192),
                "posetrack18" if year == 18 else None,
            )
            for year in (17, 18)
        },
    }
    metrics: Mapping[str, MetricInfo] = {metric.name: metric for metric in _METRICS}
    recipe_variants = RECIPE_VARIANTS

    # -- networks ------------------------------------------------------------------------------------------------
    def body_name(self, model: str) -> str:
        return body_of(model)

    def model_names(self, bodies: Sequence[str]) -> list[str]:
        """All bodies, and mmpose's UDP networks: HRNet with its crop, target, decoding and flip."""
        return [*bodies, "hrnet_w32_udp", "hrnet_w48_udp", "hrnet_w32_udp_regress"]

    def implied_protocol(self, model: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Target and decoding where offsets are stated otherwise than the model's name has them."""
        if "offsets" not in options:
            return {}
        return dict.fromkeys(("target", "decoder"), "udp_combined" if options["offsets"] else "udp")

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
        if _is_posetrack(dataset):
            outputs = posetrack.network_outputs(changes.pop("num_joints", outputs))
        return build(model, dataset, chosen, outputs, **changes)

    # -- protocol and recipe -------------------------------------------------------------------------------------
    def protocol(self, dataset: str, *, model: str = "", family: str | None = None, tier: str = "full") -> PoseProtocol:
        self.dataset(dataset)
        if _is_posetrack(dataset):
            return posetrack_protocol(model, family, tier)
        return pose_protocol(dataset, model, family, tier)

    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        self.dataset(dataset)
        if _is_posetrack(dataset):
            return posetrack_recipe(dataset, model, tier)
        return pose_recipe(dataset, model, tier)

    def protocol_header(self, protocol: PoseProtocol) -> str:
        text = header(protocol)
        return f"{text}, {posetrack_header(protocol)}" if isinstance(protocol, PoseTrackProtocol) else text

    def input_facts(self, protocol: PoseProtocol) -> dict[str, Any]:
        mean, std = NORMALISERS[protocol.normaliser]
        return {"channels": protocol.colour, "range": "0 to 1", "mean": list(mean), "std": list(std)}

    # -- data ----------------------------------------------------------------------------------------------------
    def eval_data(self, dataset: str, root: Path, split: str, protocol: PoseProtocol) -> EvalData:
        if isinstance(protocol, PoseTrackProtocol):
            return surveyed(PoseTrackEvalData(dataset, root, split, protocol))
        data = PoseEvalData(dataset, root, split, protocol)
        if dataset == "mpii" and mpii.has_truth(split):
            data.notes = (*data.notes, *mpii.matching_truth(data.persons)[1])
        return surveyed(data)

    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: PoseProtocol, seed: int
    ) -> TrainData:
        augment = recipe.augment or PoseAugment()
        return surveyed_training(PoseTrainData(dataset, root, split, protocol, augment, seed, recipe.input_wh))

    def data_files(self, dataset: str, root: Path, split: str, protocol: PoseProtocol) -> list[Path]:
        root = Path(root)
        if isinstance(protocol, PoseTrackProtocol):
            return posetrack.files_of(root, dataset, split, protocol.boxes == "detector", protocol.boxes_file)
        if dataset == "mpii":
            files = [mpii.annotation_path(root, split)]
            return [*files, mpii.truth_path(root)] if mpii.has_truth(split) else files
        files = [coco.annotation_path(root, split)]
        if isinstance(protocol, CocoProtocol) and protocol.boxes == "detector" and split != "train2017":
            files.append(coco.expected_boxes(root, split, protocol.boxes_file))
        return files

    def meet(self, model: nn.Module, data: EvalData | TrainData) -> None:
        """Refuses a network of another skeleton than the data's. PoseTrack's own reading maps the joints of several."""
        if isinstance(data, PoseEvalData | PoseTrainData) and not _is_posetrack(str(model.dataset)):
            check_joints(model, data.skeleton)

    # -- computation ---------------------------------------------------------------------------------------------
    def loss(self, model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        from tasks.heatmaps.losses import heatmap_loss, peak_accuracy

        outputs = model.stacks(batch["images"])  # type: ignore[operator]
        target, weight, found = batch["target"], batch["weight"], outputs[-1].detach()
        if target.shape[1] != weight.shape[1]:  # UDP's combined coding: three maps a joint
            loss = heatmap_loss(outputs, target, weight, "udp_combined")
            return {"loss": loss, "accuracy": peak_accuracy(found[:, ::3], target[:, ::3])}
        # Half the squared error, as HRNet's pose code (protocols, section 3).
        loss = heatmap_loss(outputs, target, weight, recipe.loss, factor=0.5, softmax_share=1e-2)
        return {"loss": loss, "accuracy": peak_accuracy(found, target)}

    def predict(self, model: nn.Module, batch: dict[str, Any], protocol: PoseProtocol) -> list[Any]:
        """Keypoints (J, 3) of every person's crop; of videos ("sequences" in the batch) `TrackedVideo`s."""
        from tasks.pose.inference import keypoints, predict_heatmaps
        from tasks.pose.posetrack.inference import channel_pairs, dataset_joints, track_sequence

        if isinstance(protocol, PoseTrackProtocol) and "sequences" in batch:
            return [track_sequence(self, model, sequence, protocol) for sequence in batch["sequences"]]
        pairs = channel_pairs(model, protocol)
        heatmaps = predict_heatmaps(model, batch["images"], pairs, protocol)
        found = keypoints(heatmaps, _array(batch["centre"]), _array(batch["scale"]), protocol)
        return list(dataset_joints(found, protocol))

    def evaluation(self, data: EvalData, protocol: PoseProtocol) -> Evaluation:
        if isinstance(data, PoseTrackEvalData):
            assert isinstance(protocol, PoseTrackProtocol)
            return PoseTrackEvaluation(data, protocol)
        assert isinstance(data, PoseEvalData)
        return (CocoEvaluation if data.dataset == "coco" else MpiiEvaluation)(data, protocol)

    def figures(
        self,
        dataset: str,
        stats: Stats,
        protocol: Mapping[str, Any],
        counts: np.ndarray | None = None,
        wanted: Collection[str] | None = None,
    ) -> dict[str, float]:
        if _is_posetrack(dataset):
            return posetrack_metrics.figures(stats, counts, wanted)
        return dict(figures(dataset, stats, counts, wanted))

    def submission_stats(
        self, dataset: str, root: Path, split: str, path: Path, protocol: PoseProtocol
    ) -> tuple[Stats, tuple[str, ...]]:
        """Of COCO keypoint results (json), of MPII's pred.mat, or of a folder of PoseTrack's files."""
        from tasks.pose.submissions import coco_stats, mpii_file_stats

        self.dataset(dataset)
        if _is_posetrack(dataset):
            return submission_stats(Path(root), split, path), ()
        read = mpii_file_stats if dataset == "mpii" else coco_stats
        return read(Path(root), split, path)

    # -- pictures ------------------------------------------------------------------------------------------------
    def predict_images(
        self, model: nn.Module, dataset: str, images: Sequence[Path], protocol: PoseProtocol, **options: Any
    ) -> list[tuple[np.ndarray, Any]]:
        """Skeletons on pictures.

        Args:
            options: ``boxes``: a json file of persons in them, COCO annotations or detections; without it the annotations or
                detections of the dataset that a picture lies in are used, else the whole picture is one person's box.
                ``min_score`` (0.3): detections below it are left out.
        """
        from tasks.pose.predict import predict_pictures

        refuse_unknown(options, ("boxes", "min_score"), "predict for pose")
        return predict_pictures(self, model, dataset, images, protocol, **options)


def _is_posetrack(dataset: str) -> bool:
    return dataset in ("posetrack17", "posetrack18")


def _array(values: Any) -> np.ndarray:
    return np.asarray(values.cpu().numpy() if hasattr(values, "cpu") else values)


TASK = PoseTask()
