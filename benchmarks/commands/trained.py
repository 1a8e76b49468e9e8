"""What a checkpoint says about its own training, as defaults of ``eval``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hrnet.checkpoints import Description


def to_stderr(text: str) -> None:
    """Says what was taken from a file."""
    print(text, file=sys.stderr)


def trained_tier(found: Description, tier: str | None, otherwise: str) -> str:
    """The tier asked for; else that of a file of ours, where ``otherwise`` (the call's default) is a small one too."""
    if tier is None and otherwise != "full" and found.tier not in (None, "full"):
        return str(found.tier)
    return tier or otherwise
