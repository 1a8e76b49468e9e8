"""The pose task on the embedded people: perfect predictions score 100, networks of every kind build, learn and predict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import loadmat

from benchmarks.synthetic.cache import ensure
from tasks import build_model, get_task
from tasks.options import to_plain
from tasks.pose.crops.person_crop import person_inputs
from tasks.pose.files import coco
from tasks.pose.inference import fuse_scales, fuse_there, predict_heatmaps
from tasks.pose.protocol import CocoProtocol, MpiiProtocol, PoseProtocol

TASK = get_task("pose")
MODELS = ("hrnet_micro_w8", "simple_baseline_micro", "hourglass_micro", "resnet_micro")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embedded")
    for dataset in ("coco", "mpii"):
        ensure(dataset, root, "smoke")
    return root


def opened(dataset: str, embedded: Path, **changes: Any) -> tuple[Any, PoseProtocol]:
    protocol = replace(TASK.protocol(dataset, tier="smoke"), **changes)
    return TASK.eval_data(dataset, embedded / dataset, TASK.dataset(dataset).eval_split, protocol), protocol


def perfect(data: Any) -> np.ndarray:
    persons = data.persons
    return np.concatenate([persons.joints, np.ones((*persons.joints.shape[:2], 1))], -1).astype(np.float32)


# -- evaluation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["coco", "mpii"])
def test_perfect_predictions_score_hundred(dataset: str, embedded: Path) -> None:
    data, protocol = opened(dataset, embedded)
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add(range(len(data)), list(perfect(data)))
    figures = TASK.figures(dataset, evaluation.stats(), to_plain(protocol))
    assert figures[TASK.headline(dataset)] == pytest.approx(100)
    assert set(figures) <= set(TASK.metrics)
    assert figures == pytest.approx(
        TASK.figures(dataset, evaluation.stats(), {}, np.full(len(evaluation.stats()["image"]), 3)), nan_ok=True
    )
    assert np.nanmin(evaluation.sample_scores()) == pytest.approx(1 if dataset == "coco" else 0, abs=1e-6)


@pytest.mark.parametrize("dataset", ["coco", "mpii"])
def test_noise_lowers_and_an_image_subset_is_its_own_evaluation(dataset: str, embedded: Path) -> None:
    data, protocol = opened(dataset, embedded)
    evaluation = TASK.evaluation(data, protocol)
    noise = np.random.default_rng(0).normal(0, 8, (len(data), data.skeleton.num_joints, 3)) * [1, 1, 0]
    evaluation.add(range(len(data)), list(perfect(data) + noise))
    stats = evaluation.stats()
    assert 0 < TASK.figures(dataset, stats, {})[TASK.headline(dataset)] < 99
    counts = np.zeros(len(stats["image"]), dtype=int)
    counts[0] = 1
    one = TASK.figures(dataset, stats, {}, counts)
    if dataset == "mpii":
        members = data.persons.image == 0
        errors = evaluation.errors()[members]
        seen = [j for j in range(16) if j not in (6, 7) and not np.isnan(errors[:, j]).all()]
        hits = (errors[:, seen] <= 0.5).sum() / (~np.isnan(errors[:, seen])).sum()
        assert one["PCKh@0.5"] == pytest.approx(100 * hits)
    assert one != TASK.figures(dataset, stats, {})


def test_order_of_adding_does_not_matter_and_gaps_are_told(embedded: Path) -> None:
    data, protocol = opened("coco", embedded)
    first, second = TASK.evaluation(data, protocol), TASK.evaluation(data, protocol)
    poses = perfect(data)
    first.add(range(len(data)), list(poses))
    for index in reversed(range(1, len(data))):
        second.add([index], [poses[index]])
    with pytest.raises(ValueError, match=r"1 are missing.*person_keypoints_val2017\.json, record"):
        second.stats()
    second.add([0], [np.where([False, False, True], np.inf, poses[0])])
    with pytest.raises(ValueError, match="1 are missing or not finite"):
        second.stats()
    second.add([0], [poses[0]])
    for name, value in first.stats().items():
        np.testing.assert_array_equal(value, second.stats()[name])


def test_detector_boxes_are_suppressed_and_rescored(embedded: Path, tmp_path: Path) -> None:
    data, protocol = opened("coco", embedded, boxes="detector")
    assert isinstance(protocol, CocoProtocol)
    evaluation = TASK.evaluation(data, protocol)
    still = np.zeros((17, 3), dtype=np.float32)
    still[:, 2] = 0.5
    evaluation.add(range(len(data)), [still] * len(data))
    records = evaluation.results()
    pictures = {data.persons.image_ids[k] for k in data.persons.image}
    # Equal poses in one picture are one.
    assert len(records) == len(pictures)
    assert records[0]["score"] == pytest.approx(
        0.5 * data.persons.scores[data.persons.image == data.persons.image[0]].max()
    )
    assert len(TASK.evaluation(data, replace(protocol, nms="none")).keypoints) == len(data)
    evaluation.write_predictions(tmp_path / "kpts.json")
    written = json.loads((tmp_path / "kpts.json").read_text())
    assert written == records and set(written[0]) == {"image_id", "category_id", "keypoints", "score"}
    assert len(written[0]["keypoints"]) == 51


def test_a_detector_box_shows_the_person_that_it_overlaps(embedded: Path, tmp_path: Path) -> None:
    """Best, worst and truth need an annotated person: a box has that of its picture which it overlaps most, or nobody."""
    annotated, _ = opened("coco", embedded)
    persons = annotated.persons
    boxes = [
        {
            "image_id": persons.image_ids[image],
            "category_id": 1,
            "score": 0.9,
            "bbox": [*(centre - 80 * scale), *(160 * scale)],
        }
        for image, centre, scale in zip(persons.image, persons.centres, persons.scales, strict=True)
    ]
    boxes.append(boxes[0] | {"bbox": [-4000.0, -4000.0, 10.0, 20.0]})
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps([{k: np.asarray(v).tolist() for k, v in box.items()} for box in boxes]))
    data, protocol = opened("coco", embedded, boxes="detector", boxes_file=str(file))
    evaluation = TASK.evaluation(data, protocol)
    poses = np.concatenate([perfect(annotated), np.ones((1, 17, 3), dtype=np.float32)])
    evaluation.add(range(len(data)), list(poses))
    for index in range(len(persons)):
        np.testing.assert_array_equal(evaluation.truth_of(index)[0], persons.joints[index])
    scores = evaluation.sample_scores()
    assert scores[:-1] == pytest.approx(1.0) and np.isnan(scores[-1])
    assert not evaluation.truth_of(len(persons))[1].any()
    drawn = evaluation.picture(0, "truth")
    picture = data.pictures[data.persons.files[data.persons.image[0]]]
    assert drawn.shape[2] == 3 and (drawn != evaluation.picture(0, "prediction")).mean() < 0.2 and picture.size
    evaluation._shown = evaluation._shown[0], np.full(len(data), -1)
    assert (drawn != evaluation.picture(0, "truth")).any()


def test_nothing_found_is_zero(embedded: Path) -> None:
    data, protocol = opened("coco", embedded, boxes="detector", box_threshold=2.0)
    assert len(data) == 0
    evaluation = TASK.evaluation(data, protocol)
    assert TASK.figures("coco", evaluation.stats(), {})["AP"] == 0


def test_mpii_predictions_count_from_one(embedded: Path, tmp_path: Path) -> None:
    data, protocol = opened("mpii", embedded)
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add(range(len(data)), list(perfect(data)))
    evaluation.write_predictions(tmp_path / "pred")
    written = loadmat(str(tmp_path / "pred.mat"))["preds"]
    np.testing.assert_allclose(written, data.persons.joints + 1, atol=1e-4)


def test_splits_without_truth_still_write_predictions(embedded: Path, tmp_path: Path) -> None:
    protocol = TASK.protocol("mpii", tier="smoke")
    data = TASK.eval_data("mpii", embedded / "mpii", "test", protocol)
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add(range(len(data)), list(np.ones((len(data), 16, 3), dtype=np.float32)))
    assert TASK.figures("mpii", evaluation.stats(), {}) == {}
    assert np.isnan(evaluation.sample_scores()).all() and evaluation.curves() == {}
    evaluation.write_predictions(tmp_path / "pred.mat")
    with pytest.raises(ValueError, match="boxes=detector"):
        path = coco.annotation_path(embedded / "coco", "test-dev2017")
        path.write_text(json.dumps({"images": []}))
        (embedded / "coco" / "images" / "test2017").mkdir()
        TASK.eval_data("coco", embedded / "coco", "test-dev2017", TASK.protocol("coco"))


@pytest.mark.parametrize("dataset", ["coco", "mpii"])
def test_pictures_are_drawn(dataset: str, embedded: Path) -> None:
    data, protocol = opened(dataset, embedded)
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add(range(len(data)), list(perfect(data)))
    truth, found = evaluation.picture(0, "truth"), evaluation.picture(0, "prediction")
    assert truth.dtype == np.uint8 and truth.shape == found.shape and truth.shape[2] == 3
    assert evaluation.curves()


# -- networks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["coco", "mpii"])
@pytest.mark.parametrize("model", MODELS)
def test_bodies_train_and_predict(model: str, dataset: str, embedded: Path) -> None:
    torch.manual_seed(0)
    network = build_model("pose", model, dataset)
    info = TASK.dataset(dataset)
    recipe = TASK.recipe(dataset, model, "smoke")
    data, protocol = opened(dataset, embedded)
    train = TASK.train_data(dataset, embedded / dataset, info.train_split, recipe, protocol, 0)
    batch = train.collate([train[(0, k)] for k in range(4)])
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4)
    losses = []
    for _ in range(5):
        made = TASK.loss(network, batch, recipe)
        optimizer.zero_grad()
        made["loss"].backward()
        optimizer.step()
        losses.append(float(made["loss"].detach()))
    assert losses[-1] < losses[0]
    network.eval()
    with torch.inference_mode():
        together = TASK.predict(network, data.collate([data[0], data[1]]), protocol)
        alone = TASK.predict(network, data.collate([data[1]]), protocol)
    assert len(together) == 2 and together[0].shape == (info.num_outputs, 3)
    # Batched equals single, but for ties between cells.
    assert np.median(np.abs(together[1] - alone[0])) < 1e-3


def test_hourglass_predicts_in_every_stack() -> None:
    network: Any = build_model("pose", "hourglass_micro", "mpii").eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        stacks = network.stacks(images)
        torch.testing.assert_close(network(images), stacks[-1])
    assert len(stacks) == 2 and stacks[0].shape == (1, 16, 16, 16)
    with pytest.raises(ValueError, match="stacks"):
        build_model("pose", "hourglass_micro", "mpii", "V1")


@pytest.mark.parametrize("level", [1, 2, 3])
def test_resolution_ablation_reads_a_lower_map(level: int) -> None:
    network = build_model("pose", "hrnet_micro_w8", "coco", "V1", level=level)
    assert network(torch.zeros(2, 3, 128, 96)).shape == (2, 17, 32 >> level, 24 >> level)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"representation": "V3"}, "V3"),
        ({"representation": "V2", "level": 1}, "level"),
        ({"upsampel": "nearest"}, "upsample"),
    ],
)
def test_unknown_network_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_model("pose", "hrnet_micro_w8", "coco", **options)


# -- inference -----------------------------------------------------------------------------------------------


class Marker(torch.nn.Module):
    """Heat maps that mark the input's first channel at every fourth pixel, for every joint."""

    dataset = "coco"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, :1, ::4, ::4].expand(-1, 17, -1, -1)


def test_flip_of_an_equivariant_network_changes_little() -> None:
    images = torch.zeros(1, 3, 64, 64)
    images[:, :, 20:24, 12:16] = 1
    pairs = [(1, 2)]
    plain = predict_heatmaps(Marker(), images, pairs, PoseProtocol(flip=False))
    flipped = predict_heatmaps(Marker(), images, pairs, PoseProtocol(flip=True, shift=True))
    assert np.unravel_index(plain[0, 0].argmax(), (16, 16)) == (5, 3)
    unshifted = predict_heatmaps(Marker(), images, pairs, PoseProtocol(flip=True, shift=False))
    assert flipped[0, 0].max() == pytest.approx(0.5) or flipped[0, 0, 5, 3] == 1
    assert not np.array_equal(flipped, unshifted)
    summed = predict_heatmaps(Marker(), images, pairs, PoseProtocol(flip_merge="sum"))
    np.testing.assert_allclose(summed, 2 * flipped)


def test_scales_are_fused_in_one_frame() -> None:
    """A joint at a fixed place of the picture has its peak at the same cell whatever the crop's scale."""
    factors = (0.8, 1.0, 1.3)
    rows, columns = np.mgrid[:64, :48]
    stacks = []
    for factor in factors:
        x, y = (30 - 24) / factor + 24, (20 - 32) / factor + 32
        stacks.append(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)[None, None].astype(np.float32))
    fused = fuse_scales(stacks, factors)
    assert np.unravel_index(fused[0, 0].argmax(), (64, 48)) == (20, 30)
    assert fused.max() > 0.95
    np.testing.assert_allclose(fuse_scales(stacks[1:2], (1.0,)), stacks[1], atol=1e-6)
    there = fuse_there([torch.from_numpy(stack) for stack in stacks], factors)
    np.testing.assert_allclose(there.numpy(), fused, atol=1e-6)


@pytest.mark.parametrize("scales", [(1.0,), (1.25,), (0.8,), (0.8, 1.0, 1.25)])
def test_a_mark_is_found_where_it_is_whatever_the_scales(scales: tuple[float, ...]) -> None:
    rows, columns = np.mgrid[:200, :200]
    blob = np.exp(-((columns - 119.5) ** 2 + (rows - 84.5) ** 2) / 200)
    picture = np.repeat((255 * blob)[:, :, None], 3, 2).astype(np.uint8)
    protocol = CocoProtocol(input_wh=(128, 128), scales=scales, flip=False, decoder="dark", dark_blur=3)
    centre, scale = np.array([100.0, 95.0]), np.array([0.8, 0.8])
    images = torch.from_numpy(person_inputs(picture, centre, scale, protocol))[None]
    found = TASK.predict(Marker(), {"images": images, "centre": centre[None], "scale": scale[None]}, protocol)[0]
    np.testing.assert_allclose(found[0, :2], (119.5, 84.5), atol=2)


def test_family_sets_what_it_implies() -> None:
    assert TASK.protocol("coco", model="hrnet_w32", family="pose").colour == "rgb"
    assert TASK.protocol("coco", model="simple_baseline_r50", family="simple_baseline").colour == "bgr"
    assert TASK.protocol("coco", model="simple_baseline_r50", family="mmpose_1x").colour == "rgb"
    hourglass = TASK.protocol("mpii", model="hourglass_s2", family="hourglass")
    assert not hourglass.shift and hourglass.normaliser == "mpii_mean" and hourglass.crop == "corners"
    small = {TASK.protocol("coco", model=model, tier="embedded") for model in MODELS}
    assert small == {CocoProtocol(input_wh=(96, 128), decoder="dark", dark_blur=3)}
    with pytest.raises(ValueError, match="decoder"):
        TASK.protocol_with(MpiiProtocol(), {"decodr": "dark"})


def test_headers_tell_protocols_apart() -> None:
    headers = {
        TASK.protocol_header(protocol)
        for protocol in (
            CocoProtocol(),
            CocoProtocol(boxes="detector"),
            CocoProtocol(flip=False),
            CocoProtocol(shift=False),
            CocoProtocol(nms="soft_oks"),
            CocoProtocol(decoder="dark"),
            CocoProtocol(scales=(0.9, 1.0)),
            CocoProtocol(input_wh=(288, 384)),
        )
    }
    assert len(headers) == 8
