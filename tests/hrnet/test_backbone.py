"""The body: its conventions, its exchanges, and what they change."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from hrnet import VARIANTS, build_backbone
from hrnet.blocks import BasicBlock, Bottleneck
from hrnet.exchange import ExchangeUnit, upsample_to

MICRO = "hrnet_micro_w8"


def body(seed: int = 0, **changes: object) -> nn.Module:
    torch.manual_seed(seed)
    made = build_backbone(MICRO, **changes).double().eval()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
    return made


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(2, 3, 64, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def run(module: nn.Module, images: Tensor) -> list[Tensor]:
    with torch.no_grad():
        return module(images)


def test_importing_the_package_needs_no_torch() -> None:
    code = "import sys, hrnet; assert hrnet.VARIANTS['hrnet_w32'].width == 32; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", VARIANTS)
def test_specs_agree_with_themselves(name: str) -> None:
    spec = VARIANTS[name]
    assert spec.name == name
    for number, stage in enumerate(spec.stages, start=1):
        assert len(stage.channels) == number
        if number > 1:
            assert stage.channels == tuple(spec.width * 2**i for i in range(number))


def test_one_resolution_is_the_first_of_all(images: Tensor) -> None:
    full, one = body(), body(fuse_last="one")
    one.load_state_dict({k: v for k, v in full.state_dict().items() if k in one.state_dict()})
    assert one.out_channels == (8,) and len(run(one, images)) == 1
    assert torch.equal(run(one, images)[0], run(full, images)[0])


def test_conventions_change_numbers_but_no_parameter(images: Tensor) -> None:
    nearest, bilinear = body(), body(upsample="bilinear")
    assert nearest.state_dict().keys() == bilinear.state_dict().keys()
    bilinear.load_state_dict(nearest.state_dict())
    plain = run(nearest, images)
    smooth = run(bilinear, images)
    assert not torch.allclose(plain[0], smooth[0])
    nearest.set_conventions(upsample="bilinear")
    assert all(torch.equal(a, b) for a, b in zip(run(nearest, images), smooth, strict=True))
    nearest.set_conventions(align_corners=True, bn_momentum=0.01)
    assert not torch.allclose(run(nearest, images)[0], smooth[0])
    assert {m.momentum for m in nearest.modules() if isinstance(m, nn.BatchNorm2d)} == {0.01}
    assert nearest.spec.bn_momentum == 0.01
    nearest.set_conventions(upsample="nearest", align_corners=False)
    assert all(torch.equal(a, b) for a, b in zip(run(nearest, images), plain, strict=True))


def test_conventions_that_need_a_new_build_are_refused() -> None:
    with pytest.raises(ValueError, match="fuse_last"):
        body().set_conventions(fuse_last="one")


def test_removed_exchanges_remove_exactly_their_parameters() -> None:
    def exchanges(**changes: object) -> set[str]:
        keys = build_backbone(MICRO, **changes).state_dict()
        return {".".join(k.split(".")[:2]) for k in keys if "fuse_layers" in k}

    assert exchanges() == {"stage2.0", "stage3.0", "stage3.1", "stage4.0"}
    assert exchanges(exchange_within=False) == {"stage2.0", "stage3.1", "stage4.0"}
    assert exchanges(exchange_within=False, exchange_across=False) == {"stage4.0"}
    assert exchanges(exchange_final=False, exchange_within=False, exchange_across=False) == set()


def test_without_any_exchange_lower_resolutions_do_not_reach_the_highest(images: Tensor) -> None:
    alone = body(exchange_final=False, exchange_within=False, exchange_across=False)
    before = run(alone, images)
    with torch.no_grad():
        alone.transition3["3"][0][0].weight.mul_(2)
    after = run(alone, images)
    assert all(torch.equal(a, b) for a, b in zip(before[:3], after[:3]))
    assert not torch.equal(before[3], after[3])


@pytest.mark.parametrize("size_hw", [(64, 96), (100, 76), (37, 53)])
def test_any_size_gives_maps_of_a_quarter_and_halves_rounded_up(size_hw: tuple[int, int]) -> None:
    maps = run(body(), torch.rand(1, 3, *size_hw, dtype=torch.float64))
    height, width = (-(-s // 4) for s in size_hw)
    for x in maps:
        assert x.shape[-2:] == (height, width)
        height, width = -(-height // 2), -(-width // 2)


def test_the_exchange_is_the_sum_of_its_parts() -> None:
    torch.manual_seed(0)
    unit = ExchangeUnit((4, 8, 16), upsample="nearest").double().eval()
    xs = [torch.rand(1, 4 * 2**i, 16 // 2**i, 8 // 2**i, dtype=torch.float64) for i in range(3)]
    with torch.no_grad():
        outputs = unit(xs)
        middle = unit["1"]["0"](xs[0]) + xs[1] + upsample_to(unit["1"]["2"](xs[2]), (8, 4), "nearest", False)
        torch.testing.assert_close(outputs[1], middle.relu())
        down = unit["2"]["0"]
        assert [type(m) for m in down[0]] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
        assert [type(m) for m in down[1]] == [nn.Conv2d, nn.BatchNorm2d]
        torch.testing.assert_close(outputs[2], (down(xs[0]) + unit["2"]["1"](xs[1]) + xs[2]).relu())


@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck])
def test_a_block_that_computes_nothing_is_the_identity_on_positive_maps(kind: type[nn.Module]) -> None:
    block = kind(4 * kind.expansion, 4).eval()
    nn.init.zeros_(list(block.children())[-2 if block.downsample is None else -3].weight)
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
    x = torch.rand(1, 4 * kind.expansion, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(block(x), x)


def test_wrong_names_and_fields_name_the_nearest() -> None:
    with pytest.raises(ValueError, match="hrnet_w32"):
        build_backbone("hrnet_w33")
    with pytest.raises(ValueError, match="upsample"):
        build_backbone(MICRO, upsampel="nearest")
    with pytest.raises(ValueError, match="bilinear"):
        build_backbone(MICRO, upsample="cubic")


def test_what_the_caller_changed_is_remembered() -> None:
    assert build_backbone(MICRO, upsample="bilinear").stated == {"upsample"}
    assert build_backbone(MICRO).stated == frozenset()


@pytest.mark.parametrize("scheme", ["kaiming", "normal_0.001", "default"])
def test_initialisations_differ_as_they_should(scheme: str) -> None:
    torch.manual_seed(0)
    weight = build_backbone(MICRO, init=scheme).stage4[0].branches[3][0].conv1.weight
    fan_out, fan_in = weight.shape[0] * 9, weight.shape[1] * 9
    expected = {"kaiming": (2 / fan_out) ** 0.5, "normal_0.001": 0.001, "default": (1 / (3 * fan_in)) ** 0.5}[scheme]
    assert float(weight.detach().std()) == pytest.approx(expected, rel=0.05)
