"""All charts of a suite, dataset by dataset and ablation by ablation: what the page shows and what is drawn for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.analysis.figures.by_class import class_charts
from benchmarks.analysis.figures.charts import Chart
from benchmarks.analysis.figures.curves import cost_charts, evaluation_charts, training_charts
from benchmarks.analysis.figures.looks import colours, legend, looks, variant_looks
from benchmarks.analysis.figures.of_tables import ablation_chart, rank_chart
from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.class_table import ClassTable
from benchmarks.tables.filling import fill
from benchmarks.tables.layout import ACROSS
from benchmarks.tables.rows import Measured, measured
from benchmarks.tables.table import Table
from benchmarks.tables.task_table import TaskTable

DatasetTable = TaskTable | ClassTable


@dataclass(frozen=True)
class Group:
    """Charts that belong together; `legend` are (name, look) of what they show."""

    name: str
    charts: tuple[Chart, ...]
    legend: tuple[tuple[str, int], ...] = ()


def chart_groups(suite: Suite, store: Store, only: Iterable[str] | None = None) -> list[Group]:
    """Every group of a suite's charts; `only` restricts to cells with these ids."""
    chosen = None if only is None else set(only)
    rows = measured([cell for cell in suite.cells if chosen is None or cell.id in chosen], store)
    filled = {table.name: table for table in fill(suite, store, "kept", only=chosen)}
    colour = colours(rows)
    groups = [across_group([table for table in filled.values() if table.name in ACROSS], rows, colour)]
    shown: set[tuple[str, ...]] = set()
    for kind in suite.tables:
        if isinstance(kind, DatasetTable) and kind.name in filled and kind.cells not in shown:
            shown.add(kind.cells)
            groups.append(dataset_group(kind, rows_of(kind.cells, rows), colour))
    for kind in suite.tables_of(AblationTable):
        if kind.name in filled:
            groups.append(ablation_group(kind, filled[kind.name], rows_of(kind.cells, rows)))
    return [group for group in groups if group.charts]


def rows_of(cells: Sequence[str], rows: Sequence[Measured]) -> list[Measured]:
    """Those of the rows that show one of the cells."""
    return [row for row in rows if row.cell.id in cells]


def across_group(tables: Sequence[Table], rows: Sequence[Measured], colour: Mapping[str, int]) -> Group:
    """Who leads where, over the datasets of a table across tasks."""
    charts = tuple(chart for table in tables if (chart := rank_chart(table, colour)) is not None)
    shown = {item.name for chart in charts for item in chart.series}
    names = [(name, look) for name, look in legend(rows, colour, merge_widths=True) if name in shown]
    return Group("across", charts, tuple(names))


def dataset_group(kind: DatasetTable, rows: Sequence[Measured], colour: Mapping[str, int]) -> Group:
    """Costs, training, evaluation and classes of a dataset's bodies; variants with a label are left to ablations."""
    shown = [row for row in rows if not row.cell.label] or list(rows)
    look = looks(shown, colour)
    charts = [
        *cost_charts(shown, kind.columns[0], colour),
        *training_charts(shown, look),
        *evaluation_charts(shown, look),
        *class_charts(shown, colour),
    ]
    return Group(kind.name, tuple(charts), tuple(legend([row for row in shown if row.done], colour)))


def ablation_group(kind: AblationTable, table: Table, rows: Sequence[Measured]) -> Group:
    """An ablation's differences, and the curves of its variants."""
    rows = sorted(rows, key=lambda row: kind.cells.index(row.cell.id))
    look = variant_looks(rows, kind)
    bars = ablation_chart(table, [look[row.cell.id][1] for row in rows])
    charts = ([bars] if bars is not None else []) + [*training_charts(rows, look), *evaluation_charts(rows, look)]
    names = [look[row.cell.id] for row in rows if row.done]
    return Group(kind.name, tuple(charts), tuple(names))
