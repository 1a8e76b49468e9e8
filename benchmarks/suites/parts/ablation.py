"""The papers' ablations as suites over any body, dataset and tier: a base cell and named changes to it.

Each function returns a `Suite` whose table gives every variant's figures and its difference from the base of the same
body. The base cell is the very cell of the main tables (same id), so it runs once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.ablation_table import AblationTable, Variant
from tasks import get_task

SERIAL = "resnet_micro_w10"
PARALLEL = "hrnet_micro_w8"
COLUMNS: dict[tuple[str, str], tuple[str, ...]] = {
    ("pose", "coco"): ("AP", "AP75", "AR"),
    ("pose", "mpii"): ("PCKh@0.5", "PCKh@0.11"),
    ("detection", "coco"): ("AP", "AP50", "AP75"),
}
EXCHANGES: dict[str, dict[str, bool]] = {
    "final, across, within": {},
    "final, across": {"exchange_within": False},
    "final": {"exchange_within": False, "exchange_across": False},
}
"""Exchange units that are kept, as in arXiv 1908.07919, Table 12 (published: 73.4, 71.9, 70.8 AP)."""
HEAT_MAPS = ("pose", "landmarks")
"""Tasks whose head is one 1x1 convolution from the representation to a heat map per joint or point."""
LEVELS = {"1/4": 0, "1/8": 1, "1/16": 2}
"""Resolution of the map that heat maps are read from (arXiv 1908.07919, Fig. 9: 74.4, 68.9, 55.0 AP)."""
SIZES = {
    "full": ((96, 128), (192, 256), (288, 384)),
    "embedded": ((48, 64), (72, 96), (96, 128)),
    "smoke": ((48, 64), (96, 128)),
}
"""Widths and heights of the pose network's input (arXiv 1902.09212, Fig. 6)."""
FEW_CHANNELS = (
    "{kind} of {model} has {channels} channels, and the {outputs} heat maps are linear in them (a 1x1 convolution), so that "
    "no more than {channels} of them are independent (rank {channels}): its error is first of all the narrow body's, not the "
    "representation's"
)
"""What a reader must know of a variant whose head predicts more maps than the representation has channels."""

OWN_RATE = {("landmarks", "V2p"): 2e-3}
"""(task, representation) -> learning rate of the small tiers where the task's own (8e-3 for faces) does not train: at it, the
300W of micro HRNet and ResNet under V2p ended at NME 20 and 18."""
SLOWER = (
    "{kind} trains at a learning rate of {rate:g}, the others at the task's own: its convolutions have no normalisation, and at "
    "the others' rate it does not learn"
)


def columns_of(task: str, dataset: str) -> tuple[str, ...]:
    """The metrics of an ablation's table, headline first."""
    return COLUMNS.get((task, dataset), (get_task(task).headline(dataset),))


def _suite(
    name: str,
    title: str,
    task: str,
    dataset: str,
    axis: str,
    variants: Sequence[tuple[str, Cell]],
    base: str,
    vary: Sequence[str] = (),
) -> Suite:
    cells = {cell.id: cell for _, cell in variants}
    shown = tuple(Variant(cell.id, label, notes_of(cell)) for label, cell in variants)
    table = AblationTable(name, title, task, dataset, shown, columns_of(task, dataset), axis, base, tuple(vary))
    return Suite(name, tuple(cells.values()), (table,), title)


def _cell(
    task: str, dataset: str, model: str, tier: str, label: str, base: bool, changes: Mapping[str, Any] | None = None
) -> Cell:
    return make_cell(task, dataset, model, tier=tier, label="" if base else label, **dict(changes or {}))


def notes_of(cell: Cell) -> tuple[str, ...]:
    """What a reader must know of a variant before its figure is compared with the others'.

    V1 of an HRNet has as many channels as its name says (w8: 8); a head for heat maps is linear in them.
    """
    rate = OWN_RATE.get((cell.task, cell.representation))
    if rate is not None and cell.tier != "full":
        return (SLOWER.format(kind=cell.representation, rate=rate),)
    width = re.fullmatch(r"hrnet\w*_w(\d+)(_small_v\d)?", cell.model)
    if cell.task not in HEAT_MAPS or cell.representation != "V1" or width is None or width[2]:
        return ()
    channels, outputs = int(width[1]), get_task(cell.task).dataset(cell.dataset).num_outputs
    if channels >= outputs:
        return ()
    note = FEW_CHANNELS.format(kind=cell.representation, model=cell.model, channels=channels, outputs=outputs)
    return (note,)


def representation(
    task: str, dataset: str, models: Sequence[str], tier: str, kinds: Sequence[str] = ("V1", "V1h", "V2", "V2p")
) -> Suite:
    """V1, V1h, V2 and V2p of fixed bodies (arXiv 1908.07919, Fig. 10); differences are from V1.

    A detector needs a pyramid, so there V1 and V1h are the pyramids over them (V1p, V1hp), and V2 has none of its own; a
    dense task reads V2p at its highest level.
    """
    if task == "detection":
        kinds = tuple({"V1": "V1p", "V1h": "V1hp"}.get(kind, kind) for kind in kinds if kind != "V2")
    variants = []
    for model in models:
        usual = get_task(task).default_representation(model, dataset)
        for kind in kinds:
            changes: dict[str, Any] = {} if kind == usual else {"representation": kind}
            if tier != "full" and (task, kind) in OWN_RATE:
                changes["recipe"] = {"lr": OWN_RATE[task, kind]}
            variants.append((kind, _cell(task, dataset, model, tier, kind, kind == usual, changes)))
    title = f"Representation, {get_task(task).dataset(dataset).title}"
    return _suite(f"{tier}_representation_{task}_{dataset}", title, task, dataset, "representation", variants, kinds[0])


def exchange(task: str, dataset: str, models: Sequence[str], tier: str) -> Suite:
    """Which exchanges between resolutions are kept; differences are from all of them."""
    variants = [
        (label, _cell(task, dataset, model, tier, f"exchange {label}", not changes, changes))
        for model in models
        for label, changes in EXCHANGES.items()
    ]
    title = f"Exchange, {get_task(task).dataset(dataset).title}"
    name = f"{tier}_exchange_{task}_{dataset}"
    return _suite(name, title, task, dataset, "exchanges kept", variants, "final, across, within")


def resolution(task: str, dataset: str, models: Sequence[str], tier: str) -> Suite:
    """The map that heat maps are read from, from the highest resolution down; differences are from the highest."""
    variants = [
        (label, _cell(task, dataset, model, tier, f"map at {label}", not level, {"level": level} if level else {}))
        for model in models
        for label, level in LEVELS.items()
    ]
    title = f"Resolution of the map, {get_task(task).dataset(dataset).title}"
    name = f"{tier}_resolution_{task}_{dataset}"
    return _suite(name, title, task, dataset, "map read at", variants, "1/4")


def input_size(task: str, dataset: str, models: Sequence[str], tier: str) -> Suite:
    """Size of the network's input, in training and evaluation; differences are from the tier's usual size."""
    usual = get_task(task).protocol(dataset, tier=tier).input_wh
    variants = []
    for model in models:
        for width, height in SIZES[tier]:
            label = f"{height}x{width}"
            changes = {"protocol": {"input_wh": (width, height)}}
            plain = (width, height) == tuple(usual)
            variants.append((label, _cell(task, dataset, model, tier, label, plain, {} if plain else changes)))
    title = f"Input size, {get_task(task).dataset(dataset).title}"
    name = f"{tier}_input_size_{task}_{dataset}"
    base = f"{usual[1]}x{usual[0]}"
    return _suite(name, title, task, dataset, "input", variants, base, vary=("input_wh",))


def models_of(text: str, tier: str, with_serial: bool = True) -> tuple[str, ...]:
    """Bodies named in `text` (separated by commas), or the tier's usual ones: an HRNet, and a serial body."""
    if text:
        return tuple(name for name in text.split(",") if name)
    parallel, serial = ("hrnet_w32", "resnet50") if tier == "full" else (PARALLEL, SERIAL)
    return (parallel, serial) if with_serial else (parallel,)
