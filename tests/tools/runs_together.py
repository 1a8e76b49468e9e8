"""Starts several runs on one results folder at once, and compares what they make with what one run makes alone.

    python tests/tools/runs_together.py --work /tmp/together [--suite smoke] [--only PATTERN ...] [--shapes 1x1 2x1 4x1 1x2]

A shape "KxJ" is K runs with ``--jobs J`` each. For each it is counted how often every cell really was trained and evaluated, in
whichever process; the cells (as random_kills.py compares them) are held bit for bit against those of the first shape. The exit
status is 1 where a run does not end with 0, a cell is run twice or never, or anything differs.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

NOTED = "HRNET_TOOL_NOTED_RUNS"
"""The file to which every process adds the cells that it runs."""


def note_runs() -> None:
    """Has this process note each cell whose run it begins, after claiming it and finding no result."""
    from benchmarks.running.trial import Trial

    original = Trial.run

    @functools.wraps(original)
    def noted(self: Trial, *arguments: Any, **options: Any) -> Any:
        with Path(os.environ[NOTED]).open("a") as file:
            file.write(f"{self.cell.task}/{self.cell.id}\n")
        return original(self, *arguments, **options)

    Trial.run = noted  # type: ignore[method-assign]


def started_together(place: Path, runs: int, options: list[str]) -> dict[str, Any]:
    """Runs `run OPTIONS` in so many processes at once on the folder `place`; {"statuses", "seconds", "said", "counts"}."""
    place.mkdir(parents=True)
    command = [sys.executable, __file__, "--as-run", "run", *options, "--no-report"]
    command += ["--out", str(place), "--embedded-root", str(place / "data")]
    environment = os.environ | {NOTED: str(place / "noted"), "PYTHONPATH": str(REPOSITORY)}
    (place / "noted").touch()
    start = time.monotonic()
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, cwd=REPOSITORY, env=environment, **pipes) for _ in range(runs)]
    said = [process.communicate() for process in started]
    return {
        "statuses": [process.returncode for process in started],
        "seconds": time.monotonic() - start,
        "said": said,
        "counts": Counter((place / "noted").read_text().split()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a folder for the runs; emptied")
    parser.add_argument("--suite", default="smoke")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--shapes", nargs="*", default=["1x1", "2x1", "4x1", "1x2"])
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    first: dict[str, str] = {}
    bad = False
    for shape in arguments.shapes:
        runs, jobs = map(int, shape.split("x"))
        options = ["--suite", arguments.suite, "--jobs", str(jobs)]
        options += ["--only", *arguments.only] if arguments.only else []
        before = os.getloadavg()[0]
        place = arguments.work / shape
        line = started_together(place, runs, options)
        (arguments.work / f"{shape}.log").write_text("\n".join(text for pair in line.pop("said") for text in pair))
        found = _contents(place)
        first = first or found
        counts = line.pop("counts")
        wrong = sorted(key for key in found.keys() - {"embedded data"} | counts.keys() if counts[key] != 1)
        differing = sorted(key for key in first.keys() | found.keys() if first.get(key) != found.get(key))
        bad |= bool(any(line["statuses"]) or wrong or differing)
        line |= {"seconds": round(line["seconds"], 1), "cells": len(found) - 1, "run once": len(found) - 1 - len(wrong)}
        line |= {"not run once": wrong, "differing": differing, "load before and after": [before, os.getloadavg()[0]]}
        print(f"{runs} runs, {jobs} jobs each: {json.dumps(line)}", flush=True)
        shutil.rmtree(place)
    return 1 if bad else 0


def _contents(place: Path) -> dict[str, str]:
    from random_kills import contents

    return contents(place)


if __name__ in ("__main__", "__mp_main__") and "--as-run" in sys.argv:
    if __name__ == "__mp_main__":  # a worker of the run
        note_runs()
    else:
        from benchmarks.cli import entry

        sys.exit(entry(sys.argv[2:]))
elif __name__ == "__main__":
    sys.exit(main())
