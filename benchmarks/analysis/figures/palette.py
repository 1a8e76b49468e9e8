"""Colours and shapes of bodies in plots, for light and dark paper.

Any two colours of a theme are at least 15 apart in CIE Lab as everybody sees them, and as people without red or green cones
do (a test computes it); each stands out from its paper by 3 : 1. A shape goes with every colour, so that colour is not the only
sign.
"""

from __future__ import annotations

LIGHT = ("#226ebd", "#d47609", "#179068", "#833080", "#7d211c", "#3396b5", "#8e8743", "#393f48")
DARK = ("#6badf5", "#df924d", "#59b883", "#c35fbe", "#c63d2f", "#6ad4e1", "#e8df82", "#f8fcff")
SHAPES = ("circle", "square", "triangle", "diamond", "cross", "wedge", "saltire")
"""Seven, beside eight colours: no pair of both comes twice before the 56th body."""
LIGHT_PAPER, DARK_PAPER = "#ffffff", "#1a1e23"


def colour(look: int, dark: bool = False) -> str:
    """The colour of a body's number, as #rrggbb."""
    theme = DARK if dark else LIGHT
    return theme[look % len(theme)]


def shape(look: int) -> str:
    """The shape of a body's number."""
    return SHAPES[look % len(SHAPES)]
