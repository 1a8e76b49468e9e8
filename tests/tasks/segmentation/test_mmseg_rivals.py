"""PSPNet and DeepLabV3+ with mmseg's keys: strict loading, published parameters, logits of an independent computation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from golden_archives import SAMPLES, seeded_tensor
from torch import Tensor
from torch.nn import functional

import hrnet
from benchmarks.cli import entry
from hrnet.checkpoints import identify_checkpoint
from tasks import build_model, get_task

BLOCKS = {"r50": (3, 4, 6, 3), "r101": (3, 4, 23, 3)}
Shapes = dict[str, tuple[int, ...]]


def norm(name: str, channels: int) -> Shapes:
    made: Shapes = {f"{name}.{key}": (channels,) for key in ("weight", "bias", "running_mean", "running_var")}
    return made | {f"{name}.num_batches_tracked": ()}


def unit(name: str, outputs: int, inputs: int, kernel: int = 1) -> Shapes:
    """mmcv's ConvModule."""
    return {f"{name}.conv.weight": (outputs, inputs, kernel, kernel), **norm(f"{name}.bn", outputs)}


def backbone(depth: str) -> Shapes:
    """mmseg's ResNetV1c, as its checkpoints list it."""
    made: Shapes = {}
    for index, (outputs, inputs) in ((0, (32, 3)), (3, (32, 32)), (6, (64, 32))):
        made |= {
            f"backbone.stem.{index}.weight": (outputs, inputs, 3, 3),
            **norm(f"backbone.stem.{index + 1}", outputs),
        }
    channels = 64
    for stage, count in enumerate(BLOCKS[depth], start=1):
        planes = 32 * 2**stage
        for block in range(count):
            name = f"backbone.layer{stage}.{block}"
            for index, (outputs, inputs, kernel) in enumerate(
                ((planes, channels, 1), (planes, planes, 3), (4 * planes, planes, 1)), start=1
            ):
                made |= {f"{name}.conv{index}.weight": (outputs, inputs, kernel, kernel)}
                made |= norm(f"{name}.bn{index}", outputs)
            if block == 0:
                made |= {f"{name}.downsample.0.weight": (4 * planes, channels, 1, 1)}
                made |= norm(f"{name}.downsample.1", 4 * planes)
            channels = 4 * planes
    return made


def separable(name: str, outputs: int, inputs: int) -> Shapes:
    return {
        f"{name}.depthwise_conv.conv.weight": (inputs, 1, 3, 3),
        **norm(f"{name}.depthwise_conv.bn", inputs),
        **unit(f"{name}.pointwise_conv", outputs, inputs),
    }


def mmseg_keys(kind: str, depth: str, classes: int) -> Shapes:
    """Keys and shapes of a checkpoint of mmseg."""
    made = backbone(depth)
    made |= {"decode_head.conv_seg.weight": (classes, 512, 1, 1), "decode_head.conv_seg.bias": (classes,)}
    if kind == "pspnet":
        for index in range(4):
            made |= unit(f"decode_head.psp_modules.{index}.1", 512, 2048)
        made |= unit("decode_head.bottleneck", 512, 4096, 3)
    elif kind == "deeplabv3":
        made |= unit("decode_head.image_pool.1", 512, 2048) | unit("decode_head.aspp_modules.0", 512, 2048)
        for index in (1, 2, 3):
            made |= unit(f"decode_head.aspp_modules.{index}", 512, 2048, 3)
        made |= unit("decode_head.bottleneck", 512, 2560, 3)
    else:
        made |= unit("decode_head.image_pool.1", 512, 2048) | unit("decode_head.aspp_modules.0", 512, 2048)
        for index in (1, 2, 3):
            made |= separable(f"decode_head.aspp_modules.{index}", 512, 2048)
        made |= unit("decode_head.bottleneck", 512, 2560, 3) | unit("decode_head.c1_bottleneck", 48, 256)
        made |= separable("decode_head.sep_bottleneck.0", 512, 560) | separable(
            "decode_head.sep_bottleneck.1", 512, 512
        )
    made |= {"auxiliary_head.conv_seg.weight": (classes, 256, 1, 1), "auxiliary_head.conv_seg.bias": (classes,)}
    return made | unit("auxiliary_head.convs.0", 256, 1024, 3)


# The papers' and mmseg's tables count with ADE20K's 150 classes: 68.1 and 62.7 M for ResNet-101.
COUNTS = [
    ("pspnet", "r50", 48.98),
    ("pspnet", "r101", 67.97),
    ("deeplabv3", "r101", 87.11),
    ("deeplabv3plus", "r50", 43.59),
    ("deeplabv3plus", "r101", 62.58),
]


def model_of(kind: str, depth: str) -> str:
    """torchvision's DeepLabV3 has the short name."""
    return f"mmseg_{kind}_{depth}" if kind == "deeplabv3" else f"{kind}_{depth}"


@pytest.mark.parametrize(("kind", "depth", "millions"), COUNTS)
def test_mmsegs_files_load_strictly(kind: str, depth: str, millions: float, tmp_path: Path) -> None:
    keys = mmseg_keys(kind, depth, 19)
    one, count = torch.full((1,), 0.5), torch.zeros((), dtype=torch.long)
    state = {k: count if k.endswith("num_batches_tracked") else one.expand(s) for k, s in keys.items()}
    torch.save({"meta": {}, "state_dict": state}, tmp_path / "hollow.pth")
    found = identify_checkpoint(tmp_path / "hollow.pth")
    assert (found.model, found.dataset, found.num_outputs) == (model_of(kind, depth), "cityscapes", 19)
    with torch.device("meta"):
        network = build_model("segmentation", model_of(kind, depth), "cityscapes")
    report = hrnet.load_checkpoint(network, tmp_path / "hollow.pth")
    assert report.family == f"mmseg_{kind}" and not report.dropped
    assert set(report.loaded) == set(network.state_dict()) and len(report.loaded) == len(keys)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.006)


def run_unit(state: dict[str, Tensor], name: str, x: Tensor, dilation: int = 1, groups: int = 1) -> Tensor:
    """A ConvModule by its tensors alone."""
    weight = state[f"{name}.conv.weight"]
    x = functional.conv2d(x, weight, padding=dilation * (weight.shape[-1] // 2), dilation=dilation, groups=groups)
    return run_norm(state, f"{name}.bn", x).relu()


def run_norm(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    mean, var, weight, bias = (state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(x, mean, var, weight, bias)


def run_separable(state: dict[str, Tensor], name: str, x: Tensor, dilation: int = 1) -> Tensor:
    x = run_unit(state, f"{name}.depthwise_conv", x, dilation, x.shape[1])
    return run_unit(state, f"{name}.pointwise_conv", x)


def run_backbone(state: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    for index, stride in ((0, 2), (3, 1), (6, 1)):
        x = functional.conv2d(x, state[f"backbone.stem.{index}.weight"], stride=stride, padding=1)
        x = run_norm(state, f"backbone.stem.{index + 1}", x).relu()
    x, maps = functional.max_pool2d(x, 3, 2, 1), []
    for stage, (stride, dilation) in enumerate(((1, 1), (2, 1), (1, 2), (1, 4)), start=1):
        block = 0
        while f"backbone.layer{stage}.{block}.conv1.weight" in state:
            name, first = f"backbone.layer{stage}.{block}", block == 0
            step, spread = (stride, max(1, dilation // 2)) if first else (1, dilation)
            y = run_norm(state, f"{name}.bn1", functional.conv2d(x, state[f"{name}.conv1.weight"])).relu()
            y = functional.conv2d(y, state[f"{name}.conv2.weight"], stride=step, padding=spread, dilation=spread)
            y = functional.conv2d(run_norm(state, f"{name}.bn2", y).relu(), state[f"{name}.conv3.weight"])
            if first:
                x = functional.conv2d(x, state[f"{name}.downsample.0.weight"], stride=step)
                x = run_norm(state, f"{name}.downsample.1", x)
            x, block = (run_norm(state, f"{name}.bn3", y) + x).relu(), block + 1
        maps.append(x)
    return maps


def resized(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


def run_mmseg(state: dict[str, Tensor], kind: str, images: Tensor) -> Tensor:
    """The network of a checkpoint, written from mmseg's description alone."""
    maps = run_backbone(state, images)
    x = maps[3]
    if kind == "pspnet":
        parts = [x]
        for index, cells in enumerate((1, 2, 3, 6)):
            pooled = run_unit(state, f"decode_head.psp_modules.{index}.1", functional.adaptive_avg_pool2d(x, cells))
            parts.append(resized(pooled, x))
        x = run_unit(state, "decode_head.bottleneck", torch.cat(parts, 1))
    elif kind == "deeplabv3":
        parts = [resized(run_unit(state, "decode_head.image_pool.1", x.mean((2, 3), keepdim=True)), x)]
        for index, dilation in enumerate((1, 12, 24, 36)):
            parts.append(run_unit(state, f"decode_head.aspp_modules.{index}", x, dilation))
        x = run_unit(state, "decode_head.bottleneck", torch.cat(parts, 1))
    else:
        parts = [resized(run_unit(state, "decode_head.image_pool.1", x.mean((2, 3), keepdim=True)), x)]
        parts.append(run_unit(state, "decode_head.aspp_modules.0", x))
        for index, dilation in ((1, 12), (2, 24), (3, 36)):
            parts.append(run_separable(state, f"decode_head.aspp_modules.{index}", x, dilation))
        x = run_unit(state, "decode_head.bottleneck", torch.cat(parts, 1))
        low = run_unit(state, "decode_head.c1_bottleneck", maps[0])
        x = torch.cat([resized(x, low), low], 1)
        for index in (0, 1):
            x = run_separable(state, f"decode_head.sep_bottleneck.{index}", x)
    return functional.conv2d(x, state["decode_head.conv_seg.weight"], state["decode_head.conv_seg.bias"])


@pytest.mark.parametrize("kind", ["pspnet", "deeplabv3", "deeplabv3plus"])
def test_logits_of_a_seeded_file(kind: str, tmp_path: Path) -> None:
    state = {k: seeded_tensor(k, s) for k, s in mmseg_keys(kind, "r50", 19).items()}
    torch.save({"state_dict": state}, tmp_path / "seeded.pth")
    network = build_model("segmentation", model_of(kind, "r50"), "cityscapes").eval()
    hrnet.load_checkpoint(network, tmp_path / "seeded.pth")
    images = torch.randn(1, 3, 65, 80, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found, expected = network(images), run_mmseg(state, kind, images)
    assert found.shape == (1, 19, *((17, 20) if kind == "deeplabv3plus" else (9, 10)))
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


@pytest.mark.skipif(not (SAMPLES / "cityscapes").is_dir(), reason=f"no pictures in {SAMPLES}")
@pytest.mark.parametrize("kind", ["pspnet", "deeplabv3plus"])
def test_a_seeded_file_is_evaluated_on_a_real_street(kind: str, tmp_path: Path) -> None:
    """The whole verb, at an eighth of the picture's size."""
    keys = mmseg_keys(kind, "r50", 19)
    torch.save({"state_dict": {k: seeded_tensor(k, s) for k, s in keys.items()}}, tmp_path / "seeded.pth")
    call = [
        "eval",
        "--task",
        "segmentation",
        "--dataset",
        "cityscapes",
        "--model",
        model_of(kind, "r50"),
        "--data-root",
    ]
    call += [str(SAMPLES), "--checkpoint", str(tmp_path / "seeded.pth"), "--protocol", "base_px=256"]
    assert entry([*call, "--out", str(tmp_path / "out"), "--json", str(tmp_path / "record.json")]) == 0
    record = json.loads((tmp_path / "record.json").read_text())
    report, protocol = record["report"], record["cell"]["protocol"]
    assert (report["family"], report["loaded"]) == (f"mmseg_{kind}", len(keys))
    assert not any(report.get(key) for key in ("missing", "unexpected", "mismatched", "ignored", "dropped"))
    assert protocol["align_corners"] is False and record["n"]["samples"] == 1
    assert 0 <= record["figures"]["mIoU"]["value"] <= 100


@pytest.mark.parametrize("model", ["pspnet_micro", "deeplabv3plus_micro"])
def test_micro_sizes_predict_twice_in_training(model: str) -> None:
    network = build_model("segmentation", model, "lip")
    images = torch.randn(2, 3, 64, 96)
    outputs = network.train()(images)
    sum(o.mean() for o in outputs).backward()
    assert len(outputs) == 2 and all(p.grad is not None for p in network.parameters())
    with torch.no_grad():
        assert network.eval()(images).shape == (2, 20, *((8, 12) if model.startswith("pspnet") else (16, 24)))
    assert hrnet.profile(network, (128, 256)).macs < 95e6


def test_recipe_is_mmsegs() -> None:
    task = get_task("segmentation")
    recipe = task.recipe("cityscapes", "pspnet_r101", "full")
    assert (recipe.epochs, recipe.batch_size, recipe.lr, recipe.lr_min) == (215, 8, 0.01, 1e-4)
    assert (recipe.init_from, recipe.extra) == ("resnet101_v1c-e67eebb6.pth", {"aux_weight": 0.4, "poly_lag": 0})
    assert task.recipe("lip", "deeplabv3plus_micro", "full").init_from is None
    assert task.recipe("cityscapes", "hrnet_w48", "full").name == "seg-cityscapes"
    assert not task.protocol("cityscapes", model="pspnet_r50", family="mmseg_pspnet").align_corners


def test_imagenet_weights_of_the_stem(tmp_path: Path) -> None:
    keys = {k.removeprefix("backbone."): s for k, s in backbone("r50").items()}
    state = {k: seeded_tensor(k, s) for k, s in keys.items()} | {"fc.weight": torch.zeros(1000, 2048)}
    torch.save(state, tmp_path / "resnet50_v1c.pth")
    network = build_model("segmentation", "pspnet_r50", "cityscapes")
    report = hrnet.load_backbone(network, tmp_path / "resnet50_v1c.pth")
    assert len(report.loaded) == len(keys) and list(report.dropped) == ["fc.weight"]
