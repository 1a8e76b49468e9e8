"""Axes of charts: bounds, round ticks, whole epochs, logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A straight or logarithmic axis over [low, high]; `reverse` puts low at the far end."""

    label: str
    low: float
    high: float
    log: bool = False
    reverse: bool = False
    ticks: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def place(self, value: float) -> float:
        """0 at `low`, 1 at `high`."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(max(value, 1e-12)), math.log10(low), math.log10(high)
        share = (value - low) / (high - low) if high > low else 0.5
        return 1 - share if self.reverse else share

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands at the ticks."""
        return self.names or tuple(number(tick) for tick in self.ticks)


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """About `count` round numbers that lie in [low, high]."""
    if not high > low:
        return (low,)
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1))


def whole_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """About `count` whole numbers in [low, high], both ends among them where they are few."""
    if high - low <= count:
        return tuple(float(tick) for tick in range(math.ceil(low), math.floor(high) + 1))
    return tuple(tick for tick in nice_ticks(low, high, count) if tick == int(tick))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """1, 2, 5 times powers of ten in [low, high]; thinned to at most six, round numbers where there are fewer than two."""
    ticks = [
        factor * 10.0**power
        for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        for factor in (1, 2, 5)
    ]
    inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
    if len(inside) < 2:
        return nice_ticks(low, high, 4)
    return tuple(inside[:: math.ceil(len(inside) / 6)] if len(inside) > 6 else inside)


def number(value: float) -> str:
    """Short text of a tick or a value."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 10000 or size < 0.001:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:.4g}"


def axis(label: str, values: Sequence[float], log: bool = False, zero: bool = False, reverse: bool = False) -> Axis:
    """An axis that holds the values with a little room; `zero` makes it begin at zero. A logarithmic one says so."""
    low, high = min(values), max(values)
    if log and low > 0:
        low, high = low / 1.25, high * 1.25
        return Axis(f"{label}, log scale", low, high, True, reverse, log_ticks(low, high))
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low = min(0.0, low) if zero else (0.0 if 0 <= low < room else low - room)
    high += room
    return Axis(label, low, high, False, reverse, nice_ticks(low, high))


def epochs(values: Sequence[float]) -> Axis:
    """The axis of epochs: from the first to the last that was trained, ticks at whole ones."""
    low, high = math.floor(min(values)), math.ceil(max(values))
    if low == high:
        return Axis("epoch", low - 0.5, high + 0.5, ticks=(float(low),))
    return Axis("epoch", low, high, ticks=whole_ticks(low, high))


def shares(label: str, percent: bool = False) -> Axis:
    """The axis of a share: all of it, from 0 to 1 or 100 %."""
    return Axis(label, 0.0, 100.0 if percent else 1.0, ticks=nice_ticks(0, 100 if percent else 1))
