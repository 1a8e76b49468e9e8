"""What the report says of each dataset: plots, legends, pictures and provenance, from stored cells.  Torch-free."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.baselines import body_names, traits_of
from benchmarks.experiment.cell import Cell
from benchmarks.report import svg as plots
from benchmarks.report.svg import Bar, Series
from benchmarks.store.store import StoredCell
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import family, ranks
from benchmarks.tables.rows import Measured, entry
from benchmarks.tables.table import HIGHER, Table

_PER_CLASS = re.compile(r"^(?P<metric>[^/]+)/(?P<name>.+)$")
PARTS = ("Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
MAX_CURVE_POINTS = 160
CLASSES_A_PLOT = 20
"""Bars of more classes go on in a further plot."""
Looks = Mapping[str, tuple[str, int]]
"""Cell id -> the name and the colour that a row has in plots."""
OF_WHAT = {"pose": "joint", "landmarks": "subset"}


@dataclass(frozen=True)
class Plot:
    """A drawing with its heading."""

    title: str
    svg: str
    wide: bool = False


@dataclass
class Section:
    """One dataset of one task."""

    anchor: str
    task: str
    title: str
    table: str
    legend: list[tuple[str, str]] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)


def colours(rows: Sequence[Measured]) -> dict[str, int]:
    """A colour per body for the whole page, HRNet's first; widths of one micro body share theirs."""
    families = list(dict.fromkeys(family(row.cell.model) for row in rows))
    parallel = {family(row.cell.model) for row in rows if _is_parallel(row.cell)}
    ordered = sorted(families, key=lambda name: (name not in parallel, families.index(name)))
    index = {name: number for number, name in enumerate(ordered)}
    return index | {row.cell.model: index[family(row.cell.model)] for row in rows}


def _is_parallel(cell: Cell) -> bool:
    from tasks import get_task

    body = get_task(cell.task).body_name(cell.model)
    return body in body_names() and traits_of(body).structure == "parallel"  # a stored cell's body may be gone


def legend(rows: Sequence[Measured], colour: Mapping[str, int], families: bool = False) -> list[tuple[str, str]]:
    """(name, svg mark) of each body in these rows; with `families`, widths of one micro body are one."""
    names = dict.fromkeys(family(row.cell.model) if families else row.cell.model for row in rows)
    return [(name, _mark(colour[name])) for name in names]


def _mark(colour: int) -> str:
    return f'<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">{plots.marker(colour, 8, 8)}</svg>'


def looks(rows: Sequence[Measured], colour: Mapping[str, int]) -> Looks:
    """Rows go by their body, in the body's colour."""
    return {row.cell.id: (row.cell.model, colour[row.cell.model]) for row in rows}


def variant_looks(rows: Sequence[Measured], ablation: AblationTable) -> Looks:
    """Variants of an ablation go by body and variant, each in a colour of its own."""
    bodies = {row.cell.model for row in rows}

    def name(row: Measured) -> str:
        variant = ablation.variant(row).name(row)
        return f"{row.cell.model} · {variant}" if len(bodies) > 1 else variant

    return {row.cell.id: (name(row), number) for number, row in enumerate(rows)}


def legend_of(look: Looks) -> list[tuple[str, str]]:
    """(name, svg mark) of each row."""
    return [(name, _mark(colour)) for name, colour in look.values()]


def _interval(row: Measured, metric: str) -> tuple[float, float] | None:
    found = entry(row, metric)
    if found.spread is None or found.number is None:
        return None
    if found.spread.low is not None and found.spread.high is not None:
        return found.spread.low, found.spread.high
    return (found.number - found.spread.sd, found.number + found.spread.sd) if found.spread.sd is not None else None


def cost_plots(rows: Sequence[Measured], metric: str, colour: Mapping[str, int]) -> list[Plot]:
    """The headline metric over multiply-adds, and over latency."""
    made: list[Plot] = []
    measured = [(row, entry(row, metric).number) for row in rows]
    for title, x_label, cost in (
        ("over multiply-adds", "multiply-adds (G)", lambda row: _scaled(row.model("macs"), 1e9)),
        ("over latency", "latency of one picture (ms)", _latency),
    ):
        series = [
            Series(row.cell.model, ((x, y),), colour[row.cell.model], (_interval(row, metric),))
            for row, y in measured
            if y is not None and (x := cost(row)) is not None
        ]
        figure = next((found for row in rows if (found := row.figure(metric))), None)
        if len(series) > 1 and figure is not None:
            unit = f" ({figure['unit']})" if figure["unit"] else ""
            better = bool(figure["higher_is_better"])
            name = f"{metric} {title}"
            made.append(Plot(name, plots.scatter(name, series, x_label, metric + unit, better)))
    return made


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value / scale


def _latency(row: Measured) -> float | None:
    return next((stored.record["latency_ms"] for stored in row.done if stored.record.get("latency_ms")), None)


def training_plots(rows: Sequence[Measured], look: Looks) -> list[Plot]:
    """The loss over epochs, and whatever else training showed (an accuracy)."""
    keys: dict[str, list[Series]] = {}
    for row in rows:
        for stored in row.done[:1]:
            steps = (stored.record.get("curves") or {}).get("training") or []
            for key in dict.fromkeys(key for step in steps for key in step):
                if key in ("epoch", "lr", "iteration", "time", "seconds") or key.startswith(("loss_", "time")):
                    continue
                points = tuple(
                    (float(step.get("epoch", index)), float(step[key]))
                    for index, step in enumerate(steps)
                    if step.get(key) is not None
                )
                if points:
                    name, colour = look[row.cell.id]
                    keys.setdefault(key, []).append(Series(name, points, colour))
    ordered = sorted(keys, key=lambda key: key != "loss")
    return [
        Plot(f"Training: {key}", plots.lines(f"training {key}", keys[key], "epoch", key, log_y=key == "loss"))
        for key in ordered[:2]
    ]


def evaluation_plots(rows: Sequence[Measured], look: Looks) -> list[Plot]:
    """Curves that the evaluation kept: cumulative errors, precision over recall."""
    curves: dict[str, list[Series]] = {}
    for row in rows:
        for stored in row.done[:1]:
            kept = (stored.record.get("curves") or {}).get("evaluation") or {}
            for name, points in kept.items():
                step = max(1, len(points) // MAX_CURVE_POINTS)
                thinned = tuple((float(x), float(y)) for x, y in points[::step] if x is not None and y is not None)
                if thinned:
                    curves.setdefault(name, []).append(Series(look[row.cell.id][0], thinned, look[row.cell.id][1]))
    made = []
    for name, series in curves.items():
        title, x_label, y_label = curve_labels(name)
        made.append(Plot(title, plots.lines(title, series, x_label, y_label)))
    return made


def curve_labels(name: str) -> tuple[str, str, str]:
    """Heading and axis labels of a kept curve: a name "y over x" says both; otherwise they are told from its words."""
    text = name.replace("_", " ")
    if " over " in text:
        y, x = text.split(" over ", 1)
        return text, x.split(",")[0].split(" at ")[0], y
    if "faces" in text:
        return text, "NME (%)", "share of faces"
    if "joints within" in text:
        return text, "distance (head sizes)", "joints (%)"
    if "cumulative" in text:
        return text, "error", "share within the error"
    return text, "threshold", text


def _bar(body: str, value: float | None, colour: int, digits: int) -> Bar:
    return Bar(body, value, colour, text="" if value is None else f"{value:.{digits}f}")


def _class_figures(stored: StoredCell) -> dict[str, Any]:
    """The stored figures, and those by class that a task makes of its statistics when asked (average precisions)."""
    from tasks import get_task

    record = stored.record
    task, dataset = get_task(record["cell"]["task"]), record["cell"]["dataset"]
    return {**record["figures"], **task.class_figures(dataset, stored.stats())}


def class_bars(rows: Sequence[Measured], colour: Mapping[str, int], limit: int = 4) -> list[Plot]:
    """A bar per class (joint, subset) and body of the metric that is given so, from figures named METRIC/CLASS.

    Of several such metrics the headline's is taken, or the one with most classes. A class says how much it is pooled over
    where that is not what the headline is. Of more than `limit` bodies the first are shown, and the heading says so.
    """
    groups: dict[str, dict[str, dict[str, float]]] = {}
    done = [row for row in rows if row.done]
    shown = done[:limit]
    bodies = list(dict.fromkeys(row.cell.model for row in shown))
    unit: dict[str, str] = {}
    digits: dict[str, int] = {}
    counts: dict[tuple[str, str], int] = {}
    for row in shown:
        for name, figure in _class_figures(row.done[0]).items():
            found = _PER_CLASS.match(name)
            metric, label = (
                (found["metric"], found["name"]) if found else ("PCKh@0.5", name) if name in PARTS else ("", "")
            )
            if metric and figure["value"] is not None:
                groups.setdefault(metric, {}).setdefault(label, {})[row.cell.model] = figure["value"]
                unit[metric], digits[metric] = figure["unit"], figure.get("decimals", 1)
                if figure.get("n") is not None:
                    counts[metric, label] = figure["n"]
    groups = {metric: classes for metric, classes in groups.items() if len(classes) > 1}
    if not groups:
        return []
    record = shown[0].done[0].record
    headline = str(record["headline"])
    whole = (record["figures"].get(headline) or {}).get("n")
    metric = max(groups, key=lambda name: (name == headline, len(groups[name])))

    def told(label: str) -> str:
        count = counts.get((metric, label))
        return label if count is None or count == whole else f"{label} (n={count})"

    listed = [
        (told(label), [_bar(body, values.get(body), colour[body], digits[metric]) for body in bodies])
        for label, values in groups[metric].items()
    ]
    axis_label = metric + (f" ({unit[metric]})" if unit[metric] else "")
    heading = f"{metric} by {OF_WHAT.get(shown[0].cell.task, 'class')}"
    if len(done) > len(shown):
        heading += f", {len(shown)} of {len(done)} bodies"
    made = []
    for start in range(0, len(listed), CLASSES_A_PLOT):
        part = listed[start : start + CLASSES_A_PLOT]
        title = heading
        if len(listed) > CLASSES_A_PLOT:
            title += f", {start + 1} to {start + len(part)} of {len(listed)}"
        made.append(Plot(title, plots.bars(title, part, axis_label)))
    return made


def ablation_plot(table: Table, colour: Mapping[str, int]) -> Plot | None:
    """An ablation's main metric: bodies as groups, variants as bars, with their difference from the base."""
    column = table.columns[[c.key for c in table.columns].index("delta") - 1]
    groups: dict[str, list[Bar]] = {}
    rows: list[tuple[str, str, float, str, Any]] = []
    for row in table.rows:
        value, delta = row.entries[column.key], row.entries.get("delta")
        body, variant = str(row.entries["body"].value), str(row.entries["variant"].value)
        if value.number is None:
            continue
        text = f"{value.number:.{column.digits}f}"
        if delta is not None and delta.number is not None:
            text += f" ({delta.number:+.{column.digits}f})"
        rows.append((body, variant, value.number, text, value.spread))
    bodies = list(dict.fromkeys(body for body, *_ in rows))
    for body, variant, number, text, spread in rows:
        pair = None
        if spread is not None and spread.low is not None:
            pair = (spread.low, spread.high)
        elif spread is not None and spread.sd is not None:
            pair = (number - spread.sd, number + spread.sd)
        label = f"{variant}" if len(bodies) == 1 else f"{body.split('_micro')[0]} {variant}"
        groups.setdefault(label, []).append(Bar(body, number, colour.get(body, 0), pair, text))
    if len(rows) < 2:
        return None
    label = column.title + (f" ({column.unit})" if column.unit else "")
    better = "higher is better" if column.direction == HIGHER else "lower is better"
    return Plot(table.title, plots.bars(table.title, list(groups.items()), f"{label}, {better}"))


def rank_plot(table: Table, colour: Mapping[str, int]) -> Plot | None:
    """Ranks of the bodies over the columns of the cross-task table."""
    columns = [column for column in table.columns if column.direction and column.key != "rank"]
    if len(columns) < 2:
        return None
    points: dict[str, list[tuple[float, float]]] = {}
    for index, column in enumerate(columns):
        numbers = {
            str(row.entries["body"].value): number
            for row in table.rows
            if column.key in row.entries and (number := row.entries[column.key].number) is not None
        }
        for body, rank in ranks(numbers, column.direction == HIGHER).items():
            points.setdefault(body, []).append((float(index), rank))
    if not points:
        return None
    series = [Series(body, tuple(found), colour.get(body, 0)) for body, found in points.items()]
    datasets = [column.key.split("/")[-1] for column in columns]
    names = [
        f"{dataset} {column.key.split('/')[0]}" if datasets.count(dataset) > 1 else dataset
        for column, dataset in zip(columns, datasets, strict=True)
    ]
    return Plot("Who leads where", plots.ranking("ranks", names, series))


def _pairs(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested plain data as (dotted name, text)."""
    if isinstance(value, Mapping):
        return [
            pair for key, inner in value.items() for pair in _pairs(inner, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list):
        if all(not isinstance(item, (Mapping, list)) for item in value):
            return [(prefix, ", ".join(map(str, value)) or "none")]
        return [pair for index, item in enumerate(value) for pair in _pairs(item, f"{prefix}.{index}")]
    if value is None:
        return [(prefix, "none")]
    if isinstance(value, bool):
        return [(prefix, "yes" if value else "no")]
    return [(prefix, f"{value:g}" if isinstance(value, float) else str(value))]


def provenance(stored: StoredCell) -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything that is known of a number's making, as named lists of (name, text)."""
    record, cell = stored.record, stored.record["cell"]
    held = dict(record.get("provenance") or {})
    what = {name: cell.get(name) for name in ("task", "dataset", "split", "model", "representation", "tier", "seed")}
    for name in ("changes", "checkpoint", "data", "boxes_from"):
        if cell.get(name):
            what[name] = cell[name]
    if record.get("trained_on"):
        what["trained on"] = record["trained_on"]
    groups: list[tuple[str, Any]] = [
        ("Cell", what | {"id": stored.id, "key": record.get("key")}),
        ("Protocol", cell["protocol"]),
        ("Recipe", cell.get("recipe")),
        ("Network", {**(record.get("model") or {}), "latency of one picture (ms)": record.get("latency_ms")}),
        ("Seconds", record.get("durations_s")),
        (
            "Code",
            {"started": held.pop("started", None), "ended": held.pop("ended", None), **(held.pop("git", None) or {})},
        ),
        ("Machine", {**(held.pop("hardware", None) or {}), "threads": held.pop("threads", None)}),
        ("Packages", held.pop("packages", None)),
        ("Weights", {**held, **({"report": record["report"]} if record.get("report") else {})}),
    ]
    return [(title, pairs) for title, content in groups if content and (pairs := _pairs(content))]
