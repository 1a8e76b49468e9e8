"""The head of the page: counts, time, code and machine of a suite's cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.store.store import StoredCell
from benchmarks.tables.rows import Measured, seconds


class Fact(NamedTuple):
    """A name, a value, a note behind it, and the style of what is wrong."""

    name: str
    value: str
    note: str = ""
    css: str = ""


def facts(rows: Sequence[Measured], stored: Sequence[StoredCell], outdated: int) -> list[Fact]:
    """Cells by outcome, time, images, tiers and commits; `outdated` is the number of cells that other code or data made."""
    done = [held for held in stored if held.done]
    failed, missing = len(stored) - len(done), sum(held is None for row in rows for held in row.seeds)
    spent = sum(value for held in done if (value := seconds(held)) is not None)
    images = sum(held.record.n.images for held in done if held.record.n)
    commits = _commits(done)
    found = [
        (True, Fact("Cells finished", str(len(done)), f"of {sum(len(row.seeds) for row in rows)}")),
        (failed, Fact("Failed", str(failed), "", "bad")),
        (missing, Fact("Not run", str(missing))),
        (outdated, Fact("Outdated", str(outdated), "made by other code or data", "bad")),
        (spent, Fact("Compute", duration(spent), "summed over cells")),
        (images, Fact("Images evaluated", f"{images:,}".replace(",", " "))),
        (True, Fact("Tier", ", ".join(dict.fromkeys(row.cell.tier for row in rows)))),
        (commits, Fact("Code", ", ".join(commits[:2]) + (" …" if len(commits) > 2 else ""))),
    ]
    return [fact for shown, fact in found if shown]


def _commits(done: Sequence[StoredCell]) -> list[str]:
    """The commits that made these cells, in short."""
    return sorted({commit[:9] for held in done if (commit := held.record.provenance.git.commit)})


def machine(stored: Sequence[StoredCell]) -> str:
    """Machines and main packages that made these cells, in one line."""
    lines: dict[str, None] = {}
    for held in stored:
        hardware, packages = held.record.provenance.hardware, held.record.provenance.packages
        parts = [hardware.accelerator or hardware.cpu or ""]
        parts += [f"{hardware.cores} cores"] if hardware.cores else []
        parts += [f"{name} {packages[name]}" for name in ("python", "torch", "numpy") if name in packages]
        lines[", ".join(part for part in parts if part)] = None
    return " | ".join(line for line in lines if line)


def duration(value: float) -> str:
    """Seconds as hours, minutes and seconds."""
    minutes, rest = divmod(round(value), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
