"""`plan --suite published`: every row of the papers' tables with its figure, source, what is missing and its cost.

Quick: nothing is hashed and no annotation file is opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.published.figures import Figure, load
from benchmarks.published.missing import missing
from benchmarks.published.paper_rows import PaperRow
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.slots import main_slot, setting, slot_of
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
    tables = suite.tables_of(PublishedTable)
    _check_patterns(only, tables, suite.cells)
    held = _Held(
        Store(places.out),
        {cell.id: cell for cell in suite.cells},
        {cell.id: missing(cell, places) for cell in suite.cells},
    )
    statuses: Counter[str] = Counter()
    for table in tables:
        lines: list[str] = []
        source = ""
        for row in table.rows:
            planned = held.planned(row)
            if only and not _wanted(only, table.name, planned.cell):
                continue
            statuses[planned.status] += 1
            if planned.head.source != source:
                source = planned.head.source
                lines.append(f"  from {source}")
            lines.append(planned.line)
        if lines:
            print(f"\n{table.name}: {table.title}")
            print("\n".join(lines))
    total = sum(statuses.values())
    print(f"\n{total} rows: " + ", ".join(f"{count} {status}" for status, count in statuses.items()) + ".")
    print(
        f"{len(suite.cells)} cells would fill them. Durations assume {RATE / 1e9:.0f} G multiply-adds a second (2 cores); "
        "checkpoints and where they are published: results/published/weights.csv."
    )
    return 0


@dataclass(frozen=True)
class PlannedRow:
    """A row, the figure that it is judged by, the cell that measures it (None: no cell), and what would happen to it."""

    head: Figure
    cell: Cell | None
    status: str
    detail: str

    @property
    def line(self) -> str:
        """The row's line of the plan: label, figure with split and protocol, status, detail."""
        head = self.head
        figure = f"{head.metric} {head.text} {head.unit:<2} {head.split} [{head.protocol_id}]"
        return f"    {label(head):<64}  {figure}  {self.status:13}  {self.detail}".rstrip()


@dataclass(frozen=True)
class _Held:
    """What is known of the suite's cells: `lacking` names what each lacks, by id."""

    store: Store
    cells: Mapping[str, Cell]
    lacking: Mapping[str, list[str]]

    def planned(self, row: PaperRow) -> PlannedRow:
        """What would happen to a row. It is measured by its main figure's cell, or by its first figure's that has one."""
        main = main_slot(row.figures)
        head = next((figure for figure in row.figures if slot_of(figure) == main), row.figures[0])
        link = row.links.get(main) or next((found for f in row.figures if (found := row.link(f))), None)
        cell = self.cells.get(link.cell) if link else None
        if cell is None:
            return PlannedRow(head, None, "not attempted", row.reason)
        status, detail = self._status(cell, head)
        return PlannedRow(head, cell, status, detail + _not_measured(row))

    def _status(self, cell: Cell, head: Figure) -> tuple[str, str]:
        """Status of a cell, and its id, reason or cost."""
        stored = self.store.load(cell.task, cell.id)
        if stored is not None and stored.done:
            return "done", cell.id
        if stored is not None:
            return "failed", f"{cell.checkpoint}: {stored.record.reason or 'no reason stored'}"
        if self.lacking[cell.id]:
            return "missing", "; ".join(self.lacking[cell.id]) + f"; {cost(head, cell)}"
        return "to run", f"{cell.checkpoint}; {cost(head, cell)}"


def label(figure: Figure) -> str:
    """Method, body and, in brackets, the setting of a row."""
    name = f"{figure.method}, {figure.body}" if figure.body else figure.method
    beside = setting(figure)
    return f"{name} ({beside})" if beside else name


def _not_measured(row: PaperRow) -> str:
    """The row's figures that no cell measures, with the reason."""
    found = {f.column: row.reasons[slot_of(f)] for f in row.figures if slot_of(f) in row.reasons}
    return "".join(f"; {column}: {reason}" for column, reason in found.items())


def _check_patterns(only: Sequence[str], tables: Sequence[PublishedTable], cells: Sequence[Cell]) -> None:
    for pattern in only:
        if not any(_wanted([pattern], table.name, None) for table in tables) and not any(
            _wanted([pattern], "", cell) for cell in cells
        ):
            names = ", ".join(table.name for table in tables)
            raise ValueError(
                f"--only {pattern!r} matches no row. Tables: {names}; cells are named task/dataset/model+file."
            )


def _wanted(only: Sequence[str], table: str, cell: Cell | None) -> bool:
    return any(fnmatch(table, p) or (cell is not None and (fnmatch(cell.name, p) or fnmatch(cell.id, p))) for p in only)
