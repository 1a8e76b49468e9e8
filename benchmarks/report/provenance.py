"""Everything that is known of a number's making, as lists of names and texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from benchmarks.store.record import Record
from benchmarks.store.store import StoredCell

Group = tuple[str, list[tuple[str, str]]]
"""A heading, and what stands below it as (name, text)."""

SIZES = ("_wh", "_hw")
"""Ends of the names of sizes (width, height) and (height, width), in pixels."""
ALWAYS = ("task", "dataset", "split", "model", "representation", "tier", "seed")
WHERE_GIVEN = ("changes", "checkpoint", "data", "boxes_from")
"""Fields of a cell that are shown of every cell, and of those that have them."""


def provenance(stored: StoredCell) -> list[Group]:
    """Everything that is known of a number's making, group by group."""
    record, cell, made = stored.record, stored.record.cell, stored.record.provenance
    what = {name: getattr(cell, name) for name in ALWAYS} | {
        name: value for name in WHERE_GIVEN if (value := getattr(cell, name))
    }
    if cell.precision != "fp32":
        what["precision"] = cell.precision
    if cell.runtime != "eager":
        what["runtime"] = cell.runtime
    if record.trained_on:
        what["trained on"] = _plain(record.trained_on)
    weights = {
        "key_parts": made.key_parts,
        "evaluation_batch": made.evaluation_batch,
        "weights": made.weights,
        "initialised_from": made.initialised_from,
        "report": record.report,
    }
    groups: list[tuple[str, Any]] = [
        ("Cell", what | {"id": stored.id, "key": record.key}),
        ("Protocol", cell.protocol),
        ("Recipe", cell.recipe),
        ("Network", _network(record)),
        ("Time", {name.replace("_", " "): f"{value:.3g} s" for name, value in record.durations_s.items()}),
        ("Code", {"started": made.started, "ended": made.ended, **_plain(made.git)}),
        ("Machine", {**_with_units(_given(_plain(made.hardware))), "threads": made.threads}),
        ("Packages", made.packages),
        ("Weights", {name: _plain(value) for name, value in _given(weights).items()}),
    ]
    return [(title, pairs) for title, content in groups if content and (pairs := _pairs(content))]


def _network(record: Record) -> dict[str, str]:
    """Parameters, multiply-adds and latency with their units."""
    cost, found = record.model, {}
    if cost is not None:
        height, width = cost.input_hw
        found = {
            "parameters": f"{cost.params / 1e6:.4g} M ({cost.params})",
            "multiply-adds": f"{cost.macs / 1e9:.4g} G ({cost.macs})",
            "as the papers count": f"{cost.macs_as_published:.4g} G",
            "input": f"{height} x {width} px (height x width)",
        }
    latency = record.quiet_latency_ms
    found["latency of one picture"] = "not measured alone" if latency is None else f"{latency:g} ms"
    return found


def _with_units(hardware: Mapping[str, Any]) -> dict[str, Any]:
    """The machine, its memory with the unit."""
    named = {"memory_gib": "memory"}
    return {
        named.get(name, name): f"{value} GiB" if name == "memory_gib" else value for name, value in hardware.items()
    }


def _plain(part: Any) -> Any:
    """A part of the record as plain data; nothing for None."""
    return {} if part is None else msgspec.to_builtins(part)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the run stored."""
    return {name: value for name, value in fields.items() if value is not None}


def _pairs(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested plain data as (dotted name, text)."""
    if isinstance(value, Mapping):
        return [
            pair for key, inner in value.items() for pair in _pairs(inner, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list | tuple):
        if all(not isinstance(item, (Mapping, list, tuple)) for item in value):
            unit = " px" if prefix.endswith(SIZES) else ""
            return [(prefix, ", ".join(map(str, value)) + unit if value else "none")]
        return [pair for index, item in enumerate(value) for pair in _pairs(item, f"{prefix}.{index}")]
    if value is None:
        return [(prefix, "none")]
    if isinstance(value, bool):
        return [(prefix, "yes" if value else "no")]
    return [(prefix, f"{value:g}" if isinstance(value, float) else str(value))]
