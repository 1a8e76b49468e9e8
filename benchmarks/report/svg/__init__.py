"""Plots as inline SVG without any library.

They take their colours from the page, so light and dark both work: a colour is a number, class `c0` ... `c9`, given to a body
once for the whole page. Sizes are in user units of a 400-wide view box, which a phone shows nearly at scale.
"""
