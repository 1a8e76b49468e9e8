"""Own datasets by dataset.toml, through the verbs: looked at, trained, evaluated, scored, predicted, in a table and compared."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from own_data import FLOWERS, HAND_SIGMAS, MAKERS
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import tasks
from benchmarks.cli import entry
from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store
from benchmarks.tables.filling import fill
from benchmarks.tables.task_table import TaskTable

HEADLINES = {
    "hand21": "AP",
    "mouse9": "AP",
    "parts3": "AP",
    "rooms5": "mIoU",
    "faces5": "NME[points]",
    "flowers": "top1",
}
TRUTHS = {"hand21": "annotations/val.json", "mouse9": "val.json", "parts3": "annotations/val.json"}
PERSON_SIGMAS = [2.6, 2.5, 2.5, 3.5, 3.5, 7.9, 7.9, 7.2, 7.2, 6.2, 6.2, 10.7, 10.7, 8.7, 8.7, 8.9, 8.9]
SIGMAS = {"hand21": HAND_SIGMAS, "mouse9": [float(np.mean(PERSON_SIGMAS)) / 100] * 9, "parts3": None}


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    _forget()


def _forget() -> None:
    for name in tasks.task_names():
        for attribute in ("datasets", "metrics"):
            tasks.get_task(name).__dict__.pop(attribute, None)


def _called(words: list[Any], capsys: pytest.CaptureFixture[str], status: int = 0) -> str:
    """What a call prints; its status is checked."""
    found = entry([str(word) for word in words])
    told = capsys.readouterr()
    assert found == status, told.err + told.out
    return told.out if status == 0 else told.err


def _miou(folder: Path, predictions: Path) -> float:
    """Mean over five classes of pooled intersections over unions."""
    inner, outer = np.zeros(5), np.zeros(5)
    for path in sorted((folder / "labels" / "val").glob("*.png")):
        truth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        made = cv2.imread(str(predictions / path.name), cv2.IMREAD_UNCHANGED)
        assert truth is not None and made is not None and made.shape == truth.shape
        for k in range(5):
            same, either = (truth == k) & (made == k), ((truth == k) | (made == k)) & (truth != 255)
            inner[k] += same.sum()
            outer[k] += either.sum()
    return float(100 * (inner / np.maximum(1, outer)).mean())


def _nme(folder: Path, predictions: Path) -> float:
    """Mean distance over the distance of points 0 and 1, mean over faces."""
    with (folder / "val.csv").open() as file:
        truth = [np.array([float(v) for v in row[4:]]).reshape(5, 2) for row in list(csv.reader(file))[1:]]
    with predictions.open() as file:
        made = [np.array([float(v) for v in row[2:]]).reshape(5, 2) for row in list(csv.reader(file))[1:]]
    errors = [
        np.linalg.norm(p - t, axis=1).mean() / np.linalg.norm(t[0] - t[1]) for p, t in zip(made, truth, strict=True)
    ]
    return float(100 * np.mean(errors))


def _average_precision(name: str, folder: Path, predictions: Path) -> float:
    """pycocotools' own figure of the files as they are, in per cent."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / TRUTHS[name]))
        judge = COCOeval(truth, truth.loadRes(str(predictions)), "bbox" if name == "parts3" else "keypoints")
        if SIGMAS[name] is not None:
            judge.params.kpt_oks_sigmas = np.array(SIGMAS[name])
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(100 * judge.stats[0])


def _top1(folder: Path, predictions: Path) -> float:
    lines = predictions.read_text().splitlines()[1:]
    right = [("aster", "lily", "rose")[int(line.split(",")[1].split()[0])] == line.split("/")[0] for line in lines]
    return 100 * sum(right) / len(right)


JUDGES: dict[str, Any] = {name: partial(_average_precision, name) for name in TRUTHS}
JUDGES |= {"rooms5": _miou, "faces5": _nme, "flowers": _top1}


PICTURES = {"hand21": "images/val_0.png", "mouse9": "frames/val_0.png", "parts3": "images/val_0.png"}
PICTURES |= {"rooms5": "images/val/0.jpg", "faces5": "images/val_0.png", "flowers": "pictures/val/rose/0.png"}
"""Of the validation split: the first of its file."""


def _as_evaluated(name: str, plain: Any, drawn: Path, predictions: Path) -> None:
    """What `predict` says of a picture is what `eval --predictions` wrote of it."""
    if name in TRUTHS:
        found = [record for record in json.loads(predictions.read_text()) if record["image_id"] == 1]
        seen = plain if name == "parts3" else plain["persons"]
        assert sorted(r["category_id"] for r in seen) == sorted(r["category_id"] for r in found)
        if name == "parts3":
            for made, expected in zip(_columns(seen), _columns(found), strict=True):
                np.testing.assert_allclose(made, expected, atol=0.02)
        else:
            [pose] = (np.array(record["keypoints"]).reshape(-1, 3) for record in found)
            np.testing.assert_allclose(np.array(seen[0]["keypoints"])[:, :2], pose[:, :2], atol=0.02)
    elif name == "rooms5":
        expected = cv2.imread(str(predictions / "0.png"), cv2.IMREAD_UNCHANGED)
        with Image.open(drawn / "0.png") as image:
            assert image.mode == "P" and image.getpalette()[3:6] == [70, 70, 70]
            assert (np.asarray(image) == expected).mean() > 0.999
    elif name == "faces5":
        [line] = [row for row in _lines(predictions) if row[0].endswith("val_0.png")]
        np.testing.assert_allclose(np.ravel(plain["faces"][0]["points"]), np.array(line[2:], float), atol=0.02)
    else:
        [line] = [row for row in _lines(predictions) if row[0].startswith("rose/0")]
        assert plain["classes"][0]["category_id"] == int(line[1].split()[0])


def _lines(path: Path) -> list[list[str]]:
    with path.open() as file:
        return list(csv.reader(file))


def _columns(records: list[dict[str, Any]]) -> np.ndarray:
    """Scores and the four numbers of boxes, each sorted by itself."""
    return np.sort([[record["score"], *record["bbox"]] for record in records], axis=0).T


@pytest.mark.parametrize("name", HEADLINES)
def test_a_dataset_of_ones_own_through_the_verbs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task, make = MAKERS[name]
    folder, headline = tmp_path / "data" / "some_folder", HEADLINES[name]
    make(folder)
    out, told = tmp_path / "results", tmp_path / "told.json"
    places = ["--data-root", folder if name == "faces5" else tmp_path / "data", "--out", out]
    cell = ["--task", task, "--dataset", name, "--model", "hrnet_micro_w8"]
    steps = ["--set", "recipe.lr=0.001", "recipe.batch_size=3"]
    _called(["train", *cell, "--tier", "smoke", *steps, *places, "--json", told], capsys)
    record = json.loads(told.read_text())
    assert record["declaration"]["name"] == name and record["headline"] == headline
    trained = record["figures"][headline]["value"]

    weights = Store(out / "runs").load(task, record["id"]).folder / "weights.pt"  # type: ignore[union-attr]
    predictions = tmp_path / ("maps" if name == "rooms5" else "predictions")
    if name != "rooms5":
        predictions = predictions.with_suffix(".json" if name in TRUTHS else ".csv")
    call = ["eval", *cell, "--checkpoint", weights, *places, "--predictions", predictions, "--json", told]
    _called(call, capsys)
    value = json.loads(told.read_text())["figures"][headline]["value"]
    assert value == pytest.approx(trained, abs=1e-3)  # products in another order of the memory
    # Files of predictions hold three decimals of a pixel.
    assert value == pytest.approx(JUDGES[name](folder, predictions), rel=1e-4, abs=1e-3)
    scoring = ["score", *cell[:4], "--file", predictions, *places[:2], "--json", told]
    _called(scoring, capsys)
    assert json.loads(told.read_text())["figures"][headline]["value"] == pytest.approx(value, rel=1e-4)
    picture = folder / PICTURES[name]
    drawn = tmp_path / "drawn"
    _called(["predict", *cell, "--checkpoint", weights, *places[:2], "--out", drawn, picture], capsys)
    assert list(drawn.glob("*.png"))
    [plain] = json.loads((drawn / "predictions.json").read_text()).values()
    _as_evaluated(name, plain, drawn, predictions)

    same = make_cell(task, name, "hrnet_micro_w8", tier="smoke", embedded=False, recipe={"lr": 0.001, "batch_size": 3})
    table = TaskTable("own", "Own", task, name, (same.id,), (headline,))
    text = fill(Suite("own", (same,), (table,), ""), Store(out / "runs"), intervals="none")[0].render("csv")
    assert str(trained)[:6] in text, text
    shown = f"{trained:.{tasks.get_task(task).metrics[headline].decimals}f}"
    # Without the data: the result itself says what its dataset is.
    _forget()
    told_rows = _called(["compare", out, out, "--draws", "20"], capsys)
    rows = [line for line in told_rows.splitlines() if f"{task}/{name}" in line]
    assert any(shown in row for row in rows), (shown, told_rows)


@pytest.mark.parametrize("name", TRUTHS)
def test_predictions_near_the_truth_score_as_pycocotools_has_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task, make = MAKERS[name]
    make(tmp_path)
    truth = json.loads((tmp_path / TRUTHS[name]).read_text())
    rng, made = np.random.default_rng(0), []
    for one in truth["annotations"]:
        found = {"image_id": one["image_id"], "category_id": one["category_id"], "score": float(rng.random())}
        if task == "pose":
            points = np.array(one["keypoints"], float).reshape(-1, 3)
            points[:, :2] += rng.normal(0, 1, points[:, :2].shape)
            found["keypoints"] = points.ravel().tolist()
        else:
            found["bbox"] = [*(np.array(one["bbox"][:2]) + rng.normal(0, 2, 2)), *one["bbox"][2:]]
        made.append(found)
    (tmp_path / "found.json").write_text(json.dumps(made))
    told = tmp_path / "told.json"
    call = ["score", "--task", task, "--dataset", name, "--file", tmp_path / "found.json", "--data-root", tmp_path]
    _called([*call, "--json", told], capsys)
    record, expected = json.loads(told.read_text()), _average_precision(name, tmp_path, tmp_path / "found.json")
    assert 1 < expected < 99 and record["figures"]["AP"]["value"] == pytest.approx(expected, abs=1e-9)
    assert any("sigmas are not stated: 0.0669" in note for note in record["notes"]) == (name == "mouse9")


def test_training_starts_from_weights_of_other_joints_and_says_what_it_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("hand21", "mouse9"):
        MAKERS[name][1](tmp_path / name)
    told = tmp_path / "told.json"
    call = ["train", "--task", "pose", "--model", "hrnet_micro_w8", "--tier", "smoke", "--data-root", tmp_path]
    call += ["--out", tmp_path / "out", "--json", told]
    _called([*call, "--dataset", "hand21"], capsys)
    [weights] = (tmp_path / "out" / "runs").rglob("weights.pt")
    _called([*call, "--dataset", "mouse9", "--init", weights], capsys)
    record = json.loads(told.read_text())
    [note] = [note for note in record["notes"] if "started from weights.pt" in note]
    assert "21 outputs were not loaded (head.predict.weight, head.predict.bias)" in note


def test_doctor_looks_at_declared_datasets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in HEADLINES:
        MAKERS[name][1](tmp_path / name)
    (tmp_path / "faces5" / "val.csv").write_text("image_name\n")
    told = entry(["doctor", "--all", "--data-root", str(tmp_path), "--out", str(tmp_path / "out")])
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    found = {line[1]: (line[0], line[2]) for line in reversed(lines) if len(line) == 3 and "/" in line[1]}
    assert told == 1
    assert found["segmentation/rooms5"][0] == "ok" and "4 samples" in found["segmentation/rooms5"][1]
    assert found["landmarks/faces5"][0] == "!" and "val.csv" in found["landmarks/faces5"][1]


def test_a_name_that_is_taken_and_one_that_nobody_declares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    MAKERS["flowers"][1](data / "one")
    other = data / "other"
    other.mkdir()
    call = ["train", "--task", "classification", "--model", "hrnet_micro_w8", "--data-root", data, "--out", tmp_path]
    for toml, name, words in (
        (FLOWERS, "flowers", "declares 'flowers'"),
        (FLOWERS.replace("flowers", "imagenet"), "flowers", "'imagenet' is the name of a dataset"),
        (FLOWERS.replace('name = "flowers"', 'name = "herbs"'), "herb", "Did you mean 'herbs'"),
        (FLOWERS.replace('name = "flowers"', 'name = "herbs"'), "herbs", "Expected class folders"),
        (FLOWERS.replace("crop", "crops"), "flowers", "declares 'flowers'"),
    ):
        (other / "dataset.toml").write_text(toml)
        assert words in _called([*call, "--dataset", name], capsys, status=2)


def test_a_suite_runs_own_datasets_in_worker_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("rooms5", "faces5"):
        MAKERS[name][1](tmp_path / "data" / name)

    def own(name: str, **options: Any) -> Suite:
        """A suite as a file of `benchmarks/suites` would make it: the datasets have been declared by then."""
        made = [
            make_cell(MAKERS[n][0], n, "hrnet_micro_w8", tier="smoke", embedded=False) for n in ("rooms5", "faces5")
        ]
        tables = [
            TaskTable(f"own_{c.task}", c.dataset, c.task, c.dataset, (c.id,), (HEADLINES[c.dataset],)) for c in made
        ]
        return Suite("own", tuple(made), tuple(tables), "")

    monkeypatch.setattr("benchmarks.commands.arguments.load_suite", own)
    places = ["--suite", "own", "--data-root", tmp_path / "data", "--out", tmp_path / "out"]
    assert _called(["plan", *places], capsys).count("to run") >= 2
    _called(["run", *places, "--jobs", "1", "--no-report"], capsys)
    assert _called(["plan", *places], capsys).count(" done") >= 2
    table = _called(["tables", *places, "--format", "csv", "--intervals", "none"], capsys)
    assert "NME[points]" in table and "mIoU" in table and "not run" not in table
    toml = tmp_path / "data" / "rooms5" / "dataset.toml"
    toml.write_text(toml.read_text().replace('"person"', '"people"'))
    _forget()
    assert "stale" in _called(["plan", *places], capsys)
