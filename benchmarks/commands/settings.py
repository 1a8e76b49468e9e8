"""Words ``k=v`` of the command line, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.options import nearest


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """``k=v`` words as a dictionary; commas without an equals sign belong to the value before.

    Raises:
        ValueError: a word without "=".
    """
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise ValueError(f"{option}: expected key=value, got {word!r}.")
        found[key.strip()] = value.strip()
    return found


def split_sets(changes: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """``recipe.x``, ``protocol.x`` and ``model.x`` apart.

    Raises:
        ValueError: another prefix.
    """
    parts: dict[str, dict[str, Any]] = {"recipe": {}, "protocol": {}, "model": {}}
    for key, value in changes.items():
        head, dot, rest = key.partition(".")
        if head not in parts or not dot:
            hint = "" if head in parts else f" {nearest(head, parts)}"
            raise ValueError(f"--set {key}: expected recipe.FIELD, protocol.FIELD or model.FIELD.{hint}")
        parts[head][rest] = _plain_value(value) if head == "model" else value
    return parts


def _plain_value(text: str) -> Any:
    """Numbers, true, false and none as such; other text as text: a model's options are checked by the model."""
    lowered = text.lower()
    if lowered in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[lowered]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
