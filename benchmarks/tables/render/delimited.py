"""A table as csv: one line per row; numbers in full precision beside bound, n, spread, status and footnotes of each column."""

from __future__ import annotations

import csv
import io

from benchmarks.tables.table import Column, Entry, Row, Table


def _fields(column: Column, entry: Entry, shown: str) -> dict[str, object]:
    heading = f"{column.key} [{column.unit}]" if column.unit else column.key
    fields: dict[str, object] = {heading: shown if entry.number is None else entry.value}
    if entry.number is None and entry.value is None:
        fields[heading] = entry.text or ""
    if entry.bound:
        fields[f"{column.key}.bound"] = entry.bound
    if entry.measured is not None:
        fields[f"{column.key}.measured"] = entry.measured
    if entry.n is not None:
        fields[f"{column.key}.n"] = entry.n
    if entry.spread is not None:
        for name in ("sd", "low", "high"):
            if getattr(entry.spread, name) is not None:
                fields[f"{column.key}.{name}"] = getattr(entry.spread, name)
        fields[f"{column.key}.spread"] = f"{entry.spread.kind} n={entry.spread.n}"
    if entry.status:
        fields[f"{column.key}.status"] = entry.status
    if entry.footnotes:
        fields[f"{column.key}.footnotes"] = " ".join(entry.footnotes)
    if entry.number is not None and column.protocol:
        fields[f"{column.key}.protocol"] = column.protocol
    return fields


def _records(table: Table) -> list[dict[str, object]]:
    def record(row: Row) -> dict[str, object]:
        fields: dict[str, object] = {"table": table.name, "tier": table.tier}
        if row.group:
            fields["group"] = row.group
        for column in table.columns:
            fields |= _fields(column, table.entry(row, column), table.text(row, column))
        return fields

    return [record(row) for row in table.rows]


def _write(records: list[dict[str, object]], columns: list[str]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def _columns(table: Table, records: list[dict[str, object]]) -> list[str]:
    present = {key for record in records for key in record}
    ordered = ["table", "tier", *(["group"] if "group" in present else [])]
    for column in table.columns:
        ordered.append(f"{column.key} [{column.unit}]" if column.unit else column.key)
        names = ("bound", "measured", "n", "sd", "low", "high", "spread", "status", "footnotes", "protocol")
        ordered += [f"{column.key}.{name}" for name in names if f"{column.key}.{name}" in present]
    return ordered


def render(table: Table) -> str:
    """The table with a heading line; extra columns `KEY.n`, `KEY.sd` ... appear only where some row has them."""
    records = _records(table)
    return _write(records, _columns(table, records))


def render_all(tables: list[Table]) -> str:
    """All tables in one file: the union of their columns, the table's name first."""
    records = [(table, _records(table)) for table in tables]
    columns = list(dict.fromkeys(name for table, rows in records for name in _columns(table, rows)))
    return _write([record for _, rows in records for record in rows], columns)
