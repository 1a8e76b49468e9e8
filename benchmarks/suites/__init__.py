"""Suites by name: each module of this folder defines ``suite(**options) -> Suite``; a suite is data, a few lines per cell."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from benchmarks.experiment.suite import Suite
from tasks.options import nearest


def suite_names() -> list[str]:
    """Every module of ``benchmarks/suites``, sorted."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def load_suite(name: str, **options: Any) -> Suite:
    """Calls ``benchmarks/suites/<name>.py``'s ``suite(**options)``.

    Raises:
        ValueError: no such suite; the nearest name is given.
    """
    if name not in suite_names():
        raise ValueError(f"Unknown suite {name!r}. {nearest(name, suite_names())}")
    make = import_module(f"benchmarks.suites.{name}").suite
    unknown = sorted(set(options) - set(signature(make).parameters))
    if unknown:
        raise ValueError(f"Suite {name!r} has no option {unknown[0]!r}; leave out --{unknown[0]}.")
    result: Suite = make(**options)
    return result
