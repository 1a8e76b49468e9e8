"""A table as json: columns with unit, direction and protocol, rows of entries with everything that they know."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from benchmarks.tables.table import Entry, Table


def _entry(entry: Entry, shown: str) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(entry).items() if value not in (None, "", ())}
    return {**fields, "value": entry.value, "text": shown}


def content(table: Table) -> dict[str, Any]:
    """The table as plain data."""
    return {
        "name": table.name,
        "title": table.title,
        "tier": table.tier,
        "caption": table.caption,
        "columns": [{**asdict(column), "direction": str(column.direction or "")} for column in table.columns],
        "rows": [
            {
                "group": row.group,
                "entries": {
                    column.key: _entry(table.entry(row, column), table.text(row, column)) for column in table.columns
                },
            }
            for row in table.rows
        ],
    }


def render(table: Table) -> str:
    """One json object."""
    return json.dumps(content(table), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def render_all(tables: list[Table]) -> str:
    """A json list of tables."""
    return json.dumps([content(table) for table in tables], indent=1, ensure_ascii=False, allow_nan=False) + "\n"
