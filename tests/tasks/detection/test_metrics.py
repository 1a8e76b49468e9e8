"""Figures against pycocotools, for whole sets, subsets and shards; results files and their checks; drawing."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import hrnet
import tasks
from tasks import get_task
from tasks.base import Evaluation
from tasks.detection.datasets import DetectionEvalData
from tasks.detection.evaluation import DetectionEvaluation
from tasks.detection.files.annotations import read_instances
from tasks.detection.inference import predict
from tasks.detection.metrics import METRICS, class_figures, figures, score_results
from tasks.detection.network.model import Detector
from tasks.detection.predict import predict_pictures
from tasks.detection.protocol import DetectionProtocol
from tasks.files.rle import encode
from tasks.images import read_image
from tasks.options import to_plain

SAMPLES = Path(os.environ.get("HRNET_SAMPLES", Path(__file__).parents[3].parent / "shared" / "samples")) / "coco"
NAMES = ("AP", "AP50", "AP75", "APS", "APM", "APL", "AR@1", "AR@10", "AR@100", "ARS", "ARM", "ARL")


def guesses(data: DetectionEvalData, seed: int = 0) -> list[dict[str, Any]]:
    """Shaken copies of the truth, with wrong labels, doubles and strays."""
    made = []
    for index in range(len(data)):
        rng = np.random.default_rng([seed, index])
        boxes, labels = data.instances.boxes(index)
        boxes = np.concatenate([boxes, boxes + 1, np.array([[3.0, 3.0, 20.0, 20.0]])])
        labels = np.concatenate([labels, labels, [33]])
        boxes = boxes + rng.normal(0, 2.0, boxes.shape)
        boxes[:, 2:] = boxes[:, 2:].clip(2)
        labels[rng.random(len(labels)) < 0.2] = 33
        scores = np.sort(rng.random(len(labels)))[::-1]
        height, width = data.instances.size_hw(index)
        masks = np.zeros((len(labels), height, width), dtype=bool)
        for mask, (x, y, w, h) in zip(masks, boxes):
            mask[max(0, int(y)) : int(y + h), max(0, int(x)) : int(x + w)] = True
        made.append(
            {"boxes": boxes.astype(np.float32), "labels": labels, "scores": scores, "masks": [encode(m) for m in masks]}
        )
    return made


@pytest.fixture
def evaluation(shapes_root: Path, small_protocol: DetectionProtocol) -> DetectionEvaluation:
    data = DetectionEvalData(shapes_root, "val2017", small_protocol)
    made = DetectionEvaluation(data, small_protocol)
    made.add(range(len(data)), guesses(data))
    return made


def official(root: Path, file: Path, kind: str, images: list[int] | None = None) -> list[float]:
    """COCOeval's own twelve numbers, in per cent."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(next((root / "annotations").glob("*_val2017.json"))))
        evaluator = COCOeval(truth, truth.loadRes(str(file)), kind)
        if images is not None:
            evaluator.params.imgIds = images
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return [100 * float(v) if v >= 0 else float("nan") for v in evaluator.stats]


def twelve(found: dict[str, float], prefix: str = "") -> list[float]:
    return [found[prefix + name] for name in NAMES]


def test_figures_are_pycocotools(evaluation: DetectionEvaluation, shapes_root: Path, tmp_path: Path) -> None:
    found = figures(evaluation.stats())
    assert set(found) == set(METRICS)
    evaluation.write_predictions(tmp_path / "folder")
    evaluation.write_predictions(tmp_path / "file.json")
    boxes, masks = tmp_path / "folder" / "bbox.json", tmp_path / "folder" / "segm.json"
    assert (tmp_path / "file.json").read_text() == boxes.read_text()
    assert (tmp_path / "file.segm.json").read_text() == masks.read_text()
    assert 5 < found["AP"] < 95
    assert np.allclose(twelve(found), official(shapes_root, boxes, "bbox"), equal_nan=True)
    assert np.allclose(twelve(found, "mask_"), official(shapes_root, masks, "segm"), equal_nan=True)
    rescored = score_results(evaluation.data.instances, tmp_path / "folder")
    assert rescored == pytest.approx(found, nan_ok=True)


def test_classes_average_to_ap(evaluation: DetectionEvaluation) -> None:
    stats = evaluation.stats()
    found = class_figures(stats)
    assert len(found) > 1 and all(name.startswith("AP/") for name in found)
    assert np.mean([figure["value"] for figure in found.values()]) == pytest.approx(figures(stats)["AP"])
    assert sum(figure["n"] for figure in found.values()) == stats["all_truths"].sum()


def test_any_subset_without_the_network(evaluation: DetectionEvaluation, shapes_root: Path, tmp_path: Path) -> None:
    stats = evaluation.stats()
    evaluation.write_predictions(tmp_path / "r.json")
    chosen = [2, 3, 7]
    counts = np.isin(stats["image"], [str(c) for c in chosen]).astype(int)
    expected = official(shapes_root, tmp_path / "r.json", "bbox", chosen)
    assert np.allclose(twelve(figures(stats, counts)), expected, equal_nan=True)
    assert figures(stats, np.ones(len(counts), dtype=int)) == pytest.approx(figures(stats), nan_ok=True)


def test_merged_shards_are_the_whole(evaluation: DetectionEvaluation) -> None:
    data = evaluation.data
    other = DetectionEvaluation(data, evaluation.protocol)
    everything = guesses(data)
    other.add(range(1, len(data), 2), everything[1::2])
    with pytest.raises(ValueError, match="missing"):
        other.stats()
    other.add(range(0, len(data), 2), everything[::2])
    whole, merged = evaluation.stats(), other.stats()
    assert all(np.array_equal(whole[key], merged[key]) for key in whole)


def test_perfect_detections_score_full_marks(evaluation: DetectionEvaluation) -> None:
    data = evaluation.data
    perfect = []
    for index in range(len(data)):
        boxes, labels = data.instances.boxes(index)
        perfect.append({"boxes": boxes, "labels": labels, "scores": np.full(len(labels), 0.9)})
    evaluation.add(range(len(data)), perfect)
    found = figures(evaluation.stats())
    assert found["AP"] == pytest.approx(100)
    assert "mask_AP" not in found
    assert (evaluation.sample_scores() == 1).all()
    assert evaluation.curves()["precision over recall at IoU 0.50"][50][1] == pytest.approx(1)


def test_no_detections_score_nothing(evaluation: DetectionEvaluation, tmp_path: Path) -> None:
    empty = {"boxes": np.zeros((0, 4), np.float32), "labels": np.zeros(0, int), "scores": np.zeros(0), "masks": []}
    evaluation.add(range(len(evaluation.data)), [empty] * len(evaluation.data))
    assert figures(evaluation.stats())["AP50"] == 0
    evaluation.write_predictions(tmp_path / "none.json")
    assert json.loads((tmp_path / "none.json").read_text()) == []
    assert (evaluation.sample_scores() == 0).all()


def test_person_boxes_feed_pose(evaluation: DetectionEvaluation, tmp_path: Path) -> None:
    data = evaluation.data
    boxes, labels, scores = np.array([[1, 2, 30, 40], [5, 5, 0, 9]], np.float32), np.array([1, 1]), np.array([0.8, 0.5])
    evaluation.add(range(len(data)), [{"boxes": boxes, "labels": labels, "scores": scores}] * len(data))
    evaluation.write_predictions(tmp_path / "predictions")
    persons = json.loads((tmp_path / "predictions" / "person_boxes.json").read_text())
    assert len(persons) == len(data)
    assert persons[0] == {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.8}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r[0].update(image_id=99), ("results for 1 others", "image_id 99", "split")),
        (lambda r: r[2].update(category_id=91), ("entry 2", "category_id 91")),
        (lambda r: r[2].pop("score"), ("entry 2", "'score'")),
        (lambda r: r[2].update(score=float("nan")), ("NaN, which json does not have",)),
        (lambda r: r[2].update(score="high"), ("entry 2", "finite score")),
        (lambda r: r[2].update(bbox=[1, 2, 3]), ("entry 2", "four numbers")),
        (lambda r: r[2].pop("bbox"), ("entry 2", "'bbox'")),
    ],
)
def test_bad_results_give_one_clear_message(
    change: Callable[[Any], None], words: tuple[str, ...], evaluation: DetectionEvaluation, tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    evaluation.write_predictions(file)
    records = json.loads(file.read_text())
    change(records)
    file.write_text(json.dumps(records))
    with pytest.raises(ValueError) as caught:
        score_results(evaluation.data.instances, file)
    assert "results.json" in str(caught.value)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"size": [96, 128], "counts": [10, 20]}, "cut short"),
        ({"size": [9, 12], "counts": [108]}, "picture's size"),
        ({"size": [96, 128], "counts": "\x7f"}, "a broken one"),
        ([[1, 2, 3, 4, 5, 6]], "run lengths"),
    ],
)
def test_broken_masks_are_refused_before_pycocotools_reads_them(
    broken: Any, words: str, shapes_root: Path, tmp_path: Path
) -> None:
    made = read_instances(shapes_root, "val2017")
    assert made.size_hw(0) == (96, 128)
    record = {"image_id": made.objects.pictures.ids[0], "category_id": 37, "segmentation": broken, "score": 0.5}
    (tmp_path / "segm.json").write_text(json.dumps([record]))
    with pytest.raises(ValueError, match=f"segm.json, entry 0: .*{words}"):
        score_results(made, tmp_path / "segm.json")


def test_an_annotation_file_is_no_results_file(shapes_root: Path) -> None:
    made = read_instances(shapes_root, "val2017")
    with pytest.raises(ValueError, match="annotation file"):
        score_results(made, made.path)


def test_predictions_do_not_depend_on_the_batch(
    mask_detector: Detector, shapes_root: Path, small_protocol: DetectionProtocol
) -> None:
    data = DetectionEvalData(shapes_root, "val2017", small_protocol)
    samples = [data[i] for i in range(5)]
    with torch.inference_mode():
        together = predict(mask_detector, data.collate(samples), small_protocol)
        alone = [predict(mask_detector, data.collate([s]), small_protocol)[0] for s in samples]
    for made, expected in zip(together, alone):
        assert len(made["labels"]) > 0
        assert np.array_equal(made["labels"], expected["labels"])
        assert np.allclose(made["boxes"], expected["boxes"], atol=1e-2)
        assert len(made["masks"]) == len(made["labels"])


def test_boxes_come_back_in_the_pictures_pixels(detector: Detector, shapes_root: Path) -> None:
    """With twice the input size the boxes stay within the picture, and inclusive ends gain their pixel."""
    protocol = DetectionProtocol(short_px=192, long_px=256, score_threshold=0.0)
    data = DetectionEvalData(shapes_root, "val2017", protocol)
    with torch.inference_mode():
        made = predict(detector, data.collate([data[0], data[2]]), protocol)
    for prediction, index in zip(made, (0, 2)):
        height, width = data.instances.size_hw(index)
        ends = prediction["boxes"][:, :2] + prediction["boxes"][:, 2:]
        assert ends.max(0)[0] <= width + 1
        assert ends.max(0)[1] <= height + 1
        assert ends.max() > 60


def test_predict_draws_boxes_and_masks(
    mask_detector: Detector, shapes_root: Path, small_protocol: DetectionProtocol
) -> None:
    source = read_image(shapes_root, "val2017/000001.png")
    with torch.inference_mode():
        (result,) = predict_pictures(get_task("detection"), mask_detector, [source], small_protocol)
    picture, records = result.draw(source, min_score=0.0), result.to_coco()
    assert picture.dtype == np.uint8
    assert picture.shape == (480, 640, 3)
    assert records
    assert {"category_id", "category", "bbox", "score", "segmentation"} == set(records[0])
    plain = result.draw(source, min_score=1.1)
    assert (plain != picture).any(-1).mean() > 0.01


def test_truth_and_predictions_are_drawn(evaluation: Evaluation) -> None:
    truth, prediction = evaluation.picture(0, "truth"), evaluation.picture(0, "prediction")
    assert truth.shape == prediction.shape == (480, 640, 3)
    assert (truth != prediction).any()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the real samples are not at {SAMPLES} (HRNET_SAMPLES)")
def test_the_real_sample_scores_as_pycocotools_does(tmp_path: Path) -> None:
    task = tasks.get_task("detection")
    protocol = task.protocol_with(task.protocol("coco"), {"short_px": 160, "long_px": 256, "score_threshold": 0})
    data = task.eval_data("coco", SAMPLES, "val2017", protocol)
    assert isinstance(data, DetectionEvalData)
    assert data.instances.fallback is not None and data.notes == (data.instances.fallback,)
    torch.manual_seed(0)
    model = tasks.build_model("detection", "hrnet_micro_w8", "coco").eval()
    made = task.evaluation(data, protocol)
    with torch.inference_mode():
        for index in range(len(data)):
            found = task.predict(model, data.collate([data[index]]), protocol)
            # An untrained network hits nothing: the persons themselves, shaken, join its detections.
            boxes, labels = data.instances.boxes(index)
            found[0]["boxes"] = np.concatenate([found[0]["boxes"], boxes + 3])
            found[0]["labels"] = np.concatenate([found[0]["labels"], labels])
            found[0]["scores"] = np.concatenate([found[0]["scores"], np.full(len(labels), 0.7)])
            made.add([index], found)
    made.write_predictions(tmp_path / "r.json")
    found = task.figures("coco", made.stats(), to_plain(protocol))
    assert found["AP50"] > 50
    assert np.allclose(twelve(found), official(SAMPLES, tmp_path / "r.json", "bbox"), equal_nan=True)


def test_profile_needs_no_values() -> None:
    model = tasks.build_model("detection", "hrnet_micro_w8", "coco")
    assert hrnet.profile(model, (192, 256)).macs > hrnet.profile(model, (96, 128)).macs > 0
