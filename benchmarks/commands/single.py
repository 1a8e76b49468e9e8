"""One cell in this process, with a progress line, its figures printed, and copies written where the caller wants them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.experiment import provenance
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.running.cores import threads_of
from benchmarks.running.progress import Watcher
from benchmarks.running.scheduler import keep_failure
from benchmarks.store.record import without_nan
from benchmarks.store.store import Store, StoredCell
from tasks import get_task
from tasks.base import MetricInfo
from tasks.files.writing import write_bytes, write_text

if TYPE_CHECKING:
    from benchmarks.engine.shared_failure import Failure, SharedFailure


def run_single(cell: Cell, places: Places, json_path: Path | None, predictions: Path | None) -> int:
    """Runs ``cell`` here; returns 0, 1 if it failed, and raises ValueError where the data or call are at fault."""
    for path in (json_path, predictions):
        if path is not None:
            check_target(path)
    threads = threads_of(cell.tier, places.threads or (None if places.launcher == "none" else 1))
    if places.launcher == "none" and "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = str(threads)
    from benchmarks.engine import distributed as processes
    from benchmarks.engine import loops as engine
    from benchmarks.engine.shared_failure import SharedFailure
    from benchmarks.running.trial import run_cell

    processes.join(places.launcher)
    engine.set_threads(threads)
    shared = SharedFailure(processes.get_rank()) if processes.get_world_size() > 1 else None
    if not processes.is_main_process():
        assert shared is not None
        return _run_beside(cell, places, shared)
    if shared is not None:
        provenance.git_state(), provenance.packages()  # looked up before it may have to be quick
        shared.watch(lambda failure: _end(cell, places, json_path, shared, failure))
    with Watcher([cell]) as watcher:
        watcher.start(cell)
        stored = run_cell(cell, places, lambda progress: watcher.progress(cell, progress), wait=True, shared=shared)
        if stored.done:
            watcher.finish(cell, None, stored.record.durations_s.get("total", 0.0))
    if not stored.done:
        if json_path is not None:
            write_json(stored.record.to_plain(), json_path)
        if shared is not None:
            return _said(stored, shared)
        if stored.record.user_error:
            raise ValueError(stored.record.reason)
        print(f"failed: {stored.record.reason}  (traceback: {stored.folder / 'traceback.txt'})")
        return 1
    if shared is not None:
        shared.done()
        shared.end_watch()
    processes.leave()
    print_figures(stored, predictions)
    if json_path is not None:
        write_json(stored.record.to_plain(), json_path)
    if predictions is not None:
        copy_predictions(stored, predictions)
    return 0


def _run_beside(cell: Cell, places: Places, shared: SharedFailure) -> int:
    """A process that is not the first: it computes, and leaves storing and talking to that one."""
    from benchmarks.engine import distributed as processes
    from benchmarks.engine.shared_failure import end_at_once
    from benchmarks.running.trial import run_cell

    shared.watch(end_at_once)
    stored = run_cell(cell, places, lambda progress: None, shared=shared)
    if not stored.done:
        shared.wait_until_noted()
        os._exit(1)  # the group cannot be left in order any more
    shared.wait_until_done()
    shared.end_watch()
    processes.leave()
    return 0


def _end(cell: Cell, places: Places, json_path: Path | None, shared: SharedFailure, failure: Failure) -> None:
    """Ends the first process where another has failed and it waits for that one: stores the reason and says it."""
    store = Store(places.out)
    keep_failure(cell, failure.reason, store, failure.user_error)
    stored = store.load(cell.task, cell.id)
    if stored is not None and json_path is not None:
        write_json(stored.record.to_plain(), json_path)
    print(f"failed: {failure.reason} (process {failure.rank})", file=sys.stderr, flush=True)
    shared.noted()
    os._exit(2 if failure.user_error else 1)


def _said(stored: StoredCell, shared: SharedFailure) -> int:
    """Says why the processes failed, and ends this one: the group cannot be left in order any more."""
    print(f"failed: {stored.record.reason}", file=sys.stderr, flush=True)
    shared.noted()
    os._exit(2 if stored.record.user_error else 1)


def check_target(path: Path) -> None:
    """Raises ValueError where a file could not be written to ``path``: said before the work, not after it."""
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        raise ValueError(f"{path}: expected a place that can be written, {folder} is none. Choose another.") from None
    if path.suffix and path.is_dir():
        raise ValueError(f"{path}: expected the name of a file, this is a folder. Choose another.")


def write_json(record: Mapping[str, Any], path: Path) -> None:
    """A record as one JSON file, written whole; not-a-number becomes null."""
    write_text(path, json.dumps(without_nan(record), indent=1, allow_nan=False) + "\n")


def copy_predictions(stored: StoredCell, path: Path) -> None:
    """The submission file (or folder) to where the caller wants it; a folder with one file gives that file. What is stored
    compressed is unpacked, unless a name that ends with .gz is asked for."""
    source = stored.folder / "predictions"
    files = sorted(source.iterdir()) if source.is_dir() else _prediction_files(stored)
    path.parent.mkdir(parents=True, exist_ok=True)
    maps = bool(files) and files[0].suffix == ".png" and not path.suffix
    if len(files) == 1 and files[0].is_file() and not maps:
        _copy(files[0], path)
    elif len(files) > 1 and path.suffix:
        # A file is asked for and there are several: the submission proper is the one of the same kind.
        same = [f for f in files if _kind(f) == _kind(path)]
        if not same:
            raise ValueError(
                f"{path}: the predictions are {', '.join(f.name for f in files)}; name a folder, or that ending."
            )
        _copy(same[0], path)
    else:
        shutil.copytree(source, path, dirs_exist_ok=True)
        for packed in sorted(path.rglob("*.json.gz")):
            _copy(packed, packed.with_suffix(""))
            packed.unlink()


def _kind(path: Path) -> str:
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix


def _copy(source: Path, target: Path) -> None:
    """A copy, compressed where the name of the target says so."""
    data = source.read_bytes()
    if source.suffix == ".gz" and target.suffix != ".gz":
        data = gzip.decompress(data)
    elif target.suffix == ".gz" and source.suffix != ".gz":
        data = gzip.compress(data, mtime=0)
    write_bytes(target, data)


def predictions_of(stored: StoredCell) -> Path:
    """Where a cell's predictions lie: its submission file, or the folder of several."""
    files = _prediction_files(stored)
    return files[0] if len(files) == 1 else stored.folder


def _prediction_files(stored: StoredCell) -> list[Path]:
    return sorted(stored.folder.glob("predictions*"))


def figure_line(name: str, value: float | None, metric: MetricInfo, width: int) -> str:
    """Name, value at two decimals or more ("-" without one), unit, and the arrow of the better direction."""
    shown = "-" if value is None else f"{value:.{max(metric.decimals, 2)}f}"
    return f"  {name:{width}}  {shown:>9} {metric.unit} {metric.direction.arrow}"


def print_figures(stored: StoredCell, predictions: Path | None = None) -> None:
    """Figures with unit, protocol and n, as lines; without public truth, where the predictions are.

    Args:
        predictions: the copy that the caller asked for.
    """
    record = stored.record
    n, cost = record.n, record.model
    assert n is not None and cost is not None  # of a finished cell
    print(f"\n{record.name}  ({record.cell.split}, n = {n.images} images, {n.samples} samples)")
    print(f"protocol: {record.protocol_header}")
    for note in record.notes:
        print(f"note: {note}")
    trained, report = record.trained_on, record.report
    if trained is not None:
        note = f" ({trained.note})" if trained.note else ""
        print(f"trained on: {trained.split}, {trained.samples} samples{note}")
    if report is not None:
        print(f"checkpoint: family {report.family}, {report.loaded} tensors loaded")
    print(
        f"model: {cost.params / 1e6:.2f} M parameters, {cost.macs / 1e9:.3f} G multiply-adds at "
        f"{cost.input_hw[0]}x{cost.input_hw[1]} ({cost.macs_as_published:.2f} as the papers count)"
    )
    if not record.figures:
        print(f"no public truth: predictions written to {predictions or predictions_of(stored)}")
    width = max((len(name) for name in record.figures), default=0)
    metrics = get_task(record.cell.task).metrics
    for name, figure in record.figures.items():
        print(figure_line(name, figure.value, metrics[name], width))
    spent = record.durations_s
    parts = [
        f"{key.replace('_', ' ')} {spent[key]:.1f} s"
        for key in ("train", "eval_data", "eval_model", "total")
        if key in spent
    ]
    print(f"time: {', '.join(parts)}\nstored: {stored.folder}")
