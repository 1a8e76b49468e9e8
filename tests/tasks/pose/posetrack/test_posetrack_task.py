"""PoseTrack as datasets of the pose task: evaluated by video, trained by person, written and scored in the official form."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tasks import build_model, get_task
from tasks.options import from_plain, to_plain
from tasks.pose.drawing import draw_tracks
from tasks.pose.entries import ENTRIES
from tasks.pose.posetrack.datasets import TrackedVideo
from tasks.pose.posetrack.files.form_2018 import KEYPOINTS, PLACES
from tasks.pose.posetrack.from_coco import posetrack_from_coco
from tasks.pose.posetrack.inference import track_video
from tasks.pose.posetrack.protocol import PoseTrackProtocol, TrackRules
from tasks.results.tracks import track_colour

TASK = get_task("pose")
GOLDEN = Path(os.environ.get("HRNET_GOLDEN", Path(__file__).parents[3] / "data" / "golden")) / "posetrack"


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_model("pose", "hrnet_micro_w8", "posetrack18").eval()


def predicted(model: torch.nn.Module, data: Any, protocol: Any, batch: int) -> list[TrackedVideo]:
    found: list[TrackedVideo] = []
    for start in range(0, len(data), batch):
        samples = [data[index] for index in range(start, min(start + batch, len(data)))]
        with torch.inference_mode():
            found += TASK.predict(model, data.collate(samples), protocol)
    return found


@pytest.mark.parametrize("boxes", ["gt", "detector"])
@pytest.mark.parametrize("year", ["17", "18"])
def test_evaluation(year: str, boxes: str, model: torch.nn.Module, tmp_path: Path, request: Any) -> None:
    root = request.getfixturevalue(f"cards_20{year}")
    dataset = f"posetrack{year}"
    made = TASK.protocol(dataset, tier="smoke")
    protocol = replace(made, boxes=boxes, joint_threshold=0.0)
    data = TASK.eval_data(dataset, root, "val", protocol)
    assert data.image_ids() == ["000001_mpii_test", "000002_mpii_test"] and not data.notes
    together, alone = (predicted(model, data, protocol, batch) for batch in (2, 1))
    for one, other in zip(together, alone, strict=True):
        for name in TrackedVideo.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    # Without labels an annotated box has no place; a detector's has.
    assert (3 in together[0].frame) is (boxes == "detector")
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add([1, 0], together[::-1])
    figures = TASK.figures(dataset, evaluation.stats(), to_plain(protocol))
    assert set(figures) <= set(TASK.metrics) and {"mAP", "MOTA", "MOTP", "Prec", "Rec"} <= set(figures)
    assert evaluation.sample_scores().shape == (2,)
    for what in ("truth", "prediction"):
        picture = evaluation.picture(0, what)  # type: ignore[arg-type]
        assert picture.dtype == np.uint8 and picture.shape[0] == 240
    evaluation.write_predictions(tmp_path / "found")
    stats, _ = TASK.submission_stats(dataset, root, "val", tmp_path / "found", protocol)
    assert TASK.figures(dataset, stats, {}) == pytest.approx(figures, nan_ok=True, abs=0)
    held = json.loads((tmp_path / "found" / "000001_mpii_test.json").read_text())
    assert ("annolist" in held) is (year == "17")


def test_missing_predictions_are_named(cards_2018: Path) -> None:
    protocol = TASK.protocol("posetrack18")
    evaluation = TASK.evaluation(TASK.eval_data("posetrack18", cards_2018, "val", protocol), protocol)
    with pytest.raises(ValueError, match="000001_mpii_test"):
        evaluation.stats()


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no recorded sequences at {GOLDEN}")
def test_the_recorded_sequences(model: torch.nn.Module, tmp_path: Path) -> None:
    """The two little sequences of the archives, with pictures made here."""
    folder = tmp_path / "annotations" / "val"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur((rng.random((200, 320, 3)) * 255).astype(np.uint8), (0, 0), 2)
    for path in sorted((GOLDEN / "posetrack18_json" / "gt").glob("*.json")):
        (folder / path.name).write_text(path.read_text())
        for number, image in enumerate(json.loads(path.read_text())["images"]):
            target = tmp_path / image["file_name"]
            target.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(target), np.roll(wall, 2 * number, axis=1))
    protocol = replace(TASK.protocol("posetrack18", model="hrnet_micro_w8"), boxes="gt", joint_threshold=0.0)
    data = TASK.eval_data("posetrack18", tmp_path, "val", protocol)
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add(range(len(data)), predicted(model, data, protocol, 2))
    assert "MOTA" in TASK.figures("posetrack18", evaluation.stats(), {})
    stats, _ = TASK.submission_stats("posetrack18", tmp_path, "val", GOLDEN / "posetrack18_json" / "pred", protocol)
    assert TASK.figures("posetrack18", stats, {})["mAP"] > 1


def test_training_samples_are_persons_in_boxes_of_their_joints(cards_2018: Path) -> None:
    protocol = TASK.protocol("posetrack18")
    recipe = replace(TASK.recipe("posetrack18", "hrnet_w32", "full"), init_from=None)
    data = TASK.train_data("posetrack18", cards_2018, "train", recipe, protocol, 0)
    assert len(data) == 2 * 5 * 2
    sample = data[(0, 0)]
    assert sample["images"].shape == (3, 256, 192) and sample["target"].shape == (15, 64, 48)
    np.testing.assert_array_equal(sample["images"], data[(0, 0)]["images"])
    # The card is 22 x 60 px: 60 px and 15 %, then the padding of every crop.
    np.testing.assert_allclose(data.persons.scales[:, 1], 60 * 1.15 * 1.25 / 200, rtol=1e-6)
    own = TASK.train_data("posetrack18", cards_2018, "train", recipe, replace(protocol, truth_box="file"), 0)
    np.testing.assert_allclose(own.persons.scales[:, 1], 60 * 1.25 / 200, rtol=1e-6)


def test_recipes_are_the_papers() -> None:
    recipe = TASK.recipe("posetrack17", "hrnet_w48", "full")
    assert (recipe.epochs, recipe.lr, recipe.milestones, recipe.init_from) == (
        20,
        1e-4,
        (10, 15),
        "pose_hrnet_w48_384x288.pth",
    )
    assert TASK.recipe("posetrack17", "simple_baseline_r50", "full").augment.rotation_factor == 40


def test_networks_of_17_outputs_are_mapped() -> None:
    torch.manual_seed(0)
    model = build_model("pose", "hrnet_micro_w8", "posetrack18", num_joints=17).eval()
    batch = {"images": torch.rand(2, 3, 64, 64), "centre": np.full((2, 2), 32.0), "scale": np.full((2, 2), 0.32)}
    plain = build_model("pose", "hrnet_micro_w8", "coco").eval()
    plain.load_state_dict(model.state_dict())
    coco = TASK.protocol("coco", model="hrnet_micro_w8")
    found = {}
    for channels in ("posetrack", "coco"):
        protocol = replace(TASK.protocol("posetrack18", model="hrnet_micro_w8"), channels=channels, flip=False)
        with torch.inference_mode():
            found[channels] = np.array(TASK.predict(model, batch, protocol))
            own = np.array(TASK.predict(plain, batch, replace(coco, flip=False)))
        assert found[channels].shape == (2, 15, 3)
    np.testing.assert_allclose(found["coco"], posetrack_from_coco(own), rtol=1e-5)
    np.testing.assert_array_equal(found["posetrack"], own[:, PLACES])
    assert len(KEYPOINTS) == 17
    with pytest.raises(ValueError, match="num_joints"):
        build_model("pose", "hrnet_micro_w8", "posetrack18", num_joints=16)


def test_protocol_is_plain_data() -> None:
    protocol = TASK.protocol_with(TASK.protocol("posetrack18"), {"memory": "7", "assignment": "hungarian"})
    assert isinstance(protocol, PoseTrackProtocol) and protocol.memory == 7
    assert from_plain(PoseTrackProtocol, to_plain(protocol)) == protocol
    assert "hungarian matching by flow-moved OKS > 0.3 over 7 frames" in TASK.protocol_header(protocol)
    assert TASK.protocol("posetrack18", model="simple_baseline_r50").colour == "bgr"


@pytest.mark.parametrize("dataset", ["posetrack18", "coco", "mpii"])
def test_any_pose_network_tracks_a_video(dataset: str, card_pictures: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    model = build_model("pose", "hrnet_micro_w8", dataset).eval()
    protocol = TASK.protocol(dataset, model="hrnet_micro_w8")
    rules = TrackRules(joint_threshold=0.0, nms="none")
    boxes = [(np.array([[10.0, 15.0, 45.0, 85.0]]), np.array([0.9]))] * len(card_pictures)
    tracked = list(track_video(TASK, model, card_pictures, boxes, protocol, rules=rules))
    joints = model.num_outputs
    assert len(tracked) == len(card_pictures) and tracked[0].keypoints.shape == (1, joints, 3)
    frame = tracked[-1]
    points, ids = frame.keypoints[..., :2], frame.ids.tolist()
    drawn = draw_tracks(card_pictures[-1], points, frame.present, ids, ENTRIES[dataset].skeleton)
    assert drawn.shape == card_pictures[-1].shape
    assert not frame.present.any() or (drawn != card_pictures[-1]).any()


def test_tracks_are_drawn_in_their_own_colours(card_pictures: list[np.ndarray], card_joints: np.ndarray) -> None:
    present = np.ones((2, 15), bool)
    first = draw_tracks(card_pictures[0], card_joints[0], present, [3, 4])
    for name in (3, 4):
        assert (first == track_colour(name)).all(-1).any()
    assert not (first == track_colour(7)).all(-1).any()
    untouched = draw_tracks(card_pictures[0], card_joints[0], ~present, [3, 4])
    np.testing.assert_array_equal(untouched, card_pictures[0])
