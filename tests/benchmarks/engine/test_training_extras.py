"""What a recipe may add to a training: parts of a batch, an average, validation, an early end, recomputed activations."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from noise_task import MeanTask, Noise
from torch import Tensor, nn

from benchmarks.engine import loops as engine
from benchmarks.engine.model import HarnessModel
from benchmarks.engine.steps.accumulation import split
from benchmarks.engine.steps.averaging import AverageHook
from benchmarks.engine.steps.recompute import recomputed
from benchmarks.engine.validation import Validation
from hrnet import build_backbone
from tasks.direction import Direction
from tasks.recipe import Recipe


class Plain(nn.Module):
    """No layer that looks at other samples."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 4, 3, 4, 1)
        self.outer = nn.Conv2d(4, 1, 1)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.outer(self.inner(images).tanh())]


class NoDropout(MeanTask):
    def loss(self, model: Any, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        return {"loss": (model(batch["images"])[0][:, 0] - batch["target"]).square().mean()}


def trained(
    workspace: Path, network: nn.Module | None = None, task: Any = None, **options: Any
) -> tuple[engine.Trained, nn.Module]:
    run = {key: options.pop(key) for key in ("validation", "stop_after_epoch") if key in options}
    recipe = Recipe("test", **{"epochs": 3, "batch_size": 8, "lr": 1e-2, "optimizer": "sgd", **options})
    workspace.mkdir(exist_ok=True)
    if network is None:
        engine.seed_everything(0)
        network = Plain()
    result = engine.train(
        network,
        task or NoDropout(),
        Noise(),
        recipe,
        None,
        seed=0,
        workspace=workspace,
        report=lambda progress: None,
        key="k",
        **run,
    )
    return result, network


def difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a.double() - b.double()).abs().max()) for a, b in pairs)


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_parts_of_a_batch_make_the_step_of_the_whole(tmp_path: Path, parts: int) -> None:
    whole, one = trained(tmp_path / "whole")
    split_up, other = trained(tmp_path / "parts", accumulate=parts)
    assert difference(one, other) < 1e-6  # uneven parts weigh by their samples: 8 = 2 + 3 + 3
    assert split_up.curves[-1]["loss"] == pytest.approx(whole.curves[-1]["loss"], rel=1e-5)
    _, untrained = trained(tmp_path / "none", lr=1e-12)
    assert difference(one, untrained) > 1e-3


def test_split_takes_apart_what_has_an_entry_per_sample() -> None:
    batch = {
        "images": torch.arange(10).reshape(5, 2),
        "sizes": list("abcde"),
        "inner": {"x": torch.arange(5)},
        "scale": 3,
    }
    parts = split(batch, 2)
    assert [size for size, _ in parts] == [2, 3]
    assert parts[1][1]["images"].tolist() == [[4, 5], [6, 7], [8, 9]] and parts[1][1]["sizes"] == ["c", "d", "e"]
    assert parts[0][1]["inner"]["x"].tolist() == [0, 1] and parts[0][1]["scale"] == 3
    assert [size for size, _ in split(batch, 9)] == [1] * 5


def test_a_full_accelerator_splits_the_batch_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forward = HarnessModel.forward

    def of_four(self: HarnessModel, batch: dict[str, Any], mode: str = "tensor") -> Any:
        if len(batch["images"]) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return forward(self, batch, mode)

    monkeypatch.setattr(HarnessModel, "forward", of_four)
    result, split_up = trained(tmp_path / "full")
    monkeypatch.undo()
    _, whole = trained(tmp_path / "whole")
    assert difference(whole, split_up) < 1e-6
    [note] = result.notes
    assert "4 parts" in note and "recipe.accumulate=4" in note


class Normalised(Plain):
    """Plain, with statistics of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1))


def test_parts_after_a_full_memory_are_those_that_were_asked_for_from_the_beginning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Weights and statistics, to the last bit: what a pass that failed had moved is put back."""
    backward = Tensor.backward
    failures: list[int] = []

    def of_two(self: Tensor, *arguments: Any, **options: Any) -> Any:
        if len(failures) < 2:  # all of 8, then halves
            failures.append(1)
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return backward(self, *arguments, **options)

    def fresh() -> Normalised:
        engine.seed_everything(0)
        return Normalised()

    monkeypatch.setattr(Tensor, "backward", of_two)
    result, fallen_back = trained(tmp_path / "full", fresh())
    monkeypatch.undo()
    _, asked = trained(tmp_path / "asked", fresh(), accumulate=4)
    _, whole = trained(tmp_path / "whole", fresh())
    assert len(failures) == 2 and "recipe.accumulate=4" in result.notes[0]
    assert difference(fallen_back, asked) == 0 < difference(whole, asked)


def test_not_even_one_sample_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(HarnessModel, "forward", never)
    with pytest.raises(ValueError, match=r"recipe.checkpoint_activations=true"):
        trained(tmp_path / "none")


def test_average_is_that_of_the_formula() -> None:
    network = nn.Linear(1, 1, bias=False)
    hook = AverageHook(network, 0.9)
    expected = None
    for value in (1.0, 2.0, -4.0):
        nn.init.constant_(network.weight, value)
        hook.after_train_iter(None, 0)  # type: ignore[arg-type]
        expected = value if expected is None else 0.9 * expected + 0.1 * value
    assert hook.result.weight.item() == pytest.approx(expected)


def test_average_is_what_is_kept(tmp_path: Path) -> None:
    _, plain = trained(tmp_path / "plain")
    _, averaged = trained(tmp_path / "averaged", ema_decay=0.99)
    _, nearly_none = trained(tmp_path / "none", ema_decay=1e-9)
    assert difference(plain, averaged) > 1e-3
    assert difference(plain, nearly_none) < 1e-6


def by_epoch(values: list[float]) -> Validation:
    left = iter(values)
    return Validation(lambda network: next(left), "AP", Direction.HIGHER, "val")


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    result, network = trained(tmp_path / "best", validate_every=1, validation=by_epoch([1.0, 3.0, math.nan]))
    _, of_second = trained(tmp_path / "second", stop_after_epoch=2)
    assert difference(network, of_second) == 0
    assert [point["validation AP"] for point in result.curves[:2]] == [1.0, 3.0]
    [note] = result.notes
    assert "epoch 2" in note and "best AP of 3" in note and "favours" in note


def test_a_lower_error_is_better(tmp_path: Path) -> None:
    left = iter([2.0, 5.0, 4.0])
    validation = Validation(lambda network: next(left), "NME", Direction.LOWER, "val")
    _, network = trained(tmp_path / "best", validate_every=1, validation=validation)
    _, of_first = trained(tmp_path / "first", stop_after_epoch=1)
    assert difference(network, of_first) == 0


def test_every_second_epoch_and_the_last(tmp_path: Path) -> None:
    result, _ = trained(tmp_path / "some", validate_every=2, validation=by_epoch([1.0, 2.0]))
    assert [point["epoch"] for point in result.curves if "validation AP" in point] == [2, 3]


def test_a_training_without_gain_ends(tmp_path: Path) -> None:
    options: dict[str, Any] = {"epochs": 9, "validate_every": 1, "early_stop": 2}
    result, _ = trained(tmp_path / "early", validation=by_epoch([5.0, 4.0, 3.0]), **options)
    assert len(result.curves) == 3


@pytest.mark.parametrize("stop", [1, 2])
def test_interrupted_equals_uninterrupted(tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.engine.resume import ResumeHook

    monkeypatch.setattr(ResumeHook.__init__, "__defaults__", (None, 0.0))  # a state after every epoch
    options: dict[str, Any] = {"validate_every": 1, "ema_decay": 0.5}
    values = [1.0, 3.0, 2.0]
    whole, one = trained(tmp_path / "whole", validation=by_epoch(values), **options)
    trained(tmp_path / "again", validation=by_epoch(values), stop_after_epoch=stop, **options)
    resumed, other = trained(tmp_path / "again", validation=by_epoch(values[stop:]), **options)
    assert difference(one, other) == 0
    assert resumed.curves == whole.curves and resumed.notes == whole.notes


def test_an_early_end_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.engine.resume import ResumeHook

    monkeypatch.setattr(ResumeHook.__init__, "__defaults__", (None, 0.0))
    options: dict[str, Any] = {"epochs": 9, "validate_every": 1, "early_stop": 1}
    trained(tmp_path / "one", validation=by_epoch([5.0, 4.0]), **options)
    again, _ = trained(tmp_path / "one", validation=by_epoch([]), **options)
    assert len(again.curves) == 2


def kept_bytes(network: nn.Module, images: Tensor, active: bool) -> tuple[int, list[Tensor]]:
    total = 0

    def count(value: Tensor) -> Tensor:
        nonlocal total
        total += value.numel() * value.element_size()
        return value

    with recomputed(network, active):
        with torch.autograd.graph.saved_tensors_hooks(count, lambda value: value):
            loss = sum(part.square().mean() for part in network(images))
        assert isinstance(loss, Tensor)
        loss.backward()
    return total, [parameter.grad for parameter in network.parameters() if parameter.grad is not None]


def test_recomputed_activations_change_no_bit() -> None:
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    made = []
    for active in (False, True):
        torch.manual_seed(0)
        network = build_backbone("hrnet_micro_w8")
        made.append((network, *kept_bytes(network, images, active)))
    (one, whole, gradients), (other, kept, again) = made
    assert difference(one, other) == 0  # running statistics and their counters too
    assert all(torch.equal(a, b) for a, b in zip(gradients, again, strict=True)) and len(gradients) > 50
    assert kept < 0.5 * whole


def test_a_body_without_such_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"recipe.checkpoint_activations, got Plain"):
        trained(tmp_path / "plain", checkpoint_activations=True)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"early_stop": 2}, "validate_every"),
        ({"accumulate": 9}, "accumulate"),
        ({"accumulate": 0}, "accumulate"),
        ({"validate_every": -1}, "validate_every"),
    ],
)
def test_what_nothing_can_be_trained_with(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Recipe("test", epochs=1, batch_size=8, lr=0.1, **options)


def test_fields_that_are_off_leave_identities_as_they_were() -> None:
    from tasks.options import to_plain

    plain = to_plain(Recipe("test", epochs=1, batch_size=8, lr=0.1))
    assert not {"accumulate", "ema_decay", "validate_every", "early_stop", "checkpoint_activations"} & set(plain)
    assert to_plain(Recipe("test", epochs=1, batch_size=8, lr=0.1, validate_every=2))["validate_every"] == 2
