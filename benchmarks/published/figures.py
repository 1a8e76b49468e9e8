"""The figures that papers and repositories printed, as one tidy, typed and checked list.

`results/published/*.csv` holds one figure per line; `load()` reads and checks all of them in well under a second.
Every figure keeps the source row that it was read from: `id` is the source table's file and row, `column` its column there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from benchmarks.experiment.installation import published_folder
from hrnet.names import close_names
from tasks.direction import Direction

ROOT = published_folder()
HIGHER, LOWER = Direction.HIGHER, Direction.LOWER
DIRECTIONS: dict[str, Direction] = {direction.value: direction for direction in Direction}
UNITS = ("%", "M", "G", "s", "GiB", "1/s")
BOUNDS = ("=", "<")
CONFIDENCES = ("verified", "verified-digitised")
TASKS = ("pose", "segmentation", "landmarks", "detection", "classification")
REPRESENTATIONS = ("", "V1", "V1h", "V2", "V2p", "C", "Ci", "Cii")

_PARTS = ("Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
_SIZES = ("AP", "AP50", "AP75", "APS", "APM", "APL")
METRICS: dict[str, tuple[str, Direction]] = {
    **dict.fromkeys(("AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL"), ("%", HIGHER)),
    **{f"PCKh@0.5/{part}": ("%", HIGHER) for part in _PARTS},
    "PCKh@0.5": ("%", HIGHER),
    "PCKh@0.1": ("%", HIGHER),
    **{f"{kind}_{name}": ("%", HIGHER) for kind in ("box", "mask") for name in _SIZES},
    **dict.fromkeys(("mIoU", "iIoU_cla", "IoU_cat", "iIoU_cat", "pixel_acc", "avg_acc"), ("%", HIGHER)),
    "NME": ("%", LOWER),
    **{f"AUC@{limit}": ("%", HIGHER) for limit in ("0.08", "0.10")},
    **{f"FR@{limit}": ("%", LOWER) for limit in ("0.08", "0.10")},
    "top1_err": ("%", LOWER),
    "top5_err": ("%", LOWER),
    **dict.fromkeys(("mAP", "MOTA", "MOTP", "Prec", "Rec"), ("%", HIGHER)),
    **{f"{kind}_{part}": ("%", HIGHER) for kind in ("AP", "MOTA") for part in _PARTS},
    "train_time": ("s", LOWER),
    "infer_time": ("s", LOWER),
    "train_memory": ("GiB", LOWER),
    "infer_memory": ("GiB", LOWER),
    "speed": ("1/s", HIGHER),
}
"""Known metrics: name -> (unit, direction). PCKh and AP are in percent; NME is a percentage of the normaliser."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One printed number. `params_m` is in 10^6, `gflops` as the source prints it (units differ: see its footnotes)."""

    id: str
    benchmark: str
    split: str
    task: str
    method: str
    body: str
    model: str
    representation: str
    pretrained: str
    input_size: str
    params_m: float | None
    gflops: float | None
    condition: str
    metric: str
    bound: str
    value: float
    unit: str
    direction: Direction
    protocol_id: str
    protocol: str
    column: str
    source: str
    confidence: str
    footnotes: tuple[str, ...]
    printed: str = ""

    @property
    def file(self) -> str:
        """The file of the source row, without its suffix."""
        return self.id.partition(":")[0]

    @property
    def settings(self) -> dict[str, str]:
        """The settings that the protocol states, by name."""
        return {name: value for name, value in settings_of(self.protocol_id) if value is not None}

    @property
    def text(self) -> str:
        """The value as the source prints it, with `<` where only a bound is published."""
        return ("" if self.bound == "=" else self.bound + " ") + (self.printed or f"{self.value:g}")

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two figures the same claim: a second figure with the same identity is an error."""
        names = ("benchmark", "split", "method", "body", "representation", "pretrained", "input_size", "condition")
        return (*(getattr(self, name) for name in names), self.metric, self.protocol_id, self.protocol, self.source)


def settings_of(protocol_id: str) -> list[tuple[str, str | None]]:
    """(name, value) of each setting of a `key=value; ...`; value None for a word alone ("ensemble")."""
    parts = [part.partition("=") for part in protocol_id.split("; ")]
    return [(name, value if equals else None) for name, equals, value in parts]


COLUMNS = tuple(field.name for field in fields(Figure) if field.name != "printed")


class Published(tuple[Figure, ...]):
    """All figures, in file order, with the look-ups that tables need."""

    def select(self, **wanted: str | Iterable[str]) -> Published:
        """Figures whose fields equal the given value or are among the given values (`source` matches by substring)."""
        chosen: list[Figure] = []
        tests = {name: {value} if isinstance(value, str) else set(value) for name, value in wanted.items()}
        for name in tests:
            if name not in COLUMNS:
                near = close_names(name, COLUMNS, 1)
                raise ValueError(f"unknown field {name!r} of a published figure; nearest: {near or COLUMNS}")
        for figure in self:
            if all(
                any(part in figure.source for part in values) if name == "source" else getattr(figure, name) in values
                for name, values in tests.items()
            ):
                chosen.append(figure)
        return Published(chosen)

    def rows(self) -> dict[str, list[Figure]]:
        """Figures grouped by the source row they came from, in order."""
        grouped: dict[str, list[Figure]] = {}
        for figure in self:
            grouped.setdefault(figure.id, []).append(figure)
        return grouped


def _number(text: str, where: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{where}: column {column!r}: expected a number, got {text!r}; correct the file") from None


def _parse(record: dict[str, str], where: str) -> Figure:
    values: dict[str, object] = dict(record)
    for column in ("params_m", "gflops"):
        values[column] = _number(record[column], where, column) if record[column] else None
    values["value"] = _number(record["value"], where, "value")
    values["printed"] = record["value"]
    values["footnotes"] = tuple(record["footnotes"].split(";")) if record["footnotes"] else ()
    # A word that is no direction stays as it is, and is refused below.
    values["direction"] = DIRECTIONS.get(record["direction"], record["direction"])
    figure = Figure(**values)  # type: ignore[arg-type]
    if figure.metric not in METRICS:
        near = close_names(figure.metric, METRICS, 1)
        raise ValueError(f"{where}: unknown metric {figure.metric!r} (nearest: {near}); add it to METRICS")
    unit, direction = METRICS[figure.metric]
    if (figure.unit, figure.direction) != (unit, direction):
        raise ValueError(
            f"{where}: {figure.metric} is in {unit!r}, {direction.sentence}; "
            f"got {figure.unit!r}, {record['direction']!r}; correct the line"
        )
    for name, allowed in (
        ("bound", BOUNDS),
        ("confidence", CONFIDENCES),
        ("task", TASKS),
        ("representation", REPRESENTATIONS),
    ):
        if getattr(figure, name) not in allowed:
            raise ValueError(f"{where}: {name}: expected one of {allowed}, got {getattr(figure, name)!r}")
    if unit == "%" and not 0 <= figure.value <= 100:
        raise ValueError(f"{where}: {figure.metric} = {figure.value}: expected a percentage from 0 to 100")
    if figure.value < 0:
        raise ValueError(f"{where}: {figure.metric} = {figure.value}: expected a value that is not negative")
    for name in ("id", "benchmark", "split", "method", "protocol_id", "source"):
        if not getattr(figure, name):
            raise ValueError(f"{where}: {name} is empty; every published figure needs one")
    return figure


def read(path: Path) -> Iterator[Figure]:
    """Figures of one csv file; raises `ValueError` naming file and line on anything that does not fit the schema."""
    with path.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: expected the columns {COLUMNS}, got {tuple(reader.fieldnames or ())}")
        for record in reader:
            where = f"{path}:{reader.line_num}"
            if None in record or None in record.values():
                raise ValueError(f"{where}: expected {len(COLUMNS)} fields; the line has another number")
            yield _parse(record, where)


def load_footnotes(root: Path = ROOT) -> dict[str, str]:
    """Footnote id -> text: contradictions between sources, suspect cells, conventions."""
    notes: dict[str, str] = {}
    with (root / "footnotes.csv").open(newline="", encoding="utf-8") as handle:
        for record in csv.DictReader(handle):
            if record["id"] in notes:
                raise ValueError(f"{root / 'footnotes.csv'}: footnote {record['id']!r} is given twice")
            notes[record["id"]] = record["text"]
    return notes


NOT_FIGURES = ("footnotes.csv", "models.csv", "weights.csv")


@lru_cache(maxsize=4)
def load(root: Path = ROOT) -> Published:
    """All published figures, checked: types, known metrics, units, directions, footnotes that exist, no duplicates."""
    if not root.is_dir():
        raise ValueError(f"expected the published figures in {root}, which is missing; check out results/published")
    notes = load_footnotes(root)
    seen: dict[tuple[str, ...], str] = {}
    figures: list[Figure] = []
    for path in sorted(root.glob("*.csv")):
        if path.name in NOT_FIGURES:
            continue
        for figure in read(path):
            if figure.identity in seen:
                raise ValueError(f"{path}: {figure.id} {figure.metric} repeats {seen[figure.identity]}; remove one")
            seen[figure.identity] = figure.id
            unknown = [note for note in figure.footnotes if note not in notes]
            if unknown:
                raise ValueError(f"{path}: {figure.id}: footnote {unknown[0]!r} is not in footnotes.csv; add it there")
            figures.append(figure)
    return Published(figures)
