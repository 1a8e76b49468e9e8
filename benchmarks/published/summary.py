"""The papers' tables in short: counts by status, and the rows that were attempted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.tables.table import Column, Table

STATUSES = ("reproduced", "within tolerance", "off", "suspiciously better", "failed", "not attempted")


def summary(tables: Sequence[Table]) -> Table:
    """How many rows of each paper's table have which status."""
    columns = [Column("table", "table"), Column("rows", "rows"), *(Column(status, status) for status in STATUSES)]
    made = Table("published_summary", "Published rows and what became of them", columns)
    for table in tables:
        counts = Counter(row.entries["status"].status for row in table.rows)
        made.add({"table": table.title, "rows": len(table.rows), **{name: counts[name] or None for name in STATUSES}})
    return made


def attempted(tables: Sequence[Table]) -> list[Table]:
    """The tables with their attempted rows alone; tables without any are left out."""
    kept = []
    for table in tables:
        rows = [row for row in table.rows if row.entries["status"].status != "not attempted"]
        if rows:
            kept.append(replace(table, rows=rows))
    return kept
