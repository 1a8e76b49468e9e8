"""The detector: parity with torchvision, strict load of the published manifests, batched equals single, conventions."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
import torch
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

import hrnet
import tasks
from tasks.detection.boxes.conventions import PRESETS
from tasks.detection.network.model import Detector
from tasks.detection.network.postprocess import Keep

GOLDEN = Path(os.environ.get("HRNET_GOLDEN", Path(__file__).parents[2] / "data" / "golden"))
MANIFESTS = sorted(path.stem for path in (GOLDEN / "manifests").glob("det_*.tsv"))


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines(), delimiter="\t"))


def torchvision_detector(kind: type, size: int) -> torch.nn.Module:
    """A torchvision detector over ResNet-18-FPN with lively random weights, small enough for a test."""
    torch.manual_seed(0)
    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None, norm_layer=torch.nn.BatchNorm2d)
    anchors = AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)
    model = kind(backbone, 91, min_size=size, max_size=2 * size, rpn_anchor_generator=anchors, box_score_thresh=0.0)
    with torch.no_grad():
        model.rpn.head.cls_logits.weight.mul_(10)
        model.roi_heads.box_predictor.cls_score.weight.mul_(20)
        model.roi_heads.box_predictor.bbox_pred.weight.mul_(20)
    return model.eval()


@pytest.mark.parametrize("kind", [FasterRCNN, MaskRCNN])
def test_torchvision_weights_give_torchvisions_detections(
    kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 96
    theirs = torchvision_detector(kind, size)
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    ours = tasks.build_model("detection", "resnet18", "coco", masks=kind is MaskRCNN).eval()
    assert isinstance(ours, Detector)
    report = hrnet.load_checkpoint(ours, tmp_path / "weights.pth")
    assert report.family == "torchvision"
    assert ours.conventions.name == "torchvision"
    ours.keep = Keep(score_threshold=0.0)
    from tasks.detection.network import base as module
    from tasks.detection.network.transform import torchvision_batch

    monkeypatch.setattr(module, "torchvision_batch", lambda x: torchvision_batch(x, size, 2 * size))
    pictures = [torch.rand(3, 60, 90), torch.rand(3, 80, 50)]
    with torch.inference_mode():
        for expected, made in zip(theirs(pictures), ours(pictures)):
            assert len(made["boxes"]) == len(expected["boxes"]) > 0
            assert torch.equal(made["labels"], expected["labels"])
            assert torch.allclose(made["boxes"], expected["boxes"], atol=1e-3)
            assert torch.allclose(made["scores"], expected["scores"], atol=1e-5)
            if "masks" in expected:
                assert torch.equal(made["masks"], expected["masks"][:, 0] >= 0.5)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_published_manifests_load_strictly(manifest: str, tmp_path: Path) -> None:
    rows = table(GOLDEN / "manifests" / f"{manifest}.tsv")
    dtypes = {"float32": torch.float32, "int64": torch.int64}
    state = {}
    for row in rows:
        shape = () if row["shape"] == "scalar" else tuple(int(n) for n in row["shape"].split("x"))
        state[row["key"]] = torch.zeros((), dtype=dtypes[row["dtype"]]).expand(shape)
    file = tmp_path / "weights.pth"
    # Views of one element: the file stays small.
    torch.save({"meta": {}, "state_dict": state}, file)
    width = next(part for part in manifest.split("_") if part.startswith("w"))
    with torch.device("meta"):
        model = tasks.build_model("detection", f"hrnet_{width}", "coco", masks="mask" in manifest, conventions="mmdet")
    report = hrnet.load_checkpoint(model, file)
    assert not (report.missing or report.unexpected or report.mismatched or report.dropped)
    assert model.conventions == PRESETS["hrnet_detection"]  # type: ignore[union-attr]
    assert model.box_head.reg.out_features == 324  # type: ignore[union-attr]


def test_no_manifest_is_overlooked() -> None:
    assert MANIFESTS, f"no detection manifests below {GOLDEN}"


@pytest.mark.parametrize(
    ("name", "classes", "boxes", "masks"),
    [("hrnet_detection", 81, 324, 81), ("mmdet", 81, 320, 80), ("torchvision", 81, 324, 81)],
)
def test_rows_follow_the_conventions(name: str, classes: int, boxes: int, masks: int, mask_detector: Detector) -> None:
    mask_detector.set_conventions(detection=name)
    head, predict = mask_detector.box_head, mask_detector.mask_head.predict  # type: ignore[union-attr]
    assert (head.cls.out_features, head.reg.out_features, predict.out_channels) == (classes, boxes, masks)
    mask_detector.set_conventions(class_agnostic=True)
    assert mask_detector.box_head.reg.out_features == 4


@pytest.mark.parametrize("name", PRESETS)
def test_background_place_changes_rows_and_nothing_else(name: str, detector: Detector) -> None:
    """Permuting the rows with the convention gives the same detections."""
    detector.set_conventions(detection=name, background="first")
    images = torch.randn(1, 3, 96, 128)
    with torch.inference_mode():
        first = detector(images)[0]
        head = detector.box_head
        weights = {k: v.clone() for k, v in head.state_dict().items()}
        detector.set_conventions(background="last")
        head.cls.weight.copy_(weights["cls.weight"].roll(-1, 0))
        head.cls.bias.copy_(weights["cls.bias"].roll(-1, 0))
        head.reg.weight.copy_(weights["reg.weight"][4:])
        head.reg.bias.copy_(weights["reg.bias"][4:])
        last = detector(images)[0]
    assert len(first["boxes"]) > 0
    for key in first:
        assert torch.allclose(first[key], last[key], atol=1e-4)


def test_batched_is_single(mask_detector: Detector) -> None:
    images = torch.randn(3, 3, 96, 128)
    with torch.inference_mode():
        together, alone = mask_detector(images), [mask_detector(x[None])[0] for x in images]
    for made, expected in zip(together, alone):
        assert len(expected["boxes"]) > 0
        assert torch.equal(made["labels"], expected["labels"])
        assert torch.allclose(made["boxes"], expected["boxes"], atol=1e-2)
        assert (made["masks"] != expected["masks"]).float().mean() < 1e-3


@pytest.mark.parametrize(
    ("model", "representation"),
    [
        ("hrnet_micro_w8", "V2p"),
        ("hrnet_micro_w8", "V1p"),
        ("hrnet_micro_w8", "V1hp"),
        ("resnet_micro", "FPN"),
        ("simple_baseline_micro", "V2p"),
        ("hourglass_micro", "V2p"),
        ("timm:resnet18", "FPN"),
    ],
)
def test_every_body_and_pyramid(model: str, representation: str) -> None:
    built = tasks.build_model("detection", model, "coco", representation).eval()
    assert isinstance(built, Detector)
    with torch.inference_mode():
        maps = built.pyramid(torch.randn(1, 3, 64, 96))
        built(torch.randn(1, 3, 64, 96))
    assert [tuple(x.shape[-2:]) for x in maps] == [(16, 24), (8, 12), (4, 6), (2, 3), (1, 1)] or len(maps) == 5
    assert hrnet.profile(built, (64, 96)).macs > 0


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="mask_rcnn"):
        tasks.build_model("detection", "hrnet_micro_w8", "coco", head="mask_rcn")
    with pytest.raises(ValueError, match="fc_widht"):
        tasks.build_model("detection", "hrnet_micro_w8", "coco", fc_widht=3)
    with pytest.raises(ValueError, match="V2p"):
        tasks.build_model("detection", "hrnet_micro_w8", "coco", "V2")
    detector = tasks.build_model("detection", "hrnet_micro_w8", "coco").train()
    with pytest.raises(ValueError, match="eval"):
        detector(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="float tensors"):
        detector.eval()([torch.zeros(1, 3, 64, 64)])


def test_published_counts() -> None:
    """Multiply-adds of body, pyramid and RPN at 800x1344 and parameters, as the key manifests' summary states them."""
    rows = {row["name"]: row for row in table(GOLDEN / "manifests" / "summary.tsv")}
    row = rows["det_faster_rcnn_hrnetv2p_w18_coco80"]
    with torch.device("meta"):
        model = tasks.build_model("detection", "hrnet_w18", "coco")
    found = hrnet.profile(model, (800, 1344))
    assert found.params == int(row["params"])
    assert found.macs == int(row["macs_true"])
