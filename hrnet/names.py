"""Names that come near to a wrong one, for messages. Imports nothing but the standard library."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], cutoff: float = 0.4) -> str:
    """A sentence that names the nearest known name and lists all of them.

    Args:
        cutoff: how alike (0 to 1) two names must be for the hint.
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {', '.join(known)}."
