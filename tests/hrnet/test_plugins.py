"""Plug-ins: what a file brings is read without importing it; names that are taken and files that bring nothing are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import tasks
from benchmarks.baselines import body_names, build_body, file_of_body
from benchmarks.cli import entry
from benchmarks.experiment.code_version import code_files, plugins_of
from benchmarks.suites import load_suite, suite_names
from hrnet import plugins

BODY = """
from torch import nn
NAMES = ("outside_body",)

class Body(nn.Module):
    out_channels, strides = (4,), (4,)

def build(name):
    return Body()

def suite():
    return "a suite"
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(plugins.VARIABLE, "")
    path = tmp_path / "outside.py"
    path.write_text(BODY)
    return path


def test_a_body_and_a_suite_from_outside(outside: Path) -> None:
    assert "outside_body" not in body_names()
    plugins.use([outside])
    assert "outside_body" in body_names() and "outside" in suite_names()
    assert type(build_body("outside_body")).__name__ == "Body"
    assert file_of_body("outside_body") == outside
    assert load_suite("outside") == "a suite"  # type: ignore[comparison-overlap]
    assert plugins_of("pose", "outside_body") == [str(outside)] and outside in code_files("pose", "outside_body", False)
    assert plugins_of("pose", "hrnet_micro_w8") == [] and outside not in code_files("pose", "hrnet_micro_w8", False)


def test_a_task_from_outside(outside: Path) -> None:
    outside.write_text("class T:\n    name = 'outside_task'\nTASK = T()\n")
    plugins.defined.cache_clear()
    plugins.use([outside])
    assert "outside_task" in tasks.task_names() and tasks.get_task("outside_task").name == "outside_task"
    tasks.get_task.cache_clear()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "expected NAMES and build"),
        ("def broken(:\n", "expected a plug-in in Python"),
        (None, "expected a Python file, found none"),
    ],
)
def test_what_is_no_plugin_is_one_line(
    outside: Path, text: str | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = outside.parent / "other.py"
    if text is not None:
        path.write_text(text)
    assert entry(["profile", "--plugin", str(path), "hrnet_micro_w8"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and words in said[0]


def test_a_taken_name_is_refused(outside: Path) -> None:
    outside.write_text('NAMES = ("hrnet_w32",)\n\ndef build(name):\n    return None\n')
    plugins.defined.cache_clear()
    plugins.use([outside])
    with pytest.raises(ValueError, match="'hrnet_w32' is the name of a body already"):
        body_names()


def test_datasets_beside_a_plugin(outside: Path) -> None:
    assert plugins.data_root() is None
    outside.write_text('DATASETS = "data"\n')
    plugins.defined.cache_clear()
    plugins.use([outside])
    assert plugins.data_root() == outside.parent / "data"
