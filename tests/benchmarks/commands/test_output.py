"""What verbs write where nobody reads on, where there is no room, and where the encoding lacks a sign."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cli import entry

REPOSITORY = Path(__file__).resolve().parents[3]


def _piped(script: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What bash makes of a script in which $RUN stands for the command line."""
    known = {"PATH": "/usr/bin:/bin", "RUN": f"{sys.executable} {REPOSITORY / 'run_all.py'}"} | environment
    return subprocess.run(["bash", "-c", script], env=known, cwd=REPOSITORY, capture_output=True, check=False)


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_leaves_early_ends_the_call_quietly(tmp_path: Path, buffered: str) -> None:
    script = f"$RUN plan --out {tmp_path} | head -1; exit ${{PIPESTATUS[0]}}"
    made = _piped(script, PYTHONUNBUFFERED=buffered)
    assert made.returncode in (0, 141) and made.stderr == b"" and len(made.stdout.splitlines()) == 1
    # Nobody reads from the start.
    made = _piped(f"{{ sleep 0.5; $RUN plan --out {tmp_path}; echo $? >&2; }} | true", PYTHONUNBUFFERED=buffered)
    assert made.stderr == b"141\n"


def test_an_output_without_room_is_one_line(tmp_path: Path) -> None:
    made = _piped(f"$RUN plan --out {tmp_path} > /dev/full")
    assert made.returncode == 2 and len(made.stderr.splitlines()) == 1 and b"No space left" in made.stderr


def test_a_broken_pipe_that_is_not_the_output_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> int:
        raise BrokenPipeError(32, "Broken pipe of a worker")

    monkeypatch.setattr("benchmarks.commands.plan.main", broken)
    assert entry(["plan"]) == 2
    assert "Broken pipe of a worker" in capsys.readouterr().err


def test_signs_that_the_encoding_lacks_are_question_marks() -> None:
    code = "from benchmarks.cli import entry; entry(['--help']); print('AP', chr(0x2191))"
    made = _piped(f'{sys.executable} -c "{code}"', PYTHONIOENCODING="ascii")
    assert made.returncode == 0 and made.stdout.endswith(b"AP ?\n"), made.stderr


def test_the_end_of_a_training_prints_nothing() -> None:
    """Its optimiser imports Triton, which tells at the interpreter's end of everything that is left."""
    code = "import benchmarks.cli, torch; torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
