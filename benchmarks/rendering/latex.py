"""A table as LaTeX for the booktabs package: best value bold, second underlined, footnotes below the rule."""

from __future__ import annotations

from benchmarks.tables import HIGHER, Column, Table

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
    "–": "--",
    "…": r"\ldots{}",
    "′": r"$'$",
    "\n": " ",
}


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands (every special character of text mode, and the signs that tables use)."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def _heading(column: Column) -> str:
    arrow = {"": "", HIGHER: r" $\uparrow$"}.get(column.direction, r" $\downarrow$")
    unit = f" ({escape(column.unit)})" if column.unit else ""
    return escape(column.title) + unit + arrow


def render(table: Table) -> str:
    r"""A `table` environment; needs `\usepackage{booktabs}` alone."""
    notes = table.footnotes()
    places = [table.places(column) for column in table.columns]
    numeric = [any(table.entry(row, column).number is not None for row in table.rows) for column in table.columns]
    spec = "".join("r" if right else "l" for right in numeric)
    caption = escape(table.title + (f", tier {table.tier}" if table.tier else "") + ".")
    if table.caption:
        caption += " " + escape(table.caption)
    out = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}[htbp]",
        r"\centering",
        r"\small",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{''.join(letter if letter.isalnum() else '-' for letter in table.name)}}}",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        r"\toprule",
        " & ".join(_heading(column) for column in table.columns) + r" \\",
        r"\midrule",
    ]
    previous = ""
    for index, row in enumerate(table.rows):
        if row.group and row.group != previous:
            out.append(rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l}}{{\emph{{{escape(row.group)}}}}} \\")
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
        out.append(" & ".join(cells) + r" \\")
    out += [r"\bottomrule", r"\end{tabular}"]
    below = [f"Protocol of {escape(', '.join(titles))}: {escape(text)}." for text, titles in table.protocols().items()]
    below += [rf"\textsuperscript{{{number}}} {escape(note)}" for note, number in notes.items()]
    if below:
        out += [r"\par\medskip", r"\begin{minipage}{\linewidth}\footnotesize", r" \\ ".join(below), r"\end{minipage}"]
    out.append(r"\end{table}")
    return "\n".join(out) + "\n"


def render_all(tables: list[Table]) -> str:
    """Tables one after the other, to be pulled in with `\\input`."""
    return "\n".join(render(table) for table in tables)


def document(tables: list[Table]) -> str:
    """A whole document around the tables, to be compiled as it is."""
    head = "\\documentclass{article}\n\\usepackage[margin=1.5cm,landscape]{geometry}\n\\usepackage[T1]{fontenc}\n"
    return head + "\\usepackage{booktabs}\n\\begin{document}\n" + render_all(tables) + "\\end{document}\n"
