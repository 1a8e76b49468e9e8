"""Makes what the loaders read from what a dataset's owners hand out.

Nothing is overwritten, nothing is fetched.

    run_all.py prepare mpii --from ~/downloads/mpii --data-root ~/data

--from names the folder where the owners' archives were unpacked. Files are written and pictures linked below
DATA_ROOT/<dataset>; counts are held against the official ones, and every split is opened at the end. A second call finds
everything in place. Without DATASET: what each dataset needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tasks import get_task
from tasks.base import Task
from tasks.check import check_dataset
from tasks.options import nearest
from tasks.preparation import Preparation, Target, preparations


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="?", metavar="DATASET", help="mpii, coco, posetrack18, 300w, aflw, lip, ...")
    parser.add_argument("--from", dest="raw", type=Path, metavar="RAW", help="folder with the unpacked archives")
    parser.add_argument(
        "--data-root", type=Path, metavar="D", help="folder that holds, or will hold, the dataset's own"
    )
    parser.add_argument("--copy", action="store_true", help="copy pictures instead of linking their folders")


def main(arguments: argparse.Namespace) -> int:
    known = preparations()
    if arguments.dataset is None:
        for name, made in known.items():
            print(f"{name:16} {made.needs}")
        return 0
    if arguments.dataset not in known:
        raise ValueError(
            f"expected a dataset that can be prepared, got {arguments.dataset!r}. {nearest(arguments.dataset, known)}"
        )
    for option, value in (("--from", arguments.raw), ("--data-root", arguments.data_root)):
        if value is None:
            raise ValueError(f"{option} is needed: {arguments.dataset} is made from {known[arguments.dataset].needs}.")
    if not arguments.raw.is_dir():
        raise ValueError(f"--from {arguments.raw}: expected a folder with the owners' unpacked archives, found none.")
    made = known[arguments.dataset]
    folder = arguments.data_root / made.folder
    if arguments.data_root.name == made.folder and not folder.is_dir():
        folder = arguments.data_root  # the dataset's own folder, as other verbs take it
    target = Target(folder, copy=arguments.copy)
    made.run(arguments.raw, target)
    problems = _opened(get_task(made.task), made, folder)
    if problems and target.lacks_pictures:
        print("The annotations are ready; put the pictures where the line above says, then look again with `doctor`.")
        return 0
    if problems:
        print(f"{problems} split(s) cannot be read yet: see the lines marked with !")
    elif target.differ:
        print("Ready, but not the official set: see the lines marked with !")
    else:
        print("Ready.")
    return 1 if problems else 0


def _lacking(task: Task, made: Preparation, folder: Path, split: str) -> Path | None:
    """The first of a split's annotation files that is not there."""
    try:
        files = task.data_files(made.dataset, folder, split, task.protocol(made.dataset))
    except (ValueError, OSError):
        return None
    return next((path for path in files if not path.exists()), None)


def _opened(task: Task, made: Preparation, folder: Path) -> int:
    """Opens every split as an evaluation would; returns how many could not be."""
    problems = 0
    for found in check_dataset(task, made.dataset, folder):
        lacking = found.problem and _lacking(task, made, folder, found.split)
        if lacking:  # the owners' other archives are yet to come
            print(f"-  {found.split}: not complete yet, there is no {lacking}")
            continue
        problems += bool(found.problem)
        print(f"{'!' if found.problem else 'ok'} {found.split}: {found.problem or found.read}")
        for note in found.notes:
            print(f"   {note}")
    return problems
