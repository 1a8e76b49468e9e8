"""`plan --suite published`: every row of the papers' tables with its figure, source, what is missing and its cost.

Torch-free, and quick: nothing is hashed and no annotation file is opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from functools import lru_cache

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.experiment.suite import Suite, TableSpec
from benchmarks.published.figures import Figure, load
from benchmarks.published.reproduction import main_slot, setting, slot
from benchmarks.published.weights import weights_of
from benchmarks.store.store import Store

RATE = 50e9
"""Multiply-adds a second that the estimate assumes: two cores of a current processor. Accelerators do far more."""
SAMPLES = {
    ("COCO keypoints", "val2017"): 104125,
    ("MPII", "val"): 2958,
    ("Cityscapes", "val"): 500,
    ("PASCAL-Context", "val(testing 5105)"): 5105,
    ("LIP", "val"): 10000,
    ("300W", "full"): 689,
    ("300W", "common"): 689,
    ("300W", "test"): 600,
    ("AFLW", "full"): 4386,
    ("COFW", "test"): 507,
    ("WFLW", "test"): 2500,
    ("COCO detection", "val2017"): 5000,
}
"""Network inputs of an evaluation (COCO keypoints: the detector's boxes)."""


def missing(cell: Cell, places: Places) -> list[str]:
    """Everything that a cell lacks: the checkpoint under its file name, and the data where they were looked for."""
    resolved = resolve(cell, places)
    lacking: list[str] = []
    assert cell.checkpoint is not None
    if resolved.lack("weights"):
        lacking.append(f"weights {cell.checkpoint} ({weights_of(cell.checkpoint).project})")
    lack = resolved.lack("root", "files", "layout")
    if lack is None:
        return lacking
    if lack.kind == "root":
        lacking.append(f"data {resolved.dataset.folder}/ below --data-root")
    elif lack.kind == "files":
        more = f" and {len(lack.files) - 1} more" if len(lack.files) > 1 else ""
        lacking.append(f"data {lack.files[0]}{more}")
    else:
        # A dataset that is there in part, such as COCO without the detector's boxes, is missing data of this row alone.
        lacking.append("data " + " ".join(lack.text.split()))
    return lacking


@lru_cache(maxsize=1)
def _printed_cost() -> dict[tuple[str, str, str], float]:
    """GFLOPs that some row prints for a network at an input size (heights and widths, crops left out)."""
    found: dict[tuple[str, str, str], float] = {}
    for figure in load():
        if figure.gflops is not None and figure.model and "read off" not in figure.condition:
            found.setdefault((figure.task, figure.model, figure.input_size.split(" ")[0]), figure.gflops)
    return found


def cost(figure: Figure, cell: Cell) -> str:
    """Estimated duration of a row's evaluation, from printed multiply-adds (2^30) and the number of inputs.

    Where the row prints none, another row's of the same network and input size are taken.
    """
    samples = SAMPLES.get((figure.benchmark, figure.split))
    gflops = figure.gflops or _printed_cost().get((figure.task, cell.model, figure.input_size.split(" ")[0]))
    if samples is None or gflops is None:
        return "cost not known"
    scales = getattr(cell.protocol, "scales", (1.0,))
    area = sum(scale * scale for scale in scales) if figure.task == "segmentation" else len(scales)
    passes = area * (2 if getattr(cell.protocol, "flip", False) else 1)
    seconds = samples * passes * gflops * 2**30 / RATE
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"~{seconds / size:.1f} {unit}"
    return f"~{seconds:.0f} s"


def print_plan(suite: Suite, places: Places, only: Sequence[str] = ()) -> int:
    """Prints one line per row; returns the exit status 0. `only` takes patterns of table names or of cell names.

    Raises:
        ValueError: a pattern matches no table and no cell.
    """
    store = Store(places.out)
    cells = {cell.id: cell for cell in suite.cells}
    for pattern in only:
        if not any(_wanted([pattern], spec.name, None) for spec in suite.tables) and not any(
            _wanted([pattern], "", cell) for cell in suite.cells
        ):
            tables = ", ".join(spec.name for spec in suite.tables)
            raise ValueError(
                f"--only {pattern!r} matches no row. Tables: {tables}; cells are named task/dataset/model+file."
            )
    lacking = {cell.id: missing(cell, places) for cell in suite.cells}
    rows = load().rows()
    statuses: Counter[str] = Counter()
    for spec in suite.tables:
        files = set(spec.extra["files"])
        listed = [figures for identity, figures in rows.items() if identity.split(":")[0] in files]
        lines: list[str] = []
        source = ""
        for figures in listed:
            main = main_slot(figures)
            head = next((figure for figure in figures if slot(figure) == main), figures[0])
            links = spec.extra["links"].get(head.id, {})
            link = links.get(main) or next((links[slot(f)] for f in figures if slot(f) in links), None)
            cell = cells.get(link.split("|")[0]) if link else None
            if only and not _wanted(only, spec.name, cell):
                continue
            status, detail = _status(cell, head, spec, store, lacking)
            statuses[status] += 1
            if cell is not None:
                detail += _unlinked(figures, spec)
            if head.source != source:
                source = head.source
                lines.append(f"  from {source}")
            lines.append(f"    {label(head):<64}  {_figure(head)}  {status:13}  {detail}".rstrip())
        if lines:
            print(f"\n{spec.name}: {spec.title}")
            print("\n".join(lines))
    total = sum(statuses.values())
    print(f"\n{total} rows: " + ", ".join(f"{count} {status}" for status, count in statuses.items()) + ".")
    print(
        f"{len(suite.cells)} cells would fill them. Durations assume {RATE / 1e9:.0f} G multiply-adds a second (2 cores); "
        "checkpoints and where they are published: results/published/weights.csv."
    )
    return 0


def label(figure: Figure) -> str:
    """Method, body and, in brackets, the setting of a row."""
    name = f"{figure.method}, {figure.body}" if figure.body else figure.method
    told = setting(figure)
    return f"{name} ({told})" if told else name


def _figure(figure: Figure) -> str:
    """The row's main figure with its split and protocol."""
    return f"{figure.metric} {figure.text} {figure.unit:<2} {figure.split} [{figure.protocol_id}]"


def _status(
    cell: Cell | None, head: Figure, spec: TableSpec, store: Store, lacking: Mapping[str, list[str]]
) -> tuple[str, str]:
    """Status of a row and what to say of it."""
    if cell is None:
        return "not attempted", spec.extra["reasons"].get(head.id, "")
    stored = store.load(cell.task, cell.id)
    if stored is not None and stored.done:
        return "done", cell.id
    if stored is not None:
        return "failed", f"{cell.checkpoint}: {stored.record.get('reason') or 'no reason stored'}"
    if lacking[cell.id]:
        return "missing", "; ".join(lacking[cell.id]) + f"; {cost(head, cell)}"
    return "to run", f"{cell.checkpoint}; {cost(head, cell)}"


def _unlinked(figures: Sequence[Figure], spec: TableSpec) -> str:
    """The row's figures that no cell measures, with the reason."""
    reasons = spec.extra["reasons"]
    found = {f.column: reasons[key] for f in figures if (key := f"{f.id}|{slot(f)}") in reasons}
    return "".join(f"; {column}: {reason}" for column, reason in found.items())


def _wanted(only: Sequence[str], table: str, cell: Cell | None) -> bool:
    return any(fnmatch(table, p) or (cell is not None and (fnmatch(cell.name, p) or fnmatch(cell.id, p))) for p in only)
