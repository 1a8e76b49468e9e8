"""A table as an html fragment that scrolls inside its own container; the report styles its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.tables.layout import ACROSS
from benchmarks.tables.table import Column, Entry, Table, spread_text

_STATUS_CLASS = {
    "ok": "good",
    "reproduced": "good",
    "within tolerance": "good",
    "off": "bad",
    "worse": "bad",
    "other n": "bad",
    "failed": "bad",
    "missing": "bad",
    "gone": "bad",
    "suspiciously better": "odd",
    "new": "odd",
    "stale": "odd",
    "not attempted": "idle",
}


def _heading(column: Column, right: bool) -> str:
    unit = f' <span class="unit">{escape(column.unit)}</span>' if column.unit else ""
    better = column.direction
    arrow = f'&nbsp;<span class="arrow" title="{better.sentence}">{better.arrow}</span>' if better else ""
    label = f'<span class="protocol">{escape(column.label)}</span>' if column.label else ""
    title = f' title="{escape(column.protocol)}"' if column.protocol else ""
    named = escape(column.title).replace("_", "_<wbr>")
    return f'<th scope="col"{" class=num" if right else ""}{title}>{named}{unit}{arrow}{label}</th>'


def _differing(protocols: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Protocol -> its fields that are not the same in all of these; "" for all where they are of different kinds."""
    fields = {text: dict(part.partition("=")[::2] for part in text.split(", ")) for text in protocols}
    kinds = {tuple(found) for found in fields.values()}
    if len(kinds) != 1:
        return dict.fromkeys(protocols, "")
    names = [name for name in next(iter(kinds)) if len({found[name] for found in fields.values()}) > 1]
    return {text: ", ".join(f"{name}={found[name]}" for name in names) for text, found in fields.items()}


def render(table: Table) -> str:
    """`<figure class="table">` with caption, table, protocols and footnotes."""
    numeric = [
        column.direction is not None or any(table.entry(row, column).number is not None for row in table.rows)
        for column in table.columns
    ]
    name = escape(table.name)
    tier = f' <span class="tier">{escape(table.tier)}</span>' if table.tier else ""
    kind = "table datasets" if table.name in ACROSS else "table"
    out = [
        f'<figure class="{kind}" id="table-{name}">',
        f"<figcaption>{escape(table.title)}{tier}</figcaption>",
    ]
    out.append(
        '<div class="scroll" tabindex="0" role="group" aria-label="' + escape(table.title) + '"><table><thead><tr>'
    )
    out += [_heading(column, right) for column, right in zip(table.columns, numeric, strict=True)]
    out.append("</tr></thead><tbody>")
    out += _rows(table, numeric)
    if not table.rows:
        out.append(f'<tr><td colspan="{len(table.columns)}" class="empty">Nothing has been measured yet.</td></tr>')
    out.append("</tbody></table></div>")
    below = _below(table)
    if below:
        out.append('<div class="below">' + "".join(below) + "</div>")
    return "\n".join(out) + "\n</figure>\n"


def _rows(table: Table, numeric: Sequence[bool]) -> list[str]:
    """The body's lines: group headings and rows; the first column heads its row."""
    notes = table.footnotes()
    places = [table.places(column) for column in table.columns]
    out: list[str] = []
    previous = ""
    for index, row in enumerate(table.rows):
        if row.group and row.group != previous:
            out.append(
                f'<tr class="group"><th colspan="{len(table.columns)}"><span>{escape(row.group)}</span></th></tr>'
            )
        previous = row.group
        out.append("<tr>")
        for number, (column, right, (best, second)) in enumerate(zip(table.columns, numeric, places, strict=True)):
            entry = table.entry(row, column)
            text, spread = _shown(column, entry, escape(table.text(row, column)), number == 0)
            marks = "".join(
                f'<sup><a href="#{escape(table.name)}-note-{notes[note]}">{notes[note]}</a></sup>'
                for note in entry.footnotes
            )
            shown = text + marks + spread
            classes = " ".join(
                text
                for text, on in (
                    ("num", right),
                    ("best", index in best),
                    ("second", index in second),
                    ("none", shown == "-"),
                )
                if on
            )
            tag = "th scope=row" if number == 0 else "td"
            title = f' title="n = {entry.n}"' if entry.n is not None else ""
            title += f' data-v="{entry.number:.6g}"' if entry.number is not None else ""
            title += f' data-label="{escape(_label(column))}"' if number else ""
            out.append(f"<{tag}{f' class={chr(34)}{classes}{chr(34)}' if classes else ''}{title}>{shown}</{tag[:2]}>")
        out.append("</tr>")
    return out


def _label(column: Column) -> str:
    """A column's heading beside its value, where the page is too narrow for a row of headings."""
    measure = "\u00a0".join(part for part in (column.unit, column.direction.arrow if column.direction else "") if part)
    return f"{column.title} {measure}".strip()


def _shown(column: Column, entry: Entry, text: str, breakable: bool) -> tuple[str, str]:
    """An entry's text (escaped), with its status as a badge and a link to its provenance; and its spread, which stands apart."""
    spread = ""
    if breakable:
        text = text.replace("_", "_<wbr>")
    if entry.spread is not None and entry.text is None and entry.number is not None:
        tail = escape(spread_text(entry.spread, column.digits if entry.digits is None else entry.digits))
        text, spread = text.removesuffix(tail), f'<span class="spread">{tail}</span>'
    if entry.status and (entry.number is None or entry.value == entry.status):
        long = " long" if len(text) > 24 else ""
        text = f'<span class="status {_STATUS_CLASS.get(entry.status, "idle")}{long}">{text}</span>'
    return (f'<a href="{escape(entry.href)}">{text}</a>' if entry.href else text), spread


def _below(table: Table) -> list[str]:
    """Caption, protocols and footnotes below the table."""
    below = [f"<p>{escape(table.caption)}</p>"] if table.caption else []
    protocols = table.protocols()
    for text, fields in _differing(protocols).items():
        if fields:
            below.append(f"<p><b>{escape(', '.join(protocols[text]))}</b>: {escape(fields)}</p>")
    if protocols:
        word = "Protocol" if len(protocols) == 1 else f"{len(protocols)} protocols"
        whole = "".join(
            f"<p><b>Protocol</b> of {escape(', '.join(titles))}: {escape(text)}</p>"
            for text, titles in protocols.items()
        )
        below.append(f'<details class="protocols"><summary>{word} in full</summary>{whole}</details>')
    notes = table.footnotes()
    if notes:
        name = escape(table.name)
        items = "".join(f'<li id="{name}-note-{number}">{escape(note)}</li>' for note, number in notes.items())
        below.append(f'<ol class="notes">{items}</ol>')
    return below


def render_all(tables: list[Table]) -> str:
    """Fragments one after the other."""
    return "\n".join(render(table) for table in tables)
