"""The default run: every task's embedded cells, side by side.

Parts are the suites named ``embedded_<part>``, so that a new task joins by adding its own file.
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites import load_suite, suite_names


def suite(tier: str = "embedded") -> Suite:
    """All parts at ``tier``: "embedded" (ten to eleven minutes on 2 cores) or "smoke" (a few steps per cell)."""
    parts = [load_suite(name, tier=tier) for name in suite_names() if name.startswith("embedded_")]
    return Suite.joined("embedded" if tier == "embedded" else tier, parts, "Trained and evaluated on embedded data.")
