"""Ctrl-C and SIGTERM: one line, the shell's exit status, no child left; at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import start
from benchmarks.running.interrupts import LINES, descendants
from benchmarks.start import LINE

REPOSITORY = Path(__file__).parents[3]
STUBBORN = """
import multiprocessing, os, sys, time
from benchmarks.running.interrupts import children_without_interrupts, install

def child(path):
    grandchild = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    grandchild.start()
    open(path, "w").write(f"{os.getpid()} {grandchild.pid}")
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

if __name__ == "__main__":
    install()
    with children_without_interrupts():
        multiprocessing.get_context("spawn").Process(target=child, args=(sys.argv[1],)).start()
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_call_ends_with_its_children_whatever_they_catch(
    tmp_path: Path, number: signal.Signals, whole_group: bool
) -> None:
    script, noted = tmp_path / "stubborn.py", tmp_path / "pids"
    script.write_text(STUBBORN)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, str(script), str(noted)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(noted.read_text().split() if noted.exists() else []) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    below = descendants(process.pid)
    assert {int(pid) for pid in noted.read_text().split()} <= below
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + number and errors.splitlines() == [LINES[number]]
    deadline = time.monotonic() + 10
    while any(map(_alive, below)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(_alive, below))


@pytest.mark.parametrize("after_s", [0.12, 0.3, 1.5])
def test_a_run_that_is_interrupted_while_it_starts_says_one_line(tmp_path: Path, after_s: float) -> None:
    command = [sys.executable, "run_all.py", "run", "--suite", "embedded_pose", "--tier", "smoke", "--jobs", "2"]
    command += ["--out", str(tmp_path / "out"), "--embedded-root", str(tmp_path / "data")]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    # The interpreter's own start is not ours: the clock begins when it reads our code.
    deadline = time.monotonic() + 60
    while "interrupts" not in _open_modules(process.pid) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == LINES[signal.SIGINT] and "Traceback" not in errors
    assert errors.count(LINES[signal.SIGINT]) == 1


def _open_modules(pid: int) -> str:
    """ "interrupts" once the handler is set: then SIGINT is caught by the process's own code."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""
    caught = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt")), 0)
    return "interrupts" if caught >> (signal.SIGTERM - 1) & 1 else ""


def test_a_signal_after_all_is_done_changes_nothing() -> None:
    """The interpreter's end: what was registered with atexit before the program is called last."""
    code = (
        "import atexit, os, signal, sys\n"
        "def late():\n"
        "    for number in (signal.SIGINT, signal.SIGTERM): os.kill(os.getpid(), number)\n"
        "atexit.register(late)\n"
        "from benchmarks.cli import entry\n"
        "sys.exit(entry())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "no-verb"], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1) and "unknown verb" in done.stderr


def test_little_is_imported_before_signals_are_handled() -> None:
    code = "import benchmarks.cli, sys; print(sorted({'hrnet', 'tasks', 'numpy', 'msgspec'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
    code = "import sys; before = {*sys.modules}; import benchmarks.start; print(sorted({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.stdout == "['benchmarks', 'benchmarks.start']\n", done.stderr


@pytest.mark.parametrize(("ignored", "status"), [(False, 130), (True, 0)])
def test_an_interrupt_while_the_first_modules_load_is_one_line(ignored: bool, status: int) -> None:
    """At any import of the command: its script is pip's, `from benchmarks.start import main; sys.exit(main())`."""
    code = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, *rest):\n"
        "        if name in ('benchmarks.cli', 'argparse'): os.kill(os.getpid(), signal.SIGINT)\n"
        f"signal.signal(signal.SIGINT, signal.{'SIG_IGN' if ignored else 'default_int_handler'})\n"
        "from benchmarks.start import main\n"
        "sys.meta_path.insert(0, Finder)\n"
        "sys.argv[1:] = ['--version']\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (status, "" if ignored else LINE)


def test_the_command_begins_there() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert f'hrnet-benchmark = "{start.__name__}:{start.main.__name__}"' in text
