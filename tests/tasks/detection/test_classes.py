"""The classes of a network: kept with its weights, met with a file's categories, carried into predictions and figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import hrnet
import tasks
from benchmarks.experiment.cell import make_cell
from benchmarks.running.steps.kept import save_weights
from hrnet.checkpoints import identify_checkpoint
from hrnet.checkpoints.outputs import named_outputs
from tasks import get_task
from tasks.detection.datasets import DetectionAugment, DetectionEvalData, DetectionTrainData
from tasks.detection.evaluation import DetectionEvaluation
from tasks.detection.files.categories import COCO, classes_of_model
from tasks.detection.metrics import class_figures, figures
from tasks.detection.protocol import DetectionProtocol
from tasks.images import read_image
from tasks.pose.skeletons.coco import COCO as SKELETON
from tasks.pose.skeletons.joints import check_joints

sys.path.insert(0, str(Path(__file__).parents[1] / "coco"))
import judged

TASK = get_task("detection")
PROTOCOL = DetectionProtocol(short_px=96, long_px=128, score_threshold=0.0)
OWN = ((1, "bolt"), (5, "nut"), (9, "washer"))


def own_root(path: Path, categories: tuple[tuple[int, str], ...] = OWN, keep: Any = None) -> Path:
    truth = judged.things(3, categories)
    if keep is not None:
        keep(truth)
    root = judged.lay(path, truth, "instances")
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(truth))
    (root / "images" / "train2017").symlink_to(root / "images" / "val2017")
    return root


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, torch.nn.Module]:
    """Weights as a training on own classes keeps them."""
    root = own_root(tmp_path / "train")
    torch.manual_seed(0)
    network = TASK.build_model("hrnet_micro_w8", "coco", **TASK.options_of_data("coco", root, "train2017")).eval()
    TASK.meet(network, DetectionTrainData(root, "train2017", DetectionAugment(), 0, PROTOCOL))
    cell = make_cell("detection", "coco", "hrnet_micro_w8", tier="smoke")
    save_weights(network, cell, tmp_path / "weights.pt")
    return tmp_path / "weights.pt", network


def test_the_number_of_outputs_follows_from_the_file(trained: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    path, network = trained
    assert network.num_outputs == 3 and network.classes == [[1, "bolt"], [5, "nut"], [9, "washer"]]
    build = torch.load(path, weights_only=True)["build"]
    assert build["classes"] == [[1, "bolt"], [5, "nut"], [9, "washer"]]
    assert TASK.options_of_data("coco", own_root(tmp_path / "coco", ((1, "person"), (2, "bicycle"))), "train2017") == {}


def test_weights_bring_their_classes_and_number_of_outputs(
    trained: tuple[Path, torch.nn.Module], tmp_path: Path
) -> None:
    path, network = trained
    options = identify_checkpoint(path).build_options("detection", "hrnet_micro_w8", "coco")
    assert options["num_outputs"] == 3
    again = tasks.build_model("detection", "hrnet_micro_w8", "coco", **options).eval()
    hrnet.load_checkpoint(again, path)
    assert again.classes == network.classes
    with torch.no_grad():
        again.box_head.cls.weight.mul_(40)
    picture = read_image(tmp_path, "train/images/val2017/000001.png")
    with torch.inference_mode():
        (result,) = TASK.predict_pictures(again, "coco", [picture], PROTOCOL)
    records = result.to_coco()
    assert records and {(r["category_id"], r["category"]) for r in records} <= set(OWN)


def perfect(data: DetectionEvalData, labels: dict[int, int]) -> DetectionEvaluation:
    """The evaluation of detections that are the truth itself; `labels` are the network's by category id."""
    made = DetectionEvaluation(data, PROTOCOL)
    objects = data.instances.objects
    for index in range(len(data)):
        rows = data.instances.rows(index)
        ids = [objects.categories.ids[objects.category[row]] for row in rows]
        found = {
            "boxes": objects.boxes[rows],
            "labels": np.array([labels[n] for n in ids]),
            "scores": np.full(len(rows), 0.9),
        }
        made.add([index], [found])
    return made


@pytest.mark.parametrize(
    ("categories", "labels", "said"),
    [
        (OWN, {1: 1, 5: 2, 9: 3}, ""),
        (((5, "nut"),), {5: 2}, ""),
        (((9, "washer"), (1, "bolt")), {1: 1, 9: 3}, ""),
        (((0, "washer"), (1, "nut")), {0: 3, 1: 2}, "matched by name"),
        (((1, "screw"), (9, "washer")), {1: 1, 9: 3}, "1 is screw in the file, bolt in the weights"),
    ],
)
def test_a_perfect_detector_is_perfect_on_any_listing(
    categories: tuple[tuple[int, str], ...],
    labels: dict[int, int],
    said: str,
    trained: tuple[Path, torch.nn.Module],
    tmp_path: Path,
) -> None:
    data = DetectionEvalData(own_root(tmp_path / "val", categories), "val2017", PROTOCOL)
    TASK.meet(trained[1], data)
    evaluation = perfect(data, labels)
    stats = evaluation.stats()
    assert figures(stats)["AP"] == pytest.approx(100)
    assert list(class_figures(stats)) == [f"AP/{name}" for _, name in sorted(categories)]
    assert said in " ".join(data.notes) and bool(data.notes) == bool(said)
    evaluation.write_predictions(tmp_path / "p.json")
    assert {r["category_id"] for r in json.loads((tmp_path / "p.json").read_text())} == {n for n, _ in categories}


def test_coco_weights_on_a_file_of_few_categories(tmp_path: Path) -> None:
    """Today's pycocotools gave 50, 0.3 or 0 to a perfect detector here: labels are ranks among the eighty."""
    data = DetectionEvalData(
        own_root(tmp_path, ((1, "person"), (44, "bottle"), (90, "toothbrush"))), "val2017", PROTOCOL
    )
    TASK.meet(SimpleNamespace(classes=None, num_outputs=80, conventions=None), data)  # type: ignore[arg-type]
    assert figures(perfect(data, {1: 1, 44: 40, 90: 80}).stats())["AP"] == pytest.approx(100)


def test_a_network_of_other_classes_is_refused_before_it_runs(
    trained: tuple[Path, torch.nn.Module], tmp_path: Path
) -> None:
    data = DetectionEvalData(own_root(tmp_path / "cells", ((20, "nucleus"),)), "val2017", PROTOCOL)
    with pytest.raises(
        ValueError, match=r"instances_val2017\.json: expected categories that the network knows \(1 bolt, 5 nut"
    ):
        TASK.meet(trained[1], data)
    network = TASK.build_model("hrnet_micro_w8", "coco", num_outputs=7)
    training = DetectionTrainData(own_root(tmp_path / "again"), "train2017", DetectionAugment(), 0, PROTOCOL)
    with pytest.raises(ValueError, match=r"expected a network of 3 outputs .* model\.num_outputs=3"):
        TASK.meet(network, training)


def test_training_goes_on_with_the_labels_of_the_weights(trained: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    root = own_root(tmp_path / "second", ((1, "washer"), (2, "bolt")))
    data = DetectionTrainData(root, "train2017", DetectionAugment(flip=0), 0, PROTOCOL)
    TASK.meet(trained[1], data)
    assert data.labels.tolist() == [3, 1]
    assert set(data[0, 0]["labels"]) <= {1, 3}


@pytest.mark.parametrize(("num_outputs", "labels"), [(90, "category_id"), (3, "rank"), (80, "rank")])
def test_torchvisions_detector_is_cocos_only_with_cocos_outputs(num_outputs: int, labels: str) -> None:
    network = TASK.build_model("hrnet_micro_w8", "coco", conventions="torchvision", num_outputs=num_outputs)
    from hrnet.checkpoints import _detector_conventions
    from hrnet.checkpoints.families.detection import TORCHVISION_DETECTION
    from hrnet.checkpoints.family import Canonical
    from hrnet.checkpoints.report import Description

    description = Description("torchvision", "", "detection", num_outputs=num_outputs)
    found = _detector_conventions(Canonical(TORCHVISION_DETECTION, {}, {}), description)
    network.set_conventions(**found)
    assert network.conventions.labels == labels
    assert (classes_of_model(network) == COCO) == (num_outputs in (80, 90))
    assert classes_of_model(network).named == (num_outputs in (80, 90))


def test_meta_names_the_outputs() -> None:
    assert named_outputs({"meta": {"CLASSES": ("bolt", "nut")}}, 2) == [[1, "bolt"], [2, "nut"]]
    assert named_outputs({"meta": {"dataset_meta": {"classes": ["bolt", "nut"]}}}, 2) == [[1, "bolt"], [2, "nut"]]
    assert named_outputs({"meta": {"CLASSES": ("bolt", "nut")}}, 3) is None
    assert named_outputs({"epoch": 3}, 2) is None
    joints = {
        "meta": {"dataset_meta": {"dataset_name": "ap10k", "keypoint_id2name": {k: f"paw {k}" for k in range(17)}}}
    }
    animal = SimpleNamespace(classes=named_outputs(joints, 17), num_outputs=17)
    with pytest.raises(ValueError, match=r"got weights whose joints are paw 0, paw 1, .*another skeleton of 17 joints"):
        check_joints(animal, SKELETON)
    person = {"meta": {"dataset_meta": {"keypoint_id2name": dict(enumerate(SKELETON.names))}}}
    check_joints(SimpleNamespace(classes=named_outputs(person, 17), num_outputs=17), SKELETON)
    with pytest.raises(ValueError, match=r"Expected a network of 17 joints .* got one of 21"):
        check_joints(SimpleNamespace(classes=None, num_outputs=21), SKELETON)


@pytest.mark.parametrize(
    ("task", "dataset"),
    [
        ("pose", "coco"),
        ("landmarks", "wflw"),
        ("detection", "coco"),
        ("classification", "imagenet"),
        ("segmentation", "cityscapes"),
    ],
)
def test_one_name_for_the_number_of_outputs(task: str, dataset: str, tmp_path: Path) -> None:
    model = "hrnet_micro_w8"
    network = tasks.build_model(task, model, dataset, num_outputs=21)
    assert network.num_outputs == 21
    build: dict[str, Any] = {"task": task, "model": model, "dataset": None, "changes": {}}
    content = {"format": "hrnet-benchmark", "version": 1, "build": build, "state_dict": network.state_dict()}
    torch.save(content, tmp_path / "w.pt")
    options = identify_checkpoint(tmp_path / "w.pt").build_options(task, model, dataset)
    hrnet.load_checkpoint(tasks.build_model(task, model, dataset, **options), tmp_path / "w.pt")
