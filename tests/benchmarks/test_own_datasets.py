"""Own datasets by dataset.toml, through the verbs: trained, evaluated, scored, in a table and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import tasks
from benchmarks.cli import entry
from benchmarks.store.store import Store

FLOWERS = """
name = "flowers"
title = "Flowers, 3 kinds"
task = "classification"
layout = "class-folders"
[splits.train]
images = "pictures/train"
[splits.val]
images = "pictures/val"
[protocol]
crop = 32
resize = 32
"""


@pytest.fixture
def flowers(tmp_path: Path) -> Iterator[Path]:
    """Three kinds that differ in colour: ten pictures of each to train on, four to evaluate."""
    root = tmp_path / "data" / "my_flowers"
    generator = np.random.default_rng(0)
    for split, count in (("train", 10), ("val", 4)):
        for channel, name in enumerate(("aster", "lily", "rose")):
            folder = root / "pictures" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                picture = generator.integers(0, 60, (40, 48, 3)).astype(np.uint8)
                picture[..., channel] += 150
                cv2.imwrite(str(folder / f"{number}.png"), picture)
    (root / "dataset.toml").write_text(FLOWERS)
    yield tmp_path / "data"
    task = tasks.get_task("classification")
    task.__dict__.pop("datasets", None)


def test_class_folders_through_the_verbs(flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--data-root", str(flowers), "--out", str(tmp_path / "results")]
    cell = ["--task", "classification", "--dataset", "flowers", "--model", "hrnet_micro_w8"]
    few = ["--set", "recipe.epochs=8", "recipe.batch_size=6", "recipe.lr=0.02", "recipe.init_from=none"]
    told = tmp_path / "result.json"
    assert entry(["train", *cell, *few, *places, "--json", str(told)]) == 0, capsys.readouterr().err
    record = json.loads(told.read_text())
    assert record["figures"]["top1"]["n"] == 12 and record["declaration"]["labels"]["names"] == [
        "aster",
        "lily",
        "rose",
    ]
    [stored] = list(Store(tmp_path / "results" / "runs").all())
    weights = stored.folder / "weights.pt"
    call = ["eval", *cell, "--checkpoint", str(weights), *places, "--predictions", str(tmp_path / "best.csv")]
    assert entry([*call, "--json", str(told)]) == 0, capsys.readouterr().err
    again = json.loads(told.read_text())["figures"]
    assert again["top1"]["value"] == record["figures"]["top1"]["value"]
    lines = (tmp_path / "best.csv").read_text().splitlines()[1:]
    right = sum(
        line.partition("/")[0] == ("aster", "lily", "rose")[int(line.split(",")[1].split()[0])] for line in lines
    )
    assert again["top1"]["value"] == pytest.approx(100 * right / 12)
    score = ["score", "--task", "classification", "--dataset", "flowers", "--file", str(tmp_path / "best.csv")]
    assert entry([*score, "--data-root", str(flowers), "--json", str(told)]) == 0, capsys.readouterr().err
    assert json.loads(told.read_text())["figures"]["top1"]["value"] == again["top1"]["value"]
    # Without the data: the result itself says what its dataset is.
    tasks.get_task("classification").__dict__.pop("datasets")
    run = str(tmp_path / "results")
    assert entry(["compare", run, run, "--draws", "20"]) == 0
    assert "flowers" in capsys.readouterr().out


def test_a_name_that_is_taken_and_one_that_nobody_declares(
    flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = flowers / "other"
    other.mkdir()
    (other / "dataset.toml").write_text(FLOWERS)
    cell = ["--task", "classification", "--model", "hrnet_micro_w8", "--data-root", str(flowers)]
    assert entry(["train", *cell, "--dataset", "flowers", "--out", str(tmp_path)]) == 2
    assert "declares 'flowers'" in capsys.readouterr().err
    (other / "dataset.toml").write_text(FLOWERS.replace("flowers", "imagenet"))
    assert entry(["train", *cell, "--dataset", "flowers", "--out", str(tmp_path)]) == 2
    assert "'imagenet' is the name of a dataset" in capsys.readouterr().err
    (other / "dataset.toml").unlink()
    assert entry(["train", *cell, "--dataset", "flower", "--out", str(tmp_path)]) == 2
    assert "Did you mean 'flowers'" in capsys.readouterr().err
