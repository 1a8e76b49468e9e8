"""The plots of a results folder as plain descriptions (charts), and what draws them for a paper.

A chart says what is shown and between which bounds; `benchmarks.report.svg` draws it for the page and
`benchmarks.analysis.figures.paper` for print, from the same axes, ticks, colours and shapes (`docs/decisions.md` says why twice).
"""
