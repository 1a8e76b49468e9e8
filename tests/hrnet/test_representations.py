"""V1 to C over several bodies: shapes, strides, and what each is made of."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hrnet import REPRESENTATIONS, build_representation

BODIES = {
    "hrnet": ((8, 16, 32, 64), (4, 8, 16, 32)),
    "resnet": ((24, 48, 96, 192), (4, 8, 16, 32)),
    "one map": ((16,), (4,)),
}


def maps_of(body: str, size_hw: tuple[int, int] = (64, 96)) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    channels, strides = BODIES[body]
    return [torch.rand(2, c, size_hw[0] // s, size_hw[1] // s, generator=generator) for c, s in zip(channels, strides)]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_representation_over_every_body(name: str, body: str) -> None:
    channels, strides = BODIES[body]
    made = build_representation(name, channels, strides).eval()
    with torch.no_grad():
        outputs = made(maps_of(body, (128, 192)))
    outputs = outputs if isinstance(outputs, list) else [outputs]
    assert len(outputs) == len(made.out_channels) == len(made.strides)
    for x, width, stride in zip(outputs, made.out_channels, made.strides):
        assert tuple(x.shape) == (2, width, 128 // stride, 192 // stride)


def test_v2_concatenates_fifteen_times_the_width() -> None:
    maps = maps_of("hrnet")
    made = build_representation("V2", *BODIES["hrnet"], align_corners=False).eval()
    assert made.out_channels == (15 * 8,)
    joined = torch.cat([functional.interpolate(x, size=(16, 24), mode="bilinear") for x in maps], 1)
    with torch.no_grad():
        torch.testing.assert_close(made(maps), made.mix(joined))
    assert [n for n, _ in made.mix.named_children()] == ["conv", "bn", "relu"] and made.mix.conv.bias is not None


def test_align_corners_reaches_the_upsampling() -> None:
    maps = maps_of("hrnet")
    made = build_representation("V2cat", *BODIES["hrnet"])
    plain = made(maps)
    made.align_corners = True
    assert not torch.allclose(plain, made(maps))
    assert torch.equal(plain[:, :8], made(maps)[:, :8])


def test_the_pyramid_pools_one_map_by_averages() -> None:
    maps = maps_of("hrnet")
    made = build_representation("V2p", *BODIES["hrnet"], width=12).eval()
    with torch.no_grad():
        joined = torch.cat([functional.interpolate(x, size=(16, 24), mode="bilinear") for x in maps], 1)
        base = made.reduce(joined)
        for level, x in enumerate(made(maps)):
            pooled = base if level == 0 else functional.avg_pool2d(base, 2**level)
            torch.testing.assert_close(x, made.smooth[level](pooled))
    assert made.strides == (4, 8, 16, 32, 64)


def test_the_pyramid_of_a_narrow_map_keeps_a_column() -> None:
    made = build_representation("V2p", *BODIES["hrnet"]).eval()
    with torch.no_grad():
        levels = made(maps_of("hrnet", (512, 32)))
    assert [tuple(level.shape[-2:]) for level in levels] == [(128, 8), (64, 4), (32, 2), (16, 1), (8, 1)]


def test_the_feature_pyramid_sums_downwards_and_subsamples_the_fifth_level() -> None:
    maps = maps_of("resnet")
    made = build_representation("FPN", *BODIES["resnet"], width=12).eval()
    with torch.no_grad():
        levels = made(maps)
        lateral = [conv(x) for conv, x in zip(made.laterals, maps)]
        third = lateral[2] + functional.interpolate(lateral[3], scale_factor=2.0)
        torch.testing.assert_close(levels[2], made.smooth[2](third))
        assert torch.equal(levels[4], levels[3][:, :, ::2, ::2])


def test_v1_reads_the_level_it_is_told() -> None:
    maps = maps_of("hrnet")
    for level in range(4):
        made = build_representation("V1", *BODIES["hrnet"], level=level)
        assert torch.equal(made(maps), maps[level]) and made.strides == (4 * 2**level,)
    with pytest.raises(ValueError, match="between 0 and 3"):
        build_representation("V1", *BODIES["hrnet"], level=4)


def test_an_unknown_representation_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="V2p"):
        build_representation("v2p", *BODIES["hrnet"])


def test_v1h_is_as_wide_as_v2() -> None:
    assert build_representation("V1h", *BODIES["hrnet"]).out_channels == (120,)
    assert isinstance(build_representation("V1h", *BODIES["hrnet"]), nn.Module)


def test_extra_levels_by_convolution_as_fcos_makes_them() -> None:
    """The first from the last level, the second from its ReLU; the body's finest map is left out."""
    maps = maps_of("resnet")
    made = build_representation("FPN", *BODIES["resnet"], width=12, step=2, extra="conv").eval()
    assert made.strides == (8, 16, 32, 64, 128) and [conv.stride[0] for conv in made.smooth] == [1, 1, 1, 2, 2]
    with torch.no_grad():
        levels = made(maps)
        torch.testing.assert_close(levels[3], made.smooth[3](levels[2]))
        torch.testing.assert_close(levels[4], made.smooth[4](levels[3].relu()))
