"""The papers' tables: every source row has its place, every checkpoint a manifest, and `plan` is quick and torch-free."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.published import plan as published_plan
from benchmarks.published import weights
from benchmarks.published.figures import Figure, load
from benchmarks.published.judging import judge
from benchmarks.published.lacks import WORDS
from benchmarks.published.paper_rows import Link
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.protocols import measured_protocol
from benchmarks.published.slots import Slot, main_slot, slot_of
from benchmarks.store.store import Store
from benchmarks.suites import load_suite, published
from benchmarks.tables.filling import fill
from benchmarks.tables.table import render_all
from tasks import get_task

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "data" / "golden"


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


def test_networks_that_are_left_out(suite: Suite) -> None:
    """Fewer than 150 rows lack a network, of HRNet's own those of CenterNet alone, which has no public code."""
    lacking = [row for table in suite.tables_of(PublishedTable) for row in table.rows if not row.links and row.lack]
    rows = [row for row in lacking if row.lack.word == "network"]
    assert 0 < len(rows) < 150 and {row.lack.word for row in lacking} == set(WORDS) - {"data"}
    assert all(row.lack.status == f"lacks network: {row.lack.name}" and row.lack.name for row in rows)
    hrnets = {row.lack.name for row in rows if "HRNet" in f"{row.figures[0].method} {row.figures[0].body}"}
    assert hrnets == {"CenterNet on HRNetV2p-W48", "CenterNet on HRNetV2p-W64"}
    [centre] = [row.lack for row in rows if row.lack.name == "CenterNet on HRNetV2p-W48"]
    assert "no public code" in centre.text


def test_every_named_network_is_one_that_the_harness_builds() -> None:
    for model, task in sorted({(figure.model, figure.task) for figure in load() if figure.model}):
        names = get_task(task)
        names.check_model(names.body_name(model) if task == "detection" else model)


def test_each_cell_is_reached_from_a_row(suite: Suite) -> None:
    named = {
        link.cell for table in suite.tables_of(PublishedTable) for row in table.rows for link in row.links.values()
    }
    assert named == {cell.id for cell in suite.cells}
    assert all(cell.checkpoint and cell.recipe is None and cell.tier == "full" for cell in suite.cells)


def test_every_linked_figure_is_one_of_the_task(suite: Suite) -> None:
    for figure, cell, metric in linked(suite):
        assert metric in get_task(cell.task).metrics, figure.id


def test_protocols_follow_the_printed_ones(suite: Suite) -> None:
    cells = {(cell.checkpoint, cell.split): cell for cell in suite.cells if cell.task == "pose"}
    w32 = cells["pose_hrnet_w32_256x192.pth", "val2017"].protocol
    assert (w32.boxes, w32.flip, w32.decoder, w32.input_wh) == ("detector", True, "quarter", (192, 256))
    dark = cells["td-hm_hrnet-w32_dark-8xb64-210e_coco-384x288-9bab4c9b_20220917.pth", "val2017"].protocol
    assert (dark.decoder, dark.input_wh, dark.dark_blur) == ("dark", (288, 384), 17)
    darks = {
        (cell.protocol.input_wh[1], cell.protocol.dark_blur) for cell in cells.values() if "dark" in cell.checkpoint
    }
    assert darks == {(256, 11), (384, 17)}
    scales = {cell.protocol.scales for cell in suite.cells if cell.checkpoint == "pose_hrnet_w32_256x256.pth"}
    assert scales == {(1.0,), (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)}
    pascal = [cell for cell in suite.cells if cell.checkpoint == "hrnet_w48_pascal_context_cls60_480x480.pth"]
    assert all(cell.protocol.num_classes == 60 and dict(cell.changes)["num_classes"] == 60 for cell in pascal)


def table_of(suite: Suite, name: str) -> PublishedTable:
    """The paper's table of that name."""
    [table] = [table for table in suite.tables_of(PublishedTable) if table.name == name]
    return table


def linked(suite: Suite) -> Iterator[tuple[Figure, Cell, str]]:
    """Every figure that a cell measures, with the cell and the task's name of the figure."""
    cells = {cell.id: cell for cell in suite.cells}
    for table in suite.tables_of(PublishedTable):
        for row in table.rows:
            for figure in row.figures:
                if link := row.link(figure):
                    yield figure, cells[link.cell], link.metric


def test_a_figure_of_60_classes_is_measured_with_a_network_of_60(suite: Suite) -> None:
    found = {}
    for figure, cell, _ in linked(suite):
        if cell.task == "segmentation":
            classes = dict(cell.changes).get("num_classes") or get_task(cell.task).protocol(cell.dataset).num_classes
            assert cell.protocol.num_classes == classes, figure.id
            found[figure.id, figure.column] = cell.checkpoint
    assert found["pascal_context:16", "mIoU_59"] == "hrnet_w48_pascal_context_cls59_480x480.pth"
    assert found["pascal_context:16", "mIoU_60"] == "hrnet_w48_pascal_context_cls60_480x480.pth"
    assert ("pascal_context:17", "mIoU_59") in found and ("pascal_context:17", "mIoU_60") not in found
    [row] = [row for row in table_of(suite, "pascal_context").rows if row.id == "pascal_context:17"]
    slot = Slot("mIoU", "val(testing 5105)", "scales=multi; flip=yes; classes=60")
    assert "60-class OCR" in row.reasons[slot].text and row.reasons[slot].status == "lacks weights"
    [sixty] = load().select(id="pascal_context:16", column="mIoU_60")
    entry = weights.weights_of("hrnet_w48_pascal_context_cls59_480x480.pth")
    assert str(published.why_not(sixty, entry)) == f"a figure of 60 classes; {entry.file} has 59"


def test_what_a_cell_measures_is_said_by_the_cell(suite: Suite) -> None:
    for figure, cell, key in linked(suite):
        assert measured_protocol(cell, key, figure.protocol_id) == figure.protocol_id, figure.id
    by_row = {figure.id: (figure, cell, key) for figure, cell, key in linked(suite)}
    _, cell, key = by_row["face_aflw:19"]
    assert key.startswith("NME[box]")
    assert not {"face_aflw:20", "face_aflw:21"} & set(by_row)
    longer = "normaliser=gt box longer side; flip=no"
    assert measured_protocol(cell, key, longer) == "normaliser=face box size; flip=no"
    figure, cell, key = by_row["coco_keypoints_val2017:19"]
    other = replace(cell, protocol=replace(cell.protocol, flip=False, decoder="argmax", boxes="gt"))
    assert measured_protocol(other, key, figure.protocol_id) == "boxes=gt; flip=no; decode=argmax"


def test_a_link_to_another_protocol_is_refused(suite: Suite, tmp_path: Path) -> None:
    """A table does not show a number of another normaliser, even where a suite links it."""
    _, cell, key = next(found for found in linked(suite) if found[0].id == "face_aflw:19")
    aflw = table_of(suite, "face_aflw")
    [row] = [row for row in aflw.rows if row.id == "face_aflw:20"]
    wrong = replace(row, links={slot_of(row.figures[0]): Link(cell.id, key)})
    spec = replace(aflw, rows=(wrong,), cells=(cell.id,))
    Store(tmp_path).save(record_of(cell, {key: 1.5}), {"image": np.zeros(1)})
    with pytest.raises(ValueError, match="protocols differ"):
        fill(Suite("s", (cell,), (spec,)), Store(tmp_path))


def test_rows_of_a_table_can_be_told_apart(suite: Suite, tmp_path: Path) -> None:
    """Source, method, body, setting, metric and protocol name one row; no source repeats a row."""
    for table in fill(suite, Store(tmp_path)):
        seen: dict[tuple[object, ...], object] = {}
        for row in table.rows:
            told = (row.group, *(row.entries[name].value for name in ("method", "body", "setting")))
            assert told not in seen, (table.title, row.entries["row"].value, seen[told])
            seen[told] = row.entries["row"].value
    labels: dict[tuple[str, ...], str] = {}
    for paper in suite.tables_of(PublishedTable):
        for line in paper.rows:
            head = next((f for f in line.figures if slot_of(f) == main_slot(line.figures)), line.figures[0])
            named = (paper.name, head.source, published_plan.label(head), head.metric, head.split, head.protocol_id)
            assert named not in labels, (line.id, labels[named])
            labels[named] = line.id


def test_every_cell_is_named_by_its_checkpoint(suite: Suite) -> None:
    names = [cell.name for cell in suite.cells]
    assert len(set(names)) == len(names)
    assert all(str(cell.checkpoint).replace("/", "_") in cell.name for cell in suite.cells)


@pytest.mark.parametrize(
    ("row", "file"),
    [
        ("coco_detection_val2017:187", "faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth"),
        ("posetrack2018:1", "hrnet_w32_posetrack18_256x192-1ee951c4_20201028.pth"),
        ("posetrack2018:8", "hrnet_w48_posetrack18_384x288-5fd6d3ff_20211130.pth"),
        ("coco_detection_val2017:195", "mask_rcnn_r50_fpn_1x_coco_20200205-d4b0c5d6.pth"),
        ("coco_detection_val2017:178", "htc_hrnetv2p_w32_20e_coco_20200207-7639fa12.pth"),
        ("coco_detection_val2017:97", "htc_hrnetv2p_w48_20e_20190810-f6d2c3fd.pth"),
        ("coco_detection_val2017:158", "FCOS_hrnet_w40_6l_3x.pth"),
        ("imagenet_val:25", "hrnetv2_w32_imagenet_pretrained.pth"),
        ("coco_keypoints_val2017:94", "td-hm_ViTPose-small_8xb64-210e_coco-256x192-62d7a712_20230314.pth"),
        ("cityscapes_val:37", "ocrnet_hr18s_512x1024_40k_cityscapes_20200601_033304-fa2436c2.pth"),
    ],
)
def test_rows_with_released_files_have_cells(suite: Suite, row: str, file: str) -> None:
    cells = [cell for figure, cell, _ in linked(suite) if figure.id == row]
    assert {cell.checkpoint for cell in cells} == {file}
    for cell in cells:
        if cell.task == "detection" and "fcos" in file.lower():
            assert (cell.protocol.colour, cell.protocol.nms_iou) == ("bgr_caffe", 0.6)
        if cell.task == "segmentation":
            assert dict(cell.changes)["head"] == "ocr" and not cell.protocol.align_corners


def test_mmsegs_small_network_is_the_second(suite: Suite) -> None:
    """Its configuration has two bottlenecks in stage 1 and 1, 3 and 2 modules: Small-v2, not v1."""
    small = [cell for cell in suite.cells if "_hr18s_" in str(cell.checkpoint)]
    assert len({cell.checkpoint for cell in small}) == 6
    assert {cell.model for cell in small} == {"hrnet_w18_small_v2"}
    rows = load().select(body="HRNetV2p-W18-Small", method="mmseg FCN-HRNet")
    assert {figure.model for figure in rows} == {"hrnet_w18_small_v2"}


def test_manifest_of_weights(suite: Suite) -> None:
    entries = weights.load_weights()
    rows = load().rows()
    assert len({entry.file for entry in entries}) == len(entries) > 100
    for entry in entries:
        for row in entry.rows:
            figure = rows[row.id][0]
            assert not row.column or row.column in {f.column for f in rows[row.id]}, row
            assert figure.task == entry.task, row
            assert figure.model == get_task(entry.task).named(entry.model, dict(entry.changes)), row
        if entry.manifest:
            assert list(GOLDEN.rglob(f"manifests/{entry.manifest}.tsv")), entry.file
        if entry.family == "segmentation_master" and not entry.manifest.endswith("_master"):
            assert "without num_batches_tracked" in entry.note, entry.file
        if entry.sha256:
            assert len(entry.sha256) in (8, 64) and f"-{entry.sha256[:8]}" in entry.file
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

    record = record_of(cell, {})
    store.save(record | {"figures": {"AP": figure(74.43, 5000), "AR": figure(79.9, 5000)}}, {"image": np.zeros(1)})
    rows = {str(row.entries["row"].value): row for table in fill(suite, store) for row in table.rows}
    row = rows["coco_keypoints_val2017:19"]
    assert row.entries["status"].value == "reproduced" and row.entries["measured"].value == 74.43
    assert row.entries["difference"].value == pytest.approx(0.03)
    [ar] = [entry for key, entry in row.entries.items() if key.startswith("AR|")]
    assert ar.text == "79.8 → 79.90" and ar.measured == 79.9
    tables = fill(suite, store)
    lines = list(csv.DictReader(io.StringIO(render_all(tables, "csv"))))
    [line] = [line for line in lines if line["row"] == "coco_keypoints_val2017:19" and line["status"] == "reproduced"]
    [name] = [name for name in line if name.startswith("AR|") and name.endswith(".measured") and line[name]]
    assert line[name] == "79.9" and line[name.replace(".measured", " [%]")] == "79.8"
    [below] = [line for line in lines if line["row"] == "ablation_resolution:4"]
    assert (below["published [%]"], below["published.bound"]) == ("10.0", "<")
    structured = json.loads(render_all(tables, "json"))
    entries = [entry for table in structured for row in table["rows"] for entry in row["entries"].values()]
    assert [entry["text"] for entry in entries if entry.get("bound")] == ["< 10", "< 10"]
    assert any(entry.get("measured") == 79.9 for entry in entries)
    store.save(record | {"figures": {"AP": figure(74.43, 4)}}, {"image": np.zeros(1)})
    rows = {str(row.entries["row"].value): row for table in fill(suite, store) for row in table.rows}
    assert rows["coco_keypoints_val2017:19"].entries["status"].value == "off"
    assert "4 of 5000" in rows["coco_keypoints_val2017:19"].entries["measured"].footnotes[0]


def record_of(cell: Cell, values: dict[str, float]) -> dict[str, object]:
    """A stored record of a finished cell with these figures."""
    figures = {
        key: {"value": value, "unit": "%", "higher_is_better": False, "decimals": 2, "n": None}
        for key, value in values.items()
    }
    names = {"id": cell.id, "name": cell.name, "label": cell.label, "cell": cell.identity()}
    return names | {"status": "done", "headline": next(iter(values), "AP"), "figures": figures}


def test_a_row_is_judged_by_what_was_measured_of_it(suite: Suite, tmp_path: Path) -> None:
    cell = next(c for c in suite.cells if c.checkpoint == "HR18-300W.pth" and c.split == "test")
    Store(tmp_path).save(record_of(cell, {"NME[inter_ocular]": 3.86}), {"image": np.zeros(1)})
    tables = fill(suite, Store(tmp_path), places=Places(weights=tmp_path))
    rows = {str(row.entries["row"].value): row for table in tables for row in table.rows}
    row = rows["face_300w:29"]
    assert row.entries["status"].value == "reproduced"
    assert "measured" not in row.entries
    assert str(row.entries["missing"].value).startswith("judged by NME test; the main figure: weights HR18-300W.pth")


def test_rows_say_what_is_really_missing(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "pose_hrnet_w32_256x192.pth").touch()

    def said(places: Places | None) -> str:
        tables = fill(suite, Store(tmp_path / "none"), places=places)
        [row] = [r for t in tables for r in t.rows if r.entries["row"].value == "coco_keypoints_val2017:19"]
        return str(row.entries["missing"].value)

    assert said(Places(weights=tmp_path)) == "data coco/ below --data-root"
    assert said(None) == "not run; it needs weights pose_hrnet_w32_256x192.pth and data coco val2017"


def test_failed_rows_name_the_checkpoint(suite: Suite, tmp_path: Path) -> None:
    cell = next(c for c in suite.cells if c.checkpoint == "pose_hrnet_w32_256x192.pth")
    Store(tmp_path).save(record_of(cell, {}) | {"status": "failed", "reason": "Traceback\nout of memory"}, {})
    rows = {str(row.entries["row"].value): row for table in fill(suite, Store(tmp_path)) for row in table.rows}
    assert rows["coco_keypoints_val2017:19"].entries["status"].value == "failed"
    assert rows["coco_keypoints_val2017:19"].entries["missing"].value == "pose_hrnet_w32_256x192.pth: out of memory"


def test_slots_keep_protocols_apart() -> None:
    figures = load().rows()["mpii_val:4"]
    assert main_slot(figures) == Slot("PCKh@0.5", "val", "boxes=gt; scales=1; flip=yes; pckh=weighted")
    assert main_slot(figures).key == "PCKh@0.5|val|boxes=gt; scales=1; flip=yes; pckh=weighted"
    assert len({slot_of(figure) for figure in figures}) == len(figures)
