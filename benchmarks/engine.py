"""One cell: mmengine's Runner trains and evaluates it. The only file that knows mmengine."""

from __future__ import annotations

import benchmarks.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import contextlib
import ctypes
import io
import logging
import math
import multiprocessing
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank, get_world_size, is_main_process
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.optim import AmpOptimWrapper, ConstantLR, CosineAnnealingLR, LinearLR, MultiStepLR, OptimWrapper, PolyLR
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.store import no_room
from tasks.base import EvalData, Evaluation, Task, TrainData
from tasks.recipe import Recipe


@dataclass
class Progress:
    """What a cell is doing, for whoever watches. ``done`` of ``total`` iterations of a phase."""

    phase: str
    done: int = 0
    total: int = 0
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    note: str = ""
    """Something that the watcher should read, once."""


Report = Callable[[Progress], None]


class EpochSampler:
    """Pairs (epoch, index) in an order drawn from (seed, epoch); each process takes its share.

    The pair travels to the dataset, which draws its augmentation from (seed, epoch, index): workers, interruptions and the
    order of cells change nothing.
    """

    def __init__(self, data: TrainData, batch_size: int, seed: int, drop_last: bool) -> None:
        self.data, self.batch_size, self.seed, self.epoch = data, batch_size, seed, 0
        self.groups = data.groups()
        self.drop_last = drop_last and len(data) >= batch_size * get_world_size()
        self.sampler = self  # where mmengine's seed hook looks for set_epoch

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def batches(self) -> list[list[tuple[int, int]]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.data))
        groups = np.zeros(len(self.data), dtype=np.int64) if self.groups is None else self.groups
        step = self.batch_size * get_world_size()
        made: list[np.ndarray] = []
        for group in np.unique(groups):
            members = order[groups[order] == group]
            if not self.drop_last and get_world_size() > 1 and len(members) % get_world_size():
                members = np.concatenate([members, members[: get_world_size() - len(members) % get_world_size()]])
            end = len(members) // step * step if self.drop_last and self.groups is None else len(members)
            made += [members[i : min(i + step, end)][get_rank() :: get_world_size()] for i in range(0, end, step)]
        if self.groups is not None:
            shuffled = np.random.default_rng([self.seed, self.epoch, 1]).permutation(len(made))
            made = [made[i] for i in shuffled]
        return [[(self.epoch, int(i)) for i in batch] for batch in made if len(batch)]

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return iter(self.batches())

    def __len__(self) -> int:
        if self.groups is None and self.drop_last:
            return len(self.data) // (self.batch_size * get_world_size())
        return len(self.batches())


class HarnessModel(BaseModel):
    """A task's network as mmengine wants to drive it: ``mode="loss"`` or ``mode="predict"``."""

    def __init__(self, network: nn.Module, task: Task, recipe: Recipe | None, protocol: Any) -> None:
        super().__init__()
        self.network, self.task, self.recipe, self.protocol = network, task, recipe, protocol
        self.predict_s = 0.0
        self.images = 0

    def forward(self, batch: dict[str, Any], mode: str = "tensor") -> Any:
        if isinstance(batch.get("images"), Tensor) and batch["images"].ndim == 4:
            batch["images"] = batch["images"].contiguous(memory_format=torch.channels_last)
        if mode == "loss":
            assert self.recipe is not None
            return self.task.loss(self.network, batch, self.recipe)
        start = time.perf_counter()
        with torch.inference_mode():
            predictions = self.task.predict(self.network, batch, self.protocol)
        self.predict_s += time.perf_counter() - start
        self.images += len(predictions)
        return list(zip(_integers(batch["index"]), predictions, strict=True))

    def _run_forward(self, data: Any, mode: str) -> Any:
        return self(batch=data, mode=mode)

    def train(self, mode: bool = True) -> HarnessModel:
        super().train(mode)
        if mode and self.recipe is not None and self.recipe.batch_norm == "frozen":
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


def _integers(indices: Any) -> list[int]:
    return [int(i) for i in (indices.tolist() if isinstance(indices, Tensor) else indices)]


class CollectMetric(BaseMetric):
    """Hands every prediction to the task's evaluation, once, on the main process: batch by batch where there is one."""

    default_prefix = "harness"

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__()
        self.evaluation = evaluation

    def process(self, data_batch: Any, data_samples: Any) -> None:
        if get_world_size() > 1:
            self.results.extend(data_samples)
            return
        # One process sees every sample: a fault ends the run at once, and what an evaluation does not need is not kept.
        self.evaluation.add([index for index, _ in data_samples], [prediction for _, prediction in data_samples])
        self.results.extend((index, None) for index, _ in data_samples)

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        found = dict(results)  # padding of the last shard repeats indices
        order = sorted(found)
        if get_world_size() > 1:
            self.evaluation.add(order, [found[i] for i in order])
        return {"samples": float(len(order))}


class QuietRunner(Runner):
    """mmengine's Runner without its survey of the environment, which takes seconds; provenance records it once."""

    def _log_env(self, env_cfg: Any) -> None:
        return

    def dump_config(self) -> None:
        return

    def build_logger(self, log_level: Any = "INFO", log_file: str | None = None, **options: Any) -> Any:
        from mmengine.logging import MMLogger

        return MMLogger.get_instance(self._experiment_name, log_level="ERROR", file_mode="a")


class ResumeHook(Hook):
    """Saves the whole state after every epoch as tensors and plain data, and continues from it.

    mmengine's own resume cannot read what it writes where ``torch.load`` admits tensors only. A state that other data or
    code made (another ``key``), or that cannot be read, is discarded, and ``report`` says so.
    """

    priority = "LOWEST"

    def __init__(
        self, path: Path, curves: list[dict[str, float]], key: str, report: Report, every_s: float = 5.0
    ) -> None:
        self.path, self.curves, self.key, self.report, self.every_s = path, curves, key, report, every_s
        self.last = time.monotonic()

    def _state(self) -> dict[str, Any] | None:
        """What an interrupted run of the same key left; None if there is nothing to continue from."""
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            fits = state["key"] == self.key
            reason = "data, weights or code have changed since"
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError):
            state, fits, reason = None, False, "it cannot be read, or an older version wrote it"
        if fits:
            return state
        self.report(Progress("train", note=f"starts anew: {self.path} is discarded ({reason})"))
        if is_main_process():
            self.path.unlink(missing_ok=True)
        return None

    def before_train(self, runner: Runner) -> None:
        state = self._state()
        if state is None:
            return
        _network(runner).load_state_dict(state["network"])
        runner.optim_wrapper.load_state_dict(state["optimizer"])
        for scheduler, saved in zip(runner.param_schedulers, state["schedulers"], strict=True):  # type: ignore[arg-type]
            scheduler.load_state_dict(saved)
        loop: Any = runner.train_loop
        loop._epoch, loop._iter = state["epoch"], state["iteration"]
        self.curves[:] = state["curves"]
        runner.logger.info("continues after epoch %d", state["epoch"])

    def after_train_epoch(self, runner: Runner) -> None:
        if not is_main_process():
            return
        last = runner.epoch + 1 >= runner.max_epochs
        if not last and time.monotonic() - self.last < self.every_s:
            return
        self.last = time.monotonic()
        state = {
            "key": self.key,
            "network": _network(runner).state_dict(),
            "optimizer": runner.optim_wrapper.state_dict(),
            "schedulers": [_plain(s.state_dict()) for s in runner.param_schedulers],  # type: ignore[union-attr]
            "epoch": runner.epoch + 1,
            "iteration": runner.iter,
            "curves": self.curves,
        }
        save_tensors(state, self.path, "the state of the training")


def save_tensors(state: Any, path: Path, what: str) -> None:
    """``torch.save``, whole or not at all: a temporary file, synced and renamed.

    Raises:
        OSError: the disk refused; the text names the file and what to do. Nothing is left behind.
    """
    temporary = path.with_suffix(".tmp")
    buffer = io.BytesIO()  # a full disk would make torch.save end in an error of its own that hides the disk's
    torch.save(state, buffer)
    try:
        with temporary.open("wb") as handle:
            handle.write(buffer.getbuffer())
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise no_room(error, path, what) from error


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    return {
        k: v for k, v in state.items() if isinstance(v, int | float | str | bool | list | tuple | dict) or v is None
    }


def _network(runner: Runner) -> nn.Module:
    model = runner.model.module if hasattr(runner.model, "module") else runner.model
    return model.network


class WatchHook(Hook):
    """Reports progress, keeps the training curves, addresses chance inside the network by (seed, iteration)."""

    priority = "LOW"

    def __init__(self, report: Report, seed: int, curves: list[dict[str, float]]) -> None:
        self.report, self.seed, self.curves = report, seed, curves
        self.sums: dict[str, float] = {}
        self.count = 0
        self.last = 0.0
        self.data_s = self.step_s = 0.0
        self.lr = 0.0
        self.mark = time.perf_counter()

    def before_train_epoch(self, runner: Runner) -> None:
        self.sums, self.count = {}, 0
        self.lr = float(runner.optim_wrapper.get_lr()["lr"][0])
        self.mark = time.perf_counter()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        torch.manual_seed((self.seed * 1_000_003 + runner.iter) % 2**63)
        self.data_s += time.perf_counter() - self.mark
        self.mark = time.perf_counter()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        values = {k: float(v.detach()) if isinstance(v, Tensor) else float(v) for k, v in (outputs or {}).items()}
        if not math.isfinite(values.get("loss", 0.0)):
            raise ValueError(
                f"The loss became {values['loss']} in epoch {runner.epoch + 1}, iteration {batch_idx + 1}. "
                "Lower the learning rate (--set recipe.lr=...) or look for bad annotations."
            )
        for key, value in values.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
        self.count += 1
        self.step_s += time.perf_counter() - self.mark
        self.mark = time.perf_counter()
        if self.mark - self.last > 0.3:
            self.last = self.mark
            per_epoch = len(runner.train_dataloader)
            means = {k: v / self.count for k, v in self.sums.items()}
            self.report(
                Progress(
                    "train",
                    runner.epoch * per_epoch + batch_idx + 1,
                    runner.max_epochs * per_epoch,
                    runner.epoch + 1,
                    runner.max_epochs,
                    means.pop("loss", None),
                    means,
                )
            )

    def after_train_epoch(self, runner: Runner) -> None:
        means = {k: v / max(1, self.count) for k, v in self.sums.items()}
        point = {"epoch": runner.epoch + 1, "lr": self.lr, **means}
        self.curves.append(point)
        for key, value in means.items():
            runner.visualizer.add_scalar(f"train/{key}", value, runner.epoch + 1)

    def before_test_epoch(self, runner: Runner) -> None:
        self.mark = time.perf_counter()

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.data_s += time.perf_counter() - self.mark

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.mark = time.perf_counter()
        if self.mark - self.last > 0.3:
            self.last = self.mark
            self.report(Progress("evaluate", batch_idx + 1, len(runner.test_dataloader)))


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
    tensorboard: bool = False,
    launcher: str = "none",
    stop_after_epoch: int | None = None,
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Trains ``network`` in place; continues from ``workspace/resume.pt`` if an earlier call was interrupted.

    Args:
        key: of the cell; a state that was saved under another one is discarded.
        num_workers: loader processes; None for as many as the recipe names.
        stop_after_epoch: ends early, as an interruption would, with the state on disk; for tests.

    Returns:
        the training curves, one entry per epoch, and the seconds spent on data and on steps.
    """
    if len(data) == 0:
        raise ValueError(
            f"Expected training samples for {task.name}, got none. Check the annotation file of this split."
        )
    if recipe.batch_norm == "sync" and get_world_size() > 1:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model = HarnessModel(network, task, recipe, protocol)
    sampler = EpochSampler(data, recipe.batch_size, seed, recipe.drop_last)
    workers = recipe.num_workers if num_workers is None else num_workers
    loader: DataLoader[Any] = DataLoader(
        data,  # type: ignore[arg-type]
        batch_sampler=sampler,  # type: ignore[arg-type]
        collate_fn=data.collate,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    optimizer = _optimizer(network, recipe)
    wrapper = _optim_wrapper(optimizer, recipe)
    curves: list[dict[str, float]] = []
    watch = WatchHook(report, seed, curves)
    hooks: list[Hook] = [watch, ResumeHook(workspace / "resume.pt", curves, key, report)]
    runner = _runner(
        model,
        workspace,
        hooks,
        launcher=launcher,
        tensorboard=tensorboard,
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": recipe.epochs, "val_interval": recipe.epochs + 1},
        optim_wrapper=wrapper,
        param_scheduler=_schedulers(wrapper, recipe, len(sampler)),
    )
    if stop_after_epoch is not None:
        runner.register_hook(_StopHook(stop_after_epoch), priority="VERY_LOW")
    with contextlib.suppress(_Interrupted):
        runner.train()
    runner.visualizer.close()
    return curves, {"train_data": watch.data_s, "train_step": watch.step_s}


class _Interrupted(Exception):
    pass


class _StopHook(Hook):
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def before_train_epoch(self, runner: Runner) -> None:
        if runner.epoch >= self.epoch:
            raise _Interrupted


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
    launcher: str = "none",
) -> tuple[Evaluation, dict[str, float]]:
    """Predicts every sample of ``data`` and collects the evaluation.

    Returns:
        the evaluation, and the seconds spent on data and in the network (decoding included).
    """
    if len(data) == 0:
        raise ValueError(
            f"Expected samples to evaluate for {task.name}, got none. Check the annotation file and the protocol's filters."
        )
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model = HarnessModel(network, task, None, protocol)
    evaluation = task.evaluation(data, protocol)
    shard = range(get_rank(), len(data), get_world_size())
    loader: DataLoader[Any] = DataLoader(
        data,  # type: ignore[arg-type]
        batch_size=batch_size,
        sampler=list(shard),
        collate_fn=data.collate,
        num_workers=num_workers,
    )
    watch = WatchHook(report, 0, [])
    runner = _runner(
        model,
        workspace,
        [watch],
        launcher=launcher,
        test_dataloader=loader,
        test_cfg={},
        test_evaluator=Evaluator(CollectMetric(evaluation)),
    )
    report(Progress("evaluate", 0, len(loader)))
    runner.test()
    return evaluation, {"eval_data": watch.data_s, "eval_model": model.predict_s}


def _runner(
    model: nn.Module, workspace: Path, hooks: list[Hook], launcher: str, tensorboard: bool = False, **parts: Any
) -> Runner:
    logging.getLogger("mmengine").setLevel(logging.ERROR)
    backends: list[Any] = [{"type": "TensorboardVisBackend"}] if tensorboard else []
    return QuietRunner(
        model=model,
        work_dir=str(workspace),
        default_hooks={"logger": None, "checkpoint": None, "timer": None, "runtime_info": None},
        custom_hooks=hooks,
        launcher=launcher,
        log_level="ERROR",
        default_scope="mmengine",
        env_cfg={"mp_cfg": {"mp_start_method": multiprocessing.get_start_method()}},
        visualizer=Visualizer(vis_backends=backends, save_dir=str(workspace / "tensorboard") if backends else None),
        experiment_name=f"{workspace.name}-{time.monotonic_ns()}",
        **parts,
    )


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Parameter groups: the head (with its own factor), and the rest; frozen parameters are left out."""
    named = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    if recipe.head_lr_factor == 1.0:
        groups: list[dict[str, Any]] = [{"params": [p for _, p in named]}]
    else:
        body = [p for n, p in named if n.startswith("body.")]
        head = [p for n, p in named if not n.startswith("body.")]
        groups = [{"params": body}, {"params": head, "lr": recipe.lr * recipe.head_lr_factor}]
    common: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=recipe.momentum, nesterov=recipe.nesterov, **common)
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, momentum=recipe.momentum, **common)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer](groups, fused=True, **common)


def _optim_wrapper(optimizer: torch.optim.Optimizer, recipe: Recipe) -> OptimWrapper:
    clip = None if recipe.clip_grad_norm is None else {"max_norm": recipe.clip_grad_norm}
    if recipe.precision == "fp32":
        return OptimWrapper(optimizer, clip_grad=clip)
    if not torch.cuda.is_available():
        raise ValueError(
            f"Expected a GPU for precision {recipe.precision!r}, found none. Use --set recipe.precision=fp32."
        )
    kind = {"bf16": "bfloat16", "fp16": "float16"}[recipe.precision]
    return AmpOptimWrapper(optimizer=optimizer, dtype=kind, clip_grad=clip)


def _schedulers(wrapper: OptimWrapper, recipe: Recipe, per_epoch: int) -> list[Any]:
    total = recipe.epochs * per_epoch
    warm = min(recipe.warmup_iterations, total - 1)
    made: list[Any] = []
    if recipe.schedule == "step":
        made.append(MultiStepLR(wrapper, milestones=list(recipe.milestones), gamma=recipe.gamma, by_epoch=True))
    elif recipe.schedule == "poly":
        made.append(PolyLR(wrapper, power=recipe.power, eta_min=recipe.lr_min, begin=0, end=total, by_epoch=False))
    elif recipe.schedule == "cosine":
        made.append(
            CosineAnnealingLR(
                wrapper, T_max=max(1, total - warm), begin=warm, end=total, eta_min=recipe.lr_min, by_epoch=False
            )
        )
    else:
        made.append(ConstantLR(wrapper, factor=1.0, by_epoch=True))
    if warm:
        made.insert(0, LinearLR(wrapper, start_factor=recipe.warmup_factor, begin=0, end=warm, by_epoch=False))
    return made
