"""The verb ``predict`` from files to files: detectors of three makers in front of a pose network, label maps, faces, videos."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from foreign_names import foreign
from PIL import Image

import tasks
from benchmarks.cli import entry
from tasks.images import read_image
from tasks.predictor.video import VideoWriter, frames_of

Weights = Callable[..., Path]
TORCHVISION = (
    (r"^body\.", "backbone.body."),
    (r"^representation\.laterals\.(\d)\.", r"backbone.fpn.inner_blocks.\1.0."),
    (r"^representation\.smooth\.(\d)\.", r"backbone.fpn.layer_blocks.\1.0."),
    (r"^rpn\.conv\.", "rpn.head.conv.0.0."),
    (r"^rpn\.cls\.", "rpn.head.cls_logits."),
    (r"^rpn\.reg\.", "rpn.head.bbox_pred."),
    (r"^box_head\.(fc[67])\.", r"roi_heads.box_head.\1."),
    (r"^box_head\.cls\.", "roi_heads.box_predictor.cls_score."),
    (r"^box_head\.reg\.", "roi_heads.box_predictor.bbox_pred."),
)


def liven(state: dict[str, Any], background_first: bool) -> None:
    """Makes an untrained detector find persons, surer of some boxes than of others."""
    state["box_head.cls.weight"] *= 4
    state["box_head.cls.bias"][int(background_first)] += 8


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detectors that look at pictures of 64 px, for speed."""
    task = tasks.get_task("detection")
    usual = task.protocol
    monkeypatch.setattr(task, "protocol", lambda *a, **k: replace(usual(*a, **k), short_px=64, long_px=96))


def our_detector(weights: Weights, path: Path) -> Path:
    """The seeded detector of the other tests, which finds persons too."""
    payload = torch.load(weights("detection"), weights_only=True)
    state = payload["state_dict"]
    state["box_head.cls.weight"] /= 40  # the fixture's factor
    liven(state, background_first=True)
    torch.save(payload, path)
    return path


def detector_file(maker: str, path: Path) -> Path:
    """A small seeded detector in the form of torchvision's or mmdet's files."""
    torch.manual_seed(0)
    options: dict[str, Any] = {"num_outputs": 90} if maker == "torchvision" else {}
    body = "resnet18" if maker == "torchvision" else "hrnet_micro_w8"
    network = tasks.build_model("detection", body, "coco", conventions=maker, **options)
    liven(network.state_dict(), background_first=maker == "torchvision")
    state = network.state_dict()
    if maker == "mmdet":
        torch.save({"meta": {"mmdet_version": "2.25.0"}, "state_dict": foreign(state, "mmdet")}, path)
        return path
    renamed: dict[str, Any] = {}
    for name, value in state.items():
        pattern, target = next((p, t) for p, t in TORCHVISION if re.match(p, name))
        renamed[re.sub(pattern, target, name)] = value
    torch.save(renamed, path)
    return path


def predict(out: Path, *words: Any) -> dict[str, Any]:
    """Calls the verb; predictions.json."""
    assert entry(["predict", *map(str, words), "--out", str(out), "--device", "cpu"]) == 0
    made: dict[str, Any] = json.loads((out / "predictions.json").read_text())
    return made


@pytest.mark.parametrize("maker", ["ours", "torchvision", "mmdet"])
def test_a_detector_of_any_maker_finds_the_persons(
    maker: str, embedded: Path, weights: Weights, tmp_path: Path, capsys: pytest.CaptureFixture[str], small: None
) -> None:
    path = tmp_path / "detector.pth"
    file = our_detector(weights, path) if maker == "ours" else detector_file(maker, path)
    picture = tmp_path / "elsewhere" / "somebody.jpg"
    picture.parent.mkdir()
    shutil.copyfile(sorted((embedded / "detection").rglob("*.jpg"))[0], picture)
    detector = tasks.load_predictor(file, device="cpu")
    found = detector(picture)
    [person] = {number for number, name in detector.task.categories(detector.network) if name == "person"}
    sized = (found.boxes_xyxy_px[:, 2:] > found.boxes_xyxy_px[:, :2]).all(1)
    chosen = (found.category_ids == person) & sized
    boxes, scores = found.boxes_xyxy_px[chosen], found.scores[chosen]
    assert len(scores) > 1
    least = float(np.sort(scores)[len(scores) // 2])
    words = ("--checkpoint", weights("pose"), "--detector", file, picture)
    [plain] = predict(tmp_path / "out", *words, "--score", least).values()
    assert plain["boxes_from"] == "the detector" and len(plain["persons"]) == (scores >= least).sum() < len(scores)
    given = np.array([one["box"] for one in plain["persons"]])
    given[:, 2:] += given[:, :2]
    np.testing.assert_allclose(given, boxes[scores >= least], atol=0.02)
    expected = tasks.load_predictor(weights("pose"), device="cpu")(picture, boxes=boxes[scores >= least])
    points = np.array([one["keypoints"] for one in plain["persons"]])
    np.testing.assert_allclose(points[..., :2], expected.keypoints_px, atol=0.05)
    drawn = read_image(tmp_path / "out", "somebody.png")
    np.testing.assert_array_equal(drawn, expected.draw())
    capsys.readouterr()
    [nobody] = predict(tmp_path / "none", *words, "--score", 1).values()
    assert nobody["persons"] == [] and "note: the detector found no box above 1" in capsys.readouterr().err
    np.testing.assert_array_equal(
        read_image(tmp_path / "none", "somebody.png"), read_image(picture.parent, picture.name)
    )


def test_label_maps_have_the_datasets_palette(embedded: Path, weights: Weights, tmp_path: Path) -> None:
    folder = embedded / "segmentation" / "lip" / "TrainVal_images" / "val_images"
    files = sorted(folder.iterdir())[:2]
    plain = predict(tmp_path, "--checkpoint", weights("segmentation"), *files)
    predictor = tasks.load_predictor(weights("segmentation"), device="cpu")
    for file, expected in zip(files, predictor(files), strict=True):
        with Image.open(tmp_path / f"{file.stem}.png") as made:
            assert made.mode == "P"
            np.testing.assert_array_equal(np.asarray(made), expected.labels)
            palette = np.array(made.getpalette()).reshape(-1, 3)[: len(expected.names)]
        np.testing.assert_array_equal(palette, expected.colours)
        np.testing.assert_array_equal(read_image(tmp_path, f"{file.stem}_overlay.png"), expected.draw())
        assert {one["category"] for one in plain[str(file)]["classes"]} <= set(expected.names)


def test_faces_are_drawn_at_the_pictures_size(embedded: Path, weights: Weights, tmp_path: Path) -> None:
    file = sorted((embedded / "landmarks" / "300w" / "images").rglob("*.png"))[0]
    [plain] = predict(tmp_path, "--checkpoint", weights("landmarks"), file, "--boxes", "truth").values()
    picture, drawn = read_image(file.parent, file.name), read_image(tmp_path, f"{file.stem}.png")
    points = np.array(plain["faces"][0]["points"])
    assert drawn.shape == picture.shape and points.shape == (68, 2)
    height, width = picture.shape[:2]
    seen = points[(points > 2).all(1) & (points < (width - 1, height - 1)).all(1)]  # the file counts from 1
    assert len(seen) > 5
    for x, y in np.rint(seen - 1).astype(int):
        assert (drawn[y - 1 : y + 2, x - 1 : x + 2] != picture[y - 1 : y + 2, x - 1 : x + 2]).any()


def test_videos(embedded: Path, weights: Weights, tmp_path: Path) -> None:
    pytest.importorskip("av")
    source = sorted((embedded / "detection").rglob("*.jpg"))[0]
    picture = read_image(source.parent, source.name)
    with VideoWriter(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for _ in range(4):
            writer.add(picture)
    size_hw = (picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2)
    sure = tmp_path / "sure.pt"
    payload = torch.load(weights("pose"), weights_only=True)
    payload["state_dict"]["head.predict.bias"] += 0.7
    torch.save(payload, sure)

    out, detector = tmp_path / "persons", our_detector(weights, tmp_path / "detector.pt")
    [frames] = predict(out, "--checkpoint", sure, "--detector", detector, tmp_path / "clip.mp4", "--score", 0).values()
    assert [frame["frame"] for frame in frames] == [0, 1, 2, 3] and frames[2]["time_s"] == pytest.approx(0.2)
    names = [[person["track_id"] for person in frame["persons"]] for frame in frames]
    assert names[0] and all(len(set(found)) == len(found) for found in names)
    assert set.intersection(*map(set, names)), "nobody keeps an id over frames that are alike"
    drawn = [frame.picture for frame in frames_of(out / "clip.mp4")]
    assert len(drawn) == 4 and drawn[0].shape[:2] == size_hw and np.abs(drawn[0] - picture[: size_hw[0]]).max() > 30

    out = tmp_path / "maps"
    [frames] = predict(out, "--checkpoint", weights("segmentation"), tmp_path / "clip.mp4").values()
    assert len(frames) == 4 and all(frame["classes"] for frame in frames)
    for number in range(4):
        with Image.open(out / "clip" / f"{number:06d}.png") as made:
            assert made.mode == "P" and made.size == size_hw[::-1]
