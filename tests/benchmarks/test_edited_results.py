"""Results that were edited by hand, or come from elsewhere: each is a row with a figure, a note or a reason, and never the end of
the tables, the page, the frame or the gate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import Runs, make

from benchmarks.analysis import gate
from benchmarks.analysis.compare import compare
from benchmarks.analysis.frame import frame_of
from benchmarks.experiment.recount import told
from benchmarks.experiment.suite import Suite
from benchmarks.report.page import write
from benchmarks.running.estimates import History
from benchmarks.store.store import Store
from benchmarks.tables.filling import fill
from benchmarks.tables.table import render_all
from benchmarks.tables.task_table import TaskTable

PICTURE = {"kind": "<script>alert(1)", "index": 0, "image": "a", "score": 1.0}
PICTURE |= {name: f"pictures/0_{name}.jpg" for name in ("truth", "prediction")}
LINE = {"epoch": 1, "lr": 0.1, "loss": 0.5}

EDITED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a billion decimals": lambda plain: plain["figures"]["rate"].update(decimals=10**9),
    "a number of 400 digits": lambda plain: plain["model"].update(params=10**400),
    "a seed of 30 digits": lambda plain: plain["cell"].update(seed=10**30),
    "a huge figure": lambda plain: plain["figures"]["rate"].update(value=1e308),
    "a raised figure": lambda plain: plain["figures"]["rate"].update(value=99.0),
    "endless seconds": lambda plain: plain.update(durations_s={"total": -1e308}),
    "curves of one number": lambda plain: plain["curves"].update(evaluation={"a": [[1.0]]}),
    "curves of huge numbers": lambda plain: plain["curves"].update(training=[LINE | {"loss": 1e308, "lr": -1e308}]),
    "curves of nothing": lambda plain: plain.update(curves={"training": [{}], "evaluation": {"a": [[None, None]]}}),
    "no figure": lambda plain: plain.update(figures={}),
    "another headline": lambda plain: plain.update(headline="nothing"),
    "another protocol": lambda plain: plain["cell"].update(protocol={"deep": [{"a": None}]}),
    "another protocol without a seal": lambda plain: plain["cell"].update(protocol=plain.pop("seal") and {}),
    "another recipe": lambda plain: plain["cell"].update(recipe={"epochs": "many"}),
    "another model": lambda plain: plain["cell"].update(model="../../x\n", dataset="../x", tier="none"),
    "a script": lambda plain: plain.update(notes=["<script>alert(1)</script>"], name="<script>alert(1)", key="../x"),
    "a picture's name of 3000 letters": lambda plain: plain.update(
        pictures=[PICTURE | {"truth": f"pictures/{'a' * 3000}.jpg"}]
    ),
    "pictures that are not there": lambda plain: plain.update(pictures=[PICTURE | {"index": 9 * 10**17}] * 50),
    "a commit of another kind": lambda plain: plain["provenance"].update(git={"commit": "<script>alert(1)"}, ended="?"),
    "no samples": lambda plain: plain.update(n={"images": 0, "samples": 0}, trained_on={"split": "x", "samples": -3}),
}
REPLACED: dict[str, Callable[[str], str]] = {
    "nesting without end": lambda text: text.replace('"seal"', f'"x": {"[" * 100000}{"]" * 100000}, "seal"'),
    "a number beyond all": lambda text: text.replace('"evaluate": 2.5', '"evaluate": 1e999'),
    "not a number": lambda text: text.replace('"evaluate": 2.5', '"evaluate": NaN'),
    "half a character": lambda text: text.replace('"label": ""', '"label": "\\ud800"'),
}
STATISTICS: dict[str, Callable[[Path], object]] = {
    "statistics that are cut": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "statistics of another task": lambda path: np.savez(path, image=["a", "b"]),
    "statistics of other lengths": lambda path: np.savez(
        path, image=["a", "b"], people=[1, 2, 3], hits=[1, 2], error=[1]
    ),
    "statistics of text": lambda path: np.savez(path, image=["a", "b"], people=["x", "y"], hits=["x"], error=["y"]),
    "an interval's folder": lambda path: path.with_name("bootstrap.json").mkdir(),
}
REFUSED = (
    "a billion decimals", "a number of 400 digits", "a seed of 30 digits", "a huge figure", "endless seconds",
    "curves of one number", "curves of huge numbers", "no samples", *REPLACED,
)  # fmt: skip
"""What makes the whole record unusable."""


FIGURES = ("a raised figure", "no figure")
"""What changes the figures that there are."""


@pytest.fixture
def edited(runs: Runs) -> tuple[Suite, dict[str, str]]:
    """A suite of a whole cell and one for every kind of edit, all stored; and the names of the kinds by cell id."""
    runs.images = 8
    kinds = ["whole", *EDITED, *REPLACED, *STATISTICS]
    cells = tuple(make(model=f"net{number}") for number, _ in enumerate(kinds))
    for kind, cell in zip(kinds, cells):
        folder = runs.finish(cell).folder
        path = folder / "cell.json"
        text = path.read_text()
        if kind in STATISTICS:
            STATISTICS[kind](folder / "stats.npz")
        elif kind in REPLACED:
            path.write_text(REPLACED[kind](text))
        elif kind in EDITED:
            plain = json.loads(text)
            EDITED[kind](plain)
            path.write_text(json.dumps(plain))
        assert kind in (*STATISTICS, "whole") or path.read_text() != text
    table = TaskTable("people", "people", "people", "street", tuple(cell.id for cell in cells), ("rate", "error"))
    return Suite("edited", cells, (table,)), {cell.id: kind for kind, cell in zip(kinds, cells)}


def test_tables_page_frame_and_gate_go_through(
    edited: tuple[Suite, dict[str, str]], runs: Runs, tmp_path: Path
) -> None:
    suite, kinds = edited
    store = Store(runs.store.root)
    damaged = {kinds[stored.id] for stored in store.all() if stored.damage}
    assert damaged == set(REFUSED)
    [table] = fill(suite, store)
    text = {ending: render_all([table], ending) for ending in ("md", "csv", "tex", "html", "json")}
    assert "<script>alert" not in text["html"] and all(len(one) < 200_000 for one in text.values())
    rows = [line for line in text["md"].splitlines() if line.startswith("| net")]
    assert sum("the file was edited" in row for row in rows) == 2  # another protocol, with a seal and without
    assert len(rows) == len(kinds) and "failed" not in rows[0]
    notes = text["md"].partition("\n[1] ")[2]
    assert notes.count("without interval") == 4
    sentences = {kinds[stored.id]: told(stored) for stored in store.all()}
    assert {kind for kind, text in sentences.items() if "cell.json: not" in text} == {*EDITED} - {*REFUSED, *FIGURES}
    assert {kind for kind, text in sentences.items() if "stats.npz: not" in text} == {*STATISTICS} - {
        "an interval's folder"
    }
    write(suite, store, tmp_path / "page")
    assert all("<script>alert" not in page.read_text() for page in (tmp_path / "page").glob("*.html"))
    frame = frame_of(store.all(), "bootstrap")
    assert set(frame.id) == set(kinds) - {one for one, kind in kinds.items() if kind == "no figure"}
    gate.update(suite, store, tmp_path / "expected")
    assert gate.check(suite, store, tmp_path / "expected").exit_status == 1
    assert compare(runs.store.root, runs.store.root).pairs
    assert History.of(store.all()).estimate(suite.cells[0]).seconds >= 0
