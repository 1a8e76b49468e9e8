"""Left and right in the names of joints and classes: what a mirror makes change places."""

from __future__ import annotations

from collections.abc import Sequence


def sided_pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of names that differ in left and right alone, as left_ear and right_ear."""
    by_text = {name.casefold(): name for name in names}
    pairs = []
    for name in names:
        other = by_text.get(name.casefold().replace("left", "right"))
        if "left" in name.casefold() and other is not None:
            pairs.append((name, other))
    return tuple(pairs)
