"""What the gate holds cells to: `results/expected/<suite>.json`, and how a tolerance is made."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.cell import family_of as cell_family
from benchmarks.experiment.installation import expected_folder
from benchmarks.experiment.suite import Suite
from benchmarks.store.record import Identity
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.uncertainty import cell_spread, over_seeds
from tasks.direction import Direction
from tasks.files.writing import write_text

ROOT = expected_folder()
SCHEMA = 1
SEED_FACTOR = 3.0
"""Tolerance in standard deviations over seeds."""
FLOOR = 0.01
"""Least tolerance, as a share of the value: what rounding and other processors move."""
DEFAULT = 0.10
"""Tolerance as a share of the value where no spread is known."""
SMOKE = 1.0
"""The same at the smoke tier, whose figures mean nothing: that they appear is what is held."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What one cell is held to; `basis` says where the tolerance comes from, `sd` is the deviation over seeds that it takes.

    `origin` says what made the value: commit, cpu, torch, threads, and the parts of the key by name.
    """

    id: str
    name: str
    tier: str
    metric: str
    value: float
    tolerance: float
    direction: Direction
    unit: str
    n: int | None
    basis: str
    sd: float | None = None
    origin: Mapping[str, Any] | None = None


def expected_path(suite: str, root: Path = ROOT) -> Path:
    """Where the expected values of a suite are."""
    return root / f"{suite}.json"


def load_expected(suite: str, root: Path = ROOT) -> dict[str, Expected]:
    """Expected values by cell id; empty if the suite has none yet. `ValueError` names file and cell on a bad entry."""
    path = expected_path(suite, root)
    if not path.exists():
        return {}
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, got {error}; restore it, or make it with check --update") from None
    if not isinstance(held, dict) or not isinstance(held.get("cells"), dict):
        raise ValueError(
            f'{path}: expected an object {{"schema": {SCHEMA}, "cells": {{ID: ...}}}}, got {_found(held)}; restore it, or '
            "delete it and make it with check --update"
        )
    if held.get("schema") != SCHEMA:
        raise ValueError(f"{path}: expected schema {SCHEMA}, got {held.get('schema')}; make it with check --update")
    return {identity: _checked(path, identity, record) for identity, record in held["cells"].items()}


def _found(held: Any) -> str:
    """What a file holds, in a few words."""
    if not isinstance(held, dict):
        return type(held).__name__
    return f"cells of type {type(held['cells']).__name__}" if "cells" in held else f"the fields {sorted(held)}"


def _checked(path: Path, identity: str, record: Any) -> Expected:
    """One entry of the file, every field of the right kind; `ValueError` names file, cell and field."""
    names = {field.name for field in fields(Expected)} - {"id"}
    if not isinstance(record, dict) or not names - {"sd", "origin"} <= set(record) <= names:
        found = sorted(record) if isinstance(record, dict) else repr(record)
        raise ValueError(f"{path}: cell {identity}: expected the fields {sorted(names)}, got {found}; correct it")
    record = {"sd": None, "origin": None, **record}
    rules: dict[str, tuple[str, Callable[[Any], bool]]] = {
        **dict.fromkeys(
            ("name", "tier", "metric", "basis"), ("a text", lambda held: isinstance(held, str) and held != "")
        ),
        "unit": ("a text", lambda held: isinstance(held, str)),
        "value": ("a finite number", _finite),
        "tolerance": ("a finite number >= 0", lambda held: _finite(held) and held >= 0),
        "direction": ("'higher' or 'lower'", lambda held: held in list(Direction)),
        "sd": ("a finite number >= 0 or null", lambda held: held is None or (_finite(held) and held >= 0)),
        "origin": ("an object or null", lambda held: held is None or isinstance(held, dict)),
        "n": ("a count or null", lambda held: held is None or (type(held) is int and held >= 0)),
    }
    for name, (wanted, right) in rules.items():
        if not right(record[name]):
            raise ValueError(
                f"{path}: cell {identity}: expected {name} to be {wanted}, got {record[name]!r}; correct it, or delete the "
                "entry and take it over with check --update"
            )
    return Expected(identity, **{**record, "direction": Direction(record["direction"])})


def _finite(held: Any) -> bool:
    return isinstance(held, (int, float)) and not isinstance(held, bool) and math.isfinite(held)


def save_expected(suite: str, values: Mapping[str, Expected], root: Path = ROOT) -> Path:
    """Writes the expected values, sorted by name, whole or not at all."""
    path = expected_path(suite, root)
    cells = {}
    for value in sorted(values.values(), key=lambda item: (item.name, item.id)):
        record = asdict(value)
        cells[record.pop("id")] = record
    write_text(path, json.dumps({"schema": SCHEMA, "cells": cells}, indent=1) + "\n")
    return path


def headline(stored: StoredCell) -> tuple[str, float, str, Direction, int | None] | None:
    """Metric, value, unit, direction and n of a cell's headline figure; None where the result has no number there."""
    metric = stored.record.headline or ""
    value = number_of(stored, metric)
    if value is None:
        return None
    figure = stored.record.figures[metric]
    return metric, value, figure.unit, figure.direction, figure.n


def number_of(stored: StoredCell, metric: str) -> float | None:
    """A stored figure as a number; None where it is missing, null (undefined in this evaluation) or not finite."""
    value = stored.value(metric)
    return float(value) if value is not None and _finite(value) else None


def gate_name(cell: Cell) -> str:
    return f"{cell.tier}: {cell.name}"


def tolerance_of(
    cell: Cell, siblings: list[StoredCell], stored: StoredCell, value: float, usual: float = 0.0
) -> tuple[float, str, float | None]:
    """Tolerance, its basis (spread over seeds, else the kept bootstrap interval, else a share of the value), and the deviation.

    Args:
        siblings: results of the cell under every seed. usual: the task's usual deviation over seeds, as a share of the value:
            a deviation of three seeds may be small by chance.
    """
    metric = stored.record.headline or ""
    values = _values(siblings, metric)
    floor = FLOOR * abs(value)
    if cell.recipe is None:
        return max(floor, 0.0), "a checkpoint's figure is exact but for the arithmetic of the machine", None
    if cell.tier == "smoke":
        return SMOKE * max(abs(value), 5.0), "smoke tier: that the figure appears is what is held", None
    if len(values) > 1:
        sd = over_seeds(values)[1].sd or 0.0
        basis = f"{SEED_FACTOR:g} sd over {len(values)} seeds (sd {sd:.4g})"
        if usual * abs(value) > sd:
            sd = usual * abs(value)
            basis += f", of at least the median of this task's cells ({usual:.1%} of the value)"
        return max(SEED_FACTOR * sd, floor), basis, sd
    try:
        kept = cell_spread(stored, [metric], compute=False).get(metric)
    except ValueError:
        return (
            max(DEFAULT * abs(value), floor),
            f"{DEFAULT:.0%} of the value: the interval is spoilt or was edited",
            None,
        )
    if kept is not None and kept.low is not None and kept.high is not None:
        basis = f"half the bootstrap interval over images ({kept.n} draws)"
        return max((kept.high - kept.low) / 2, floor), basis, None
    return max(DEFAULT * abs(value), floor), f"{DEFAULT:.0%} of the value: no spread over seeds is known", None


def propose(suite: Suite, store: Store, only: Iterable[str] | None = None) -> dict[str, Expected]:
    """Expected values as the store has them now, with tolerances from the seeds that it holds.

    A cell whose headline figure is undefined has none.
    """
    chosen = None if only is None else set(only)
    families: dict[str, list[StoredCell]] = {}
    for stored in store.all():
        if stored.done:
            families.setdefault(family_of(stored.record.cell), []).append(stored)
    usual = usual_spread(families.values())
    proposed: dict[str, Expected] = {}
    for cell in suite.cells:
        held = store.load(cell.task, cell.id)
        if held is None or not held.done or (chosen is not None and cell.id not in chosen):
            continue
        found = headline(held)
        if found is None:
            continue
        metric, value, unit, better, n = found
        siblings = families.get(family_of(held.record.cell), [held])
        tolerance, basis, sd = tolerance_of(cell, siblings, held, value, usual.get((cell.task, cell.tier), 0.0))
        proposed[cell.id] = Expected(
            cell.id, gate_name(cell), cell.tier, metric, value, tolerance, better, unit, n, basis, sd, origin_of(held)
        )
    return proposed


def origin_of(stored: StoredCell) -> dict[str, Any]:
    """Code, hardware and parts of the key that a stored figure was made with, as far as the result says."""
    made = stored.record.provenance
    return {
        "commit": made.git.commit,
        "cpu": made.hardware.cpu,
        "accelerator": made.hardware.accelerator,
        "torch": made.packages.get("torch"),
        "threads": made.threads,
        "key_parts": made.key_parts,
    }


def changes_since(expected: Expected, stored: StoredCell) -> str:
    """What differs between the expected run and a stored one: parts of the key, commit, hardware; "" where nothing is known."""
    if expected.origin is None:
        return ""
    before, now = expected.origin, origin_of(stored)
    old, new = before.get("key_parts") or {}, now["key_parts"]
    parts = [name.replace("_", " ") for name in new if old and old.get(name) != new[name]]
    told = [f"parts of the key that changed since: {', '.join(parts) or 'none'}"] if old else []
    for name in ("commit", "cpu", "accelerator", "torch", "threads"):
        if before.get(name) != now[name]:
            told.append(f"{name} {_short(before.get(name))} then, {_short(now[name])} now")
    return "; ".join(told)


def _short(value: Any) -> str:
    text = "unknown" if value is None else str(value)
    return text[:10] if len(text) == 40 else text


def usual_spread(families: Iterable[list[StoredCell]]) -> dict[tuple[str, str], float]:
    """(task, tier) -> median over its cells of the deviation over seeds, as a share of the mean; where there are seeds."""
    shares: dict[tuple[str, str], list[float]] = {}
    for siblings in families:
        identity, metric = siblings[0].record.cell, siblings[0].record.headline or ""
        values = _values(siblings, metric)
        if len(values) < 2:
            continue
        mean, spread = over_seeds(values)
        if mean:
            shares.setdefault((identity.task, identity.tier), []).append((spread.sd or 0.0) / abs(mean))
    return {kind: statistics.median(found) for kind, found in shares.items()}


def _values(siblings: Iterable[StoredCell], metric: str) -> list[float]:
    return [found for sibling in siblings if (found := number_of(sibling, metric)) is not None]


def family_of(identity: Identity) -> str:
    """As `benchmarks.experiment.cell.family_of`, of a stored cell."""
    return cell_family(msgspec.to_builtins(identity))
