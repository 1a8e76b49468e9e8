"""Transposed tables, chosen columns and decimals, the fit to a terminal and to a paper: the numbers stay what they are."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.tables import layout
from benchmarks.tables.render import paper, terminal
from benchmarks.tables.table import Column, Entry, Spread, Table
from tasks.direction import Direction


def wide(num_datasets: int = 10, num_bodies: int = 4) -> Table:
    """A table across datasets as the default run has it: intervals, ranks, a failed cell."""
    columns = [Column("body", "body")]
    columns += [
        Column(
            f"t/d{i}",
            f"Dataset {i} NME[inter_ocular]",
            "%",
            Direction.LOWER if i % 2 else Direction.HIGHER,
            label="n=120",
            digits=1,
        )
        for i in range(num_datasets)
    ]
    table = Table("cross_task", "Across tasks", [*columns, Column("rank", "mean rank", "", Direction.LOWER)])
    for body in range(num_bodies):
        entries: dict[str, Entry | str | float] = {"body": f"hrnet_micro_{body}", "rank": 1.0 + body}
        for i in range(num_datasets):
            value = 30.0 + 7 * body + i
            spread = Spread("bootstrap", 9, low=value - 1.25, high=value + 1.25)
            entries[f"t/d{i}"] = Entry(value, protocol=f"flip=yes, input=64 of {i}", spread=spread, n=120)
        entries["t/d0"] = Entry(status="failed", text="failed") if body == 3 else entries["t/d0"]
        table.add(entries, "embedded")
    return table


def test_transposed_keeps_numbers_places_and_protocols() -> None:
    table = wide(3)
    turned = layout.transposed(table)
    assert [column.title for column in turned.columns] == ["dataset", *(f"hrnet_micro_{i}" for i in range(4))]
    assert [row.entries["quantity"].value for row in turned.rows] == [column.heading for column in table.columns[1:]]
    assert turned.protocols() == table.protocols()
    for column, row in zip(table.columns[1:], turned.rows, strict=True):
        best, second = table.places(column)
        for index, (head, old) in enumerate(zip(turned.columns[1:], table.rows, strict=True)):
            assert turned.text(row, head) == table.text(old, column)
            assert row.entries[head.key].mark == ("best" if index in best else "second" if index in second else "")
    rows = list(csv.DictReader(io.StringIO(turned.render("csv"))))
    assert rows[1]["hrnet_micro_0"] == "31.0" and rows[1]["hrnet_micro_0.low"] == "29.75"
    assert "**31.0 [29.8, 32.2]**" in turned.render("md") and 'class="num best"' in turned.render("html")


def test_rows_of_one_name_are_told_apart() -> None:
    table = Table("t", "t", [Column("body", "body"), Column("variant", "coding"), Column("ap", "AP", digits=1)])
    for variant, value in (("plain", 1.0), ("UDP", 2.0)):
        table.add({"body": "net", "variant": variant, "ap": value})
    [narrow] = layout.with_columns([table], ["ap"])
    assert [column.key for column in narrow.columns] == ["body", "variant", "ap"]
    assert [column.title for column in layout.transposed(narrow).columns] == ["quantity", "net · plain", "net · UDP"]


def test_columns_by_key_or_title_and_decimals() -> None:
    [table] = layout.with_columns([wide(3)], ["T/D1", "mean rank"])
    assert [column.key for column in table.columns] == ["body", "t/d1", "rank"]
    assert all(set(row.entries) <= {"body", "t/d1", "rank"} for row in table.rows)
    with pytest.raises(ValueError, match=r"--columns t/d11: .* Nearest: t/d1"):
        layout.with_columns([wide(3)], ["t/d11"])
    shown = layout.with_decimals(table, 3)
    assert shown.text(shown.rows[0], shown.columns[1]) == "31.000 [29.750, 32.250]"
    counted = Table("t", "t", [Column("n", "n")])
    counted.add({"n": 120})
    assert layout.with_decimals(counted, 3).render("md").count("120 |") == 1


def test_what_was_not_run_at_all_is_left_out_and_counted_and_failures_stay() -> None:
    table = Table(
        "cross_task", "A", [Column("body", "body"), *(Column(f"t/{n}", n) for n in "abc"), Column("rank", "rank")]
    )
    idle = Entry(status="not attempted", text="not run")
    table.add({"body": "x", "t/a": 1.0, "t/b": idle, "rank": 1.0})
    table.add({"body": "y", "t/a": Entry(status="failed", text="failed"), "t/b": idle})
    table.add({"body": "z", "t/a": idle, "t/b": idle})
    kept = layout.without_empty(table)
    assert [row.entries["body"].value for row in kept.rows] == ["x", "y"]
    assert [column.key for column in kept.columns] == ["body", "t/a", "rank"]
    assert kept.caption == "Not run and left out: 1 bodies and 2 datasets."
    assert layout.without_empty(kept) is kept and layout.without_empty(wide()).rows == wide().rows


def test_a_table_by_name_and_those_across_first() -> None:
    other = Table("pose", "Pose", [Column("body", "body")])
    assert [table.name for table in layout.across_first([other, wide(1)])] == ["cross_task", "pose"]
    assert layout.named([other, wide(1)], ["pose"]) == [other]
    with pytest.raises(ValueError, match=r"no table is named 'cross'\. Nearest: cross_task"):
        layout.named([other, wide(1)], ["cross"])


def test_blocks_hold_every_column_once_behind_the_first() -> None:
    widths = [10.0, 5.0, 5.0, 5.0, 99.0, 5.0]
    groups = layout.blocks(widths, 26.0, 1.0)
    assert [index for group in groups for index in group[1:]] == [1, 2, 3, 4, 5] and all(
        group[0] == 0 for group in groups
    )
    assert all(sum(widths[i] + 1 for i in group) <= 26 or len(group) == 2 for group in groups)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("turn", [False, True])
def test_the_terminal_shows_every_number_unbroken_within_its_width(width: int, turn: bool) -> None:
    table = layout.transposed(wide()) if turn else wide()
    stream = io.StringIO()
    terminal.show(table, Console(file=stream, width=width, highlight=False))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    shown = stream.getvalue()
    for row in table.rows:
        for column in table.columns[1:]:
            assert table.number_text(row, column) in shown
            spread = table.spread(row, column)
            assert spread is None or f"[{spread.low:.1f}, {spread.high:.1f}]" in shown
    assert "protocols; they are stated in full" in " ".join(shown.split())


@pytest.mark.parametrize("width", ["column", "page"])
def test_latex_fits_the_width_it_was_made_for(width: str, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    many = Table(
        "t_s",
        "Nine metrics & 5 %",
        [Column("body", "body"), *(Column(f"m{i}", f"AP{i}", "%", digits=1) for i in range(9))],
    )
    for body in ("hrnet_w32", "simple_baseline_r152"):
        many.add({"body": body, **{f"m{i}": Entry(70.0 + i, spread=Spread("seeds", 3, sd=0.25)) for i in range(9)}})
    many.add(
        {
            "body": "third",
            "m0": Entry(status="failed", text="failed: CUDA out of memory on a device of 80 GiB, batch 64"),
        }
    )
    text = paper.document([wide(), many], width)
    # The guard that would scale down says instead how wide what it holds is.
    measured = r"\newcommand{\measured}[1]{\sbox0{#1}\typeout{WIDTH \the\wd0; of \the\linewidth}\usebox0}"
    text = text.replace(paper.FIT, r"\measured{%").replace(r"\begin{document}", measured + r"\begin{document}")
    (tmp_path / "t.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    found = re.findall(r"WIDTH ([\d.]+)pt; of ([\d.]+)pt", done.stdout)
    assert len(found) >= 2
    for have, limit in found:
        assert float(have) <= float(limit) == paper.WIDTHS_PT[width], (have, limit)
        assert float(have) > 0.3 * float(limit)
    assert not [line for line in done.stdout.splitlines() if line.startswith("Overfull")], done.stdout
    assert r"hrnet\_micro\_3" in text and (r"\begin{table*}" in text) == (width == "page")


def test_latex_has_datasets_as_rows_and_marks_the_best() -> None:
    text = paper.render(wide(2), "column")
    assert text.index("Dataset 0") < text.index("Dataset 1") < text.index("mean rank")
    line = next(line for line in text.splitlines() if "Dataset 1" in line)
    assert line.count(r"\textbf{") == 1 and r"\textbf{31.0}" in line and r"\underline{38.0}" in line
