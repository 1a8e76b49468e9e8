"""One typed table: numbers with unit, direction, n, uncertainty and protocol; rendered in five forms.

A table refuses what must not stand side by side: two protocols in a column, two tiers in a table, a number whose unit
or direction is not its column's. `Table.render` gives markdown, csv, json, LaTeX or html (`benchmarks/tables/render/`).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from hrnet.names import close_names
from tasks.direction import Direction

FORMATS = {"md": "markdown", "csv": "delimited", "json": "structured", "tex": "latex", "html": "html"}
STATUSES = (
    "",
    "ok",
    "reproduced",
    "within tolerance",
    "off",
    "suspiciously better",
    "not attempted",
    "failed",
    "stale",
    "worse",
    "other n",
    "missing",
    "new",
    "gone",
)


@dataclass(frozen=True, slots=True)
class Spread:
    """Uncertainty of one number.

    `kind` is "seeds" (mean of n runs with standard deviation `sd`) or "bootstrap" (interval from resampled images);
    `low` and `high` bound the stated `level`. All in the number's own unit.
    """

    kind: str
    n: int
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.kind not in ("seeds", "bootstrap"):
            raise ValueError(f"expected a spread over 'seeds' or by 'bootstrap', got {self.kind!r}")
        if (self.low is None) != (self.high is None):
            raise ValueError("expected both ends of an interval or neither; give low and high")


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of a table. `value` None means that there is no number; `status` or `text` says why.

    `protocol`, `unit` and `direction`, where given, are compared with the column's; `n` counts what the number is
    pooled over (images, people, faces); `href` leads to the provenance. `bound` "<" marks a value that is a bound alone;
    `measured` is a number of ours that stands beside a published value in the same place. `digits` and `mark` ("best",
    "second") are for tables whose columns are not ranked: there a number has its own decimals and place.
    """

    value: float | int | str | None = None
    text: str | None = None
    protocol: str | None = None
    unit: str | None = None
    direction: Direction | None = None
    n: int | None = None
    spread: Spread | None = None
    status: str = ""
    footnotes: tuple[str, ...] = ()
    href: str = ""
    bound: str = ""
    measured: float | None = None
    digits: int | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            near = close_names(self.status, STATUSES, 1)
            raise ValueError(f"expected a status among {STATUSES[1:]}, got {self.status!r}; nearest: {near}")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError(f"expected a finite number, got {self.value}; pass None and say why in status or text")

    @property
    def number(self) -> float | None:
        """The value as a number, or None for text and empty places."""
        return float(self.value) if isinstance(self.value, (int, float)) and not isinstance(self.value, bool) else None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The ends of the number's interval, or one standard deviation over seeds on either side; None without a spread."""
        spread, number = self.spread, self.number
        if spread is None or number is None:
            return None
        if spread.low is not None and spread.high is not None:
            return spread.low, spread.high
        return None if spread.sd is None else (number - spread.sd, number + spread.sd)


_EMPTY = Entry()


@dataclass(frozen=True, slots=True)
class Column:
    """Heading of a column. `protocol` None means: taken from the first number that is put in.

    `direction` None is for what is not ranked (names, counts); `digits` are the decimals shown; `label` is the short
    form of the protocol that the heading shows; what is not `on_paper` is left out of LaTeX.
    """

    key: str
    title: str
    unit: str = ""
    direction: Direction | None = None
    protocol: str | None = None
    label: str = ""
    digits: int = 2
    signed: bool = False
    on_paper: bool = True

    @property
    def heading(self) -> str:
        """Title with unit, arrow of the better direction, and protocol."""
        parts = [self.title]
        if self.unit:
            parts.append(f"({self.unit})")
        if self.direction:
            parts.append(self.direction.arrow)
        return " ".join(parts) + (f" [{self.label}]" if self.label else "")


@dataclass(frozen=True, slots=True)
class Row:
    """Entries by column key; `group` heads a block of rows."""

    entries: Mapping[str, Entry]
    group: str = ""


def as_entry(value: Entry | float | int | str | None) -> Entry:
    """An entry made from a bare value."""
    return value if isinstance(value, Entry) else Entry(value)


@dataclass
class Table:
    """Columns and rows that passed the checks. `name` is a file name; `tier` is set by the first row that has one.

    `stated` holds protocols of rows (protocol -> their names) where quantities are rows (`benchmarks.tables.layout`).
    """

    name: str
    title: str
    columns: list[Column]
    tier: str = ""
    caption: str = ""
    rows: list[Row] = field(default_factory=list)
    stated: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = [column.key for column in self.columns]
        if len(set(keys)) != len(keys):
            raise ValueError(f"table {self.name!r}: column keys repeat: {keys}; give every column its own key")

    def column(self, key: str) -> Column:
        """The column of that key; `ValueError` naming the nearest one otherwise."""
        for column in self.columns:
            if column.key == key:
                return column
        near = close_names(key, [column.key for column in self.columns], 1)
        raise ValueError(f"table {self.name!r} has no column {key!r}; nearest: {near or [c.key for c in self.columns]}")

    def add(self, entries: Mapping[str, Entry | float | int | str | None], tier: str = "", group: str = "") -> Row:
        """Appends a row; refuses another tier, and in any column another protocol, unit or direction."""
        if tier and self.tier and tier != self.tier:
            raise ValueError(
                f"table {self.name!r} holds tier {self.tier!r}; got a row of tier {tier!r}: tiers never share a table, "
                "make one table per tier"
            )
        checked: dict[str, Entry] = {}
        protocols: dict[str, str] = {}
        for key, value in entries.items():
            column, entry = self.column(key), as_entry(value)
            checked[key] = entry
            if entry.number is None:
                continue
            for name in ("unit", "direction"):
                stated = getattr(entry, name)
                if stated is not None and stated != getattr(column, name):
                    raise ValueError(
                        f"table {self.name!r}, column {column.title!r}: {name} is {getattr(column, name)!r}, "
                        f"got a number with {stated!r}; give it a column of its own"
                    )
            if entry.protocol is not None:
                if column.protocol is None:
                    protocols[key] = entry.protocol
                elif column.protocol != entry.protocol:
                    raise ValueError(
                        f"table {self.name!r}, column {column.title!r}: protocols differ: the column's is "
                        f"[{column.protocol}], got [{entry.protocol}]; numbers of two protocols need two columns"
                    )
        for index, column in enumerate(self.columns):
            if column.key in protocols:
                self.columns[index] = replace(column, protocol=protocols[column.key])
        self.tier = self.tier or tier
        row = Row(checked, group)
        self.rows.append(row)
        return row

    def entry(self, row: Row, column: Column) -> Entry:
        """The entry of a row in a column; empty where the row says nothing."""
        return row.entries.get(column.key, _EMPTY)

    def text(self, row: Row, column: Column) -> str:
        """What is displayed: the given text, or the value at the column's digits with its spread, or the status."""
        return self.number_text(row, column) + spread_text(self.spread(row, column), self.digits(row, column))

    def digits(self, row: Row, column: Column) -> int:
        """Decimals that a number is shown with: its own, or its column's."""
        own = self.entry(row, column).digits
        return column.digits if own is None else own

    def spread(self, row: Row, column: Column) -> Spread | None:
        """The spread that is shown behind a number; None where a text stands in its place."""
        entry = self.entry(row, column)
        return entry.spread if entry.text is None and entry.number is not None else None

    def number_text(self, row: Row, column: Column) -> str:
        """What is displayed, without the spread."""
        entry = self.entry(row, column)
        if entry.text is not None:
            return entry.text
        if entry.number is None:
            return str(entry.value) if entry.value is not None else (entry.status or "-")
        digits = self.digits(row, column)
        if isinstance(entry.value, int) and digits == 2 and not column.signed:
            return str(entry.value)
        return f"{entry.number:{'+' if column.signed else ''}.{digits}f}"

    def places(self, column: Column) -> tuple[set[int], set[int]]:
        """Row indices of the best and of the second value in a ranked column (ties share); none if all are equal.

        Of a column that is not ranked, those of entries that are marked so.
        """
        if not column.direction:
            marks = [self.entry(row, column).mark for row in self.rows]
            return {i for i, mark in enumerate(marks) if mark == "best"}, {
                i for i, mark in enumerate(marks) if mark == "second"
            }
        numbers: dict[int, float] = {}
        for index, row in enumerate(self.rows):
            number = self.entry(row, column).number
            if number is not None:
                numbers[index] = round(number, column.digits)
        if len(set(numbers.values())) < 2:
            return set(), set()
        ordered = sorted(set(numbers.values()), reverse=column.direction is Direction.HIGHER)
        best = {index for index, number in numbers.items() if number == ordered[0]}
        second = {index for index, number in numbers.items() if len(ordered) > 1 and number == ordered[1]}
        return best, second

    def footnotes(self) -> dict[str, int]:
        """Footnote text -> number, in the order in which the table meets them row by row."""
        numbered: dict[str, int] = {}
        for row in self.rows:
            for column in self.columns:
                for note in self.entry(row, column).footnotes:
                    numbered.setdefault(note, len(numbered) + 1)
        return numbered

    def protocols(self) -> dict[str, list[str]]:
        """Protocol -> titles of the columns that were made under it; protocols stated once for all their columns."""
        stated = {text: list(names) for text, names in self.stated.items()}
        for column in self.columns:
            if column.protocol:
                stated.setdefault(column.protocol, []).append(column.title)
        return stated

    def render(self, form: str = "md") -> str:
        """The table as text in one of `FORMATS`, ending in a newline."""
        if form not in FORMATS:
            near = close_names(form, FORMATS, 1)
            raise ValueError(f"expected a format among {list(FORMATS)}, got {form!r}; nearest: {near}")
        module = importlib.import_module(f"benchmarks.tables.render.{FORMATS[form]}")
        return str(module.render(self))


def spread_text(spread: Spread | None, digits: int) -> str:
    """ " ± sd (n=3)", " [low, high]" or " (n=1)" behind a number; "" without a spread."""
    if spread is None:
        return ""
    if spread.kind == "seeds":
        return f" ± {spread.sd:.{digits}f} (n={spread.n})" if spread.sd is not None else f" (n={spread.n})"
    if spread.low is None or spread.high is None:
        return ""
    return f" [{spread.low:.{digits}f}, {spread.high:.{digits}f}]"


def render_all(tables: Iterable[Table], form: str = "md") -> str:
    """Several tables one after the other; json as one list, csv with the table's name in the first column."""
    module = importlib.import_module(f"benchmarks.tables.render.{FORMATS[form]}") if form in FORMATS else None
    if module is None:
        raise ValueError(f"expected a format among {list(FORMATS)}, got {form!r}")
    return str(module.render_all(list(tables)))
