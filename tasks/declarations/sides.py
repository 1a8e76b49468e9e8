"""Left and right in the names of joints and classes: what a mirror makes change places."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LEFT = re.compile(r"(?<![A-Za-z])[lL](?![a-z0-9])|(?<=[a-z])L(?![A-Za-z0-9])")
"""An L that stands for left: "l_ear", "ear.L", "LKnee", "kneeL"."""


def sided_pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of names that differ in left and right alone, as left_ear and right_ear."""
    by_text = {name.casefold(): name for name in names}
    pairs = []
    for name in names:
        other = by_text.get(name.casefold().replace("left", "right"))
        if "left" in name.casefold() and other is not None:
            pairs.append((name, other))
    return tuple(pairs)


def look_sided(names: Sequence[str]) -> str:
    """What a note says of the first two names that differ in an L and an R alone, which nothing is derived from; "" without."""
    for name in names:
        other = _LEFT.sub(lambda found: "r" if found[0] == "l" else "R", name, count=1)
        if other != name and other in names:
            return f"{name} and {other} look like left and right"
    return ""


def check_mirror(known: bool, field: str, asked: float, stated_by: str) -> None:
    """Refuses a mirror where nothing says what changes places in it.

    Args:
        known: whether that is known. field: what asks for mirrors; asked: its value, 0 or False for none.
        stated_by: fields of the declaration that would say it.

    Raises:
        ValueError: a mirror is asked for and unknown.
    """
    if asked and not known:
        raise ValueError(
            f"Expected {field} to be 0 or false where nothing says which points change places in a mirror, got {asked}; state "
            f"{stated_by} in dataset.toml (an empty list: none change places)"
        )
