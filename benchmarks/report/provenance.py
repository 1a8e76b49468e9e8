"""Everything that is known of a number's making, as lists of names and texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.store.store import StoredCell

Group = tuple[str, list[tuple[str, str]]]
"""A heading, and what stands below it as (name, text)."""


def provenance(stored: StoredCell) -> list[Group]:
    """Everything that is known of a number's making, group by group."""
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
