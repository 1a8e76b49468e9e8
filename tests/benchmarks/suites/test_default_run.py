"""The default run: the same four bodies at like cost where bodies are ranked, and one ablation."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.experiment.cell import Cell
from benchmarks.suites import load_suite
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import without_width
from benchmarks.tables.filling import in_main_tables

WHOLE = (("pose", "coco"), ("segmentation", "cityscapes"), ("landmarks", "300w"), ("detection", "coco"))
"""Columns of the table across tasks that hold all four bodies."""
BODIES = {"hrnet_micro", "resnet_micro", "simple_baseline_micro", "hourglass_micro"}


def ranked() -> dict[tuple[str, str], list[Cell]]:
    suite = load_suite("embedded")
    main, found = set(in_main_tables(suite)), dict[tuple[str, str], list[Cell]]()
    for cell in suite.cells:
        if cell.id in main and not cell.label:
            found.setdefault((cell.task, cell.dataset), []).append(cell)
    return found


def test_four_columns_have_no_hole_and_others_have_a_rival() -> None:
    for place, cells in ranked().items():
        bodies = {without_width(cell.model) for cell in cells}
        assert "hrnet_micro" in bodies and len(bodies - {"hrnet_micro"}) >= 1 and len(bodies) == len(cells)
        if place in WHOLE:
            assert bodies == BODIES
    assert set(WHOLE) <= set(ranked())


@pytest.mark.parametrize("place", WHOLE)
def test_bodies_of_a_column_cost_alike(place: tuple[str, str]) -> None:
    torch = pytest.importorskip("torch")
    import hrnet
    from tasks import build_model

    costs = {}
    for cell in ranked()[place]:
        with torch.device("meta"):
            network = build_model(cell.task, cell.model, cell.dataset, cell.representation)
        protocol: Any = cell.protocol
        width, height = getattr(protocol, "input_wh", (256, 128))
        costs[cell.model] = hrnet.profile(network, (height, width)).macs
    ours = costs["hrnet_micro_w8"]
    assert all(0.7 < cost / ours < 1.4 for cost in costs.values()), costs


def test_one_ablation_of_the_four_representations() -> None:
    [table] = load_suite("embedded").tables_of(AblationTable)
    assert [variant.label for variant in table.variants] == ["V1", "V1h", "V2", "V2p"]
