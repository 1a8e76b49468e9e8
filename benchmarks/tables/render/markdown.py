"""A table as GitHub markdown, padded so that it also reads well in a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

from benchmarks.tables.table import Table


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def escape(text: str) -> str:
    """Text for a markdown table cell: no pipe and no line break that would end the cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def render(table: Table) -> str:
    """Title, table (best value bold), protocols and footnotes."""
    lines, groups = _lines(table)
    out = [f"### {table.title}" + (f" · tier {table.tier}" if table.tier else ""), "", *_padded(table, lines, groups)]
    if not table.rows:
        out += ["", "No rows: nothing has been measured for this table yet."]
    if table.caption:
        out += ["", table.caption]
    protocols, notes = table.protocols(), table.footnotes()
    if protocols:
        out += ["", *(f"Protocol of {', '.join(titles)}: {protocol}" for protocol, titles in protocols.items())]
    if notes:
        out += ["", *(f"[{number}] {note}" for note, number in notes.items())]
    return "\n".join(out) + "\n"


def _lines(table: Table) -> tuple[list[list[str]], set[int]]:
    """The cells of every line, headings first, and the indices of lines that head a group."""
    notes = table.footnotes()
    places = [table.places(column)[0] for column in table.columns]
    lines = [[escape(column.heading) for column in table.columns]]
    groups: set[int] = set()
    previous = ""
    for index, row in enumerate(table.rows):
        if row.group and row.group != previous:
            groups.add(len(lines))
            lines.append([f"*{escape(row.group)}*"] + [""] * (len(table.columns) - 1))
        previous = row.group
        cells = []
        for best, column in zip(places, table.columns, strict=True):
            text = escape(table.text(row, column))
            if index in best:
                text = f"**{text}**"
            text += "".join(f" [{notes[note]}]" for note in table.entry(row, column).footnotes)
            cells.append(text)
        lines.append(cells)
    return lines, groups


def _padded(table: Table, lines: Sequence[Sequence[str]], groups: Collection[int]) -> list[str]:
    """The lines as markdown, columns aligned; the names of groups take no part in their width."""
    numeric = [
        bool(column.direction or column.unit) or any(table.entry(row, column).number is not None for row in table.rows)
        for column in table.columns
    ]
    plain = [line for index, line in enumerate(lines) if index not in groups]
    widths = [max(3, *(_width(line[index]) for line in plain)) for index in range(len(table.columns))]
    out = []
    for index, line in enumerate(lines):
        if index in groups:
            out.append(f"| {line[0]} |" + " |" * (len(table.columns) - 1))
            continue
        cells = [_pad(text, width, right) for text, width, right in zip(line, widths, numeric, strict=True)]
        out.append("| " + " | ".join(cells) + " |")
        if index == 0:
            rules = [
                "-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, numeric, strict=True)
            ]
            out.append("| " + " | ".join(rules) + " |")
    return out


def render_all(tables: list[Table]) -> str:
    """Tables below each other with an empty line between."""
    return "\n".join(render(table) for table in tables)
