"""Seeded weights of micro networks, one for each task, and small data to predict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import tasks
from benchmarks.experiment.cell import make_cell
from benchmarks.running.steps.kept import save_weights
from benchmarks.synthetic.cache import ensure

MODEL = "hrnet_micro_w8"
DATASETS = {"pose": "coco", "landmarks": "300w", "segmentation": "lip", "detection": "coco"}
FLOWERS = """
name = "flowers"
task = "classification"
layout = "class-folders"
[splits.val]
images = "val"
[protocol]
crop = 32
resize = 40
"""


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data roots of the smoke tier by the task's name, and a dataset of class folders; tests must not write to it."""
    root = tmp_path_factory.mktemp("embedded")
    for task, key in (
        ("pose", "coco"),
        ("landmarks", "300w"),
        ("segmentation", "lip"),
        ("detection", "coco_detection"),
    ):
        ensure(key, root / task, "smoke")
    generator = np.random.default_rng(0)
    for name in ("aster", "rose", "lily"):
        folder = root / "classification" / "flowers" / "val" / name
        folder.mkdir(parents=True)
        for number in range(2):
            cv2.imwrite(str(folder / f"{number}.png"), generator.integers(0, 255, (48, 56, 3)).astype(np.uint8))
    (root / "classification" / "flowers" / "dataset.toml").write_text(FLOWERS)
    return root


@pytest.fixture(scope="session")
def weights(embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes seeded weights in our own format and returns their file: ``weights(task)``."""
    folder = tmp_path_factory.mktemp("weights")
    made: dict[str, Path] = {}

    def write(task: str, **changes: Any) -> Path:
        name = f"{task}{sorted(changes.items())}"
        if name not in made:
            dataset = DATASETS.get(task, "flowers")
            if dataset == "flowers":
                tasks.declare_below(embedded / "classification")
            torch.manual_seed(0)
            network = tasks.build_model(task, MODEL, dataset, **changes)
            cell = make_cell(task, dataset, MODEL, tier="smoke", **changes)
            if task == "detection":  # so that an untrained detector finds something
                with torch.no_grad():
                    network.box_head.cls.weight.mul_(40)
            made[name] = folder / f"{len(made)}_{task}.pt"
            save_weights(network, cell, made[name])
            if dataset == "flowers":
                tasks.get_task("classification").__dict__.pop("datasets", None)
        return made[name]

    return write
