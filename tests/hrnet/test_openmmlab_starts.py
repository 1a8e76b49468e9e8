"""What trainings start from in OpenMMLab's form: mmpretrain's HRNet, bodies with an ImageNet head, masked auto-encoding."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from foreign_names import foreign
from test_checkpoint_families import MICRO, network, scrambled
from torch import nn

from benchmarks.baselines import build_body
from hrnet import build_backbone, identify_checkpoint, load_backbone, load_checkpoint
from hrnet.checkpoints.report import CheckpointError
from tasks import build_model


def same(made: nn.Module, source: nn.Module) -> bool:
    expected = source.state_dict()
    return all(torch.equal(value, expected[name]) for name, value in made.state_dict().items())


def test_mmpretrains_hrnet_classifies(tmp_path: Path) -> None:
    """Its necks' convolutions have no bias, so ours are 0; the body starts other tasks' networks."""
    source = network("classification", "imagenet")
    for name, value in source.state_dict().items():
        if name.startswith(("representation.downsamp_modules.", "representation.final_layer.")) and name.endswith(
            "0.bias"
        ):
            value.zero_()
    state = foreign(source.state_dict(), "mmpretrain")
    state = {key: value for key, value in state.items() if not (key.startswith("neck.") and key.endswith("conv.bias"))}
    assert len(state) == len(source.state_dict()) - 4
    torch.save({"state_dict": state, "meta": {}}, tmp_path / "file.pth")
    found = identify_checkpoint(tmp_path / "file.pth")
    assert (found.family, found.task, found.dataset, found.model) == ("mmpretrain", "classification", "imagenet", MICRO)
    made = build_model("classification", MICRO, "imagenet")
    made.set_conventions(upsample="bilinear", bn_momentum=0.01)
    report = load_checkpoint(made, tmp_path / "file.pth")
    assert set(report.loaded) == set(source.state_dict()) and not (
        report.missing or report.unexpected or report.dropped
    )
    assert same(made, source) and made.body.spec.upsample == "nearest"
    assert sum("set to 0" in note for note in report.notes) == 4
    body = build_backbone(MICRO)
    assert load_backbone(body, tmp_path / "file.pth").family == "mmpretrain" and same(body, source.body)

    del state["neck.final_layer.bn.weight"]
    torch.save({"state_dict": state}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match=r"final_layer\.1\.weight"):
        load_checkpoint(build_model("classification", MICRO, "imagenet"), tmp_path / "file.pth")


@pytest.mark.parametrize("model", [MICRO, "simple_baseline_micro", "simple_baseline_mobilenetv2"])
def test_a_body_with_an_imagenet_head_starts_a_pose_network(model: str, tmp_path: Path) -> None:
    """Of HRNet, of an encoder without renames, and of one whose names differ; SimpleBaseline's own layers stay as they start."""
    source = scrambled(build_body(model))
    names = {name: value for name, value in source.state_dict().items() if not name.startswith("deconv_layers.")}
    if model == "simple_baseline_mobilenetv2":
        names = mobilenet_of_mmcls(names)
    state = {f"backbone.{name}": value for name, value in names.items()}
    state |= {"head.fc.weight": torch.zeros(1000, 8), "head.fc.bias": torch.zeros(1000)}
    torch.save({"state_dict": state, "meta": {}}, tmp_path / "file.pth")
    assert identify_checkpoint(tmp_path / "file.pth").family == "openmmlab_backbone"
    made = build_body(model)
    before = {name: value.clone() for name, value in made.state_dict().items() if name.startswith("deconv_layers.")}
    report = load_backbone(made, tmp_path / "file.pth")
    assert len(report.loaded) == len(names) and set(report.dropped) == {"head.fc.weight", "head.fc.bias"}
    for name, value in made.state_dict().items():
        expected = before[name] if name in before else source.state_dict()[name]
        assert torch.equal(value, expected), name


def mobilenet_of_mmcls(names: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """In mmcls' names, by counting: theirs and torchvision's list the same tensors in the same order."""
    counts = (1, 2, 3, 4, 3, 3, 1)
    units = ["conv1"]
    for number, count in enumerate(counts, start=1):
        for block in range(count):
            units += [f"layer{number}.{block}.conv.{k}" for k in range(2 if number == 1 else 3)]
    units.append("conv2")
    theirs = [
        f"{unit}.conv.weight" if part == 0 else f"{unit}.bn.{key}"
        for unit in units
        for part, key in enumerate(("", "weight", "bias", "running_mean", "running_var", "num_batches_tracked"))
    ]
    assert len(theirs) == len(names)
    return dict(zip(theirs, names.values(), strict=True))


def test_masked_auto_encoding_starts_a_transformer(tmp_path: Path) -> None:
    source = scrambled(build_body("vitpose_micro"))
    state = foreign(source.state_dict(), "vit")
    state = {key: value for key, value in state.items() if not key.startswith("deconv_layers.")}
    width = state["ln1.weight"].shape[0]
    torch.save({"state_dict": {**state, "mask_token": torch.zeros(1, 1, width)}}, tmp_path / "file.pth")
    assert identify_checkpoint(tmp_path / "file.pth").family == "openmmlab_vit"
    made = build_body("vitpose_micro")
    report = load_backbone(made, tmp_path / "file.pth")
    assert len(report.loaded) == len(state) and list(report.dropped) == ["mask_token"]
    assert all(torch.equal(v, source.state_dict()[k]) for k, v in made.state_dict().items() if k.startswith("vit."))

    del state["layers.1.attn.qkv.weight"]
    torch.save({"state_dict": state}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match=r"blocks\.1\.attn\.qkv\.weight"):
        load_backbone(build_body("vitpose_micro"), tmp_path / "file.pth")
