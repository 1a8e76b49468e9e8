"""Escape sequences in names, labels and reasons from files are printed as text, whatever prints them."""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from made_up import Runs, make
from rich.progress import Progress, TextColumn

from benchmarks.analysis import gate
from benchmarks.cli import entry
from benchmarks.experiment.suite import Suite
from benchmarks.printing import PrintableStream, console, printable_streams
from benchmarks.report.page import write
from benchmarks.running.progress import Watcher
from benchmarks.tables.filling import fill
from benchmarks.tables.render import terminal
from benchmarks.tables.task_table import TaskTable
from tasks.predictor.printable import printable

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202eabc\r\u2066"
TEXT = r"\x1b]0;owned\x07\x1b[2J\x9b2J\u202eabc\r\u2066"
BAD = "\x1b\x07\x9b\r\u202e\u2066"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_a_terminal_would_carry_out_is_text_and_the_rest_stays() -> None:
    assert printable(EVIL) == TEXT and printable(TEXT) == TEXT
    kept = "a\tb\n名前 é ↑ ±0.5 👩‍🚀 שלום"
    assert printable(kept) == kept


def test_streams_take_everything_as_text_and_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with printable_streams():
        with printable_streams():  # a verb that calls another
            print(EVIL, flush=True)
        assert sys.stdout.isatty() and isinstance(sys.stdout, PrintableStream)
        sys.stderr.writelines([EVIL])
    assert sys.stdout is out and sys.stderr is err
    assert out.getvalue() == TEXT + "\n" and err.getvalue() == TEXT


def test_errors_of_a_call_are_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / EVIL
    folder.mkdir()
    (folder / "a.json").write_text("{}")
    assert entry(["describe", str(folder / "a.json")]) == 2
    assert entry(["tables", "--suite", EVIL]) == 2
    said = capsys.readouterr().err
    assert said.count(r"\x1b[2J") >= 2 and not set(said) & set(BAD)


def test_consoles_carry_out_their_own_colours_alone(runs: Runs, tmp_path: Path) -> None:
    cells = (make(model=f"net{EVIL}[red]"), make(model="plain"), make(model="failed"))
    runs.finish(cells[0], notes=[EVIL])
    runs.finish(cells[1])
    runs.fail(cells[2], reason=EVIL)
    suite = Suite(
        "evil", cells, (TaskTable("t", EVIL, "people", "street", tuple(cell.id for cell in cells), ("rate",)),)
    )
    out = Terminal()
    made = console(out, soft_wrap=False)
    assert made.is_terminal
    [table] = fill(suite, runs.store)
    terminal.show(table, made)
    shown = out.getvalue()
    assert r"\x1b]0;owned\x1b[2J" in shown and "\x1b[" in shown  # a title in bold
    assert "\x1b]0" not in shown and "\x1b[2J" not in shown and not set(shown) & (set(BAD) - {"\x1b"})
    page = write(suite, runs.store, tmp_path / "page")
    assert not any(set(path.read_text()) & set(BAD) for path in page.parent.glob("*.html"))
    gate.update(suite, runs.store, tmp_path)
    held = gate.check(suite, runs.store, tmp_path)
    assert EVIL in held.markdown() and r"\x1b[2J" in ElementTree.tostring(ElementTree.fromstring(held.junit())).decode()


def test_bars_and_lines_of_a_run_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    cell = make(model=f"net{EVIL}[/no markup]")
    with Watcher([cell]) as watcher:
        watcher.start(cell)
        watcher.progress_bar.refresh()
        watcher.finish(cell, EVIL, 1.0)
    shown = out.getvalue()
    assert "\x1b[?25l" in shown  # the bar's own
    assert "[/no markup]" in shown and "FAILED: \\x1b]0;owned" in shown
    assert "\x1b]0" not in shown and "\x07" not in shown and "\u202e" not in shown
    assert isinstance(watcher.progress_bar, Progress) and isinstance(watcher.progress_bar.columns[0], TextColumn)
