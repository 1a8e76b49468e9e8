"""SimCC: targets, flip, decoding, loss by their own words, the paper's sizes, and both repositories' files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hrnet
from hrnet.checkpoints import identify_checkpoint
from tasks import build_model, get_task
from tasks.heatmaps.simcc import decode_simcc, simcc_targets
from tasks.heatmaps.simcc_network import SimccModel, merged, simcc_loss, unflip
from tasks.pose.datasets import PoseTrainData
from tasks.pose.protocol import check_protocol

WH, PAIRS = (48, 64), ((0, 1),)
POINTS = np.array([[10.3, 20.0], [40.0, 63.9], [-3.0, 5.0], [30.2, 2.2]])
VISIBLE = np.array([1.0, 1.0, 1.0, 0.0])


def test_targets_of_single_classes() -> None:
    targets, weight = simcc_targets(POINTS, VISIBLE, WH, 2.0, "simcc", 4.0)
    assert targets.shape == (4, 1, 96 + 128) and weight.tolist() == [
        1,
        0,
        0,
        0,
    ]  # 63.9 px is class 128, the first outside
    x, y = targets[0, 0, :96], targets[0, 0, 96:]
    assert (x.argmax(), y.argmax()) == (21, 40)
    assert x[21] == pytest.approx(0.9) and x[20] == pytest.approx(0.1 / 95) and y[0] == pytest.approx(0.1 / 127)
    assert targets[1:].max() == 0


def test_targets_of_gaussians() -> None:
    targets, weight = simcc_targets(POINTS, VISIBLE, WH, 2.0, "simcc_gaussian", 4.0)
    assert weight.tolist() == [1, 1, 1, 0]  # three deviations beyond the input still count
    for joint in range(3):
        for axis, row in ((0, targets[joint, 0, :96]), (1, targets[joint, 0, 96:])):
            for place in (0, 21, 90):
                z = (place - 2 * POINTS[joint, axis]) / 4
                assert row[place] == pytest.approx(math.exp(-z * z / 2) / (4 * math.sqrt(2 * math.pi)), abs=1e-7)
    assert simcc_targets([[-13.0, 5.0]], [1], WH, 2.0, "simcc_gaussian", 4.0)[1] == [1]  # its reach ends at pixel 0
    assert simcc_targets([[-14.1, 5.0]], [1], WH, 2.0, "simcc_gaussian", 4.0)[1] == [0]
    with pytest.raises(ValueError, match="finite"):
        simcc_targets([[np.nan, 5.0]], [1], WH, 2.0, "simcc", 4.0)


def test_a_mirrored_joint_comes_back_to_its_class() -> None:
    """With two classes a pixel the shift is exact; x of a mirrored picture is W - 1 - x."""
    points = np.array([[10.0, 20.0], [33.5, 41.0]])
    mirrored = np.stack([WH[0] - 1 - points[::-1, 0], points[::-1, 1]], axis=1)
    made = torch.from_numpy(simcc_targets(mirrored, [1, 1], WH, 2.0, "simcc", 4.0)[0])[None]
    for shift, error in ((True, 0.0), (False, 0.5)):
        found, _ = decode_simcc(unflip(made, PAIRS, 96, shift).numpy(), "simcc", WH)
        assert np.abs(found[0] - points - [error, 0]).max() == 0


@pytest.mark.parametrize("kind", ["simcc", "simcc_gaussian", "simcc_logits"])
def test_flip_and_decoding(kind: str) -> None:
    rng = np.random.default_rng(3)
    plain, other = (rng.normal(size=(2, 2, 1, 224)).astype(np.float32) * 3 - (kind == "simcc_logits") for _ in range(2))
    if kind == "simcc_logits":
        plain[1, 0] -= 20
    answers = iter([torch.from_numpy(other)])
    images, shift = torch.zeros(2, 3, WH[1], WH[0]), kind != "simcc_logits"
    found = merged(torch.from_numpy(plain), lambda _: next(answers), images, PAIRS, kind=kind, flip=True, shift=shift)
    points, scores = decode_simcc(found.numpy(), kind, WH)

    def softmax(values: np.ndarray) -> np.ndarray:
        return np.exp(values) / np.exp(values).sum()

    for person in range(2):
        for joint in range(2):
            peaks, best = [], []
            for axis, (begin, end) in enumerate(((0, 96), (96, 224))):
                a, b = plain[person, joint, 0, begin:end], other[person, 1 - joint, 0, begin:end]
                if axis == 0:
                    b = b[::-1]
                    b = np.append(b[1:], b[-1]) if shift else b
                mean = (softmax(a) + softmax(b)) / 2 if kind == "simcc" else (a + b) / 2
                mean = softmax(mean) if kind == "simcc_gaussian" else mean
                peaks.append(mean.argmax() / 2)
                best.append(mean.max())
            score = max(best) if kind == "simcc" else min(best)
            assert scores[person, joint] == pytest.approx(score, rel=1e-5)
            lost = kind == "simcc_logits" and score <= 0
            assert points[person, joint].tolist() == ([-0.5, -0.5] if lost else peaks)
    assert kind != "simcc_logits" or scores[1, 0] < 0


def test_losses() -> None:
    torch.manual_seed(0)
    output, weight = torch.randn(2, 4, 1, 224), torch.tensor([[1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 1.0]])
    for kind, gaussian in (("simcc", False), ("simcc_gaussian", True)):
        target = torch.from_numpy(np.stack([simcc_targets(POINTS + i, [1] * 4, WH, 2.0, kind, 4.0)[0] for i in (0, 3)]))
        expected = 0.0
        for person in range(2):
            for joint in range(4):
                for part in (slice(0, 96), slice(96, 224)):
                    t, logs = target[person, joint, 0, part], output[person, joint, 0, part].log_softmax(0)
                    terms = torch.where(t > 0, t * (t.clamp(min=1e-30).log() - logs), 0.0)
                    one = float(terms.mean() if gaussian else terms.sum()) * float(weight[person, joint])
                    expected += one / (8 if gaussian else 2)
        assert simcc_loss(output, target, weight, 96, gaussian).item() == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match=r"model\.split"):
        simcc_loss(output[..., :200], target, weight, 96, False)


@pytest.mark.parametrize(
    ("options", "millions"), [({}, 66.3), ({"input_wh": "64,64", "split": 3}, 63.7), ({"input_wh": (128, 128)}, 64.1)]
)
def test_the_papers_parameters(options: dict[str, Any], millions: float) -> None:
    with torch.device("meta"):
        network = build_model("pose", "hrnet_w48_simcc", "coco", **options)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)


def test_what_does_not_fit_is_refused() -> None:
    network = build_model("pose", "hrnet_micro_w8_simcc", "coco").eval()
    with pytest.raises(ValueError, match="24x32 cells, got 16x16"):
        network(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="stride 4"):
        build_model("pose", "hourglass_micro_simcc", "mpii")
    with pytest.raises(ValueError, match="divisible by 4"):
        build_model("pose", "hrnet_micro_w8_simcc", "coco", input_wh="50,64")
    task = get_task("pose")
    protocol = task.protocol("coco", model="hrnet_w48_simcc")
    with pytest.raises(ValueError, match="one scale"):
        check_protocol(task.protocol_with(protocol, {"scales": (0.8, 1.0)}))
    with pytest.raises(ValueError, match="both of SimCC"):
        check_protocol(task.protocol_with(protocol, {"decoder": "quarter"}))


@pytest.mark.parametrize("released", ["official", "mmpose"])
def test_both_repositories_files(released: str, tmp_path: Path) -> None:
    """Loaded strictly under the name and size that the file tells, and evaluated as its repository does."""
    source = build_model("pose", "hrnet_micro_w8_simcc", "coco", input_wh=(64, 96), split=3)
    names = {"body.": "", "head.predict.": "final_layer.", "head.along_": "mlp_head_"}
    if released == "mmpose":
        names = {"body.": "backbone.", "head.predict.": "head.final_layer.", "head.along_": "head.mlp_head_"}
    state = {}
    for key, value in source.state_dict().items():
        prefix = next(ours for ours in names if key.startswith(ours))
        state[names[prefix] + key.removeprefix(prefix)] = value
    torch.save({"state_dict": state}, tmp_path / "released.pth")
    found = identify_checkpoint(tmp_path / "released.pth")
    assert (found.task, found.model, found.dataset) == ("pose", "hrnet_micro_w8_simcc", "coco")
    options = found.build_options("pose", "hrnet_micro_w8_simcc", "coco")
    assert options == {"input_wh": "64,96", "split": 3.0}
    network = build_model("pose", "hrnet_micro_w8_simcc", "coco", **options).eval()
    report = hrnet.load_checkpoint(network, tmp_path / "released.pth")
    assert set(report.loaded) == set(source.state_dict()) and not (report.missing or report.unexpected)
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), source.state_dict().values(), strict=True)
    )

    task = get_task("pose")
    protocol = task.protocol("coco", model="hrnet_w48_simcc", family=found.family)
    protocol = task.protocol_with(protocol, task.implied_protocol("hrnet_w48_simcc", options, "coco"))
    check_protocol(protocol)
    assert (protocol.input_wh, protocol.simcc_split) == ((64, 96), 3.0)
    ways = (protocol.decoder, protocol.target, protocol.shift, protocol.keypoint_threshold)
    assert ways == (
        ("simcc_logits", "simcc_gaussian", False, 0.2) if released == "mmpose" else ("simcc", "simcc", True, 0.01)
    )
    batch = {"images": torch.randn(2, 3, 96, 64), "centre": np.full((2, 2), 50.0), "scale": np.full((2, 2), 0.5)}
    with torch.inference_mode():
        poses = task.predict(network, batch, protocol)
    assert len(poses) == 2 and poses[0].shape == (17, 3) and np.isfinite(poses[0]).all()


def test_a_step_learns_all_of_it(mpii_root: Path) -> None:
    task = get_task("pose")
    for model in ("hrnet_micro_w8_simcc", "hrnet_micro_w8_simcc_gaussian"):
        protocol, recipe = task.protocol("mpii", model=model), task.recipe("mpii", model, "smoke")
        data = task.train_data("mpii", mpii_root, "train", recipe, protocol, 0)
        assert isinstance(data, PoseTrainData)
        network = build_model("pose", model, "mpii").train()
        assert isinstance(network, SimccModel) and network.gaussian == model.endswith("gaussian")
        losses = task.loss(network, data.collate([data[(0, 0)]] * 2), recipe)
        losses["loss"].backward()
        assert losses["loss"] > 0 and all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    recipe = task.recipe("coco", "hrnet_w48_simcc", "full")
    assert (recipe.epochs, recipe.batch_size, recipe.lr, recipe.augment.sigma) == (210, 128, 1e-3, 4.0)
