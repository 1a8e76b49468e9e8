"""`score`: submission files read back give the figures of the cell that wrote them; others' files are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import entry
from tasks import get_task

CASES = {"pose/coco": "p.json", "pose/mpii": "p.mat", "detection/coco": "p.json"}


@pytest.fixture(scope="module", params=CASES)
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, dict[str, Any]]:
    """A cell's name, a folder with data/ and its submission file, and its record."""
    folder = tmp_path_factory.mktemp("score")
    task, dataset = request.param.split("/")
    words = ["train", "--task", task, "--dataset", dataset, "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--embedded-root", str(folder / "data"), "--out", str(folder / "out")]
    words += ["--json", str(folder / "r.json"), "--predictions", str(folder / CASES[request.param])]
    assert entry(words) == 0
    return request.param, folder, json.loads((folder / "r.json").read_text())


def score(name: str, folder: Path, file: Path, *more: str) -> int:
    task, dataset = name.split("/")
    root = folder / "data" / "smoke" / ("coco_detection" if task == "detection" else dataset)
    words = ["score", "--task", task, "--dataset", dataset, "--file", str(file), "--data-root", str(root)]
    return entry([*words, *more])


def test_a_submission_scores_as_its_cell_did(
    trained: tuple[str, Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    name, folder, record = trained
    assert score(name, folder, folder / CASES[name], "--json", str(folder / "s.json"), "--draws", "50") == 0
    assert json.loads((folder / "s.json").read_text())["interval"]["draws"] == 50
    made = json.loads((folder / "s.json").read_text())
    assert made["n"] == record["n"]["images"]
    known = {k: f["value"] for k, f in record["figures"].items() if f["value"] is not None}
    assert {k: f["value"] for k, f in made["figures"].items()} == pytest.approx(known, abs=1e-6)
    assert "bootstrap" in capsys.readouterr().out
    # What the cell keeps, compressed and not asked for, gives its figures to the last digit.
    stored = folder / "out" / "runs" / name.partition("/")[0] / record["id"]
    kept = {"pose/mpii": "predictions.mat", "pose/coco": "predictions.json.gz"}.get(name, "predictions")
    assert not list(stored.rglob("predictions*.json")) and not list(stored.glob("predictions/*.json"))
    assert score(name, folder, stored / kept, "--json", str(folder / "s.json"), "--draws", "0") == 0
    made = json.loads((folder / "s.json").read_text())
    assert {k: f["value"] for k, f in made["figures"].items()} == known


def test_other_files_are_refused(
    trained: tuple[str, Path, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, folder, _ = trained
    if name == "pose/mpii":
        from scipy.io import loadmat, savemat

        points = loadmat(folder / "p.mat")["preds"]
        savemat(tmp_path / "few.mat", {"preds": points[:-1]})
        savemat(tmp_path / "other.mat", {"points": points})
        unknown = points.astype(float)
        unknown[1, 2, 0] = float("nan")
        savemat(tmp_path / "unknown.mat", {"preds": unknown})
        (tmp_path / "text.mat").write_text("no matrix")
        cases = {
            "few.mat": f"got {len(points) - 1}",
            "other.mat": "expected `preds`",
            "unknown.mat": "`preds` of person 1, joint 2: expected finite coordinates",
            "text.mat": "MATLAB file",
            "gone.mat": "no such file",
        }
    else:
        # A network of a few steps may detect nothing.
        box = {"image_id": 400000, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.5}
        records = json.loads((folder / "p.json").read_text()) or [box]
        field = "keypoints" if name == "pose/coco" else "bbox"
        contents: dict[str, Any] = {
            "stranger": [{**records[0], "image_id": 4711}],
            "short": [{**records[0], field: records[0][field][:-1]}],
            "unscored": [{k: v for k, v in records[0].items() if k != "score"}],
            "nan": [{**records[0], "score": float("nan")}],
            "object": {"images": []},
            "row": [7],
        }
        for stem, content in contents.items():
            (tmp_path / f"{stem}.json").write_text(json.dumps(content))
        (tmp_path / "cut.json").write_text(json.dumps(records)[:-9])
        (tmp_path / "deep.json").write_text("[" * 100_000)
        cases = {
            "stranger.json": "4711",
            "short.json": f"expected {field}",
            "unscored.json": "'score'",
            "nan.json": "finite score",
            "object.json": "list of results",
            "row.json": "entry 0",
            "cut.json": "no valid json",
            "deep.json": "expected ",
            "gone.json": "no such file",
        }
    for file, words in cases.items():
        assert score(name, folder, tmp_path / file) == 2, file
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and file in lines[0] and words in lines[0], lines


def test_a_task_without_such_files_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_task("landmarks"), "reads_submissions", False)
    words = ["score", "--task", "landmarks", "--dataset", "wflw", "--file", "p.json", "--data-root", str(tmp_path)]
    assert entry(words) == 2
    assert "not read back" in capsys.readouterr().err
