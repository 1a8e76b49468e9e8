"""Datasets of real size: seconds to the first batch, memory of all processes, seconds of scoring, and their growth.

    python -m benchmarks.speed.full_scale [--only NAME ...] [--loaders 4] [--keep FOLDER]

Annotation files of 50 MB and more are read twice: once with an empty cache of what was read (`tasks/readings/`), once from it.
Pictures are a few, hard-linked under all names, and annotations are drawn at random. Each line is a process of its own with its
loader processes; memory is the sum of their proportional sizes (PSS), so that what is shared counts once. CPU is what all of them
had spent of the processors by the first batch, imports included: on a machine with other work it says more than the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.experiment.installation import CODE
from tasks.readings import kept

BATCH = 16
CACHE = "cache"
"""Below a scenario's folder: what was read of its annotations."""


@dataclass(frozen=True)
class Scenario:
    """A split of a dataset at its real size; `count` is what grows with it."""

    name: str
    task: str
    dataset: str
    split: str
    images: int
    count: int
    trains: bool
    make: str

    def quarter(self) -> Scenario:
        return Scenario(**{**vars(self), "images": self.images // 4, "count": self.count // 4})


SCENARIOS = (
    Scenario("detection train2017", "detection", "coco", "train2017", 118_287, 860_001, True, "coco_instances"),
    Scenario("pose train2017", "pose", "coco", "train2017", 118_287, 149_813, True, "coco_keypoints"),
    Scenario("pose val2017, detector boxes", "pose", "coco", "val2017", 5_000, 104_125, False, "coco_detections"),
    Scenario("cityscapes val", "segmentation", "cityscapes", "val", 500, 500, False, "cityscapes"),
    Scenario("imagenet val", "classification", "imagenet", "val", 50_000, 50_000, False, "imagenet"),
)


def main() -> int:
    """Prints two lines a scenario: a quarter, and the whole with its growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("--loaders", type=int, default=4)
    parser.add_argument(
        "--start-method", choices=("fork", "spawn"), default="spawn", help="of the loaders; cells use spawn"
    )
    parser.add_argument("--keep", type=Path, help="where the data are made and kept (default: a folder that goes)")
    parser.add_argument("--share", type=float, default=1.0, help="of the real size, to try it out")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(_measured(Scenario(**json.loads(arguments.one)), arguments)))
        return 0
    head = f"{'':30} {'images':>8} {'entries':>8} {'open':>7} {'first batch':>12} {'CPU':>7}"
    print(f"{head} {'scoring':>9} {'CPU':>7} {'peak':>10}")
    with contextlib.ExitStack() as stack:
        folder = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for scenario in SCENARIOS:
            if arguments.only and scenario.name not in arguments.only:
                continue
            lines = []
            for label, sized in (("a quarter", scenario.quarter()), ("whole", scenario)):
                sized = _scaled(sized, arguments.share)
                place = folder / f"{scenario.name.replace(' ', '_').replace(',', '')}_{sized.count}"
                _make(sized, place)
                shutil.rmtree(place / CACHE, ignore_errors=True)
                lines.append(_in_process(sized, place, arguments))
                size = f"{sized.images:8} {sized.count:8}"
                print(f"{scenario.name + ', ' + label:30} {size} {_line(lines[-1])}", flush=True)
                if list((place / CACHE).rglob("*.arrays")):
                    print(f"{'  from the cache':30} {size} {_line(_in_process(sized, place, arguments))}", flush=True)
            print(f"{'':30} growth of 4 times the size: {_growth(*lines)}", flush=True)
    return 0


def _scaled(scenario: Scenario, share: float) -> Scenario:
    least = 1000 if scenario.dataset == "imagenet" else 64  # every class folder has a picture
    sized = {name: max(least, int(getattr(scenario, name) * share)) for name in ("images", "count")}
    return Scenario(**{**vars(scenario), **sized})


def _line(found: dict[str, float]) -> str:
    scoring = f"{found['score_s']:8.1f}s {found['score_cpu_s']:6.1f}s" if "score_s" in found else f"{'':>17}"
    return f"{found['open_s']:6.1f}s {found['first_s']:11.1f}s {found['cpu_s']:6.1f}s {scoring} {found['peak_mib']:6.0f} MiB"


def _growth(quarter: dict[str, float], whole: dict[str, float]) -> str:
    names = {
        "open_s": "open",
        "first_s": "first batch",
        "cpu_s": "its CPU",
        "score_s": "scoring",
        "score_cpu_s": "its CPU",
    }
    names["peak_mib"] = "peak"
    return ", ".join(
        f"{text} {whole[name] / max(quarter[name], 1e-9):.1f}x" for name, text in names.items() if name in whole
    )


def _make(scenario: Scenario, folder: Path) -> None:
    from benchmarks.speed import made_up_data

    done = folder / ".made"
    if done.exists():
        return
    make: dict[str, Callable[[], None]] = {
        "coco_instances": lambda: made_up_data.coco_instances(folder, scenario.split, scenario.images, scenario.count),
        "coco_keypoints": lambda: made_up_data.coco_keypoints(folder, scenario.split, scenario.images, scenario.count),
        "coco_detections": lambda: made_up_data.coco_keypoints(
            folder, scenario.split, scenario.images, max(64, scenario.count // 10), scenario.count
        ),
        "cityscapes": lambda: made_up_data.cityscapes(folder, scenario.split, scenario.images),
        "imagenet": lambda: made_up_data.imagenet(folder, scenario.split, scenario.images),
    }
    make[scenario.make]()
    done.touch()


def _in_process(scenario: Scenario, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    words = ["--one", json.dumps(vars(scenario)), "--keep", str(folder), "--loaders", str(arguments.loaders)]
    words += ["--start-method", arguments.start_method]
    command = [sys.executable, "-m", "benchmarks.speed.full_scale", *words]
    environment = os.environ | {kept.VARIABLE: str(folder / CACHE)}
    done = subprocess.run(command, cwd=CODE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{scenario.name}: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _measured(scenario: Scenario, arguments: argparse.Namespace) -> dict[str, float]:
    import multiprocessing

    multiprocessing.set_start_method(arguments.start_method)
    import torch
    from torch.utils.data import DataLoader

    from benchmarks.engine.accelerator import bytes_of, loading
    from benchmarks.engine.spawned_data import begin_server, for_loaders
    from benchmarks.engine.steps.batches import EpochSampler
    from benchmarks.experiment.cell import make_cell
    from tasks import get_task

    task = get_task(scenario.task)
    boxes = {"boxes": "detector"} if scenario.make == "coco_detections" else None
    cell = make_cell(scenario.task, scenario.dataset, "hrnet_w32", split=scenario.split, protocol=boxes)
    root = arguments.keep / scenario.dataset
    found: dict[str, float] = {}
    with _Peak() as peak:
        start = time.perf_counter()
        if arguments.loaders:
            begin_server()  # as a worker does when it takes a cell
        if scenario.trains:
            assert cell.recipe is not None
            data: Any = task.train_data(scenario.dataset, root, scenario.split, cell.recipe, cell.protocol, 0)
            order: dict[str, Any] = {"batch_sampler": EpochSampler(data, BATCH, 0, True)}
            size = bytes_of(data[0, 0])
        else:
            data = task.eval_data(scenario.dataset, root, scenario.split, cell.protocol)
            order = {"batch_size": BATCH}
            size = bytes_of(data[0])
        found["open_s"] = time.perf_counter() - start
        workers = arguments.loaders
        order |= loading(workers, torch.device("cpu"), size * BATCH)
        sent = for_loaders(data, workers)
        loader: DataLoader[Any] = DataLoader(sent, collate_fn=sent.collate, **order)
        batches = iter(loader)
        next(batches)
        found["first_s"] = time.perf_counter() - start
        found["cpu_s"] = sum(map(_cpu_s, _tree()))
        for _ in range(3):
            next(batches, None)
        del batches
        if scenario.make == "coco_detections":
            found |= _scoring(task, data, cell.protocol)
    return found | {"peak_mib": peak.mib}


def _scoring(task: Any, data: Any, protocol: Any) -> dict[str, float]:
    """Seconds from predictions to figures, and of this processor's; joints lie anywhere."""
    import numpy as np

    from tasks.options import to_plain

    evaluation = task.evaluation(data, protocol)
    chance = np.random.default_rng(0)
    poses = np.concatenate(
        [chance.uniform(0, 400, (len(data), 17, 2)), chance.uniform(0.2, 1, (len(data), 17, 1))], axis=2
    )
    start, before = time.perf_counter(), time.process_time()
    evaluation.add(range(len(data)), list(poses.astype(np.float32)))
    task.figures("coco", evaluation.stats(), to_plain(protocol))
    return {"score_s": time.perf_counter() - start, "score_cpu_s": time.process_time() - before}


class _Peak:
    """The largest sum of the proportional sizes of this process and those below it, looked at ten times a second."""

    def __enter__(self) -> _Peak:
        self.mib, self.over = 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.over.wait(0.1):
            self.mib = max(self.mib, sum(_pss_mib(pid) for pid in _tree()))


def _tree() -> list[int]:
    """This process and its descendants."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _cpu_s(pid: int) -> float:
    """Seconds of processors that a process has taken."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _pss_mib(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
