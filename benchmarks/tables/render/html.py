"""A table as an html fragment that scrolls inside its own container; the report styles its classes."""

from __future__ import annotations

from html import escape

from benchmarks.tables.table import ARROWS, Column, Table, spread_text

_STATUS_CLASS = {
    "ok": "good",
    "reproduced": "good",
    "within tolerance": "good",
    "off": "bad",
    "worse": "bad",
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
    better = {"higher": "higher is better", "lower": "lower is better"}.get(column.direction, "")
    arrow = f'&nbsp;<span class="arrow" title="{better}">{ARROWS[column.direction]}</span>' if better else ""
    label = f'<span class="protocol">{escape(column.label)}</span>' if column.label else ""
    title = f' title="{escape(column.protocol)}"' if column.protocol else ""
    return f'<th scope="col"{" class=num" if right else ""}{title}>{escape(column.title)}{unit}{arrow}{label}</th>'


def render(table: Table) -> str:
    """`<figure class="table">` with caption, table, protocols and footnotes."""
    notes = table.footnotes()
    places = [table.places(column) for column in table.columns]
    numeric = [any(table.entry(row, column).number is not None for row in table.rows) for column in table.columns]
    name = escape(table.name)
    tier = f' <span class="tier">{escape(table.tier)}</span>' if table.tier else ""
    out = [f'<figure class="table" id="table-{name}">', f"<figcaption>{escape(table.title)}{tier}</figcaption>"]
    out.append(
        '<div class="scroll" tabindex="0" role="region" aria-label="' + escape(table.title) + '"><table><thead><tr>'
    )
    out += [_heading(column, right) for column, right in zip(table.columns, numeric, strict=True)]
    out.append("</tr></thead><tbody>")
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
            shown = escape(table.text(row, column))
            if number == 0:
                shown = shown.replace("_", "_<wbr>")
            if entry.spread is not None and entry.text is None and entry.number is not None:
                tail = escape(spread_text(entry.spread, column.digits))
                shown = shown.removesuffix(tail) + f'<span class="spread">{tail}</span>'
            if entry.status and (entry.number is None or entry.value == entry.status):
                long = " long" if len(shown) > 24 else ""
                shown = f'<span class="status {_STATUS_CLASS.get(entry.status, "idle")}{long}">{shown}</span>'
            if entry.href:
                shown = f'<a href="{escape(entry.href)}">{shown}</a>'
            shown += "".join(
                f'<sup><a href="#{name}-note-{notes[note]}">{notes[note]}</a></sup>' for note in entry.footnotes
            )
            classes = " ".join(
                text for text, on in (("num", right), ("best", index in best), ("second", index in second)) if on
            )
            tag = "th scope=row" if number == 0 else "td"
            title = f' title="n = {entry.n}"' if entry.n is not None else ""
            out.append(f"<{tag}{f' class={chr(34)}{classes}{chr(34)}' if classes else ''}{title}>{shown}</{tag[:2]}>")
        out.append("</tr>")
    if not table.rows:
        out.append(f'<tr><td colspan="{len(table.columns)}" class="empty">Nothing has been measured yet.</td></tr>')
    out.append("</tbody></table></div>")
    below = [f"<p>{escape(table.caption)}</p>"] if table.caption else []
    below += [
        f"<p><b>Protocol</b> of {escape(', '.join(titles))}: {escape(text)}</p>"
        for text, titles in table.protocols().items()
    ]
    if notes:
        items = "".join(f'<li id="{name}-note-{number}">{escape(note)}</li>' for note, number in notes.items())
        below.append(f'<ol class="notes">{items}</ol>')
    if below:
        out.append('<div class="below">' + "".join(below) + "</div>")
    return "\n".join(out) + "\n</figure>\n"


def render_all(tables: list[Table]) -> str:
    """Fragments one after the other."""
    return "\n".join(render(table) for table in tables)
