"""Every registered body: shapes, strides, independence of the batch; micro sizes cost what micro HRNet costs."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import baselines
from benchmarks.baselines import body_names, build_body, read_body_file, traits_of
from hrnet import build_representation, profile
from tasks import build_model, get_task

MICRO = ("resnet_micro", "simple_baseline_micro", "hourglass_micro")


def seeded_eval(name: str, **options: object) -> nn.Module:
    torch.manual_seed(0)
    return build_body(name, **options).eval()


@pytest.mark.parametrize("name", body_names())
def test_maps_have_the_stated_channels_and_strides(name: str) -> None:
    with torch.device("meta"):
        body = build_body(name)
    maps = body(torch.empty(2, 3, 128, 96, device="meta"))
    assert len(maps) == len(body.out_channels) == len(body.strides)
    assert body.strides[0] in (4, 8)
    for x, channels, stride in zip(maps, body.out_channels, body.strides):
        assert tuple(x.shape) == (2, channels, 128 // stride, 96 // stride)


@pytest.mark.parametrize("name", [n for n in body_names() if traits_of(n).micro])
def test_a_batch_equals_its_images_one_by_one(name: str) -> None:
    body, images = seeded_eval(name).double(), torch.rand(3, 3, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        together = body(images)
        for k in range(3):
            for whole, single in zip(together, body(images[k : k + 1])):
                torch.testing.assert_close(whole[k], single[0])


class Pose(nn.Module):
    """A body with its pose head; an hourglass predicts by itself."""

    def __init__(self, name: str) -> None:
        super().__init__()
        structure = traits_of(name).structure
        hourglass = structure == "stacked"
        options = {"num_outputs": 17} if hourglass else {"fuse_last": "one"} if structure == "parallel" else {}
        self.body = build_body(name, **options)
        self.representation = (
            None if hourglass else build_representation("V1", self.body.out_channels, self.body.strides)
        )
        self.head = None if hourglass else nn.Conv2d(self.body.out_channels[0], 17, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.representation is None:
            return self.body.stacks(images)[-1]
        return self.head(self.representation(self.body(images)))


@pytest.mark.parametrize("name", MICRO)
def test_micro_bodies_cost_what_micro_hrnet_costs(name: str) -> None:
    reference = profile(Pose("hrnet_micro_w8"), (128, 96)).macs
    assert abs(profile(Pose(name), (128, 96)).macs / reference - 1) < 0.2


@pytest.mark.parametrize(
    "task, dataset, size", [("segmentation", "cityscapes", (128, 256)), ("landmarks", "300w", (64, 64))]
)
@pytest.mark.parametrize("name", ("resnet_micro_w10", "simple_baseline_micro_w22", "hourglass_micro_w16"))
def test_wider_micro_bodies_cost_what_micro_hrnet_costs_with_all_maps(task, dataset, size, name) -> None:
    if task == "segmentation" and name.startswith("hourglass"):
        pytest.skip("the hourglass stands in no table of segmentation")
    reference = profile(build_model(task, "hrnet_micro_w8", dataset), size).macs
    assert abs(profile(build_model(task, name, dataset), size).macs / reference - 1) < 0.2


def test_hourglass_stacks_feed_the_next_one_and_end_in_the_features() -> None:
    torch.manual_seed(1)
    body = build_body("hourglass_micro", num_outputs=5).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        first, last = body.stacks(images)
        assert first.shape == last.shape == (2, 5, 16, 16)
        torch.testing.assert_close(body.score[1](body(images)[0]), last)
        body.score[0].weight.add_(0.1)  # the first stack's heat maps feed the second
        assert not torch.allclose(body.stacks(images)[1], last)


def test_a_plain_hourglass_has_no_score_layers_and_says_so() -> None:
    body = build_body("hourglass_micro")
    assert not any(key.startswith("score") for key in body.state_dict())
    with pytest.raises(ValueError, match="num_outputs"):
        body.stacks(torch.rand(1, 3, 64, 64))


def test_hourglass_takes_sizes_that_its_pooling_does_not_divide() -> None:
    assert seeded_eval("hourglass_micro")(torch.rand(1, 3, 100, 76))[0].shape == (1, 24, 25, 19)


def test_resnet_has_torchvisions_names_and_output() -> None:
    models = pytest.importorskip("torchvision.models")
    theirs = models.resnet18(weights=None).eval()
    body = seeded_eval("resnet18")
    state = {k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    body.load_state_dict(state)
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(images))))
        for number, ours in enumerate(body(images), start=1):
            x = getattr(theirs, f"layer{number}")(x)
            torch.testing.assert_close(ours, x)


def test_resnet_bottlenecks_have_torchvisions_names_and_stride() -> None:
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        theirs, ours = models.resnet50(weights=None), build_body("resnet50")
    shapes = {k: v.shape for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    assert {k: v.shape for k, v in ours.state_dict().items()} == shapes
    assert ours.layer2[0].conv2.stride == theirs.layer2[0].conv2.stride == (2, 2)


@pytest.mark.parametrize("name", ["resnet18", "hrnet_w18_small", "swin_tiny_patch4_window7_224"])
def test_timm_bodies_start_at_stride_four(name: str) -> None:
    pytest.importorskip("timm")
    body = seeded_eval(f"timm:{name}")
    with torch.no_grad():
        maps = body(torch.rand(1, 3, 224, 224))
    assert body.strides == (4, 8, 16, 32)
    for x, channels, stride in zip(maps, body.out_channels, body.strides):
        assert tuple(x.shape) == (1, channels, 224 // stride, 224 // stride)


def test_an_unknown_body_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="simple_baseline_r50"):
        build_body("simple_baseline_50")
    pytest.importorskip("timm")
    with pytest.raises(ValueError, match="timm:resnet50"):
        build_body("timm:resnet5O")


@pytest.mark.parametrize(
    ("task", "model", "option", "expected"),
    [
        ("pose", "resnet_micro", "bn_momentun", "Did you mean 'bn_momentum'?"),
        ("segmentation", "simple_baseline_micro", "upsample", "Unknown option 'upsample' of model"),
        ("classification", "resnet50", "initialise", "Did you mean 'init'?"),
        ("segmentation", "fcn_r50", "initialise", "It has none."),
    ],
)
def test_an_unknown_option_of_a_serial_body_is_named(task: str, model: str, option: str, expected: str) -> None:
    dataset = next(iter(get_task(task).datasets))
    with pytest.raises(ValueError, match=re.escape(expected)), torch.device("meta"):
        build_model(task, model, dataset, **{option: 1})


def test_timm_bodies_of_one_input_size_say_how_to_build_them() -> None:
    pytest.importorskip("timm")
    name = "timm:swin_tiny_patch4_window7_224"
    with pytest.raises(ValueError, match=r"256x192.*--set model\.img_size=256x192"), torch.inference_mode():
        build_body(name)(torch.zeros(1, 3, 256, 192))
    with pytest.raises(ValueError, match="HEIGHTxWIDTH"):
        build_body(name, img_size="wide")
    with torch.inference_mode():
        maps = build_body(name, img_size="64x64").eval()(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape[-2:]) for m in maps] == [(16, 16), (8, 8), (4, 4), (2, 2)]


def test_traits_are_data_of_the_file() -> None:
    assert traits_of("hrnet_w32").structure == traits_of("hrnet_micro_w8").structure == "parallel"
    assert traits_of("hourglass_s2").structure == "stacked" and traits_of("hourglass_s2").one_map
    assert traits_of("simple_baseline_r50").structure == "encoder_decoder"
    assert traits_of("fcn_r50").structure == "dilated"
    assert traits_of("timm:resnet18").structure == traits_of("resnet50").structure == "encoder"
    assert {name for name in body_names() if traits_of(name).micro} == {n for n in body_names() if "micro" in n}
    with pytest.raises(ValueError, match="Did you mean 'hourglass_s1'"):
        traits_of("hourglass_1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Body files beside the package's own."""
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(tmp_path)])
    baselines._body_files.cache_clear()
    yield tmp_path
    baselines._body_files.cache_clear()
    importlib.invalidate_caches()


BODY = """
from torch import nn

NAMES = ("my_body_small", "my_body")
{traits}

class Body(nn.Module):
    out_channels, strides = (3,), (4,)

    def forward(self, images):
        return [images[:, :, ::4, ::4]]


def build({arguments}):
    return Body()
"""


@pytest.mark.parametrize(
    ("arguments", "traits", "known"),
    [
        ("name, **options", "", ()),
        ("name, width=8", "", ("width",)),
        ("name, *, width=8, depth=2, **options", "", ("width", "depth")),
        ("name, **options", 'TRAITS = {"options": ("width",)}', ("width",)),
    ],
)
def test_a_body_of_ones_own_refuses_unknown_options(
    folder: Path, arguments: str, traits: str, known: tuple[str, ...]
) -> None:
    """What CONTRIBUTING says, word by word: otherwise an ablation of such a body has rows that are all the same network."""
    stem = f"mine_{abs(hash((arguments, traits)))}"
    (folder / f"{stem}.py").write_text(BODY.format(arguments=arguments, traits=traits))
    assert traits_of("my_body").options == known and traits_of("my_body").structure == "other"
    build_body("my_body_small", **dict.fromkeys(known, 1))
    for option in ("exchange_final", "exchange_within", "widht"):
        with pytest.raises(ValueError, match=f"Unknown option '{option}' of model 'my_body'"):
            build_body("my_body", **{option: False})
        with pytest.raises(ValueError, match=f"Unknown option '{option}'"):
            build_model("pose", "my_body", "coco", **{option: False})
    assert build_model("pose", "my_body", "coco")(torch.rand(1, 3, 64, 48)).shape == (1, 17, 16, 12)


def test_traits_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "body.py"
    path.write_text('NAMES = ("a",)\nTRAITS = {"structur": "stacked"}\n')
    with pytest.raises(ValueError, match=r"body.py: unknown trait 'structur'. Did you mean 'structure'"):
        read_body_file(path)
    path.write_text("NAMES = tuple(range(3))\n")
    with pytest.raises(ValueError, match="expected NAMES as a literal"):
        read_body_file(path)
    path.write_text("WIDTH = 3\n")
    assert read_body_file(path) is None


@pytest.mark.parametrize(
    ("name", "theirs"), [("resnext101_32x4d", (32, 4)), ("resnext101_64x4d", (64, 4)), ("resnet50", None)]
)
def test_resnets_are_torchvisions(name: str, theirs: tuple[int, int] | None) -> None:
    from torchvision.models.resnet import Bottleneck, ResNet

    groups, width = theirs or (1, 64)
    with torch.device("meta"):
        other = ResNet(Bottleneck, [3, 4, 23 if theirs else 6, 3], groups=groups, width_per_group=width)
        body = build_body(name)
    shapes = {k: v.shape for k, v in other.state_dict().items() if not k.startswith("fc.")}
    assert {k: v.shape for k, v in body.state_dict().items()} == shapes


def test_the_first_resnets_stride_is_on_the_first_convolution() -> None:
    caffe, plain = build_body("resnet50_caffe"), build_body("resnet50")
    assert {k: v.shape for k, v in caffe.state_dict().items()} == {k: v.shape for k, v in plain.state_dict().items()}
    assert caffe.layer2[0].conv1.stride == (2, 2) and caffe.layer2[0].conv2.stride == (1, 1)
    assert plain.layer2[0].conv1.stride == (1, 1) and plain.layer2[0].conv2.stride == (2, 2)


@pytest.mark.parametrize(("options", "stride"), [({"kernel": 2}, 4), ({"kernel": 3}, 4), ({"deconvs": 2}, 8)])
def test_the_papers_ablation_of_transposed_convolutions(options: dict[str, int], stride: int) -> None:
    body = seeded_eval("simple_baseline_micro", **options)
    with torch.no_grad():
        assert body(torch.zeros(1, 3, 64, 96))[0].shape[2:] == (64 // stride, 96 // stride)
    assert body.strides == (stride,)
    with pytest.raises(ValueError, match="of side 5"):
        build_body("simple_baseline_micro", kernel=5)
