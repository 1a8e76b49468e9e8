"""A large store: seconds and memory of `plan`, `tables` and `check` over 1,000 and 10,000 made-up cells.

python -m benchmarks.speed.store [CELLS ...]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.installation import CODE
from benchmarks.experiment.key import cell_key
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.store.digests import file_digest
from benchmarks.store.record import encode, record_of, sealed
from benchmarks.suites import load_suite
from tasks import get_task

SUITE = "embedded_landmarks"
LIMITS_S = {"plan": 5.0, "tables": 15.0, "check": 5.0}
"""What 10,000 cells may take; intervals are not drawn."""
LIMIT_MIB = 600


def main() -> int:
    """Prints a line for each size and verb."""
    sizes = [int(word) for word in sys.argv[1:]] or [1000, 10_000]
    seconds: dict[tuple[str, int], float] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            seeds = make(Path(folder), size)
            for verb in LIMITS_S:
                seconds[verb, size], processor_s, mib = measured(verb, Path(folder), seeds)
                growth = seconds[verb, size] / seconds[verb, sizes[0]]
                print(
                    f"{size:6} cells  {verb:6}  {seconds[verb, size]:6.1f} s ({processor_s:.1f} s of CPU)  {mib:5.0f} MiB"
                    + (f"  {growth:.1f} times the {sizes[0]} cells" if size != sizes[0] else "")
                )
    return 0


def make(out: Path, size: int) -> int:
    """Writes about `size` finished cells, the suite's under many seeds; returns the number of seeds."""
    suite = load_suite(SUITE, tier="smoke")
    seeds = max(1, round(size / len(suite.cells)))
    places = Places(out=out / "runs")
    for cell in suite.with_seeds(seeds).cells:
        folder = places.out / cell.task / cell.id
        folder.mkdir(parents=True)
        with (folder / "stats.npz").open("wb") as handle:
            np.savez_compressed(handle, image=np.array([f"{index:06}" for index in range(8)]))
        plain = _plain(cell, places) | {"statistics": file_digest(folder / "stats.npz")}
        (folder / "cell.json").write_bytes(encode(sealed(record_of(plain))))
    return seeds


def _plain(cell: Cell, places: Places) -> dict[str, object]:
    task = get_task(cell.task)
    chance = np.random.default_rng(cell.seed)
    headline = task.headline(cell.dataset)
    names = [headline, *list(task.metrics)[:20]]
    figures = {
        name: {
            "value": float(chance.uniform(5, 90)),
            "unit": task.metrics[name].unit,
            "higher_is_better": task.metrics[name].direction.higher_is_better,
            "decimals": 2,
            "n": 8,
        }
        for name in names
    }
    return {
        "id": cell.id,
        "name": cell.name,
        "label": cell.label,
        "cell": cell.identity(),
        "key": cell_key(resolve(cell, places)),
        "status": "done",
        "figures": figures,
        "headline": headline,
        "n": {"images": 8, "samples": 8},
        "durations_s": {"total": 4.0},
        "curves": {"training": [{"epoch": k, "lr": 0.1, "loss": 1.0} for k in range(5)]},
    }


def measured(verb: str, out: Path, seeds: int) -> tuple[float, float, float]:
    """Seconds of a verb in a process of its own, those of the processor, and the most memory that any so far took (MiB)."""
    command = [sys.executable, "run_all.py", verb, "--suite", SUITE, "--tier", "smoke", "--seeds", str(seeds)]
    command += ["--out", str(out), *(["--intervals", "none"] if verb == "tables" else [])]
    start, before = time.perf_counter(), _processor_s()
    done = subprocess.run(command, cwd=CODE, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # the gate has no expected values of these cells
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, _processor_s() - before, used.ru_maxrss / 1024


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
