"""The typed record: what version 0.1.0 stored is read, what is written reads back, and what is wrong is named."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.experiment.cell import Cell
from benchmarks.store.record import CheckpointReport, Figure, Identity, Record, encode, read, record_of, without_nan
from hrnet.checkpoints import LoadReport
from tasks import get_task
from tasks.direction import Direction

OLD = Path(__file__).parents[2] / "data" / "records" / "cell-0.1.0.json"
"""What version 0.1.0 wrote of a smoke cell, with fewer figures and pictures."""


def _old() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(OLD.read_text(encoding="utf-8"))
    return loaded


def test_a_cell_of_version_0_1_0_is_read() -> None:
    record = read(OLD)
    assert record.done and record.cell.task == "pose" and record.headline in record.figures
    figure = record.figures["PCKh@0.5"]
    assert figure.direction is Direction.HIGHER and figure.unit == "%"
    assert record.curves.training[0]["epoch"] == 1 and record.durations_s["eval_model"] > 0
    assert record.provenance.git.commit and record.pictures[0].truth.startswith("pictures/")


def test_the_written_form_holds_what_version_0_1_0_wrote() -> None:
    plain = json.loads(encode(read(OLD)))
    plain["provenance"] = {k: v for k, v in plain["provenance"].items() if v is not None}
    del plain["provenance"]["hardware"]["accelerator"]
    old = _old()
    assert {name: plain[name] for name in old} == old
    # To the letter: other programs compare these.
    assert json.dumps(plain["figures"]) == json.dumps(old["figures"])
    assert json.dumps(plain["curves"]) == json.dumps(old["curves"])


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    record = read(OLD)
    (tmp_path / "cell.json").write_bytes(encode(record))
    assert read(tmp_path / "cell.json") == record


def test_a_reduced_precision_is_kept_and_the_usual_one_is_not_written() -> None:
    old = _old()
    assert record_of(old).cell.precision == "fp32" and "precision" not in record_of(old).to_plain()["cell"]
    reduced = record_of({**old, "cell": {**old["cell"], "precision": "bf16"}})
    assert reduced.cell.precision == "bf16" and reduced.to_plain()["cell"]["precision"] == "bf16"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"status": "nearly"}, r"status.*'nearly'"),
        ({"n": {"images": -1, "samples": 1}}, r"n\.images.*got -1"),
        ({"durations_s": {"total": "long"}}, r"durations_s.*expected a number"),
        ({"cell": {"task": "pose"}}, r"cell.*expected the field 'dataset' but it is missing"),
        ({"pictures": [{"kind": "best"}]}, r"pictures\[0\].*expected the field 'index'"),
        ({"curves": {"training": [{"epoch": []}]}}, r"curves\.training\[0\]"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, change: dict[str, Any], text: str) -> None:
    path = tmp_path / "cell.json"
    path.write_text(json.dumps(_old() | change))
    with pytest.raises(ValueError, match=rf"cell\.json, {text}.*; delete its folder and run again$"):
        read(path)


def test_a_newer_schema_is_told_before_its_fields_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "cell.json").write_text('{"schema": 2, "cell": 7}')
    with pytest.raises(ValueError, match=r"expected schema 1, got 2\. Update"):
        read(tmp_path / "cell.json")


def test_the_parts_have_the_fields_that_are_stored_in_them() -> None:
    cell = {field.name for field in dataclasses.fields(Cell)} - {"label"}
    assert set(Identity.__struct_encode_fields__) == cell
    assert set(CheckpointReport.__struct_fields__) == {field.name for field in dataclasses.fields(LoadReport)}


def test_a_figure_has_its_metrics_unit_and_direction() -> None:
    metrics = get_task("landmarks").metrics
    figure = Figure.of(np.float64("nan"), metrics["NME[box]"], 7)
    assert (figure.value, figure.unit, figure.direction, figure.decimals, figure.n) == (
        None,
        "%",
        Direction.LOWER,
        2,
        7,
    )
    assert b'"higher_is_better":false' in msgspec.json.encode(figure)
    assert Figure.of(np.float32(0.5), metrics["NME[box]"], 7).value == 0.5


def test_a_record_is_made_of_numpys_numbers(tmp_path: Path) -> None:
    plain = _old() | {"latency_ms": np.float32("inf"), "batch_size": np.int64(4)}
    record = record_of(plain)
    assert record.latency_ms is None and record.batch_size == 4 and isinstance(record, Record)


def test_plain_data_without_nan() -> None:
    assert without_nan({"a": [np.float32(1), np.nan], "b": np.array([1, 2])}) == {"a": [1.0, None], "b": [1, 2]}
