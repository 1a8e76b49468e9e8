"""Times several ways of doing one thing in turns, so that a busy moment of the machine hits all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timed:
    """Seconds of one way over the rounds; `ratios` are those of the first way to its own, round by round."""

    name: str
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    @property
    def speedup(self) -> float:
        """How many times faster than the first way: the median over the rounds."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> str:
        """The smallest and the largest ratio of a round."""
        return f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int = 5, warm: int = 1) -> list[Timed]:
    """Calls every way once a round; the first rounds only warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + warm):
        for name, call in ways.items():
            start = time.perf_counter()
            call()
            if turn >= warm:
                seconds[name].append(time.perf_counter() - start)
    first = seconds[next(iter(ways))]
    return [
        Timed(name, tuple(taken), tuple(base / own for base, own in zip(first, taken, strict=True)))
        for name, taken in seconds.items()
    ]


def print_rows(title: str, rows: list[Timed], count: int, what: str) -> None:
    """A line for each way: `what` a second, and its ratio to the first way with the spread over the rounds."""
    print(f"{title}; median of {len(rows[0].seconds)} rounds in turns")
    for row in rows:
        print(f"  {row.name:34} {count / row.median_s:9.2f} {what}/s   {row.speedup:5.2f} x   ({row.spread})")
