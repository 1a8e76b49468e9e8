"""Writes a first dataset.toml for data of one's own.

It finds the layout, and says what it guessed and what to check.

    run_all.py describe ~/data/mice

The file is written only where the folder has none; otherwise it is printed alone. A json file may be named instead of a
folder: with several in a folder, it and those like it are described.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.experiment.installation import program
from tasks.describing.describe import describe
from tasks.files.writing import write_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "place", type=Path, metavar="FOLDER_OR_JSON", help="the dataset's folder, or an annotation file"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing, print alone")


def main(arguments: argparse.Namespace) -> int:
    found = describe(arguments.place)
    print(found.text)
    for title, lines in (("Guessed", found.guessed), ("Check", found.check)):
        print(f"{title}:" + ("" if lines else " nothing"))
        for line in lines:
            print(f"  {line}")
    if found.path.exists():
        print(f"\nNot written: {found.path} is there already.")
    elif arguments.dry_run:
        print(f"\nNot written: it belongs to {found.path}")
    else:
        write_text(found.path, found.text)
        print(f"\nWritten: {found.path}")
    name = tomllib.loads(found.text)["name"]
    print(f"Next: {program()} doctor --data-root {found.path.parent}, then --dataset {name} in every verb.")
    return 0
