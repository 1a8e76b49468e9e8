"""The size of things: modules of a folder, lines of a file and of a function."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("hrnet", "tasks", "benchmarks", "tests")
FILES = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if not {"__pycache__", "data"} & set(path.relative_to(ROOT).parts)
)
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, MODULES_OF_A_FOLDER = 350, 80, 13
ONE_FILE_PER_VERB = "benchmarks/commands"
VAGUE = {"utils", "util", "misc", "common", "helpers"}


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 400


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {name: length for name, length in lengths.items() if length > LINES_OF_A_FILE}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                if length > LINES_OF_A_FUNCTION:
                    long[f"{path.relative_to(ROOT).as_posix()}: {node.name}"] = length
    assert not long


@pytest.mark.parametrize("room", ["hrnet", "tasks", "benchmarks"])
def test_no_folder_holds_more_than_about_a_dozen_modules(room: str) -> None:
    modules = [path for path in FILES if path.is_relative_to(ROOT / room) and path.name != "__init__.py"]
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules)
    assert not {f: n for f, n in counts.items() if n > MODULES_OF_A_FOLDER and f != ONE_FILE_PER_VERB}


def test_no_name_says_nothing() -> None:
    assert not [path for path in FILES if VAGUE & {path.stem, *path.relative_to(ROOT).parts}]
