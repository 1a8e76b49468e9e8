"""Instance files as exporters write them: the figures of pycocotools on the clean file, or one line that says why not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Literal

import judged
import numpy as np
import pytest
from judged import each

from benchmarks.cli import entry
from tasks.coco.objects import read_objects
from tasks.detection.files.annotations import read_instances
from tasks.detection.files.results import read_submission
from tasks.detection.metrics import class_figures, figures, score_results, submission_stats
from tasks.files import rle

CLEAN = judged.things()


def scored(
    root: Path, truth: Any, results: Any, degenerate: Literal["error", "skip"] = "error", name: str = "results.json"
) -> tuple[dict[str, float], str]:
    """(figures, notes) of `score` on files of this content; no picture is needed."""
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / "annotations" / "instances_val2017.json").write_text(json.dumps(truth))
    (root / name).write_text(json.dumps(results))
    instances = read_instances(root, "val2017", degenerate, pictures=False)
    submission = read_submission(root / name, instances)
    return figures(submission_stats(instances, submission)), " ".join((*instances.notes, *submission.notes))


def changed(change: Any) -> Any:
    truth = copy.deepcopy(CLEAN)
    change(truth)
    return truth


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (each(id=lambda i, a: i), ""),
        (each(id=lambda i, a: -1 - i), ""),
        (each(id=7), ""),
        (each(id=...), ""),
        (each(id=lambda i, a: f"{i}" if i % 2 else i), ""),
        (each(iscrowd=...), ""),
        (each(iscrowd="0"), ""),
        (each(area=...), "areas are missing"),
        (each(area=None), "areas are missing"),
        (each(area=0), "areas are missing, null or 0"),
        (each(bbox=...), "boxes are missing"),
        (each(category_id=lambda i, a: str(a["category_id"])), ""),
    ],
)  # fmt: skip
def test_derivable_fields_change_no_figure(kind: str, change: Any, said: str, tmp_path: Path) -> None:
    results = judged.detections(CLEAN, masks=kind == "segm")
    expected = judged.right(CLEAN, results, kind)
    assert 20 < expected < 95
    found, notes = scored(tmp_path, changed(change), results)
    assert found["mask_AP" if kind == "segm" else "AP"] == pytest.approx(expected)
    assert said in notes and bool(notes) == bool(said)


@pytest.mark.parametrize("shape", [[], None, {}, ..., [[1, 1, 5, 5]], [[]]])
def test_an_object_without_a_mask_counts_for_boxes_and_is_named_for_masks(shape: Any, tmp_path: Path) -> None:
    truth = changed(each(segmentation=lambda i, a: shape if i == 3 else a["segmentation"]))
    boxes = judged.detections(CLEAN)
    found, notes = scored(tmp_path, truth, boxes)
    assert found["AP"] == pytest.approx(judged.right(CLEAN, boxes, "bbox"))
    assert ("three points" in notes) == (shape == [[1, 1, 5, 5]] or shape == [[]])
    with pytest.raises(ValueError, match=r"instances_val2017\.json, annotation 4: expected a segmentation .*\(1 of 24"):
        scored(tmp_path, truth, judged.detections(CLEAN, masks=True))


def test_a_line_beside_a_polygon_adds_nothing(tmp_path: Path) -> None:
    """pycocotools takes a first polygon of four numbers for a box: half of such a picture would be a mask."""
    truth = changed(each(segmentation=lambda i, a: [[1, 1, 190, 150], *a["segmentation"]]))
    results = judged.detections(CLEAN, masks=True)
    assert scored(tmp_path, truth, results)[0]["mask_AP"] == pytest.approx(judged.right(CLEAN, results, "segm"))


def test_run_lengths_of_either_form(tmp_path: Path) -> None:
    masks = judged.detections(CLEAN, masks=True)
    expected = judged.right(CLEAN, masks, "segm")

    def plain(shape: Any) -> Any:
        flat = rle.decode(shape, 160, 200).astype(int).reshape(-1, order="F")
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [1 - flat[-1]]])))
        return {"size": shape["size"], "counts": np.diff(np.concatenate([[0], edges])).tolist()}

    uncompressed = [{**r, "segmentation": plain(r["segmentation"])} for r in masks]
    assert scored(tmp_path, CLEAN, uncompressed)[0]["mask_AP"] == pytest.approx(expected)
    truth = changed(each(segmentation=lambda i, a: plain(judged.runs(a["segmentation"]))))
    assert scored(tmp_path, truth, masks)[0]["mask_AP"] == pytest.approx(expected)
    truth = changed(each(segmentation=lambda i, a: judged.runs(a["segmentation"]), bbox=..., area=...))
    assert scored(tmp_path, truth, masks)[0]["mask_AP"] == pytest.approx(expected)


def test_a_file_with_boxes_and_masks_is_scored_as_both(tmp_path: Path) -> None:
    boxes, masks = judged.detections(CLEAN), judged.detections(CLEAN, masks=True)
    both = [{**m, "bbox": b["bbox"]} for m, b in zip(masks, boxes)]
    as_boxes = [{k: v for k, v in record.items() if k != "segmentation"} for record in both]
    found, _ = scored(tmp_path, CLEAN, both)
    assert found["AP"] == pytest.approx(judged.right(CLEAN, as_boxes, "bbox"))
    assert found["mask_AP"] == pytest.approx(judged.right(CLEAN, masks, "segm"))
    # In a folder each file is scored by what its name says.
    scored(tmp_path, CLEAN, both, name="segm.json")
    scored(tmp_path, CLEAN, boxes, name="bbox.json")
    found = score_results(read_instances(tmp_path, "val2017", pictures=False), tmp_path)
    assert found["AP"] == pytest.approx(judged.right(CLEAN, boxes, "bbox"))
    assert found["mask_AP"] == pytest.approx(judged.right(CLEAN, masks, "segm"))
    assert found["mask_APM"] == pytest.approx(scored(tmp_path, CLEAN, masks)[0]["mask_APM"])


def test_degenerate_boxes_are_left_out_of_scoring_too(tmp_path: Path) -> None:
    truth = changed(
        each(bbox=lambda i, a: {0: [5, 5, 0, 3], 1: [400, 10, 20, 30], 2: [-30, 10, 60, 40]}.get(i, a["bbox"]))
    )
    right = copy.deepcopy(truth)
    right["annotations"][2]["bbox"] = [0, 10, 30, 40]
    right["annotations"] = right["annotations"][2:]
    boxes = judged.detections(CLEAN)
    with pytest.raises(ValueError, match=r"annotation 1: .*degenerate_boxes=skip"):
        scored(tmp_path, truth, boxes)
    found, notes = scored(tmp_path, truth, boxes, "skip")
    assert found["AP"] == pytest.approx(judged.right(right, boxes, "bbox"))
    assert "2 boxes of no area" in notes and "1 boxes that leave their pictures are clipped" in notes
    (tmp_path / "coco").symlink_to(tmp_path)
    words = ["score", "--task", "detection", "--dataset", "coco", "--file", str(tmp_path / "results.json")]
    words += ["--data-root", str(tmp_path), "--json", str(tmp_path / "o.json")]
    assert entry(words) == 2
    assert entry([*words, "--protocol", "degenerate_boxes=skip"]) == 0
    made = json.loads((tmp_path / "o.json").read_text())
    assert made["figures"]["AP"]["value"] == pytest.approx(found["AP"]) and len(made["notes"]) == 2


def test_results_of_categories_that_are_not_listed_are_said(tmp_path: Path) -> None:
    boxes = judged.detections(CLEAN)
    others = [*boxes, {**boxes[0], "category_id": 90}]
    found, notes = scored(tmp_path, CLEAN, others)
    assert found["AP"] == pytest.approx(judged.right(CLEAN, boxes, "bbox"))
    assert "1 results of categories 90 are left out: the ground truth lists 1 person, 2 bicycle, 3 car" in notes
    with pytest.raises(ValueError, match=r"entry 0: expected a listed category, got category_id 4"):
        scored(tmp_path, CLEAN, [{**r, "category_id": r["category_id"] + 3} for r in boxes])
    own = judged.things(categories=((1, "bolt"), (5, "nut")))
    with pytest.raises(ValueError, match=r"entry 8: expected a listed category, got category_id 2"):
        scored(tmp_path, own, [*judged.detections(own)[:8], {**boxes[0], "category_id": 2}])


def test_own_categories_and_more_than_eighty(tmp_path: Path) -> None:
    for categories in (((1, "bolt"), (5, "nut"), (9, "washer")), tuple((i, f"thing {i}") for i in range(1, 101))):
        truth = judged.things(2, categories)
        boxes = judged.detections(truth)
        found, notes = scored(tmp_path, truth, boxes)
        assert found["AP"] == pytest.approx(judged.right(truth, boxes, "bbox")) and not notes
        instances = read_instances(tmp_path, "val2017", pictures=False)
        stats = submission_stats(instances, read_submission(tmp_path / "results.json", instances))
        assert list(class_figures(stats)) == [f"AP/{name}" for _, name in categories]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (each(segmentation=[[1, 2, 3, 4, 5]]), "annotation 1: expected segmentation as polygons of points x, y, got one of 5"),
        (each(segmentation=[[1, 2, 1e30, 4, 5, 6]]), "annotation 1: .*coordinate 1e\\+30"),
        (each(segmentation="mask.png"), "annotation 1: expected segmentation as polygons or run lengths, got 'mask.png'"),
        (each(segmentation=[[[1, 2], [3, 4]]]), "annotation 1: expected segmentation as polygons"),
        (each(segmentation={"size": [160, 200], "counts": [10**400]}), "annotation 1: .*a broken one"),
        (each(bbox=..., segmentation=...), "annotation 1: expected bbox .* got neither a box nor a segmentation"),
        (each(bbox=[0, 0, 1e30, 4]), "annotation 1: expected a box inside its picture"),
        (each(bbox=lambda i, a: [80 + i, 60 + i, 190, 150]), "looks like corners x1, y1, x2, y2"),
        (each(image_id=9), "annotation 1: expected the id of a listed picture, got image_id 9"),
        (each(category_id=9), "annotation 1: expected a listed category, got category_id 9"),
    ],
)  # fmt: skip
def test_what_cannot_be_derived_is_refused(change: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        scored(tmp_path, changed(change), judged.detections(CLEAN))
    assert "instances_val2017.json" in str(caught.value) and "\n" not in str(caught.value)


def test_boxes_and_areas_are_the_segmentations(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(json.dumps(changed(each(bbox=..., area=...))))
    read = read_objects(path)
    np.testing.assert_allclose(read.boxes, [a["bbox"] for a in CLEAN["annotations"]])
    np.testing.assert_allclose(read.areas, [a["area"] for a in CLEAN["annotations"]])
    path.write_text(json.dumps(changed(each(area=..., segmentation=...))))
    np.testing.assert_allclose(read_objects(path).areas, [a["bbox"][2] * a["bbox"][3] for a in CLEAN["annotations"]])
