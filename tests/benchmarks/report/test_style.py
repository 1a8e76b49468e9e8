"""Words of the page stand out from what they stand on by 4.5 : 1, in light and dark (WCAG 2, AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.analysis.figures.palette import DARK_PAPER, LIGHT_PAPER
from benchmarks.report import page

STYLE = (Path(page.__file__).parent / "style.css").read_text(encoding="utf-8")
PAIRS = [
    *((text, ground) for text in ("ink", "soft", "faint") for ground in ("page", "paper", "tint", "accent-tint")),
    *(("accent", ground) for ground in ("page", "paper", "tint", "accent-tint")),
    *((name, ground) for name in ("good", "bad", "odd") for ground in ("paper", "page", f"{name}-tint")),
]


def colours(theme: str) -> dict[str, str]:
    """The style sheet's colours of a theme, by name."""
    selector = r"^:root \{" if theme == "light" else r'^:root\[data-theme="dark"\] \{'
    block = re.search(selector + r"(.*?)^\}", STYLE, re.S | re.M)
    assert block is not None
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[1]))


def luminance(text: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2)."""
    channels = [int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(theme: str) -> None:
    named = colours(theme)
    assert named["paper"] == (LIGHT_PAPER if theme == "light" else DARK_PAPER)
    ratios = {}
    for text, ground in PAIRS:
        dark, light = sorted((luminance(named[text]), luminance(named[ground])))
        ratios[text, ground] = (light + 0.05) / (dark + 0.05)
    assert min(ratios.values()) >= 4.5, sorted(ratios.items(), key=lambda item: item[1])[:4]
