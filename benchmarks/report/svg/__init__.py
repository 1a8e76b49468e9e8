"""Draws charts (`benchmarks.analysis.figures.charts`) as inline SVG for the page, without any library.

Colours come from the page (classes `k0` ... of its style sheet), so that light and dark are the same drawing; a mark's title
is its tooltip. Sizes are in user units of a 400-wide view box, which a phone shows nearly at scale.
"""
