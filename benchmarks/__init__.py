"""Suites, runs, tables and reports over the tasks. The command line is `benchmarks.cli`."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing and pathlib here would keep `benchmarks.start` from its handler
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pandas

    from benchmarks.experiment.suite import Suite

__all__ = ["__version__", "results_frame"]


def results_frame(
    out: str | Path = "results",
    suite: str | Suite | None = None,
    *,
    intervals: str = "kept",
    published: bool = False,
) -> pandas.DataFrame:
    """Everything that a results folder holds as one tidy pandas frame: a line per cell and figure.

    Columns are `benchmarks.analysis.frame.COLUMNS` (value, unit, direction, n, interval, cost, provenance), then
    `protocol.FIELD`, `recipe.FIELD` and `changes.NAME`. A failed cell is one line with its reason.

    Args:
        out: a results folder, or its `runs`.
        suite: the cells of this suite alone, by name.
        intervals: "kept" fills in bootstrap intervals that were drawn before, "bootstrap" draws those of headline figures,
            "none" leaves them out.
        published: the figures that papers printed follow, with "published" as their origin.

    Raises:
        ValueError: no such folder, suite or kind of intervals.
    """
    from pathlib import Path

    from benchmarks.analysis.frame import joined, stored_frame
    from benchmarks.published.frame import published_frame
    from benchmarks.suites import load_suite

    found = stored_frame(Path(out), load_suite(suite) if isinstance(suite, str) else suite, intervals)
    return joined([found, published_frame()]) if published else found


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from benchmarks.experiment.installation import own_version

        return own_version()
    raise AttributeError(f"module 'benchmarks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
