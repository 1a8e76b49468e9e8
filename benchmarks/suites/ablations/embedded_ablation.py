"""The ablations of the default run: V1, V1h, V2, V2p at fixed body, as much of it as its quarter of an hour allows.

The full grids are suites of their own: ablation_representation, ablation_exchange, ablation_resolution,
ablation_input_size.
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.ablation import PARALLEL, SERIAL, representation
from tasks import task_names

GRID: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("landmarks", "300w"): ((PARALLEL, SERIAL), ("V1", "V1h", "V2", "V2p")),
    ("segmentation", "cityscapes"): ((PARALLEL,), ("V1", "V2", "V2p")),
}
"""(task, dataset) -> bodies and representations. Cells of these two tasks take half a minute or less; pose and detection,
which take one to two minutes a cell, are in the suite ablation_representation."""


def suite(tier: str = "embedded") -> Suite:
    """Nine cells beyond those of the main tables: about two minutes on two cores."""
    known = task_names()
    parts = [
        representation(task, dataset, models, tier, kinds)
        for (task, dataset), (models, kinds) in GRID.items()
        if task in known
    ]
    return Suite.joined("embedded_ablation", parts, "What the head sees of the body's maps.")
