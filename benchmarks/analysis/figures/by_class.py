"""Charts of a metric by class, joint or subset."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from benchmarks.analysis.figures.charts import Bar, Bars
from benchmarks.analysis.figures.curves import first_seed
from benchmarks.store.record import Figure
from benchmarks.store.store import StoredCell
from benchmarks.tables.rows import Measured
from benchmarks.tables.uncertainty import UNFIT

PER_CLASS = re.compile(r"^(?P<metric>[^/]+)/(?P<name>.+)$")
PARTS = ("Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
CLASSES_A_CHART = 20
"""Bars of more classes go on in further charts."""
OF_WHAT = {"pose": "joint", "landmarks": "subset"}


@dataclass
class _ByClass:
    """A metric by class: values by class and body, and what each class is pooled over."""

    unit: str = ""
    digits: int = 1
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def class_charts(rows: Sequence[Measured], colour: Mapping[str, int], limit: int = 4) -> list[Bars]:
    """A bar per class (joint, subset) and body of the metric that is given so, from figures named METRIC/CLASS.

    Of several such metrics the headline's is taken, or the one with most classes. A class says how much it is pooled over
    where that is not what the headline is. Of more than `limit` bodies the first are shown, and the heading says so.
    """
    done = [row for row in rows if row.done]
    shown = done[:limit]
    groups = {metric: held for metric, held in _by_class(shown).items() if len(held.values) > 1}
    if not groups:
        return []
    headline = shown[0].done[0].record.headline or ""
    metric = max(groups, key=lambda name: (name == headline, len(groups[name].values)))
    heading = f"{metric} by {OF_WHAT.get(shown[0].cell.task, 'class')}"
    if len(done) > len(shown):
        heading += f", {len(shown)} of {len(done)} bodies"
    held = groups[metric]
    label = metric + (f" ({held.unit})" if held.unit else "")
    return _in_parts(heading, first_seed(shown).strip(), label, _listed(held, shown, colour, shown[0].n(headline)))


def _by_class(shown: Sequence[Measured]) -> dict[str, _ByClass]:
    """Every metric that the rows have by class; PCKh of a joint is named by the joint alone."""
    groups: dict[str, _ByClass] = {}
    for row in shown:
        for name, figure in _class_figures(row.done[0]).items():
            found = PER_CLASS.match(name)
            metric, label = (found["metric"], found["name"]) if found else ("PCKh@0.5" if name in PARTS else "", name)
            if metric and figure.value is not None:
                held = groups.setdefault(metric, _ByClass())
                held.values.setdefault(label, {})[row.cell.model] = figure.value
                held.unit, held.digits = figure.unit, figure.decimals
                if figure.n is not None:
                    held.counts[label] = figure.n
    return groups


def _class_figures(stored: StoredCell) -> dict[str, Figure]:
    """The stored figures, and those by class that a task makes of its statistics when asked (average precisions); without these
    where the statistics are spoilt, which the tables say."""
    from tasks import get_task

    cell = stored.record.cell
    try:
        made = get_task(cell.task).class_figures(cell.dataset, stored.stats())
    except UNFIT:
        made = {}
    return {**stored.record.figures, **msgspec.convert(made, dict[str, Figure])}


def _listed(
    held: _ByClass, shown: Sequence[Measured], colour: Mapping[str, int], whole: int | None
) -> list[tuple[str, list[Bar]]]:
    """The bars class by class; a class says its n where it is not `whole`."""
    bodies = list(dict.fromkeys(row.cell.model for row in shown))

    def heading(label: str) -> str:
        count = held.counts.get(label)
        return label if count is None or count == whole else f"{label} (n={count})"

    def bar(body: str, value: float | None) -> Bar:
        return Bar(body, value, colour[body], text="" if value is None else f"{value:.{held.digits}f}")

    return [(heading(label), [bar(body, values.get(body)) for body in bodies]) for label, values in held.values.items()]


def _in_parts(heading: str, note: str, label: str, listed: Sequence[tuple[str, list[Bar]]]) -> list[Bars]:
    """One chart, or several of like size where there are many classes."""
    made = []
    size = math.ceil(len(listed) / math.ceil(len(listed) / CLASSES_A_CHART))
    for start in range(0, len(listed), size):
        part = listed[start : start + size]
        title = heading
        if len(listed) > size:
            title += f", {start + 1} to {start + len(part)} of {len(listed)}"
        groups = tuple((name, tuple(items)) for name, items in part)
        made.append(Bars(title, note, groups, label))
    return made
