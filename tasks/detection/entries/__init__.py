"""The datasets of detection, one file each, found by walking: a new one is a file with an ``ENTRY``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tasks.detection.entries.entry import Entry


def _found() -> dict[str, Entry]:
    modules = [import_module(f"{__name__}.{path.stem}") for path in sorted(Path(__file__).parent.glob("[!_]*.py"))]
    entries: list[Entry] = [module.ENTRY for module in modules if hasattr(module, "ENTRY")]
    return {entry.info.name: entry for entry in entries}


ENTRIES = _found()
"""By the name of the dataset. Those that a dataset.toml declares are made by :func:`declared.declared_entry`."""
