"""A table refuses what must not stand side by side, and every form says the same numbers."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.tables.render import latex
from benchmarks.tables.table import FORMATS, Column, Entry, Spread, Table, render_all
from tasks.direction import Direction


def example() -> Table:
    table = Table(
        "pose_coco",
        "COCO val2017 & more_",
        [
            Column("body", "body"),
            Column("params", "params", "M", Direction.LOWER, digits=1),
            Column("ap", "AP", "%", Direction.HIGHER, label="gt boxes", digits=1),
        ],
        caption="100 % synthetic #1, Δ ± 漢",
    )
    note = "a note with_underscore & 5 %"
    gt = "boxes=gt; flip=yes"
    table.add({"body": "hrnet_w32", "params": 28.5, "ap": Entry(74.44, protocol=gt, n=99, footnotes=(note,))}, "full")
    table.add(
        {"body": "resnet50|x", "params": 34.0, "ap": Entry(70.4, protocol=gt, spread=Spread("seeds", 3, sd=0.31))}
    )
    table.add(
        {"body": "third", "params": 34.0, "ap": Entry(status="failed", text="failed: out of memory")}, "full", "B"
    )
    table.add({"body": "fourth", "ap": Entry(60, protocol=gt, spread=Spread("bootstrap", 9, low=58.0, high=61.2))})
    return table


def test_two_protocols_in_a_column_are_refused() -> None:
    table = example()
    with pytest.raises(ValueError, match=r"'AP'.*\[boxes=gt; flip=yes\].*\[boxes=detector\].*two columns"):
        table.add({"ap": Entry(50.0, protocol="boxes=detector")})
    assert len(table.rows) == 4


def test_two_tiers_in_a_table_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tier 'full'.*tier 'embedded'"):
        example().add({"body": "x"}, tier="embedded")


@pytest.mark.parametrize("wrong", [{"unit": "px"}, {"direction": Direction.LOWER}])
def test_other_unit_or_direction_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=rf"'AP'.*{next(iter(wrong))}"):
        example().add({"ap": Entry(50.0, **wrong)})


def test_a_refused_row_leaves_the_table_as_it_was() -> None:
    table = Table(
        "t", "t", [Column("a", "a", "%", Direction.HIGHER), Column("b", "b", "%", Direction.HIGHER, protocol="p")]
    )
    with pytest.raises(ValueError, match="protocols differ"):
        table.add({"a": Entry(1.0, protocol="q"), "b": Entry(1.0, protocol="q")})
    assert table.column("a").protocol is None and not table.rows


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Entry(float("nan"))


def test_unknown_column_format_and_status_name_the_nearest() -> None:
    with pytest.raises(ValueError, match="nearest: \\['params'\\]"):
        example().add({"parms": 1})
    with pytest.raises(ValueError, match="got 'htm'"):
        example().render("htm")
    with pytest.raises(ValueError, match="nearest: \\['failed'\\]"):
        Entry(status="fail")


def test_best_and_second_follow_the_direction_and_ties_share() -> None:
    table = example()
    assert table.places(table.column("ap")) == ({0}, {1})
    assert table.places(table.column("params")) == ({0}, {1, 2})
    assert table.places(table.column("body")) == (set(), set())


def test_markdown() -> None:
    text = example().render("md")
    assert "AP (%) ↑ [gt boxes]" in text and "tier full" in text
    assert "**74.4** [1]" in text and "70.4 ± 0.3 (n=3)" in text and "60 [58.0, 61.2]" not in text.split("fourth")[0]
    assert "failed: out of memory" in text and "resnet50\\|x" in text
    assert "Protocol of AP: boxes=gt; flip=yes" in text and "[1] a note" in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| *")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1


def test_csv_holds_full_precision() -> None:
    rows = list(csv.DictReader(io.StringIO(example().render("csv"))))
    assert rows[0]["ap [%]"] == "74.44" and rows[0]["ap.n"] == "99" and rows[0]["ap.protocol"] == "boxes=gt; flip=yes"
    assert rows[1]["ap.sd"] == "0.31" and rows[2]["ap.status"] == "failed" and rows[2]["group"] == "B"
    both = list(csv.DictReader(io.StringIO(render_all([example(), example()], "csv"))))
    assert len(both) == 8


def test_json_round_trip() -> None:
    content = json.loads(example().render("json"))
    assert content["rows"][0]["entries"]["ap"]["value"] == 74.44
    assert (
        content["columns"][2]["direction"] == "higher" and content["rows"][3]["entries"]["ap"]["spread"]["high"] == 61.2
    )


def test_html_escapes_and_marks() -> None:
    text = example().render("html")
    assert "COCO val2017 &amp; more_" in text and 'class="num best"' in text and 'class="num second"' in text
    assert text.count("<tr") == text.count("</tr>") == 6 and "scroll" in text
    assert '<span class="status bad">failed: out of memory</span>' in text


def test_latex_marks_and_escapes() -> None:
    text = example().render("tex")
    assert r"\textbf{74.4}\textsuperscript{1}" in text and r"\underline{70.4 $\pm$ 0.3 (n=3)}" in text
    assert r"COCO val2017 \& more\_" in text and r"100 \% synthetic \#1" in text and r"hrnet\_w32" in text
    assert latex.escape("a_b&c#d%e{f}g~h^i\\j$k") == (
        r"a\_b\&c\#d\%e\{f\}g\textasciitilde{}h\textasciicircum{}i\textbackslash{}j\$k"
    )


def test_latex_knows_other_alphabets() -> None:
    assert latex.escape("Δ AP − 3² ﬁ é 漢") == r"$\Delta$ AP $-$ 3$^2$ fi é ?"


def compiled(tables: list[Table], folder: Path) -> str:
    """The log of pdflatex over a document of these tables; fails where it does not compile."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (folder / "t.tex").write_text(latex.document(tables), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "t.pdf").stat().st_size > 5000
    return (folder / "t.log").read_text(encoding="utf-8", errors="replace")


def test_latex_compiles(tmp_path: Path) -> None:
    compiled([example(), example()], tmp_path)


def test_latex_takes_cells_that_begin_like_options(tmp_path: Path) -> None:
    table = Table("odd", "Odd", [Column("a", "[x] of y"), Column("b", "b")])
    for text in ("[1] first", "*starred", "[", "* & more", "plain"):
        table.add({"a": text, "b": 1.5})
    lines = latex.render(table).splitlines()
    assert [line[:3] for line in lines if "& 1.50" in line] == ["{}[", "{}*", "{}[", "{}*", "pla"]
    assert "{}[x] of y & b \\\\" in lines
    compiled([table], tmp_path)


def test_latex_tables_fit_the_page(tmp_path: Path) -> None:
    wide = Table("wide", "Wide", [Column("a", "a heading " * 6), Column("b", "another heading " * 9)])
    wide.add({"a": "a long cell " * 8, "b": "more " * 20})
    log = compiled([example(), wide], tmp_path)
    assert "Overfull \\hbox" not in log


@pytest.mark.parametrize("form", FORMATS)
def test_empty_table_renders(form: str) -> None:
    text = Table("empty", "Empty", [Column("a", "a")]).render(form)
    assert text.endswith("\n")


def test_integers_stay_integers_and_signs_show() -> None:
    table = Table("t", "t", [Column("n", "n"), Column("d", "difference", "%", signed=True, digits=1)])
    row = table.add({"n": 12, "d": 0.26})
    assert [table.text(row, column) for column in table.columns] == ["12", "+0.3"]


def test_html_shows_the_protocol_fields_that_differ_and_folds_the_rest() -> None:
    columns = [Column(name, name.upper(), "%", Direction.HIGHER) for name in ("a", "b", "c")]
    table = Table("t", "t", [Column("body", "body"), *columns])
    shared = "input=64, flip=yes, boxes="
    table.add({"body": "x", **{name: Entry(1.0, protocol=shared + name) for name in ("a", "b")}})
    before, folded = table.render("html").split('<div class="below">')[1].split('<details class="protocols">')
    assert "<b>A</b>: boxes=a</p>" in before and "<b>B</b>: boxes=b</p>" in before and "input=64" not in before
    assert "2 protocols in full" in folded and folded.count("input=64, flip=yes") == 2
    # Protocols of different kinds have no fields to compare.
    table.add({"body": "y", "c": Entry(1.0, protocol="scales=1")})
    before, folded = table.render("html").split('<div class="below">')[1].split('<details class="protocols">')
    assert "boxes=a" not in before and "3 protocols in full" in folded
