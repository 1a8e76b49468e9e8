"""Digests of source files: of what the code does, without comments, docstrings and layout."""

from __future__ import annotations

import ast
import hashlib
import io
import token
import tokenize
from functools import lru_cache
from pathlib import Path

_LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)
_FSTRING_START = getattr(token, "FSTRING_START", -1)  # from Python 3.12 on, an f-string is several tokens
_FSTRING_END = getattr(token, "FSTRING_END", -1)


def source_digest(path: Path) -> str:
    """SHA-256 of a Python file's tokens without comments, docstrings and layout; equal on every version of Python."""
    return _source_digest(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _source_digest(path: str, modified_ns: int) -> str:
    source = Path(path).read_text(encoding="utf-8")
    return hashlib.sha256("\n".join(code_tokens(source)).encode()).hexdigest()


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
