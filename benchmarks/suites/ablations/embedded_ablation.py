"""The ablations of the default run: V1, V1h, V2, V2p at fixed body, on the task whose cells are the cheapest.

The full grids are suites of their own: ablation_representation, ablation_exchange, ablation_resolution,
ablation_input_size.
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.ablation import PARALLEL, representation
from tasks import task_names

GRID: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("landmarks", "cofw"): ((PARALLEL,), ("V1", "V1h", "V2", "V2p")),
}
"""(task, dataset) -> bodies and representations. Other bodies and tasks are in the suite ablation_representation."""


def suite(tier: str = "embedded") -> Suite:
    """Three cells beyond those of the main tables: a quarter of a minute on two cores."""
    known = task_names()
    parts = [
        representation(task, dataset, models, tier, kinds)
        for (task, dataset), (models, kinds) in GRID.items()
        if task in known
    ]
    return Suite.joined("embedded_ablation", parts, "What the head sees of the body's maps.")
