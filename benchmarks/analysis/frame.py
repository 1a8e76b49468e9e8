"""All stored cells and figures as one tidy pandas frame: a line per figure, with protocol, recipe, cost and provenance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.experiment.suite import Suite
from benchmarks.store.record import Figure, Record
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.rows import last_line, seconds
from benchmarks.tables.uncertainty import cell_spread

if TYPE_CHECKING:
    import pandas

COLUMNS = (
    "origin", "id", "name", "label", "task", "dataset", "split", "tier", "model", "representation", "checkpoint", "seed",
    "precision", "status", "reason", "metric", "value", "unit", "higher_is_better", "decimals", "n", "headline", "low",
    "high", "level", "params", "macs", "latency_ms", "seconds", "commit", "started", "accelerator", "cpu", "folder",
)  # fmt: skip
"""Columns of every frame, in order; after them `protocol.FIELD`, `recipe.FIELD` and `changes.NAME`, blank where a task has
none. `low` and `high` bound `level` where an interval is kept; `macs` counts multiply-adds; a failed cell is one line."""


def stored_frame(out: Path, suite: Suite | None = None, intervals: str = "kept") -> pandas.DataFrame:
    """Everything that a results folder (or its `runs`) holds, a line per cell and figure; see `benchmarks.results_frame`.

    Raises:
        ValueError: no such folder or kind of intervals.
    """
    if not out.is_dir():
        raise ValueError(f"{out}: expected a folder of results, found none. Correct the path, or run a suite first.")
    if intervals not in ("kept", "bootstrap", "none"):
        raise ValueError(f"expected intervals 'kept', 'bootstrap' or 'none', got {intervals!r}")
    store = Store(out if out.name == "runs" and not (out / "runs").is_dir() else out / "runs")
    return frame_of(store.all(), intervals) if suite is None else suite_frame(suite, store, intervals)


def suite_frame(suite: Suite, store: Store, intervals: str = "kept") -> pandas.DataFrame:
    """The frame of a suite's stored cells, in suite order."""
    found = (store.load(cell.task, cell.id) for cell in suite.cells)
    return frame_of((stored for stored in found if stored is not None), intervals)


def frame_of(cells: Iterable[StoredCell], intervals: str = "kept") -> pandas.DataFrame:
    """The frame of stored cells; without any, its columns alone."""
    return tidy([line for stored in cells for line in _lines(stored, intervals)])


def tidy(lines: list[dict[str, Any]]) -> pandas.DataFrame:
    """A frame of lines with `COLUMNS` first; each column of one type, so that parquet and csv keep it."""
    import pandas

    further = sorted({key for line in lines for key in line} - set(COLUMNS))
    frame = pandas.DataFrame(lines, columns=[*COLUMNS, *further])
    for name in frame.columns:
        frame[name] = _one_type(frame[name])
    return frame


def joined(frames: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    """Frames below each other, with the columns of all of them."""
    return tidy([line for frame in frames for line in frame.to_dict("records")])


def write_parquet(frame: pandas.DataFrame, path: Path) -> None:
    """Writes a frame as parquet.

    Raises:
        ValueError: pyarrow is not installed.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ValueError("parquet needs pyarrow: pip install 'hrnet-benchmark[parquet]'") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)


def _lines(stored: StoredCell, intervals: str) -> Iterator[dict[str, Any]]:
    """A line per figure of a finished cell; one line with its reason of a failed one."""
    record = stored.record
    shared = _of_cell(stored)
    if not record.done:
        yield shared | {"reason": last_line(stored) or "no reason was stored"}
        return
    wanted = list(record.figures) if intervals == "kept" else [record.headline or ""]
    spreads = {}
    try:
        spreads = {} if intervals == "none" else cell_spread(stored, wanted, compute=intervals == "bootstrap")
    except ValueError as error:
        shared |= {"reason": f"without interval: {error}"}
    for metric, figure in record.figures.items():
        line = shared | _of_figure(metric, figure, record)
        if (spread := spreads.get(metric)) is not None:
            line |= {"low": spread.low, "high": spread.high, "level": spread.level}
        yield line


def _of_figure(metric: str, figure: Figure, record: Record) -> dict[str, Any]:
    return {
        "metric": metric,
        "value": figure.value,
        "unit": figure.unit,
        "higher_is_better": figure.higher_is_better,
        "decimals": figure.decimals,
        "n": figure.n,
        "headline": metric == record.headline,
    }


def _of_cell(stored: StoredCell) -> dict[str, Any]:
    """What all lines of a cell share."""
    record, cell, made = stored.record, stored.record.cell, stored.record.provenance
    line: dict[str, Any] = {
        "origin": "measured",
        "id": stored.id,
        **{name: getattr(record, name) for name in ("name", "label", "status")},
        "latency_ms": record.quiet_latency_ms,
        **{
            name: getattr(cell, name)
            for name in (
                "task",
                "dataset",
                "split",
                "tier",
                "model",
                "representation",
                "checkpoint",
                "seed",
                "precision",
            )
        },
        "seconds": seconds(stored),
        "commit": made.git.commit,
        "started": made.started or None,
        "accelerator": made.hardware.accelerator,
        "cpu": made.hardware.cpu,
        "folder": str(stored.folder),
    }
    if record.model is not None:
        line |= {"params": record.model.params, "macs": record.model.macs}
    return (
        line | flat("protocol", cell.protocol) | flat("recipe", cell.recipe or {}) | flat("changes", dict(cell.changes))
    )


def flat(prefix: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Nested plain data as `prefix.name.name` with scalar values; lists as text with spaces between."""
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{prefix}.{key}"
        if isinstance(inner, Mapping):
            found |= flat(name, inner)
        elif isinstance(inner, list | tuple):
            found[name] = " ".join(map(str, inner))
        else:
            found[name] = inner
    return found


def _one_type(column: pandas.Series[Any]) -> pandas.Series[Any]:
    """A column as whole numbers, numbers, truth values or text; text where its values are of several kinds."""
    values = [value for value in column if value is not None and not (isinstance(value, float) and np.isnan(value))]
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return column.astype("boolean")
    if kinds == {int}:
        return column.astype("Int64")
    if kinds and kinds <= {int, float}:
        return column.astype("float64")
    return column.map(lambda value: None if value is None or value != value else str(value)).astype("string")
