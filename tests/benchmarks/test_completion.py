"""The shell's side of the command line: completion as bash carries it out, the version, verbs in groups."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.cli import GROUPS, VERBS, entry
from benchmarks.experiment.installation import own_version
from benchmarks.suites import suite_names

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("shtab")
    from benchmarks.cli import parser_of_all
    from benchmarks.completion import completion

    path = tmp_path_factory.mktemp("shell") / "completion.bash"
    path.write_text(completion(parser_of_all(), "bash"))
    return path


def _completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in ("hrnet-benchmark", *words))
    ask = f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_hrnet_benchmark"
    code = ask + "; printf '%s\\n' \"${COMPREPLY[@]}\""
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@bash
def test_verbs_options_and_values_are_completed(script: Path) -> None:
    assert _completed(script, "ev") == ["eval"]
    assert set(_completed(script, "")) >= set(VERBS)
    assert _completed(script, "eval", "--chec") == ["--checkpoint"]
    assert _completed(script, "eval", "--task", "seg") == ["segmentation"]
    assert set(_completed(script, "plan", "--suite", "")) == set(suite_names())
    assert "hrnet_w32" in _completed(script, "train", "--model", "hrnet_w3")
    assert _completed(script, "fetch", "hrnet_w32_coco_384") == ["hrnet_w32_coco_384x288-d9f0d786_20200708.pth"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_every_shell_gets_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert entry(["--print-completion", shell]) == 0
    assert "hrnet-benchmark" in capsys.readouterr().out


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["--print-completion", "fish"]) == 2
    assert "expected one of bash, zsh, tcsh" in capsys.readouterr().err


def test_the_version_and_the_groups(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["--version"]) == 0
    assert capsys.readouterr().out == f"hrnet-benchmark {own_version()}\n"
    assert entry(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for group, verbs in GROUPS.items():
        below = lines[lines.index(group) + 1 :][: len(verbs)]
        assert [line.split()[0] for line in below] == list(verbs)
    assert len(VERBS) == len(set(VERBS))
