"""What a row of a paper's table lacks, in one word and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Word = Literal["network", "weights", "data", "server", "protocol"]
WORDS: tuple[Word, ...] = ("network", "weights", "data", "server", "protocol")
"""A network that the harness builds; a released checkpoint that it reads; data; a server's hidden truth; a way to measure."""


@dataclass(frozen=True)
class Lack:
    """Why a figure is not measured: the thing that is lacking, and the sentence that says which. ``name`` is a network's."""

    word: Word
    text: str
    name: str = ""

    @property
    def status(self) -> str:
        """ "lacks weights", or of a network "lacks network: NAME"."""
        return f"lacks {self.word}" + (f": {self.name}" if self.name else "")

    def __str__(self) -> str:
        return self.text
