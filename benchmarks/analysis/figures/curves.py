"""Charts of measured rows: costs, training and evaluation curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.analysis.figures.axes import Axis, axis, epochs, nice_ticks, shares
from benchmarks.analysis.figures.charts import Lines, Points, Series, pareto
from benchmarks.analysis.figures.looks import Looks
from benchmarks.tables.rows import Measured, entry

MAX_CURVE_POINTS = 160
TRAINING_NAMES = {
    ("pose", "accuracy"): "share of joints near the truth",
    ("segmentation", "accuracy"): "share of pixels right",
    ("detection", "accuracy"): "regions with the right class (%)",
    ("classification", "accuracy"): "share of pictures right",
    ("landmarks", "error_cells"): "distance of the peaks (cells)",
}
"""What a training step's quick figures are, by task and key."""


def cost_charts(rows: Sequence[Measured], metric: str, colour: Mapping[str, int]) -> list[Points]:
    """The headline metric over multiply-adds, and over latency where it was measured with nothing else running."""
    made: list[Points] = []
    measured = [(row, entry(row, metric)) for row in rows]
    costs: tuple[tuple[str, str, Callable[[Measured], float | None]], ...] = (
        ("over multiply-adds", "multiply-adds (G)", _multiply_adds),
        ("over latency", "latency of one picture (ms)", _latency),
    )
    for title, x_label, cost in costs:
        series = tuple(
            Series(row.cell.model, ((x, shown.number),), colour[row.cell.model], (shown.bounds,))
            for row, shown in measured
            if shown.number is not None and (x := cost(row)) is not None
        )
        figure = next((found for row in rows if (found := row.figure(metric))), None)
        if len(series) > 1 and figure is not None:
            better = figure.direction.sentence
            label = metric + (f" ({figure.unit})" if figure.unit else "")
            note = f"{better.capitalize()}."
            if any(item.intervals[0] for item in series):
                note += " Whiskers: 95 % intervals, or sd over seeds."
            if pareto([item.points[0] for item in series], figure.higher_is_better)[1:]:
                note += " Dashed: not beaten in both."
            made.append(Points(f"{metric} {title}", note, series, x_label, label, figure.higher_is_better))
    return made


def _multiply_adds(row: Measured) -> float | None:
    """In 10^9."""
    return row.cost.macs / 1e9 if row.cost else None


def _latency(row: Measured) -> float | None:
    """In milliseconds; None where other cells ran beside it."""
    return next((found for stored in row.done if (found := stored.record.quiet_latency_ms)), None)


def training_charts(rows: Sequence[Measured], look: Looks) -> list[Lines]:
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
                    name, number = look[row.cell.id]
                    keys.setdefault(key, []).append(Series(name, points, number))
    task = rows[0].cell.task if rows else ""
    ordered = sorted(keys, key=lambda key: key != "loss")
    return [_training(task, key, keys[key], f"Mean of each epoch.{first_seed(rows)}") for key in ordered[:2]]


def first_seed(rows: Sequence[Measured]) -> str:
    """What a chart of one seed says where the table holds the mean of several."""
    return " Of the first seed." if any(len(row.done) > 1 for row in rows) else ""


def _training(task: str, key: str, series: Sequence[Series], note: str) -> Lines:
    name = TRAINING_NAMES.get((task, key), key.replace("_", " "))
    xs = [x for item in series for x, _ in item.points]
    ys = [y for item in series for _, y in item.points]
    if key == "loss":
        log = min(ys) > 0 and max(ys) / min(ys) > 8
        y_axis = axis("training loss", ys, log)
    else:
        y_axis = axis(name, ys, zero=True)
    return Lines(f"Training: {name}", note, tuple(series), epochs(xs), y_axis)


def evaluation_charts(rows: Sequence[Measured], look: Looks) -> list[Lines]:
    """Curves that the evaluation kept: cumulative errors, precision over recall."""
    curves: dict[str, list[Series]] = {}
    for row in rows:
        for stored in row.done[:1]:
            for name, points in stored.record.curves.evaluation.items():
                step = max(1, len(points) // MAX_CURVE_POINTS)
                kept = points[::step] if (len(points) - 1) % step == 0 else [*points[::step], points[-1]]
                thinned = tuple((float(x), float(y)) for x, y in kept if x is not None and y is not None)
                if thinned:
                    curves.setdefault(name, []).append(Series(look[row.cell.id][0], thinned, look[row.cell.id][1]))
    note = first_seed(rows).strip()
    return [_evaluation(name, tuple(series), note) for name, series in curves.items()]


def _evaluation(name: str, series: tuple[Series, ...], note: str) -> Lines:
    title, x_label, y_label = curve_labels(name)
    xs = [x for item in series for x, _ in item.points]
    ys = [y for item in series for _, y in item.points]
    low, high = min(xs), max(xs)
    high = high if high > low else low + 1
    if x_label == "recall":
        low, high = 0.0, 1.0
    x_axis = Axis(x_label, low, high, ticks=nice_ticks(low, high))
    share = min(ys) >= 0 and max(ys) <= (100 if "%" in y_label else 1)
    y_axis = shares(y_label, "%" in y_label) if share else axis(y_label, ys, zero=True)
    return Lines(title, note, series, x_axis, y_axis)


def curve_labels(name: str) -> tuple[str, str, str]:
    """Heading and axis labels of a kept curve: a name "y over x" says both; otherwise known words do."""
    text = name.replace("_", " ")
    title = text[:1].upper() + text[1:]
    if " over " in text:
        y, x = text.split(" over ", 1)
        return title, x.split(",")[0].split(" at ")[0], y
    if "faces" in text:
        return title, "NME (%)", "faces at or below (%)"
    if "joints within" in text:
        return title, "distance (head sizes)", "joints within (%)"
    if "cumulative" in text:
        return title, "error", "share within the error"
    return title, "threshold", text
