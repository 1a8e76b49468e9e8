"""`plan --suite published`: the papers' tables in a page, or row by row with figure, source, what each lacks and its cost.

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
from benchmarks.published.lacks import WORDS
from benchmarks.published.missing import missing
from benchmarks.published.paper_rows import PaperRow
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.slots import main_slot, setting, slot_of
from benchmarks.store.store import Store
from benchmarks.tables.render.folded import folded, terminal_width

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
    ("ADE20K", "val"): 2000,
    ("COCO-Stuff", "test"): 1000,
    ("ImageNet-1k", "val"): 50000,
}
"""Network inputs of an evaluation (COCO keypoints: the detector's boxes)."""


KINDS = ("done", "to run", "failed", *(f"lacks {word}" for word in WORDS))
"""Statuses of rows, in the order of the page's columns."""


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
    gflops = figure.gflops or _printed_cost().get((figure.task, figure.model, figure.input_size.split(" ")[0]))
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


def print_plan(suite: Suite, places: Places, only: Sequence[str] = (), rows: bool = False) -> int:
    """Prints a page, or with ``rows`` one line per row; returns the exit status 0.

    Args:
        only: patterns of table names or of cell names.

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
    planned: list[tuple[PublishedTable, list[PlannedRow]]] = []
    for table in tables:
        made = [row for row in map(held.planned, table.rows) if not only or _wanted(only, table.name, row.cell)]
        planned += [(table, made)] if made else []
    if rows:
        _print_rows(planned)
    else:
        _print_counts(planned)
        _print_ready(planned)
    counts = Counter(row.kind for _, made in planned for row in made)
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    print("\n" + folded(f"{counts.total()} rows: {told}."))
    assumed = f"Durations assume {RATE / 1e9:.0f} G multiply-adds a second (2 cores)"
    where = "checkpoints and where they are published: results/published/weights.csv."
    print(folded(f"{len(suite.cells)} cells would fill them. {assumed}; {where}"))
    return 0


Planned = Sequence[tuple[PublishedTable, Sequence["PlannedRow"]]]
SHOWN = 20
"""Cells that the page lists of those that can be run."""


def _print_rows(planned: Planned) -> None:
    for table, made in planned:
        print(f"\n{table.name}: {table.title}")
        source = ""
        for row in made:
            if row.head.source != source:
                source = row.head.source
                print(folded(f"  from {source}", 4))
            print(folded(row.line, 8))


def _print_counts(planned: Planned) -> None:
    """One line per paper table: how many of its rows have which status; a terminal gets narrow columns, titles where they fit."""
    kinds = [k for k in KINDS if any(row.kind == k for _, made in planned for row in made)]
    width = max((len(table.name) for table, _ in planned), default=5)
    heads = [("", kind) for kind in kinds]
    room = terminal_width()
    if room is not None:
        heads = [(kind.rpartition(" ")[0], kind.rpartition(" ")[2]) for kind in kinds]
        print(f"{'':{width}}  {'':5}" + "".join(f"  {first:>{len(last)}}" for first, last in heads).rstrip())
    print(f"{'table':{width}}  {'rows':>5}" + "".join(f"  {last:>{len(last)}}" for _, last in heads))
    used = width + 7 + sum(2 + len(last) for _, last in heads)
    titled = room is None or used + 2 + max(len(table.title) for table, _ in planned) <= room
    for table, made in planned:
        counts = Counter(row.kind for row in made)
        numbers = "".join(f"  {counts[kind] or '-':>{len(last)}}" for kind, (_, last) in zip(kinds, heads, strict=True))
        print(f"{table.name:{width}}  {len(made):5}{numbers}" + (f"  {table.title}" if titled else ""))
    print(
        "\n"
        + folded(
            "Every row with its source and what it lacks: plan --suite published --rows (--only NAME for one table)"
        )
    )


def _print_ready(planned: Planned) -> None:
    """The cells whose weights and data are there."""
    ready = {row.cell.id: row for _, made in planned for row in made if row.kind == "to run" and row.cell}
    if not ready:
        text = "Nothing can be run now: name folders with --data-root and --weights"
        print(folded(f"{text} (fetch --suite published gets weights)."))
        return
    print(f"\nCan be run now: {len(ready)} cells")
    for row in list(ready.values())[:SHOWN]:
        assert row.cell is not None
        figure = f"{row.head.metric} {row.head.text} {row.head.unit:<2}"
        print(folded(f"  {row.cell.name:<60}  {figure}  {row.detail}", 6))
    if len(ready) > SHOWN:
        print(f"  and {len(ready) - SHOWN} more")


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

    @property
    def kind(self) -> str:
        """The status without a network's name."""
        return self.status.partition(":")[0]


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
            assert row.lack is not None
            return PlannedRow(head, None, row.lack.status, row.lack.text)
        status, detail = self._status(cell, head)
        return PlannedRow(head, cell, status, detail + _not_measured(row))

    def _status(self, cell: Cell, head: Figure) -> tuple[str, str]:
        """Status of a cell, and its id, reason or cost."""
        stored = self.store.load(cell.task, cell.id)
        if stored is not None and stored.done:
            return "done", cell.id
        if stored is not None:
            return "failed", f"{cell.checkpoint}: {stored.record.reason or 'no reason stored'}"
        if lacking := self.lacking[cell.id]:
            word = lacking[0].partition(" ")[0]
            return f"lacks {word}", "; ".join(lacking) + f"; {cost(head, cell)}"
        return "to run", f"{cell.checkpoint}; {cost(head, cell)}"


def label(figure: Figure) -> str:
    """Method, body and, in brackets, the setting of a row."""
    name = f"{figure.method}, {figure.body}" if figure.body else figure.method
    beside = setting(figure)
    return f"{name} ({beside})" if beside else name


def _not_measured(row: PaperRow) -> str:
    """The row's figures that no cell measures, with the reason."""
    found = {f.column: row.reasons[slot_of(f)] for f in row.figures if slot_of(f) in row.reasons}
    return "".join(f"; {column}: {lack.text}" for column, lack in found.items())


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
