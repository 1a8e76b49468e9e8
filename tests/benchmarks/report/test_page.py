"""The report's pages: nothing from elsewhere, no dead link, no missing picture, no overflow in a browser."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_up import Runs

from benchmarks.experiment.suite import Suite
from benchmarks.report.page import page_name, write
from benchmarks.report.pictures import MEANINGS, picture_size


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


def whole(page: Path) -> str:
    """The text of all pages."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(page.parent.glob("*.html")))


def test_pages_are_whole(page: Path) -> None:
    names = {path.name for path in page.parent.glob("*.html")}
    assert names == {"made_up.html", "made_up-people.html", "made_up-faces.html", "made_up-history.html"}
    pages = {name: Page((page.parent / name).read_text(encoding="utf-8")) for name in names}
    for name, parsed in pages.items():
        assert not parsed.open
        doubled = [one for one, count in Counter(parsed.ids).items() if count > 1]
        assert not doubled, (name, doubled)
        for link in parsed.links:
            file, _, anchor = link.partition("#")
            if link.startswith("data:"):
                continue
            assert not file or (page.parent / file).exists(), link
            assert not anchor or anchor in pages[file or name].ids, (name, link)
        assert all((page.parent / source).is_file() for source in parsed.sources)
    assert pages["made_up-people.html"].sources and any("#cell-" in link for link in pages["made_up.html"].links)
    text = whole(page)
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text) and "@import" not in text and "url(" not in text


def test_pages_say_everything(page: Path) -> None:
    text = whole(page)
    for wanted in (
        "Across tasks", "people on street", "faces on street", "Representations", "Who leads where",
        "over multiply-adds", "over latency", "Training: loss", "Cumulative error", "ground truth", "prediction",
        "&lt;out&gt; of &amp; memory", "Provenance", "boxes", "made-up", "summed over cells", "not run yet",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "Traceback" in text and "key-" in text
    assert text.count('<svg class="plot"') >= 8
    index = page.read_text(encoding="utf-8")
    # Datasets are rows, and the sentence of what was found is made from the figures.
    titles = re.findall(r"<th scope=row[^>]*>(.*?)</th>", index)
    assert titles[:2] == ["STREET rate (%) ↑ [n=155]", "STREET error (px) ↓ [n=155]"], titles
    assert "Contents" in index and 'aria-current="page"' in index


def test_second_table_of_the_same_cells_joins_its_section(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> None:
    for cell in two_task_suite.cells:
        runs.finish(cell)
    first = two_task_suite.tables[0]
    more = dataclasses.replace(first, name="by_class", title="Errors once more", columns=("error",))
    suite = dataclasses.replace(two_task_suite, tables=(*two_task_suite.tables, more))
    write(suite, runs.store, tmp_path / "report")
    text = (tmp_path / "report" / "made_up-people.html").read_text(encoding="utf-8")
    assert text.count("Errors once more") >= 2 and text.count("<h2>people on street</h2>") == 1
    assert "<h2>Errors once more" not in text and not Page(text).open


def test_writing_again_replaces_the_page(page: Path, runs: Runs, two_task_suite: Suite) -> None:
    before, history = whole(page), (page.parent / "history.json").read_bytes()
    copies = {path: path.stat().st_mtime_ns for path in page.parent.rglob("*.jpg")}
    assert write(two_task_suite, runs.store, page.parent) == page
    assert re.sub(r"Written .*? UTC", "", whole(page)) == re.sub(r"Written .*? UTC", "", before)
    assert (page.parent / "history.json").read_bytes() == history
    assert copies and copies == {path: path.stat().st_mtime_ns for path in page.parent.rglob("*.jpg")}


def test_nothing_measured_gives_a_page_that_says_so(two_task_suite: Suite, runs: Runs, tmp_path: Path) -> None:
    path = write(two_task_suite, runs.store, tmp_path / "empty")
    assert "Not run" in path.read_text(encoding="utf-8")
    text = (tmp_path / "empty" / "made_up-people.html").read_text(encoding="utf-8")
    assert "not run yet" in text and not Page(text).open


PROBE = """<script>
addEventListener('error', e => (window.bad = String(e.message)));
addEventListener('load', () => {
  document.querySelectorAll('details').forEach(d => { if (!d.matches('.menu, .columns')) d.open = true; });
  const fitted = innerWidth < 480 ? 'figure.table .scroll' : 'figure.datasets .scroll';  // a telephone's page stacks every row
  const cut = [...document.querySelectorAll(fitted)].filter(s => s.scrollWidth > s.clientWidth).length;
  const over = document.documentElement.scrollWidth - innerWidth;
  const cell = document.querySelector('a[href^="#cell-"]');
  const said = [];
  if (cell) {
    cell.click();
    said.push(document.getElementById('provenance-of').open);
    document.getElementById('provenance-of').close();
    document.querySelector('a.large').click();
    const large = document.getElementById('large');
    const first = large.querySelector('img').src;
    large.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
    said.push(large.open && large.querySelector('img').src !== first && large.querySelector('p').textContent.includes('worst'));
    large.close();
  }
  const table = document.querySelector('figure.table table');
  const firsts = () => [...table.tBodies[0].rows].map(r => r.cells[0].textContent).join();
  table.querySelector('button.sort').click();
  const up = firsts();
  table.querySelector('button.sort').click();
  said.push(up !== firsts());
  const box = document.querySelector('input[type=search]');
  if (box) {
    box.value = 'rank';
    box.dispatchEvent(new Event('input'));
    said.push([...table.tBodies[0].rows].filter(r => !r.hidden).length === 1);
  }
  const broken = [...document.images].filter(i => i.getAttribute('src') && i.complete && !i.naturalWidth).length;
  document.title = `PROBE ${over} ${cut} ${broken} ${said} ${window.bad ?? 'fine'} ${innerWidth}`;
});</script></head>"""


def _browse(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What headless Chromium says; the test is left out where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files",
        f"--user-data-dir={tmp_path / 'profile'}", *arguments,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def _frame(inner: Path, width: int) -> str:
    """A page that shows another in exactly this width, and takes its title over."""
    return (
        f'<iframe id=f src="{inner.as_uri()}" style="width:{width}px;height:800px;border:0"></iframe>'
        "<script>addEventListener('load', () => { document.title = f.contentDocument.title; });</script>"
    )


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("name", "said"), [("made_up", "true,true"), ("made_up-people", "true,true,true")])
def test_in_a_browser(page: Path, width: int, name: str, said: str, tmp_path: Path) -> None:
    """Nothing is cut or broken; provenance, large pictures (by key), sorting and filtering work; the console is empty."""
    frame, inner = tmp_path / "frame.html", page.parent / "probe.html"
    text = (page.parent / f"{name}.html").read_text(encoding="utf-8")
    inner.write_text(text.replace("</head>", PROBE, 1), encoding="utf-8")
    frame.write_text(_frame(inner, width), encoding="utf-8")
    options = ("--enable-logging=stderr", "--window-size=1400,900", "--virtual-time-budget=4000", "--dump-dom")
    done = _browse(tmp_path, *options, frame.as_uri())
    found = re.search(r"<title>PROBE (-?\d+) (\d+) (\d+) ([\w,]*) (.*?) (\d+)</title>", done.stdout)
    assert found, done.stderr[-2000:]
    # A frame gives the page exactly this width, which a window does not on every system.
    assert int(found[6]) == width
    assert int(found[1]) <= 0 and found.group(2, 3, 4, 5) == ("0", "0", said, "fine")
    assert "CONSOLE" not in done.stderr, done.stderr[-2000:]


def test_names_of_pages(two_task_suite: Suite) -> None:
    assert page_name(two_task_suite) == "made_up.html"
    assert page_name(Suite("embedded", (), ())) == "index.html"


def test_a_pictures_score_is_said_as_people_read_it() -> None:
    assert MEANINGS["pose/mpii"].text(-0.924) == "error 0.924 head sizes"
    assert MEANINGS["pose/posetrack18"].text(-140.2) == "MOTA -140 %"
    assert MEANINGS["landmarks"].text(-0.0) == "NME 0 %"


def test_picture_size(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    for suffix in ("jpg", "png"):
        path = tmp_path / f"a.{suffix}"
        cv2.imwrite(str(path), np.zeros((40, 70, 3), np.uint8))
        assert picture_size(path) == (70, 40)


def test_every_variant_of_an_ablation_shows_pictures_and_curves(page: Path, runs: Runs, two_task_suite: Suite) -> None:
    text = (page.parent / "made_up-people.html").read_text(encoding="utf-8")
    part = text[text.index('id="ablation-people_representation"') : text.index('<section id="cells"')]
    for cell, name in zip(two_task_suite.cells[-2:], ("V1h", "V2"), strict=True):
        assert f"thumbnails/{cell.id}/7_truth.jpg" in part and f"{cell.id}/pictures/7_prediction.jpg" in part
        assert f"<b>{name}</b>" in part
    assert "Training: loss" in part and part.count("<polyline") >= 3
    shown = {source.split("/")[1] for source in Page(whole(page)).sources}
    assert shown == {
        cell.id for cell in two_task_suite.cells if (found := runs.store.load(cell.task, cell.id)) and found.done
    }


def test_outdated_cells_are_counted_and_named(
    runs: Runs, two_task_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cell in two_task_suite.cells:
        runs.finish(cell)
    first = two_task_suite.cells[0].id
    for module in ("tables.filling", "report.contents"):
        monkeypatch.setattr(f"benchmarks.{module}.outdated", lambda cells, store: frozenset({first}))
    text = whole(write(two_task_suite, runs.store, tmp_path / "report"))
    assert "Outdated" in text and text.count("ade by other code or data than are here now") >= 2


def test_a_results_folder_that_can_only_be_read(
    runs: Runs, two_task_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written there by tables, intervals, gate, comparison or a page that goes elsewhere."""
    from benchmarks.analysis import gate
    from benchmarks.analysis.compare import compare
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
    assert compare(root, root).pairs
    write_report(two_task_suite, runs.store, root.parent, tmp_path / "page")
    assert (tmp_path / "page" / "made_up.html").exists()
    assert sorted(str(path) for path in root.rglob("*")) == before


def test_links_that_lead_out_are_not_written_through(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> None:
    """The page's folder, its files and the tables of results from elsewhere may be links."""
    from benchmarks.commands.report import write_report
    from benchmarks.commands.tables import show
    from benchmarks.report import thumbnails

    runs.finish(two_task_suite.cells[0])
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    kept = outside / "kept"
    kept.write_text("precious")
    for name in ("report", "report/history.json", "report/made_up.html", "tables/made_up.csv"):
        link = out / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(outside if name == "report" else kept)
        with pytest.raises(ValueError, match=f"{name}.*a link that leads out"):
            if name.startswith("tables"):
                show(two_task_suite, runs.store, out, write=True)
            else:
                write_report(two_task_suite, runs.store, out)
        link.unlink()
    link, original = out / "0_truth.jpg", tmp_path / "0_truth.jpg"
    link.symlink_to(kept)
    cv2.imwrite(str(original), np.zeros((4, 4, 3), np.uint8))
    thumbnails.make([(original, link)])
    assert link.is_file() and not link.is_symlink()
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("kept", "precious")]


def test_axe_finds_nothing(page: Path, tmp_path: Path) -> None:
    """Deque's axe, from npm, where the variable AXE_CORE names its axe.min.js."""
    if (axe := os.environ.get("AXE_CORE")) is None:
        pytest.skip("AXE_CORE (the path of axe-core's axe.min.js) is needed")
    run = (
        f"<script src='{Path(axe).as_uri()}'></script><script>addEventListener('load', () => {{"
        "document.querySelectorAll('details').forEach(d => { if (!d.matches('.columns')) d.open = true; });"
        "axe.run().then(r => { parent.document.title = 'AXE ' + r.violations.map(v => v.id).join(); }); });</script></body>"
    )
    probe, frame = page.parent / "axe.html", tmp_path / "frame.html"
    frame.write_text(_frame(probe, 390), encoding="utf-8")
    for name in ("made_up", "made_up-people", "made_up-history"):
        for theme, opened in (("light", probe), ("dark", probe), ("light", frame)):
            text = (page.parent / f"{name}.html").read_text(encoding="utf-8")
            text = text.replace("let chosen = null", f'let chosen = "{theme}"').replace("</body>", run)
            probe.write_text(text, encoding="utf-8")
            done = _browse(tmp_path, "--virtual-time-budget=60000", "--dump-dom", opened.as_uri())
            found = re.search(r"<title>AXE (.*?)</title>", done.stdout)
            assert found is not None and found[1] == "", (name, theme, opened.name, found, done.stderr[-1000:])


def test_prints_on_few_pages(page: Path, tmp_path: Path) -> None:
    for name in ("made_up", "made_up-people"):
        target = tmp_path / f"{name}.pdf"
        assert not _browse(tmp_path, f"--print-to-pdf={target}", (page.parent / f"{name}.html").as_uri()).returncode
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", target.read_bytes())) <= 3
