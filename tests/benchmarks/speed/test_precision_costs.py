"""What reduced precision costs: more pictures than the tier has, the same for both, limits held against whole intervals."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.paths import Places
from benchmarks.running.trial import run_cell
from benchmarks.speed import precision
from benchmarks.tables.uncertainty import Difference
from tasks.base import Evaluation
from tasks.precision import cpu_flags

CELL = make_cell("landmarks", "300w", "resnet_micro_w10", tier="smoke")
has_bf16 = {"avx512_bf16", "amx_bf16", "bf16"} & cpu_flags()


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [
        (-0.01, 0.02, "yes"),
        (-0.03, 0.01, "on these pictures"),
        (0.01, 0.05, "not on these pictures"),
        (0.021, 0.05, "no"),
        (-0.05, -0.03, "no"),
    ],
)
def test_a_limit_holds_where_the_whole_interval_lies_within_it(low: float, high: float, holds: str) -> None:
    difference = Difference("NME[inter_ocular]", 5.0, 5.0 + (low + high) / 2, low, high, 0.5, 400)
    cost = precision.Cost(CELL, ("bf16", "eager"), "NME[inter_ocular]", 150, 150, difference, (0.0,))
    assert cost.holds == holds and f"| {holds} " in precision.table([cost], own=True).render("md")


def test_the_parts_of_a_validation_set_grow_alike(tmp_path: Path) -> None:
    folder = precision.rendered(replace(CELL, tier="smoke"), tmp_path, 16, own=False)
    stamp = json.loads((folder / "embedded.json").read_text(encoding="utf-8"))
    assert stamp["sizes"] == {"train": 2, "valid_common": 10, "valid_challenge": 6, "test": 2} and stamp["seed"] == 1
    own = precision.rendered(replace(CELL, tier="smoke"), tmp_path / "own", None, own=True)
    stamp = json.loads((own / "embedded.json").read_text(encoding="utf-8"))
    assert stamp["sizes"] == {"train": 2, "valid_common": 5, "valid_challenge": 3, "test": 2} and stamp["seed"] == 0


def test_trained_networks_are_evaluated_in_each_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    stored = run_cell(CELL, Places(out=results / "runs", embedded=tmp_path / "embedded"), lambda progress: None)
    assert stored.done, stored.record.reason
    before = sorted(path for path in results.rglob("*"))
    monkeypatch.setattr(precision, "TIER", "smoke")
    evaluated: list[tuple[str, str | None]] = []
    evaluate = precision.Trial.evaluate

    def recorded(trial: precision.Trial, *parts: Any) -> Evaluation:
        evaluated.append((trial.cell.precision, trial.cell.data))
        return evaluate(trial, *parts)

    monkeypatch.setattr(precision.Trial, "evaluate", recorded)
    words = ["precision", "--results", str(results), "--model", CELL.model, "--own", "--draws", "20", "--threads", "1"]
    ways = ["fp32", *(["bf16"] if has_bf16 else [])]
    monkeypatch.setattr(sys, "argv", [*words, "--only", "landmarks/300w", "--ways", *ways])
    assert precision.main() in ((0, 1) if has_bf16 else (0,))
    printed = capsys.readouterr().out
    figure = stored.record.figures["NME[inter_ocular]"].value
    assert f"fp32 eager: NME[inter_ocular] {figure:.3f}, n=8" in printed  # the tier's own pictures, in another folder
    rows = [line for line in printed.splitlines() if line.startswith("| landmarks/300w")]
    assert len(rows) == len(ways) and "+0.000 [0.000, 0.000]" in rows[0] and "1.000" in rows[0]
    assert evaluated == [(way, None) for way in ways]  # rendered elsewhere: no embedded data of the tier
    assert sorted(path for path in results.rglob("*")) == before  # only read
    monkeypatch.setattr(sys, "argv", [*words, "--only", "pose/coco"])
    assert precision.main() == 2 and "no trained resnet_micro_w10" in capsys.readouterr().err
