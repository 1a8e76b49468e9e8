r"""A table as LaTeX that fits one column of a paper, or the page: smaller letters, spreads below numbers, columns in blocks.

Widths are those of the two-column styles of the field (CVPR, IEEE). Letters are no smaller than `\scriptsize`; what would need
less is set in several blocks below each other, each begun with the first column. Tables over several datasets have these as rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.tables.layout import ACROSS, blocks, transposed
from benchmarks.tables.render.latex import FIT, below, escape, line
from benchmarks.tables.table import Column, Row, Table, spread_text

WIDTHS_PT = {"column": 237.0, "page": 496.0}
"""Width of a column and of the text block, in points."""
SIZES_PT = {r"\small": 9.0, r"\footnotesize": 8.0, r"\scriptsize": 7.0}
GAP_PT = 8.0
"""Between two columns: twice `\tabcolsep`."""
SPREAD = 0.95
"""Width of a letter of a spread below its number (`\\tiny`) beside one of the number: small letters are drawn wider."""
TEXT_PT, NAME_PT = 92.0, 98.0
"""Longer texts, and names in the first column, are broken into lines of this width."""
LINES = 56
"""Lines of all blocks together on a page; of more rows the others follow in a further table."""


@dataclass(frozen=True)
class _Setting:
    """How a table is set: size of letters, spreads on lines of their own, and which columns stand in which block."""

    size: str
    stacked: bool
    groups: list[list[int]]


def render(table: Table, width: str) -> str:
    r"""`table` environments for one column ("column") or `table*` for the page ("page"); needs booktabs and graphicx."""
    table = replace(table, columns=[column for column in table.columns if column.on_paper])
    if table.name in ACROSS:
        table = transposed(table)
    setting = _fitting(table, WIDTHS_PT[width])
    star = "*" if width == "page" else ""
    caption = escape(table.title + (f", tier {table.tier}" if table.tier else "") + ".")
    caption += " " + escape(table.caption) if table.caption else ""
    label = "".join(letter if letter.isalnum() else "-" for letter in table.name)
    a_part = max(1, LINES // len(setting.groups) // _height(table, setting) - 2)
    parts = [table.rows[start : start + a_part] for start in range(0, len(table.rows), a_part)] or [[]]
    out = ["% needs \\usepackage{booktabs} and \\usepackage{graphicx}"]
    for number, rows in enumerate(parts):
        first, last = number == 0, number == len(parts) - 1
        out += [
            rf"\begin{{table{star}}}[tbp]",
            r"\centering",
            setting.size,
            rf"\setlength{{\tabcolsep}}{{{GAP_PT / 2:g}pt}}",
        ]
        out.append(rf"\caption{{{caption}}}" if first else rf"{escape(table.title)}, continued.\par\smallskip")
        out += [rf"\label{{tab:{label}}}"] if first else []
        for index, group in enumerate(setting.groups):
            out += [r"\par\smallskip"] if index else []
            out += _tabular(table, [table.columns[place] for place in group], rows, setting.stacked)
        out += below(table) if last else []
        out.append(rf"\end{{table{star}}}")
    return "\n".join(out) + "\n"


def _height(table: Table, setting: _Setting) -> int:
    """Lines of a row: two where spreads stand below their numbers."""
    return 1 + (setting.stacked and any(table.spread(row, column) for row in table.rows for column in table.columns))


def render_all(tables: Sequence[Table], width: str) -> str:
    """Tables one after the other, to be pulled in with `\\input`."""
    return "\n\\clearpage\n".join(render(table, width) for table in tables)


def _fitting(table: Table, limit: float) -> _Setting:
    """The largest letters with which the table fits; blocks of columns where none are small enough."""
    everything = [list(range(len(table.columns)))]
    for size, points in SIZES_PT.items():
        for stacked in (False, True):
            widths = [_width(table, column, stacked) * points for column in table.columns]
            if sum(widths) + GAP_PT * (len(widths) - 1) <= limit:
                return _Setting(size, stacked, everything)
    size, points = list(SIZES_PT.items())[-1]
    widths = [_width(table, column, True) * points for column in table.columns]
    return _Setting(size, True, blocks(widths, limit, GAP_PT))


def _width(table: Table, column: Column, stacked: bool) -> float:
    """Estimated width of a column in units of the size of its letters."""
    widths = [_letters(part) for part in _heading(column)]
    for row in table.rows:
        number, *spread = _lines(table, row, column, stacked)
        widths += [_letters(number), *(SPREAD * _letters(part) for part in spread)]
    return min(max(widths), _limit(table, column))


def _limit(table: Table, column: Column) -> float:
    """The width at which a column's texts are broken, in units of the smallest letters' size."""
    return (NAME_PT if column is table.columns[0] else TEXT_PT) / SIZES_PT[r"\scriptsize"]


def _letters(text: str) -> float:
    """Estimated width of a line in Computer Modern, which is about the widest of the field's typefaces."""
    narrow, wide = set("iljtf.,:;|'()[] !"), set("mwMWABCDGHKNOPQRUVXY@%±=→")
    return sum(0.35 if letter in narrow else 0.85 if letter in wide else 0.57 for letter in text)


def _heading(column: Column) -> list[str]:
    """Lines of a heading: a word each, with unit and arrow on the last."""
    words = column.title.split() or [""]
    arrow = f" {column.direction.arrow}" if column.direction else ""
    unit = [f"({column.unit}){arrow}"] if column.unit else [arrow.strip()] if arrow else []
    return [*words, *unit, *([f"[{column.label}]"] if column.label else [])]


def _lines(table: Table, row: Row, column: Column, stacked: bool) -> list[str]:
    number = table.number_text(row, column)
    spread = spread_text(table.spread(row, column), table.digits(row, column)).strip()
    if not spread:
        return [number]
    return [number, spread] if stacked else [f"{number} {spread}"]


def _tabular(table: Table, columns: Sequence[Column], rows: Sequence[Row], stacked: bool) -> list[str]:
    numeric = [any(table.entry(row, column).number is not None for row in table.rows) for column in columns]
    spec = "".join("r" if right and index else "l" for index, right in enumerate(numeric))
    notes = table.footnotes()
    places = [table.places(column) for column in columns]
    whole = {id(row): index for index, row in enumerate(table.rows)}
    heads = [
        _stack([escape(part) for part in _heading(column)], side) for column, side in zip(columns, spec, strict=True)
    ]
    out = [FIT, rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}", r"\toprule", line(heads), r"\midrule"]
    previous = ""
    for row in rows:
        if row.group and row.group != previous:
            out.append(rf"\multicolumn{{{len(columns)}}}{{@{{}}l}}{{\emph{{{escape(row.group)}}}}} \\")
        previous = row.group
        cells = []
        for column, side, (best, second) in zip(columns, spec, places, strict=True):
            number, *spread = [escape(part) for part in _lines(table, row, column, stacked)]
            mark = r"\textbf" if whole[id(row)] in best else r"\underline" if whole[id(row)] in second else ""
            text = rf"{mark}{{{number}}}" if mark else number
            marks = ",".join(str(notes[note]) for note in table.entry(row, column).footnotes)
            text += rf"\textsuperscript{{{marks}}}" if marks else ""
            if not mark and _letters(number) > _limit(table, column):
                room = NAME_PT if column is table.columns[0] else TEXT_PT
                text = rf"\parbox[t]{{{room:g}pt}}{{\raggedright {text}}}"
            cells.append(_stack([text, *(rf"{{\tiny {part}}}" for part in spread)], side))
        out.append(line(cells))
    return [*out, r"\bottomrule", r"\end{tabular}}"]


def _stack(lines: Sequence[str], side: str) -> str:
    """Lines below each other in one place of the table."""
    joined = r" \\ ".join(lines)
    return joined if len(lines) == 1 else rf"\shortstack[{side}]{{{joined}}}"


def document(tables: Sequence[Table], width: str) -> str:
    """A whole two-column document around the tables, to be compiled as it is."""
    column, page = WIDTHS_PT["column"], WIDTHS_PT["page"]
    geometry = (
        rf"\usepackage[letterpaper,textwidth={page}pt,textheight=640pt,columnsep={page - 2 * column:g}pt]{{geometry}}"
    )
    head = ["\\documentclass[10pt,twocolumn]{article}", geometry, "\\usepackage[T1]{fontenc}"]
    head += ["\\usepackage{booktabs}", "\\usepackage{graphicx}", "\\begin{document}", ""]
    return "\n".join(head) + render_all(tables, width) + "\\end{document}\n"
