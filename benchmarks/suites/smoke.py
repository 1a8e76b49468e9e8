"""Every body and dataset with a few steps each: what tests and CI run. Figures mean nothing; that they appear does."""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites import load_suite


def suite() -> Suite:
    """The embedded suite at the smoke tier: under 2 minutes on 2 cores."""
    return load_suite("embedded", tier="smoke")
