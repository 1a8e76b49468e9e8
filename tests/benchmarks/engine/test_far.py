"""An accelerator's way (bytes, peaks and counts where the network is) on a CPU: the same figures and weights to the last bit."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own_data import MAKERS

import tasks
from benchmarks.engine import loops as engine
from benchmarks.engine.steps.moving import Mover
from tasks.accelerator import taken_as_far
from tasks.options import to_plain
from tasks.segmentation.evaluation import SegmentationEvaluation

MODEL = "hrnet_micro_w8"
SETS = [name for name in MAKERS if name != "mouse9"]
CHANGES: dict[str, dict[str, Any]] = {
    "hand21": {"input_wh": (32, 32), "decoder": "quarter"},
    "faces5": {"input_wh": (32, 32), "decoder": "quarter"},
    "parts3": {"short_px": 64, "long_px": 96},
}
RECIPES: dict[str, dict[str, Any]] = {
    "hand21": {"input_wh": (32, 32)},
    "faces5": {"input_wh": (32, 32)},
    "rooms5": {"augment.crop_hw": (32, 48)},
    "parts3": {"augment.short_px": (64,), "augment.long_px": (96,)},
    "flowers": {"batch_size": 9},
}


@pytest.fixture(params=SETS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Task, dataset, folder and protocol of a small set of one's own."""
    torch.set_num_threads(1)
    name, (task_name, make) = request.param, MAKERS[request.param]
    make(tmp_path / "data" / name)
    tasks.declare_below(tmp_path / "data")
    task = tasks.get_task(task_name)
    protocol = task.protocol_with(task.protocol(name, model=MODEL, tier="smoke"), CHANGES.get(name, {}))
    yield task, name, tmp_path / "data" / name, protocol
    for attribute in ("datasets", "metrics"):
        task.__dict__.pop(attribute, None)


def _network(task: Any, name: str) -> Any:
    torch.manual_seed(3)
    network = task.build_model(MODEL, name)
    with torch.no_grad():  # lively outputs, so that what is compared is more than zeros
        for parameter in network.head.parameters() if hasattr(network, "head") else ():
            parameter.normal_(0, 0.5)
    return network


def _as_trained(network: Any, given: Any, maps: torch.Tensor) -> torch.Tensor:
    """Gaussians where random maps have their centre, with a little of them as noise."""
    height, width = maps.shape[-2:]
    share = (4 * maps / maps.std()).flatten(2).softmax(-1).unflatten(-1, (height, width))
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    y, x = ((share * place).sum((-2, -1), keepdim=True) for place in (rows, columns))
    return 0.8 * torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) + 0.01 * torch.tanh(maps)


def _evaluated(
    made: Any, workspace: Path, far: bool, keep: bool = True, workers: int = 0, trained: bool = False
) -> Any:
    task, name, root, protocol = made
    workspace.mkdir()
    data, network = task.eval_data(name, root, "val", protocol), _network(task, name)
    task.meet(network, data)
    if trained:
        network.register_forward_hook(_as_trained)
    with taken_as_far() if far else nullcontext():
        options: dict[str, Any] = {"batch_size": 3, "num_workers": workers, "keep": keep}
        found, _ = engine.evaluate(
            network, task, data, protocol, workspace=workspace, report=lambda progress: None, **options
        )
    return found


def _kept(evaluation: Any) -> dict[str, Any]:
    return evaluation.shard(range(len(evaluation.data)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(one, other))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[torch.dtype]:
    """What images of batches were before they were finished."""
    types: set[torch.dtype] = set()
    forward = Mover.forward

    def watched(self: Mover, data: Any, training: bool = False) -> Any:
        images = data["images"]
        types.update(image.dtype for image in (images if isinstance(images, list) else [images]))
        return forward(self, data, training)

    monkeypatch.setattr(Mover, "forward", watched)
    return types


def test_an_evaluation_is_the_same_to_the_last_bit(made: Any, tmp_path: Path, seen: set[torch.dtype]) -> None:
    near = _evaluated(made, tmp_path / "near", far=False)
    assert seen == {torch.float32}
    seen.clear()
    far = _evaluated(made, tmp_path / "far", far=True)
    assert seen == {torch.uint8}
    assert _same(_kept(near), _kept(far)) and _same(near.stats(), far.stats())


UDP = {"crop": "udp", "target": "udp", "decoder": "udp", "shift": False}


@pytest.mark.parametrize(
    ("made", "changes"),
    [
        ("hand21", {"decoder": "dark"}),
        ("hand21", UDP),
        ("hand21", {"decoder": "dark", "scales": (1.0, 0.7, 1.3)}),
        ("faces5", {"decoder": "dark"}),
    ],
    indirect=["made"],
    ids=["dark", "udp", "dark at three scales", "faces by dark"],
)
def test_decoders_that_blur_are_the_same_to_rounding(made: Any, changes: dict[str, Any], tmp_path: Path) -> None:
    """On maps as a training leaves them; on noise a step is as long as rounding makes it (tests/tasks/heatmaps)."""
    task, name, root, protocol = made
    made = task, name, root, task.protocol_with(protocol, changes)
    near, far = (_evaluated(made, tmp_path / str(far), far, trained=True) for far in (False, True))
    one, other = (np.asarray(found.complete()) for found in (near, far))
    assert not np.array_equal(one, other)
    np.testing.assert_allclose(other, one, atol=1e-3)
    figures = [task.figures(name, found.stats(), to_plain(made[3])) for found in (near, far)]
    assert figures[1] == pytest.approx(figures[0], abs=1e-6, nan_ok=True)


def test_a_training_leaves_the_same_weights(made: Any, tmp_path: Path, seen: set[torch.dtype]) -> None:
    task, name, root, protocol = made
    recipe = task.recipe_with(
        task.recipe(name, MODEL, "smoke"), {"epochs": 1, "batch_size": 3, "num_workers": 0, **RECIPES.get(name, {})}
    )
    weights = []
    for far in (False, True):
        seen.clear()
        network = _network(task, name)
        (tmp_path / str(far)).mkdir()
        with taken_as_far() if far else nullcontext():
            data = task.train_data(name, root, "train", recipe, protocol, 0)
            task.meet(network, data)
            options: dict[str, Any] = {"workspace": tmp_path / str(far), "report": lambda progress: None}
            engine.train(network, task, data, recipe, protocol, seed=0, **options)
        weights.append(network.state_dict())
        assert seen == {torch.uint8 if far else torch.float32}
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


@pytest.mark.parametrize("made", ["rooms5"], indirect=True)
def test_a_validation_counts_and_keeps_no_maps(made: Any, tmp_path: Path) -> None:
    near = _evaluated(made, tmp_path / "near", far=False)
    assert isinstance(near, SegmentationEvaluation) and near.confusion.any()
    for far in (False, True):
        found = _evaluated(made, tmp_path / f"kept-{far}", far=far, keep=False)
        assert not any(found.maps.values()) and _same(found.stats(), near.stats())
