"""The papers' tables: every source row has its place, every checkpoint a manifest, and `plan` is quick and torch-free."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import reproduction, weights
from benchmarks.cells import Suite, load_suite
from benchmarks.filling import fill
from benchmarks.published import load
from benchmarks.reproduction import judge
from benchmarks.store import Store
from benchmarks.suites import published
from tasks import get_task

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "tests" / "data" / "golden" / "manifests"


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite("published")


def test_named_tables_hold_every_row_of_their_sources(suite: Suite, tmp_path: Path) -> None:
    files = {file for _, names in published.TABLES.values() for file in names}
    rows = [identity for identity in load().rows() if identity.split(":")[0] in files]
    tables = fill(suite, Store(tmp_path))
    shown = [str(row.entries["row"].value) for table in tables for row in table.rows]
    assert set(shown) == set(rows)
    doubled = {identity for identity in shown if shown.count(identity) > 1}
    assert all(identity.startswith("ablation_fusion") for identity in doubled)
    figures = sum(
        entry.number is not None
        for table in tables
        for row in table.rows
        for key, entry in row.entries.items()
        if key == "published" or "|" in key
    )
    assert figures == sum(figure.id in set(rows) for figure in load())


def test_every_row_without_a_number_says_why(suite: Suite, tmp_path: Path) -> None:
    for table in fill(suite, Store(tmp_path)):
        for row in table.rows:
            assert row.entries["status"].status == "not attempted" and row.entries["missing"].value, table.name


def test_each_cell_is_reached_from_a_row(suite: Suite) -> None:
    linked = {
        link.split("|")[0] for spec in suite.tables for found in spec.extra["links"].values() for link in found.values()
    }
    assert linked == {cell.id for cell in suite.cells}
    assert all(cell.checkpoint and cell.recipe is None and cell.tier == "full" for cell in suite.cells)


def test_every_linked_figure_is_one_of_the_task(suite: Suite) -> None:
    tasks_of = {cell.id: cell.task for cell in suite.cells}
    for spec in suite.tables:
        for found in spec.extra["links"].values():
            for link in found.values():
                cell, key = link.split("|", 1)
                assert key in get_task(tasks_of[cell]).metrics, link


def test_protocols_follow_the_printed_ones(suite: Suite) -> None:
    cells = {(cell.checkpoint, cell.split): cell for cell in suite.cells if cell.task == "pose"}
    w32 = cells["pose_hrnet_w32_256x192.pth", "val2017"].protocol
    assert (w32.boxes, w32.flip, w32.decoder, w32.input_wh) == ("detector", True, "quarter", (192, 256))
    dark = cells["td-hm_hrnet-w32_dark-8xb64-210e_coco-384x288-9bab4c9b_20220917.pth", "val2017"].protocol
    assert (dark.decoder, dark.input_wh) == ("dark", (288, 384))
    scales = {cell.protocol.scales for cell in suite.cells if cell.checkpoint == "pose_hrnet_w32_256x256.pth"}
    assert scales == {(1.0,), (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)}
    pascal = [cell for cell in suite.cells if cell.checkpoint == "hrnet_w48_pascal_context_cls60_480x480.pth"]
    assert all(cell.protocol.num_classes == 60 and dict(cell.changes)["num_classes"] == 60 for cell in pascal)


def test_manifest_of_weights(suite: Suite) -> None:
    entries = weights.load_weights()
    rows = load().rows()
    assert len({entry.file for entry in entries}) == len(entries) > 100
    for entry in entries:
        for row in entry.rows:
            figure = rows[row][0]
            assert figure.task == entry.task, row
            assert figure.model in (entry.model, "") or "OCR" in figure.method, row
        if entry.manifest and MANIFESTS.is_dir():
            assert (MANIFESTS / f"{entry.manifest}.tsv").is_file(), entry.file
        if entry.sha256:
            assert f"-{entry.sha256}" in entry.file
    with pytest.raises(ValueError, match=r"nearest: \['pose_hrnet_w32_256x192\.pth'\]"):
        weights.weights_of("pose_hrnet_w32_256x193.pth")


def test_judging() -> None:
    [w32] = load().select(id="coco_keypoints_val2017:19", metric="AP")
    values = [74.4, 74.45, 74.1, 73.0, 75.2]
    assert [judge(w32, value) for value in values] == [
        "reproduced", "reproduced", "within tolerance", "off", "suspiciously better",
    ]  # fmt: skip
    [nme] = load().select(id="face_wflw:8", metric="NME", split="test")
    assert [judge(nme, value) for value in (4.60, 4.64, 5.2, 3.0)] == [
        "reproduced", "within tolerance", "off", "suspiciously better",
    ]  # fmt: skip


def test_measured_value_stands_beside_the_published(suite: Suite, tmp_path: Path) -> None:
    store = Store(tmp_path)
    cell = next(cell for cell in suite.cells if cell.checkpoint == "pose_hrnet_w32_256x192.pth")

    def figure(value: float, n: int) -> dict[str, object]:
        return {"value": value, "unit": "%", "higher_is_better": True, "decimals": 1, "n": n}

    record = {
        "id": cell.id,
        "name": cell.name,
        "label": "",
        "status": "done",
        "cell": cell.identity(),
        "headline": "AP",
    }
    store.save(record | {"figures": {"AP": figure(74.43, 5000), "AR": figure(79.9, 5000)}}, {"image": np.zeros(1)})
    rows = {str(row.entries["row"].value): row for table in fill(suite, store) for row in table.rows}
    row = rows["coco_keypoints_val2017:19"]
    assert row.entries["status"].value == "reproduced" and row.entries["measured"].value == 74.43
    assert row.entries["difference"].value == pytest.approx(0.03)
    [ar] = [entry for key, entry in row.entries.items() if key.startswith("AR|")]
    assert ar.text == "79.8 → 79.90"
    store.save(record | {"figures": {"AP": figure(74.43, 4)}}, {"image": np.zeros(1)})
    rows = {str(row.entries["row"].value): row for table in fill(suite, store) for row in table.rows}
    assert rows["coco_keypoints_val2017:19"].entries["status"].value == "off"
    assert "4 of 5000" in rows["coco_keypoints_val2017:19"].entries["measured"].footnotes[0]


def test_plan_lists_every_row_quickly_without_torch() -> None:
    code = (
        "import sys; from benchmarks.cli import entry; status = entry(['plan', '--suite', 'published']); "
        "assert 'torch' not in sys.modules, 'torch was imported'; sys.exit(status)"
    )
    start = os.times()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    end = os.times()
    # Processor time: the wall clock of a crowded machine says nothing about this program.
    seconds = end.children_user + end.children_system - start.children_user - start.children_system
    assert done.returncode == 0, done.stderr
    assert seconds < 3
    text = done.stdout
    for name in published.TABLES:
        assert f"\n{name}: " in text
    files = {file for _, names in published.TABLES.values() for file in names}
    rows = sum(identity.split(":")[0] in files for identity in load().rows())
    assert f"\n{rows} rows: " in text
    assert "weights pose_hrnet_w32_256x192.pth (leoxiaobin/deep-high-resolution-net.pytorch)" in text
    assert "AP 74.4 %" in text and "from arXiv:1908.07919v2 (TPAMI) Table 1" in text


def test_slots_keep_protocols_apart() -> None:
    figures = load().rows()["mpii_val:4"]
    assert reproduction.main_slot(figures) == "PCKh@0.5|val|boxes=gt; scales=1; flip=yes; pckh=weighted"
    assert len({reproduction.slot(figure) for figure in figures}) == len(figures)
