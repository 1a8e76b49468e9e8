"""Suites, runs, tables and reports over the tasks. The command line is `benchmarks.cli`."""

from __future__ import annotations

from typing import Any

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from benchmarks.experiment.installation import own_version

        return own_version()
    raise AttributeError(f"module 'benchmarks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
