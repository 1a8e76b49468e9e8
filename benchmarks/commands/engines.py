"""Where a suite's cells run: ``--engine``, and what each engine is told."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NamedTuple

from benchmarks.commands.arguments import at_least
from benchmarks.commands.settings import pairs
from benchmarks.experiment.paths import Places
from benchmarks.running.cores import available_cores
from benchmarks.running.executors.accelerators import VISIBLE, chosen_gpus, visible_gpus
from benchmarks.running.executors.interface import Executor
from benchmarks.running.executors.local import LocalExecutor

ENGINES = ("local", "ray", "slurm")


class Engine(NamedTuple):
    """An executor, and whether it hands out accelerators."""

    executor: Executor
    gpu: bool


def add_engine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("engine (where cells run; none of these changes a number, see docs/scaling.md)")
    group.add_argument("--engine", choices=ENGINES, default="local", help="this machine, a Ray cluster, or Slurm")
    group.add_argument(
        "--jobs", type=at_least(1), metavar="N", help="cells at a time (default: one per core or accelerator)"
    )
    group.add_argument(
        "--gpus", type=at_least(0), metavar="N", help="accelerators to use (default: all; with slurm: none)"
    )
    group.add_argument(
        "--cells-per-gpu", type=at_least(1), default=1, metavar="K", help="cells that share an accelerator"
    )
    group.add_argument("--address", metavar="A", help="of a running Ray cluster (default: one on this machine)")
    group.add_argument(
        "--slurm",
        nargs="*",
        action="extend",
        default=[],
        metavar="k=v",
        help="options of sbatch: partition=gpu time=240",
    )


def check_engine(arguments: argparse.Namespace) -> None:
    """Raises ValueError where an option belongs to another engine than the one that is asked for."""
    for option, engine, given in (("--address", "ray", arguments.address), ("--slurm", "slurm", arguments.slurm)):
        if given and arguments.engine != engine:
            raise ValueError(
                f"{option}: belongs to --engine {engine}, got --engine {arguments.engine}. Change one of the two."
            )
    if arguments.launcher != "none":
        raise ValueError("--launcher: belongs to train and eval, where several processes share a cell. Leave it out.")
    if arguments.engine == "slurm" and arguments.cells_per_gpu > 1:
        raise ValueError(
            "--cells-per-gpu: Slurm hands out whole accelerators. Leave it out, or ask for shards: --slurm gres=shard:1"
        )
    if arguments.engine != "local" and ":" in arguments.device:
        raise ValueError(
            f"--device {arguments.device}: expected auto, cpu or cuda with --engine {arguments.engine}, which hands the "
            "accelerators out."
        )


def engine_of(arguments: argparse.Namespace, places: Places, cells: int) -> Engine:
    """The engine of a run.

    Args:
        cells: how many there are to run.

    Raises:
        ValueError: its package or programs are missing, or it cannot be reached.
    """
    if arguments.engine == "ray":
        from benchmarks.running.executors.ray_cluster import ClusterOptions, RayExecutor

        gpus = 0 if arguments.device == "cpu" else arguments.gpus
        executor = RayExecutor(
            places.out, ClusterOptions(arguments.address, gpus, arguments.cells_per_gpu, arguments.jobs)
        )
        if arguments.device == "cuda" and not executor.has_gpus:
            executor.end()
            raise ValueError("--device cuda: expected accelerators, the cluster has none. Leave the option out.")
        return Engine(executor, executor.has_gpus)
    if arguments.engine == "slurm":
        from benchmarks.running.executors.slurm import SlurmExecutor, SlurmOptions

        gpus = 0 if arguments.device == "cpu" else arguments.gpus or int(arguments.device == "cuda")
        options = SlurmOptions(pairs(arguments.slurm, "--slurm"), gpus, arguments.jobs)
        return Engine(SlurmExecutor(places.out, options), gpus > 0)
    return _local(arguments, cells)


def _local(arguments: argparse.Namespace, cells: int) -> Engine:
    gpus: list[str] = []
    if arguments.gpus == 0:
        os.environ[VISIBLE] = ""
    elif arguments.device != "cpu":
        known = len(visible_gpus())
        gpus = chosen_gpus(arguments.gpus)
        if len(gpus) > known:
            print(
                f"--gpus {arguments.gpus}: this machine shows {known}; cells without one run on the CPU.",
                file=sys.stderr,
            )
    jobs = arguments.jobs if gpus else max(1, min(arguments.jobs or available_cores(), cells))
    return Engine(LocalExecutor(jobs, gpus, arguments.cells_per_gpu), bool(gpus))
