"""Ablations are named changes to the very cells of the main tables, and every variant builds and runs."""

from __future__ import annotations

import pytest

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.suites import load_suite, suite_names
from benchmarks.suites.parts import ablation as ablations
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.filling import in_main_tables

SUITES = ("ablation_representation", "ablation_exchange", "ablation_resolution", "ablation_input_size")


@pytest.mark.parametrize("tier", ["smoke", "embedded", "full"])
@pytest.mark.parametrize("name", SUITES)
def test_base_is_the_cell_of_the_main_table(name: str, tier: str) -> None:
    suite = load_suite(name, tier=tier)
    assert len({cell.tier for cell in suite.cells}) == 1
    assert suite.tables == suite.tables_of(AblationTable)
    for spec in suite.tables_of(AblationTable):
        labels = {variant.cell: variant.label for variant in spec.variants}
        for model in {cell.model for cell in suite.cells if cell.id in spec.cells}:
            plain = make_cell(spec.task, spec.dataset, model, tier=tier)
            own = [cell for cell in suite.cells if cell.id in spec.cells and cell.model == model]
            assert len({cell.id for cell in own}) == len(own) >= 2
            if spec.base in [labels[cell.id] for cell in own if not cell.label]:
                assert plain.id in spec.cells
    assert len({cell.id for cell in suite.cells}) == len(suite.cells)


def test_targets_widen_with_the_input_as_the_papers_do() -> None:
    cells = load_suite("ablation_input_size", tier="full").cells
    sigmas = {
        tuple(c.protocol.input_wh): c.recipe.augment.sigma_for(c.protocol.input_wh)
        for c in cells
        if c.recipe and c.dataset == "coco"
    }
    assert sigmas == {(96, 128): 2.0, (192, 256): 2.0, (288, 384): 3.0}


def test_default_run_shares_cells_with_the_main_tables() -> None:
    default = load_suite("embedded")
    ids = [cell.id for cell in default.cells]
    assert len(set(ids)) == len(ids)
    ablation = default.tables_of(AblationTable)
    main = set(in_main_tables(default))
    assert ablation and all(main & set(spec.cells) for spec in ablation if f"embedded_{spec.task}" in suite_names())


def variants(name: str) -> list[Cell]:
    suite: Suite = load_suite(name, tier="smoke")
    return [cell for cell in suite.cells if cell.label]


@pytest.mark.parametrize("cell", [c for name in SUITES for c in variants(name)], ids=lambda cell: cell.name)
def test_every_variant_builds_and_predicts(cell: Cell) -> None:
    torch = pytest.importorskip("torch")
    import tasks

    network = tasks.build_model(cell.task, cell.model, cell.dataset, cell.representation, **dict(cell.changes)).eval()
    assert network.representation_name == cell.representation
    with torch.inference_mode():
        made = network(torch.zeros(1, 3, 64, 64))
    if cell.task != "detection":
        stride = 4 * 2 ** dict(cell.changes).get("level", 0)
        assert made.shape[-2:] == (64 // stride, 64 // stride)


def test_other_bodies_and_unknown_names() -> None:
    suite = load_suite("ablation_representation", models="resnet18", tasks="pose")
    assert {cell.model for cell in suite.cells} == {"resnet18"} and len(suite.cells) == 4
    with pytest.raises(ValueError, match="Unknown task"):
        load_suite("ablation_representation", tasks="posse")
    assert ablations.models_of("", "full") == ("hrnet_w32", "resnet50")


@pytest.mark.parametrize(("dataset", "model", "kind", "told"), [
    ("300w", "hrnet_micro_w8", "V1", "8 channels, and the 68 heat maps"), ("300w", "hrnet_micro_w8", "V1h", ""),
    ("300w", "hrnet_w18", "V1", "18 channels, and the 68 heat maps"), ("300w", "resnet_micro_w10", "V1", ""),
    ("aflw", "hrnet_w32", "V1", ""),
])  # fmt: skip
def test_v1_of_a_narrow_body_is_explained(dataset: str, model: str, kind: str, told: str) -> None:
    tier = "embedded" if "micro" in model else "full"
    suite = ablations.representation("landmarks", dataset, (model,), tier)
    [spec] = suite.tables_of(AblationTable)
    [notes] = [variant.notes for variant in spec.variants if variant.label == kind]
    assert len(notes) == bool(told) and all(told in note for note in notes)


def test_channels_that_the_note_tells_are_those_of_the_network() -> None:
    pytest.importorskip("torch")
    import tasks

    cell = make_cell("landmarks", "300w", "hrnet_micro_w8", tier="embedded", representation="V1")
    network = tasks.build_model("landmarks", cell.model, "300w", "V1")
    assert network.head.predict.weight.shape[:2] == (68, 8) and "8 channels" in ablations.notes_of(cell)[0]
