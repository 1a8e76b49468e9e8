"""A table as LaTeX for the booktabs package: best value bold, second underlined, footnotes below the rule."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from benchmarks.tables.table import Column, Table
from tasks.direction import Direction

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "σ": r"$\sigma$",
    "μ": r"$\mu$",
    "µ": r"$\mu$",
    "Δ": r"$\Delta$",
    "δ": r"$\delta$",
    "α": r"$\alpha$",
    "−": r"$-$",
    "²": r"$^2$",
    "³": r"$^3$",
    "°": r"$^\circ$",
    "≈": r"$\approx$",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "–": "--",
    "…": r"\ldots{}",
    "′": r"$'$",
    "\n": " ",
}


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands (every special character of text mode, and the signs that tables use).

    A sign that plain LaTeX does not know is written as its nearest ASCII, or as a question mark.
    """
    return "".join(_ESCAPES.get(letter) or _plain(letter) for letter in text)


def _plain(letter: str) -> str:
    # Latin letters with accents (below U+0180) are set up with any input encoding of today.
    if ord(letter) < 0x180:
        return letter
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


PAGE = 32
"""Lines of a table on one page."""
FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
"""Scales what is wider than the line to its width, and leaves the rest as it is."""


def _heading(column: Column) -> str:
    arrow = {None: "", Direction.HIGHER: r" $\uparrow$", Direction.LOWER: r" $\downarrow$"}[column.direction]
    unit = f" ({escape(column.unit)})" if column.unit else ""
    label = f" [{escape(column.label)}]" if column.label else ""
    return escape(column.title) + unit + arrow + label


def render(table: Table) -> str:
    r"""One `table` environment, or several where the rows need more than a page; needs booktabs and graphicx."""
    table = replace(table, columns=[column for column in table.columns if column.on_paper])
    lines = _rows(table)
    parts = [lines[start : start + PAGE] for start in range(0, len(lines), PAGE)] or [[]]
    caption = escape(table.title + (f", tier {table.tier}" if table.tier else "") + ".")
    if table.caption:
        caption += " " + escape(table.caption)
    numeric = [any(table.entry(row, column).number is not None for row in table.rows) for column in table.columns]
    spec = "".join("r" if right else "l" for right in numeric)
    label = "".join(letter if letter.isalnum() else "-" for letter in table.name)
    out = ["% needs \\usepackage{booktabs} and \\usepackage{graphicx}"]
    for number, part in enumerate(parts):
        out += [
            r"\begin{table}[htbp]",
            r"\centering",
            r"\small",
            rf"\caption{{{caption}}}" if number == 0 else rf"{escape(table.title)}, continued.\par\smallskip",
            *([rf"\label{{tab:{label}}}"] if number == 0 else []),
            FIT,
            rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
            r"\toprule",
            line(_heading(column) for column in table.columns),
            r"\midrule",
            *part,
            r"\bottomrule",
            r"\end{tabular}}",
        ]
        if number == len(parts) - 1:
            out += below(table)
        out.append(r"\end{table}")
        if number < len(parts) - 1:
            out.append(r"\clearpage")
    return "\n".join(out) + "\n"


def _rows(table: Table) -> list[str]:
    """The body's lines: group headings and rows."""
    notes = table.footnotes()
    places = [table.places(column) for column in table.columns]
    lines: list[str] = []
    previous = ""
    for index, row in enumerate(table.rows):
        if row.group and row.group != previous:
            lines.append(rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l}}{{\emph{{{escape(row.group)}}}}} \\")
        previous = row.group
        cells = []
        for (best, second), column in zip(places, table.columns, strict=True):
            text = escape(table.text(row, column))
            if index in best:
                text = rf"\textbf{{{text}}}"
            elif index in second:
                text = rf"\underline{{{text}}}"
            marks = ",".join(str(notes[note]) for note in table.entry(row, column).footnotes)
            cells.append(text + (rf"\textsuperscript{{{marks}}}" if marks else ""))
        lines.append(line(cells))
    return lines


def line(cells: Iterable[str]) -> str:
    r"""A row. A first cell that begins with [ or * is guarded: the rule or the \\ before it would read it as its own."""
    text = " & ".join(cells) + r" \\"
    return "{}" + text if text[:1] in ("[", "*") else text


def below(table: Table) -> list[str]:
    """Protocols and footnotes below the last rule."""
    lines = [f"Protocol of {escape(', '.join(titles))}: {escape(text)}." for text, titles in table.protocols().items()]
    lines += [rf"\textsuperscript{{{number}}} {escape(note)}" for note, number in table.footnotes().items()]
    if not lines:
        return []
    return [r"\par\medskip", r"\begin{minipage}{\linewidth}\footnotesize", r" \\ ".join(lines), r"\end{minipage}"]


def render_all(tables: list[Table]) -> str:
    """Tables one after the other, to be pulled in with `\\input`."""
    # Without text between them, LaTeX would hold too many floats back.
    return "\n\\clearpage\n".join(render(table) for table in tables)


def document(tables: list[Table]) -> str:
    """A whole document around the tables, to be compiled as it is."""
    head = "\\documentclass{article}\n\\usepackage[margin=1.5cm,landscape]{geometry}\n\\usepackage[T1]{fontenc}\n"
    return (
        head
        + "\\usepackage{booktabs}\n\\usepackage{graphicx}\n\\begin{document}\n"
        + render_all(tables)
        + "\\end{document}\n"
    )
