"""Two runs side by side: paired bootstrap differences of every shared cell, and the cells that are new or gone.

Torch-free. A run is a folder of results (what `--out` named, its `runs/`, or one cell's own folder).
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.filling import direction, protocol_text
from benchmarks.store import Store, StoredCell
from benchmarks.tables import Column, Entry, Spread, Table
from benchmarks.uncertainty import DRAWS, Difference, cell_figures, holm, paired


@dataclass(frozen=True)
class Pair:
    """A cell of either run that stand for one question; `difference` None where they cannot be compared."""

    a: StoredCell
    b: StoredCell
    difference: Difference | None
    why: str = ""


@dataclass(frozen=True)
class Comparison:
    """Pairs, and the cells that only one run has."""

    pairs: tuple[Pair, ...]
    gone: tuple[StoredCell, ...]
    new: tuple[StoredCell, ...]
    level: float = 0.95

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
                Column("n", "n"),
                Column("verdict", "verdict"),
            ],
        )
        for pair in self.pairs:
            name = cell_name(pair.a)
            if cell_name(pair.b) != name:
                name += f" → {cell_name(pair.b)}"
            found = pair.difference
            if found is None:
                table.add({"cell": name, "verdict": f"not comparable: {pair.why}"})
                continue
            spread = Spread("bootstrap", found.draws, low=found.low, high=found.high, level=found.level)
            table.add(
                {
                    "cell": name,
                    "metric": found.metric,
                    "unit": figure_of(pair.a, found.metric)["unit"],
                    "better": direction(figure_of(pair.a, found.metric)),
                    "a": found.value_a,
                    "b": found.value_b,
                    "difference": Entry(found.value, spread=spread),
                    "p": found.p,
                    "corrected": found.corrected,
                    "n": figure_of(pair.a, found.metric).get("n"),
                    "verdict": verdict(pair.a, found),
                }
            )
        for status, cells in (("gone", self.gone), ("new", self.new)):
            for stored in cells:
                table.add({"cell": cell_name(stored), "verdict": Entry(status, status=status)})
        draws = next((pair.difference.draws for pair in self.pairs if pair.difference), DRAWS)
        table.caption = (
            f"Intervals at {self.level:.0%} from {draws} draws of whole images, the same draws for both runs; "
            "p is two-sided, then corrected for the number of cells after Holm."
        )
        return table


def verdict(stored: StoredCell, found: Difference, level: float = 0.05) -> str:
    """ "better", "worse" or "no difference" of B, at the corrected p."""
    p = found.p if found.corrected is None else found.corrected
    if p >= level:
        return "no difference"
    higher = figure_of(stored, found.metric)["higher_is_better"]
    return "better" if (found.value > 0) == higher else "worse"


def figure_of(stored: StoredCell, metric: str) -> dict[str, Any]:
    """The stored figure {value, unit, higher_is_better, n}; empty if there is none."""
    return dict(stored.record.get("figures", {}).get(metric) or {})


def cell_name(stored: StoredCell) -> str:
    """Tier and name of a stored cell."""
    return f"{stored.record['cell']['tier']}: {stored.record['name']}"


def open_run(path: Path) -> list[StoredCell]:
    """The cells of a run given by its folder, or the one cell whose own folder (or cell.json) it is.

    Raises:
        ValueError: no result lies there.
    """
    if path.is_file() and path.name == "cell.json":
        path = path.parent
    if (path / "cell.json").is_file():
        folder = path.resolve()
        stored = Store(folder.parent.parent).load(folder.parent.name, folder.name)
        assert stored is not None
        return [stored]
    for root in (path, path / "runs", path / "results" / "runs"):
        if root.is_dir():
            cells = list(Store(root).all())
            if cells:
                return cells
    raise ValueError(
        f"{path}: expected a folder of results (TASK/ID/cell.json below it or below its runs/) or one cell's folder, "
        "found no cell.json; give what --out named"
    )


def _question(stored: StoredCell) -> str:
    """What two cells must share to be compared: all but seed, recipe, checkpoint and code."""
    cell = stored.record["cell"]
    names = ("task", "dataset", "split", "model", "representation", "tier", "data")
    return json.dumps([*(cell.get(name) for name in names), stored.record.get("label", "")])


def match(
    run_a: Sequence[StoredCell], run_b: Sequence[StoredCell]
) -> list[tuple[StoredCell | None, StoredCell | None]]:
    """Cells of two runs that answer the same question: equal ids first, then the same question in order of seeds.

    Two runs of one cell each are always paired.
    """
    if len(run_a) == len(run_b) == 1:
        return [(run_a[0], run_b[0])]
    pairs: list[tuple[StoredCell | None, StoredCell | None]] = []
    ids_b = {stored.id: stored for stored in run_b}
    same = {stored.id for stored in run_a} & set(ids_b)
    pairs += [(stored, ids_b[stored.id]) for stored in run_a if stored.id in same]
    rest_b: dict[str, list[StoredCell]] = {}
    for stored in run_b:
        if stored.id not in same:
            rest_b.setdefault(_question(stored), []).append(stored)
    for queue in rest_b.values():
        queue.sort(key=lambda stored: stored.record["cell"]["seed"])
    for stored in sorted((s for s in run_a if s.id not in same), key=lambda s: s.record["cell"]["seed"]):
        queue = rest_b.get(_question(stored), [])
        pairs.append((stored, queue.pop(0) if queue else None))
    pairs += [(None, stored) for queue in rest_b.values() for stored in queue]
    return pairs


def compare_cells(a: StoredCell, b: StoredCell, metric: str | None = None, draws: int = DRAWS, seed: int = 0) -> Pair:
    """The paired difference of one metric (the headline by default), or why there is none."""
    for stored in (a, b):
        if not stored.done:
            return Pair(a, b, None, f"{cell_name(stored)} failed: {stored.record.get('reason', '')}".strip())
    if (
        a.record["cell"]["dataset"] != b.record["cell"]["dataset"]
        or a.record["cell"]["task"] != b.record["cell"]["task"]
    ):
        return Pair(a, b, None, "they are of two tasks or datasets")
    if protocol_text(a) != protocol_text(b):
        return Pair(a, b, None, f"protocols differ: [{protocol_text(a)}] and [{protocol_text(b)}]")
    chosen = metric or a.record["headline"]
    for side, stored in (("A", a), ("B", b)):
        if not figure_of(stored, chosen):
            return Pair(a, b, None, f"{side} has no figure {chosen}")
    try:
        figures_a, images_a = cell_figures(a, wanted=[chosen])
        figures_b, images_b = cell_figures(b, wanted=[chosen])
        found = paired(figures_a, figures_b, images_a, images_b, [chosen], draws, seed)
    except ValueError as error:
        return Pair(a, b, None, str(error))
    if not found:
        return Pair(a, b, None, f"no figure {chosen} in both")
    difference = found[0]
    for side, value in (("A", difference.value_a), ("B", difference.value_b)):
        if not math.isfinite(value):
            return Pair(a, b, None, f"{chosen} is undefined in {side} (nothing there that it could be taken over)")
    if not math.isfinite(difference.low):
        return Pair(a, b, None, f"{chosen} is undefined in all {draws} draws")
    return Pair(a, b, difference)


def compare(path_a: Path, path_b: Path, metric: str | None = None, draws: int = DRAWS, seed: int = 0) -> Comparison:
    """Compares two runs; Holm's correction is over all compared cells.

    Raises:
        ValueError: a folder without results, less than one draw, or a metric that no cell of either run has.
    """
    if draws < 1:
        raise ValueError(f"--draws: expected 1 or more bootstrap draws, got {draws}; 1000 are usual")
    run_a, run_b = open_run(path_a), open_run(path_b)
    if metric is not None:
        known = sorted({name for stored in (*run_a, *run_b) for name in stored.record.get("figures", {})})
        if metric not in known:
            near = difflib.get_close_matches(metric, known, 1, 0.4)
            told = f"Did you mean {near[0]!r}? " if near else ""
            whole = ", ".join(name for name in known if "/" not in name)
            raise ValueError(
                f"--metric {metric}: no cell of {path_a} or {path_b} has it. {told}Known: {whole}, and those by class "
                "(METRIC/CLASS)."
            )
    pairs: list[Pair] = []
    gone: list[StoredCell] = []
    new: list[StoredCell] = []
    for a, b in match(run_a, run_b):
        if a is None or b is None:
            (gone if b is None else new).append(a or b)  # type: ignore[arg-type]
            continue
        pairs.append(compare_cells(a, b, metric, draws, seed))
    corrected = holm([pair.difference.p for pair in pairs if pair.difference])
    done: list[Pair] = []
    for pair in pairs:
        if pair.difference is not None:
            pair = replace(pair, difference=replace(pair.difference, corrected=corrected.pop(0)))
        done.append(pair)
    return Comparison(tuple(done), tuple(gone), tuple(new))
