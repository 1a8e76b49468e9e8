"""Digests of source files: of what the code does, without comments, docstrings and layout."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import token
import tokenize
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from benchmarks.store.user_lock import user_folder
from tasks.files.json_file import read_json
from tasks.files.writing import write_text

MOST = 8192
"""Kept digests; the oldest go first."""

_LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)
_FSTRING_START = getattr(token, "FSTRING_START", -1)  # from Python 3.12 on, an f-string is several tokens
_FSTRING_END = getattr(token, "FSTRING_END", -1)


def source_digests(paths: Iterable[Path]) -> list[str]:
    """SHA-256 of Python files' tokens without comments, docstrings and layout; equal on every version of Python.

    Taking hundreds of files apart takes seconds, so that what a file's bytes gave is kept in the user's cache folder.
    """
    known, added = _known(), {}
    found = []
    for path in paths:
        content = _content_digest(str(path), path.stat().st_mtime_ns)
        if content not in known:
            known[content] = added[content] = _token_digest(path)
        found.append(known[content])
    if added:
        _keep(added)
    return found


@lru_cache(maxsize=4096)
def _content_digest(path: str, modified_ns: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _token_digest(path: Path) -> str:
    return hashlib.sha256("\n".join(code_tokens(path.read_text(encoding="utf-8"))).encode()).hexdigest()


def _kept() -> Path:
    """The file of kept digests; of another version of this module it is another."""
    return user_folder() / f"sources-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]}.json"


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    """Digest of tokens by digest of bytes, as earlier processes kept them; empty where they cannot be read."""
    try:
        return read_json(_kept(), dict[str, str], "digests of source files")
    except (OSError, ValueError):
        return {}


def _keep(added: Mapping[str, str]) -> None:
    """Adds to the kept digests; without a word where the folder cannot be written, or another process wins."""
    _known.cache_clear()
    known = _known()
    known.update(added)
    with contextlib.suppress(OSError):
        write_text(_kept(), json.dumps(dict(list(known.items())[-MOST:])))


def code_tokens(source: str) -> list[str]:
    """The tokens of a module that can change what it computes; an f-string counts as one."""
    documented = _bare_strings(source)
    lines = source.splitlines(keepends=True)
    found: list[str] = []
    depth, start, after_docstring = 0, (0, 0), False
    for kind, text, begin, end, _ in tokenize.generate_tokens(io.StringIO(source).readline):
        if kind == _FSTRING_START:
            depth, start = depth + 1, begin if depth == 0 else start
        elif kind == _FSTRING_END:
            depth -= 1
            if depth == 0:
                found.append(_between(lines, start, end))
        elif depth == 0 and begin in documented:
            after_docstring = True
        elif depth == 0 and kind not in _LAYOUT:
            if not (after_docstring and kind == tokenize.NEWLINE):
                found.append(text.strip() or token.tok_name[kind])
            after_docstring = False
    return found


def _bare_strings(source: str) -> set[tuple[int, int]]:
    """Where strings begin that stand alone as statements: docstrings of modules, classes, functions and attributes."""
    return {
        (part.lineno, part.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(part := node.value, ast.Constant) and isinstance(part.value, str)
    }


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = lines[start[0] : end[0] - 1]
    return "".join([lines[start[0] - 1][start[1] :], *middle, lines[end[0] - 1][: end[1]]])
