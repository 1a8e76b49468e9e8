"""Networks: every body and representation builds and runs; resumed training equals uninterrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import tasks
from benchmarks.engine import loops as engine
from hrnet.variants import VARIANTS
from tasks.recipe import Recipe

BODIES = ("hrnet_micro_w8", "simple_baseline_micro_w22", "hourglass_micro_w16", "resnet_micro")


@pytest.mark.parametrize("dataset", ["300w", "aflw", "cofw", "wflw"])
@pytest.mark.parametrize("model", BODIES)
def test_heatmaps_have_one_map_per_point(model: str, dataset: str) -> None:
    count = tasks.get_task("landmarks").dataset(dataset).num_outputs
    network = tasks.build_model("landmarks", model, dataset).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, count, 16, 16)


@pytest.mark.parametrize("representation", ["V1", "V1h", "V2", "V2p"])
def test_representations(representation: str) -> None:
    network = tasks.build_model("landmarks", "hrnet_micro_w8", "cofw", representation).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 29, 16, 16)


def test_the_reference_network_has_the_reference_conventions() -> None:
    with torch.device("meta"):
        network = tasks.build_model("landmarks", "hrnet_w18", "300w")
    spec = network.body.spec
    assert (spec.upsample, spec.align_corners, spec.bn_momentum, spec.init) == ("bilinear", False, 0.01, "normal_0.001")
    # counted from the repository's own network (published/NOTES.md: 9.64 to 9.66 M)
    assert 9.64e6 <= sum(p.numel() for p in network.parameters()) <= 9.66e6
    assert network.representation.mix.conv.bias is not None
    assert VARIANTS["hrnet_w18"].upsample == "nearest"


def test_hourglass_predicts_in_every_stack() -> None:
    network = tasks.build_model("landmarks", "hourglass_micro", "aflw").eval()
    with torch.inference_mode():
        images = torch.rand(1, 3, 64, 64)
        stacks = network.stacks(images)
        assert len(stacks) == 2
        torch.testing.assert_close(stacks[-1], network(images))


@pytest.mark.parametrize(
    ("model", "dataset", "representation", "said"),
    [
        ("hrnet_micro_w8", "300w", "V3", "Unknown representation 'V3' for landmarks"),
        ("hourglass_micro", "300w", "V2", "representation 'stacks'"),
        ("hrnet_micro", "300w", None, "Did you mean"),
        ("hrnet_micro_w8", "300W", None, "Did you mean '300w'"),
    ],
)
def test_what_cannot_be_built(model: str, dataset: str, representation: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tasks.build_model("landmarks", model, dataset, representation)


def test_a_68_point_model_is_refused_on_a_98_point_dataset(faces_root: Path) -> None:
    task = tasks.get_task("landmarks")
    protocol = task.protocol("wflw", tier="smoke")
    data = task.eval_data("wflw", faces_root / "wflw", "test", protocol)
    network = tasks.build_model("landmarks", "hrnet_micro_w8", "300w").eval()
    network.dataset = "wflw"
    with pytest.raises(ValueError, match="Expected a model of 98 points but this one predicts 68"):
        task.predict(network, data.collate([data[0]]), protocol)
    with pytest.raises(ValueError, match="Expected predictions of 98 points"):
        task.evaluation(data, protocol).add([0], [np.zeros((68, 3))])


def test_batched_equals_single(faces_root: Path) -> None:
    task = tasks.get_task("landmarks")
    protocol = task.protocol_with(task.protocol("cofw", tier="smoke"), {"flip": True, "shift": True})
    data = task.eval_data("cofw", faces_root / "cofw", "test", protocol)
    torch.manual_seed(0)
    network = tasks.build_model("landmarks", "hrnet_micro_w8", "cofw").eval()
    samples = [data[k] for k in range(3)]
    with torch.inference_mode():
        together = task.predict(network, data.collate(samples), protocol)
        alone = [task.predict(network, data.collate([sample]), protocol)[0] for sample in samples]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a[:, 2], b[:, 2], atol=1e-5)
        assert np.median(np.abs(a - b)[:, :2]) < 1e-3


def test_flipping_twice_is_the_plain_prediction(faces_root: Path) -> None:
    """The flip test of a mirrored crop is the mirror image of the flip test (without shift): both average the same two."""
    from tasks.landmarks.entries import ENTRIES
    from tasks.landmarks.inference import predict_heatmaps

    task, markup = tasks.get_task("landmarks"), ENTRIES["300w"].markup
    protocol = task.protocol_with(task.protocol("300w", tier="smoke"), {"flip": True})
    network = tasks.build_model("landmarks", "hrnet_micro_w8", "300w").eval()
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        maps = predict_heatmaps(network, images, markup, protocol)
        mirrored = predict_heatmaps(network, images.flip(-1), markup, protocol)
    torch.testing.assert_close(mirrored.flip(-1)[:, markup.order().tolist()], maps, atol=1e-5, rtol=1e-4)


def test_resumed_training_equals_uninterrupted(
    faces_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 5 of the issue, on faces: stopped after an epoch and continued, the weights are the same bit for bit."""
    monkeypatch.setattr(engine.ResumeHook.__init__, "__defaults__", (0.0,))
    task = tasks.get_task("landmarks")
    protocol = task.protocol("wflw", tier="smoke")
    recipe = Recipe("test", 3, 2, 1e-3, loss="mse_softmax", input_wh=(32, 32), warmup_iterations=2, schedule="cosine")

    def run(folder: Path, stops: tuple[int | None, ...]) -> dict[str, torch.Tensor]:
        for stop in stops:
            engine.seed_everything(0)
            network = tasks.build_model("landmarks", "hrnet_micro_w8", "wflw")
            data = task.train_data("wflw", faces_root / "wflw", "train", recipe, protocol, 0)
            folder.mkdir(exist_ok=True)
            engine.train(
                network,
                task,
                data,
                recipe,
                protocol,
                seed=0,
                workspace=folder,
                report=lambda p: None,
                stop_after_epoch=stop,
            )
        return network.state_dict()

    whole, parts = run(tmp_path / "whole", (None,)), run(tmp_path / "parts", (1, None))
    assert any(value.is_floating_point() and value.abs().sum() > 0 for value in whole.values())
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name
