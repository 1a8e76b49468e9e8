"""Costs: by hand for single layers, and without touching the model."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import nn

from hrnet import build_backbone, profile


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
from torch import nn
for line in {WAYS!r}.strip().splitlines():
    for name in [n for n in sys.modules if n.partition(".")[0] == "hrnet"]:
        del sys.modules[name]
    names = {{}}
    exec(line, names)
    assert names["profile"](nn.Conv2d(3, 4, 1), (2, 2)).macs == 48, line
"""
    subprocess.run([sys.executable, "-c", code], check=True)
