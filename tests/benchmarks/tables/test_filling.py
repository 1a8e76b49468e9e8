"""Tables are filled from stored cells: every cell is a row, failures and gaps included, and seeds become one row."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from made_up import MadeUpProtocol, Runs

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables import across_tasks, filling, uncertainty
from benchmarks.tables import rows as table_rows
from benchmarks.tables.ablation_table import AblationTable, Variant
from benchmarks.tables.class_table import ClassTable
from benchmarks.tables.table import Entry
from benchmarks.tables.task_table import TaskTable


def test_every_cell_is_a_row(runs: Runs, two_task_suite: Suite) -> None:
    for index, cell in enumerate(two_task_suite.cells):
        if index == 1:
            runs.fail(cell)
        elif index != 2:
            runs.finish(cell, 0.5 + 0.04 * index)
    people, faces, cross, ablation = filling.fill(two_task_suite, runs.store)
    assert [len(table.rows) for table in (people, faces, cross, ablation)] == [3, 3, 3, 3]
    text = people.render("md")
    assert "failed: RuntimeError: out of memory" in text and "not run yet" in text
    assert (
        "rate (%) ↑" in text
        and "people on street [gt boxes, flip]" in text
        and "boxes=gt, flip=yes" in text
        and "colour" not in text
    )
    assert people.tier == "embedded"
    assert "0.123" in text and "0.099" in text and "34" in text
    rank = [row.entries["rank"].value for row in cross.rows]
    assert [row.entries["coverage"].value for row in cross.rows] == ["2 of 2", "1 of 2", "1 of 2"]
    assert cross.column("people/street").direction == "higher" and cross.column("faces/street").direction == "lower"
    texts = [cross.text(row, cross.column("rank")) for row in cross.rows]
    assert rank[0] is not None and rank[1:] == [None, None] and texts[1].startswith("(")
    delta = ablation.rows[1].entries["delta"]
    base, here = ablation.rows[0].entries["rate"].number, ablation.rows[1].entries["rate"].number
    assert ablation.rows[0].entries["delta"].text == "base" and delta == Entry(here - base)


def test_ablation_variants_stay_out_of_the_cross_table(runs: Runs, two_task_suite: Suite) -> None:
    for cell in two_task_suite.cells:
        runs.finish(cell, 0.9 if cell.label else 0.4)
    cross = filling.fill(two_task_suite, runs.store)[-2]
    plain = runs.store.load("people", two_task_suite.cells[0].id)
    assert plain is not None and cross.rows[0].entries["people/street"].value == plain.value("rate")


def test_many_classes_stand_in_rows(runs: Runs, cell: Callable[..., Cell]) -> None:
    classes = tuple(f"thing {k}" for k in range(9))
    names = tuple(f"IoU/{name}" for name in classes)
    figures = {
        n: {"value": 10.0 + k, "unit": "%", "higher_is_better": True, "decimals": 1, "n": 60}
        for k, n in enumerate(names)
    }
    cells = [cell(), cell(model="other"), cell(model="absent")]
    for one in cells[:2]:
        runs.finish(one, figures=figures | {"rate": figures[names[0]]})
    spec = ClassTable("t", "t", "people", "street", tuple(c.id for c in cells), "IoU", classes)
    [table] = filling.fill(Suite("s", tuple(cells), (spec,)), runs.store)
    assert [column.title for column in table.columns] == ["class", "net", "other", "absent"]
    assert [row.entries["class"].value for row in table.rows][:2] == ["thing 0", "thing 1"]
    assert table.rows[3].entries[cells[1].id].value == 13.0 and table.rows[3].entries[cells[2].id].text == "not run"
    assert "IoU, higher is better." in table.render("md")


def test_seeds_become_one_row(runs: Runs, cell: Callable[..., Cell]) -> None:
    cells = [cell(seed=seed) for seed in range(3)]
    values = [runs.finish(one).value("rate") for one in cells]
    spec = TaskTable("t", "t", "people", "street", tuple(c.id for c in cells), ("rate",))
    [table] = filling.fill(Suite("s", tuple(cells), (spec,)), runs.store)
    entry = table.rows[0].entries["rate"]
    assert len(table.rows) == 1 and entry.spread is not None and entry.spread.n == 3
    assert entry.value == pytest.approx(sum(v for v in values if v is not None) / 3)


def test_two_protocols_in_one_table_are_refused(runs: Runs, cell: Callable[..., Cell]) -> None:
    cells = (cell(), cell(model="other", protocol=MadeUpProtocol(boxes="detector")))
    for one in cells:
        runs.finish(one)
    spec = TaskTable("t", "t", "people", "street", tuple(c.id for c in cells), ("rate",))
    with pytest.raises(ValueError, match=r"protocols differ.*boxes=gt.*boxes=detector"):
        filling.fill(Suite("s", cells, (spec,)), runs.store)


def test_colour_order_is_no_protocol(runs: Runs, cell: Callable[..., Cell]) -> None:
    cells = (cell(), cell(model="other", protocol=MadeUpProtocol(colour="bgr")))
    for one in cells:
        runs.finish(one)
    spec = TaskTable("t", "t", "people", "street", tuple(c.id for c in cells), ("rate",))
    assert len(filling.fill(Suite("s", cells, (spec,)), runs.store)[0].rows) == 2


def test_intervals_are_drawn_once_and_kept(
    runs: Runs, cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = cell()
    runs.finish(one)
    suite = Suite("s", (one,), (TaskTable("t", "t", "people", "street", (one.id,), ("rate",)),))
    assert filling.fill(suite, runs.store, "kept")[0].rows[0].entries["rate"].spread is None
    drawn = filling.fill(suite, runs.store, "bootstrap")[0].rows[0].entries["rate"]
    assert drawn.spread is not None and drawn.spread.low < drawn.value < drawn.spread.high  # type: ignore[operator]
    monkeypatch.setattr(uncertainty, "draw", lambda *arguments: pytest.fail("drawn again"))
    assert filling.fill(suite, runs.store)[0].rows[0].entries["rate"] == drawn


def test_only_restricts_the_rows(runs: Runs, two_task_suite: Suite) -> None:
    chosen = [cell.id for cell in two_task_suite.cells if cell.task == "faces"]
    tables = filling.fill(two_task_suite, runs.store, only=chosen)
    assert [table.name for table in tables] == ["faces_street"]


def test_ranks_share_ties() -> None:
    assert across_tasks.ranks({"a": 1.0, "b": 2.0, "c": 2.0, "d": 0.0}, True) == {
        "b": 1.5,
        "c": 1.5,
        "a": 3.0,
        "d": 4.0,
    }
    assert across_tasks.ranks({"a": 1.0, "b": 2.0}, False) == {"a": 1.0, "b": 2.0}


def test_widths_of_a_micro_body_are_one_row_and_variants_stay_out(runs: Runs, cell: Callable[..., Cell]) -> None:
    cells = [
        cell(model="rival_micro"),
        cell("faces", model="rival_micro_w22"),
        cell(model="hrnet_w32"),
        cell("faces", model="hrnet_w32"),
        cell(model="hrnet_w32", label="other boxes", protocol=MadeUpProtocol(boxes="detector")),
    ]
    for one in cells:
        runs.finish(one)
    specs = tuple(
        TaskTable(c.id, "t", c.task, "street", (c.id,), (("rate" if c.task == "people" else "error"),)) for c in cells
    )
    cross = filling.fill(Suite("s", tuple(cells), specs), runs.store)[-1]
    assert [row.entries["body"].value for row in cross.rows] == ["rival_micro", "hrnet_w32"]
    assert {row.entries["coverage"].value for row in cross.rows} == {"2 of 2"}
    assert (
        across_tasks.without_width("hrnet_w32") == "hrnet_w32"
        and across_tasks.without_width("hrnet_micro_w8") == "hrnet_micro"
    )


def test_tiers_never_share_a_table(runs: Runs, cell: Callable[..., Cell]) -> None:
    cells = (cell(), dataclasses.replace(cell(model="b"), tier="smoke"))
    spec = TaskTable("t", "t", "people", "street", tuple(c.id for c in cells), ("rate",))
    with pytest.raises(ValueError, match="tiers never share"):
        filling.fill(Suite("s", cells, (spec,)), runs.store)


def test_what_the_data_said_is_a_footnote(runs: Runs, cell: Callable[..., Cell]) -> None:
    told, silent = cell(), cell(model="silent")
    runs.finish(told, notes=["instances.json is missing: persons alone"])
    runs.finish(silent)
    spec = TaskTable("t", "t", "people", "street", (told.id, silent.id), ("rate",))
    (table,) = filling.fill(Suite("s", (told, silent), (spec,)), runs.store)
    assert [row.entries["rate"].footnotes for row in table.rows] == [("instances.json is missing: persons alone",), ()]


def test_what_other_code_made_says_so(runs: Runs, cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.experiment import staleness

    old, fresh = cell(data="street"), cell(model="fresh", data="street")
    real = cell(model="real")
    pretrained = cell(model="pretrained", data="street", recipe=dataclasses.replace(cell().recipe, init_from="x.pth"))
    cells = (old, fresh, real, pretrained)
    for one in cells:
        runs.finish(one)
    monkeypatch.setattr(staleness, "resolve", lambda one, places: one)
    monkeypatch.setattr(staleness, "cell_key", lambda one: "other code" if one.model != "fresh" else f"key-{one.id}")
    assert staleness.outdated(cells, runs.store) == {old.id}
    ids = tuple(one.id for one in cells)
    specs = (
        TaskTable("t", "t", "people", "street", ids, ("rate", "error")),
        AblationTable("a", "a", "people", "street", tuple(Variant(one) for one in ids[:2]), ("rate",)),
    )
    main, ablation = filling.fill(Suite("s", cells, specs), runs.store)
    for table in (main, ablation):
        assert table.rows[0].entries["rate"].footnotes == (staleness.NOTE,)
        assert not any(row.entries["rate"].footnotes for row in table.rows[1:])
        for form in ("md", "tex", "html"):
            assert staleness.NOTE in table.render(form)
    seeds = table_rows.measured([fresh, dataclasses.replace(fresh, seed=1)], runs.store, {fresh.id})
    assert [row.stale for row in seeds] == [True]


def test_a_figure_over_fewer_samples_says_its_n(runs: Runs, cell: Callable[..., Cell]) -> None:
    def figure(n: int) -> dict[str, object]:
        return {"value": 10.0, "unit": "%", "higher_is_better": True, "decimals": 1, "n": n}

    cells = [cell(), cell(model="other")]
    for extra, one in enumerate(cells):
        figures = {"rate": figure(60), "rate/far": figure(12), "rate/near": figure(40 + extra), "part": figure(60)}
        runs.finish(one, figures=figures)
    ids = tuple(one.id for one in cells)
    columns = ("rate", "rate/far", "rate/near", "part")
    spec = TaskTable("t", "t", "people", "street", ids, columns)
    [table] = filling.fill(Suite("s", tuple(cells), (spec,)), runs.store)
    assert [table.column(name).label for name in columns] == ["", "n=12", "n=40 to 41", ""]
    for form, wanted in (
        ("md", "rate/far (%) ↑ [n=12]"),
        ("tex", r"rate/far (\%) $\uparrow$ [n=12]"),
        ("html", "n=12"),
    ):
        assert wanted in table.render(form)
    held = table_rows.Measurements({one.id: one for one in cells}, runs.store)
    [cross] = across_tasks.AcrossTasksTable("c", "c", ids).fill(held)
    assert cross.column("people/street").label == "n=60"


def test_classes_with_an_n_of_their_own_say_it(runs: Runs, cell: Callable[..., Cell]) -> None:
    one = cell()
    classes = tuple(f"thing {k}" for k in range(9))
    names = tuple(f"IoU/{name}" for name in classes)
    figures = {
        name: {"value": 1.0, "unit": "%", "higher_is_better": True, "decimals": 1, "n": 5 + k}
        for k, name in enumerate(names)
    }
    runs.finish(one, figures=figures | {"rate": figures[names[0]]})
    spec = ClassTable("t", "t", "people", "street", (one.id,), "IoU", classes)
    [table] = filling.fill(Suite("s", (one,), (spec,)), runs.store)
    assert [row.entries["n"].value for row in table.rows] == [str(5 + k) for k in range(9)]


@pytest.mark.parametrize("value", [float("nan"), None])
def test_an_undefined_figure_is_an_empty_place(runs: Runs, cell: Callable[..., Cell], value: float | None) -> None:
    one = cell()
    stored = runs.finish(one, figures={"rate": {"value": value, "unit": "%", "higher_is_better": True}})
    found = table_rows.entry(table_rows.Measured(one, (stored,)), "rate")
    assert found.number is None and found.text == "-"


def test_notes_of_a_variant_stand_below_the_ablation(runs: Runs, cell: Callable[..., Cell]) -> None:
    cells = (cell(), cell(representation="V2", label="V2"))
    for one in cells:
        runs.finish(one)
    shown = (Variant(cells[0].id), Variant(cells[1].id, notes=("Rank 8 & no more.",)))
    spec = AblationTable("a", "a", "people", "street", shown, ("rate",))
    [table] = filling.fill(Suite("s", cells, (spec,)), runs.store)
    assert "V2 [1]" in table.render("md") and "[1] Rank 8 & no more." in table.render("md")
    assert r"Rank 8 \& no more." in table.render("tex")


def test_labels_of_variants_follow_replaced_cells(cell: Callable[..., Cell]) -> None:
    plain, other, new = cell(), cell(representation="V2"), cell(representation="V2", label="new")
    table = AblationTable(
        "a", "a", "people", "street", (Variant(plain.id), Variant(other.id, "second", ("a note",))), ("rate",)
    )
    suite = Suite("s", (plain, other), (table,)).with_cells({other.id: (new,)})
    assert suite.cells == (plain, new)
    assert suite.tables[0] == dataclasses.replace(
        table, variants=(Variant(plain.id), Variant(new.id, "second", ("a note",)))
    )
    assert Suite("s", (plain, other), (table,)).with_cells({plain.id: ()}).tables[0].cells == (other.id,)


def test_a_replaced_cell_that_is_there_already_is_one_row(cell: Callable[..., Cell]) -> None:
    one, other = cell(), cell(model="other")
    table = TaskTable("t", "t", "people", "street", (one.id, other.id), ("rate",))
    suite = Suite("s", (one, other), (table,)).with_cells({other.id: (one,)})
    assert suite.cells == (one,) and suite.tables[0].cells == (one.id,)
