"""Forward passes of published networks with seeded weights, over every archive, manifest and count found."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_archives import (
    GOLDEN,
    index_rows,
    manifest,
    manifest_names,
    seeded_input,
    seeded_tensor,
    summary_rows,
    write_hollow,
    write_seeded,
)
from torch import nn

from hrnet import identify_checkpoint, load_backbone, load_checkpoint, profile
from hrnet.backbone import build_backbone
from hrnet.checkpoints import Description
from tasks import build_model, task_names

LIMIT = 1e-5
EMPTY = [pytest.param(None, marks=pytest.mark.skip(reason=f"nothing below {GOLDEN}"), id="none-found")]


def build(task: str, model: str, dataset: str, description: Description) -> nn.Module:
    """The network for a file."""
    if task not in task_names():
        pytest.skip(f"the task {task!r} does not exist yet")
    return build_model(task, model, dataset, **description.build_options(task, model, dataset))


def outputs_of(network: nn.Module, task: str, images: torch.Tensor, number: int) -> list[torch.Tensor]:
    """The network's outputs as an archive holds them: stacks, pyramid levels, auxiliary and main, or one."""
    if task == "detection":
        return list(network.pyramid(images))
    if number > 1:
        several = getattr(network, "stacks", None) or network.outputs
        return list(several(images))
    return [network(images)]


@pytest.mark.parametrize("row", [pytest.param(r, id=r["archive"]) for r in index_rows("models")] or EMPTY)
def test_forward_equals_the_reference(row: dict[str, str], tmp_path: Path) -> None:
    path = write_seeded(tmp_path / "checkpoint.pth", row["manifest"], row["key_prefix"])
    network = build(row["task"], row["model"], row["dataset"], identify_checkpoint(path))
    load_checkpoint(network, path)
    with np.load(GOLDEN / "models" / f"{row['archive']}.npz") as archive:
        expected = [archive[k] for k in sorted((k for k in archive.files if k.startswith("output")), key=_order)]
        images = seeded_input(row["archive"], tuple(int(n) for n in archive["input_shape"]))
    network.eval()
    with torch.inference_mode():
        found = outputs_of(network, row["task"], images, len(expected))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        assert tuple(ours.shape) == theirs.shape
        error = np.linalg.norm(ours.numpy().astype(np.float64) - theirs) / np.linalg.norm(theirs)
        assert error <= LIMIT, f"relative L2 error {error:.2e}"


def _order(name: str) -> int:
    return int(name.removeprefix("output") or 0)


@lru_cache(maxsize=4)
def on_meta(name: str, folder: Path) -> tuple[nn.Module, Description, Path]:
    """The network of a manifest without memory, and a hollow checkpoint for it."""
    path = write_hollow(folder / f"{name}.pth", name)
    description = identify_checkpoint(path)
    if description.task is None:
        assert description.model is not None, f"no body recognised: {description}"
        with torch.device("meta"):
            return build_backbone(description.model), description, path
    assert description.model is not None and description.dataset is not None, f"not identified: {description}"
    with torch.device("meta"):
        return build(description.task, description.model, description.dataset, description), description, path


@pytest.mark.parametrize("name", manifest_names() or EMPTY)
def test_every_published_network_loads_strictly(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    network, description, path = on_meta(name, tmp_path_factory.getbasetemp())
    load = load_backbone if description.task is None else load_checkpoint
    report = load(network, path)
    assert not (report.missing or report.unexpected or report.mismatched or report.ignored)
    assert len(report.loaded) + len(report.dropped) >= len(manifest(name))
    if description.task is not None:
        assert not report.dropped
        counters = sum(key.endswith("num_batches_tracked") for key in network.state_dict())
        assert len(report.loaded) in (len(network.state_dict()), len(network.state_dict()) - counters)


@pytest.mark.parametrize("row", [pytest.param(r, id=f"{r['name']}-{r['input_NCHW']}") for r in summary_rows()] or EMPTY)
def test_profile_counts_what_the_reference_counts(
    row: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    network, description, _ = on_meta(row["name"], tmp_path_factory.getbasetemp())
    if description.task is None:
        pytest.skip("a feature extractor's widening blocks are not part of a body here")
    height, width = map(int, row["input_NCHW"].split("x")[2:])
    cost = profile(network, (height, width))
    assert cost.params == int(row["params"])
    assert cost.macs == int(row["macs_true"])
    assert cost.macs_published_rule == int(row["macs_official_hook"])


def test_seeded_weights_are_the_archives_own() -> None:
    path = GOLDEN / "seeded_weights.py"
    if not path.exists():
        pytest.skip(f"no {path}")
    spec = importlib.util.spec_from_file_location("seeded_weights", path)
    assert spec is not None and spec.loader is not None
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    for key, shape in {
        "a.weight": (3, 2, 3, 3),
        "a.bias": (5,),
        "bn.weight": (5,),
        "bn.running_mean": (5,),
        "bn.running_var": (5,),
        "bn.num_batches_tracked": (),
    }.items():
        assert torch.equal(seeded_tensor(key, shape), theirs.seeded_tensor(key, shape))
    assert torch.equal(seeded_input("x", (1, 3, 4, 4)), theirs.seeded_input("x", (1, 3, 4, 4)))
