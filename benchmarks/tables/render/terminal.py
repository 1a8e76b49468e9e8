"""A table fitted to the width of a terminal, with rich: where that is narrow, spreads below their numbers, columns in blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.tables.layout import blocks
from benchmarks.tables.table import Column, Row, Table, spread_text

TEXT = 26
"""Columns of text are not made narrower than this, and numbers are never broken."""
GAP = 2
NAME = 30
MANY = 3
"""Protocols that are printed in full; more of them would be longer than the table."""


def show(table: Table, console: Console) -> None:
    """Prints title, table, caption, protocols and footnotes; a table without rows says so."""
    title = Text(table.title, style="bold")
    if table.tier:
        title.append(f"  tier {table.tier}", style="dim")
    console.print(title)
    if not table.rows:
        console.print("No rows: nothing has been measured for this table yet.", style="dim")
    else:
        stacked = sum(_need(table, column, False) + GAP for column in table.columns) > console.width
        widths = [_need(table, column, stacked) for column in table.columns]
        for number, group in enumerate(blocks(widths, console.width, GAP)):
            if number:
                console.print()
            console.print(_block(table, [table.columns[index] for index in group], stacked, console.width))
    for text in _below(table):
        console.print(Padding(Text(text, style="dim"), (0, 1)))
    console.print()


def _need(table: Table, column: Column, stacked: bool) -> int:
    """The least width of a column, in characters."""
    heading = max((len(word) for word in _heading(column).split()), default=1)
    numeric = any(table.entry(row, column).number is not None for row in table.rows)
    widest = max((len(line) for row in table.rows for line in _lines(table, row, column, stacked)), default=1)
    if not numeric or column is table.columns[0]:
        widest = min(widest, NAME if column is table.columns[0] else TEXT)
    return max(heading, widest)


def _heading(column: Column) -> str:
    arrow = f" {column.direction.arrow}" if column.direction else ""
    return (
        column.title + arrow + (f" {column.unit}" if column.unit else "") + (f" {column.label}" if column.label else "")
    )


def _lines(table: Table, row: Row, column: Column, stacked: bool) -> list[str]:
    """A place's text: with `stacked`, its spread on a line of its own."""
    notes = table.footnotes()
    marks = "".join(f" [{notes[note]}]" for note in table.entry(row, column).footnotes)
    number = table.number_text(row, column)
    spread = spread_text(table.spread(row, column), table.digits(row, column))
    if stacked and spread:
        return [number + marks, spread.strip()]
    return [number + spread + marks]


def _block(table: Table, columns: Sequence[Column], stacked: bool, limit: int) -> RichTable:
    grid = RichTable(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, GAP - 1, 0, 0), header_style="dim"
    )
    for index, (column, width) in enumerate(zip(columns, _shared(table, columns, stacked, limit), strict=True)):
        numeric = any(table.entry(row, column).number is not None for row in table.rows)
        side: Literal["left", "right"] = "right" if numeric and index else "left"
        grid.add_column(Text(_heading(column)), justify=side, overflow="fold", width=width)
    places = {column.key: table.places(column) for column in columns}
    previous = ""
    for index, row in enumerate(table.rows):
        if row.group and row.group != previous:
            grid.add_row(Text(row.group, style="italic"))
        previous = row.group
        grid.add_row(*(_text(table, row, column, stacked, index, places[column.key]) for column in columns))
    return grid


def _shared(table: Table, columns: Sequence[Column], stacked: bool, limit: int) -> list[int]:
    """Width of each column: what it needs, and of what is left of the limit as much as would spare it a broken line."""
    widths = [_need(table, column, stacked) for column in columns]
    left = limit - sum(widths) - GAP * (len(widths) - 1)
    for index, column in enumerate(columns):
        texts = [len(line) for row in table.rows for line in _lines(table, row, column, stacked)]
        more = max(0, min(left, max([len(_heading(column)), *texts]) - widths[index]))
        widths[index] += more
        left -= more
    return widths


def _text(table: Table, row: Row, column: Column, stacked: bool, index: int, places: tuple[set[int], set[int]]) -> Text:
    best, second = places
    first, *rest = _lines(table, row, column, stacked)
    text = Text(first, style="bold" if index in best else "underline" if index in second else "")
    entry = table.entry(row, column)
    if entry.status and entry.number is None:
        text.stylize("red" if entry.status in ("failed", "worse", "missing", "gone", "off") else "dim")
    for line in rest:
        text.append("\n")
        text.append(line, style="dim not bold not underline")
    return text


def _below(table: Table) -> list[str]:
    lines = [table.caption] if table.caption else []
    protocols = [f"Protocol of {', '.join(names)}: {text}" for text, names in table.protocols().items()]
    if len(protocols) > MANY:
        protocols = [f"{len(protocols)} protocols; they are stated in full by: tables {table.name} --format md"]
    lines += protocols
    return lines + [f"[{number}] {note}" for note, number in table.footnotes().items()]
