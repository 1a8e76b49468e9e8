"""The report is one page: nothing from elsewhere, no dead link, no missing picture, no overflow in a browser."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from made_up import Runs

from benchmarks.experiment.suite import Suite
from benchmarks.report.page import page_name, write
from benchmarks.report.pictures import picture_size


class Page(HTMLParser):
    """Ids, links and sources of a page; checks that tags are balanced."""

    VOID = frozenset(("meta", "link", "img", "br", "wbr", "hr", "input"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.links.append(str(value))
            if name == "src":
                self.sources.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Self-closing tags (svg) open nothing."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


@pytest.fixture
def page(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> Path:
    cv2 = pytest.importorskip("cv2")
    for index, cell in enumerate(two_task_suite.cells):
        if index == 1:
            runs.fail(cell, "<out> of & memory")
            continue
        if index == 2:
            continue
        files = tmp_path / "files" / "pictures"
        files.mkdir(parents=True)
        for what in ("truth", "prediction"):
            cv2.imwrite(str(files / f"7_{what}.jpg"), np.full((30, 60, 3), 90, np.uint8))
        picture = {"kind": "worst", "index": 7, "image": "val/000007.jpg", "score": 0.25}
        picture |= {what: f"pictures/7_{what}.jpg" for what in ("truth", "prediction")}
        stored = runs.finish(cell, 0.5 + 0.02 * index, pictures=[picture], latency_ms=2.0 + index, latency_quiet=True)
        shutil.copytree(files, stored.folder / "pictures")
        shutil.rmtree(tmp_path / "files")
    return write(two_task_suite, runs.store, tmp_path / "report")


def test_page_is_whole(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert not parsed.open
    doubled = [name for name, count in Counter(parsed.ids).items() if count > 1]
    assert not doubled
    for link in parsed.links:
        if link.startswith("#"):
            assert link[1:] in parsed.ids, link
        elif not link.startswith("data:"):
            assert (page.parent / link).exists(), link
    assert parsed.sources and all((page.parent / source).is_file() for source in parsed.sources)
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text) and "@import" not in text and "url(" not in text


def test_page_says_everything(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for wanted in (
        "Across tasks", "people on street", "faces on street", "Representations", "Who leads where",
        "over multiply-adds", "over latency", "Training: loss", "Cumulative error", "ground truth", "prediction",
        "&lt;out&gt; of &amp; memory", "Provenance", "boxes", "made-up", "summed over cells", "not run yet",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "Traceback" in text and "key-" in text
    assert text.count('<svg class="plot"') >= 8


def test_second_table_of_the_same_cells_joins_its_section(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> None:
    for cell in two_task_suite.cells:
        runs.finish(cell)
    first = two_task_suite.tables[0]
    more = dataclasses.replace(first, name="by_class", title="Errors once more", columns=("error",))
    suite = dataclasses.replace(two_task_suite, tables=(*two_task_suite.tables, more))
    text = write(suite, runs.store, tmp_path / "report").read_text(encoding="utf-8")
    assert text.count("Errors once more") >= 2 and text.count("<h2>people on street</h2>") == 1
    assert "<h2>Errors once more" not in text and not Page(text).open


def test_writing_again_replaces_the_page(page: Path, runs: Runs, two_task_suite: Suite) -> None:
    before = page.read_text(encoding="utf-8")
    assert write(two_task_suite, runs.store, page.parent) == page
    assert re.sub(r"Written .*? UTC", "", page.read_text(encoding="utf-8")) == re.sub(r"Written .*? UTC", "", before)


def test_nothing_measured_gives_a_page_that_says_so(two_task_suite: Suite, runs: Runs, tmp_path: Path) -> None:
    path = write(two_task_suite, runs.store, tmp_path / "empty")
    text = path.read_text(encoding="utf-8")
    assert "not run yet" in text and "Not run" in text and not Page(text).open


@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser(page: Path, width: int, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    probe = (
        "<script>addEventListener('error', e => (window.bad = String(e.message)));addEventListener('load', () => {"
        "document.querySelectorAll('details').forEach(d => (d.open = true));"
        "document.querySelectorAll('a[href^=\"#cell-\"]')[0].click();"
        "const broken = [...document.images].filter(i => i.complete && !i.naturalWidth).length;"
        "document.title = `PROBE ${document.documentElement.scrollWidth - innerWidth} ${broken} "
        "${document.querySelector('dialog').open} ${window.bad ?? 'fine'} ${innerWidth}`; });</script></head>"
    )
    frame = tmp_path / "frame.html"
    inner = page.parent / "probe.html"
    inner.write_text(page.read_text(encoding="utf-8").replace("</head>", probe, 1), encoding="utf-8")
    frame.write_text(
        f'<iframe id=f src="{inner.as_uri()}" style="width:{width}px;height:800px;border:0"></iframe>'
        "<script>addEventListener('load', () => { document.title = f.contentDocument.title; });</script>",
        encoding="utf-8",
    )
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files",
        "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,900",
        "--virtual-time-budget=4000", "--dump-dom", frame.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r"<title>PROBE (-?\d+) (\d+) (\w+) (.*?) (\d+)</title>", done.stdout)
    assert found, done.stderr[-2000:]
    # A frame gives the page exactly this width, which a window does not on every system.
    assert int(found[5]) == width
    assert int(found[1]) <= 0 and found.group(2, 3, 4) == ("0", "true", "fine")
    assert "CONSOLE" not in done.stderr, done.stderr[-2000:]


def test_names_of_pages(two_task_suite: Suite) -> None:
    assert page_name(two_task_suite) == "made_up.html"
    assert page_name(Suite("embedded", (), ())) == "index.html"


def test_picture_size(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    for suffix in ("jpg", "png"):
        path = tmp_path / f"a.{suffix}"
        cv2.imwrite(str(path), np.zeros((40, 70, 3), np.uint8))
        assert picture_size(path) == (70, 40)


def test_every_variant_of_an_ablation_shows_pictures_and_curves(page: Path, runs: Runs, two_task_suite: Suite) -> None:
    text = page.read_text(encoding="utf-8")
    part = text[text.index('id="ablation-people_representation"') : text.index('<section id="cells"')]
    for cell, name in zip(two_task_suite.cells[-2:], ("V1h", "V2"), strict=True):
        assert f"pictures/{cell.id}/7_truth.jpg" in part and f"pictures/{cell.id}/7_prediction.jpg" in part
        assert f"<b>{name}</b>" in part
    assert "Training: loss" in part and part.count("<polyline") >= 3
    shown = {source.split("/")[1] for source in Page(text).sources}
    assert shown == {
        cell.id for cell in two_task_suite.cells if (found := runs.store.load(cell.task, cell.id)) and found.done
    }


def test_outdated_cells_are_counted_and_named(
    runs: Runs, two_task_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cell in two_task_suite.cells:
        runs.finish(cell)
    first = two_task_suite.cells[0].id
    for module in ("tables.filling", "report.page"):
        monkeypatch.setattr(f"benchmarks.{module}.outdated", lambda cells, store: frozenset({first}))
    text = write(two_task_suite, runs.store, tmp_path / "report").read_text(encoding="utf-8")
    assert "Outdated" in text and text.count("ade by other code or data than are here now") >= 2


def test_a_results_folder_that_can_only_be_read(
    runs: Runs, two_task_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written there by tables, intervals, gate or a page that goes elsewhere."""
    from benchmarks.analysis import gate
    from benchmarks.commands.report import write_report
    from benchmarks.tables.filling import fill
    from tasks.files import writing

    for cell in two_task_suite.cells:
        runs.finish(cell)
    root, replace = runs.store.root, Path.replace
    before = sorted(str(path) for path in root.rglob("*"))

    def refused(self: Path, target: Path) -> Path:
        if Path(target).is_relative_to(root):
            raise OSError(30, "Read-only file system")
        return replace(self, target)

    monkeypatch.setattr(writing.Path, "replace", refused)
    assert fill(two_task_suite, runs.store)
    assert gate.check(two_task_suite, runs.store, tmp_path / "expected").outcomes
    write_report(two_task_suite, runs.store, root.parent, tmp_path / "page")
    assert (tmp_path / "page" / "made_up.html").exists()
    assert sorted(str(path) for path in root.rglob("*")) == before
