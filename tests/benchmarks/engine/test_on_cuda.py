"""What only a CUDA device can show: the accelerator's own steps have the CPU's bits there, graphs replay, full memory is met.

Skipped where there is none. `HRNET_CUDA_TESTS=cpu` runs what a CPU can stand in for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own_data import MAKERS

import tasks
from benchmarks.cli import entry
from benchmarks.engine import loops as engine
from benchmarks.engine.runtimes.execution import executed
from benchmarks.store.store import Store
from tasks.accelerator import looked_up, taken_as_far
from tasks.heatmaps.decoding import decode
from tasks.heatmaps.peaks import RULES
from tasks.heatmaps.udp import decode_combined, decode_udp
from tasks.images import byte_values, look_up
from tasks.precision import float32_products
from tasks.segmentation.inference import counted
from tasks.segmentation.metrics import confusion_and_others, from_pairs

STANDS_IN = os.environ.get("HRNET_CUDA_TESTS") == "cpu"
DEVICE = torch.device("cpu" if STANDS_IN else "cuda")
pytestmark = pytest.mark.skipif(not (torch.cuda.is_available() or STANDS_IN), reason="needs a CUDA device")
on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _stands_in() -> Iterator[None]:
    with taken_as_far() if STANDS_IN else nullcontext():
        yield


def test_bytes_are_normalised_to_the_cpus_bits() -> None:
    pixels = RNG.integers(0, 256, (4, 64, 48, 3)).astype(np.uint8)
    found = looked_up(torch.from_numpy(pixels).to(DEVICE), torch.from_numpy(byte_values()).to(DEVICE))
    assert np.array_equal(found.cpu().numpy(), look_up(pixels, byte_values()))


@pytest.mark.parametrize("rule", RULES)
def test_peaks_are_the_cpus(rule: str) -> None:
    for maps in (RNG.standard_normal((8, 17, 64, 48)), RNG.integers(0, 3, (8, 17, 64, 48)), -RNG.random((2, 3, 9, 9))):
        values = maps.astype(np.float32)
        expected, found = decode(values, rule), decode(torch.from_numpy(values).to(DEVICE), rule)
        assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("way", ["dark", "udp", "combined"])
def test_blurred_peaks_are_the_cpus(way: str) -> None:
    x, y = RNG.uniform(-1, 48, (120, 1, 1)), RNG.uniform(-1, 64, (120, 1, 1))
    values = np.exp(-((np.arange(48) - x) ** 2 + (np.arange(64)[:, None] - y) ** 2) / 8) + RNG.normal(
        0, 0.003, (120, 64, 48)
    )
    ways: dict[str, Any] = {
        "dark": lambda maps: decode(maps, "dark", rim=True),
        "udp": decode_udp,
        "combined": decode_combined,
    }
    maps = values.astype(np.float32).reshape(4, 30, 64, 48)
    with float32_products(tf32=True, device=DEVICE):  # which must not reach the blur
        (points, scores), (found, heights) = ways[way](maps), ways[way](torch.from_numpy(maps).to(DEVICE))
    np.testing.assert_allclose(found, points, atol=1e-4)
    np.testing.assert_allclose(heights, scores, rtol=1e-6)


def test_counts_are_the_cpus() -> None:
    label, guess = (RNG.integers(0, 19, (512, 1024)).astype(np.uint8) for _ in range(2))
    label[:9], guess[100:105] = 255, 255
    given = [torch.from_numpy(values).to(DEVICE) for values in (guess, label)]
    [found] = counted(given[:1], given[1:], keep=True)
    expected = confusion_and_others(label, guess, 19)
    assert all(np.array_equal(a, b) for a, b in zip(from_pairs(found.pairs, 19), expected, strict=True))
    assert np.array_equal(found.found, guess)


@pytest.fixture
def hands(tmp_path: Path) -> Any:
    """Task, dataset, folder and protocol of a small pose set."""
    MAKERS["hand21"][1](tmp_path / "data" / "hand21")
    tasks.declare_below(tmp_path / "data")
    task = tasks.get_task("pose")
    changes = {"input_wh": (64, 64), "decoder": "quarter"}
    protocol = task.protocol_with(task.protocol("hand21", model="hrnet_micro_w8", tier="smoke"), changes)
    yield task, "hand21", tmp_path / "data" / "hand21", protocol
    for attribute in ("datasets", "metrics"):
        task.__dict__.pop(attribute, None)


def _hands_network(task: Any) -> Any:
    torch.manual_seed(3)
    return task.build_model("hrnet_micro_w8", "hand21").to(DEVICE)


def test_an_evaluation_with_bytes_is_the_one_with_floats(
    hands: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the same device, so that the network's own rounding is the same: bytes, peaks and threads change no bit."""
    task, name, root, protocol = hands
    found = []
    for plain in (False, True):
        if plain:
            for place in ("benchmarks.engine.steps.moving", "benchmarks.engine.loops", "tasks.pose.inference"):
                monkeypatch.setattr(f"{place}.is_far", lambda device: False)
        data, network, workspace = (
            task.eval_data(name, root, "val", protocol),
            _hands_network(task),
            tmp_path / str(plain),
        )
        workspace.mkdir()
        options: dict[str, Any] = {"workspace": workspace, "report": lambda progress: None, "batch_size": 2}
        evaluation, _ = engine.evaluate(network, task, data, protocol, **options)
        found.append(evaluation.complete().copy())
        assert data.far is not plain
    assert np.array_equal(*found)


@on_cuda
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_replayed_graph_gives_the_eager_answers(precision: str) -> None:
    torch.manual_seed(0)
    network = tasks.build_model("pose", "hrnet_micro_w8", "coco").eval().to(DEVICE)
    inputs = [torch.randn(batch, 3, 128, 96, device=DEVICE) for batch in (1, 1, 2, 1)]
    answers = []
    for runtime in ("eager", "graphs"):
        with executed(network, runtime, precision, DEVICE), torch.inference_mode():
            answers.append([network(images) for images in inputs])
    for eager, replayed in zip(*answers, strict=True):
        torch.testing.assert_close(replayed, eager, rtol=1e-2 if precision == "bf16" else 1e-4, atol=1e-5)
    assert not torch.equal(answers[1][0], answers[1][1])


@on_cuda
def test_a_batch_that_does_not_fit_is_split_and_said(hands: Any, tmp_path: Path) -> None:
    task, name, root, protocol = hands
    changes = {"epochs": 1, "batch_size": 6, "num_workers": 0, "input_wh": (512, 512)}
    recipe = task.recipe_with(task.recipe(name, "hrnet_micro_w8", "smoke"), changes)
    torch.cuda.empty_cache()
    network = _hands_network(task)
    data = task.train_data(name, root, "train", recipe, protocol, 0)
    total = torch.cuda.mem_get_info()[1]
    try:
        torch.cuda.set_per_process_memory_fraction(600 * 2**20 / total)  # six crops of 512x512 need more
        trained = engine.train(
            network, task, data, recipe, protocol, seed=0, workspace=tmp_path, report=lambda progress: None
        )
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert any("--set recipe.accumulate=" in note for note in trained.notes)


@on_cuda
def test_two_cells_side_by_side_on_one_device_are_both_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two seeds at a time, and one after the other: the same losses, but for what the order of sums makes of three steps."""
    MAKERS["flowers"][1](tmp_path / "data" / "flowers")
    plug_in = tmp_path / "two.py"
    plug_in.write_text(
        "from benchmarks.experiment.cell import make_cell\n"
        "from benchmarks.experiment.suite import Suite\n\n"
        "def suite(tier='full'):\n"
        "    recipe = {'epochs': 1, 'batch_size': 6}\n"
        "    names = 'classification', 'flowers', 'hrnet_micro_w8'\n"
        "    cells = tuple(make_cell(*names, recipe=recipe, seed=seed) for seed in (0, 1))\n"
        "    return Suite('two', cells, (), 'Two seeds.')\n"
    )
    found = []
    for cells in ("2", "1"):
        out = tmp_path / f"out{cells}"
        words = [
            "run",
            "--plugin",
            plug_in,
            "--suite",
            "two",
            "--data-root",
            tmp_path / "data",
            "--out",
            out,
            "--no-report",
        ]
        words += ["--gpus", "1", "--cells-per-gpu", cells]
        assert entry([str(word) for word in words]) == 0, capsys.readouterr().err
        stored = list(Store(out / "runs").all())
        assert len(stored) == 2 and all(one.done for one in stored)
        found.append({one.record.cell.seed: one.record.curves.training[-1]["loss"] for one in stored})
    assert found[0] == pytest.approx(found[1], rel=0.05) and found[0][0] != found[0][1]
