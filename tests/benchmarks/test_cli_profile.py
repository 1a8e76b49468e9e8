"""The verb ``profile``: every model has its row, a bad call says why, what cannot be counted is a row with its reason."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.baselines import body_names
from benchmarks.cli import entry
from benchmarks.commands.profile import profile_row
from hrnet import profile
from tasks import build_model, get_task, task_names


def test_every_model_has_one_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["profile", "--csv", str(tmp_path / "rows.csv")]) == 0
    with (tmp_path / "rows.csv").open(newline="") as handle:
        rows = {row["model"]: row for row in csv.DictReader(handle)}
    every = {name for task in task_names() for name in get_task(task).model_names(body_names())}
    assert set(rows) == every and len(capsys.readouterr().out.splitlines()) == 1 + len(every)
    assert all(int(row["params"]) > 0 and int(row["macs"]) > 0 and not row["reason"] for row in rows.values())
    # The papers' figures: W32 and W48 at 256x192, SimpleBaseline with its transposed convolutions over-counted.
    published = {"hrnet_w32": 7.1, "hrnet_w48": 14.6, "simple_baseline_r50": 9.0}
    for name, value in published.items():
        assert float(rows[name]["macs_as_published"]) == pytest.approx(value, abs=0.05)
    assert rows["deeplabv3_r50"]["task"] == rows["hrnet_w48_ocr"]["task"] == "segmentation"


def test_a_network_of_every_task_is_counted_without_what_takes_longer_to_import_than_torch() -> None:
    code = """
import sys
from benchmarks.cli import entry
assert entry(["profile", "hrnet_micro_w8"]) == 0
print(sorted({"torch._dynamo", "sympy", "torchvision", "scipy", "pandas", "matplotlib", "mmengine"} & set(sys.modules)))
"""
    made = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert len(made.splitlines()) > 10 and made.splitlines()[-1] == "[]"


def test_what_is_named_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["profile", "hrnet_micro_w8", "--dataset", "coco", "--size", "64x96"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [["detection", "coco"], ["pose", "coco"]]
    cost = profile(build_model("pose", "hrnet_micro_w8", "coco"), (64, 96))
    assert lines[1].split()[4:6] == ["64x96", f"{cost.params / 1e6:.3f}"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--size", "256"], "expected height x width in pixels, such as 256x192, got '256'"),
        (["--size", "0x0"], "got '0x0'"),
        (["--size", "axb"], "got 'axb'"),
        (["--dataset", "coc"], "Did you mean 'coco'?"),
        (["--task", "segmentation", "--dataset", "mpii"], "of task segmentation"),
        (["hrnet_w322"], "Did you mean 'hrnet_w32'?"),
        (["deeplabv3_r50", "--task", "classification"], "use resnet50"),
    ],
)
def test_a_bad_call_says_why(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["profile", *words]) == 2
    captured = capsys.readouterr()
    assert expected in captured.err and len(captured.err.splitlines()) == 1 and not captured.out


def test_what_cannot_be_counted_is_a_row_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("sizes differ")

    monkeypatch.setattr(type(get_task("pose")), "build_model", broken)
    row = profile_row("pose", "coco", "hrnet_micro_w8", (64, 48))
    assert row.cost is None and str(row).endswith("sizes differ")
    assert entry(["profile", "hrnet_micro_w8", "--task", "pose"]) == 1
