"""A large report: seconds, cold and warm, and bytes of the pages of many cells, made from those of a smoke run.

python run_all.py run --suite smoke --out RESULTS
PYTHONPATH=. python tests/tools/large_report.py RESULTS [CELLS ...]
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.suite import Suite
from benchmarks.report.page import write
from benchmarks.running.cores import available_cores
from benchmarks.store.record import encode, record_of, sealed
from benchmarks.store.store import Store
from benchmarks.suites import load_suite

LIMIT_S = 20.0
"""What the report of 250 cells may take where intervals and small pictures are kept."""


def main() -> int:
    """Prints a line for each size; 1 if 250 cells take more than the limit."""
    results, sizes = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or [46, 250]
    slow = False
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            suite, store = make(results, Path(folder), size)
            out, seconds = Path(folder) / "report", []
            for _ in range(2):
                with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # nothing is kept but on the disk
                    start = time.perf_counter()
                    fresh.submit(write, suite, store, out, jobs=available_cores()).result()
                    seconds.append(time.perf_counter() - start)
            files = [path for path in out.rglob("*") if path.is_file()]
            mb = sum(path.stat().st_size for path in files) / 1e6
            print(
                f"{len(suite.cells):5} cells  cold {seconds[0]:6.1f} s  warm {seconds[1]:6.1f} s  {mb:6.1f} MB in "
                f"{len(files)} files ({1000 * mb / len(suite.cells):.0f} kB a cell)"
            )
            slow |= size == 250 and seconds[1] > LIMIT_S
    return int(slow)


def make(results: Path, out: Path, size: int) -> tuple[Suite, Store]:
    """About `size` cells of the embedded tier: the smoke run's with their pictures and statistics, under other rates."""
    smoke, source, store = load_suite("smoke"), Store(results / "runs"), Store(out / "runs")
    instead: dict[str, list[Cell]] = {}
    for number in range(size):
        old = smoke.cells[number % len(smoke.cells)]
        held = source.load(old.task, old.id)
        if held is None or not held.done or old.recipe is None:
            continue
        rate = old.recipe.lr * (1 + number // len(smoke.cells) / 1000)
        cell = dataclasses.replace(
            old, tier="embedded", recipe=dataclasses.replace(old.recipe, lr=rate), boxes_from=None
        )
        plain = msgspec.to_builtins(held.record) | {"id": cell.id, "name": cell.name, "cell": cell.identity()}
        folder = store.folder(cell.task, cell.id)
        folder.mkdir(parents=True)
        shutil.copyfile(held.folder / "stats.npz", folder / "stats.npz")
        if (held.folder / "pictures").is_dir():
            shutil.copytree(held.folder / "pictures", folder / "pictures")
        (folder / "cell.json").write_bytes(encode(sealed(record_of(plain))))
        instead.setdefault(old.id, []).append(cell)
    for old in smoke.cells:
        instead.setdefault(old.id, [])
    return dataclasses.replace(smoke.with_cells(instead), name="many"), store


if __name__ == "__main__":
    sys.exit(main())
