"""One sentence of what was found, from the figures of the table across tasks and their intervals."""

from __future__ import annotations

import math
from collections import Counter

from benchmarks.tables.intervals import normal_interval
from benchmarks.tables.table import Entry, Table
from tasks.direction import Direction


def finding(table: Table) -> str:
    """Who leads on how many datasets, and on how many of them beyond the intervals; "" where bodies are not compared.

    A lead is clear where the 95 % intervals of the first and the second do not meet: Student's of the mean where there are
    several seeds, else over pictures. Without intervals nothing is called clear.
    """
    columns = [column for column in table.columns if column.direction and column.key not in ("rank", "params", "macs")]
    leads: dict[str, list[str]] = {}
    clear: Counter[str] = Counter()
    compared = even = 0
    for column in columns:
        entries = [(str(row.entries["body"].value), table.entry(row, column)) for row in table.rows]
        found = [(body, entry) for body, entry in entries if entry.number is not None]
        if len(found) < 2:
            continue
        compared += 1
        found.sort(key=lambda pair: pair[1].number or 0.0, reverse=column.direction is Direction.HIGHER)
        (body, first), (_, second), *_ = found
        if round(first.number or 0, column.digits) == round(second.number or 0, column.digits):
            even += 1
            continue
        leads.setdefault(body, []).append(_dataset(column.title))
        clear[body] += _apart(first, second)
    if not leads:
        return "" if not compared else f"No body leads on any of {compared} datasets: the best figures are equal."
    order = sorted(leads, key=lambda body: -len(leads[body]))
    parts = [_part(body, leads[body], clear[body], compared, index == 0) for index, body in enumerate(order)]
    text = "; ".join(parts) + (f"; {even} {'is' if even == 1 else 'are'} even" if even else "")
    kinds = {entry.spread.kind for row in table.rows for entry in row.entries.values() if entry.spread and entry.bounds}
    over = "over seeds, else over pictures" if len(kinds) > 1 else "over seeds" if "seeds" in kinds else "over pictures"
    return text + (f". Clear: beyond the 95 % intervals {over}." if kinds else ".")


def _part(body: str, datasets: list[str], clear: int, compared: int, first: bool) -> str:
    count = f"{len(datasets)} of {compared} datasets" if first else f"{len(datasets)}"
    names = "" if len(datasets) > 4 else f" ({', '.join(datasets)})"
    return f"{body} leads on {count}{names}" + (f", clearly on {clear}" if clear else "")


def _dataset(title: str) -> str:
    """The dataset of a column's title, which ends with the metric."""
    return title.rpartition(" ")[0] or title


def _apart(first: Entry, second: Entry) -> bool:
    """Whether the intervals of two entries do not meet."""
    one, other = _interval(first), _interval(second)
    return one is not None and other is not None and (one[0] > other[1] or one[1] < other[0])


def _interval(entry: Entry) -> tuple[float, float] | None:
    """The 95 % interval of a figure; of a mean over seeds, from their deviation."""
    spread = entry.spread
    if spread is None or spread.kind != "seeds" or entry.number is None:
        return entry.bounds
    if spread.sd is None or spread.n < 2:
        return None
    return normal_interval(entry.number, spread.sd / math.sqrt(spread.n), spread.n - 1, 0.95)
