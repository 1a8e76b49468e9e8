"""The manifest of released checkpoints: `results/published/weights.csv`, read and checked.

Each line names a file as its project publishes it, the family that `hrnet.load_checkpoint` must recognise in it, the
list of keys that it should hold (`manifest`, a file of `tests/data/golden/manifests`), its size and SHA-256 as far as they are
known (the first eight digits where the project writes them into the name), and the published rows that it made.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.published.figures import ROOT
from hrnet.names import close_names

COLUMNS = (
    "file",
    "family",
    "task",
    "dataset",
    "model",
    "representation",
    "changes",
    "project",
    "page",
    "manifest",
    "bytes",
    "sha256",
    "rows",
    "note",
)


class MadeRow(NamedTuple):
    """A published row that a checkpoint made: its id, and the one column of it where others are another checkpoint's."""

    id: str
    column: str = ""

    @staticmethod
    def parse(text: str) -> MadeRow:
        """Reads `file:number` or `file:number|column`."""
        identity, _, column = text.partition("|")
        return MadeRow(identity, column)

    def overlaps(self, other: MadeRow) -> bool:
        """True if both speak of a same figure: a row without a column holds all of them."""
        return self.id == other.id and (self.column == other.column or "" in (self.column, other.column))


@dataclass(frozen=True, slots=True)
class Weights:
    """A released checkpoint. `changes` are keyword arguments of `tasks.build_model`; `rows` what it made."""

    file: str
    family: str
    task: str
    dataset: str
    model: str
    representation: str
    changes: tuple[tuple[str, int | bool | str], ...]
    project: str
    page: str
    manifest: str
    bytes: int | None
    sha256: str
    rows: tuple[MadeRow, ...]
    note: str


def _value(text: str) -> int | bool | str:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text


@lru_cache(maxsize=4)
def load_weights(root: Path = ROOT) -> tuple[Weights, ...]:
    """All released checkpoints in file order; `ValueError` names file and line of what does not fit."""
    path = root / "weights.csv"
    found: list[Weights] = []
    seen: dict[str, int] = {}
    made: dict[MadeRow, str] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: expected the columns {COLUMNS}, got {tuple(reader.fieldnames or ())}")
        for line in reader:
            where = f"{path}:{reader.line_num}"
            for name in ("file", "family", "task", "dataset", "model", "project", "page"):
                if not line[name]:
                    raise ValueError(f"{where}: {name} is empty; every released checkpoint needs one")
            if line["file"] in seen:
                raise ValueError(f"{where}: {line['file']} is already on line {seen[line['file']]}; remove one")
            if line["sha256"] and not all(digit in "0123456789abcdef" for digit in line["sha256"]):
                raise ValueError(f"{where}: expected hexadecimal digits of a SHA-256, got {line['sha256']!r}")
            rows = tuple(MadeRow.parse(text) for text in line["rows"].split())
            for row in rows:
                taken = [other for other in made if row.overlaps(other)]
                if taken:
                    raise ValueError(
                        f"{where}: row {row.id} is already made by {made[taken[0]]}; give it to one checkpoint"
                    )
                made[row] = line["file"]
            seen[line["file"]] = reader.line_num
            changes = tuple((key, _value(text)) for key, _, text in (c.partition("=") for c in line["changes"].split()))
            if line["bytes"] and not line["bytes"].isdigit():
                raise ValueError(f"{where}: expected a number of bytes, got {line['bytes']!r}; correct the file")
            size = int(line["bytes"]) if line["bytes"] else None
            fields: dict[str, Any] = {**line, "changes": changes, "rows": rows, "bytes": size}
            found.append(Weights(**fields))
    return tuple(found)


def weights_of(file: str, root: Path = ROOT) -> Weights:
    """The manifest's entry of a file name; `ValueError` naming the nearest otherwise."""
    known = {entry.file: entry for entry in load_weights(root)}
    if file not in known:
        near = close_names(file, known, 1)
        hint = (
            f"nearest: {near}" if near else "`plan --suite published --rows` names the files that the papers' rows need"
        )
        raise ValueError(f"{file!r} is not in {root / 'weights.csv'}; {hint}")
    return known[file]
