"""The gate: every cell's headline figure against an expected value with a tolerance, in both directions.

`results/expected/<suite>.json` holds value, tolerance (and what it was taken from), direction, unit and n per cell.
A figure beyond the tolerance is "worse" or "suspiciously better", one over another number of samples "other n"; a cell
of the suite that is not there, failed, or has no number is "missing", held or not; a result without an expected value is
"new" and does not fail the gate, unless no value is held at all.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.analysis.expected import (
    ROOT,
    Expected,
    changes_since,
    expected_path,
    gate_name,
    headline,
    load_expected,
    number_of,
    propose,
    save_expected,
)
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.recount import told
from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.table import Column, Entry, Table
from tasks.direction import Direction
from tasks.files.writing import write_text
from tasks.predictor.printable import printable


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell's verdict: "ok", "worse", "suspiciously better", "other n", "missing" or "new"."""

    name: str
    status: str
    metric: str
    unit: str
    expected: float | None
    tolerance: float | None
    got: float | None
    reason: str
    better: Direction | None = None
    n: int | None = None

    @property
    def fails(self) -> bool:
        """True if this verdict closes the gate."""
        return self.status in ("worse", "suspiciously better", "other n", "missing")


@dataclass(frozen=True)
class Gate:
    """All verdicts of a suite; `num_held` expected values there are of it."""

    suite: str
    outcomes: tuple[Outcome, ...]
    num_held: int = 0

    @property
    def exit_status(self) -> int:
        """0 if the gate is open, 1 otherwise: a suite without any expected value guards nothing."""
        return int(not self.num_held or any(outcome.fails for outcome in self.outcomes))

    def table(self, all_of_them: bool = True) -> Table:
        """Verdicts as a table, failures first; without `all_of_them` only those that are not ok."""
        table = Table(
            f"check_{self.suite}",
            f"Gate of suite {self.suite}: {self.summary()}",
            [
                Column("cell", "cell"),
                Column("metric", "metric"),
                Column("better", "better"),
                Column("expected", "expected", digits=3),
                Column("tolerance", "tolerance", digits=3),
                Column("got", "got", digits=3),
                Column("difference", "difference", digits=3, signed=True),
                Column("n", "n"),
                Column("status", "status"),
                Column("reason", "reason"),
            ],
        )
        shown = [outcome for outcome in self.outcomes if all_of_them or outcome.status != "ok"]
        for outcome in sorted(shown, key=lambda item: not item.fails):
            difference = None
            if outcome.got is not None and outcome.expected is not None:
                difference = outcome.got - outcome.expected
            table.add(
                {
                    "cell": outcome.name,
                    "metric": f"{outcome.metric} ({outcome.unit})" if outcome.unit else outcome.metric,
                    "better": str(outcome.better) if outcome.better else None,
                    "expected": outcome.expected,
                    "tolerance": outcome.tolerance,
                    "got": outcome.got,
                    "difference": difference,
                    "n": outcome.n,
                    "status": Entry(outcome.status, status=outcome.status),
                    "reason": outcome.reason,
                }
            )
        return table

    def summary(self) -> str:
        """ "12 ok, 1 worse", in a fixed order."""
        order = ("ok", "worse", "suspiciously better", "other n", "missing", "new")
        counts = {status: sum(outcome.status == status for outcome in self.outcomes) for status in order}
        told = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "no cells"
        return told if self.num_held else f"{told}; no expected value at all: take them over with check --update"

    def markdown(self) -> str:
        """Summary for a continuous-integration page."""
        return self.table().render("md")

    def junit(self) -> str:
        """JUnit xml: one test case per cell; failures carry expected, got and tolerance."""
        failures = sum(outcome.fails for outcome in self.outcomes)
        new = sum(outcome.status == "new" for outcome in self.outcomes)
        root = ElementTree.Element(
            "testsuite",
            name=f"hrnet-benchmark.{self.suite}",
            tests=str(len(self.outcomes)),
            failures=str(failures),
            errors="0",
            skipped=str(new),
        )
        for outcome in self.outcomes:
            case = ElementTree.SubElement(root, "testcase", classname=self.suite, name=printable(outcome.name))
            if outcome.fails:
                ElementTree.SubElement(case, "failure", type=outcome.status, message=printable(outcome.reason))
            elif outcome.status == "new":
                ElementTree.SubElement(case, "skipped", message=printable(outcome.reason))
            else:
                ElementTree.SubElement(case, "system-out").text = outcome.reason
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def judge(expected: Expected | None, cell: Cell, stored: StoredCell | None) -> Outcome:
    """The verdict on one cell of the suite, held or not."""
    name = gate_name(cell)
    if expected is None:
        if stored is not None and (edited := told(stored)):
            metric, unit, better = _headline_of(cell)
            return Outcome(name, "missing", metric, unit, None, None, None, edited, better)
        figure = headline(stored) if stored is not None and stored.done else None
        if figure is None:
            metric, unit, better = _headline_of(cell)
            why = f"{_absence(stored, metric)} (nor has it an expected value yet)"
            return Outcome(name, "missing", metric, unit, None, None, None, why, better)
        metric, value, unit, better, n = figure
        text = "no expected value yet; take it over with check --update"
        return Outcome(name, "new", metric, unit, None, None, value, text, better, n)
    edited = told(stored) if stored is not None else ""
    if edited:
        return _missing(expected, name, edited)
    got = number_of(stored, expected.metric) if stored is not None and stored.done else None
    if stored is None or got is None:
        return _missing(expected, name, _absence(stored, expected.metric))
    n = stored.record.figures[expected.metric].n
    difference = got - expected.value
    gain = expected.direction.gain(difference)
    # A hair of slack, so that a value written with ten digits is not beyond a tolerance of zero.
    if expected.n is not None and n is not None and n != expected.n:
        status = "other n"
    elif abs(difference) <= expected.tolerance + 1e-9 * max(1.0, abs(expected.value)):
        status = "ok"
    else:
        status = "suspiciously better" if gain > 0 else "worse"
    unit = f" {expected.unit}" if expected.unit else ""
    reason = (
        f"{expected.metric}: expected {expected.value:.4g}{unit} ± {expected.tolerance:.3g}, got {got:.4g}{unit} "
        f"({difference:+.3g}; {expected.direction.sentence}; tolerance: {expected.basis})"
    )
    if status == "other n":
        reason += f"; of n={n} where n={expected.n} is expected: other data, or a filter that changed"
    if status != "ok" and (changes := changes_since(expected, stored)):
        reason += f"; {changes}"
    fixed = (expected.metric, expected.unit, expected.value, expected.tolerance)
    return Outcome(name, status, *fixed, got, reason, expected.direction, n)


def _missing(expected: Expected, name: str, why: str) -> Outcome:
    fixed = (expected.metric, expected.unit, expected.value, expected.tolerance)
    return Outcome(name, "missing", *fixed, None, why, expected.direction)


def _absence(stored: StoredCell | None, metric: str) -> str:
    """Why a cell has no number of this metric."""
    if stored is None:
        return "not in the store; run it again"
    if not stored.done:
        lines = str(stored.record.reason or "").strip().splitlines()
        return "failed: " + (lines or ["no reason stored"])[-1]
    if metric not in stored.record.figures:
        return f"the result has no figure {metric or 'that heads it'}"
    return f"{metric} is undefined in the result (stored as {stored.value(metric)}); look at its folder, run it again"


def _headline_of(cell: Cell) -> tuple[str, str, Direction | None]:
    """Metric, unit and direction that a cell is headed by, from its task."""
    from tasks import get_task

    task = get_task(cell.task)
    metric = task.headline(cell.dataset)
    info = task.metrics.get(metric)
    return (metric, "", None) if info is None else (metric, info.unit, info.direction)


def check(suite: Suite, store: Store, root: Path = ROOT, only: Iterable[str] | None = None) -> Gate:
    """Verdicts on every cell of the suite, and on expected cells that the suite no longer has."""
    expected = load_expected(suite.name, root)
    chosen = None if only is None else set(only)
    outcomes: list[Outcome] = []
    names = {gate_name(cell): cell.id for cell in suite.cells}
    for cell in suite.cells:
        if chosen is not None and cell.id not in chosen:
            continue
        outcomes.append(judge(expected.get(cell.id), cell, store.load(cell.task, cell.id)))
    known = {cell.id for cell in suite.cells}
    for identity, value in expected.items():
        if identity in known or chosen is not None:
            continue
        why = "its recipe or protocol changed" if value.name in names else "the suite no longer has it"
        outcomes.append(_missing(value, value.name, f"{why}; see the difference, then check --update"))
    return Gate(suite.name, tuple(outcomes), len(expected))


def update(suite: Suite, store: Store, root: Path = ROOT, only: Iterable[str] | None = None) -> Table:
    """Rewrites the expected values from the store and returns what changed.

    A tolerance that was taken from seeds is kept when the store holds no seeds now; cells that the suite no longer has
    are dropped; expected cells without a result now are kept.
    """
    old = load_expected(suite.name, root)
    known = {cell.id for cell in suite.cells}
    kept = {identity: value for identity, value in old.items() if identity in known or only is not None}
    new = dict(kept)
    for identity, value in propose(suite, store, only).items():
        before = old.get(identity)
        by_seeds = [item is not None and " sd over " in item.basis for item in (before, value)]
        if before is not None and by_seeds == [True, False] and before.metric == value.metric:
            value = Expected(**{**asdict(value), "tolerance": before.tolerance, "basis": before.basis, "sd": before.sd})
        new[identity] = value
    save_expected(suite.name, new, root)
    table = Table(
        f"expected_{suite.name}",
        f"Changes of {expected_path(suite.name, root).name}",
        [
            Column("cell", "cell"),
            Column("metric", "metric"),
            Column("before", "before", digits=3),
            Column("after", "after", digits=3),
            Column("tolerance_before", "tolerance before", digits=3),
            Column("tolerance", "tolerance", digits=3),
            Column("change", "change"),
        ],
    )
    for identity in dict.fromkeys([*old, *new]):
        before, after = old.get(identity), new.get(identity)
        if before == after:
            continue
        either = after or before
        assert either is not None
        table.add(
            {
                "cell": either.name,
                "metric": either.metric,
                "before": before.value if before else None,
                "after": after.value if after else None,
                "tolerance_before": before.tolerance if before else None,
                "tolerance": after.tolerance if after else None,
                "change": "new" if before is None else "dropped" if after is None else "changed",
            }
        )
    table.caption = f"{len(new)} cells are held; {len(table.rows)} changed."
    return table


def write_reports(gate: Gate, summary: Path | None = None, junit: Path | None = None) -> None:
    """Writes the JUnit file and appends the markdown summary (also to `GITHUB_STEP_SUMMARY` where that is set)."""
    if junit is not None:
        write_text(junit, gate.junit())
    targets = [summary] if summary is not None else []
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        targets.append(Path(os.environ["GITHUB_STEP_SUMMARY"]))
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as handle:
            handle.write(gate.markdown())
