"""Names that come near to a wrong one, for messages. Imports nothing but the standard library."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def close_names(name: str, known: Iterable[str], count: int = 1, cutoff: float = 0.6) -> list[str]:
    """The known names that are most like `name`, best first.

    Args:
        count: how many at most. cutoff: how alike (0 to 1) they must be.
    """
    return difflib.get_close_matches(name, list(known), n=count, cutoff=cutoff)


def nearest(name: str, known: Iterable[str], cutoff: float = 0.4) -> str:
    """A sentence that names the nearest known name and lists all of them.

    Args:
        cutoff: how alike (0 to 1) two names must be for the hint.
    """
    known = list(known)
    near = close_names(name, known, cutoff=cutoff)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {', '.join(known)}."
