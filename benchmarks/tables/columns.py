"""Columns that tables of measured cells share: metrics with unit, direction and n, and what a network costs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.tables.rows import Measured
from benchmarks.tables.table import Column, Entry
from tasks.direction import Direction


def counts_of(metric: str, rows: Sequence[Measured]) -> list[int]:
    """What the rows' figures of a metric are pooled over (images, people, faces): the different n, in order."""
    return sorted({n for row in rows if (n := row.n(metric)) is not None})


def count_text(counts: Sequence[int]) -> str:
    """ "n=120", or "n=98 to 120" where rows differ; "" where none is known."""
    if not counts:
        return ""
    return f"n={counts[0]}" if len(counts) == 1 else f"n={counts[0]} to {counts[-1]}"


def metric_column(
    metric: str, rows: Sequence[Measured], title: str = "", key: str = "", beside: str | None = None
) -> Column:
    """The column of a metric; its protocol is stated in the table's heading and below the table.

    Its label says what the figures are pooled over, unless that is the n of the metric `beside`, which the table gives.
    """
    figure = next((found for row in rows if (found := row.figure(metric))), None)
    if figure is None:
        info = _metric_info(rows[0].cell.task, metric) if rows else None
        unit, better, digits = info or ("", None, 1)
        return Column(key or metric, title or metric, unit, better, None, "", digits)
    counts = counts_of(metric, rows)
    label = "" if beside is not None and counts == counts_of(beside, rows) else count_text(counts)
    return Column(key or metric, title or metric, figure.unit, figure.direction, None, label, figure.decimals)


def compared_columns(metrics: Sequence[str], rows: Sequence[Measured], digits: int | None = None) -> list[Column]:
    """The columns of these metrics, behind the first its difference from a base row's (`difference`) with `digits` decimals,
    or with its own."""
    main = metrics[0]
    first = metric_column(main, rows, beside=main)
    delta = Column("delta", f"Δ {main}", first.unit, digits=first.digits if digits is None else digits, signed=True)
    return [first, delta, *(metric_column(metric, rows, beside=main) for metric in metrics[1:])]


def difference(here: Entry, base: Entry, is_base: bool) -> Entry:
    """A row's figure minus its base's; empty where either has no number."""
    if is_base:
        return Entry(text="base")
    return Entry() if here.number is None or base.number is None else Entry(here.number - base.number)


def _metric_info(task: str, metric: str) -> tuple[str, Direction, int] | None:
    """Unit, direction and decimals that a task states for a metric; None if it has no such metric."""
    from tasks import get_task

    try:
        info = get_task(task).metrics[metric]
    except KeyError:
        return None
    return info.unit, info.direction, info.decimals


def cost_columns() -> list[Column]:
    """Parameters and multiply-adds."""
    return [
        Column("params", "params", "M", Direction.LOWER, digits=3),
        Column("macs", "multiply-adds", "G", Direction.LOWER, digits=3),
    ]


def cost_entries(row: Measured) -> dict[str, Entry]:
    """A row's entries in `cost_columns`."""
    cost = row.cost
    if cost is None:
        return {"params": Entry(text="-"), "macs": Entry(text="-")}
    return {"params": Entry(cost.params / 1e6), "macs": Entry(cost.macs / 1e9)}


def run_columns() -> list[Column]:
    """What the main metric is pooled over, and how long the cell took."""
    return [Column("n", "n"), Column("seconds", "time", "s", digits=0)]


def bracketed(rows: Sequence[Measured]) -> str:
    """The rows' protocol in short, in brackets behind a table's title; "" where none is stored."""
    header = next((stored.record.protocol_header for row in rows for stored in row.done), "")
    return f" [{header}]" if header else ""
