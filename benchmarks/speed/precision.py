"""What reduced precision costs: figures of trained networks in float32 and in bf16 (fp16, TF32), over many rendered pictures.

    python -m benchmarks.speed.precision --results results [--pictures N | --own] [--seeds N] [--only TASK/DATASET ...]

A tier's own validation set holds a hundred pictures: a few joints or boxes on a threshold decide the third digit there. So
validation sets of the same layout are rendered under another seed, ten times as large or more, and each trained network of a
results folder is evaluated on them in float32 and in each precision; pictures are drawn together for both. A limit holds
where the whole interval of the difference lies within it. Micro HRNet under three seeds: ten minutes of one core.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.analysis.compare import mean_figures
from benchmarks.engine.loops import set_threads
from benchmarks.experiment.cell import Cell, evaluation_of, make_cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.provenance import hardware
from benchmarks.running.trial import Trial
from benchmarks.store.store import Store
from benchmarks.suites.speed import SETS
from benchmarks.synthetic.cache import ensure, sizes_of
from benchmarks.tables.table import Column, Entry, Spread, Table
from benchmarks.tables.uncertainty import Difference, Figures, figures_of, paired
from tasks import get_task
from tasks.options import to_plain
from tasks.precision import check_precision

TIER = "embedded"
LIMITS = {"pose": 0.1, "segmentation": 0.1, "landmarks": 0.02, "detection": 0.1}
"""Of the headline's difference to float32, in its own unit (percent)."""
TIMES = {"detection": 30}
"""As many pictures as the tier's own validation set, by task, 10 of the others, unless --pictures says otherwise: enough for
intervals within the limits."""
DATA_SEED = 1
"""Of the pictures; the tier's own have 0."""
MOST_SEEDS = 10
BASE = ("fp32", "eager")
Way = tuple[str, str]
"""Precision and runtime."""
Part = tuple[Figures, Any]
"""Figures of one evaluation as a function of counts, and the images of its rows."""


@dataclass(frozen=True)
class Cost:
    """One set in one precision: the paired difference of the headline's mean over seeds, and the differences seed by seed."""

    cell: Cell
    way: Way
    metric: str
    num_pictures: int
    num_samples: int
    difference: Difference
    by_seed: tuple[float, ...]

    @property
    def limit(self) -> float:
        return LIMITS[self.cell.task]

    @property
    def holds(self) -> str:
        """ "yes" where the whole interval lies within the limit, "no" where none of it does; else what is known."""
        low, high = self.difference.low, self.difference.high
        if low >= -self.limit and high <= self.limit:
            return "yes"
        if low > self.limit or high < -self.limit:
            return "no"
        return "on these pictures" if abs(self.difference.value) <= self.limit else "not on these pictures"


def main() -> int:
    """Prints a line per evaluation and the table; returns 0 where every limit holds on the pictures, else 1."""
    arguments = _parser().parse_args()
    set_threads(arguments.threads)
    ways = [_way(word) for word in arguments.ways] or [(name, "eager") for name in _precisions()]
    if not ways:
        print("no precision but fp32 has units of its own on this machine: nothing to compare", file=sys.stderr)
        return 2
    costs: list[Cost] = []
    with contextlib.ExitStack() as stack:
        scratch = arguments.scratch or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for task, dataset in SETS:
            if arguments.only and f"{task}/{dataset}" not in arguments.only:
                continue
            trained = trained_cells(arguments.results, task, dataset, arguments.model, arguments.seeds)
            if not trained:
                print(f"{task}/{dataset}: no trained {arguments.model} in {arguments.results}", file=sys.stderr)
                continue
            data = rendered(trained[0], scratch / "data", arguments.pictures, arguments.own)
            costs += measured(trained, data, arguments.results, scratch, ways, arguments.draws)
    if not costs:
        return 2
    print(f"\n{table(costs, arguments.own).render('md')}")
    return 0 if all(abs(cost.difference.value) <= cost.limit for cost in costs) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="a folder of results with trained cells; only read")
    parser.add_argument("--pictures", type=int, help="of each set (default: 10 times the tier's, of detection 30)")
    parser.add_argument("--own", action="store_true", help="the tier's own validation set instead")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS, help="of trained networks, at most")
    parser.add_argument("--model", default="hrnet_micro_w8")
    parser.add_argument(
        "--only", nargs="*", default=[], choices=["/".join(pair) for pair in SETS], metavar="TASK/DATASET"
    )
    parser.add_argument(
        "--ways", nargs="*", default=[], metavar="PRECISION[:RUNTIME]", help="default: what is not emulated"
    )
    parser.add_argument("--draws", type=int, default=400, help="of pictures, for the interval")
    parser.add_argument("--scratch", type=Path, help="where pictures are kept (default: a folder that goes)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser


def _way(word: str) -> Way:
    precision, _, runtime = word.partition(":")
    return precision, runtime or "eager"


def _precisions() -> list[str]:
    """What this machine has arithmetic for, beside float32."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    found = []
    for name in ("tf32", "bf16", "fp16"):
        with contextlib.suppress(ValueError):
            check_precision(name, device)
            found.append(name)
    return found


def trained_cells(results: Path, task: str, dataset: str, model: str, most: int) -> list[Cell]:
    """The cells of a network that the results hold, seed by seed."""
    store = Store(runs_of(results))
    cells = (make_cell(task, dataset, model, tier=TIER, seed=seed) for seed in range(MOST_SEEDS))
    held = [cell for cell in cells if (found := store.load(task, cell.id)) is not None and found.done]
    return held[:most]


def runs_of(results: Path) -> Path:
    """The folder of the cells: `runs/` of a results folder, or that folder itself."""
    return results / "runs" if (results / "runs").is_dir() else results


def rendered(cell: Cell, root: Path, pictures: int | None, own: bool) -> Path:
    """Renders a cell's validation set where it is not there yet, and a few training pictures; returns its folder."""
    assert cell.data is not None
    sizes = sizes_of(cell.data, cell.tier)
    evaluated = {split: count for split, count in sizes.items() if split.startswith("val")}
    total = sum(evaluated.values())
    share = 1.0 if own else TIMES.get(cell.task, 10) if pictures is None else pictures / total
    wanted = {split: max(1, round(count * share)) for split, count in evaluated.items()}
    few = {split: min(2, count) for split, count in sizes.items()}
    return ensure(cell.data, root, cell.tier, 0 if own else DATA_SEED, few | wanted)


def measured(
    trained: Sequence[Cell], data: Path, results: Path, scratch: Path, ways: Sequence[Way], draws: int
) -> list[Cost]:
    """The costs of each way for one network under its seeds, over the pictures of a folder."""
    task, dataset = trained[0].task, trained[0].dataset
    metric = get_task(task).headline(dataset)
    parts: dict[Way, list[Part]] = {way: [] for way in (BASE, *ways)}
    places = Places(out=runs_of(results), data_root=data, num_workers=0)
    for cell in trained:
        samples, pictures = _evaluate(cell, places, scratch, parts, metric)
    base = mean_figures(parts[BASE], metric, trained[0].name)
    costs = []
    for way in ways:
        other = mean_figures(parts[way], metric, trained[0].name)
        [difference] = paired(base[0], other[0], base[1], other[1], [metric], draws)
        by_seed = tuple(_value(b, metric) - _value(a, metric) for a, b in zip(parts[BASE], parts[way], strict=True))
        costs.append(Cost(trained[0], way, metric, pictures, samples, difference, by_seed))
    return costs


def _evaluate(cell: Cell, places: Places, scratch: Path, parts: dict[Way, list[Part]], metric: str) -> tuple[int, int]:
    """Evaluates one trained network in every way; returns the numbers of samples and of pictures."""
    samples = pictures = 0
    network = cost = data = None
    for way, found in parts.items():
        again = replace(evaluation_of(cell, precision=way[0], runtime=way[1]), data=None)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            trial = Trial(again, places, lambda progress: None, Path(folder), Path(folder))
            if network is None or cost is None or data is None:
                data = trial.open_data()
                network, cost = trial.build()
                trial.task.meet(network, data)
            evaluation = trial.evaluate(network, data, cost)
            stats = evaluation.stats()
        samples, pictures = len(data), len(set(data.image_ids()))
        figures = figures_of(cell.task, cell.dataset, stats, to_plain(trial.protocol), [metric])
        found.append((figures, stats["image"]))
        print(f"{cell.name} {' '.join(way)}: {metric} {_value(found[-1], metric):.3f}, n={samples}", flush=True)
    return samples, pictures


def _value(part: Part, metric: str) -> float:
    return float(part[0](None)[metric])


def table(costs: Iterable[Cost], own: bool) -> Table:
    """One row per set and way."""
    found = list(costs)
    facts = hardware()
    made = Table(
        "precision",
        f"Reduced precision against float32: {found[0].cell.model}, {TIER}",
        [
            Column("set", "set"),
            Column("metric", "metric"),
            Column("way", "precision"),
            Column("pictures", "pictures"),
            Column("n", "n"),
            Column("seeds", "seeds"),
            Column("base", "fp32", "%", digits=3),
            Column("reduced", "reduced", "%", digits=3),
            Column("difference", "difference", "%", digits=3, signed=True),
            Column("by_seed", "seed by seed"),
            Column("p", "p", digits=3),
            Column("limit", "limit", "%"),
            Column("holds", "holds"),
        ],
    )
    for cost in found:
        difference = cost.difference
        spread = None
        if np.isfinite(difference.low):
            spread = Spread("bootstrap", difference.draws, low=difference.low, high=difference.high)
        precision, runtime = cost.way
        made.add(
            {
                "set": f"{cost.cell.task}/{cost.cell.dataset}",
                "metric": cost.metric,
                "way": precision + (f", {runtime}" if runtime != "eager" else ""),
                "pictures": cost.num_pictures,
                "n": cost.num_samples,
                "seeds": len(cost.by_seed),
                "base": difference.value_a,
                "reduced": difference.value_b,
                "difference": Entry(difference.value, spread=spread),
                "by_seed": ", ".join(f"{value:+.3f}" for value in cost.by_seed),
                "p": Entry(difference.p) if np.isfinite(difference.p) else Entry(text="-"),
                "limit": f"± {cost.limit:g}",
                "holds": cost.holds,
            }
        )
    pictures = "the tier's own pictures" if own else f"pictures rendered under seed {DATA_SEED}"
    made.caption = (
        f"Measured on {facts.get('accelerator') or facts['cpu']}, torch {torch.__version__}, "
        f"{datetime.now(timezone.utc):%Y-%m-%d}: {pictures}. Differences are of means over the seeds' trained networks, with "
        f"95 % intervals of {found[0].difference.draws} draws of whole pictures, the same for both; p is two-sided, of no "
        "difference. A limit holds where the whole interval lies within it."
    )
    return made


if __name__ == "__main__":
    sys.exit(main())
