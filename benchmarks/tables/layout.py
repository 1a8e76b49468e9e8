"""Other layouts of a filled table: transposed, some of its columns, other decimals, some of several tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.tables.table import Column, Entry, Row, Table
from hrnet.names import close_names

ACROSS = ("cross_task", "overview")
"""Names of tables over several datasets: they read best with datasets as rows."""


def transposed(table: Table) -> Table:
    """The table with its columns as rows, and a column per row; numbers keep unit, decimals and their place among rivals."""
    if not table.columns:
        return table
    first, rest = table.columns[0], table.columns[1:]
    heads = [table.text(row, first) + (f" ({row.group})" if row.group else "") for row in table.rows]
    if len(set(heads)) < len(heads) and rest:
        heads = [f"{head} · {table.text(row, rest[0])}" for row, head in zip(table.rows, heads, strict=True)]
    keys = [head if heads.count(head) == 1 else f"{head} #{number}" for number, head in enumerate(heads, 1)]
    name = "dataset" if table.name in ACROSS else "quantity"
    columns = [Column("quantity", name), *(Column(key, head) for key, head in zip(keys, heads, strict=True))]
    places = {column.key: table.places(column) for column in rest}

    def turned(column: Column, index: int) -> Entry:
        row, (best, second) = table.rows[index], places[column.key]
        entry, mark = table.entry(row, column), "best" if index in best else "second" if index in second else ""
        text = table.number_text(row, column) if column.signed and entry.number is not None else entry.text
        return replace(entry, protocol=None, unit=None, direction=None, text=text, digits=column.digits, mark=mark)

    rows = []
    for column in rest:
        entries = {key: turned(column, index) for index, key in enumerate(keys)}
        rows.append(Row({"quantity": Entry(column.heading), **entries}))
    return replace(table, columns=columns, rows=rows, stated=table.protocols())


def without_empty(table: Table) -> Table:
    """The table without bodies and datasets that were not run at all; the caption counts them. What failed stays.

    Of a table over several datasets, bodies in rows.
    """
    said = ("rank", "coverage", "params", "macs")
    judged = [column for column in table.columns[1:] if column.key not in said]

    def empty(entry: Entry) -> bool:
        return entry.number is None and entry.status in ("", "not attempted")

    rows = [row for row in table.rows if not all(empty(table.entry(row, column)) for column in judged)]
    gone = [column for column in judged if all(empty(table.entry(row, column)) for row in table.rows)]
    if not rows or (len(rows) == len(table.rows) and not gone):
        return table
    left = [f"{len(table.rows) - len(rows)} bodies", f"{len(gone)} datasets"]
    told = " and ".join(text for text in left if not text.startswith("0"))
    kept = [column for column in table.columns if column not in gone]
    return replace(table, columns=kept, rows=rows, caption=f"{table.caption} Not run and left out: {told}.".strip())


def with_columns(tables: Sequence[Table], wanted: Sequence[str]) -> list[Table]:
    """The tables with their first column and those that are asked for by key or title; tables without any are left out.

    Raises:
        ValueError: a name that no table has.
    """
    names = {name.lower(): "" for table in tables for column in table.columns for name in (column.key, column.title)}
    for word in wanted:
        if word.lower() not in names:
            near = ", ".join(close_names(word, sorted(names), 5, cutoff=0))
            raise ValueError(f"--columns {word}: no table has such a column. Nearest: {near}")
    chosen = {word.lower() for word in wanted}
    made = []
    for table in tables:
        kept = [column for column in table.columns[1:] if {column.key.lower(), column.title.lower()} & chosen]
        if kept:
            named_by = [table.columns[0], *_second_name(table)]
            made.append(_narrowed(table, list(dict.fromkeys([*named_by, *kept]))))
    return made


def _second_name(table: Table) -> list[Column]:
    """The second column where the first names several rows alike (variants of a body)."""
    names = [table.text(row, table.columns[0]) for row in table.rows]
    return table.columns[1:2] if len(set(names)) < len(names) else []


def _narrowed(table: Table, columns: list[Column]) -> Table:
    keys = {column.key for column in columns}
    rows = [
        replace(row, entries={key: value for key, value in row.entries.items() if key in keys}) for row in table.rows
    ]
    return replace(table, columns=columns, rows=rows)


def with_decimals(table: Table, decimals: int) -> Table:
    """The table with that many decimals in every column of numbers with some; counts stay whole."""

    def whole(column: Column) -> bool:
        numbers = [entry.value for row in table.rows if (entry := table.entry(row, column)).number is not None]
        return bool(numbers) and all(isinstance(value, int) for value in numbers)

    columns = [column if whole(column) else replace(column, digits=decimals) for column in table.columns]
    rows = [
        replace(row, entries={key: replace(entry, digits=None) for key, entry in row.entries.items()})
        for row in table.rows
    ]
    return replace(table, columns=columns, rows=rows)


def named(tables: Sequence[Table], names: Sequence[str]) -> list[Table]:
    """The tables of these names, in the order asked for.

    Raises:
        ValueError: a name that no table has.
    """
    by_name: Mapping[str, Table] = {table.name: table for table in tables}
    for name in names:
        if name not in by_name:
            near = ", ".join(close_names(name, sorted(by_name), 5, cutoff=0))
            raise ValueError(f"no table is named {name!r}. Nearest: {near}; tables --names lists all {len(by_name)}.")
    return [by_name[name] for name in names]


def blocks(widths: Sequence[float], limit: float, gap: float) -> list[list[int]]:
    """Indices of columns in groups that are no wider than `limit` with a `gap` each; every group begins with column 0.

    A column that is too wide even alone has a group of its own.
    """
    made: list[list[int]] = []
    used = limit
    for index, need in enumerate(widths[1:], 1):
        if not made or used + need + gap > limit:
            made.append([0])
            used = widths[0] + gap
        made[-1].append(index)
        used += need + gap
    return made or [[0]]


def across_first(tables: Sequence[Table]) -> list[Table]:
    """The tables with those over several datasets before the others."""
    return sorted(tables, key=lambda table: table.name not in ACROSS)
