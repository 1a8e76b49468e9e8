"""Environment, datasets, weights and disk: what is missing, and what to do."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from benchmarks.commands.arguments import add_places, places_of
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.installation import constraints_file, program
from benchmarks.experiment.paths import Places, checkpoint_path
from benchmarks.experiment.provenance import hardware
from benchmarks.experiment.resolve import Resolved, resolve
from benchmarks.published.fetching.links import direct_link
from benchmarks.published.weights import load_weights
from benchmarks.store.digests import file_digest
from benchmarks.tables.render.folded import folded
from tasks import get_task, task_names
from tasks.base import DatasetInfo, Task
from tasks.check import SplitCheck, check_dataset, check_split
from tasks.declarations.declaration import FILE as DECLARATION
from tasks.preparation import advice
from tasks.readings import kept

NEEDED = (
    "torch",
    "torchvision",
    "mmengine",
    "numpy",
    "opencv-python",
    "pycocotools",
    "timm",
    "scipy",
    "h5py",
    "pandas",
    "rich",
)
OPTIONAL = {
    "cityscapesscripts": "judging Cityscapes with the official tool",
    "tensorboard": "--log tensorboard",
}
INSTEAD = {"opencv-python": "opencv-python-headless"}
"""Distributions of the same package, of which one is enough."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser)
    parser.add_argument(
        "--all", action="store_true", help="a line for everything, also for what is well or not asked for"
    )
    parser.add_argument(
        "--empty-cache",
        action="store_true",
        help="first remove what is kept of large annotation files in the user's cache",
    )


def main(arguments: argparse.Namespace) -> int:
    everything = arguments.all
    removed = kept.empty() if arguments.empty_cache else None
    problems = _environment(everything) + _disk(arguments.out, removed) + _datasets(places_of(arguments), everything)
    problems += weights(arguments.weights, everything)
    print(f"\n{'All well.' if not problems else f'{problems} problem(s): see the lines marked with !'}")
    return 1 if problems else 0


MANY = 10
"""Lines of one kind that are counted instead of printed."""


class _Section:
    """A heading and its lines: what is well (True), wrong (False), or neither there nor needed (None)."""

    def __init__(self, heading: str) -> None:
        self.heading = heading
        self.lines: list[tuple[bool | None, str, str]] = []

    def add(self, good: bool | None, what: str, detail: str) -> int:
        """Keeps a line; 1 where it is a problem, else 0."""
        self.lines.append((good, what, detail))
        return int(good is False)

    def show(self, everything: bool = True) -> None:
        """Prints the section: problems in full; of the rest, without `everything`, names or a number where they are many."""
        print(self.heading)
        kinds = {good: [line for line in self.lines if line[0] is good] for good in (True, None)}
        short = {good for good, lines in kinds.items() if not everything and len(lines) > MANY}
        for good in short:
            self._names(good, kinds[good])
        for good, what, detail in self.lines:
            if good not in short:
                _print(good, what, detail)

    def _names(self, good: bool | None, lines: list[tuple[bool | None, str, str]]) -> None:
        text = ", ".join(dict.fromkeys(what.split(" ")[0] for _, what, _ in lines))
        text = text if len(text) < 400 else f"{len(lines)} of them"
        _print(good, "well" if good else "not there or not needed", f"{text} (doctor --all says more)")


def _print(good: bool | None, what: str, detail: str) -> None:
    print(folded(f"  {'ok' if good else ('-' if good is None else '!'):3} {what:24} {detail}", 31))


def _environment(everything: bool) -> int:
    section = _Section("Environment")
    _line = section.add
    python = ".".join(map(str, sys.version_info[:3]))
    problems = _line(
        sys.version_info >= (3, 10), "python", python if sys.version_info >= (3, 10) else f"{python}: 3.10 or newer"
    )
    pins = _pins()
    for name in NEEDED:
        there = _installed(name) or _installed(INSTEAD.get(name, name))
        if there is None:
            problems += _line(False, name, f"missing: pip install {name}")
            continue
        pinned = pins.get(name)
        note = "" if pinned in (None, there[1]) else f"  (tested with {pinned})"
        problems += _line(True, there[0], there[1] + note)
    for name, use in OPTIONAL.items():
        optional = _installed(name)
        detail = optional[1] if optional else f"not installed; only for {use}: pip install {name}"
        _line(True if optional else None, name, detail)
    facts = hardware()
    _line(True, "processor", f"{facts['cpu']}, {facts['cores']} cores, {facts.get('memory_gib', '?')} GiB")
    gpu = shutil.which("nvidia-smi")
    _line(
        True if gpu else None, "accelerator", "nvidia-smi is there" if gpu else "none found; everything runs on the CPU"
    )
    section.show(everything)
    return problems


def _installed(name: str) -> tuple[str, str] | None:
    """Name and version of a distribution; None where it is not installed."""
    try:
        return name, version(name)
    except PackageNotFoundError:
        return None


def _pins() -> dict[str, str]:
    path = constraints_file()
    if not path.exists():
        return {}
    lines = (line.split("#")[0].split(";")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {name.lower(): pin for name, _, pin in (line.partition("==") for line in lines if "==" in line)}


def _disk(out: Path, removed: tuple[int, int] | None) -> int:
    section = _Section("Disk")
    problem = section.add(*_room(out))
    count, size = removed or kept.held()
    if count or removed is not None:
        what = "removed" if removed else "kept (--empty-cache removes them)"
        section.add(True, "annotation cache", f"{kept.folder()}: {count} entries of {size / 2**30:.1f} GiB {what}")
    section.show()
    return problem


def _room(out: Path) -> tuple[bool, str, str]:
    """Whether results can be written there, and how much room there is."""
    place = out
    while not os.access(place, os.F_OK):  # Path.exists raises where a folder may not be entered
        place = place.resolve().parent
    try:
        with TemporaryFile(dir=place):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            why = error.strerror or str(error)
            return False, str(out), f"{place} is no writable folder ({why}): choose another --out"
    free = shutil.disk_usage(place).free / 2**30
    return free > 1, str(out), f"{free:.1f} GiB free" + ("" if free > 1 else ": make room or choose another --out")


def _datasets(places: Places, everything: bool) -> int:
    section = _Section(
        "Datasets"
        + (f" below {places.data_root}" if places.data_root else " (none asked for: name a folder with --data-root)")
    )
    problems = _check_datasets(places, section)
    section.show(everything)
    if places.data_root is not None and any(good is None for good, _, _ in section.lines):
        text = f"        `{program()} prepare DATASET --from RAW --data-root {places.data_root}` makes one from what its owners "
        print(folded(text + "hand out; `prepare` alone lists them", 8))
    return problems


def _check_datasets(places: Places, section: _Section) -> int:
    """Adds a line for every dataset, and for every split of those that are there; returns the number of problems."""
    problems, _line = 0, section.add
    for name in task_names():
        task = get_task(name)
        for dataset in task.datasets:
            what = f"{name}/{dataset}"
            try:
                info = task.dataset(dataset)
            except (ValueError, OSError) as error:
                problems += _line(False, what, str(error))
                continue
            if places.data_root is None:
                embedded = "embedded data available" if info.embedded else "real data only"
                _line(None, what, f"{info.title}: {embedded}")
                continue
            found = _resolved(task, info, task.protocol(info.name), places)
            root = found.root
            if root is None:
                if not places.data_root.is_dir():
                    return _line(False, str(places.data_root), "no such folder: correct --data-root")
                _line(None, what, _with_advice(found.lacks[0].text.split(". See")[0], info, places))
                continue
            if root == places.data_root and info.declaration is None and (root / DECLARATION).exists():
                _line(None, what, f"{info.title}: not there")  # the folder is one's own dataset's
                continue
            lack = found.lack()
            if lack is not None and lack.kind != "files":
                problems += _line(False, what, lack.text)
                continue
            files, missing = found.files, () if lack is None else lack.files
            if missing and root == places.data_root and len(missing) == len(files):
                _line(None, what, _with_advice(f"{info.title}: not there", info, places))
                continue
            if missing:
                problems += _line(False, what, _with_advice(f"{root}: missing {missing[0]}", info, places))
                continue
            problems += _splits(section, task, info, root, len(files), places)
    return problems


def _resolved(task: Task, info: DatasetInfo, protocol: Any, places: Places) -> Resolved:
    """What an evaluation of the dataset's usual split needs of the disk, as a run would look it up."""
    return resolve(Cell(task.name, info.name, info.eval_split, "", "", protocol), places)


def _with_advice(text: str, info: DatasetInfo, places: Places) -> str:
    """A line about a missing dataset, with the `prepare` command that would make it."""
    help_of_it = advice(info.name, places.data_root, program())
    return f"{text}; {help_of_it}" if help_of_it else text


def _splits(section: _Section, task: Task, info: DatasetInfo, root: Path, num_files: int, places: Places) -> int:
    """A line for every split that is there: the evaluated one first, with its detector boxes."""
    problems = 0
    for found in check_dataset(task, info.name, root):
        first = found.split == info.eval_split
        what = f"{task.name}/{info.name}" + ("" if first else f" {found.split}")
        boxes = _boxes(task, info, root, places) if first and not found.problem else None
        problem = found.problem or (boxes.problem if boxes is not None else "")
        told = dict.fromkeys((*found.notes, *(boxes.notes if boxes is not None else ())))
        notes = "".join(f"\n        {note}" for note in told)
        files = f"all {num_files} annotation files, " if first else ""
        problems += section.add(
            not problem, what, f"{root}: " + (problem or f"{found.split}: {files}{found.read}") + notes
        )
    return problems


def _boxes(task: Task, info: DatasetInfo, root: Path, places: Places) -> SplitCheck | None:
    """The evaluated split with its detector's boxes; None for a task or dataset without them."""
    try:
        protocol = task.protocol_with(task.protocol(info.name), {"boxes": "detector"})
    except ValueError:
        return None
    if info.declaration is not None and not protocol.boxes_file:
        return None  # no place is usual for them
    lack = _resolved(task, info, protocol, places).lack()
    if lack is not None and lack.kind != "files":
        return SplitCheck(info.eval_split, lack.text)
    if lack is not None:
        return SplitCheck(info.eval_split, f"missing {lack.files[0]} (evaluate with --protocol boxes=gt without it)")
    return check_split(task, info.name, root, info.eval_split, protocol)


def weights(folder: Path | None, everything: bool = True) -> int:
    """Released checkpoints: those that are there, with their hash where it is known, and where to get the others."""
    section = _Section("Weights")
    if folder is None:
        problems = section.add(None, "released checkpoints", "none asked for: name a folder with --weights")
    elif not folder.is_dir():
        problems = section.add(False, str(folder), "no such folder: correct --weights")
    else:
        problems = _check_weights(folder, section)
    section.show(everything)
    if any(good is None for good, _, _ in section.lines) and folder is not None and folder.is_dir():
        text = f"        `{program()} fetch NAME --weights {folder}` gets one, `fetch --suite published` all that have a link"
        print(folded(text, 8))
    return problems


def _check_weights(folder: Path, section: _Section) -> int:
    """Adds a line for every file that is there, and for every file of the manifest that is not."""
    from hrnet.checkpoints.first_layer import problem_of

    _line = section.add
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
        if entry.bytes is not None and path.stat().st_size != entry.bytes:
            problems += _line(False, path.name, f"{size}; expected {entry.bytes} bytes, found {path.stat().st_size}")
            continue
        if not entry.sha256 and (problem := problem_of(path)):
            problems += _line(False, path.name, f"{size}; not the released file: {problem}; get it from {entry.page}")
            continue
        known_by = (
            "SHA-256 as published" if entry.sha256 else "no hash is published; its first filters are no random numbers"
        )
        _line(True, path.name, f"{size}; {known_by}")
    _line(True if files else None, str(folder), f"{len(files)} checkpoint files")
    absent = [entry for entry in known.values() if not _is_there(entry.file, folder)]
    there = f"{len(known) - len(absent)} of {len(known)} files are there"
    _line(True, "manifest", f"results/published/weights.csv: {there}")
    for entry in absent:
        by = f"; `{program()} fetch {entry.file} --weights {folder}`" if direct_link(entry) else ""
        _line(None, entry.file, f"missing; published at {entry.page}{by}")
    return problems


def _is_there(name: str, folder: Path) -> bool:
    try:
        checkpoint_path(name, folder)
    except FileNotFoundError:
        return False
    return True
