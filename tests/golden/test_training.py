"""Ten training steps against the official code's recorded rates, losses and weights, over every archive of training/index.csv.

The engine's own training runs in float64 on the inputs that the official code saw: the task's recipe, loss, optimiser, groups
and schedule, for one epoch of the recipe's many. Inputs are crops of real pictures and stay outside the project: they are read
from $HRNET_GOLDEN/training, else from ../shared/golden/training, and a case whose inputs are absent is skipped by name.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import golden_archives
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks.engine import loops as engine
from hrnet import load_checkpoint
from hrnet.checkpoints.reading import read_checkpoint
from hrnet.checkpoints.registry import interpret
from tasks import build_model, get_task, task_names
from tasks.base import Task, TrainData
from tasks.options import override
from tasks.recipe import Recipe

FOLDERS = (golden_archives.GOLDEN / "training", golden_archives.REPOSITORY.parent / "shared" / "golden" / "training")
LIMIT = 1e-8
COLUMNS = {"archive", "input", "task", "dataset", "model", "recipe_of", "recipe_changes", "batch_size"}
COLUMNS |= {"iterations_per_epoch", "seed", "key_prefix", "note"}
DEAD = 1e-9
"""A bias whose gradient is this much smaller than its convolution's stands in front of a normalisation: all of it is rounding."""


def cases() -> list[Any]:
    """One parameter per row of the index; those of a task that does not exist are skipped by name."""
    made: list[Any] = []
    for row in golden_archives.index_rows("training"):
        reason = f"{row['archive']}: the task {row['task']} does not exist yet"
        marks = [] if row["task"] in task_names() else [pytest.mark.skip(reason=reason)]
        made.append(pytest.param(row, id=f"training-{row['archive']}", marks=marks))
    reason = f"no training/index.csv below {golden_archives.GOLDEN}"
    return made or [pytest.param({}, id="training-none", marks=pytest.mark.skip(reason=reason))]


def inputs_of(row: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The arrays that both sides saw; skips where they are not on this machine."""
    for folder in FOLDERS:
        path = folder / f"{row['input'].removesuffix('.npz')}.npz"
        if path.exists():
            with np.load(path) as archive:
                return {name: archive[name] for name in archive.files}
    pytest.skip(f"{row['archive']}: no {row['input']}.npz in {' or '.join(map(str, FOLDERS))}; set HRNET_GOLDEN")


def changes(text: str) -> dict[str, str]:
    """The words of a recipe column: "key value", "key=value" or a flag, between commas, semicolons or blanks."""
    made: dict[str, str] = {}
    for part in re.split(r"\s*[,;]\s*", text.strip()):
        for word in part.split() if "=" in part else [part]:
            if made and re.fullmatch(r"[\d.e+-]+", word):  # a further number of the value before it: milestones=90,120
                made[list(made)[-1]] += f",{word}"
            elif word not in ("", "-", "none"):
                key, _, value = (word if "=" in word else word.replace(" ", "=", 1)).partition("=")
                made[key.removeprefix("recipe.").strip()] = value.strip() or "true"
    return made


def number(text: str) -> float | str:
    """The number that a text says, or the text."""
    try:
        return float(text)
    except ValueError:
        return text


def recipe_of(row: Mapping[str, str]) -> Recipe:
    """The recipe that the row names, with its changes; keys that are no field of a recipe are its extras."""
    tier, _, rest = row["recipe_of"].partition(",")
    asked = {**changes(rest), **changes(row["recipe_changes"] or ""), "batch_size": row["batch_size"]}
    known = {field.name for field in fields(Recipe)}
    unknown = [key for key in asked if key.split(".")[0] not in known or key.startswith("extra.")]
    extra = {key.removeprefix("extra."): number(asked.pop(key)) for key in unknown}
    usual = get_task(row["task"]).recipe(row["dataset"], row["model"], tier.strip())
    made = override(usual, asked, "recipe field")
    return override(made, {"extra": {**made.extra, **extra}, "num_workers": 0})


class Recorded(TrainData):
    """The archive's samples, so numbered that the engine's own draw of the first epoch meets them in the recorded order."""

    def __init__(self, inputs: Mapping[str, np.ndarray], recipe: Recipe, seed: int) -> None:
        pictures = inputs["images_u8"].astype(np.float32) / np.float32(255)
        pictures = (pictures - inputs["mean"]) / inputs["std"]
        self.arrays = {"images": np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float64)}
        for name in ("target", "weight"):
            if name in inputs:
                self.arrays[name] = inputs[name].astype(np.float64)
        self.arrays.update({name: inputs[name].astype(np.int64) for name in ("labels", "label") if name in inputs})
        order = inputs["order"].reshape(-1)
        self.place = np.arange(len(order))
        self.batches = engine.EpochSampler(self, recipe.batch_size, seed, recipe.drop_last).batches()
        self.place[np.concatenate(self.batches)[:, 1]] = order

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        return {name: array[self.place[key[1]]] for name, array in self.arrays.items()}


@dataclass
class Gradients:
    """The largest gradient norms met of each convolution's weight and bias."""

    weight: dict[str, float]
    bias: dict[str, float]

    def dead(self) -> set[str]:
        """Names of the biases that no loss feels."""
        return {f"{name}.bias" for name, norm in self.bias.items() if norm <= DEAD * self.weight[name]}


def watch_gradients(network: nn.Module) -> Gradients:
    found = Gradients({}, {})
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            for kind, parameter in (("weight", module.weight), ("bias", module.bias)):
                norms: dict[str, float] = getattr(found, kind)
                parameter.register_hook(
                    lambda g, norms=norms, name=name: norms.update({name: max(norms.get(name, 0.0), float(g.norm()))})
                )
    return found


def settle_dropout(
    row: Mapping[str, str], network: nn.Module, task: Task, recipe: Recipe, data: Recorded, loss: float
) -> None:
    """Draws of a dropout are the engine's (its seed and the iteration), or none: the first recorded loss tells which."""
    dropouts = [m for m in network.modules() if isinstance(m, nn.Dropout | nn.Dropout2d)]
    if not dropouts:
        return
    trial = copy.deepcopy(network).train()
    first = data.batches[0]
    torch.manual_seed(int(row["seed"]) * 1_000_003)
    found = task.loss(trial, torch.utils.data.default_collate([data[key] for key in first]), recipe)
    if abs(total(found) / loss - 1) > LIMIT:
        for module in dropouts:
            module.p = 0.0


def total(losses: Mapping[str, Tensor]) -> float:
    """What the engine minimises."""
    return sum(float(value.detach()) for name, value in losses.items() if name.startswith("loss"))


def train_ten(
    row: Mapping[str, str],
    network: nn.Module,
    recipe: Recipe,
    data: TrainData,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[np.ndarray, np.ndarray]:
    """Runs the first epoch of the engine's training; losses (10,) and rates (10, groups) before each step."""
    task = get_task(row["task"])
    losses: list[float] = []
    rates: list[list[float]] = []
    optimizers: list[torch.optim.Optimizer] = []
    usual_optimizer, usual_loss = engine.optimizer_of, task.loss

    def optimizer_of(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
        optimizers.append(usual_optimizer(network, recipe))
        return optimizers[-1]

    def loss(model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        made = usual_loss(model, batch, recipe)
        losses.append(total(made))
        rates.append([float(group["lr"]) for group in optimizers[0].param_groups])
        return made

    monkeypatch.setattr(engine, "optimizer_of", optimizer_of)
    monkeypatch.setattr(task, "loss", loss)
    protocol = task.protocol(row["dataset"], model=row["model"])
    run: dict[str, Any] = {"seed": int(row["seed"]), "workspace": folder, "report": lambda progress: None}
    engine.train(network, task, data, recipe, protocol, stop_after_epoch=1, **run)
    return np.array(losses), np.array(rates)


def seeded_start(path: Path, row: Mapping[str, str], golden: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Writes the weights that both sides started from, in the official form; their keys -> our names.

    The official run had plain batch normalisations, with the counters that the archive does not list: without them the file
    would be read as one of the branch that scales by |gamma|.
    """
    shapes = {
        str(key): () if shape in ("", "scalar") else tuple(map(int, str(shape).split("x")))
        for key, shape in zip(golden["key"], golden["shape"], strict=True)
    }
    counters = {k.replace("running_var", "num_batches_tracked"): () for k in shapes if k.endswith("running_var")}
    prefix = row["key_prefix"]
    torch.save({prefix + k: golden_archives.seeded_tensor(k, s) for k, s in {**counters, **shapes}.items()}, path)
    return {theirs.removeprefix(prefix): ours for ours, theirs in interpret(read_checkpoint(path)).origin.items()}


def limits(note: str) -> tuple[float, int]:
    """The relative limit, and the number of steps that it holds for: 1e-8 and all, unless the note says "to X up to step N"."""
    stated = re.search(r"to ([\d.e-]+) up to step (\d+)", note)
    return (float(stated.group(1)), int(stated.group(2))) if stated else (LIMIT, 0)


@pytest.mark.slow
@pytest.mark.parametrize("row", cases())
def test_ten_steps_equal_the_official_code(
    row: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(row) >= COLUMNS, f"training/index.csv lacks {sorted(COLUMNS - set(row))}"
    torch.set_num_threads(1)  # as recorded: after eight steps a sum in another order shows in the fifth digit
    inputs = inputs_of(row)
    with np.load(golden_archives.GOLDEN / "training" / f"{row['archive']}.npz") as archive:
        golden = {name: archive[name] for name in archive.files}
    names = seeded_start(tmp_path / "start.pth", row, golden)
    network = build_model(row["task"], row["model"], row["dataset"]).double()
    load_checkpoint(network, tmp_path / "start.pth")
    recipe = recipe_of(row)
    data = Recorded(inputs, recipe, int(row["seed"]))
    assert len(data.batches) == int(row["iterations_per_epoch"])
    settle_dropout(row, network, get_task(row["task"]), recipe, data, float(golden["losses"][0]))
    gradients = watch_gradients(network)
    losses, rates = train_ten(row, network, recipe, data, tmp_path, monkeypatch)

    np.testing.assert_allclose(rates, golden["lrs"], rtol=1e-12)
    limit, steps = limits(row["note"] or "")
    np.testing.assert_allclose(losses[: steps or None], golden["losses"][: steps or None], rtol=limit)
    if steps:
        return  # what lies behind the stated step is chaos, the weights at the end with it
    state, dead = network.state_dict(), gradients.dead()
    errors = {}
    for key, expected in golden.items():
        name = names.get(key.removeprefix("after/"), "")
        if key.startswith("after/") and name not in dead:
            errors[key] = float(np.linalg.norm(state[name].numpy() - expected) / np.linalg.norm(expected))
    assert errors and max(errors.values()) <= limit, sorted(errors.items(), key=lambda pair: -pair[1])[:5]
    for key, norm in zip(golden["key"], golden["norm_after_10"], strict=True):
        name = names[str(key)]
        if name not in dead and not name.endswith("num_batches_tracked"):
            assert float(state[name].norm()) == pytest.approx(float(norm), rel=limit), key


def test_the_words_of_a_recipe_column() -> None:
    assert changes(" init_from none, drop_last") == {"init_from": "none", "drop_last": "true"}
    assert changes("loss weighted_ohem; recipe.lr=0.01 milestones=90,120") == {
        "loss": "weighted_ohem",
        "lr": "0.01",
        "milestones": "90,120",
    }
    row = {"task": "segmentation", "dataset": "cityscapes", "model": "hrnet_w18_small_v1_ocr", "batch_size": "4"}
    made = recipe_of(
        {**row, "recipe_of": "full, init_from none", "recipe_changes": "loss ohem, ohem_kept 500, power=1"}
    )
    assert (made.loss, made.power, made.init_from, made.batch_size, made.epochs) == ("ohem", 1.0, None, 4, 484)
    assert made.extra == {"aux_weight": 0.4, "ohem_kept": 500.0}
    assert limits("to 1e-6 up to step 8") == (1e-6, 8) and limits("poly rate lags one iteration") == (LIMIT, 0)
