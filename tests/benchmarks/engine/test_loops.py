"""The engine: addressed chance, resuming, sharding of batches."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from noise_task import MeanTask, Noise, NoiseEval

from benchmarks.engine import loops as engine
from benchmarks.engine import optimisation
from benchmarks.engine.resume import save_tensors
from benchmarks.engine.spawned_data import SpawnedData
from hrnet import build_backbone
from tasks.recipe import Recipe

RECIPE = Recipe("test", epochs=4, batch_size=8, lr=1e-3, schedule="step", milestones=(2,), warmup_iterations=3)


def _train(
    workspace: Path,
    recipe: Recipe = RECIPE,
    stop: int | None = None,
    seed: int = 0,
    notes: list[str] | None = None,
    **options: Any,
) -> tuple[list, torch.nn.Module]:
    workspace.mkdir(exist_ok=True)
    engine.seed_everything(seed)
    network = build_backbone("hrnet_micro_w8")
    curves, *_ = engine.train(
        network,
        MeanTask(),
        Noise(),
        recipe,
        None,
        seed=seed,
        workspace=workspace,
        report=lambda p: notes.append(p.note) if p.note and notes is not None else None,
        stop_after_epoch=stop,
        **options,
    )
    return curves, network


@pytest.mark.parametrize("schedule", ["step", "poly", "cosine"])
def test_resumed_equals_uninterrupted_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    monkeypatch.setattr(engine.ResumeHook.__init__, "__defaults__", (0.0,))
    recipe = Recipe("test", epochs=4, batch_size=8, lr=1e-3, schedule=schedule, milestones=(2,), warmup_iterations=3)  # type: ignore[arg-type]
    whole, network = _train(tmp_path / "whole", recipe)
    first, _ = _train(tmp_path / "parts", recipe, stop=2)
    assert len(first) == 2 and len(whole) == 4
    second, resumed = _train(tmp_path / "parts", recipe)
    assert second == whole
    for (name, a), b in zip(network.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_a_state_of_another_key_or_a_spoilt_one_is_discarded_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.ResumeHook.__init__, "__defaults__", (0.0,))
    whole, _ = _train(tmp_path / "whole")
    notes: list[str] = []
    state = tmp_path / "parts" / "resume.pt"
    first, _ = _train(tmp_path / "parts", stop=2, key="one", notes=notes)
    assert len(first) == 2 and state.exists() and not notes
    # The same key goes on: the marked loss of the first epoch is still there.
    kept = torch.load(state, weights_only=True)
    kept["curves"][0]["loss"] = 123.0
    torch.save(kept, state)
    assert _train(tmp_path / "parts", key="one", notes=notes)[0][0]["loss"] == 123.0 and not notes
    torch.save(kept, state)
    assert _train(tmp_path / "parts", key="another", notes=notes)[0] == whole
    assert len(notes) == 1 and "resume.pt" in notes[0] and "have changed" in notes[0]
    state.write_bytes(state.read_bytes()[:1000])
    assert _train(tmp_path / "parts", key="another", notes=notes)[0] == whole
    assert len(notes) == 2 and "cannot be read" in notes[1]
    assert torch.load(state, weights_only=True)["key"] == "another"


def _first(state: dict[str, Any], name: str, value: Any) -> None:
    key = next(key for key, held in state[name].items() if isinstance(held, torch.Tensor) and held.ndim)
    state[name][key] = value(state[name][key])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda s: s.update(epoch=99), "expected epoch 1 to 4, got 99"),
        (lambda s: s.update(epoch="2"), "expected epoch"),
        (lambda s: s.update(iteration=1), "expected iteration"),
        (lambda s: s["curves"].pop(), "expected curves of 2 epochs"),
        (lambda s: _first(s, "network", lambda value: value[:1]), "has the shape"),
        (lambda s: s["network"].popitem(), "other parts"),
        (lambda s: s["optimizer"]["param_groups"].pop(), "does not fit"),
        (lambda s: s["optimizer"]["state"][0].update(exp_avg=torch.zeros(1)), "optimiser's values 0"),
        (lambda s: s["schedulers"].pop(), "schedules"),
    ],
)
def test_a_state_that_does_not_fit_is_discarded_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Any, reason: str
) -> None:
    monkeypatch.setattr(engine.ResumeHook.__init__, "__defaults__", (0.0,))
    recipe = Recipe("test", epochs=4, batch_size=20, lr=1e-3, optimizer="adam")
    _train(tmp_path / "parts", recipe, stop=2)
    path = tmp_path / "parts" / "resume.pt"
    state = torch.load(path, weights_only=True)
    spoil(state)
    torch.save(state, path)
    notes: list[str] = []
    # Stopped before its first epoch: the network is as it began, and what did not fit is gone.
    curves, network = _train(tmp_path / "parts", recipe, stop=0, notes=notes)
    assert len(notes) == 1 and re.search(f"starts anew.*{reason}", notes[0]) and not path.exists() and curves == []
    _, fresh = _train(tmp_path / "fresh", recipe, stop=0)
    for (name, a), b in zip(fresh.state_dict().items(), network.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_a_flipped_bit_in_the_state_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.ResumeHook.__init__, "__defaults__", (0.0,))
    _train(tmp_path / "parts", stop=1)
    path, notes = tmp_path / "parts" / "resume.pt", list[str]()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    _train(tmp_path / "parts", stop=0, notes=notes)
    assert len(notes) == 1 and "it is damaged" in notes[0]


def test_the_callers_loader_processes_go_before_the_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Loader(engine.DataLoader):  # type: ignore[type-arg, misc]
        def __init__(self, *arguments: Any, num_workers: int, **options: Any) -> None:
            asked.append(num_workers)
            # The dataset's own method would take a copy of it to every loader.
            assert options["collate_fn"].__self__ is arguments[0]
            kept = {name: options[name] for name in ("batch_sampler", "collate_fn")}
            super().__init__(*arguments, num_workers=0, **kept)

    monkeypatch.setattr(engine, "DataLoader", Loader)
    monkeypatch.setattr(engine, "for_loaders", lambda data, workers: SpawnedData(data))
    recipe = Recipe("test", epochs=1, batch_size=8, lr=1e-3, num_workers=8)
    for workers in (None, 3, 0):
        _train(tmp_path / str(workers), recipe, num_workers=workers)
    assert asked == [8, 3, 0]


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"resume\.pt: could not write the state.*No space left.*--out"):
        save_tensors({"a": torch.zeros(3)}, tmp_path / "resume.pt", "the state")
    assert list(tmp_path.iterdir()) == []


def test_seed_decides_and_only_seed(tmp_path: Path) -> None:
    a, _ = _train(tmp_path / "a")
    torch.rand(5)
    np.random.rand(3)
    b, _ = _train(tmp_path / "b")
    c, _ = _train(tmp_path / "c", seed=1)
    assert a == b
    assert a != c


def test_learning_rate_follows_the_recipe(tmp_path: Path) -> None:
    curves, _ = _train(
        tmp_path / "lr", Recipe("test", epochs=4, batch_size=8, lr=1e-3, schedule="step", milestones=(2,))
    )
    assert [point["lr"] for point in curves] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])


def test_evaluation_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    engine.seed_everything(0)
    network = build_backbone("hrnet_micro_w8")
    values = []
    for batch in (1, 5):
        found, _ = engine.evaluate(
            network, MeanTask(), NoiseEval(), None, workspace=tmp_path, report=lambda p: None, batch_size=batch
        )
        values.append(found.stats()["value"])
    np.testing.assert_allclose(values[0], values[1], rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_not_finite_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Lower the learning rate"):
        _train(tmp_path / "nan", Recipe("test", epochs=3, batch_size=8, lr=1e30, optimizer="sgd", schedule="constant"))


def test_every_epoch_has_every_sample_once_in_another_order() -> None:
    sampler = engine.EpochSampler(Noise(20), 6, seed=3, drop_last=False)
    orders = []
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        keys = [key for batch in sampler for key in batch]
        assert {e for e, _ in keys} == {epoch}
        assert sorted(i for _, i in keys) == list(range(20))
        orders.append([i for _, i in keys])
    assert orders[0] != orders[1]
    assert len(list(sampler)) == len(sampler)


def test_batches_hold_one_group() -> None:
    sampler = engine.EpochSampler(Noise(20, grouped=True), 4, seed=0, drop_last=True)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert all(len({i % 2 for _, i in batch}) == 1 for batch in batches)
    assert sorted(i for batch in batches for _, i in batch) == list(range(20))


def _rates(recipe: Recipe, per_epoch: int) -> list[float]:
    """The rate before each step of a training, by the recipe's schedulers alone."""
    network = torch.nn.Linear(2, 1)
    wrapper = optimisation.wrapper_of(optimisation.optimizer_of(network, recipe), recipe)
    schedulers = optimisation.schedulers_of(wrapper, recipe, per_epoch)
    rates = []
    for iteration in range(recipe.epochs * per_epoch):
        rates.append(wrapper.get_lr()["lr"][0])
        wrapper.step()
        for scheduler in schedulers:
            if not scheduler.by_epoch or (iteration + 1) % per_epoch == 0:
                scheduler.step()
    return rates


def test_poly_follows_the_reference_one_iteration_late() -> None:
    """The reference sets the rate after step i to lr (1 - i / total) ** 0.9: steps 0 and 1 have the base rate."""
    rates = _rates(Recipe("test", epochs=2, batch_size=1, lr=0.1, optimizer="sgd", schedule="poly"), 10)
    np.testing.assert_allclose(rates, [0.1 * (1 - max(i - 1, 0) / 20) ** 0.9 for i in range(20)], rtol=1e-12)


def test_a_constant_warm_up_spans_its_iterations() -> None:
    recipe = Recipe(
        "test", 2, 1, 0.1, optimizer="sgd", schedule="constant", warmup_iterations=5, extra={"warmup": "constant"}
    )
    np.testing.assert_allclose(_rates(recipe, 10), [0.1 / 3] * 5 + [0.1] * 15, rtol=1e-12)


@pytest.mark.parametrize("schedule", ["step", "cosine", "constant"])
@pytest.mark.parametrize("warm", [1, 2, 5])
def test_warm_up_spans_its_iterations(schedule: Any, warm: int) -> None:
    """Step k of the warm-up has the share f + (1 - f) k / warm of the full rate, which step ``warm`` is the first to have."""
    recipe = Recipe("test", 3, 1, 0.1, optimizer="sgd", schedule=schedule, milestones=(2,), warmup_iterations=warm)
    rates = _rates(recipe, 10)
    np.testing.assert_allclose(rates[:warm], [0.1 * (1 / 3 + 2 / 3 * k / warm) for k in range(warm)], rtol=1e-12)
    np.testing.assert_allclose(rates[warm], 0.1, rtol=1e-12)
    if schedule != "cosine":
        np.testing.assert_allclose(rates[warm:20], 0.1, rtol=1e-12)


def test_frozen_statistics_need_weights_to_start_from(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--init FILE.*batch_norm=train"):
        _train(tmp_path / "x", Recipe("test", epochs=1, batch_size=8, lr=1e-3, batch_norm="frozen"))
