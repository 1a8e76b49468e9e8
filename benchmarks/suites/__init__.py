"""Suites by name: each module, here or in a folder here, defines ``suite(**options) -> Suite``; a suite is data."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.experiment.suite import Suite
from hrnet import plugins
from tasks.options import nearest

PARTS = "parts"
"""The folder of what suites are put together from; the other folders hold suites."""


def suite_files() -> dict[str, Path]:
    """Name -> file of every suite: the modules here and in the folders here, by name, and plug-ins."""
    here = Path(__file__).parent
    files = [*here.glob("*.py"), *(p for p in here.glob("*/*.py") if p.parent.name != PARTS)]
    found = {p.stem: p for p in sorted(files, key=lambda path: path.stem) if p.stem != "__init__"}
    for path in plugins.with_name("suite"):
        if path.stem in found:
            raise ValueError(f"{path}: {path.stem!r} is the name of a suite already; rename the file")
        found[path.stem] = path
    return found


def suite_names() -> list[str]:
    """Every suite, sorted."""
    return list(suite_files())


def _module(path: Path) -> ModuleType:
    if path in plugins.plugin_files():
        return plugins.load(path)
    inside = path.relative_to(Path(__file__).parent).with_suffix("")
    return import_module(".".join([__name__, *inside.parts]))


def load_suite(name: str, **options: Any) -> Suite:
    """Calls ``suite(**options)`` of the suite's file.

    Raises:
        ValueError: no such suite; the nearest name is given.
    """
    files = suite_files()
    if name not in files:
        raise ValueError(f"Unknown suite {name!r}. {nearest(name, files)}")
    make = _module(files[name]).suite
    unknown = sorted(set(options) - set(signature(make).parameters))
    if unknown:
        raise ValueError(f"Suite {name!r} has no option {unknown[0]!r}; leave out --{unknown[0]}.")
    result: Suite = make(**options)
    return result
