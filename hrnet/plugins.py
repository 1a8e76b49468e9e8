"""Plug-ins: Python files outside the tree that bring bodies, suites, tasks and datasets. Needs nothing but Python.

A plug-in is what a file of the tree would be: with ``NAMES`` and ``build`` it is a body's, with ``suite`` a suite's (named as the
file), with ``TASK`` a task's, and ``DATASETS`` names the folder (beside it) of datasets. It may be several of these at once.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

GROUP = "hrnet_benchmark.plugins"
"""The entry points of installed packages whose modules are plug-ins."""
VARIABLE = "HRNET_BENCHMARK_PLUGINS"
"""Names the files of ``--plugin`` to this process and those that it starts."""


def use(paths: Sequence[Path]) -> None:
    """Takes files as plug-ins, here and in processes that are started from here.

    Raises:
        ValueError: no such file, no Python, or one that brings nothing.
    """
    for path in paths:
        if not path.is_file():
            raise ValueError(f"--plugin {path}: expected a Python file, found none; correct the path")
        if not defined(path.resolve()) & {"NAMES", "suite", "TASK", "DATASETS"}:
            raise ValueError(
                f"--plugin {path}: expected NAMES and build (a body), suite, TASK or DATASETS in it, found none of them; see "
                "CONTRIBUTING.md"
            )
    kept = [str(path.resolve()) for path in paths]
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*_named(), *kept]))


def _named() -> list[str]:
    return [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]


def plugin_files() -> tuple[Path, ...]:
    """The plug-ins: those of ``--plugin``, then those of installed packages."""
    return tuple(dict.fromkeys([*map(Path, _named()), *_installed()]))


@lru_cache
def _installed() -> tuple[Path, ...]:
    found = []
    for point in entry_points(group=GROUP):
        spec = find_spec(point.module)
        if spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).resolve())
    return tuple(found)


@lru_cache
def defined(path: Path) -> frozenset[str]:
    """Names that a file defines at its top, read without importing it.

    Raises:
        ValueError: it is no Python.
    """
    names: set[str] = set()
    for node in _tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(names)


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: expected a plug-in in Python, got a file that cannot be read ({error})") from None


def with_name(name: str) -> list[Path]:
    """The plug-ins that define a name at their top."""
    return [path for path in plugin_files() if name in defined(path)]


def data_root() -> Path | None:
    """The folder of datasets that plug-ins name; None where none does.

    Raises:
        ValueError: several do, or it is not written out.
    """
    found = with_name("DATASETS")
    if len(found) > 1:
        raise ValueError(f"Expected one plug-in with DATASETS, got {found[0]} and {found[1]}; name --data-root")
    for path in found:
        for node in _tree(path).body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "DATASETS" for t in node.targets
            ):
                value = node.value.value if isinstance(node.value, ast.Constant) else None
                if not isinstance(value, str):
                    raise ValueError(f"{path}: expected DATASETS as the text of a folder; write it out")
                return path.parent / value
    return None


def load(path: Path) -> ModuleType:
    """A plug-in's module, imported once."""
    name = f"hrnet_benchmark_plugin_{path.stem}"
    held = sys.modules.get(name)
    if held is not None and held.__file__ == str(path):
        return held
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
