"""Kills a run at random moments until it has finished, and compares what it leaves with a run that nobody killed.

    python tests/tools/random_kills.py --kills 200 --work /tmp/kills [--suite smoke] [--only PATTERN ...] [--jobs 2] [--seed 0]

Each kill is SIGKILL to the whole process group, at a moment drawn uniformly from the run that nobody killed: from the processor
seconds that it took in all its processes, so that the same parts are hit on a machine that others use meanwhile. After it the
store must be readable: each cell is whole or not there. A round ends when a run comes to its end; then its cells are compared
with those of the whole run (ids, figures, curves, statistics, weights, predictions and pictures, bit for bit), and the next round
begins with an empty folder. The exit status is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

LOOK_S = 0.05
"""Between two looks at whether the moment has come."""
REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.store.store import Store  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--work", type=Path, required=True, help="a folder for the runs; emptied")
    parser.add_argument("--suite", default="smoke")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no further run after this time")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    return _Campaign(arguments).run()


class _Campaign:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.chance = random.Random(arguments.seed)
        self.moments: list[float] = []
        """Processor seconds of the runs that were killed."""
        self.counts = {"kills": 0, "rounds": 0, "cells compared": 0, "unreadable": 0, "different": 0, "ended badly": 0}

    def run(self) -> int:
        start = time.monotonic()
        status, seconds = self._start("whole", None)
        took = time.monotonic() - start
        if status != 0:
            print(f"the run that nobody kills ended with status {status}")
            return 1
        whole = contents(self.arguments.work / "whole")
        print(f"{len(whole) - 1} cells in {took:.0f} s ({seconds:.0f} s of CPU) without a kill", flush=True)
        while self.counts["kills"] < self.arguments.kills and time.monotonic() - start < self.arguments.seconds:
            name = f"round-{self.counts['rounds']}"
            if self._round(name, seconds, whole):
                shutil.rmtree(self.arguments.work / name)
            self.counts["rounds"] += 1
            print(json.dumps(self.counts), flush=True)
        bad = self.counts["unreadable"] + self.counts["different"] + self.counts["ended badly"]
        if self.moments:
            shares = [min(9, int(10 * moment / seconds)) for moment in self.moments]
            print(f"killed in each tenth of the run: {[shares.count(tenth) for tenth in range(10)]}")
        print(f"{'FAILED' if bad else 'all as if nothing had happened'}: {json.dumps(self.counts)}")
        return 1 if bad else 0

    def _round(self, name: str, seconds: float, whole: dict[str, str]) -> bool:
        """Kills until a run comes to its end; True if all was well."""
        while True:
            enough = self.counts["kills"] >= self.arguments.kills
            status, spent = self._start(name, None if enough else self.chance.uniform(0.0, seconds))
            if status is not None:
                break
            self.counts["kills"] += 1
            self.moments.append(spent)
            self.counts["unreadable"] += sum(
                1 for stored in Store(self.arguments.work / name / "runs").all() if stored.damage
            )
        found = contents(self.arguments.work / name)
        self.counts["cells compared"] += len(found) - 1
        self.counts["ended badly"] += status != 0
        differing = sorted(key for key in whole.keys() | found.keys() if whole.get(key) != found.get(key))
        self.counts["different"] += len(differing)
        for key in differing:
            print(f"{name}: {key} differs or is missing", flush=True)
        return status == 0 and not differing

    def _start(self, name: str, kill_after_s: float | None) -> tuple[int | None, float]:
        """Exit status of a run (None: killed) and its processor seconds."""
        place = self.arguments.work / name
        command = [sys.executable, "run_all.py", "run", "--suite", self.arguments.suite, "--no-report"]
        command += ["--jobs", self.arguments.jobs, "--out", str(place), "--embedded-root", str(place / "data")]
        command += ["--only", *self.arguments.only] if self.arguments.only else []
        before = _spent_s()
        with (self.arguments.work / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True)
            if kill_after_s is None:
                return process.wait(), _spent_s() - before
            while (spent := spent_s(process.pid)) < kill_after_s:
                if process.poll() is not None:
                    return process.returncode, spent
                time.sleep(LOOK_S)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None, spent


def _spent_s() -> float:
    """Processor seconds of all processes that this one has waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent_s(session: int) -> float:
    """Processor seconds so far of the processes of a session, with those that they have waited for."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def contents(place: Path) -> dict[str, str]:
    """Cell -> digest of what must not depend on interruptions, dates or neighbours: figures, curves, statistics, weights,
    predictions, pictures; and the embedded data's."""
    found = {}
    for stored in Store(place / "runs").all():
        plain = stored.record.to_plain()
        digest = hashlib.sha256(json.dumps([plain["figures"], plain["curves"], plain["status"]]).encode())
        for path in sorted(path for path in stored.folder.rglob("*") if path.is_file() and path.name != "cell.json"):
            name = str(path.relative_to(stored.folder))
            if name in ("stats.npz", "weights.pt"):
                with zipfile.ZipFile(path) as archive:
                    for entry in sorted(archive.namelist()):
                        digest.update(name.encode() + entry.encode() + archive.read(entry))
            else:
                digest.update(name.encode() + path.read_bytes())
        found[f"{stored.record.cell.task}/{stored.id}"] = digest.hexdigest()
    data = hashlib.sha256()
    for path in sorted((place / "data").rglob("*")):
        if path.is_file() and path.name != "embedded.json":
            data.update(str(path.relative_to(place)).encode() + path.read_bytes())
    found["embedded data"] = data.hexdigest()
    return found


if __name__ == "__main__":
    sys.exit(main())
