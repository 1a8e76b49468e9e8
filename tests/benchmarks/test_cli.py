"""The command line: exit status, one line that says why, and no torch where none is needed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.cli import VERBS, entry, parser_for
from benchmarks.commands.arguments import apply_sets, suite_of
from benchmarks.commands.settings import pairs, split_sets
from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.running.plan import select
from benchmarks.suites import load_suite
from benchmarks.synthetic.cache import ensure
from tasks import get_task, task_names

REPOSITORY = Path(__file__).resolve().parents[2]
TRAIN = ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["evaluate"], "Did you mean 'eval'"),
        (["plan", "--suite", "embeded"], "Did you mean 'embedded'"),
        (["plan", "--suite", "embedded_pose", "--only", "nothing/*"], "matches no cell"),
        (["train", "--task", "pos", "--dataset", "coco", "--model", "hrnet_w32"], "Did you mean 'pose'"),
        (["train", "--task", "pose", "--dataset", "cocoa", "--model", "hrnet_w32"], "Did you mean 'coco'"),
        (["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_w322"], "Did you mean 'hrnet_w32"),
        (
            ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--set", "recipe.epoch=2"],
            "'epochs'",
        ),
        (
            ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--set", "epochs=2"],
            "recipe.FIELD",
        ),
        (
            ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--protocol", "flop=1"],
            "'flip'",
        ),
        (
            ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--split", "val2018"],
            "val2017",
        ),
        (
            ["eval", "--task", "pose", "--dataset", "coco", "--model", "hrnet_w32", "--checkpoint", "/no/such.pth"],
            "/no/such.pth",
        ),
        (["predict", "--task", "pose", "--model", "hrnet_w32", "--checkpoint", "F", "/no/such.jpg"], "/no/such.jpg"),
        (["run", "--siute", "smoke"], "unrecognized arguments: --siute smoke. Did you mean --suite?"),
        (
            ["run", "--suite", "smoke", "--out", "/proc/no/such"],
            "--out /proc/no/such: expected a folder that can be written",
        ),
        (["run", "--jobs", "many"], "expected a whole number of at least 1, got 'many'"),
        (["plan", "--only", "pose/coco/hrnet_micro_w9"], "Nearest: pose/coco/hrnet_micro_w8, "),
        (["plan", "--only", "pose/coco/hrnet_micro_w9"], "`run_all.py plan` without --only lists all"),
        ([*TRAIN, "--seed", "-1"], "--seed -1"),
        ([*TRAIN, "--train-split", "foo"], "'foo' of coco. Known: train2017, val2017"),
        ([*TRAIN, "--set", "recipe.epochs=0"], "recipe.epochs of at least 1, got 0"),
        ([*TRAIN, "--set", "recipe.augment=1"], "Known: augment.scale_factor, "),
        ([*TRAIN, "--set", "recipe.augment.flip_prob=2"], "recipe.augment.flip_prob between 0 and 1, got 2.0"),
    ],
)
def test_a_bad_call_ends_with_status_2_and_one_line(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry(words) == 2
    captured = capsys.readouterr()
    assert expected in captured.err
    assert len(captured.err.strip().splitlines()) == 1


def test_missing_data_root_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--out", str(tmp_path)]
    assert entry([*words, "--data-root", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "plan"])
@pytest.mark.parametrize("option", ["--data-root", "--weights"])
def test_a_named_folder_that_is_not_there_is_a_bad_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, option: str
) -> None:
    words = [verb, "--suite", "smoke", "--out", str(tmp_path / "out"), option, str(tmp_path / "nowhere")]
    assert entry(words) == 2
    assert f"{option} {tmp_path / 'nowhere'}" in capsys.readouterr().err


def test_missing_data_are_rows_and_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "coco").mkdir(parents=True)
    (tmp_path / "data" / "cityscapes").mkdir(parents=True)
    words = ["run", "--suite", "ablation_exchange", "--tier", "full", "--no-report", "--only", "pose/*"]
    assert entry([*words, "--data-root", str(tmp_path / "data"), "--out", str(tmp_path / "out")]) == 1
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|") or "failed" in line]
    assert any("missing data" in row and "person_keypoints_val2017.json" in row for row in rows), rows


def test_the_published_suite_lacks_its_data_as_a_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    words = ["run", "--suite", "published", "--no-report", "--out", str(tmp_path / "out")]
    assert entry([*words, "--data-root", str(tmp_path / "data")]) == 0
    assert "not attempted" in capsys.readouterr().out


def test_tables_that_the_disk_refuses_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "tables.md")

    monkeypatch.setattr("benchmarks.commands.tables.show", full)
    monkeypatch.setattr("benchmarks.commands.run.run", lambda *a: 0)
    assert entry(["run", "--suite", "smoke", "--no-report", "--out", str(tmp_path / "out")]) == 1
    assert "tables.md: could not write" in capsys.readouterr().err


def _suite_with(words: list[str]) -> tuple[Suite, argparse.Namespace]:
    arguments = parser_for("plan").parse_args(words)
    return suite_of(arguments), arguments


def test_set_changes_the_cells_that_only_keeps() -> None:
    plain = {cell.name: cell.id for cell in load_suite("embedded").cells}
    # Only pose has this field; the other tasks' cells would refuse it.
    words = ["--set", "protocol.keypoint_threshold=0.5", "recipe.epochs=1", "--only", "pose/coco/hrnet_micro_w8"]
    suite, arguments = _suite_with(words)
    changed = {cell.name for cell in suite.cells if cell.id != plain[cell.name]}
    assert "pose/coco/hrnet_micro_w8" in changed and all(
        name.startswith("pose/coco/hrnet_micro_w8") for name in changed
    )
    kept = select(suite.cells, arguments.only)
    assert {cell.name for cell in kept} == changed
    # An id is the one before the change, as `plan` prints it.
    one = plain["pose/coco/hrnet_micro_w8"]
    suite, arguments = _suite_with(["--set", "recipe.epochs=1", "--only", one])
    (cell,) = select(suite.cells, arguments.only)
    assert cell.recipe is not None and cell.recipe.epochs == 1 and cell.id != one


def test_a_changed_detector_still_feeds_the_pose_on_its_boxes() -> None:
    suite, _ = _suite_with(["--suite", "pose_on_boxes", "--set", "recipe.epochs=1"])
    (pose,) = (cell for cell in suite.cells if cell.boxes_from)
    assert pose.boxes_from in {cell.id for cell in suite.cells}


def test_an_unknown_recipe_key_of_a_checkpoint_cell_is_named() -> None:
    cell = make_cell("pose", "coco", "hrnet_w32", checkpoint="a.pth")
    with pytest.raises(ValueError, match=r"'epoch'.*'epochs'"):
        apply_sets(cell, split_sets({"recipe.epoch": "2"}))
    assert apply_sets(cell, split_sets({"recipe.epochs": "2"})) == cell


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry([verb, "--help"]) == 0
    assert verb in capsys.readouterr().out


def test_planning_and_tables_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from benchmarks.cli import entry\n"
        f"for words in (['plan'], ['tables'], ['check'], ['plan', '--suite', 'published']):\n"
        f"    entry([*words, '--out', {str(tmp_path)!r}])\n"
        "sys.exit(3 if 'torch' in sys.modules or 'mmengine' in sys.modules else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]


def test_single_cell_writes_json_and_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--embedded-root", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    assert entry([*words, "--json", str(tmp_path / "r.json"), "--predictions", str(tmp_path / "p.json")]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["status"] == "done" and record["figures"]["AP"]["unit"]
    results = json.loads((tmp_path / "p.json").read_text())
    assert {"image_id", "category_id", "keypoints", "score"} <= set(results[0])
    assert "protocol:" in capsys.readouterr().out
    # What it trained can be evaluated, and gives the same figures.
    (weights,) = (tmp_path / "out").rglob("weights.pt")
    words = ["eval", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--checkpoint", str(weights)]
    words += [
        "--embedded-root",
        str(tmp_path / "data"),
        "--out",
        str(tmp_path / "again"),
        "--json",
        str(tmp_path / "e.json"),
    ]
    assert entry([*words, "--tier", "smoke"]) == 0
    again = json.loads((tmp_path / "e.json").read_text())
    assert {k: v["value"] for k, v in again["figures"].items()} == {k: v["value"] for k, v in record["figures"].items()}


def test_pairs_and_prefixes() -> None:
    assert pairs(["a=1", "b.c=x=y"], "--set") == {"a": "1", "b.c": "x=y"}
    with pytest.raises(ValueError, match="key=value"):
        pairs(["a"], "--set")
    assert split_sets({"model.upsample": "bilinear", "model.level": "1"})["model"] == {
        "upsample": "bilinear",
        "level": 1,
    }


@pytest.mark.parametrize("name", task_names())
def test_every_task_is_complete_without_what_only_parts_need(name: str) -> None:
    heavy = ("torch", "scipy", "h5py", "mmengine", "matplotlib", "pandas")
    code = f"import sys, tasks; t = tasks.get_task({name!r}); list(t.datasets); sys.exit(bool(sys.modules.keys() & {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
    task = get_task(name)
    for dataset, info in task.datasets.items():
        assert info.name == dataset and info.eval_split in info.splits and info.headline in task.metrics
        for tier in ("smoke", "embedded", "full"):
            assert task.protocol_header(task.protocol(dataset, tier=tier))
            assert task.recipe(dataset, "hrnet_micro_w8", tier).epochs > 0


def test_folders_that_are_not_there_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["tables"], ["report"], ["check"], ["check", "--update", "--expected", str(tmp_path / "new")]):
        assert entry([*words, "--out", str(tmp_path / "nope")]) == 2, words
        assert "nope: expected a folder of results" in capsys.readouterr().err
    assert not (tmp_path / "nope").exists() and not (tmp_path / "new").exists()
    assert entry(["check", "--out", str(tmp_path), "--expected", str(tmp_path / "nope")]) == 2
    assert "nope: expected a folder of expected values" in capsys.readouterr().err


def test_tables_by_name_with_columns_decimals_and_direction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tables", "--suite", "embedded_pose", "--out", str(tmp_path)]
    assert entry([*words, "--names"]) == 0
    names = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert "embedded_pose_coco" in names
    chosen = [*words, "embedded_pose_coco", "--columns", "AP,params"]
    assert entry(chosen) == 0
    shown = capsys.readouterr().out
    assert shown.count("###") == 1 and "AP (%) ↑ |" in shown and "AP50" not in shown and "params" in shown
    assert entry([*chosen, "--transpose", "--format", "csv"]) == 0
    assert "AP (%) ↑" in [line.split(",")[2] for line in capsys.readouterr().out.splitlines()]
    assert entry([*chosen, "--format", "tex", "--width", "column"]) == 0
    assert r"\begin{tabular}" in capsys.readouterr().out
    for wrong, told in (
        (["pose_cocoo"], "no table is named 'pose_cocoo'. Nearest: embedded_pose_coco"),
        (["--columns", "APP"], "--columns APP"),
        (["--width", "page"], "--format tex"),
    ):
        assert entry([*words, *wrong]) == 2
        assert told in capsys.readouterr().err


def test_only_narrows_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["tables", "--only", "pose/mpii/*", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "### MPII, embedded" in out and "COCO" not in out and "Cityscapes" not in out
    assert entry(["tables", "--only", "zzz", "--out", str(tmp_path)]) == 2
    assert "zzz" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "--batch", "0"],
        ["eval", "--workers", "-1"],
        ["run", "--jobs", "0"],
        ["plan", "--seeds", "0"],
        ["run", "--threads", "x"],
    ],
)
def test_numbers_of_options_are_checked_first(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "expected a whole number of at least" in lines[0] and words[1] in lines[0]


def test_a_target_that_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--embedded-root", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    (tmp_path / "folder.json").mkdir()
    for target in ("/proc/x.json", str(tmp_path / "folder.json")):
        assert entry([*words, "--json", target]) == 2
        assert target in capsys.readouterr().err
    assert not (tmp_path / "out").exists() and not (tmp_path / "data").exists()


def test_a_second_phase_starts_from_the_whole_network(tmp_path: Path) -> None:
    words = ["train", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--embedded-root", str(tmp_path / "data")]

    def trained(out: str, *more: str) -> torch.Tensor:
        assert entry([*words, "--out", str(tmp_path / out), *more]) == 0
        (weights,) = (tmp_path / out).glob("runs/*/*/weights.pt")
        return torch.load(weights, weights_only=True)["state_dict"]["head.predict.weight"]  # type: ignore[no-any-return]

    first = trained("first")
    start = [
        "--init",
        str(next((tmp_path / "first").glob("runs/*/*/weights.pt"))),
        "--seed",
        "1",
        "--set",
        "recipe.lr=1e-12",
    ]
    torch.testing.assert_close(trained("all", *start, "recipe.init_part=all"), first, rtol=0, atol=1e-8)
    assert not torch.allclose(trained("body", *start), first, atol=1e-4)


def test_initial_weights_that_are_not_there_say_how_to_do_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--task", "detection", "--dataset", "coco", "--model", "hrnet_w18", "--data-root", str(tmp_path)]
    root = ensure("coco_detection", tmp_path, "smoke")
    root.rename(tmp_path / "coco")
    assert entry([*words, "--out", str(tmp_path / "out")]) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "hrnetv2_w18" in text]
    assert "--weights" in line and "--set recipe.init_from=none recipe.batch_norm=train" in line
