"""Every task on a device that is made of main memory: no two places meet, and the host waits for it where it must, and nowhere
else. What a real device alone can tell is in test_on_cuda.py."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from far_device import FAR, FarTensor, Wait, far_device
from own_data import MAKERS

import tasks
from benchmarks.engine import loops as engine
from benchmarks.engine.model import HarnessModel
from benchmarks.engine.optimisation import optimizer_of, wrapper_of
from benchmarks.engine.steps.moving import values_for
from tasks.accelerator import _constant
from tasks.detection.boxes.anchors import anchors_on
from tasks.detection.boxes.points import points_on

MODEL = "hrnet_micro_w8"
UDP = {"crop": "udp", "target": "udp", "decoder": "udp", "shift": False}
SMALL: dict[str, dict[str, Any]] = {
    "hand21": {"input_wh": (32, 32)},
    "faces5": {"input_wh": (32, 32)},
    "parts3": {"short_px": 64, "long_px": 96},
}
SMALL_RECIPE: dict[str, dict[str, Any]] = {
    "hand21": {"input_wh": (32, 32)},
    "faces5": {"input_wh": (32, 32)},
    "rooms5": {"augment.crop_hw": (32, 48)},
    "parts3": {"augment.short_px": (64,), "augment.long_px": (96,)},
}
ONCE = {"accelerator.py _constant", "anchors.py <genexpr>", "points.py <genexpr>"}
"""What is made for a device once."""
SAMPLED = {"targets.py sample", "proposals.py propose", "proposals.py pool_rois"}
"""A detector's: which anchors and boxes there are to learn from, what suppression leaves, how many boxes a level has."""
SUPPRESSED = {"model.py require_finite", "postprocess.py suppress", "inference.py _plain"}
FOUND = SUPPRESSED | {"proposals.py propose", "proposals.py pool_rois", "postprocess.py select", "postprocess.py paste"}
COUNTED = {"model.py require_finite", "inference.py counted"}
BLURRED = {"blurred.py _in_parts"}

Changes = dict[str, Any]
# dataset, model, options of the network, of the recipe; where a training step waits
TRAININGS: dict[str, tuple[str, str, Changes, Changes, set[str]]] = {
    "pose": ("hand21", MODEL, {}, {"clip_grad_norm": 1.0}, set()),
    "pose, hard joints": ("hand21", MODEL, {}, {"loss": "ohkm"}, set()),
    "faces": ("faces5", MODEL, {}, {}, set()),
    "segmentation": ("rooms5", MODEL, {}, {}, set()),
    "segmentation, OCR": ("rooms5", f"{MODEL}_ocr", {}, {"loss": "cross_entropy"}, set()),
    "hard pixels": ("rooms5", MODEL, {}, {"loss": "ohem"}, {"losses.py hard_example_cross_entropy", "model.py _step"}),
    "classification": ("flowers", MODEL, {}, {}, set()),
    "boxes": ("parts3", MODEL, {}, {}, SAMPLED),
    "cascade with masks": (
        "parts3",
        MODEL,
        {"detector": "cascade_mask_rcnn"},
        {"augment.masks": True},
        SAMPLED | {"cascade.py refined", "targets.py mask_targets"},
    ),
    "FCOS": ("parts3", MODEL, {"detector": "fcos"}, {}, {"losses.py point_losses"}),
}
# dataset, model, options of the network, of the protocol; where the evaluation of a batch waits
EVALUATIONS: dict[str, tuple[str, str, Changes, Changes, set[str]]] = {
    "pose by DARK": ("hand21", MODEL, {}, {}, BLURRED),
    "pose by UDP": ("hand21", MODEL, {}, UDP, BLURRED),
    "pose at two scales": ("hand21", MODEL, {}, {"scales": (1.0, 1.3)}, BLURRED),
    "pose by quarters": ("hand21", MODEL, {}, {"decoder": "quarter"}, {"peaks.py decode_there"}),
    "faces": ("faces5", MODEL, {}, {}, BLURRED),
    "segmentation": ("rooms5", MODEL, {}, {"flip": True, "scales": (1.0, 1.5)}, COUNTED),
    "segmentation in windows": ("rooms5", MODEL, {}, {"view": "windows", "crop_hw": (32, 48)}, COUNTED),
    "classification": ("flowers", MODEL, {}, {}, {"task.py predict"}),
    "cascade with masks": ("parts3", MODEL, {"detector": "cascade_mask_rcnn"}, {}, FOUND),
    "FCOS": ("parts3", MODEL, {"detector": "fcos"}, {}, SUPPRESSED | {"fcos.py candidates"}),
}


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """What is made once for a device would outlive this one."""
    torch.set_num_threads(1)
    yield
    for made_once in (_constant, anchors_on, points_on):
        made_once.cache_clear()


@pytest.fixture
def of(tmp_path: Path) -> Any:
    """Makes a dataset and a network: (task, network, folder)."""
    used = []

    def made(name: str, model: str, options: Changes) -> tuple[Any, Any, Path]:
        task_name, make = MAKERS[name]
        make(tmp_path / "data" / name)
        tasks.declare_below(tmp_path / "data")
        used.append(tasks.get_task(task_name))
        torch.manual_seed(0)
        return used[-1], used[-1].build_model(model, name, **options), tmp_path / "data" / name

    yield made
    for task in used:
        for attribute in ("datasets", "metrics"):
            task.__dict__.pop(attribute, None)


def _places(waits: list[Wait]) -> set[str]:
    return {f"{wait.file} {wait.function}" for wait in waits} - ONCE


@pytest.mark.parametrize("case", TRAININGS)
def test_a_training_step(case: str, of: Any) -> None:
    name, model_name, options, changes, expected = TRAININGS[case]
    task, network, root = of(name, model_name, options)
    protocol = task.protocol_with(task.protocol(name, model=model_name, tier="smoke"), SMALL.get(name, {}))
    changes = {"epochs": 1, "batch_size": 2, "num_workers": 0, **SMALL_RECIPE.get(name, {}), **changes}
    recipe = task.recipe_with(task.recipe(name, model_name, "smoke"), changes)
    with far_device() as waits:
        data = task.train_data(name, root, "train", recipe, protocol, 0)
        model = HarnessModel(network, task, recipe, protocol, values_for(data, FAR))
        task.meet(network, data)
        model.to(FAR).train()
        wrapper = wrapper_of(optimizer_of(network, recipe), recipe)
        first = next(parameter for parameter in network.parameters() if parameter.requires_grad)
        before = first.held.clone()
        batch = data.collate([data[0, 0], data[0, 1]])
        waits.clear()
        model.train_step(batch, wrapper)
        assert isinstance(first, FarTensor) and not torch.equal(first.held, before)
    assert _places(waits) == expected, waits


@pytest.mark.parametrize("case", EVALUATIONS)
def test_an_evaluated_batch(case: str, of: Any) -> None:
    name, model_name, options, changes, expected = EVALUATIONS[case]
    task, network, root = of(name, model_name, options)
    usual = task.protocol(name, model=model_name, tier="smoke")
    protocol = task.protocol_with(usual, {**SMALL.get(name, {}), **changes})
    with far_device() as waits:
        data = task.eval_data(name, root, "val", protocol)
        model = HarnessModel(network, task, None, protocol, values_for(data, FAR))
        task.meet(network, data)
        model.to(FAR).eval()
        batch = data.collate([data[0], data[1]])
        waits.clear()
        with torch.inference_mode():
            found = model.test_step(batch)
    assert [index for index, _ in found] == [0, 1]
    assert _places(waits) <= expected and waits, waits
    if expected == BLURRED:
        assert len(waits) == 1, waits


def test_a_whole_training_with_an_average(of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are read now and then, the average lives with the weights, and the state is saved once an epoch."""
    here = types.SimpleNamespace(**{**vars(torch), "device": lambda name: FAR})
    monkeypatch.setattr(engine, "torch", here)
    monkeypatch.setattr(engine, "loading", lambda workers, device, batch_bytes: {"num_workers": 0})
    monkeypatch.setattr("mmengine.runner.runner.get_device", lambda: str(FAR))
    monkeypatch.setattr("benchmarks.engine.hooks.READ_EVERY", 3)
    task, network, root = of("flowers", MODEL, {})
    protocol = task.protocol("flowers", model=MODEL, tier="smoke")
    changes = {"epochs": 1, "batch_size": 3, "ema_decay": 0.9, "clip_grad_norm": 1.0, "num_workers": 0}
    recipe = task.recipe_with(task.recipe("flowers", MODEL, "smoke"), changes)
    with far_device() as waits:
        data = task.train_data("flowers", root, "train", recipe, protocol, 0)
        options: dict[str, Any] = {"workspace": tmp_path, "report": lambda progress: None}
        steps = len(data) // 3
        trained = engine.train(network, task, data, recipe, protocol, seed=0, **options)
        assert all(isinstance(parameter, FarTensor) for parameter in network.parameters())
    assert np.isfinite(trained.curves[0]["loss"])
    read = [wait for wait in waits if wait.file == "hooks.py"]
    assert len(read) == 2 * len(("loss", "accuracy")) and steps == 6, waits
    assert {(wait.file, wait.function) for wait in waits} - {(wait.file, wait.function) for wait in read} <= {
        ("loops.py", "train"),  # the network's way to the device
        ("loops.py", "_runner"),  # the table of bytes'
    }


def test_the_device_refuses_and_counts() -> None:
    with far_device() as waits:
        far, near = torch.ones(3, device=FAR), torch.ones(3)
        with pytest.raises(RuntimeError, match="same device"):
            far + near
        with pytest.raises(RuntimeError, match="same device"):
            torch.cat([far, near])
        with pytest.raises(TypeError, match="to numpy"):
            far.numpy()
        assert not waits and (far + torch.tensor(2.0)).device == FAR
        (
            near.to(FAR, non_blocking=True),
            far.new_zeros(2),
            far.masked_fill(far > 2, 0),
        )
        assert not waits
        waited = [
            lambda: far.sum().item(),
            lambda: bool((far > 2).any()),
            lambda: far.cpu(),
            lambda: far.tolist(),
            lambda: near.to(FAR),
            lambda: far.new_tensor([1.0]),
            lambda: torch.tensor([1.0], device=FAR),
            lambda: far[far > 0],
            lambda: torch.where(far > 0),
            lambda: far[torch.arange(2)],
        ]
        for count, wait in enumerate(waited, start=1):
            wait()
            assert len(waits) == count, count
        assert {wait.file for wait in waits} == {"test_far_device.py"}
