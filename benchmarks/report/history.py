"""Headline figures over the commits of a results folder, kept beside the page and drawn like training curves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from benchmarks.analysis.figures.axes import Axis, axis
from benchmarks.analysis.figures.charts import Lines, Series
from benchmarks.store.digests import plain_digest
from benchmarks.store.files import check_inside
from benchmarks.store.store import StoredCell
from benchmarks.tables.table import Column, Entry, Table
from tasks.files.json_file import read_json
from tasks.files.writing import write_text

FILE = "history.json"
SHOWN = 8
"""Columns of the table: the latest commits."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The headline figure of a cell at the time that it was made."""

    id: str
    name: str
    task: str
    dataset: str
    metric: str
    unit: str
    decimals: int
    higher_is_better: bool
    value: float
    n: int | None = None
    commit: str
    ended: str
    seal: str = ""
    """Of the other fields; empty in what older versions wrote."""

    def sealed(self) -> Point:
        return msgspec.structs.replace(self, seal=self._seal())

    def _seal(self) -> str:
        return plain_digest({name: getattr(self, name) for name in self.__struct_fields__ if name != "seal"})

    @property
    def edited(self) -> bool:
        return bool(self.seal) and self.seal != self._seal()


def remember(stored: Iterable[StoredCell], out: Path) -> list[Point]:
    """Adds what is stored now to `out/history.json`; returns everything that it holds, oldest first.

    Raises:
        ValueError: the file is not readable as a history, holds a figure that was edited, or is a link that leads out.
    """
    path = out / FILE
    check_inside(path, out)
    held = read_json(path, list[Point], "a history of figures") if path.exists() else []
    if edited := [point for point in held if point.edited]:
        raise ValueError(
            f"{path}: expected the figures as they were written, got another of {edited[0].name} of {edited[0].ended}; the file "
            "was edited. Put it back, or delete it: the history begins anew"
        )
    points = {(point.id, point.ended, point.value): point for point in held}
    before = len(points)
    for cell in stored:
        if (point := _point(cell)) is not None:
            points.setdefault((point.id, point.ended, point.value), point)
    ordered = sorted(points.values(), key=lambda point: (point.ended, point.name))
    if len(ordered) > before:
        write_text(path, msgspec.json.format(msgspec.json.encode(ordered), indent=0).decode() + "\n")
    return ordered


def _point(stored: StoredCell) -> Point | None:
    record = stored.record
    figure = record.figures.get(record.headline or "") if record.done else None
    if figure is None or figure.value is None:
        return None
    git = record.provenance.git
    return Point(
        id=stored.id,
        name=record.name,
        task=record.cell.task,
        dataset=record.cell.dataset,
        metric=record.headline or "",
        unit=figure.unit,
        decimals=figure.decimals,
        higher_is_better=figure.higher_is_better,
        value=figure.value,
        n=figure.n,
        commit=(git.commit or "no commit")[:9] + ("+" if git.dirty else ""),
        ended=record.provenance.ended,
    ).sealed()


def commits(points: Sequence[Point]) -> list[str]:
    """The commits in the order in which their first figure was made."""
    return list(dict.fromkeys(point.commit for point in sorted(points, key=lambda point: point.ended)))


def table(points: Sequence[Point], ids: Sequence[str]) -> Table:
    """Cells in rows, the latest commits in columns, and the last change."""
    shown = commits(points)[-SHOWN:]
    columns = [Column("cell", "cell"), Column("metric", "metric")]
    columns += [Column(commit, commit) for commit in shown]
    made = Table("history", "Headline figures by commit", [*columns, Column("change", "last change", signed=True)])
    for one in ids:
        own = {point.commit: point for point in points if point.id == one}
        kept = [own[commit] for commit in shown if commit in own]
        if not kept:
            continue
        last = kept[-1]
        arrow = "↑" if last.higher_is_better else "↓"
        entries: dict[str, Entry | str] = {
            "cell": last.name,
            "metric": f"{last.metric} {last.unit} {arrow}".replace("  ", " "),
        }
        entries |= {point.commit: Entry(point.value, n=point.n, digits=point.decimals) for point in kept}
        if len(kept) > 1:
            entries["change"] = Entry(last.value - kept[-2].value, digits=last.decimals)
        made.add(entries)
    return made


def charts(points: Sequence[Point], ids: Sequence[str], looks: dict[str, tuple[str, int]]) -> list[Lines]:
    """A chart per dataset of cells with figures at two commits and more; x is the commit."""
    order = {commit: float(index) for index, commit in enumerate(commits(points))}
    places: dict[tuple[str, str, str], list[Series]] = {}
    for one in ids:
        own = {point.commit: point for point in points if point.id == one}
        if len(own) > 1 and one in looks:
            first = next(iter(own.values()))
            line = tuple(sorted((order[commit], point.value) for commit, point in own.items()))
            name, look = looks[one]
            label = f"{first.metric} ({first.unit})" if first.unit else first.metric
            places.setdefault((first.task, first.dataset, label), []).append(Series(name, line, look))
    made = []
    for (task, dataset, label), series in places.items():
        ticks = tuple(sorted({x for item in series for x, _ in item.points}))
        thinned = ticks[:: max(1, -(-len(ticks) // 5))]
        names = tuple(list(order)[int(tick)] for tick in thinned)
        x_axis = Axis("commit", ticks[0] - 0.1, ticks[-1] + 0.1, ticks=thinned, names=names)
        values = [y for item in series for _, y in item.points]
        made.append(Lines(f"{dataset} {task}: {label}", "", tuple(series), x_axis, axis(label, values)))
    return made
