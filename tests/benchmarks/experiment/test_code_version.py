"""The code version changes with what the code does, not with what is said of it."""

from __future__ import annotations

from benchmarks.store.sources import code_tokens

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
