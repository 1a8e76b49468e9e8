"""One cell: mmengine's Runner trains and evaluates it.

This file, batches, hooks and optimisation are the only ones that know mmengine.
"""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import contextlib
import ctypes
import logging
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.engine import distributed as processes
from benchmarks.engine.accelerator import bytes_of, loading
from benchmarks.engine.hooks import Interrupted, Progress, Report, StopHook, WatchHook
from benchmarks.engine.model import HarnessModel
from benchmarks.engine.optimisation import optimizer_of, schedulers_of, wrapper_of
from benchmarks.engine.resume import ResumeHook
from benchmarks.engine.runtimes.execution import compiled, executed
from benchmarks.engine.spawned_data import for_loaders
from benchmarks.engine.steps.ahead import AheadLoop
from benchmarks.engine.steps.averaging import AverageHook
from benchmarks.engine.steps.batches import EpochSampler
from benchmarks.engine.steps.moving import values_for
from benchmarks.engine.steps.recompute import recomputed
from benchmarks.engine.validation import Validation, ValidationHook
from tasks.accelerator import is_far
from tasks.base import EvalData, Evaluation, Task, TrainData
from tasks.precision import check_precision, float32_products, reduced
from tasks.recipe import Recipe

SHARD = 64
"""Samples whose statistics travel at a time."""


class CollectMetric(BaseMetric):
    """Hands every prediction to the task's evaluation as it comes. Of several processes each has its own evaluation of its
    samples; at the end the first one takes over what the others have kept (statistics, where the task says which)."""

    default_prefix = "harness"

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__()
        self.evaluation = evaluation
        self.seen: set[int] = set()
        self.predictions: dict[int, Any] = {}
        """Of an evaluation that cannot be merged, what it is to be given by the first process."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        indices = [index for index, _ in data_samples]
        self.seen.update(indices)
        if get_world_size() > 1 and not self.evaluation.per_sample:
            self.predictions.update(data_samples)
        else:
            self.evaluation.add(indices, [prediction for _, prediction in data_samples])

    def evaluate(self, size: int) -> dict[str, float]:
        if get_world_size() > 1:
            self._gather()
        return {"harness/samples": float(len(self.seen))}

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        return {}

    def _gather(self) -> None:
        order, merges = sorted(self.seen), bool(self.evaluation.per_sample)
        pieces = [order[start : start + SHARD] for start in range(0, len(order), SHARD)]
        parts = (
            (piece, self.evaluation.shard(piece) if merges else [self.predictions[index] for index in piece])
            for piece in pieces
        )
        for piece, part in processes.gathered(parts):
            self.seen.update(piece)
            if merges:
                self.evaluation.merge(piece, part)
            else:
                self.predictions.update(zip(piece, part, strict=True))
        if not merges and processes.is_main_process():
            held = sorted(self.predictions)
            self.evaluation.add(held, [self.predictions[index] for index in held])


class QuietRunner(Runner):
    """mmengine's Runner without its survey of the environment, which takes seconds; provenance records it once."""

    def _log_env(self, env_cfg: Any) -> None:
        return

    def dump_config(self) -> None:
        return

    def build_logger(self, log_level: Any = "INFO", log_file: str | None = None, **options: Any) -> Any:
        from mmengine.logging import MMLogger

        return MMLogger.get_instance(self._experiment_name, log_level="ERROR", file_mode="a")


def set_threads(count: int) -> None:
    """Threads of one process; set to 1 where cells run side by side.

    Also tells glibc to keep freed memory: by default every large activation is mapped and unmapped anew, which costs a
    micro network about a sixth of its time in the kernel. No number changes.
    """
    torch.set_num_threads(count)
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


def seed_everything(seed: int) -> None:
    """Initial weights come from here; later draws are addressed by iteration or by sample."""
    torch.manual_seed(seed)


class Trained(NamedTuple):
    """What a training leaves beside the network.

    Attributes:
        curves: one entry per epoch.
        durations_s: seconds spent on data and on steps.
        notes: what a reader of the figures must know.
    """

    curves: list[dict[str, float]]
    durations_s: dict[str, float]
    notes: tuple[str, ...] = ()


def train(
    network: nn.Module,
    task: Task,
    data: TrainData,
    recipe: Recipe,
    protocol: Any,
    *,
    seed: int,
    workspace: Path,
    report: Report,
    key: str = "",
    num_workers: int | None = None,
    loggers: Visualizer | None = None,
    stop_after_epoch: int | None = None,
    validation: Validation | None = None,
    compile_steps: bool = False,
) -> Trained:
    """Trains ``network`` in place; continues from ``workspace/resume.pt`` if an earlier call was interrupted.

    Args:
        key: of the cell; a state that was saved under another one is discarded.
        loggers: take the curves, epoch by epoch.
        num_workers: loader processes; None for as many as the recipe names.
        stop_after_epoch: ends early, as an interruption would, with the state on disk; for tests.
        compile_steps: whether ``torch.compile`` makes the forward and backward pass.
        validation: how the network is judged meanwhile, where the recipe says ``validate_every``.
    """
    _check(task, data, recipe)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    check_precision(recipe.precision, device)
    task.prepare(network, recipe)
    if recipe.batch_norm == "sync" and get_world_size() > 1:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    # Before anything is made beside it: an average of the weights is to live where they do.
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model = HarnessModel(network, task, recipe, protocol, values_for(data, device))
    sampler = EpochSampler(data, recipe.batch_size, seed, recipe.drop_last)
    workers = recipe.num_workers if num_workers is None else num_workers
    sent = for_loaders(data, workers)
    loader: DataLoader[Any] = DataLoader(
        sent,
        batch_sampler=sampler,
        collate_fn=sent.collate,
        **loading(workers, device, bytes_of(data[0, 0]) * recipe.batch_size if workers else 0),
    )
    optimizer = optimizer_of(network, recipe)
    wrapper = wrapper_of(optimizer, recipe)
    curves: list[dict[str, float]] = []
    watch = WatchHook(report, seed, curves)
    carried, keep_result = _carried(network, recipe, validation, curves)
    hooks: list[Hook] = [watch, *carried.values(), ResumeHook(workspace / "resume.pt", curves, key, report, carried)]
    notes: list[str] = []
    model.say = lambda text: _say(text, notes, report)
    runner = _runner(
        processes.shared(model, device, lambda: data.collate([data[key] for key in sampler.batches()[0][:2]])),
        workspace,
        hooks,
        loggers=loggers,
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": recipe.epochs, "val_interval": recipe.epochs + 1},
        optim_wrapper=wrapper,
        param_scheduler=schedulers_of(wrapper, recipe, len(sampler)),
    )
    if stop_after_epoch is not None:
        runner.register_hook(StopHook(stop_after_epoch), priority="VERY_LOW")
    with (
        recomputed(network, recipe.checkpoint_activations),
        float32_products(recipe.precision == "tf32", device, not data.sizes_vary),
        reduced(network, recipe.precision, device),
        compiled(network, compile_steps),
        contextlib.suppress(Interrupted),
    ):
        runner.train()
    notes += keep_result()
    processes.agree(network)
    return Trained(curves, {"train_data": watch.data_s, "train_step": watch.step_s}, tuple(notes))


def _check(task: Task, data: TrainData, recipe: Recipe) -> None:
    """Raises ValueError where there is nothing to learn from."""
    if len(data) == 0:
        raise ValueError(
            f"Expected training samples for {task.name}, got none. Check the annotation file of this split."
        )
    if recipe.batch_norm == "frozen" and recipe.init_from is None:
        raise ValueError(
            'Expected weights to start from where recipe.batch_norm is "frozen": the statistics of an untrained network mean '
            "nothing. Name them with --init FILE, or set recipe.batch_norm=train."
        )


def _say(text: str, notes: list[str], report: Report) -> None:
    notes[:] = [text]  # a later one of the same kind takes its place
    report(Progress("train", note=text))


def _carried(
    network: nn.Module, recipe: Recipe, validation: Validation | None, curves: list[dict[str, float]]
) -> tuple[dict[str, Any], Callable[[], list[str]]]:
    """Hooks of averaging and validation by name, and what makes their result the network's at the end."""
    carried: dict[str, Any] = {}
    measured = network
    if recipe.ema_decay:
        carried["average"] = average = AverageHook(network, recipe.ema_decay)
        measured = average.result
    if recipe.validate_every:
        if validation is None:
            raise ValueError("Expected a split to validate on for recipe.validate_every, got none.")
        carried["validation"] = ValidationHook(validation, measured, recipe.validate_every, recipe.early_stop, curves)

    def keep_result() -> list[str]:
        judge = carried.get("validation")
        notes = [judge.take_best()] if judge is not None and judge.weights else []
        if measured is not network:
            network.load_state_dict(measured.state_dict())
        return notes

    return carried, keep_result


def evaluate(
    network: nn.Module,
    task: Task,
    data: EvalData,
    protocol: Any,
    *,
    workspace: Path,
    report: Report,
    batch_size: int,
    num_workers: int = 0,
    precision: str = "fp32",
    runtime: str = "eager",
    keep: bool = True,
) -> tuple[Evaluation, dict[str, float]]:
    """Predicts every sample of ``data`` and collects the evaluation.

    Args:
        keep: whether the evaluation is to hold the predictions, where it could do without.

    Returns:
        the evaluation, and the seconds spent on data and in the network (decoding included). Of several processes the first
        alone holds the predictions.
    """
    if len(data) == 0:
        raise ValueError(
            f"Expected samples to evaluate for {task.name}, got none. Check the annotation file and the protocol's filters."
        )
    data.keeps = keep
    network.eval().to(memory_format=torch.channels_last)
    device = next(network.parameters()).device
    model = HarnessModel(network, task, None, protocol, values_for(data, device))
    evaluation = task.evaluation(data, protocol)
    sent = for_loaders(data, num_workers)
    loader: DataLoader[Any] = DataLoader(
        sent,
        batch_sampler=processes.batches_of(len(data), batch_size, get_rank(), get_world_size()),
        collate_fn=sent.collate,
        **loading(num_workers, device, bytes_of(data[0]) * batch_size if num_workers else 0),
    )
    watch = WatchHook(report, 0, [])
    runner = _runner(
        model,
        workspace,
        [watch],
        test_dataloader=loader,
        test_cfg={"type": AheadLoop} if runtime == "eager" and is_far(device) else {},
        test_evaluator=Evaluator(CollectMetric(evaluation)),
    )
    report(Progress("evaluate", 0, len(loader)))
    with executed(network, runtime, precision, device, not data.sizes_vary):
        if runtime != "eager":  # what is exported or compiled at the first call is not the evaluation's time
            first = model.data_preprocessor(data.collate([data[0]]), False)
            with torch.inference_mode():
                task.predict(network, first, protocol)
        runner.test()
    return evaluation, {"eval_data": watch.data_s, "eval_model": model.predict_s}


def _runner(
    model: nn.Module, workspace: Path, hooks: list[Hook], loggers: Visualizer | None = None, **parts: Any
) -> Runner:
    logging.getLogger("mmengine").setLevel(logging.ERROR)
    return QuietRunner(
        model=model,
        work_dir=str(workspace),
        default_hooks={"logger": None, "checkpoint": None, "timer": None, "runtime_info": None},
        custom_hooks=hooks,
        launcher="none",  # the processes have met already, and the model is wrapped
        log_level="ERROR",
        default_scope="mmengine",
        env_cfg={"mp_cfg": {"mp_start_method": multiprocessing.get_start_method()}},
        visualizer=loggers or Visualizer(),
        experiment_name=f"{workspace.name}-{time.monotonic_ns()}",
        **parts,
    )
