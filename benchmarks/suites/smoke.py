"""Every body and dataset with a few steps each: what tests and CI run. Figures mean nothing; that they appear does."""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites import load_suite

BESIDE = ("detectors", "segmentation_rivals", "udp", "pose_rivals")
"""Suites that the default run leaves out."""


def suite() -> Suite:
    """The embedded suite and those beside it at the smoke tier: under 3 minutes on 2 cores."""
    embedded = load_suite("embedded", tier="smoke")
    others = [load_suite(name, tier="smoke") for name in BESIDE]
    return Suite.joined("smoke", [embedded, *others], embedded.description)
