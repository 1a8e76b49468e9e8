"""What an accelerator is told, as far as a CPU can show it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.engine import hooks
from benchmarks.engine.accelerator import bytes_of, loading
from benchmarks.engine.hooks import WatchHook
from benchmarks.engine.optimisation import wrapper_of

# isort: split
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper

from tasks import precision
from tasks.precision import check_precision, float32_products
from tasks.recipe import Recipe

CUDA = torch.device("cuda")


@pytest.mark.parametrize("tf32", [False, True])
def test_float32_means_float32_and_the_flags_come_back(tf32: bool) -> None:
    before = precision._flags()
    with float32_products(tf32, CUDA):
        set_now = precision._flags()
        assert {set_now.old_matmul, set_now.old_cudnn} == {tf32}  # which PyTorch's own code reads still
        if hasattr(torch.backends, "fp32_precision"):
            assert {set_now.matmul, set_now.cudnn} == {"tf32" if tf32 else "ieee"}
        assert torch.backends.cudnn.benchmark
    assert precision._flags() == before and not torch.backends.cudnn.benchmark


def test_algorithms_are_sought_only_where_shapes_stay_the_same() -> None:
    with float32_products(False, CUDA, same_shapes=False):
        assert not torch.backends.cudnn.benchmark


def test_a_cpu_is_told_nothing() -> None:
    before = precision._flags()
    with float32_products(True, torch.device("cpu")):
        assert precision._flags() == before


def test_tf32_is_refused_on_a_cpu() -> None:
    with pytest.raises(ValueError, match="tf32: expected a CUDA device"):
        check_precision("tf32", torch.device("cpu"))


def test_loaders_pin_their_batches_for_an_accelerator_alone() -> None:
    assert loading(0, torch.device("cpu")) == {"num_workers": 0, "pin_memory": False, "persistent_workers": False}
    assert loading(2, CUDA) == {"num_workers": 2, "pin_memory": True, "persistent_workers": True, "prefetch_factor": 4}
    # Large batches wait in main memory one by one.
    large = bytes_of({"images": [torch.zeros(3, 800, 1333)] * 16, "boxes": np.zeros(4), "index": 1})
    assert large == 16 * 3 * 800 * 1333 * 4 + 32
    assert [loading(4, device, large)["prefetch_factor"] for device in (CUDA, torch.device("cpu"))] == [1, 1]
    assert loading(2, torch.device("cpu"), large // 16)["prefetch_factor"] == 2


class Far(torch.Tensor):
    """A tensor that says that it is on an accelerator, and counts how often it is read."""

    reads = 0

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device("cuda")

    def __float__(self) -> float:
        Far.reads += 1
        return float(self.as_subclass(torch.Tensor))


def watched(losses: list[float], far: bool) -> WatchHook:
    hook = WatchHook(lambda progress: None, 0, [])
    runner: Any = SimpleNamespace(
        epoch=0,
        iter=0,
        max_epochs=1,
        train_dataloader=range(len(losses)),
        visualizer=SimpleNamespace(add_scalars=lambda *_: None),
        optim_wrapper=SimpleNamespace(get_lr=lambda: {"lr": [0.1]}),
    )
    hook.before_train_epoch(runner)
    for index, loss in enumerate(losses):
        value = torch.tensor(loss)
        hook.after_train_iter(runner, index, None, {"loss": value.as_subclass(Far) if far else value})
    hook.after_train_epoch(runner)
    return hook


def test_losses_of_an_accelerator_are_read_now_and_then_and_add_up_to_the_same_bits() -> None:
    losses = torch.rand(50, generator=torch.Generator().manual_seed(0)).tolist()
    Far.reads = 0
    assert watched(losses, far=True).curves == watched(losses, far=False).curves
    assert Far.reads == 3  # after 20, 40 and all 50 steps


def test_a_loss_that_is_no_number_is_caught_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "READ_EVERY", 4)
    with pytest.raises(ValueError, match="became nan in epoch 1, by iteration 4"):
        watched([1.0, float("nan"), 1.0, 1.0, 1.0], far=True)
    with pytest.raises(ValueError, match="became nan in epoch 1, iteration 2"):
        watched([1.0, float("nan"), 1.0], far=False)


def test_clipped_gradients_are_mmengines_but_their_norm_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(MessageHub, "update_scalar", lambda self, name, value, *_: read.append(name))
    weights = []
    for own in (False, True):
        layer = torch.nn.Linear(3, 1)
        for parameter in layer.parameters():
            torch.nn.init.constant_(parameter, 0.5)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        recipe = Recipe("test", epochs=1, batch_size=1, lr=0.1, clip_grad_norm=0.3)
        wrapper = wrapper_of(optimizer, recipe) if own else OptimWrapper(optimizer, clip_grad={"max_norm": 0.3})
        for value in (5.0, 6.0):
            wrapper.update_params(layer(torch.full((4, 3), value)).square().sum())
        weights.append(layer.weight.detach().clone())
    assert torch.equal(*weights) and not torch.equal(weights[0], torch.full((1, 3), 0.5))
    assert read == ["train/grad_norm"] * 2  # mmengine's own wrapper
