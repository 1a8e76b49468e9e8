"""Where values stand in a drawing, the frame of both axes, and the svg element around its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.analysis.figures.axes import Axis

WIDTH = 400
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 40
LETTER = 6.1
"""Width of a letter of ticks and names, in user units."""


def height_of(width: int) -> int:
    """The height of a drawing with both axes: narrow ones are a little higher, for the words at the left."""
    return 264 if width >= WIDTH else 224


@dataclass(frozen=True)
class Frame:
    """Both axes in a drawing of `width` x `height` user units; ticks with many figures get more room at the left."""

    x_axis: Axis
    y_axis: Axis
    width: int = WIDTH
    height: int = 264

    @property
    def left(self) -> float:
        """The left end of the horizontal axis."""
        return max(LEFT, 24 + LETTER * max((len(text) for text in self.y_axis.texts), default=0))

    @property
    def base(self) -> int:
        """The height at which the horizontal axis stands."""
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        """The place of a value on the horizontal axis, from the left."""
        return self.left + self.x_axis.place(value) * (self.width - self.left - RIGHT)

    def y(self, value: float) -> float:
        """The place of a value on the vertical axis, from the top."""
        return self.base - self.y_axis.place(value) * (self.base - TOP)

    def parts(self, slant: bool = False) -> list[str]:
        """Grid lines, ticks and labels of both axes; `slant` turns the names below."""
        left, right, base = f"{self.left:.1f}", self.width - RIGHT, self.base
        out = ['<g class="grid">']
        for tick, name in zip(self.y_axis.ticks, self.y_axis.texts, strict=True):
            y = self.y(tick)
            out.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            place = f'x="{self.left - 6:.1f}" y="{y + 3.6:.1f}"'
            out.append(f'<text class="tick" {place} text-anchor="end">{escape(name)}</text>')
        for tick, name in zip(self.x_axis.ticks, self.x_axis.texts, strict=True):
            x = self.x(tick)
            out.append(f'<line class="notch" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>')
            place = f'x="{x:.1f}" y="{base + 16}" text-anchor="middle"'
            if slant:
                turn = f"rotate(-40 {x + 4:.1f} {base + 14})"
                place = f'x="{x + 4:.1f}" y="{base + 14}" text-anchor="end" transform="{turn}"'
            out.append(f'<text class="tick" {place}>{escape(name)}</text>')
        out.append(f'<line class="base" x1="{left}" x2="{right}" y1="{base}" y2="{base}"/>')
        return [*out, *self._labels(), "</g>"]

    def _labels(self) -> list[str]:
        middle = (self.left + self.width - RIGHT) / 2
        out = [
            f'<text class="label" x="{middle:.1f}" y="{self.height - 6}" text-anchor="middle">'
            f"{escape(self.x_axis.label)}</text>"
        ]
        if self.y_axis.label:
            centre = (TOP + self.base) / 2
            place = f'x="11" y="{centre}" text-anchor="middle" transform="rotate(-90 11 {centre})"'
            out.append(f'<text class="label" {place}>{escape(self.y_axis.label)}</text>')
        return out


def document(name: str, parts: Sequence[str], width: int, height: float) -> str:
    """The svg element around the parts of a plot; `name` is read by screen readers."""
    head = f'<svg class="plot" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(name, quote=True)}">'
    return head + "".join(parts) + "</svg>"
