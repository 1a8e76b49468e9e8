"""README and docs: every command is run on small data, or parsed by the verb's own parser, or marked; links lead somewhere.

A comment before a fenced block says what is done with it: ``<!-- run -->`` runs it (all of a page in one folder, which holds
``pets/`` and empty ``D/``, ``W/`` and ``results/runs/``), ``<!-- run by FILE -->`` names what else does,
``<!-- needs data: ... -->`` and ``<!-- by hand: ... -->`` leave it (but for the last, commands are parsed all the same). A block
without one fails.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
import yaml

import tasks
from benchmarks.cli import VERBS, entry, parser_for
from benchmarks.published.weights import weights_of
from benchmarks.suites import suite_names

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "tasks").rglob("README.md")])
STARTS = (
    "python run_all.py",
    "hrnet-benchmark",
    "torchrun",
    "srun",
    "python -m",
    "make ",
    "pip install hrnet-benchmark[",
    "source .venv/bin/activate",
)
MARK = re.compile(r"run|run by (?P<file>\S+)|needs data: .+|by hand: .+")
PLACEHOLDER = re.compile(r"[A-Z]+|.*\.(pth|mat|json|csv|jpg)")
"""A word that stands for a file or folder of the reader's: an indented command with one needs data."""


class Block(NamedTuple):
    """A fenced block: its language, the comment before it, its text and line."""

    kind: str
    mark: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Fenced blocks of a page; indented commands of older pages as blocks of their own."""
    text = page.read_text("utf-8")
    found = [
        Block(match["kind"], match["mark"] or "", match["text"], text[: match.start("text")].count("\n") + 1)
        for match in re.finditer(
            r"^(?:<!-- *(?P<mark>[^\n]*?) *-->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", text, re.MULTILINE | re.DOTALL
        )
    ]
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found += [
        Block("sh", "", match[0], 0)
        for match in re.finditer(r"^    python run_all\.py (?:.*\\\n)*.*$", plain, re.MULTILINE)
    ]
    return found


def commands(block: Block) -> Iterator[list[str]]:
    """The words of every command of a block, comments left out."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def parsed(words: list[str], where: str) -> None:
    """Holds a command against the parser of its verb, and the names in it against what there is."""
    if words[0] == "source":
        return
    if words[0] == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets), where
        return
    if words[0] == "pip":
        [names] = re.findall(r"\[([\w,]+)\]", words[2])
        extras = (ROOT / "pyproject.toml").read_text("utf-8").partition("[project.optional-dependencies]")[2]
        assert all(re.search(rf"^{name} = ", extras, re.MULTILINE) for name in names.split(",")), where
        return
    if words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]) is not None, where
        return
    rest = words[words.index("run_all.py") + 1 :] if "run_all.py" in words else words[1:]
    if not rest or rest[0].startswith("-"):
        return
    verb = rest[0]
    assert verb in VERBS, where
    try:
        given = parser_for(verb).parse_args(rest[1:])
    except SystemExit:
        pytest.fail(f"{where}: the parser of {verb} refuses {' '.join(rest)}")
    assert getattr(given, "suite", None) in (None, *suite_names()), where
    if verb == "fetch":
        assert all(weights_of(name) for name in given.names), where


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_is_known(page: Path) -> None:
    for block in blocks(page):
        if block.kind not in ("sh", "bash", "console") or block.mark.startswith("by hand"):
            continue
        for words in commands(block):
            where = f"{page}, line {block.line}: {' '.join(words)}"
            assert " ".join(words).startswith(STARTS), f"{where}: mark it with <!-- by hand: why -->"
            parsed(words, where)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_is_run_or_says_what_it_needs(page: Path) -> None:
    for block in blocks(page):
        where = f"{page}, line {block.line}: say above it whether it is run, or what it needs (this file's docstring)"
        if block.line == 0:
            assert all(any(PLACEHOLDER.fullmatch(word) for word in words) for words in commands(block)), where
        elif block.kind in ("sh", "bash", "console", "python"):
            found = MARK.fullmatch(block.mark)
            assert found, where
            if found["file"]:
                run = (ROOT / found["file"]).read_text("utf-8")
                assert all(" ".join(words).removeprefix("python ") in run for words in commands(block)), where


def test_no_block_escapes() -> None:
    for page in PAGES:
        opened = re.findall(r"^ *(?:```|~~~).*$", page.read_text("utf-8"), re.MULTILINE)
        assert len(opened) == 2 * sum(block.line > 0 for block in blocks(page)), (
            f"{page}: a block has no language, or is indented"
        )


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures of three classes, in which commands of a page are run."""
    monkeypatch.setattr(tasks, "_DECLARED", {})
    for split in ("train", "val"):
        for shade, name in enumerate(("cat", "dog", "owl")):
            folder = tmp_path / "pets" / split / name
            folder.mkdir(parents=True)
            for number in range(2):
                cv2.imwrite(str(folder / f"{number}.png"), np.full((64, 64, 3), 60 * shade + number, np.uint8))
    for name in ("D", "W", "results/runs"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.mark == "run" for block in blocks(page))],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_marked_blocks_run_as_they_stand(page: Path, pets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks(page):
        if block.mark != "run":
            continue
        if block.kind == "python":
            exec(compile(block.text, f"{page}:{block.line}", "exec"), {"__name__": "example"})
            continue
        for words in commands(block):
            assert words[:2] == ["python", "run_all.py"], words
            status = entry(words[2:])
            told = capsys.readouterr()
            assert status == 0, f"{' '.join(words)}\n{told.out[-500:]}\n{told.err[-1500:]}"
            if "tex" in words and "own" in words:
                assert "hrnet\\_micro\\_w8" in told.out and "top1" in told.out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    made = ("published/", "api/")
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path = (page.parent / target).resolve()
        inside = path.relative_to(ROOT / "docs").as_posix() if path.is_relative_to(ROOT / "docs") else ""
        assert path.exists() or inside.startswith(made), f"{page}: {target}"


@pytest.mark.parametrize("page", sorted((ROOT / "tasks").rglob("README.md")), ids=lambda page: page.parent.name)
def test_files_that_a_tasks_page_names_are_there(page: Path) -> None:
    for name in re.findall(r"`([\w/]+(?:\.py|/))`", page.read_text("utf-8")):
        places = (page.parent, page.parents[1], ROOT, ROOT / "tests")
        assert any((place / name).exists() for place in places), name


def _steps(plain: Any) -> Iterator[dict[str, Any]]:
    for job in plain["jobs"].values():
        yield from job["steps"]


def _workflows() -> list[tuple[str, str]]:
    page = ROOT / "docs" / "how-to" / "ci.md"
    made = [(f"{page}, line {block.line}", block.text) for block in blocks(page) if block.kind == "yaml"]
    return [*made, *((str(path), path.read_text("utf-8")) for path in (ROOT / ".github" / "workflows").glob("*.yml"))]


@pytest.mark.parametrize(("where", "text"), _workflows(), ids=["page", "file"])
def test_examples_of_ci_are_yaml_of_commands_that_there_are(where: str, text: str) -> None:
    plain, called = yaml.safe_load(text), set()
    [matrix] = [job["strategy"]["matrix"] for job in plain["jobs"].values() if "strategy" in job]
    assert len(matrix["os"]) == len(matrix["python"]) == 2 and all(isinstance(v, str) for v in matrix["python"])
    for step in _steps(plain):
        assert ("uses" in step) != ("run" in step), where
        for words in commands(Block("sh", "", step.get("run", "").replace("$SUITE", "smoke"), 0)):
            words = words[: words.index(">>")] if ">>" in words else words
            if words[0] == "hrnet-benchmark" or words[:2] == ["python", "run_all.py"]:
                parsed(words, where)
                called |= {word for word in words[1:3] if word in VERBS}
            else:
                assert words[:4] == ["python", "-m", "pip", "install"], words
    assert {"run", "check"} <= called


def test_readme_is_short_and_shows_the_report() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 80
    [picture] = re.findall(r"!\[[^\]]+\]\((docs/images/[^)]+)\)", text)
    assert 10_000 < (ROOT / picture).stat().st_size < 300_000


def test_the_site_builds_without_a_warning_or_an_outside_address(tmp_path: Path) -> None:
    for module in ("mkdocs", "material", "mkdocstrings", "mkdocstrings_handlers.python"):
        pytest.importorskip(module)
    import subprocess
    import sys

    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    site = tmp_path / "site"
    for page in (
        "index",
        "first_steps",
        "how-to/own_dataset",
        "faq",
        "api/hrnet",
        "published/cityscapes_val",
        "published/wflw",
    ):
        text = (site / f"{page}.html").read_text("utf-8")
        outside = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"https?://[^\"]*", text)
        assert outside == [], page
    assert "81.1" in (site / "published/cityscapes_val.html").read_text("utf-8")
    assert "build_backbone" in (site / "api/hrnet.html").read_text("utf-8")
