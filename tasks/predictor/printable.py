"""Text from files, made fit for a terminal: names, labels and reasons may hold what a terminal would carry out."""

from __future__ import annotations

import re

_CARRIED_OUT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, separators of lines, and what turns the direction of text (UAX #9)."""


def printable(text: str) -> str:
    r"""The text with each character that a terminal would carry out as its escape, as ``\x1b``; others stay."""
    return _CARRIED_OUT.sub(lambda found: ascii(found[0])[1:-1], text)
