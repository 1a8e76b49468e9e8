"""The report: static html pages made from stored cells, to be opened by their path.

`write(suite, store, out)` writes the index (`out/index.html`, or `out/SUITE.html`), a page per task and one of the history
beside it, and small copies of the pictures (`out/thumbnails/`); nothing is loaded from elsewhere, and everything can be read
without the script. A suite of one task is one page.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.experiment.suite import Suite
from benchmarks.report.contents import Contents, page_name
from benchmarks.report.plot import palette_css
from benchmarks.store.files import check_inside
from benchmarks.store.store import Store
from tasks.files.writing import write_text
from tasks.predictor.printable import printable

__all__ = ["page_name", "write"]
FOLDER = Path(__file__).resolve().parent


def write(suite: Suite, store: Store, out: Path, only: Iterable[str] | None = None, jobs: int = 1) -> Path:
    """Writes the pages of a suite from what the store holds now; returns the index's path.

    Cells that failed or were not run appear with their reason; a suite without any result gives a page that says so.
    `jobs` processes draw the intervals that are not kept yet.
    """
    out.mkdir(parents=True, exist_ok=True)
    contents = Contents.of(suite, store, out, None if only is None else set(only), jobs)
    template, shared = _template(), _shared(suite)
    for page in contents.pages():
        check_inside(out / page["file"], out)
        write_text(out / page["file"], printable(template.render(**shared, **page)))
    return out / page_name(suite)


def _shared(suite: Suite) -> dict[str, Any]:
    """What all pages have in common."""
    return {
        "suite": suite,
        "style": palette_css() + "\n" + (FOLDER / "style.css").read_text(encoding="utf-8"),
        "script": (FOLDER / "script.js").read_text(encoding="utf-8"),
        "written": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _template() -> Any:
    """The pages' template; texts are escaped but for those that went through the filter `safe`."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string((FOLDER / "page.html.j2").read_text(encoding="utf-8"))
