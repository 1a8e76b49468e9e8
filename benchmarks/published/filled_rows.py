"""Fills the rows of a paper's table: the printed figures, what was measured of them, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.published.figures import Figure
from benchmarks.published.judging import judge, part_of_split
from benchmarks.published.lacks import WORDS
from benchmarks.published.missing import missing
from benchmarks.published.paper_rows import Link, PaperRow
from benchmarks.published.protocols import measured_protocol
from benchmarks.published.slots import Slot, setting, slot_of
from benchmarks.tables.rows import Measured, last_line
from benchmarks.tables.table import Entry

Values = dict[str, Entry | float | str | None]


def what_is_missing(cell: Cell, places: Places | None) -> str:
    """What keeps a cell from being run; without places, what it needs."""
    if places is None:
        return f"not run; it needs weights {cell.checkpoint} and data {cell.dataset} {cell.split}"
    return "; ".join(missing(cell, places)) or "nothing is missing; not run yet"


@dataclass(frozen=True)
class RowFilling:
    """What the rows of one paper's table are filled from.

    Attributes:
        measured: what the store holds, by cell id.
        lacking: what keeps the other cells from being run, by cell id.
        notes: footnotes by their ids.
    """

    measured: Mapping[str, Measured]
    lacking: Mapping[str, str]
    notes: Mapping[str, str]

    def entries(self, row: PaperRow, main: Slot) -> Values:
        """A row's entries by column key; `main` is the slot that the table judges."""
        first = row.figures[0]
        head = next((figure for figure in row.figures if slot_of(figure) == main), None)
        values: Values = {
            "method": first.method,
            "body": first.body or "-",
            "setting": setting(first) or "-",
            "params": first.params_m,
            "gflops": Entry(first.gflops, footnotes=self._texts(note for note in first.footnotes if _of_cost(note))),
            "row": row.id,
        }
        if head is not None:
            own = self._texts(note for note in head.footnotes if not _of_cost(note))
            values["published"] = Entry(head.value, head.text, head.protocol_id, footnotes=own, bound=_bound(head))
        values |= self._outcome(row, head)
        for figure in row.figures:
            if slot_of(figure) != main:
                values[slot_of(figure).key] = self._beside(row, figure, head)
        return values

    def _beside(self, row: PaperRow, figure: Figure, head: Figure | None) -> Entry:
        """A figure that the row is not judged by: what is printed, and behind an arrow what was measured."""
        shown = head.footnotes if head is not None else ()
        own = self._texts(note for note in figure.footnotes if note not in shown and not _of_cost(note))
        link = row.link(figure)
        if link is None and row.links:
            own += (f"Not measured: {row.reasons[slot_of(figure)]}.",)
        text, protocol, number = figure.text, figure.protocol_id, self._number(link)
        if number is not None and link is not None:
            text += f" → {number:.2f}"
            protocol = measured_protocol(self.measured[link.cell].cell, link.metric, protocol)
        return Entry(figure.value, text, protocol, footnotes=own, bound=_bound(figure), measured=number)

    def _outcome(self, row: PaperRow, head: Figure | None) -> Values:
        """Measured value, difference, status and what is missing of a row.

        A row whose main figure could not be measured is judged by the first of its figures that was, and says so.
        """
        linked = {figure.column: (figure, link) for figure in row.figures if (link := row.link(figure))}
        ordered = sorted(linked.values(), key=lambda pair: pair[0] is not head)
        for figure, link in ordered:
            number = self._number(link)
            if number is None:
                continue
            if figure is not head:
                return self._judged_by(row, head, figure, link, number, ordered)
            held = self.measured[link.cell]
            status, below = _status(figure, held, link.metric, number)
            protocol = measured_protocol(held.cell, link.metric, figure.protocol_id)
            n = held.n(link.metric)
            return {
                "measured": Entry(number, protocol=protocol, n=n, href=held.href, footnotes=below),
                "difference": number - figure.value,
                "status": Entry(status, status=status),
            }
        text = self._why_missing(ordered[0][1]) if ordered else str(row.lack or "")
        held_rows = [self.measured[link.cell] for _, link in ordered if link.cell in self.measured]
        if held_rows and held_rows[0].failed is not None:
            return {"status": Entry("failed", status="failed", href=held_rows[0].href), "missing": text}
        return {"status": Entry(self._lacks(row, ordered), status="not attempted"), "missing": text}

    def _lacks(self, row: PaperRow, ordered: Sequence[tuple[Figure, Link]]) -> str:
        """What keeps a row from being measured, in one word where one is known."""
        if not ordered:
            return row.lack.status if row.lack is not None else "not attempted"
        word = self.lacking.get(ordered[0][1].cell, "").partition(" ")[0]
        return f"lacks {word}" if word in WORDS else "not attempted"

    def _judged_by(
        self,
        row: PaperRow,
        head: Figure | None,
        figure: Figure,
        link: Link,
        number: float,
        ordered: Sequence[tuple[Figure, Link]],
    ) -> Values:
        """Status by a figure that is not the main one, and why the main one has no number."""
        held = self.measured[link.cell]
        status, below = _status(figure, held, link.metric, number)
        if ordered[0][0] is head:
            why = self._why_missing(ordered[0][1])
        else:
            why = str(row.reasons.get(slot_of(head), "")) if head is not None else ""
        said = f"judged by {figure.metric} {figure.split}" + (f"; the main figure: {why}" if why else "")
        return {"status": Entry(status, status=status, href=held.href, footnotes=below), "missing": said}

    def _number(self, link: Link | None) -> float | None:
        """The measured value of a link; None if there is none."""
        held = self.measured.get(link.cell) if link is not None else None
        if held is None or link is None:
            return None
        return next((value for stored in held.done if (value := stored.value(link.metric)) is not None), None)

    def _why_missing(self, link: Link) -> str:
        """Why a linked figure has no number: what is missing, or the failure's last line with the checkpoint's name."""
        held = self.measured.get(link.cell)
        if held is None:
            return "not asked for"
        if held.failed is not None:
            return f"{held.cell.checkpoint}: {last_line(held.failed) or 'no reason stored'}"
        return self.lacking.get(link.cell) or f"{held.cell.checkpoint} was run and gave no {link.metric}"

    def _texts(self, identities: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.notes[identity] for identity in identities)


def _status(figure: Figure, row: Measured, metric: str, number: float) -> tuple[str, tuple[str, ...]]:
    """Status of a measured figure, and its footnotes; a figure over a part of the split is "off"."""
    part = part_of_split(figure, row.n(metric))
    return ("off", (*row.notes, part)) if part else (judge(figure, number), row.notes)


def _bound(figure: Figure) -> str:
    return "" if figure.bound == "=" else figure.bound


def _of_cost(note: str) -> bool:
    """True for footnotes about parameters and multiply-adds, which stand beside those."""
    return note.endswith(("-flops", "-params"))
