"""Which networks code joints by UDP, what their protocol says, and that it trains and evaluates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.experiment.cell import make_cell
from benchmarks.synthetic.cache import ensure
from hrnet import identify_checkpoint
from tasks import build_model, get_task
from tasks.pose.entries import ENTRIES
from tasks.pose.protocol import CocoProtocol, check_protocol, coding_of

TASK = get_task("pose")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest embedded people."""
    return ensure("coco", tmp_path_factory.mktemp("embedded"), "smoke")


@pytest.mark.parametrize(
    ("model", "family", "coding"),
    [
        ("hrnet_w32", None, ""),
        ("hrnet_w32", "mmpose_1x", ""),
        ("hrnet_w32", "mmpose_1x_udp", "udp"),
        ("hrnet_w32_udp", None, "udp"),
        ("hrnet_w32_udp_regress", "mmpose_1x", "udp_combined"),
        ("hrnet_w32_udppose", None, "udp_combined"),
        ("vitpose_s_simple", None, "udp"),
        ("litehrnet_18", "mmpose_1x", ""),
        ("simple_baseline_r50_udp", None, "udp"),
        ("", None, ""),
    ],
)
def test_the_protocol_follows_name_body_or_configuration(model: str, family: str | None, coding: str) -> None:
    assert coding_of(model, family) == coding
    made = ENTRIES["coco"].protocol(model, family)
    assert isinstance(made, CocoProtocol)
    assert (made.crop == "udp") == (made.shift is False) == bool(coding)
    assert made.target == (coding or "recipe") and (not coding or made.decoder == coding)
    check_protocol(made)


def test_plain_protocols_keep_their_identity() -> None:
    """Fields that came later are no part of a cell's plain data at their default."""
    assert not {"target", "box_rule"} & set(make_cell("pose", "coco", "hrnet_w32").identity()["protocol"])
    assert make_cell("pose", "coco", "hrnet_w32_udp").identity()["protocol"]["target"] == "udp"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"crop": "udp"}, "together with decoder=udp"),
        ({"decoder": "udp"}, "together with decoder=udp"),
        ({"target": "udp_combined"}, "together with"),
        ({"crop": "udp", "decoder": "udp", "target": "udp"}, "shift=false"),
        ({"crop": "udp", "decoder": "udp", "target": "udp", "shift": False, "scales": (0.8, 1.0)}, "one scale"),
    ],
)
def test_half_a_coding_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_protocol(replace(CocoProtocol(), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "model", ["hrnet_micro_w8_udp", "hrnet_micro_w8_udp_regress", "vitpose_micro", "litehrnet_micro"]
)
def test_networks_train_and_predict_under_their_protocol(model: str, people: Path) -> None:
    protocol, recipe = TASK.protocol("coco", model=model, tier="smoke"), TASK.recipe("coco", model, "smoke")
    torch.manual_seed(0)
    network = build_model("pose", model, "coco")
    train = TASK.train_data("coco", people, "train2017", recipe, protocol, 0)
    batch = train.collate([train[(0, k)] for k in range(3)])
    assert batch["target"].shape[1] == (51 if model.endswith("regress") else 17) and batch["weight"].shape[1] == 17
    losses = TASK.loss(network, batch, recipe)
    losses["loss"].backward()
    assert torch.isfinite(losses["loss"]) and all(p.grad is not None for p in network.body.parameters())
    data = TASK.eval_data("coco", people, "val2017", protocol)
    with torch.inference_mode():
        found = TASK.predict(network.eval(), data.collate([data[0], data[1]]), protocol)
    assert [pose.shape for pose in found] == [(17, 3), (17, 3)]


@pytest.mark.parametrize(
    ("meta", "family", "model"),
    [
        ({"cfg": "codec = dict(type='UDPHeatmap', sigma=2)"}, "mmpose_1x_udp", "hrnet_micro_w8_udp"),
        ({"config": "data_cfg = dict(use_udp=True)"}, "mmpose_1x_udp", "hrnet_micro_w8_udp"),
        ({"cfg": "codec = dict(type='MSRAHeatmap')"}, "mmpose_1x", "hrnet_micro_w8"),
        ({}, "mmpose_1x", "hrnet_micro_w8"),
    ],
)
def test_mmpose_checkpoints_say_their_coding_themselves(
    meta: dict[str, str], family: str, model: str, tmp_path: Path
) -> None:
    state = build_model("pose", "hrnet_micro_w8", "coco").state_dict()
    renamed = {
        key.replace("body.", "backbone.").replace("head.predict", "head.final_layer"): value
        for key, value in state.items()
    }
    torch.save({"meta": meta, "state_dict": renamed}, tmp_path / "theirs.pth")
    found = identify_checkpoint(tmp_path / "theirs.pth")
    assert (found.family, found.model) == (family, model)
    made = TASK.protocol("coco", model="hrnet_w32", family=found.family)
    assert (made.crop == "udp") == family.endswith("_udp")
