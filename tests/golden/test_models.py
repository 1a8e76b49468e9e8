"""Forward passes of published networks with seeded weights, over every archive, manifest and count found."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

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


class Published(NamedTuple):
    """A published network without memory, and a hollow checkpoint for it."""

    name: str
    network: nn.Module
    description: Description
    path: Path


@pytest.fixture(scope="module", params=manifest_names() or EMPTY)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Built once for all tests of a manifest."""
    name = request.param
    path = write_hollow(tmp_path_factory.mktemp("hollow") / f"{name}.pth", name)
    description = identify_checkpoint(path)
    assert description.model is not None, f"no body recognised: {description}"
    with torch.device("meta"):
        if description.task is None:
            return Published(name, build_backbone(description.model), description, path)
        assert description.dataset is not None, f"no dataset guessed: {description}"
        network = build(description.task, description.model, description.dataset, description)
    return Published(name, network, description, path)


def test_every_published_network_loads_strictly(published: Published) -> None:
    name, network, description, path = published
    load = load_backbone if description.task is None else load_checkpoint
    report = load(network, path)
    assert not (report.missing or report.unexpected or report.mismatched or report.ignored)
    assert len(report.loaded) + len(report.dropped) == len(manifest(name))
    if description.task is not None:
        assert not report.dropped
        counters = {key for key in network.state_dict() if key.endswith("num_batches_tracked")}
        assert set(report.loaded) >= set(network.state_dict()) - counters


def test_profile_counts_what_the_reference_counts(published: Published) -> None:
    rows = [row for row in summary_rows() if row["name"] == published.name]
    if not rows:
        pytest.skip(f"no row of {published.name} in summary.tsv")
    if published.description.task is None:
        pytest.skip("a feature extractor's widening blocks are not part of a body here")
    for row in rows:
        height, width = map(int, row["input_NCHW"].split("x")[2:])
        cost = profile(published.network, (height, width))
        counted = {"params": cost.params, "macs_true": cost.macs, "macs_official_hook": cost.macs_published_rule}
        assert counted == {key: int(row[key]) for key in counted}, row["input_NCHW"]


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
