"""Plots of measured rows: costs, training and evaluation curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.report.looks import Looks
from benchmarks.report.plot import Plot
from benchmarks.report.svg.lines import lines
from benchmarks.report.svg.marks import Series
from benchmarks.report.svg.scatter import scatter
from benchmarks.tables.rows import Measured, entry

MAX_CURVE_POINTS = 160


def cost_plots(rows: Sequence[Measured], metric: str, colour: Mapping[str, int]) -> list[Plot]:
    """The headline metric over multiply-adds, and over latency."""
    made: list[Plot] = []
    measured = [(row, entry(row, metric).number) for row in rows]
    for title, x_label, cost in (
        ("over multiply-adds", "multiply-adds (G)", _multiply_adds),
        ("over latency", "latency of one picture (ms)", _latency),
    ):
        series = [
            Series(row.cell.model, ((x, y),), colour[row.cell.model], (entry(row, metric).bounds,))
            for row, y in measured
            if y is not None and (x := cost(row)) is not None
        ]
        figure = next((found for row in rows if (found := row.figure(metric))), None)
        if len(series) > 1 and figure is not None:
            unit = f" ({figure.unit})" if figure.unit else ""
            name = f"{metric} {title}"
            made.append(Plot(name, scatter(name, series, x_label, metric + unit, figure.higher_is_better)))
    return made


def _multiply_adds(row: Measured) -> float | None:
    """In 10^9."""
    return row.cost.macs / 1e9 if row.cost else None


def _latency(row: Measured) -> float | None:
    return next((stored.record.latency_ms for stored in row.done if stored.record.latency_ms), None)


def training_plots(rows: Sequence[Measured], look: Looks) -> list[Plot]:
    """The loss over epochs, and whatever else training showed (an accuracy)."""
    keys: dict[str, list[Series]] = {}
    for row in rows:
        for stored in row.done[:1]:
            steps = stored.record.curves.training
            for key in dict.fromkeys(key for step in steps for key in step):
                if key in ("epoch", "lr", "iteration", "time", "seconds") or key.startswith(("loss_", "time")):
                    continue
                points = tuple(
                    (float(index if (epoch := step.get("epoch")) is None else epoch), float(value))
                    for index, step in enumerate(steps)
                    if (value := step.get(key)) is not None
                )
                if points:
                    name, colour = look[row.cell.id]
                    keys.setdefault(key, []).append(Series(name, points, colour))
    ordered = sorted(keys, key=lambda key: key != "loss")
    return [
        Plot(f"Training: {key}", lines(f"training {key}", keys[key], "epoch", key, log_y=key == "loss"))
        for key in ordered[:2]
    ]


def evaluation_plots(rows: Sequence[Measured], look: Looks) -> list[Plot]:
    """Curves that the evaluation kept: cumulative errors, precision over recall."""
    curves: dict[str, list[Series]] = {}
    for row in rows:
        for stored in row.done[:1]:
            for name, points in stored.record.curves.evaluation.items():
                step = max(1, len(points) // MAX_CURVE_POINTS)
                thinned = tuple((float(x), float(y)) for x, y in points[::step] if x is not None and y is not None)
                if thinned:
                    curves.setdefault(name, []).append(Series(look[row.cell.id][0], thinned, look[row.cell.id][1]))
    made = []
    for name, series in curves.items():
        title, x_label, y_label = curve_labels(name)
        made.append(Plot(title, lines(title, series, x_label, y_label)))
    return made


def curve_labels(name: str) -> tuple[str, str, str]:
    """Heading and axis labels of a kept curve: a name "y over x" says both; otherwise known words do."""
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
