"""Costs: by hand for single layers, and without touching the model."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hrnet import build_backbone, profile
from hrnet.blocks import SubsampledConv
from hrnet.without_memory import WithoutMemory, shapes_alone


class Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.up = nn.ConvTranspose2d(4, 5, 4, 2, 1, bias=False)
        self.group = nn.Conv2d(5, 10, 3, padding=1, groups=5)
        self.linear = nn.Linear(10, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.group(self.up(self.conv(x))).mean((2, 3)))


def test_layers_by_hand() -> None:
    cost = profile(Layers(), (8, 12))
    conv, up, group, linear = 4 * 3 * 9 * (4 * 6), 4 * 5 * 16 * (4 * 6), 10 * 9 * (8 * 12), 70
    assert [layer.macs for layer in cost.layers] == [conv, up, group, linear]
    assert cost.macs == conv + up + group + linear
    assert cost.macs_published_rule == cost.macs + 3 * up
    assert cost.macs_as_published == cost.macs_published_rule / 2**30
    assert cost.params == (108 + 4) + 320 + (90 + 10) + (70 + 7)
    assert cost.activations == 4 * 24 + 5 * 96 + 10 * 96 + 7
    assert cost.input_size == (8, 12)


def test_the_model_stays_as_it_was() -> None:
    body = build_backbone("hrnet_micro_w8").train()
    before = {k: v.clone() for k, v in body.state_dict().items()}
    profile(body, (64, 64))
    assert body.training and all(torch.equal(v, before[k]) for k, v in body.state_dict().items())
    maps = body(torch.rand(2, 3, 64, 64))
    assert maps[0].shape == (2, 8, 16, 16)
    assert int(body.bn1.num_batches_tracked) == 1


def test_cost_grows_with_the_area() -> None:
    body = build_backbone("hrnet_micro_w8")
    small, large = profile(body, (64, 64)), profile(body, (128, 192))
    assert large.macs == 6 * small.macs and large.params == small.params


FUNCTIONS = {
    "convolution": lambda x: functional.conv2d(x, x.new_empty(6, 2, 3, 5), None, (2, 1), (1, 2), 2, groups=2),
    "same": lambda x: functional.conv2d(x, x.new_empty(6, 4, 3, 3), padding="same"),
    "average": lambda x: functional.avg_pool2d(x, 3, 2, 1),
    "average, whole": lambda x: functional.avg_pool2d(x, 2),
    "average, up": lambda x: functional.avg_pool2d(x, 3, 2, ceil_mode=True),
    "sides": lambda x: functional.interpolate(x, (5, 9), mode="bilinear"),
    "factor": lambda x: functional.interpolate(x, scale_factor=2.5),
    "joined": lambda x: torch.cat([x, x[:, :3]], dim=1),
    "joined at the end": lambda x: torch.cat((x, x), dim=-1),
    "sum": lambda x: x + x,
    "broadcast": lambda x: x + x[:, :1, :1],
    "number": lambda x: x + 1,
    "mean": lambda x: x.mean((2, 3)),
    "mean, kept": lambda x: x.mean(-1, keepdim=True),
    "mean of all": lambda x: x.mean(),
    "relu": functional.relu,
    "norm": lambda x: functional.layer_norm(x, x.shape[1:]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_shape_that_they_have_on_the_cpu(name: str) -> None:
    with shapes_alone((), lambda *_: None):
        made = FUNCTIONS[name](torch.empty(2, 4, 13, 10, device="meta"))
    assert made.is_meta and made.shape == FUNCTIONS[name](torch.ones(2, 4, 13, 10)).shape


def test_layers_have_the_shape_that_they_have_on_the_cpu() -> None:
    layers = nn.Sequential(
        nn.Conv2d(3, 8, (3, 5), (2, 1), (0, 3), 2),
        nn.BatchNorm2d(8),
        SubsampledConv(8, 6, 1, 2),
        nn.Conv2d(6, 6, 3, padding="same", groups=3),
        nn.ConvTranspose2d(6, 4, 3, 2, output_padding=1),
        nn.ReLU(inplace=True),
        nn.Linear(16, 5),
    )
    x, outputs = torch.rand(1, 3, 21, 15), []
    for layer in layers:
        outputs.append(x := layer(x))
    counted = profile(layers, (21, 15)).layers
    assert [layer.kind for layer in counted] == ["Conv2d", "SubsampledConv", "Conv2d", "ConvTranspose2d", "Linear"]
    assert [layer.activations for layer in counted] == [outputs[k].numel() for k in (0, 2, 3, 4, 6)]
    pixels = [outputs[k].shape[-2] * outputs[k].shape[-1] for k in (0, 2, 3, 3)]
    assert [layer.macs for layer in counted] == [
        weight * places for weight, places in zip((360, 48, 108, 216), pixels, strict=True)
    ] + [16 * 5 * 4 * 12]


def test_the_mode_of_every_module_stays() -> None:
    body = build_backbone("hrnet_micro_w8").train()
    body.layer1.eval()
    before = [module.training for module in body.modules()]
    profile(body, (64, 64))
    assert [module.training for module in body.modules()] == before and "forward" not in vars(body.conv1)


def test_networks_built_without_memory_cost_the_same() -> None:
    with WithoutMemory():
        built = build_backbone("hrnet_micro_w8")
    assert all(p.is_meta for p in built.parameters())
    assert profile(built, (64, 96)) == profile(build_backbone("hrnet_micro_w8"), (64, 96))
    assert build_backbone("hrnet_micro_w8").bn1.weight.eq(1).all()  # layers start as ever afterwards


WAYS = """
from hrnet import profile
import hrnet; profile = hrnet.profile
from hrnet.profile import Profile; from hrnet import profile
import hrnet.profile; profile = hrnet.profile
from hrnet.profile import profile
from hrnet import *
"""


def test_the_function_is_found_whichever_way() -> None:
    code = f"""
import sys
from typing import Any
from torch import nn
for line in {WAYS!r}.strip().splitlines():
    for name in [n for n in sys.modules if n.partition(".")[0] == "hrnet"]:
        del sys.modules[name]
    names = {{}}
    exec(line, names)
    assert names["profile"](nn.Conv2d(3, 4, 1), (2, 2)).macs == 48, line
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("size", [64, (64,), (64, 0), (-64, 64), (64.0, 64.0), "ab", None, (3, 64, 64)])
def test_a_size_is_two_positive_whole_numbers(size: Any) -> None:
    with pytest.raises(ValueError, match=r"Expected input_size as height and width in pixels"):
        profile(nn.Conv2d(3, 1, 1), size)
    assert profile(nn.Conv2d(3, 1, 1), np.array([6, 7])).input_size == (6, 7)  # type: ignore[arg-type]
