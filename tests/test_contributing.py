"""CONTRIBUTING's recipes, run as they stand in a copy of the tree: a body, a suite, a dataset and a task, without other edits."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("hrnet", "tasks", "benchmarks", "run_all.py", "pyproject.toml", "constraints.txt")


def test_the_recipes_as_they_stand(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        copy(ROOT / part, tree / part)
    for kept in ("published", "expected"):
        shutil.copytree(ROOT / "results" / kept, tree / "results" / kept)
    _pictures(tree / "data")
    blocks = re.findall(
        r"^```(\w+)\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    calls = 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for kind, text in blocks:
        if kind == "sh":
            for line in text.splitlines():
                done = subprocess.run(
                    [sys.executable, *line.split()[1:]],
                    cwd=tree,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{line}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
                calls += 1
        else:
            path = tree / text.splitlines()[0].removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text, encoding="utf-8")
            if path.name == "pyproject.toml":  # what an installation makes of it
                _installed(path.parent, text)
                environment["PYTHONPATH"] = str(path.parent.resolve())
    assert calls == 8
    assert sorted(path.parent.parent.name for path in (tree / "results" / "runs").glob("*/*/cell.json")) == [
        "brightness",
        "classification",
        "landmarks",
        "landmarks",
        "landmarks",
    ]
    (tall,) = [
        record
        for path in (tree / "results" / "runs").glob("*/*/cell.json")
        if (record := json.loads(path.read_text()))["cell"]["model"] == "tall"
    ]
    assert tall["provenance"]["plugins"] == [str((tree.parent / "outside" / "tall.py").resolve())]


def _installed(folder: Path, text: str) -> None:
    """Writes the metadata that tell of a package's entry points."""
    section, entry = text.splitlines()[1:3]
    group = section.split('"')[1]
    made = folder / "tall-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: tall\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text(f"[{group}]\n{entry.replace(chr(34), '')}\n")


def _pictures(data: Path) -> None:
    """Pictures for the dataset of two kinds, and for the task of brightness."""
    generator = np.random.default_rng(0)
    for folder in (
        "flowers/train/lily",
        "flowers/train/rose",
        "flowers/val/lily",
        "flowers/val/rose",
        "grey/train",
        "grey/val",
    ):
        (data / folder).mkdir(parents=True)
        for number in range(4):
            picture = np.full((256, 256, 3), generator.integers(0, 255), np.uint8)
            cv2.imwrite(str(data / folder / f"{number}.png"), picture)
