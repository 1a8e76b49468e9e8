"""Cascades, hybrid task cascade and FCOS over any body: names, batches, conventions, files of ours, training."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hrnet
from benchmarks.engine.optimisation import optimizer_of, schedulers_of, wrapper_of
from hrnet.checkpoints import conventions_of
from tasks import build_model, get_task
from tasks.detection.boxes.anchors import cell_anchors
from tasks.detection.boxes.conventions import preset
from tasks.detection.boxes.point_conventions import point_preset
from tasks.detection.boxes.points import size_ranges
from tasks.detection.datasets import DetectionAugment, DetectionTrainData
from tasks.detection.files.annotations import read_instances
from tasks.detection.files.semantic_maps import map_path, semantic_map
from tasks.detection.geometry import network_input, normalised, pil_size
from tasks.detection.network.base import DetectionModel
from tasks.detection.network.cascade import CascadeDetector
from tasks.detection.network.fcos import FCOS
from tasks.detection.network.names import DETECTORS, detector_of, named, split_name
from tasks.detection.network.postprocess import Keep, suppress
from tasks.detection.network.semantic import semantic_loss
from tasks.detection.points.targets import point_targets
from tasks.detection.protocol import DetectionProtocol
from tasks.detection.recipes import embedded, fcos_multi_scale, published

OTHERS = [name for name in DETECTORS if name not in ("faster_rcnn", "mask_rcnn")]
PROTOCOL = DetectionProtocol(short_px=96, long_px=128)


def make(detector: str, model: str = "hrnet_micro_w8", **changes: Any) -> DetectionModel:
    """A micro detector with lively outputs in evaluation mode."""
    torch.manual_seed(0)
    made = build_model("detection", model, "coco", detector=detector, **changes).eval()
    assert isinstance(made, DetectionModel)
    with torch.no_grad():
        if isinstance(made, FCOS):
            made.point_head.cls.weight.mul_(60)
            made.point_head.reg.bias.fill_(2.5)  # type: ignore[union-attr]
            return made
        made.rpn.cls.weight.mul_(20)  # type: ignore[union-attr, operator]
        for head in made.box_heads:  # type: ignore[union-attr]
            head.cls.weight.mul_(60)  # type: ignore[union-attr, operator]
            head.reg.weight.mul_(20)  # type: ignore[union-attr, operator]
    return made


@pytest.mark.parametrize("detector", OTHERS)
def test_batched_is_single(detector: str) -> None:
    network, images = make(detector), torch.randn(2, 3, 96, 128)
    network.keep = Keep(score_threshold=0.02, max_detections=20)
    with torch.inference_mode():
        together, alone = network(images), [network(x[None])[0] for x in images]
    for made, expected in zip(together, alone, strict=True):
        assert len(expected["boxes"]) > 0
        assert torch.equal(made["labels"], expected["labels"])
        assert torch.allclose(made["boxes"], expected["boxes"], atol=1e-2)
        assert ("masks" in made) == DETECTORS[detector].masks


@pytest.mark.parametrize(
    ("detector", "model", "representation"),
    [
        ("cascade_rcnn", "resnet_micro", "FPN"),
        ("fcos", "resnet_micro", "FPN"),
        ("fcos", "simple_baseline_micro", "V2p"),
        ("fcos", "hrnet_micro_w8", "V1hp"),
        ("htc", "timm:resnet18", "FPN"),
    ],
)
def test_any_body_and_pyramid(detector: str, model: str, representation: str) -> None:
    network = build_model("detection", model, "coco", representation, detector=detector).eval()
    assert network.strides == tuple((8 if detector == "fcos" else 4) * 2**i for i in range(5))
    with torch.inference_mode():
        network(torch.randn(1, 3, 64, 96))
    assert hrnet.profile(network, (64, 96)).macs > 0


def test_six_levels_begin_at_the_bodys_own_stride() -> None:
    network = make("fcos", levels=6)
    assert network.strides == (4, 8, 16, 32, 64, 128)
    assert [c.stride for c in network.representation.smooth] == [(1, 1)] * 6  # type: ignore[union-attr]
    assert [c.stride for c in make("fcos").representation.smooth] == [(2, 2)] * 5  # type: ignore[union-attr]
    ranges = size_ranges(network.strides, 8.0)
    assert ranges[0] == (-1.0, 32.0) and ranges[1] == (32.0, 64.0) and ranges[-1] == (512.0, 1e8)


@pytest.mark.parametrize("detector", OTHERS)
def test_a_file_of_ours_brings_its_detector_and_conventions(detector: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"detector": detector}
    changes |= {"levels": 6} if detector == "fcos" else {"mask_stages": "last"} if detector == "htc" else {}
    network = make(**changes)
    network.set_conventions(detection="mmdet")
    build = {"task": "detection", "model": "hrnet_micro_w8", "dataset": "coco", "representation": "V2p"}
    build |= {"changes": changes, "conventions": conventions_of(network)}  # type: ignore[dict-item]
    file = tmp_path / "own.pt"
    torch.save({"format": "hrnet-benchmark", "build": build, "state_dict": network.state_dict()}, file)
    found = hrnet.checkpoints.identify_checkpoint(file)
    assert found.head == detector
    options = found.build_options("detection", "hrnet_micro_w8", "coco")
    again = build_model("detection", "hrnet_micro_w8", "coco", **options).eval()
    hrnet.load_checkpoint(again, file)
    assert again.conventions == network.conventions
    images = torch.randn(1, 3, 96, 128)
    with torch.inference_mode():
        assert all(
            torch.equal(a, b) for a, b in zip(again(images)[0].values(), network(images)[0].values(), strict=True)
        )


def test_mask_rule_of_the_file_and_of_the_caller(tmp_path: Path) -> None:
    """mmdet 3.x reads the last head's masks, 2.x all three's; what the caller states counts."""
    state = build_model("detection", "hrnet_micro_w8", "coco", detector="htc", conventions="mmdet").state_dict()
    renamed = {}
    for key, value in state.items():
        for ours, theirs in FOREIGN:
            key = re.sub(ours, theirs, key)
        renamed[key] = value
    for version, stated, expected in (
        ("2.28.2", {}, "mean"),
        ("3.3.0", {}, "last"),
        ("3.3.0", {"mask_stages": "mean"}, "mean"),
    ):
        torch.save({"meta": {"mmdet_version": version}, "state_dict": renamed}, tmp_path / "htc.pth")
        network = build_model("detection", "hrnet_micro_w8", "coco", detector="htc", **stated)
        assert hrnet.load_checkpoint(network, tmp_path / "htc.pth").family == "mmdet"
        assert network.conventions.mask_stages == expected  # type: ignore[union-attr]


FOREIGN = (
    (r"^body\.", "backbone."),
    (r"^representation\.reduce\.", "neck.reduction_conv.conv."),
    (r"^representation\.smooth\.(\d)\.", r"neck.fpn_convs.\1.conv."),
    (r"^rpn\.(conv|cls|reg)\.", r"rpn_head.rpn_\1."),
    (r"^box_heads\.(\d)\.(cls|reg)\.", r"roi_head.bbox_head.\1.fc_\2."),
    (r"^box_heads\.(\d)\.fc6\.", r"roi_head.bbox_head.\1.shared_fcs.0."),
    (r"^box_heads\.(\d)\.fc7\.", r"roi_head.bbox_head.\1.shared_fcs.1."),
    (r"^mask_heads\.(\d)\.convs\.(\d)\.", r"roi_head.mask_head.\1.convs.\2.conv."),
    (r"^mask_heads\.(\d)\.upsample\.", r"roi_head.mask_head.\1.upsample."),
    (r"^mask_heads\.(\d)\.predict\.", r"roi_head.mask_head.\1.conv_logits."),
    (r"^mask_heads\.(\d)\.res\.", r"roi_head.mask_head.\1.conv_res.conv."),
    (r"^semantic\.laterals\.(\d)\.", r"roi_head.semantic_head.lateral_convs.\1.conv."),
    (r"^semantic\.convs\.(\d)\.", r"roi_head.semantic_head.convs.\1.conv."),
    (r"^semantic\.embedding\.", "roi_head.semantic_head.conv_embedding.conv."),
    (r"^semantic\.predict\.", "roi_head.semantic_head.conv_logits."),
)
"""Our names of hybrid task cascade -> mmdet's."""


def test_another_detectors_file_is_refused_with_advice(tmp_path: Path) -> None:
    torch.save(dict(make("fcos").state_dict()), tmp_path / "fcos.pt")
    with pytest.raises(hrnet.checkpoints.CheckpointError, match="built with detector=fcos"):
        hrnet.load_checkpoint(make("cascade_rcnn"), tmp_path / "fcos.pt")


def test_names() -> None:
    assert named("hrnet_w32", {}) == named("hrnet_w32", {"masks": True}) == "hrnet_w32"
    assert split_name(named("hrnet_w32", {"detector": "fcos"})) == ("hrnet_w32", "fcos")
    assert detector_of({"detector": "cascade_rcnn", "masks": "true"}) == "cascade_mask_rcnn"
    with pytest.raises(ValueError, match="Did you mean 'cascade_rcnn'"):
        build_model("detection", "hrnet_micro_w8", "coco", detector="cascade_rcn")
    with pytest.raises(ValueError, match="levels to be one of 5, 6"):
        build_model("detection", "hrnet_micro_w8", "coco", detector="fcos", levels=7)
    with pytest.raises(ValueError, match="several maps"):
        build_model("detection", "simple_baseline_micro", "coco", "FPN", detector="fcos")


def test_families_differ_where_their_code_does() -> None:
    mmdet, official = preset("mmdet", "cascade_rcnn"), preset("hrnet_detection", "cascade_rcnn")
    assert (mmdet.rpn_border_px, mmdet.box_beta, mmdet.proposals) == (0.0, 1.0, (2000, 1000))
    assert (official.roi_low_quality, official.class_agnostic, official.proposals) == (True, True, (2000, 2000))
    assert mmdet.nms_in_source and not preset("mmdet", "htc").nms_in_source
    assert preset("mmdet") == preset("mmdet", "mask_rcnn") and preset("mmdet").box_beta == 0.0
    with pytest.raises(ValueError, match="hrnet_fcos"):
        point_preset("hrnet_fcs")


def test_anchors_of_maskrcnn_benchmark() -> None:
    """Detectron's first anchors of stride 16, as its documentation prints them, at its scale of 8."""
    found = cell_anchors(16, preset("mrb")) - torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert found.tolist() == [[-84.0, -40.0, 99.0, 55.0], [-56.0, -56.0, 71.0, 71.0], [-36.0, -80.0, 51.0, 95.0]]


def test_protocols_of_families() -> None:
    task = get_task("detection")
    ours = task.protocol("coco", model="hrnet_w32+fcos")
    assert (ours.colour, ours.nms_iou, ours.resize) == ("bgr_caffe", 0.6, "pil")
    theirs = task.protocol("coco", model="hrnet_w32+fcos", family="mmdet_fcos")
    assert (theirs.colour, theirs.nms_iou, theirs.rescale) == ("bgr", 0.5, "sides")
    assert task.protocol("coco", model="hrnet_w32+htc").score_threshold == 0.001
    assert task.protocol("coco", model="hrnet_w32+cascade_rcnn") == task.protocol("coco", model="hrnet_w32")
    assert task.protocol("coco", family="mrb").resize == "pil"
    assert task.implied_protocol("hrnet_w32", {"detector": "fcos", "conventions": "mmdet"}, "coco")["colour"] == "bgr"


def test_colours() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    rgb = normalised(picture, DetectionProtocol())
    bgr = normalised(np.ascontiguousarray(picture[..., ::-1]), DetectionProtocol(colour="bgr"))
    assert np.array_equal(rgb[::-1], bgr)
    caffe = normalised(picture, DetectionProtocol(colour="bgr_caffe"))
    assert caffe[:, 0, 0] == pytest.approx(picture[0, 0] - np.array([102.9801, 115.9465, 122.7717]), abs=1e-4)


def test_sizes_of_maskrcnn_benchmark() -> None:
    assert pil_size((480, 640), 800, 1333) == (800, 1066)
    assert pil_size((640, 427), 800, 1333) == (1199, 800)
    assert pil_size((400, 800), 800, 1333) == (666, 1332)
    made, scale = network_input(np.zeros((480, 640, 3), np.uint8), DetectionProtocol(resize="pil", rescale="sides"))
    assert made.shape == (3, 800, 1066) and scale == (1066 / 640, 800 / 480)


def test_ties_at_the_last_place() -> None:
    boxes = torch.tensor([[20.0 * i, 0.0, 20.0 * i + 10, 10.0] for i in range(4)])
    scores, labels = torch.tensor([0.9, 0.5, 0.5, 0.3]), torch.ones(4, dtype=torch.long)
    assert len(suppress(boxes, scores, labels, Keep(max_detections=2), "best")) == 2
    assert sorted(suppress(boxes, scores, labels, Keep(max_detections=2), "tied").tolist()) == [0, 1, 2]


def test_points_take_the_smallest_object_and_the_first_of_equals() -> None:
    points, strides = [torch.tensor([[10.0, 10.0], [70.0, 10.0]])], [8]
    boxes = torch.tensor([[0.0, 0.0, 80.0, 40.0], [0.0, 0.0, 20.0, 20.0], [0.0, 0.0, 20.0, 20.0]])
    labels = torch.tensor([5, 6, 7])
    for name in ("mmdet", "hrnet_fcos"):
        made = point_targets(points, strides, [(-1.0, 1e8)], boxes, labels, point_preset(name))
        assert made.labels.tolist() == [6, 5] and made.positive.tolist() == [0, 1]
        none = point_targets(points, strides, [(-1.0, 1e8)], boxes[:0], labels[:0], point_preset(name))
        assert none.labels.tolist() == [0, 0]


def test_semantic_loss_counts_labelled_pixels() -> None:
    logits = torch.zeros(1, 183, 2, 2)
    labels = torch.full((16, 16), 255, dtype=torch.uint8)
    labels[:8, :8] = 3
    expected = 0.2 * np.log(183)
    assert semantic_loss(logits, [labels], 8).item() == pytest.approx(expected, rel=1e-5)
    assert semantic_loss(logits, [labels], 8, "all").item() == pytest.approx(expected / 4, rel=1e-5)
    assert semantic_loss(logits, [labels[:8, :8]], 8).item() == pytest.approx(expected, rel=1e-5)


def test_semantic_maps(shapes_root: Path, tmp_path: Path) -> None:
    instances = read_instances(shapes_root, "train2017")
    painted = semantic_map(instances, 0, "things")
    _, labels = instances.boxes(0)
    assert painted.shape == instances.size_hw(0) and len(np.unique(painted)) <= len(labels) + 1
    assert (painted == 182).any() and (painted != 182).any()
    with pytest.raises(ValueError, match="things"):
        semantic_map(instances, 0, "stuffthingmaps")
    assert map_path(instances, 0).parts[-3:] == ("stuffthingmaps", "train2017", "000001.png")


def test_recipes_are_the_papers() -> None:
    cascade, one_stage, htc = (
        published("hrnet_w32+cascade_rcnn"),
        published("hrnet_w32+fcos"),
        published("hrnet_w32+htc"),
    )
    assert (cascade.epochs, cascade.milestones, cascade.clip_grad_norm) == (20, (16, 19), 35.0)
    assert (one_stage.lr, one_stage.epochs, one_stage.milestones) == (0.01, 24, (16, 22))
    assert one_stage.extra == {"bias_lr_factor": 2.0, "bias_weight_decay": 0.0, "warmup": "constant"}
    assert htc.augment.masks and htc.extra == {"semantic": "stuffthingmaps"}
    assert published("hrnet_w18+cascade_mask_rcnn").augment.masks and not cascade.augment.masks
    assert fcos_multi_scale(one_stage).augment.short_px == tuple(range(640, 801))
    assert embedded("hrnet_micro_w8+cascade_rcnn") == embedded()
    assert embedded("hrnet_micro_w8+fcos") == replace(embedded(), batch_size=4, lr=4e-3)
    assert published("hrnet_w32").name == "coco-1x"


def test_biases_learn_faster_and_warm_up_is_constant() -> None:
    recipe = replace(published("hrnet_w32+fcos"), warmup_iterations=4, epochs=2, milestones=(1,))
    network = make("fcos")
    optimizer = optimizer_of(network, recipe)
    rest, biases = optimizer.param_groups
    assert (rest["lr"], biases["lr"], rest["weight_decay"], biases["weight_decay"]) == (0.01, 0.02, 1e-4, 0.0)
    norms = {
        p for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d | torch.nn.GroupNorm) for p in m.parameters()
    }
    assert not norms & set(biases["params"]) and network.point_head.reg.bias in set(biases["params"])  # type: ignore[union-attr, operator]
    wrapper = wrapper_of(optimizer, recipe)
    schedulers = schedulers_of(wrapper, recipe, per_epoch=6)
    rates = []
    for step in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        wrapper.step()
        for scheduler in schedulers:
            if not scheduler.by_epoch or step % 6 == 5:
                scheduler.step()
    assert rates[:3] == pytest.approx([0.01 / 3] * 3) and rates[4] == pytest.approx(0.01)
    assert rates[6] == pytest.approx(0.001)


def small_data(root: Path, semantic: str | None = None, **augment: object) -> DetectionTrainData:
    made = DetectionAugment(long_px=(128,), short_px=(96,), **augment)  # type: ignore[arg-type]
    return DetectionTrainData(root, "train2017", made, 0, PROTOCOL, semantic)


NAMES = {
    "cascade_rcnn": {f"loss_{k}_s{s}" for k in ("cls", "box") for s in range(3)} | {"loss_rpn_cls", "loss_rpn_box"},
    "fcos": {"loss_cls", "loss_box", "loss_centerness"},
}
NAMES["cascade_mask_rcnn"] = NAMES["cascade_rcnn"] | {f"loss_mask_s{s}" for s in range(3)}
NAMES["htc"] = NAMES["cascade_mask_rcnn"] | {"loss_semantic"}


@pytest.mark.parametrize("detector", OTHERS)
def test_losses_fall(detector: str, shapes_root: Path) -> None:
    task, recipe = get_task("detection"), embedded(f"resnet_micro+{detector}")
    data = small_data(shapes_root, recipe.extra.get("semantic"), masks=DETECTORS[detector].masks)
    torch.manual_seed(0)
    model = build_model("detection", "resnet_micro", "coco", detector=detector).train()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    batch, totals = data.collate([data[0, i] for i in range(3)]), []
    for _ in range(6):
        losses = task.loss(model, batch, recipe)
        assert {k for k in losses if k.startswith("loss")} == NAMES[detector]
        total = sum(v for k, v in losses.items() if k.startswith("loss"))
        assert isinstance(total, torch.Tensor)
        optimizer.zero_grad()
        total.backward()
        assert all(p.grad is not None for n, p in model.named_parameters() if not n.startswith("body."))
        optimizer.step()
        totals.append(total.item())
    assert min(totals[-2:]) < 0.9 * totals[0]


def test_crop_and_flip_move_all_maps_together(shapes_root: Path) -> None:
    data = small_data(shapes_root, "things", masks=True, crop_wh=(64, 48), flip=1.0)
    for index in range(4):
        item = data[0, index]
        assert item["semantic"].shape == item["images"].shape[1:] == item["masks"].shape[1:]
        inside = item["masks"].any(0)
        assert (item["semantic"][inside] != 182).mean() > 0.95 and (item["semantic"][~inside] == 182).mean() > 0.95


def test_htc_asks_for_maps(shapes_root: Path) -> None:
    data = small_data(shapes_root, masks=True)
    model = make("htc", "resnet_micro").train()
    with pytest.raises(ValueError, match=r"extra\.semantic"):
        get_task("detection").loss(model, data.collate([data[0, 0]]), embedded())
    without = make("htc", "resnet_micro", semantic="false")
    assert isinstance(without, CascadeDetector) and not without.needs_semantic
