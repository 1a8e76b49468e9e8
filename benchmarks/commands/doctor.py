"""Environment, datasets, weights and disk: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks.commands.arguments import add_places, places_of
from benchmarks.experiment.installation import constraints_file
from benchmarks.experiment.paths import Places, checkpoint_path, real_root
from benchmarks.experiment.provenance import file_digest, hardware
from benchmarks.experiment.resolve import missing_files
from benchmarks.published.weights import load_weights
from tasks import get_task, task_names
from tasks.base import DatasetInfo, Task
from tasks.check import SplitCheck, check_dataset, check_split

NEEDED = (
    "torch",
    "torchvision",
    "mmengine",
    "numpy",
    "opencv-python",
    "pycocotools",
    "scipy",
    "h5py",
    "pandas",
    "rich",
)
OPTIONAL = {
    "timm": "bodies by timm:<name>",
    "cityscapesscripts": "judging Cityscapes with the official tool",
    "tensorboard": "--tensorboard",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser)


def main(arguments: argparse.Namespace) -> int:
    problems = _environment() + _disk(arguments.out) + _datasets(places_of(arguments)) + weights(arguments.weights)
    print(f"\n{'All well.' if not problems else f'{problems} problem(s): see the lines marked with !'}")
    return 1 if problems else 0


def _line(good: bool | None, what: str, detail: str) -> int:
    print(f"  {'ok' if good else ('-' if good is None else '!'):3} {what:24} {detail}")
    return int(good is False)


def _environment() -> int:
    print("Environment")
    python = ".".join(map(str, sys.version_info[:3]))
    problems = _line(
        sys.version_info >= (3, 10), "python", python if sys.version_info >= (3, 10) else f"{python}: 3.10 or newer"
    )
    pins = _pins()
    for name in NEEDED:
        try:
            found = version(name)
        except PackageNotFoundError:
            problems += _line(False, name, f"missing: pip install {name}")
            continue
        pinned = pins.get(name)
        note = "" if pinned in (None, found) else f"  (tested with {pinned})"
        problems += _line(True, name, found + note)
    for name, use in OPTIONAL.items():
        try:
            _line(True, name, version(name))
        except PackageNotFoundError:
            _line(None, name, f"not installed; only for {use}: pip install {name}")
    facts = hardware()
    _line(True, "processor", f"{facts['cpu']}, {facts['cores']} cores, {facts.get('memory_gib', '?')} GiB")
    gpu = shutil.which("nvidia-smi")
    _line(
        True if gpu else None, "accelerator", "nvidia-smi is there" if gpu else "none found; everything runs on the CPU"
    )
    return problems


def _pins() -> dict[str, str]:
    path = constraints_file()
    if not path.exists():
        return {}
    lines = (line.split("#")[0].split(";")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {name.lower(): pin for name, _, pin in (line.partition("==") for line in lines if "==" in line)}


def _disk(out: Path) -> int:
    print("Disk")
    place = out
    while not os.access(place, os.F_OK):  # Path.exists raises where a folder may not be entered
        place = place.resolve().parent
    try:
        with TemporaryFile(dir=place):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            why = error.strerror or str(error)
            return _line(False, str(out), f"{place} is no writable folder ({why}): choose another --out")
    free = shutil.disk_usage(place).free / 2**30
    return _line(
        free > 1, str(out), f"{free:.1f} GiB free" + ("" if free > 1 else ": make room or choose another --out")
    )


def _datasets(places: Places) -> int:
    print(
        "Datasets"
        + (f" below {places.data_root}" if places.data_root else " (none asked for: name a folder with --data-root)")
    )
    problems = 0
    for name in task_names():
        task = get_task(name)
        for info in task.datasets.values():
            what = f"{name}/{info.name}"
            if places.data_root is None:
                embedded = "embedded data available" if info.embedded else "real data only"
                _line(None, what, f"{info.title}: {embedded}")
                continue
            try:
                root = real_root(info, places.data_root)
            except FileNotFoundError as error:
                if not places.data_root.is_dir():
                    return _line(False, str(places.data_root), "no such folder")
                _line(None, what, str(error).split(". See")[0])
                continue
            try:
                files = task.data_files(info.name, root, info.eval_split, task.protocol(info.name))
            except (ValueError, OSError) as error:
                problems += _line(False, what, str(error))
                continue
            missing = missing_files(files)
            if missing and root == places.data_root and len(missing) == len(files):
                _line(None, what, f"{info.title}: not there")
                continue
            if missing:
                problems += _line(False, what, f"{root}: missing {missing[0]}")
                continue
            problems += _splits(task, info, root, len(files))
    return problems


def _splits(task: Task, info: DatasetInfo, root: Path, num_files: int) -> int:
    """A line for every split that is there: the evaluated one first, with its detector boxes."""
    problems = 0
    for found in check_dataset(task, info.name, root):
        first = found.split == info.eval_split
        what = f"{task.name}/{info.name}" + ("" if first else f" {found.split}")
        boxes = _boxes(task, info, root) if first and not found.problem else None
        problem = found.problem or (boxes.problem if boxes is not None else "")
        files = f"all {num_files} annotation files, " if first else ""
        problems += _line(not problem, what, f"{root}: " + (problem or f"{found.split}: {files}{found.read}"))
        for note in dict.fromkeys((*found.notes, *(boxes.notes if boxes is not None else ()))):
            print(f"        {note}")
    return problems


def _boxes(task: Task, info: DatasetInfo, root: Path) -> SplitCheck | None:
    """The evaluated split with its detector's boxes; None for a task or dataset without them."""
    try:
        protocol = task.protocol_with(task.protocol(info.name), {"boxes": "detector"})
    except ValueError:
        return None
    try:
        missing = missing_files(task.data_files(info.name, root, info.eval_split, protocol))
    except (ValueError, OSError) as error:
        return SplitCheck(info.eval_split, str(error))
    if missing:
        return SplitCheck(info.eval_split, f"missing {missing[0]} (evaluate with --protocol boxes=gt without it)")
    return check_split(task, info.name, root, info.eval_split, protocol)


def weights(folder: Path | None) -> int:
    """Released checkpoints: those that are there, with their hash where it is known, and where to get the others."""
    print("Weights")
    if folder is None:
        return _line(None, "released checkpoints", "none asked for: name a folder with --weights")
    if not folder.is_dir():
        return _line(False, str(folder), "no such folder")
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".pth", ".pt", ".tar"))
    known = {entry.file: entry for entry in load_weights()}
    problems = 0
    for path in files:
        entry = known.get(path.relative_to(folder).as_posix()) or known.get(path.name)
        size = f"{path.stat().st_size / 2**20:.0f} MiB"
        if entry is None:
            _line(True, path.name, f"{size}; not in the manifest")
            continue
        if entry.sha256 and not (found := file_digest(path)).startswith(entry.sha256):
            problems += _line(
                False,
                path.name,
                f"{size}; expected a SHA-256 that starts with {entry.sha256}, found {found[:8]}: not the released file, "
                f"or damaged; get it again from {entry.page}",
            )
            continue
        _line(True, path.name, size + ("; SHA-256 as published" if entry.sha256 else ""))
    _line(True if files else None, str(folder), f"{len(files)} checkpoint files")
    absent = [entry for entry in known.values() if not _is_there(entry.file, folder)]
    print(
        f"  {len(known) - len(absent)} of {len(known)} files of the manifest (results/published/weights.csv) are there"
    )
    for entry in absent:
        _line(None, entry.file, f"missing; published at {entry.page}")
    return problems


def _is_there(name: str, folder: Path) -> bool:
    try:
        checkpoint_path(name, folder)
    except FileNotFoundError:
        return False
    return True
