"""Runs one cell from data to stored result. The torch side of a run; workers and the ``train`` and ``eval`` verbs call it."""

from __future__ import annotations

import builtins
import contextlib
import math
import os
import re
import shutil
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dist import get_rank, is_main_process
from torch import nn

from benchmarks.engine import loops as engine
from benchmarks.engine.hooks import Progress, Report, save_tensors
from benchmarks.experiment import provenance
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.key import key_of, key_parts, train_split
from benchmarks.experiment.paths import Places, checkpoint_path, dataset_root, initial_path
from benchmarks.running.scheduler import available_cores
from benchmarks.store.store import Store, StoredCell
from hrnet.profile import profile
from tasks import get_task
from tasks.base import Evaluation, Task
from tasks.options import to_plain

CPU_ACTIVATIONS_BYTES = 2**30
NUM_PICTURES = {"best": 2, "worst": 3, "random": 3}


def run_cell(
    cell: Cell, places: Places, report: Report, keep: Callable[[Evaluation, nn.Module], None] | None = None
) -> StoredCell:
    """Trains or loads, evaluates, and stores a cell; a failure is stored as a failed cell with its reason.

    Where the disk has no room for a failure either, it is returned without being stored.

    Args:
        report: called with what the cell is doing.
        keep: called with the evaluation and the network before they go (to write predictions).
    """
    started, clock = provenance.now(), time.perf_counter()
    durations: dict[str, float] = {}
    store = Store(places.out)
    main = is_main_process()
    # Of several processes the first claims the workspace of all.
    workspace = (store.workspace if main else store.work_folder)(cell.task, cell.id)
    record: dict[str, Any] = {
        "id": cell.id,
        "name": cell.name,
        "label": cell.label,
        "cell": cell.identity(),
        "key": None,
        "protocol_header": get_task(cell.task).protocol_header(cell.protocol),
    }
    stats = None
    kept = workspace / ("keep" if main else f"keep-{get_rank()}")
    shutil.rmtree(kept, ignore_errors=True)
    try:
        kept.mkdir(parents=True)
        # A killed run must not leave a half-written result: everything goes to the workspace, then into the store at once.
        outcome, stats = _compute(cell, places, report, workspace, kept, durations, keep)
        record |= {"status": "done", "reason": None, **outcome}
    except Exception as error:
        with contextlib.suppress(OSError):  # the disk may be what failed
            (kept / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        kind, reason = explained(error)
        record |= {"status": "failed", "reason": reason, "error_type": kind.__name__}
        record |= {"user_error": issubclass(kind, ValueError | OSError)}
        shutil.rmtree(kept / "pictures", ignore_errors=True)
    if not main:  # the first process stores what all of them made
        return store.remember(record)
    durations["total"] = time.perf_counter() - clock
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
    try:
        stored = store.save(record, stats, kept)
    except OSError:
        if record["status"] == "done":
            raise
        stored = store.remember(record)
    if stored.done or not (workspace / "resume.pt").exists():
        shutil.rmtree(workspace, ignore_errors=True)
    else:
        store.release(cell.task, cell.id)
    return stored


_IN_LOADER = re.compile(r"Caught (\w+) in \w+ worker process \d+\.\n")


def explained(error: Exception) -> tuple[type[BaseException], str]:
    """The kind of an error and its reason in words; of one that a loader's process passed on, those of the original."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return type(error), "The accelerator's memory is full. Use a smaller --batch or a smaller model."
    kind: type[BaseException] = type(error)
    bare = isinstance(error, OSError) and error.filename is None and len(error.args) == 2
    text = str(error.args[1]) if bare else str(error)
    found = _IN_LOADER.match(text)
    if found:
        known = getattr(builtins, found[1], None)
        kind = known if isinstance(known, type) and issubclass(known, BaseException) else kind
        text = re.split(rf"^(?:\w+\.)*{found[1]}: ", text, flags=re.MULTILINE)[-1]
        text = re.sub(r"^\[Errno \d+\] ", "", text)
    text = text.strip() or kind.__name__
    return kind, text if issubclass(kind, ValueError | OSError) else f"{kind.__name__}: {text}"


def _compute(
    cell: Cell,
    places: Places,
    report: Report,
    workspace: Path,
    kept: Path,
    durations: dict[str, float],
    keep: Callable[[Evaluation, nn.Module], None] | None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    task = get_task(cell.task)
    info = task.dataset(cell.dataset)
    mark = time.perf_counter()
    report(Progress("data"))
    if cell.data is not None:
        from benchmarks.synthetic.cache import ensure

        ensure(cell.data, places.embedded / cell.tier, cell.tier)
    root = dataset_root(cell, places)
    protocol = cell.protocol
    if cell.boxes_from is not None:
        protocol = task.protocol_with(protocol, {"boxes_file": str(_boxes_of(cell, places))})
    eval_data = task.eval_data(cell.dataset, root, cell.split, protocol)
    durations["open_data"] = time.perf_counter() - mark
    parts = key_parts(cell, places)
    key = key_of(parts)

    mark = time.perf_counter()
    engine.seed_everything(cell.seed)
    network = task.build_model(cell.model, cell.dataset, cell.representation, **dict(cell.changes))
    outcome: dict[str, Any] = {"key": key, "provenance": {"key_parts": parts}}
    if cell.checkpoint is not None:
        from hrnet.checkpoints import load_checkpoint

        path = checkpoint_path(cell.checkpoint, places.weights)
        loaded = load_checkpoint(network, path)
        outcome["report"] = to_plain(loaded) | {"loaded": len(loaded.loaded)}
        outcome["provenance"]["weights"] = {"file": path.name, "sha256": provenance.file_digest(path)}
    elif cell.recipe is not None and cell.recipe.init_from:
        from hrnet.checkpoints import load_backbone, load_checkpoint

        path = initial_path(cell.recipe, places.weights)
        if cell.recipe.init_part == "all":
            load_checkpoint(network, path)
        else:
            load_backbone(network.body, path)  # type: ignore[arg-type]
        outcome["provenance"]["initialised_from"] = {"file": path.name, "sha256": provenance.file_digest(path)}
    input_hw = _input_hw(cell, info.profile_hw)
    cost = profile(network, input_hw)
    outcome["model"] = {
        "params": cost.params,
        "macs": cost.macs,
        "macs_as_published": cost.macs_as_published,
        "input_hw": list(input_hw),
    }
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    durations["build"] = time.perf_counter() - mark

    curves: list[dict[str, float]] = []
    if cell.recipe is not None:
        mark = time.perf_counter()
        split, fallback = train_split(task, cell, root, protocol)
        train_data = task.train_data(cell.dataset, root, split, cell.recipe, protocol, cell.seed)
        durations["open_train_data"] = time.perf_counter() - mark
        mark = time.perf_counter()
        curves, spent = engine.train(
            network,
            task,
            train_data,
            cell.recipe,
            protocol,
            seed=cell.seed,
            workspace=workspace,
            report=report,
            key=key,
            num_workers=_training_workers(cell.recipe.num_workers, places),
            tensorboard=places.tensorboard,
        )
        durations["train"] = time.perf_counter() - mark
        durations |= spent
        if is_main_process():
            _save_weights(network, cell, kept / "weights.pt")
        outcome["trained_on"] = {"split": split, "samples": len(train_data), "note": fallback}
        if places.tensorboard and (workspace / "tensorboard").exists():
            shutil.copytree(workspace / "tensorboard", kept / "tensorboard", dirs_exist_ok=True)

    mark = time.perf_counter()
    network.to(device)
    batch = places.batch_size or _batch_size(cost.activations, device)
    evaluation, spent, batch = _evaluate(network, task, eval_data, protocol, cell, places, workspace, report, batch)
    outcome["provenance"]["evaluation_batch"] = batch
    durations |= spent
    durations["evaluate"] = time.perf_counter() - mark
    if not is_main_process():
        return outcome, {}
    mark = time.perf_counter()
    report(Progress("score"))
    stats = evaluation.stats()
    figures = task.figures(cell.dataset, stats, to_plain(protocol))
    if keep is not None:
        keep(evaluation, network)
    evaluation.write_predictions(kept / "predictions")
    images = len(set(eval_data.image_ids()))
    counts: dict[str, int] = getattr(evaluation, "counts", dict)()  # a task whose figures are of subsets tells their n
    outcome |= {
        "figures": {
            name: {
                "value": value,
                "unit": task.metrics[name].unit,
                "higher_is_better": task.metrics[name].higher_is_better,
                "decimals": task.metrics[name].decimals,
                "n": counts.get(name, images),
            }
            for name, value in figures.items()
        },
        "headline": task.headline(cell.dataset),
        "notes": list(getattr(eval_data, "notes", ())),
        "n": {"images": images, "samples": len(eval_data)},
        "curves": {"training": curves, "evaluation": evaluation.curves()},
        "pictures": _pictures(evaluation, eval_data.image_ids(), kept / "pictures", cell.seed),
        "batch_size": batch,
    }
    durations["score"] = time.perf_counter() - mark
    outcome["latency_ms"] = _latency_ms(network, input_hw, device) if cell.tier != "smoke" else None
    return outcome, stats


def _boxes_of(cell: Cell, places: Places) -> Path:
    """The detector-box file among the predictions of the cell that ``boxes_from`` names."""
    assert cell.boxes_from is not None
    found = sorted(places.out.glob(f"*/{cell.boxes_from}/predictions*/*person*.json")) + sorted(
        places.out.glob(f"*/{cell.boxes_from}/predictions*person*.json")
    )
    if not found:
        raise FileNotFoundError(
            f"The detector boxes of cell {cell.boxes_from} are missing below {places.out}: run that cell first."
        )
    return found[0].resolve()


def _evaluate(
    network: nn.Module,
    task: Task,
    data: Any,
    protocol: Any,
    cell: Cell,
    places: Places,
    workspace: Path,
    report: Report,
    batch: int,
) -> tuple[Evaluation, dict[str, float], int]:
    """Evaluates; on a full accelerator the batch is halved and the evaluation begun again. Also the batch that was used."""
    workers = places.num_workers
    if workers is None:
        workers = min(2, os.cpu_count() or 1) if cell.tier == "full" and len(data) > 64 else 0
    while True:
        try:
            evaluation, spent = engine.evaluate(
                network,
                task,
                data,
                protocol,
                workspace=workspace,
                report=report,
                batch_size=batch,
                num_workers=workers,
            )
            return evaluation, spent, batch
        except torch.cuda.OutOfMemoryError:
            if batch == 1:
                raise
            batch //= 2
            torch.cuda.empty_cache()


def _input_hw(cell: Cell, default: tuple[int, int]) -> tuple[int, int]:
    """The size that a cell's cost is counted at: its protocol's or recipe's input size, else the dataset's usual one."""
    for holder in (cell.protocol, cell.recipe):
        size = getattr(holder, "input_wh", None)
        if size:
            return int(size[1]), int(size[0])
    return default


def _batch_size(activations: int, device: torch.device) -> int:
    """As many samples as fit, up to where nothing is gained. Rounding differs between batch sizes in the last digits.

    On a CPU 1 GiB of activations, whatever memory is free, so that a model and an input size always get the same batch; on
    an accelerator a quarter of what is free.
    """
    cuda = device.type == "cuda"
    room, limit = (torch.cuda.mem_get_info()[0] / 4, 128) if cuda else (CPU_ACTIVATIONS_BYTES, 32)
    fits = room / max(1, activations * 4)
    return max(1, min(limit, 2 ** int(math.log2(max(1.0, fits)))))


def _training_workers(wanted: int, places: Places) -> int:
    """``--workers`` if given, else the recipe's number, but no more than there are cores."""
    return min(wanted, available_cores()) if places.num_workers is None else places.num_workers


def _save_weights(network: nn.Module, cell: Cell, path: Path) -> None:
    """Our own checkpoint format: tensors and plain data."""
    from hrnet.checkpoints import conventions_of

    build = {
        "task": cell.task,
        "model": cell.model,
        "dataset": cell.dataset,
        "representation": cell.representation,
        "changes": to_plain(dict(cell.changes)),
        "conventions": conventions_of(network),
        "protocol": to_plain(cell.protocol),
        "tier": cell.tier,
    }
    state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    content = {"format": "hrnet-benchmark", "version": 1, "build": build, "state_dict": state}
    save_tensors(content, path, "the weights")


def _latency_ms(network: nn.Module, input_hw: tuple[int, int], device: torch.device) -> float | None:
    """Median milliseconds of one picture through the network, batch 1, this process's threads; None for large inputs on a CPU."""
    if device.type == "cpu" and input_hw[0] * input_hw[1] > 400 * 400:
        return None
    forward = getattr(network, "profile_forward", network)
    images = torch.zeros(1, 3, *input_hw, device=device).contiguous(memory_format=torch.channels_last)
    times: list[float] = []
    with torch.inference_mode():
        while len(times) < 2 or (len(times) < 12 and sum(times) < 1.0):
            start = time.perf_counter()
            forward(images)
            if device.type == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
    return round(float(np.median(times[1:])) * 1000, 3)


def _pictures(evaluation: Evaluation, image_ids: list[str], folder: Path, seed: int) -> list[dict[str, Any]]:
    """Best, worst and random samples with truth and prediction drawn, as jpegs in the cell's folder."""
    scores = np.asarray(evaluation.sample_scores(), dtype=float)
    ranked = [int(i) for i in np.argsort(scores, kind="stable") if np.isfinite(scores[i])]
    rng = np.random.default_rng([seed, len(scores)])
    chosen: dict[str, list[int]] = {
        "worst": ranked[: NUM_PICTURES["worst"]],
        "best": ranked[::-1][: NUM_PICTURES["best"]],
        "random": [int(i) for i in rng.permutation(len(scores))[: NUM_PICTURES["random"]]],
    }
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for kind in ("best", "worst", "random"):
        for index in chosen[kind]:
            entry: dict[str, Any] = {"kind": kind, "index": index, "image": image_ids[index], "score": scores[index]}
            for what in ("truth", "prediction"):
                name = f"{index}_{what}.jpg"
                if not (folder / name).exists():
                    picture = evaluation.picture(index, what)  # type: ignore[arg-type]
                    cv2.imwrite(
                        str(folder / name), np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 88]
                    )
                entry[what] = f"pictures/{name}"
            listed.append(entry)
    return listed
