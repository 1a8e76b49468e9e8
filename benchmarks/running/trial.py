"""Runs one cell from data to stored result. The torch side of a run; workers and the ``train`` and ``eval`` verbs call it."""

from __future__ import annotations

import contextlib
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from benchmarks.engine import loops as engine
from benchmarks.engine.distributed import get_rank, get_world_size, is_main_process
from benchmarks.engine.hooks import Progress, Report
from benchmarks.engine.runtimes.execution import executed
from benchmarks.engine.shared_failure import SharedFailure
from benchmarks.experiment import provenance
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.code_version import plugins_of
from benchmarks.experiment.key import key_of, key_parts
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.running.cores import evaluation_workers, training_workers
from benchmarks.running.failures import explained
from benchmarks.running.logging import begin_logging, end_logging
from benchmarks.running.sharing import claimed, made_meanwhile
from benchmarks.running.steps.kept import boxes_of_cell, save_pictures, save_predictions, save_weights
from benchmarks.running.steps.measuring import evaluation_batch, input_hw, measured_speed
from benchmarks.running.steps.starting import load_weights
from benchmarks.running.steps.validating import validation_of
from benchmarks.store.record import Counted, Figure, ModelCost, Record, TrainedOn, record_of
from benchmarks.store.store import Store, StoredCell
from hrnet.profile import Profile, profile
from tasks import get_task
from tasks.base import EvalData, Evaluation
from tasks.options import to_plain

Keep = Callable[[Evaluation, nn.Module], None]


def run_cell(
    cell: Cell,
    places: Places,
    report: Report,
    keep: Keep | None = None,
    *,
    seen: str | None = None,
    wait: bool = False,
    shared: SharedFailure | None = None,
) -> StoredCell:
    """Trains or loads, evaluates, and stores a cell; a failure is stored as a failed cell with its reason.

    A result that another process has stored meanwhile is returned as it is. Where the disk has no room for a failure, it is
    returned without being stored.

    Args:
        report: called with what the cell is doing.
        keep: called with the evaluation and the network before they go (to write predictions).
        seen: stamp of the stored result that is to be replaced, "" for none; by default of the one that is there now.
        wait: until another process that runs the cell has ended.
        shared: what the processes that run the cell together tell each other; None for one alone.

    Raises:
        BusyError: another process runs the cell, and this one does not wait.
    """
    store = Store(places.out)
    if not is_main_process():  # of several processes the first claims the workspace of all
        return _run(cell, places, report, keep, store, store.work_folder(cell.task, cell.id), shared)
    if seen is None:
        seen = store.stamp(cell.task, cell.id)
    workspace = claimed(store, cell, report, wait)
    try:
        alone = keep is None and get_world_size() == 1
        made = made_meanwhile(store, cell, places, seen) if alone else None
        return made or _run(cell, places, report, keep, store, workspace, shared)
    finally:
        store.discard_workspace(cell.task, cell.id)


def _run(
    cell: Cell,
    places: Places,
    report: Report,
    keep: Keep | None,
    store: Store,
    workspace: Path,
    shared: SharedFailure | None,
) -> StoredCell:
    """Runs a cell that is claimed, and stores what comes of it."""
    started, clock = provenance.now(), time.perf_counter()
    main = is_main_process()
    record: dict[str, Any] = {
        "id": cell.id,
        "name": cell.name,
        "label": cell.label,
        "cell": cell.identity(),
        "key": None,
        "protocol_header": cell.protocol_header,
        "declaration": msgspec.to_builtins(get_task(cell.task).dataset(cell.dataset).declaration),
    }
    stats = None
    kept = workspace / ("keep" if main else f"keep-{get_rank()}")
    shutil.rmtree(kept, ignore_errors=True)
    trial = Trial(cell, places, report, workspace, kept)
    try:
        kept.mkdir(parents=True)
        # A killed run must not leave a half-written result: everything goes to the workspace, then into the store at once.
        stats = trial.run(keep)
        record |= {"status": "done", "reason": None, **trial.outcome}
    except Exception as error:
        with contextlib.suppress(OSError):  # the disk may be what failed
            (kept / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        kind, reason = explained(error)
        user_error = issubclass(kind, ValueError | OSError)
        if shared is not None:  # where another failed first, its reason is that of all
            first = shared.tell(reason, user_error)
            reason, user_error = first.reason, first.user_error
        record |= {"status": "failed", "reason": reason, "error_type": kind.__name__, "user_error": user_error}
        shutil.rmtree(kept / "pictures", ignore_errors=True)
    if not main:  # the first process stores what all of them made
        return store.remember(record)
    durations = {**trial.durations_s, "total": time.perf_counter() - clock}
    record["durations_s"] = {k: round(v, 3) for k, v in durations.items()}
    record["provenance"] = {
        "started": started,
        "ended": provenance.now(),
        "git": provenance.git_state(),
        "packages": provenance.packages(),
        "hardware": provenance.hardware(),
        "threads": torch.get_num_threads(),
        **record.pop("provenance", {}),
    }
    return _stored(store, record_of(record), stats, workspace, kept)


def _stored(
    store: Store, record: Record, stats: dict[str, np.ndarray] | None, workspace: Path, kept: Path
) -> StoredCell:
    """Saves a result and gives its workspace up; of a failed training the state to continue from stays."""
    try:
        stored = store.save(record, stats, kept)
    except OSError:
        if record.done:
            raise
        stored = store.remember(record)
    if stored.done:
        shutil.rmtree(workspace, ignore_errors=True)
    return stored


class Trial:
    """One cell's way: open the data, build the network and load its weights, train, evaluate, score.

    Each step adds to ``outcome`` (what the stored record says) and to ``durations_s``.

    Args:
        workspace: a folder that outlives an interruption (the state of a training).
        kept: a folder whose content is stored with the result.
    """

    def __init__(self, cell: Cell, places: Places, report: Report, workspace: Path, kept: Path) -> None:
        self.cell, self.places, self.report = cell, places, report
        self.workspace, self.kept = workspace, kept
        self.task = get_task(cell.task)
        self.protocol = cell.protocol
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._machine = (self.device.type == "cuda", max(get_world_size(), places.cells_per_gpu))
        self.durations_s: dict[str, float] = {}
        self.start_notes: tuple[str, ...] = ()
        self.train_notes: tuple[str, ...] = ()
        self.loggers: Any = None
        self.outcome: dict[str, Any] = {"provenance": {}}

    def run(self, keep: Keep | None = None) -> dict[str, np.ndarray]:
        """All steps; returns the per-image statistics, none on any but the first of several processes."""
        data = self.open_data()
        network, cost = self.build()
        self.loggers = begin_logging(self.cell, self.places, self.workspace, self.report)
        curves = self.train(network, data)
        self.task.meet(network, data)
        evaluation = self.evaluate(network, data, cost)
        if not is_main_process():
            return {}
        stats = self.score(evaluation, data, curves)
        end_logging(self.loggers, self.outcome["figures"], self.workspace, self.kept)
        if keep is not None:
            keep(evaluation, network)
        size_hw = input_hw(self.cell, self.resolved.dataset.profile_hw)
        if self.cell.tier != "smoke":
            with executed(network, self.cell.runtime, self.cell.precision, self.device):
                batch, shared = self.outcome["batch_size"], self.places.cells_per_gpu
                self.outcome |= measured_speed(network, self.cell, size_hw, self.device, batch, shared)
        return stats

    def open_data(self) -> EvalData:
        """Makes embedded data where they are wanted, resolves the cell, opens what is evaluated, and computes the key."""
        cell = self.cell
        self.report(Progress("data"))
        with self._timed("open_data"):
            if cell.data is not None:
                from benchmarks.synthetic.cache import ensure

                ensure(cell.data, self.places.embedded / cell.tier, cell.tier)
            self.resolved = resolve(cell, self.places)
            self.root = self.resolved.require_root()
            if cell.boxes_from is not None:
                boxes = {"boxes_file": str(boxes_of_cell(cell.boxes_from, self.places.out))}
                self.protocol = self.task.protocol_with(self.protocol, boxes)
            data = self.task.eval_data(cell.dataset, self.root, cell.split, self.protocol)
        parts = key_parts(self.resolved)
        self.outcome["key"] = key_of(parts)
        self.outcome["provenance"] |= {"key_parts": parts, "plugins": plugins_of(cell.task, cell.model) or None}
        return data

    def build(self) -> tuple[nn.Module, Profile]:
        """The network with the weights that it is evaluated with or starts from, and its cost."""
        cell = self.cell
        with self._timed("build"):
            engine.seed_everything(cell.seed)
            changes = self._implied_by_data() | dict(cell.changes)
            network = self.task.build_model(cell.model, cell.dataset, cell.representation, **changes)
            self._load_weights(network)
            size_hw = input_hw(cell, self.resolved.dataset.profile_hw)
            cost = profile(network, size_hw)
            self.outcome["model"] = ModelCost(
                params=cost.params, macs=cost.macs, macs_as_published=cost.macs_as_published, input_hw=size_hw
            )
        return network, cost

    def _implied_by_data(self) -> dict[str, Any]:
        """Options of the network that follow from the data that it is to be trained on (a set of one's own classes)."""
        if self.cell.recipe is None or self.cell.data is not None:
            return {}
        assert self.resolved.train_split is not None
        return self.task.options_of_data(self.cell.dataset, self.root, self.resolved.train_split)

    def _load_weights(self, network: nn.Module) -> None:
        path = self.resolved.weights
        if path is None:
            return
        start = load_weights(network, self.cell, path)
        self.start_notes = start.notes
        if start.report is not None:
            self.outcome["report"] = start.report
        self.outcome["provenance"]["weights" if self.cell.checkpoint is not None else "initialised_from"] = start.file

    def train(self, network: nn.Module, evaluated: EvalData) -> list[dict[str, float]]:
        """Trains where the cell has a recipe, keeps the weights, and returns the curves."""
        cell, resolved = self.cell, self.resolved
        if cell.recipe is None:
            return []
        with self._timed("open_train_data"):
            assert resolved.train_split is not None
            data = self.task.train_data(
                cell.dataset, self.root, resolved.train_split, cell.recipe, self.protocol, cell.seed
            )
            for part in (data, evaluated):  # the second before hours of training, too
                self.task.meet(network, part)
        with self._timed("train"):
            trained = engine.train(
                network,
                self.task,
                data,
                cell.recipe,
                self.protocol,
                seed=cell.seed,
                workspace=self.workspace,
                report=self.report,
                key=self.outcome["key"],
                num_workers=training_workers(cell.recipe.num_workers, self.places.num_workers, *self._machine),
                loggers=self.loggers,
                compile_steps=cell.runtime == "compiled",
                validation=validation_of(cell, evaluated, self.protocol, self.places, self.workspace, self.report),
            )
        self.durations_s |= trained.durations_s
        if is_main_process():
            save_weights(network, cell, self.kept / "weights.pt")
        of_data = tuple(f"in training: {note}" for note in data.notes if note not in evaluated.notes)
        self.train_notes = (*of_data, *trained.notes)
        self.outcome["trained_on"] = TrainedOn(split=resolved.train_split, samples=len(data), note=resolved.train_note)
        return trained.curves

    def evaluate(self, network: nn.Module, data: EvalData, cost: Profile) -> Evaluation:
        """Predicts every sample; on a full accelerator the batch is halved and the evaluation begun again."""
        with self._timed("evaluate"):
            network.to(self.device)
            batch = self.places.batch_size or evaluation_batch(cost.activations, self.device, self.places.cells_per_gpu)
            while True:
                try:
                    evaluation, spent = engine.evaluate(
                        network,
                        self.task,
                        data,
                        self.protocol,
                        workspace=self.workspace,
                        report=self.report,
                        batch_size=batch,
                        num_workers=evaluation_workers(
                            self.cell.tier, len(data), self.places.num_workers, *self._machine
                        ),
                        precision=self.cell.precision,
                        runtime=self.cell.runtime,
                    )
                    break
                except torch.cuda.OutOfMemoryError:
                    if batch == 1:
                        raise
                batch //= 2
                torch.cuda.empty_cache()  # after the error is gone, whose frames hold the batch's tensors
        self.durations_s |= spent
        self.outcome["provenance"]["evaluation_batch"] = batch
        self.outcome["batch_size"] = batch
        return evaluation

    def score(self, evaluation: Evaluation, data: EvalData, curves: list[dict[str, float]]) -> dict[str, np.ndarray]:
        """Figures from the per-image statistics; predictions and pictures to the kept folder."""
        with self._timed("score"):
            self.report(Progress("score"))
            stats = evaluation.stats()
            image_ids = data.image_ids()
            images = len(set(image_ids))
            self.outcome["figures"] = self._figures(evaluation, stats, images)
            self.outcome["headline"] = self.task.headline(self.cell.dataset)
            self.outcome["notes"] = [*data.notes, *self.start_notes, *self.train_notes]
            self.outcome["n"] = Counted(images=images, samples=len(data))
            self.outcome["curves"] = {"training": curves, "evaluation": evaluation.curves()}
            if said := save_predictions(evaluation, self.kept):
                self.outcome["notes"].append(said)
            self.outcome["pictures"] = save_pictures(evaluation, image_ids, self.kept / "pictures", self.cell.seed)
        return stats

    def _figures(self, evaluation: Evaluation, stats: dict[str, np.ndarray], images: int) -> dict[str, Figure]:
        figures = self.task.figures(self.cell.dataset, stats, to_plain(self.protocol))
        counts = evaluation.counts()
        return {
            name: Figure.of(value, self.task.metrics[name], counts.get(name, images)) for name, value in figures.items()
        }

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        mark = time.perf_counter()
        yield
        self.durations_s[name] = time.perf_counter() - mark
