"""Annotations on disk, their checks, and the samples of training and evaluation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import get_task
from tasks.coco.categories import Categories
from tasks.detection.datasets import DetectionAugment, DetectionEvalData, DetectionTrainData, _window
from tasks.detection.files.annotations import read_instances
from tasks.detection.files.categories import COCO, COCO_IDS, COCO_NAMES, Classes, classes_of_file, match, unnamed
from tasks.detection.geometry import crop_boxes, flip_boxes, keep_ratio, network_input
from tasks.detection.protocol import DetectionProtocol, detection_protocol
from tasks.images import IMAGENET_MEAN, IMAGENET_STD

SMALL = DetectionProtocol(short_px=96, long_px=128)


def edited(root: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the set with its validation file changed."""
    shutil.copytree(root, target)
    path = target / "annotations" / "instances_val2017.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return target


def listed(*ids: int) -> Categories:
    """Categories of these ids under COCO's names."""
    return Categories(ids, tuple(COCO_NAMES.get(number, f"thing {number}") for number in ids))


def test_labels_are_ranks_of_official_ids() -> None:
    assert len(COCO_IDS) == len(COCO_NAMES) == 80
    assert classes_of_file(listed(37, 72)) is COCO
    everything = match(COCO, listed(*COCO_IDS), "f")
    assert (everything.category_of[1], everything.category_of[80], everything.category_of[12]) == (1, 90, 13)
    assert match(COCO, listed(37, 72), "f").category_of == {33: 37, 63: 72} and not everything.notes
    own = classes_of_file(listed(100, 200))
    assert own.ids == (100, 200) and match(own, listed(100, 200), "f").category_of == {1: 100, 2: 200}
    assert len(classes_of_file(listed(*range(1, 101)))) == 100


def test_ids_of_coco_under_other_names_are_classes_of_ones_own() -> None:
    bolts = Categories((1, 5, 9), ("bolt", "nut", "washer"))
    assert classes_of_file(bolts) == Classes((1, 5, 9), ("bolt", "nut", "washer"))
    # An older spelling of one of three names makes no other set.
    assert classes_of_file(Categories((1, 2, 4), ("person", "bicycle", "motorbike"))) is COCO
    assert classes_of_file(Categories((1, 2), ("1", "2"))) is COCO  # without names the ids count


@pytest.mark.parametrize(
    ("file", "category_of", "said"),
    [
        (Categories((1, 2, 3), ("a", "b", "c")), {1: 1, 2: 2, 3: 3}, ""),
        (Categories((2,), ("b",)), {2: 2}, ""),  # fewer categories change nothing
        (Categories((7, 8), ("c", "a")), {3: 7, 1: 8}, "matched by name (7 c is 3 in the weights; 8 a is 1 in the weights)"),
        (Categories((1, 2), ("b", "a")), {2: 1, 1: 2}, "matched by name"),
        (Categories((1, 2), ("a", "bee")), {1: 1, 2: 2}, "matched by id (2 is bee in the file, b in the weights)"),
        (Categories((1, 4), ("a", "d")), {1: 1}, "1 categories are not the network's; their objects count as missed (4 d)"),
    ],
)  # fmt: skip
def test_classes_meet_categories_by_name_then_by_id(file: Categories, category_of: dict[int, int], said: str) -> None:
    found = match(Classes((1, 2, 3), ("a", "b", "c")), file, "val.json")
    assert found.category_of == category_of
    assert said in " ".join(found.notes) and bool(found.notes) == bool(said)


def test_classes_that_do_not_meet_are_refused() -> None:
    with pytest.raises(ValueError, match=r"val\.json: expected categories that the network knows \(1 a\), got 9 x"):
        match(Classes((1,), ("a",)), Categories((9,), ("x",)), "val.json")
    with pytest.raises(ValueError, match=r"val\.json: expected 3 categories, .* got 1 \(9 x\)"):
        match(unnamed(3), Categories((9,), ("x",)), "val.json")
    assert "order" in match(unnamed(1), Categories((9,), ("x",)), "val.json").notes[0]


def cut_short(data: dict[str, Any]) -> dict[str, Any]:
    """Run lengths of the second annotation's picture that end before it does."""
    picture = next(i for i in data["images"] if i["id"] == data["annotations"][1]["image_id"])
    return {"size": [picture["height"], picture["width"]], "counts": [10, 20]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["annotations"][1].update(bbox=[500, 500, 10, 10]), ("annotation 2", "inside its picture", "leaves it by")),
        (lambda d: d["annotations"][1].update(bbox=[5, 5, 0, 10]), ("annotation 2", "with an area", "width 0")),
        (lambda d: d["annotations"][1].update(bbox=[5, 5, 10]), ("annotation 2", "four numbers")),
        (lambda d: d["annotations"][1].update(bbox=[5, 5, float("nan"), 4]), ("NaN, which json does not have",)),
        (lambda d: d["annotations"][1].update(category_id=91), ("annotation 2", "listed category", "91", "37 sports ball")),
        (lambda d: d["annotations"][1].update(image_id=4711), ("annotation 2", "listed picture", "4711")),
        (lambda d: d["annotations"][1].update(area="big"), ("annotation 2", "area as a number", "'big'")),
        (lambda d: d["annotations"][1].update(segmentation=[[1, 2, 3, None]]), ("annotation 2", "polygons")),
        (lambda d: d["annotations"][1].update(segmentation={"size": [5, 5], "counts": [25]}), ("annotation 2", "picture's size")),
        (lambda d: d["annotations"][1].update(segmentation={"counts": [25]}), ("annotation 2", "size [height, width]")),
        (lambda d: d["annotations"][1].update(segmentation=cut_short(d)), ("annotation 2", "runs over", "cut short")),
        (lambda d: d["annotations"].insert(1, 7), ("annotations[1]", "an object")),
        (lambda d: d["categories"][0].pop("id"), ("categories[0]", "whole number")),
        (lambda d: d["images"][2].update(width="abc"), ("images[2]", "width", "'abc'")),
        (lambda d: d["images"][2].update(height=0), ("images[2]", "height", "got 0")),
        (lambda d: d["images"][2].update(id=1), ("images[2]", "second picture")),
        (lambda d: d["images"][2].update(id=[1]), ("images[2]", "got [1]")),
        (lambda d: d["categories"][0].update(id=[1]), ("categories[0]", "got [1]")),
        (lambda d: d["annotations"][1].update(image_id=[1]), ("annotation 2", "listed picture", "[1]")),
        (lambda d: d["annotations"][1].update(category_id=[1]), ("annotation 2", "listed category", "[1]")),
        (lambda d: d["images"][2].pop("file_name"), ("images[2]", "'file_name'")),
        (lambda d: d["images"][2].update(file_name="gone.png"), ("image 3", "gone.png", "1 of 9")),
        (lambda d: d.update(annotations=[]), ("annotations", "empty list", "ground truth")),
        (lambda d: d.update(images=[]), ("images", "empty list")),
        (lambda d: d.pop("categories"), ("'categories'", "is missing")),
    ],
)  # fmt: skip
def test_bad_annotations_give_one_clear_message(
    change: Callable[[dict[str, Any]], None], words: tuple[str, ...], shapes_root: Path, tmp_path: Path
) -> None:
    root = edited(shapes_root, tmp_path / "coco", change)
    with pytest.raises(ValueError) as caught:
        DetectionEvalData(root, "val2017", SMALL)
    text = str(caught.value)
    assert "instances_val2017.json" in text
    assert "\n" not in text
    for word in words:
        assert word in text


def test_json_without_end_is_named(shapes_root: Path, tmp_path: Path) -> None:
    root = edited(shapes_root, tmp_path / "coco", lambda d: None)
    (root / "annotations" / "instances_val2017.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"instances_val2017\.json: expected .*(nested too deep|an object)"):
        DetectionEvalData(root, "val2017", SMALL)


@pytest.mark.parametrize("broken", [{"area": 0}, {"ignore": 1}, {"iscrowd": 1}, {"bbox": [5, 5, 0.5, 30]}])
def test_training_passes_over_what_the_reference_does(
    broken: dict[str, Any], shapes_root: Path, tmp_path: Path
) -> None:
    before = DetectionTrainData(shapes_root, "val2017", DetectionAugment(flip=0), 0, SMALL)
    row = next(row for row in range(len(before)) if len(before[0, row]["boxes"]) > 1)
    changed = before.instances.objects.ids[before.instances.rows(before.rows[row])[0]]

    def change(data: dict[str, Any]) -> None:
        next(a for a in data["annotations"] if a["id"] == changed).update(broken)

    after = DetectionTrainData(
        edited(shapes_root, tmp_path / "coco", change), "val2017", DetectionAugment(flip=0), 0, SMALL
    )
    np.testing.assert_array_equal(after[0, row]["boxes"], before[0, row]["boxes"][1:])


def test_degenerate_boxes_can_be_left_out(shapes_root: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["annotations"][0]["bbox"] = [5, 5, 0, 3]
        data["annotations"][1]["bbox"] = [-20, 10, 40, 30]

    root = edited(shapes_root, tmp_path / "coco", change)
    made = read_instances(root, "val2017", "skip")
    kept = dict(zip(made.objects.ids, made.objects.boxes.tolist()))
    assert made.objects.skipped == 1 and made.objects.clipped == 1
    assert any("1 boxes of no area" in note for note in made.notes) and any("clipped" in note for note in made.notes)
    assert 1 not in kept
    assert kept[2] == [0, 10, 20, 30]


def test_missing_files_say_where(tmp_path: Path, shapes_root: Path) -> None:
    with pytest.raises(ValueError, match=r"instances_val2017\.json.*no such file"):
        read_instances(tmp_path, "val2017")
    shutil.copytree(shapes_root, tmp_path / "coco")
    shutil.rmtree(tmp_path / "coco" / "val2017")
    with pytest.raises(ValueError, match="no such folder"):
        read_instances(tmp_path / "coco", "val2017")


def test_pictures_below_images_and_the_person_set(shapes_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "coco"
    shutil.copytree(shapes_root, root)
    (root / "images").mkdir()
    (root / "val2017").rename(root / "images" / "val2017")
    annotations = root / "annotations"
    (annotations / "instances_val2017.json").rename(annotations / "person_keypoints_val2017.json")
    made = read_instances(root, "val2017")
    assert made.fallback is not None
    assert made.files[0] == "images/val2017/000001.png"
    assert get_task("detection").data_files("coco", root, "val2017", SMALL) == [made.path]


def test_a_picture_of_another_size_is_refused(shapes_root: Path, tmp_path: Path) -> None:
    root = edited(shapes_root, tmp_path / "coco", lambda d: d["images"][0].update(width=140, height=100))
    with pytest.raises(ValueError, match="140x100"):
        DetectionEvalData(root, "val2017", SMALL)[0]


def test_masks_of_polygons_and_runs_agree(shapes_root: Path) -> None:
    made = read_instances(shapes_root, "val2017")
    objects, rows = made.objects, made.rows(0, crowd=True).tolist()
    crowd = next(row for row in rows if objects.crowd[row])
    single = next(row for row in rows if (objects.boxes[row] == objects.boxes[crowd]).all() and not objects.crowd[row])
    height, width = made.size_hw(0)
    assert isinstance(objects.shapes[crowd], dict) and isinstance(objects.shapes[single], list)
    assert (objects.shapes.mask(crowd, height, width) == objects.shapes.mask(single, height, width)).all()
    assert len(made.boxes(0, crowd=True)[0]) == len(made.boxes(0)[0]) + 1


def test_keep_ratio_sizes() -> None:
    assert keep_ratio((480, 640), 800, 1333)[1] == (800, 1067)
    assert keep_ratio((426, 640), 800, 1333)[1] == (800, 1202)
    assert keep_ratio((300, 640), 800, 1333)[1] == (625, 1333)


@pytest.mark.parametrize("size_hw", [(900, 1), (1, 900)])
@pytest.mark.parametrize("family", [None, "torchvision"])
def test_a_picture_of_one_column_keeps_a_pixel(size_hw: tuple[int, int], family: str | None) -> None:
    protocol = replace(detection_protocol(family), short_px=64, long_px=128)
    made, _ = network_input(np.full((*size_hw, 3), 128, dtype=np.uint8), protocol)
    assert min(made.shape[1:]) == 1 and max(made.shape[1:]) == 128


@pytest.mark.parametrize("family", [None, "mmdet", "torchvision"])
def test_inputs_are_normalised_and_know_their_scale(family: str | None) -> None:
    protocol = detection_protocol(family)
    picture = np.full((60, 90, 3), 128, dtype=np.uint8)
    made, scale = network_input(picture, protocol)
    expected = (128 / 255 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    assert np.allclose(made.mean((1, 2)), expected, atol=1e-5)
    assert min(made.shape[1:]) == 800
    assert scale[0] == pytest.approx(made.shape[2] / 90, abs=0.01)


def test_torchvision_resizing_is_torchvisions() -> None:
    import torch
    from torchvision.models.detection.transform import GeneralizedRCNNTransform

    picture = np.random.default_rng(0).integers(0, 255, (47, 61, 3), dtype=np.uint8)
    made, _ = network_input(picture, detection_protocol("torchvision"))
    transform = GeneralizedRCNNTransform(800, 1333, list(IMAGENET_MEAN), list(IMAGENET_STD)).eval()
    tensor = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    theirs, _ = transform([tensor])
    height, width = theirs.image_sizes[0]
    assert torch.allclose(theirs.tensors[0, :, :height, :width], torch.from_numpy(made), atol=1e-6)


def test_flipping_twice_is_nothing() -> None:
    boxes = np.array([[3.0, 4.0, 10.0, 12.0], [0.0, 0.0, 64.0, 5.0]])
    assert np.array_equal(flip_boxes(flip_boxes(boxes, 64), 64), boxes)
    # With inclusive ends the reference writes width - 1 - x.
    assert flip_boxes(boxes, 64)[0].tolist() == [54.0, 4.0, 61.0, 12.0]


@pytest.mark.parametrize("augment", [{}, {"crop_wh": (64, 48)}, {"long_px": (128, 160), "short_px": (96, 120)}])
def test_training_samples_keep_boxes_on_their_objects(augment: dict[str, Any], shapes_root: Path) -> None:
    """A mask's bounding box is the box, whatever was flipped, resized or cropped."""
    made = DetectionAugment(
        **{"long_px": (128,), "short_px": (96,), "masks": True, "inclusive_ends": False, "flip": 0.5, **augment}
    )
    data = DetectionTrainData(shapes_root, "train2017", made, 3, SMALL)
    widths = set()
    for epoch in range(2):
        for index in range(len(data)):
            sample = data[epoch, index]
            widths.add(sample["images"].shape[2])
            for box, mask in zip(sample["boxes"], sample["masks"]):
                if mask.sum() < 30:
                    continue
                rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
                found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
                if "crop_wh" in augment:
                    # A cut object's mask may be smaller than its cut box, never larger.
                    assert np.less_equal([box[0] - 2.5, box[1] - 2.5, *found[2:]], [*found[:2], *(box[2:] + 2.5)]).all()
                else:
                    assert np.allclose(found, box, atol=2.5)
    again = data[1, 2]
    assert all(np.array_equal(again[k], data[1, 2][k]) for k in ("images", "boxes", "labels", "masks"))
    assert again["seed"] == data[1, 2]["seed"] != data[0, 2]["seed"]
    if "crop_wh" in augment:
        assert widths <= {64, 48}


def cropped(
    seed: int, size_wh: tuple[int, int], boxes: np.ndarray, inclusive: bool = False
) -> tuple[int, int, list[int]]:
    """Left and top of the window that a seed draws in a picture of 600x400, and which boxes are kept."""
    augment = DetectionAugment(crop_wh=size_wh, inclusive_ends=inclusive)
    y, x = _window(np.random.default_rng(seed), (400, 600), boxes, augment)
    assert (x.stop - x.start, y.stop - y.start) == size_wh
    moved, kept = crop_boxes(boxes, (x.start, y.start), (size_wh[1], size_wh[0]), inclusive)
    assert (moved[kept] >= 0).all() and (moved[kept] <= (*size_wh, *size_wh)).all()
    return x.start, y.start, np.flatnonzero(kept).tolist()


def test_crops_are_shifted_by_30_and_10_px_and_keep_boxes_by_their_centre() -> None:
    boxes = np.array([[250.0, 150.0, 350.0, 250.0], [150.0, 150.0, 230.0, 250.0], [380.0, 180.0, 600.0, 220.0]])
    shifts = []
    for seed in range(300):
        left, top, kept = cropped(seed, (200, 120), boxes)
        # Their centres are at 300, 190 and 490; the window spans 200 px from its left border.
        assert kept == [k for k, x in enumerate((300, 190, 490)) if left < x < left + 200]
        chosen = int(np.random.default_rng(seed).integers(3))
        assert chosen in kept
        if chosen == 0:
            shifts.append((left - 200, top - 140))
    assert np.abs(shifts).max(0).tolist() <= [30, 10]
    assert np.min(shifts, axis=0)[0] < -20 and np.max(shifts, axis=0)[0] > 20
    assert np.min(shifts, axis=0)[1] < -7 and np.max(shifts, axis=0)[1] > 7


@pytest.mark.parametrize("inclusive", [False, True])
def test_small_crops_keep_the_object_that_they_were_drawn_around(inclusive: bool) -> None:
    for box in ([290.0, 190.0, 310.0, 210.0], [0.0, 0.0, 4.0, 3.0], [590.0, 395.0, 600.0, 400.0]):
        assert all(cropped(seed, (24, 16), np.array([box]), inclusive)[2] == [0] for seed in range(100))


def test_batches_hold_one_aspect_and_pad_to_32(shapes_root: Path) -> None:
    augment = DetectionAugment(long_px=(128,), short_px=(90,), pad_wh=(200, 150))
    data = DetectionTrainData(shapes_root, "train2017", augment, 0, SMALL)
    groups = data.groups()
    assert set(groups) == {0, 1}
    for group in (0, 1):
        batch = data.collate([data[0, int(i)] for i in np.flatnonzero(groups == group)[:3]])
        assert batch["images"].shape[-2:] == ((150, 200) if group else (200, 150))
        height, width = batch["sizes_hw"][0]
        assert (batch["images"][0, :, height:] == 0).all()
        assert (batch["images"][0, :, :, width:] == 0).all()


def test_crowds_are_not_learnt(shapes_root: Path) -> None:
    augment = DetectionAugment(long_px=(128,), short_px=(96,))
    data = DetectionTrainData(shapes_root, "train2017", augment, 0, SMALL)
    rows = [data.instances.rows(data.rows[0], crowd) for crowd in (False, True)]
    assert len(data[0, 0]["boxes"]) == len(rows[0]) == len(rows[1]) - 1


@pytest.mark.parametrize(
    "change", [{"short_px": 16}, {"short_px": 900, "long_px": 800}, {"nms_iou": 1.5}, {"max_detections": 0}]
)
def test_protocols_are_checked(change: dict[str, Any], shapes_root: Path) -> None:
    protocol = get_task("detection").protocol_with(DetectionProtocol(), change)
    with pytest.raises(ValueError, match="Expected"):
        DetectionEvalData(shapes_root, "val2017", protocol)
