"""Two runs side by side: paired bootstrap differences of every shared cell, and the cells that are new or gone.

Resampling images says how sure a difference is for these very weights. Of cells that were trained, another seed would give
other weights: their interval holds that spread too (`spread_over_seeds`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.analysis.expected import Expected, load_expected
from benchmarks.analysis.matching import Family, match, open_run
from benchmarks.store.store import StoredCell
from benchmarks.tables.rows import protocol_text
from benchmarks.tables.table import Column, Entry, Spread, Table
from benchmarks.tables.uncertainty import DRAWS, Difference, Figures, Stats, cell_figures, holm, over_seeds, paired
from hrnet.names import close_names

UNKNOWN = "unknown"
LEAST_DRAWS = 20
Statistics = Sequence[Stats]
"""Per-image statistics of a family, seed by seed."""
ExpectedOf = Callable[[str], Mapping[str, Expected]]
"""Tier -> what the gate holds its cells to."""
IMAGES_ALONE = (
    "Of this cell's training one seed is known: the interval is over images alone, and another seed may differ by as much. Run "
    "both with --seeds 3."
)


@dataclass(frozen=True)
class Pair:
    """A family of either run that stand for one question; `difference` None where they cannot be compared.

    `seeds`: standard deviation that training adds to the difference, and where it is known from.
    """

    a: Family
    b: Family
    difference: Difference | None
    why: str = ""
    seeds: str = ""


@dataclass(frozen=True)
class Comparison:
    """Pairs, the cells that only one run has, those of which several could be meant with the reason, and where both runs lie."""

    pairs: tuple[Pair, ...]
    gone: tuple[Family, ...]
    new: tuple[Family, ...]
    ambiguous: tuple[tuple[Family, str], ...] = ()
    sources: tuple[str, str] = ("A", "B")
    level: float = 0.95

    def num_verdicts(self, kind: str) -> int:
        """Pairs of which B is "better" or "worse"."""
        return sum(
            pair.difference is not None and verdict(pair.a.first, pair.difference) == kind for pair in self.pairs
        )

    def table(self) -> Table:
        """One row per pair, then cells that are gone or new."""
        table = Table(
            "compare",
            "B against A: paired bootstrap over images",
            [
                Column("cell", "cell"),
                Column("metric", "metric"),
                Column("unit", "unit"),
                Column("better", "better"),
                Column("a", "A", digits=2),
                Column("b", "B", digits=2),
                Column("difference", "B − A", digits=2, signed=True),
                Column("p", "p", digits=4),
                Column("corrected", "p (Holm)", digits=4),
                Column("seeds", "sd of training"),
                Column("n", "n"),
                Column("verdict", "verdict"),
            ],
        )
        for pair in self.pairs:
            name = pair.a.name
            if pair.b.name != name:
                name += f" → {pair.b.name}"
            found = pair.difference
            if found is None:
                table.add({"cell": name, "verdict": f"not comparable: {pair.why}"})
                continue
            spread = None
            if math.isfinite(found.low):
                spread = Spread("bootstrap", found.draws, low=found.low, high=found.high, level=found.level)
            figure = pair.a.first.record.figures[found.metric]
            table.add(
                {
                    "cell": name,
                    "metric": found.metric,
                    "unit": figure.unit,
                    "better": str(figure.direction),
                    "a": found.value_a,
                    "b": found.value_b,
                    "difference": Entry(found.value, spread=spread),
                    "p": _probability(found.p),
                    "corrected": _probability(found.corrected),
                    "n": figure.n,
                    "seeds": Entry(pair.seeds, footnotes=(IMAGES_ALONE,) if pair.seeds == UNKNOWN else ()),
                    "verdict": verdict(pair.a.first, found) + (" (on these images)" if pair.seeds == UNKNOWN else ""),
                }
            )
        for status, cells in (("gone", self.gone), ("new", self.new)):
            for family in cells:
                table.add({"cell": family.name, "verdict": Entry(status, status=status)})
        for family, why in self.ambiguous:
            table.add({"cell": family.name, "verdict": why})
        draws = next((pair.difference.draws for pair in self.pairs if pair.difference), DRAWS)
        table.caption = (
            f"A: {self.sources[0]}; B: {self.sources[1]}. Intervals at {self.level:.0%} and two-sided p of Student's "
            f"distribution, with the deviation of {draws} draws of whole images (the same for both runs; expanded for few "
            "images) and, of trained cells, that of training; p is then corrected for the number of cells after Holm."
        )
        return table


def _probability(p: float | None) -> Entry:
    if p is None or math.isnan(p):
        return Entry(text="-")
    return Entry(p, text="<0.0001" if p < 1e-4 else None)


def verdict(stored: StoredCell, found: Difference, level: float = 0.05) -> str:
    """ "better", "worse" or "no difference" of B, at the corrected p; "no verdict" on a single image."""
    p = found.p if found.corrected is None else found.corrected
    if math.isnan(p):
        return "no verdict: one image says nothing of others"
    if p >= level:
        return "no difference"
    return "better" if stored.record.figures[found.metric].direction.gain(found.value) > 0 else "worse"


def spread_over_seeds(
    a: Family, b: Family, metric: str, stats: tuple[Statistics, Statistics], expected: ExpectedOf
) -> tuple[float, str]:
    """Standard deviation of the difference between two such trainings, and where it is from.

    From the seeds of either run where there are several, else from the expected values of the gate. Zero for checkpoints, for
    equal results (nothing was trained anew), and where it is not known.
    """
    if all(family.first.record.cell.recipe is None for family in (a, b)) or same_results(*stats):
        return 0.0, "none"
    own = {}
    for side, family in (("A", a), ("B", b)):
        values = [value for stored in family.done if (value := stored.value(metric)) is not None]
        if len(values) > 1:
            own[side] = over_seeds(values)[1].sd or 0.0
    source = " and ".join(own)
    if own:
        deviations = [own.get(side, max(own.values())) for side in ("A", "B")]
    else:
        known = _expected_deviation(a, metric, expected) or _expected_deviation(b, metric, expected)
        if known is None:
            return 0.0, UNKNOWN
        deviations, source = [known, known], "results/expected"
    counts = [len(family.done) for family in (a, b)]
    total = math.sqrt(sum(deviation**2 / count for deviation, count in zip(deviations, counts)))
    return total, f"{total:.2g} ({source})"


def same_results(a: Statistics, b: Statistics) -> bool:
    """Whether two families hold the very same statistics, seed by seed."""
    return len(a) == len(b) and all(
        held.keys() == given.keys() and all(np.array_equal(held[k], given[k], equal_nan=_number(held[k])) for k in held)
        for held, given in zip(a, b)
    )


def _number(array: Any) -> bool:
    return np.asarray(array).dtype.kind in "fc"


def _expected_deviation(family: Family, metric: str, expected: ExpectedOf) -> float | None:
    for value in expected(family.members[0].record.cell.tier).values():
        if value.name == family.base_name and value.metric == metric:
            return value.sd
    return None


def compare_families(
    a: Family, b: Family, expected: ExpectedOf, metric: str | None = None, draws: int = DRAWS, seed: int = 0
) -> Pair:
    """The paired difference of one metric (the headline by default), of means where there are seeds; or why there is none."""
    for family in (a, b):
        if not family.done:
            return Pair(a, b, None, f"{family.name} failed: {family.first.record.reason or ''}".strip())
    first_a, first_b = a.first, b.first
    cell_a, cell_b = first_a.record.cell, first_b.record.cell
    if (cell_a.task, cell_a.dataset) != (cell_b.task, cell_b.dataset):
        return Pair(a, b, None, "they are of two tasks or datasets")
    if protocol_text(first_a) != protocol_text(first_b):
        return Pair(a, b, None, f"protocols differ: [{protocol_text(first_a)}] and [{protocol_text(first_b)}]")
    chosen = metric or first_a.record.headline or ""
    for side, family in (("A", a), ("B", b)):
        if not all(chosen in stored.record.figures for stored in family.done):
            return Pair(a, b, None, f"{side} has no figure {chosen}")
    try:
        stats_a, stats_b = ([stored.stats() for stored in family.done] for family in (a, b))
        figures_a, images_a = _mean_figures(a, stats_a, chosen)
        figures_b, images_b = _mean_figures(b, stats_b, chosen)
        training_sd, source = spread_over_seeds(a, b, chosen, (stats_a, stats_b), expected)
        found = paired(figures_a, figures_b, images_a, images_b, [chosen], draws, seed, training_sd=training_sd)
    except ValueError as error:
        return Pair(a, b, None, str(error))
    if not found:
        return Pair(a, b, None, f"no figure {chosen} in both")
    difference = found[0]
    for side, value in (("A", difference.value_a), ("B", difference.value_b)):
        if not math.isfinite(value):
            return Pair(a, b, None, f"{chosen} is undefined in {side} (nothing there that it could be taken over)")
    if not difference.draws:
        return Pair(a, b, None, f"{chosen} is undefined in all {draws} draws")
    return Pair(a, b, difference, seeds=source)


def _mean_figures(family: Family, stats: Statistics, metric: str) -> tuple[Figures, NDArray[Any]]:
    """The metric's mean over the seeds as a function of counts, and the images of its rows.

    Raises:
        ValueError: a seed without statistics, or seeds that were evaluated on different images.
    """
    parts = [cell_figures(stored, held, [metric]) for stored, held in zip(family.done, stats, strict=True)]
    return mean_figures(parts, metric, family.base_name)


def mean_figures(parts: Sequence[tuple[Figures, NDArray[Any]]], metric: str, name: str) -> tuple[Figures, NDArray[Any]]:
    """The metric's mean over several results as a function of counts, and the images of their rows.

    Args:
        parts: of each result its figures as a function of counts, and the images of its rows.
        name: of the cell, for the error.

    Raises:
        ValueError: results over different images.
    """
    images = parts[0][1]
    if any(not np.array_equal(images, others) for _, others in parts):
        raise ValueError(f"the seeds of {name} were evaluated on different images; run them again")

    def figures(counts: NDArray[np.int64] | None) -> dict[str, float]:
        values = [found[metric] for one, _ in parts if metric in (found := one(counts))]
        return {metric: float(np.mean(values))} if len(values) == len(parts) else {}

    return figures, images


def compare(path_a: Path, path_b: Path, metric: str | None = None, draws: int = DRAWS, seed: int = 0) -> Comparison:
    """Compares two runs; Holm's correction is over all compared cells.

    Raises:
        ValueError: a folder without results, less than one draw, or a metric that no cell of either run has.
    """
    if draws < LEAST_DRAWS:
        raise ValueError(f"--draws: expected {LEAST_DRAWS} or more bootstrap draws, got {draws}; 1000 are usual")
    run_a, run_b = open_run(path_a), open_run(path_b)
    if metric is not None:
        known = sorted({name for stored in (*run_a, *run_b) for name in stored.record.figures})
        if metric not in known:
            near = close_names(metric, known, 1, 0.4)
            told = f"Did you mean {near[0]!r}? " if near else ""
            whole = ", ".join(name for name in known if "/" not in name)
            raise ValueError(
                f"--metric {metric}: no cell of {path_a} or {path_b} has it. {told}Known: {whole}, and those by class "
                "(METRIC/CLASS)."
            )
    expected = functools.cache(load_expected)  # a file for each tier, read where it is asked for
    pairs: list[Pair] = []
    gone: list[Family] = []
    new: list[Family] = []
    ambiguous: list[tuple[Family, str]] = []
    for found in match(run_a, run_b):
        if found.a is not None and found.b is not None:
            pairs.append(compare_families(found.a, found.b, expected, metric, draws, seed))
        elif found.why:
            side, family = ("A", found.a) if found.a is not None else ("B", found.b)
            assert family is not None
            ambiguous.append((family, f"{side}: {found.why}"))
        elif found.a is not None:
            gone.append(found.a)
        elif found.b is not None:
            new.append(found.b)
    judged = [pair.difference.p for pair in pairs if pair.difference and not math.isnan(pair.difference.p)]
    corrected = holm(judged)
    done: list[Pair] = []
    for pair in pairs:
        if pair.difference is not None and not math.isnan(pair.difference.p):
            pair = replace(pair, difference=replace(pair.difference, corrected=corrected.pop(0)))
        done.append(pair)
    return Comparison(
        tuple(done), tuple(gone), tuple(new), tuple(ambiguous), (_source(path_a, run_a), _source(path_b, run_b))
    )


def _source(path: Path, run: Sequence[StoredCell]) -> str:
    """A run's path, and the commits of the code that made it."""
    states = [stored.record.provenance.git for stored in run]
    commits = {state.commit[:10] + ("+" if state.dirty else "") for state in states if state.commit}
    return f"{path} (commit {', '.join(sorted(commits)) or 'unknown'})"
