"""Weights to typed results: the same numbers as an evaluation, for arrays, files, lists, folders and videos."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import tasks
from tasks.images import read_image
from tasks.pose.files.coco import kept_boxes

Weights = Callable[..., Path]


def rows_of(data: Any, image: int) -> list[int]:
    return [int(row) for row in np.flatnonzero(data.persons.image == image)]


def boxes_of(data: Any, image: int) -> np.ndarray:
    """The boxes that the evaluation made of the annotated ones, as corners."""
    truth = data.persons.truth
    boxes, kept = kept_boxes(truth.boxes, truth.points, truth.pictures.sizes_wh[truth.image])
    rows = [row for row in np.flatnonzero(truth.image == image) if kept[row] and truth.areas[row] > 0]
    corners = boxes[rows]
    corners[:, 2:] += corners[:, :2]
    return corners


def evaluated(predictor: Any, data: Any, rows: list[int]) -> list[Any]:
    batch = data.collate([data[row] for row in rows])
    if isinstance(batch["images"], torch.Tensor) and batch["images"].ndim == 4:
        batch["images"] = batch["images"].contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return list(predictor.task.predict(predictor.network, batch, predictor.protocol))


def test_pose_equals_the_evaluation(embedded: Path, weights: Weights) -> None:
    predictor = tasks.load_predictor(weights("pose"), device="cpu")
    data = predictor.task.eval_data("coco", embedded / "pose" / "coco", "val2017", predictor.protocol)
    image = next(k for k in range(len(data.persons.files)) if len(rows_of(data, k)) > 1)
    picture = read_image(data.persons.root, data.persons.files[image])
    boxes = boxes_of(data, image)
    expected = np.stack(evaluated(predictor, data, rows_of(data, image)))
    result = predictor(picture, boxes=boxes)
    assert type(result).__name__ == "PoseResult" and result.names[0] == "nose" and len(result.names) == 17
    np.testing.assert_array_equal(result.keypoints_px, expected[..., :2])
    np.testing.assert_array_equal(result.scores, expected[..., 2])
    np.testing.assert_array_equal(result.boxes_xyxy_px, boxes)
    # Every sample of the split, as the engine evaluates them, in batches of its own.
    everyone = np.stack(evaluated(predictor, data, list(range(len(data)))))
    np.testing.assert_allclose(result.keypoints_px, everyone[rows_of(data, image)][..., :2], atol=1e-2)
    records = result.to_coco()
    assert [record["category_id"] for record in records] == [1] * len(boxes) and len(records[0]["keypoints"]) == 51
    assert "image_id" not in records[0]
    drawn = result.draw(picture)
    assert drawn.shape == picture.shape and (drawn != picture).any()
    np.testing.assert_array_equal(drawn, result.draw())


def test_faces_equal_the_evaluation(embedded: Path, weights: Weights) -> None:
    predictor = tasks.load_predictor(weights("landmarks"), device="cpu")
    data = predictor.task.eval_data("300w", embedded / "landmarks" / "300w", "valid", predictor.protocol)
    expected = evaluated(predictor, data, [0])[0]
    half = data.faces.scales[0] * 100
    centre = data.faces.centres[0] - 1  # the files count from 1
    box = [*(centre - half), *(centre + half)]
    picture = data.picture(0)
    result = predictor(picture, boxes=[box])
    assert type(result).__name__ == "LandmarkResult" and result.keypoints_px.shape == (1, 68, 2)
    np.testing.assert_allclose(result.keypoints_px[0] + 1, expected[:, :2], atol=1e-9)
    np.testing.assert_array_equal(result.scores[0], expected[:, 2])
    whole = predictor(picture)
    assert whole.boxes_from == "the whole picture"
    np.testing.assert_array_equal(whole.boxes_xyxy_px, [[0, 0, picture.shape[1], picture.shape[0]]])
    again = predictor(picture, boxes=whole.boxes_xyxy_px)
    np.testing.assert_array_equal(whole.keypoints_px, again.keypoints_px)
    assert result.draw().shape == picture.shape and (result.draw() != picture).any()
    assert result.to_plain()["faces"][0]["points"][0] == pytest.approx(expected[0, :2].tolist(), abs=1e-3)


def test_label_maps_equal_the_evaluation(embedded: Path, weights: Weights, tmp_path: Path) -> None:
    predictor = tasks.load_predictor(weights("segmentation"), device="cpu", protocol={"score_at": "original"})
    data = predictor.task.eval_data("lip", embedded / "segmentation" / "lip", "val", predictor.protocol)
    picture = data.picture(0)
    (expected,) = evaluated(predictor, data, [0])
    result = predictor(picture)
    assert type(result).__name__ == "SegmentationResult" and result.labels.dtype == np.uint8
    assert result.labels.shape == picture.shape[:2]
    np.testing.assert_array_equal(result.labels, expected)
    assert len(result.names) == len(result.colours) == 20
    (tmp_path / "map.png").write_bytes(result.label_png())
    with Image.open(tmp_path / "map.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), expected)
        colours = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(colours, np.array(result.colours)[expected])
    shares = {record["category"]: record["share_percent"] for record in result.to_plain()["classes"]}
    assert shares == pytest.approx({result.names[k]: 100 * (expected == k).mean() for k in np.unique(expected)})


@pytest.mark.parametrize("masks", [False, True])
def test_objects_equal_the_evaluation(embedded: Path, weights: Weights, masks: bool) -> None:
    options = {"masks": True} if masks else {}
    predictor = tasks.load_predictor(weights("detection", **options), device="cpu")
    data = predictor.task.eval_data("coco", embedded / "detection" / "coco_detection", "val2017", predictor.protocol)
    picture = read_image(data.instances.root, data.instances.files[1])
    (expected,) = evaluated(predictor, data, [1])
    result = predictor(picture)
    assert type(result).__name__ == "DetectionResult" and len(result) == len(expected["scores"]) > 0
    np.testing.assert_array_equal(result.boxes_xywh_px(), expected["boxes"])
    np.testing.assert_array_equal(result.scores, expected["scores"])
    ids = [data.classes.id_of(int(label)) for label in expected["labels"]]
    assert result.category_ids.tolist() == ids
    assert result.names == tuple(data.classes.name_of(int(label)) for label in expected["labels"])
    records = result.to_coco()
    assert json.loads(json.dumps(records)) == records
    if masks:
        assert result.masks is not None and result.masks.shape == (len(result), *picture.shape[:2])
        assert [record["segmentation"] for record in records] == expected["masks"]
    else:
        assert result.masks is None
    assert result.draw(min_score=0.0).shape[2] == 3


def test_own_classes_travel_with_the_weights(embedded: Path, weights: Weights) -> None:
    """Nothing but the file of weights says what the classes are."""
    path = weights("classification")
    task = tasks.get_task("classification")
    assert "flowers" not in task.datasets
    try:
        predictor = tasks.load_predictor(path, device="cpu")
        picture = sorted((embedded / "classification" / "flowers" / "val").rglob("*.png"))[0]
        result = predictor(picture)
        assert type(result).__name__ == "ClassificationResult" and result.names == ("aster", "lily", "rose")
        assert predictor.protocol.crop == 32 and result.probabilities.sum() == pytest.approx(1)
        data = task.eval_data("flowers", embedded / "classification" / "flowers", "val", predictor.protocol)
        (logits,) = evaluated(predictor, data, [0])
        shares = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(result.probabilities, shares, rtol=1e-5)
        assert result.to_coco()[0]["category"] == result.names[int(shares.argmax())]
    finally:
        task.__dict__.pop("datasets", None)


def test_another_dataset_of_this_name_is_refused(weights: Weights, tmp_path: Path) -> None:
    payload = torch.load(weights("classification"), weights_only=True)
    payload["build"]["declaration"]["labels"]["names"] = ["aster", "lily", "tulip"]
    torch.save(payload, tmp_path / "other.pt")
    try:
        tasks.load_predictor(weights("classification"), device="cpu")
        with pytest.raises(ValueError, match="its dataset 'flowers' has other joints, points or classes"):
            tasks.load_predictor(tmp_path / "other.pt", device="cpu")
    finally:
        tasks.get_task("classification").__dict__.pop("datasets", None)


def test_a_released_file_is_recognised(tmp_path: Path) -> None:
    """98 points: WFLW, in the names of HRNet's own face code."""
    torch.manual_seed(0)
    network = tasks.build_model("landmarks", "hrnet_micro_w8", "wflw")
    released = {
        name.removeprefix("body.").replace("representation.mix.conv", "head.0").replace("head.predict", "head.3"): value
        for name, value in network.state_dict().items()
    }
    released = {name.replace("representation.mix.bn", "head.1"): value for name, value in released.items()}
    torch.save(released, tmp_path / "face.pth")
    predictor = tasks.load_predictor(tmp_path / "face.pth", model="hrnet_micro_w8", device="cpu")
    assert (predictor.task.name, predictor.dataset) == ("landmarks", "wflw")
    result = predictor(np.zeros((80, 70, 3), np.uint8))
    assert result.keypoints_px.shape == (1, 98, 2) and result.names[97] == "point_97"


def test_lists_and_folders_give_iterators(embedded: Path, weights: Weights) -> None:
    predictor = tasks.load_predictor(weights("segmentation"), device="cpu", batch_size=2)
    folder = embedded / "segmentation" / "lip" / "TrainVal_images" / "val_images"
    files = sorted(folder.iterdir())[:3]
    one_by_one = [predictor(file).labels for file in files]
    results = predictor(files)
    assert not isinstance(results, list) and iter(results) is results
    for result, file, expected in zip(results, files, one_by_one, strict=True):
        assert result.image == str(file) and result.picture is None
        assert (result.labels != expected).mean() < 1e-3
        assert result.draw().ndim == 3
    assert [r.image for r in predictor(folder)] == [str(file) for file in sorted(folder.iterdir())]


def test_a_file_is_read_when_its_turn_comes(embedded: Path, weights: Weights, tmp_path: Path) -> None:
    predictor = tasks.load_predictor(weights("landmarks"), device="cpu", batch_size=1)
    good = next((embedded / "landmarks" / "300w" / "images").rglob("*.png"))
    results = predictor([good, tmp_path / "lacking.png"])
    assert next(results).image == str(good)
    with pytest.raises(ValueError, match=r"lacking.png: expected a picture there, found none"):
        next(results)


def test_a_detector_finds_the_boxes(embedded: Path, weights: Weights) -> None:
    detector = tasks.load_predictor(weights("detection"), device="cpu")
    predictor = tasks.load_predictor(weights("pose"), device="cpu", detector=detector)
    assert predictor.detector is not None
    predictor.detector.min_score = 0.0
    files = sorted((embedded / "pose" / "coco" / "images" / "val2017").iterdir())[:2]
    for file, result in zip(files, predictor(files), strict=True):
        found = detector(file)
        persons = found.boxes_xyxy_px[found.category_ids == 1]
        np.testing.assert_allclose(result.boxes_xyxy_px, persons, atol=1e-2)
        assert result.boxes_from == "the detector"
    predictor.detector.min_score = 1.0
    nobody = predictor(files[0])
    assert len(nobody) == 0 and nobody.note == "the detector found no box above 1"
    assert nobody.to_coco() == [] and nobody.draw().shape[2] == 3
    given = predictor(files[0], boxes=[[1, 1, 30, 40]])
    assert len(given) == 1 and given.boxes_from == "the caller"


@pytest.mark.parametrize(
    ("task", "picture", "boxes", "text"),
    [
        ("pose", (40, 40, 3), None, "Expected boxes of what pose looks into, got none"),
        ("pose", (40, 40, 3), [1, 2, 3, 4], r"Expected boxes as \(N, 4\)"),
        ("pose", (40, 40, 3), [[5, 5, 2, 9]], "are the last two width and height"),
        ("pose", (40, 40, 3), [[50, 5, 62, 9]], "expected a box in the picture of 40x40 px"),
        ("pose", (40, 40, 3), "all", "or \"whole\", got 'all'|\"whole\", got 'all'"),
        ("pose", (40, 40), "whole", r"Expected the picture as \(H, W, 3\) uint8 RGB, got shape \(40, 40\)"),
        ("segmentation", (40, 40, 3), [[1, 1, 9, 9]], "Expected no boxes for segmentation"),
    ],
)
def test_what_does_not_fit_is_one_line(weights: Weights, task: str, picture: Any, boxes: Any, text: str) -> None:
    predictor = tasks.load_predictor(weights(task), device="cpu")
    with pytest.raises(ValueError, match=text) as caught:
        predictor(np.zeros(picture, np.uint8), boxes=boxes)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_loaded_is_one_line(weights: Weights, tmp_path: Path) -> None:
    for options, text in (
        ({"device": "quantum"}, "Expected a device that is here"),
        ({"precision": "fp8"}, "Expected a precision out of"),
        ({"detector": weights("pose")}, "pose"),
        ({"protocol": {"flipp": True}}, "Did you mean 'flip'"),
        ({"model": "hrnet_w33"}, "Unknown model"),
    ):
        with pytest.raises(ValueError, match=text):
            tasks.load_predictor(weights("pose"), **{"device": "cpu", **options})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Expected no detector for detection"):
        tasks.load_predictor(weights("detection"), device="cpu", detector=weights("detection"))
    body = tasks.build_model("pose", "hrnet_micro_w8", "coco")
    state = {k: v for k, v in body.state_dict().items() if k.startswith("body.")}
    torch.save({"format": "hrnet-benchmark", "state_dict": state}, tmp_path / "body.pt")
    with pytest.raises(ValueError, match="its task cannot be told"):
        tasks.load_predictor(tmp_path / "body.pt", device="cpu")


def test_supervision_takes_the_results(embedded: Path, weights: Weights) -> None:
    library = pytest.importorskip("supervision")
    picture = next((embedded / "pose" / "coco" / "images" / "val2017").iterdir())
    poses = tasks.load_predictor(weights("pose"), device="cpu")(picture, boxes="whole")
    assert isinstance(poses.to_supervision(), library.KeyPoints)
    np.testing.assert_array_equal(poses.to_supervision().xy, poses.keypoints_px)
    found = tasks.load_predictor(weights("detection"), device="cpu")(picture)
    detections = found.to_supervision()
    assert isinstance(detections, library.Detections) and len(detections) == len(found)
    assert detections.data["class_name"].tolist() == list(found.names)
    labels = tasks.load_predictor(weights("segmentation"), device="cpu")(picture)
    regions = labels.to_supervision()
    assert regions.mask.sum() == labels.labels.size
