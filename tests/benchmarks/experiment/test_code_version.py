"""The code version changes with what the code does, not with what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.store import sources
from benchmarks.store.sources import code_tokens, source_digests

CODE = '''"""A module."""

LIMIT = 3
"""An attribute."""


def area(width: float) -> str:
    """Doc."""
    # a comment
    total = (width + 1)  # another
    return f"{total:.2f} {'#'} px"
'''


def test_comments_docstrings_and_layout_do_not_count() -> None:
    bare = "LIMIT = 3\ndef area(width: float) -> str:\n  total = (\n    width + 1\n  )\n  return f\"{total:.2f} {'#'} px\"\n"
    assert code_tokens(CODE) == code_tokens(bare)


def test_what_computes_counts() -> None:
    usual = code_tokens(CODE)
    for old, new in (
        ("+ 1", "- 1"),
        (".2f", ".3f"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("\n    return", "\n    if total:\n        return"),
    ):
        assert code_tokens(CODE.replace(old, new)) != usual, new


def test_an_fstring_is_one_token_on_every_python() -> None:
    assert "f\"{total:.2f} {'#'} px\"" in code_tokens(CODE)


def test_indentation_counts() -> None:
    inside = "for i in x:\n    a()\n    b()\n"
    assert code_tokens(inside) != code_tokens(inside.replace("    b()", "b()"))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of kept digests, in a cache folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(sources, "user_folder", lambda: folder)
    sources._known.cache_clear()
    yield sources._kept()
    sources._known.cache_clear()


def _anew(paths: list[Path]) -> list[str]:
    """As another process would have it."""
    sources._known.cache_clear()
    return source_digests(paths)


def test_digests_are_kept_by_what_files_hold(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text(CODE)
    other.write_text(CODE.replace("+ 1", "- 1"))
    first = source_digests([one, other])
    assert first[0] != first[1] and kept.exists()
    with monkeypatch.context() as without:
        without.setattr(sources, "code_tokens", lambda source: pytest.fail("taken apart once more"))
        assert _anew([other, one]) == [first[1], first[0]]
    one.write_text(CODE.replace("+ 1", "- 1"))
    assert _anew([one, other]) == [first[1], first[1]]


@pytest.mark.parametrize("damage", ["", "{", '{"a": 1}', "[]", "\0" * 40])
def test_damaged_digests_are_made_anew(kept: Path, tmp_path: Path, damage: str) -> None:
    one = tmp_path / "one.py"
    one.write_text(CODE)
    first = source_digests([one])
    whole = kept.read_text()
    kept.write_text(damage)
    assert _anew([one]) == first and kept.read_text() == whole


def test_digests_without_a_cache_folder(kept: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.py"
    one.write_text(CODE)
    kept.parent.write_text("a file where the folder belongs")
    assert source_digests([one]) == _anew([one])
