"""The version of the code that makes a cell's numbers: a hash of the source files' tokens, without comments and docstrings."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from importlib.util import resolve_name
from pathlib import Path

from benchmarks.experiment.installation import CODE
from benchmarks.store.sources import source_digests
from hrnet.plugins import plugin_files

BESIDE = ("describing", "predictor", "results")
"""Folders of `tasks/` that no number comes from: first declarations are written there, and pictures of one's own predicted."""


@lru_cache(maxsize=256)
def code_version(task: str, model: str, from_checkpoint: bool) -> str:
    """Hash of :func:`code_files`: an edit there makes a cell stale, a comment or a docstring does not."""
    hasher = hashlib.sha256()
    files = code_files(task, model, from_checkpoint)
    for path, tokens in zip(files, source_digests(files), strict=True):
        hasher.update(path.name.encode() + b"\0" + tokens.encode())
    return hasher.hexdigest()[:16]


def code_files(task: str, model: str, from_checkpoint: bool) -> list[Path]:
    """The source files that can change a cell's numbers: backbone, the task, what tasks share, the body with
    what it imports of its folder, the engine."""
    from benchmarks.baselines import file_of_body
    from tasks import get_task

    own = (path for path in (CODE / "hrnet").glob("*.py") if path.name != "version.py")
    # What `prepare` writes counts by the data's own fingerprint; no cell's numbers pass through what serves one's own pictures.
    above = (path for path in (CODE / "tasks").glob("*.py") if path.name != "preparation.py")
    files = [*own, *above]
    shared = (
        f for f in (CODE / "tasks").iterdir() if f.is_dir() and not (f / "task.py").exists() and f.name not in BESIDE
    )
    files += [path for folder in shared for path in folder.rglob("*.py")]
    folder = CODE / "tasks" / task
    files += (
        path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] not in ("prepare", "predict.py")
    )
    files += (CODE / "benchmarks" / "engine").rglob("*.py")
    body = file_of_body(get_task(task).body_name(model))
    if body is not None:
        files += _with_imports(body)
    files += map(Path, plugins_of(task, model))
    if from_checkpoint:
        files += (CODE / "hrnet" / "checkpoints").rglob("*.py")
    return sorted(set(files))


def plugins_of(task: str, model: str) -> list[str]:
    """The plug-ins whose code makes a cell's numbers: its body's and its task's."""
    from benchmarks.baselines import file_of_body
    from tasks import get_task, plugin_tasks

    files = [file_of_body(get_task(task).body_name(model)), plugin_tasks().get(task)]
    outside = plugin_files()
    return list(dict.fromkeys(str(path) for path in files if path is not None and path in outside))


def _with_imports(body: Path) -> list[Path]:
    """A body's file and those of the bodies' package that it imports, directly or not."""
    found: list[Path] = []
    waiting = [body]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.append(path)
            waiting += _imported_bodies(path)
    return found


def _imported_bodies(path: Path) -> list[Path]:
    """The files of the bodies' package that a file there imports."""
    from benchmarks import baselines

    package = baselines.__name__
    here = next(
        (path.relative_to(folder).parent for folder in baselines.__path__ if path.is_relative_to(folder)), Path()
    )
    imported: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), ".".join([package, *here.parts]))
            imported += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    names = {name.removeprefix(f"{package}.").replace(".", "/") for name in imported if name.startswith(f"{package}.")}
    files = (Path(folder) / f"{name}.py" for folder in baselines.__path__ for name in sorted(names))
    return [file for file in files if file.is_file()]
