"""The better direction of a figure."""

from __future__ import annotations

from enum import Enum


class Direction(str, Enum):
    """Whether a higher or a lower value of a metric is better; written as "higher" or "lower"."""

    HIGHER = "higher"
    LOWER = "lower"

    @staticmethod
    def of(higher_is_better: bool) -> Direction:
        """The direction of a metric that is stored as ``higher_is_better``."""
        return Direction.HIGHER if higher_is_better else Direction.LOWER

    @property
    def higher_is_better(self) -> bool:
        """True for `HIGHER`: the form that files hold."""
        return self is Direction.HIGHER

    @property
    def arrow(self) -> str:
        """Up or down, as headings show it."""
        return "↑" if self is Direction.HIGHER else "↓"

    @property
    def sentence(self) -> str:
        """The direction in words, for legends."""
        return f"{self.value} is better"

    def gain(self, difference: float) -> float:
        """`difference` with the sign that makes an improvement positive."""
        return difference if self is Direction.HIGHER else -difference

    def __str__(self) -> str:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)
