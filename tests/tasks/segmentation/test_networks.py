"""Networks of the task: published sizes, conventions, names, and options that are refused."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
import torch
from torch import nn

import hrnet
from tasks import build_model
from tasks.segmentation.networks.model import SegmentationModel
from tasks.segmentation.networks.ocr import OCRHead, gather_regions

GOLDEN = Path(os.environ.get("HRNET_GOLDEN", Path(__file__).parents[2] / "data" / "golden"))
PUBLISHED = {
    "seg_hrnetv2_w48_cityscapes19_pytorch-v1.1": ("hrnet_w48", "cityscapes", {}),
    "seg_hrnetv2_w18_small_v1_cityscapes19_pytorch-v1.1": ("hrnet_w18_small_v1", "cityscapes", {}),
    "seg_hrnetv2_w18_small_v2_cityscapes19_pytorch-v1.1": ("hrnet_w18_small_v2", "cityscapes", {}),
    "seg_hrnetv2_w48_pascal_ctx59_pytorch-v1.1": ("hrnet_w48", "pascal_context", {}),
    "seg_hrnetv2_w48_pascal_ctx60_pytorch-v1.1": ("hrnet_w48", "pascal_context", {"num_classes": 60}),
    "seg_hrnetv2_w48_lip20_pytorch-v1.1": ("hrnet_w48", "lip", {}),
    "seg_hrnetv2_w48_ocr_cityscapes19": ("hrnet_w48_ocr", "cityscapes", {}),
}


def summary_rows() -> list[dict[str, str]]:
    path = GOLDEN / "manifests" / "summary.tsv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["name"] in PUBLISHED]


@pytest.mark.skipif(not summary_rows(), reason=f"no manifests/summary.tsv in {GOLDEN}")
@pytest.mark.parametrize("row", summary_rows(), ids=lambda r: f"{r['name']}-{r['input_NCHW']}")
def test_published_parameters_and_multiply_adds(row: dict[str, str]) -> None:
    model, dataset, changes = PUBLISHED[row["name"]]
    with torch.device("meta"):
        network = build_model("segmentation", model, dataset, **changes)
    height, width = (int(n) for n in row["input_NCHW"].split("x")[2:])
    cost = hrnet.profile(network, (height, width))
    assert cost.params == int(row["params"]) and cost.macs == int(row["macs_true"])


@pytest.mark.parametrize(
    ("model", "representation", "stride"),
    [
        ("hrnet_micro_w8", "V1", 4),
        ("hrnet_micro_w8", "V1h", 4),
        ("hrnet_micro_w8", "V2", 4),
        ("hrnet_micro_w8_ocr", None, 4),
        ("simple_baseline_micro", None, 4),
        ("hourglass_micro", None, 4),
        ("resnet_micro", None, 4),
    ],
)
def test_logits_of_every_class_at_stride_4(model: str, representation: str | None, stride: int) -> None:
    network = build_model("segmentation", model, "lip", representation).eval()
    with torch.no_grad():
        assert network(torch.randn(2, 3, 64, 96)).shape == (2, 20, 64 // stride, 96 // stride)


@pytest.mark.parametrize("model", ["deeplabv3_r50", "fcn_r50"])
def test_dilated_rivals_keep_stride_8_and_an_auxiliary_prediction(model: str) -> None:
    network = build_model("segmentation", model, "cityscapes")
    images = torch.randn(2, 3, 33, 40)
    assert isinstance(network, SegmentationModel)
    with torch.no_grad():
        assert network.eval()(images).shape == (2, 19, 5, 5)
        assert [tuple(o.shape) for o in network.train()(images)] == [(2, 19, 5, 5)] * 2


def test_deeplab_equals_torchvisions_own_module() -> None:
    from torchvision.models.segmentation import deeplabv3_resnet50

    torch.manual_seed(0)
    original = deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=19, aux_loss=True).eval()
    network = build_model("segmentation", "deeplabv3_r50", "cityscapes").eval()
    renamed = {}
    for key, value in original.state_dict().items():
        for theirs, ours in (
            ("backbone.", "body.resnet."),
            ("aux_classifier.", "head.aux."),
            ("classifier.", "head.main."),
        ):
            if key.startswith(theirs):
                renamed[ours + key.removeprefix(theirs)] = value
                break
    network.load_state_dict(renamed)
    images = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        enlarged = nn.functional.interpolate(network(images), size=(48, 64), mode="bilinear", align_corners=False)
        assert torch.allclose(enlarged, original(images)["out"], atol=1e-5)


def test_conventions_are_the_segmentation_repositorys() -> None:
    plain = build_model("segmentation", "hrnet_w18_small_v1", "cityscapes")
    assert (plain.body.spec.upsample, plain.body.spec.align_corners) == ("bilinear", False)
    assert {m.momentum for m in plain.modules() if isinstance(m, nn.BatchNorm2d)} == {0.01}
    weights = [m.weight for m in plain.modules() if isinstance(m, nn.Conv2d)]
    assert max(float(w.detach().std()) for w in weights if w.numel() > 1000) < 0.0012
    ocr = build_model("segmentation", "hrnet_w18_small_v1_ocr", "cityscapes")
    assert ocr.body.spec.align_corners and ocr.align_corners and ocr.representation.align_corners
    assert {m.momentum for m in ocr.modules() if isinstance(m, nn.BatchNorm2d)} == {0.1}


def test_what_the_caller_states_stays_and_what_the_task_implies_does_not() -> None:
    network = build_model("segmentation", "hrnet_micro_w8", "cityscapes", upsample="nearest")
    assert network.body.spec.upsample == "nearest" and network.body.stated == {"upsample"}


def test_ocr_trains_both_predictions_and_evaluates_one() -> None:
    network = build_model("segmentation", "hrnet_micro_w8", "cityscapes", head="ocr")
    assert network.representation_name == "V2cat" and isinstance(network.head, OCRHead)
    images = torch.randn(2, 3, 32, 64)
    both = network.train()(images)
    sum(o.mean() for o in both).backward()
    assert len(both) == 2 and all(p.grad is not None for p in network.parameters())
    with torch.no_grad():
        one, outputs = network.eval()(images), network.outputs(images)
    assert torch.equal(one, outputs[-1]) and one.shape == (2, 19, 8, 16)


def test_regions_are_means_weighted_over_space() -> None:
    features = torch.randn(1, 5, 4, 6)
    logits = torch.full((1, 2, 4, 6), -1e4)
    logits[0, 0, 1, 2] = 0.0  # the first class sits on one pixel
    logits[0, 1] = 0.0  # the second everywhere
    regions = gather_regions(features, logits)
    assert torch.allclose(regions[0, :, 0, 0], features[0, :, 1, 2])
    assert torch.allclose(regions[0, :, 1, 0], features[0].mean(dim=(1, 2)), atol=1e-6)


def test_refused_options() -> None:
    with pytest.raises(ValueError, match="Unknown head 'orc'"):
        build_model("segmentation", "hrnet_w18", "cityscapes", head="orc")
    with pytest.raises(ValueError, match="Unknown model 'hrnet_w49'"):
        build_model("segmentation", "hrnet_w49", "cityscapes")
    with pytest.raises(ValueError, match="brings its own head"):
        build_model("segmentation", "fcn_r50", "cityscapes", "V2")
    with pytest.raises(ValueError, match="Did you mean 'upsample'"):
        build_model("segmentation", "hrnet_micro_w8", "cityscapes", upsampel="nearest")
    with pytest.raises(
        ValueError, match="at least 59 outputs, the classes of pascal_context, and of at most 254, got 58"
    ):
        build_model("segmentation", "hrnet_micro_w8", "pascal_context", num_outputs=58)
