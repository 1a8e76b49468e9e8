"""Folders, crops, figures and the network of the classification task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from tasks import build_model, get_task
from tasks.classification.datasets import ClassificationEvalData, centre_crop, random_part, resized_part
from tasks.classification.folders import ClassFolders
from tasks.classification.metrics import ClassificationEvaluation, top_figures
from tasks.classification.protocol import ClassificationProtocol
from tasks.classification.recipes import CropAugment
from tasks.classification.submissions import csv_stats

NAMES = [f"n{number:08d}" for number in range(1000)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for number in (3, 998):
            folder = tmp_path / split / NAMES[number]
            folder.mkdir(parents=True)
            Image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(folder / "a.JPEG")
    (tmp_path / "classes.txt").write_text("\n".join(NAMES))
    return tmp_path


@pytest.mark.parametrize("size_wh", [(300, 400), (401, 300), (256, 256)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_crop_equals_torchvision(size_wh: tuple[int, int], interpolation: str) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    mode = v2.InterpolationMode(interpolation)
    reference = v2.Compose([v2.Resize(256, mode), v2.CenterCrop(224)])(Image.fromarray(picture))
    found = centre_crop(picture, ClassificationProtocol(interpolation=interpolation))  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, np.asarray(reference))


def test_labels_come_from_the_list(root: Path) -> None:
    task = get_task("classification")
    data = task.eval_data("imagenet", root, "val", ClassificationProtocol(crop=32, resize=40))
    np.testing.assert_array_equal(data.folders.labels, [3, 998])
    assert data[0]["images"].shape == (3, 32, 32)


def test_incomplete_folders_are_refused(root: Path) -> None:
    task, protocol = get_task("classification"), ClassificationProtocol()
    (root / "classes.txt").unlink()
    with pytest.raises(ValueError, match=r"classes\.txt"):
        task.eval_data("imagenet", root, "val", protocol)
    (root / "classes.txt").write_text("\n".join(NAMES[:998]))
    with pytest.raises(ValueError, match="n00000998"):
        task.eval_data("imagenet", root, "val", protocol)
    with pytest.raises(ValueError, match="no such folder"):
        task.eval_data("imagenet", root / "val", "val", protocol)


def test_evaluation_ranks_the_true_class(root: Path, tmp_path: Path) -> None:
    task, protocol = get_task("classification"), ClassificationProtocol(crop=32, resize=40)
    data = task.eval_data("imagenet", root, "val", protocol)
    evaluation = task.evaluation(data, protocol)
    logits = np.zeros((2, 1000), dtype=np.float32)
    logits[0, 3], logits[1, [1, 2, 998]] = 1, (3, 2, 1)
    evaluation.add([0], [logits[0]])
    with pytest.raises(ValueError, match="missing"):
        evaluation.stats()
    evaluation.add([1], [logits[1]])
    figures = task.figures("imagenet", evaluation.stats(), {})
    assert figures == {"top1": 50.0, "top1_err": 50.0, "top5": 100.0, "top5_err": 0.0}
    assert set(figures) == set(task.metrics)
    evaluation.write_predictions(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[2].startswith("n00000998/a,1 2 998 ")
    assert evaluation.picture(0, "prediction").shape == (32, 32, 3)


def test_outputs_beyond_the_classes_compete_and_are_wrong(root: Path) -> None:
    task, protocol = get_task("classification"), ClassificationProtocol(crop=32, resize=40)
    data = task.eval_data("imagenet", root, "val", protocol)
    network = torch.nn.Identity()
    network.dataset, network.num_outputs = "imagenet", 1021  # type: ignore[assignment]
    task.meet(network, data)
    task.meet(network, data)
    [note] = data.notes
    assert "1021 outputs, the dataset 1000 classes" in note and "counts as wrong" in note
    logits = np.zeros((2, 1021), dtype=np.float32)
    logits[0, 3], logits[1, [998, 1020]] = 1, (1, 2)
    evaluation = task.evaluation(data, protocol)
    evaluation.add([0, 1], list(logits))
    assert task.figures("imagenet", evaluation.stats(), {})["top1"] == 50.0
    assert evaluation.picture(1, "prediction").shape == (32, 32, 3)
    network.num_outputs = 21  # type: ignore[assignment]
    with pytest.raises(ValueError, match="at least 1000 outputs, the classes of imagenet, got 21"):
        task.meet(network, data)


@pytest.mark.parametrize(("classes", "outputs"), [(1, 1), (1, 10), (3, 3), (3, 10), (7, 7), (7, 10)])
def test_few_classes_and_more_outputs_are_written_and_scored_alike(classes: int, outputs: int, tmp_path: Path) -> None:
    for number in range(classes):
        place = tmp_path / f"val/c{number}"
        place.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(place / f"{number}.png")
    names = tuple(f"c{number}" for number in range(classes))
    source = ClassFolders("Few", classes, {"val": "val"}, names)
    protocol = ClassificationProtocol(crop=8, resize=8)
    data = ClassificationEvalData(tmp_path, "val", protocol, source)
    made = ClassificationEvaluation(data, protocol)
    rng = np.random.default_rng(0)
    made.add(range(classes), list(rng.normal(size=(classes, outputs))))
    made.write_predictions(tmp_path / "found.csv")
    read, _ = csv_stats(tmp_path, "val", tmp_path / "found.csv", source)
    assert top_figures(read["rank"]) == top_figures(made.stats()["rank"])
    assert ("-" in (tmp_path / "found.csv").read_text()) == (outputs > classes)
    assert np.isnan(made.sample_scores()).all() == (outputs == 1)


def test_counts_are_weights() -> None:
    rank = np.array([0, 3, 7])
    assert top_figures(rank, np.array([2, 0, 2])) == top_figures(np.array([0, 0, 7, 7]))


def test_random_part_lies_inside_and_is_repeatable() -> None:
    for seed in range(200):
        left, top, right, bottom = random_part(np.random.default_rng(seed), 60, 40, CropAugment())
        assert 0 <= left < right <= 60 and 0 <= top < bottom <= 40
        assert random_part(np.random.default_rng(seed), 60, 40, CropAugment()) == (left, top, right, bottom)
    assert random_part(np.random.default_rng(0), 1000, 5, CropAugment()) == (496, 0, 503, 5)


def test_a_part_is_resized_without_its_surroundings() -> None:
    """What lies beside the box is not there for the antialiasing filter, as after the reference's crop."""
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    painted = np.full_like(picture, 255)
    painted[20:80, 30:100] = picture[20:80, 30:100]
    box = (30, 20, 100, 80)
    assert (resized_part(picture, box, 16) == resized_part(painted, box, 16)).all()
    cut = Image.fromarray(picture[20:80, 30:100]).resize((16, 16), Image.Resampling.BILINEAR)
    assert (resized_part(picture, box, 16) == np.asarray(cut)).all()


def test_network_learns_a_batch(root: Path) -> None:
    task = get_task("classification")
    torch.manual_seed(0)
    network = build_model("classification", "hrnet_micro_w8", "imagenet")
    data = task.train_data(
        "imagenet", root, "train", task.recipe("imagenet", "", "smoke"), ClassificationProtocol(crop=64, resize=72), 0
    )
    batch = data.collate([data[(0, 0)], data[(0, 1)]])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        made = task.loss(network, batch, task.recipe("imagenet", "", "smoke"))
        optimizer.zero_grad()
        made["loss"].backward()
        optimizer.step()
        losses.append(float(made["loss"].detach()))
    assert losses[-1] < losses[0] / 2
    with pytest.raises(ValueError, match="representation"):
        build_model("classification", "hrnet_micro_w8", "imagenet", "V2")
