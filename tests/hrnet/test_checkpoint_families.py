"""A network written under each family's names comes back with the same values and the family's conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from foreign_names import foreign
from torch import Tensor, nn

from hrnet import build_backbone, identify_checkpoint, load_backbone, load_checkpoint
from tasks import build_model

MICRO = "hrnet_micro_w8"
NEAREST = {"upsample": "nearest"}
BILINEAR = {"upsample": "bilinear", "align_corners": False}


def scrambled(network: nn.Module, seed: int = 0) -> nn.Module:
    """Every value of its own, running statistics and counters included."""
    generator = torch.Generator().manual_seed(seed)
    for key, value in network.state_dict().items():
        if value.dtype == torch.long:
            value.fill_(7)
        elif key.endswith("running_var"):
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
        else:
            value.copy_(torch.randn(value.shape, generator=generator) * 0.1 + (0.7 if value.dim() == 1 else 0))
    return network.eval()


def network(task: str, dataset: str, model: str = MICRO, **options: Any) -> nn.Module:
    return scrambled(build_model(task, model, dataset, **options))


def zero_mixing_bias(model: nn.Module) -> None:
    for name, value in model.state_dict().items():
        if name in ("representation.mix.conv.bias", "head.aux.conv.bias", "head.ocr.conv.bias"):
            value.zero_()


CASES: list[tuple[str, str, str, dict[str, Any], str, dict[str, Any], str]] = [
    # table, task, dataset, build options, family, conventions, prefix
    ("pose", "pose", "coco", {}, "pose", NEAREST, ""),
    ("pose", "pose", "mpii", {}, "pose", NEAREST, "module."),
    ("simple_baseline", "pose", "coco", {"model": "simple_baseline_micro"}, "simple_baseline", {}, ""),
    ("hourglass", "pose", "mpii", {"model": "hourglass_micro"}, "hourglass", {}, "module."),
    ("segmentation", "segmentation", "cityscapes", {}, "segmentation", BILINEAR, "model."),
    (
        "segmentation_ocr",
        "segmentation",
        "lip",
        {"head": "ocr"},
        "segmentation_ocr",
        {"upsample": "bilinear", "align_corners": True},
        "model.",
    ),
    ("face", "landmarks", "wflw", {}, "face", BILINEAR, ""),
    ("face", "landmarks", "300w", {}, "face", BILINEAR, "module."),
    ("classification", "classification", "imagenet", {}, "classification", NEAREST, ""),
    ("mmpose_0x", "pose", "coco", {}, "mmpose_0x", NEAREST, ""),
    ("mmpose_1x", "pose", "coco", {}, "mmpose_1x", NEAREST, ""),
    ("mmpose_0x_faces", "landmarks", "wflw", {}, "mmpose_0x", BILINEAR, ""),
    ("mmpose_1x_faces", "landmarks", "300w", {}, "mmpose_1x", BILINEAR, ""),
    ("mmpose_1x_simple_baseline", "pose", "coco", {"model": "simple_baseline_micro"}, "mmpose_1x", {}, ""),
    ("mmseg", "segmentation", "cityscapes", {}, "mmseg", BILINEAR, ""),
    ("mmseg_ocr", "segmentation", "cityscapes", {"head": "ocr"}, "mmseg_ocr", BILINEAR, ""),
    ("detection", "detection", "coco", {}, "detection", NEAREST, ""),
    ("detection", "detection", "coco", {"masks": True}, "detection", NEAREST, "module."),
    ("mmdet", "detection", "coco", {"conventions": "mmdet"}, "mmdet", NEAREST, ""),
    ("mmdet", "detection", "coco", {"masks": True, "conventions": "mmdet"}, "mmdet", NEAREST, ""),
    (
        "mmdet",
        "detection",
        "coco",
        {"model": "resnet_micro", "representation": "FPN", "conventions": "mmdet"},
        "mmdet",
        {},
        "",
    ),
]


@pytest.mark.parametrize(
    ("table", "task", "dataset", "options", "family", "conventions", "prefix"),
    CASES,
    ids=[f"{c[0]}-{c[2]}-{'-'.join(map(str, c[3].values())) or 'plain'}" for c in CASES],
)
def test_round_trip(
    table: str,
    task: str,
    dataset: str,
    options: dict[str, Any],
    family: str,
    conventions: dict[str, Any],
    prefix: str,
    tmp_path: Path,
) -> None:
    source = network(task, dataset, **options)
    if table.startswith("mmseg"):
        zero_mixing_bias(source)
    written = foreign(source.state_dict(), table, prefix)
    if table.startswith("mmseg"):
        for name in [k for k in written if k.endswith(("convs.0.conv.bias", "1.bottleneck.conv.bias"))]:
            del written[name]
    torch.save({"state_dict": written, "meta": {"epoch": 3}}, tmp_path / "file.pth")

    # Built under the default conventions of its task: the file's own row order comes with the load.
    target = scrambled(
        build_model(task, **{"model": MICRO, "dataset": dataset, **options} | _default_order(options)), 1
    )
    turn_around(target)
    report = load_checkpoint(target, tmp_path / "file.pth")

    assert report.family == family
    assert not (report.missing or report.unexpected or report.mismatched or report.ignored)
    assert sorted(report.loaded) == sorted(source.state_dict())
    for name, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], value), name
    for field, value in conventions.items():
        assert getattr(target.body.spec, field) == value
        assert report.conventions[field] == value
    if "align_corners" in conventions and hasattr(target.representation, "align_corners"):
        assert target.representation.align_corners == conventions["align_corners"]


def _default_order(options: dict[str, Any]) -> dict[str, Any]:
    return {"conventions": "hrnet_detection"} if "conventions" in options else {}


def turn_around(model: nn.Module) -> None:
    """Sets every convention of an HRNet body to what it was not, so that loading has something to set."""
    spec = getattr(model.body, "spec", None)
    if spec is not None:
        other = "bilinear" if spec.upsample == "nearest" else "nearest"
        model.set_conventions(upsample=other, align_corners=not spec.align_corners)


def test_detection_order_comes_with_the_family(tmp_path: Path) -> None:
    for table, preset, background in (("detection", "hrnet_detection", "first"), ("mmdet", "mmdet", "last")):
        source = network("detection", "coco", conventions=preset)
        torch.save(foreign(source.state_dict(), table), tmp_path / "file.pth")
        target = build_model("detection", MICRO, "coco")
        load_checkpoint(target, tmp_path / "file.pth")
        assert target.conventions.background == background
        assert target.box_head.reg.out_features == (324 if background == "first" else 320)


def test_master_scales_are_read_as_their_network_reads_them(tmp_path: Path) -> None:
    source = network("segmentation", "cityscapes")
    state = {k: v.clone() for k, v in source.state_dict().items() if not k.endswith("num_batches_tracked")}
    scales = [k for k in state if k.endswith(".weight") and f"{k[:-6]}running_var" in state]
    for name in scales:
        state[name] = torch.where(torch.rand(state[name].shape) < 0.5, -1.0, 1.0) * state[name].abs()
    torch.save(foreign(state, "segmentation", "model."), tmp_path / "file.pth")
    target = network("segmentation", "cityscapes")
    report = load_checkpoint(target, tmp_path / "file.pth")
    assert report.family == "segmentation_master"
    loaded = target.state_dict()
    assert scales and all(torch.equal(loaded[k], state[k].abs() + 1e-5) for k in scales)
    others = [k for k in state if k not in scales]
    assert all(torch.equal(loaded[k], state[k]) for k in others)


@pytest.mark.parametrize("tracked", [True, False])
def test_ocr_scales_follow_the_branch_that_wrote_them(tracked: bool, tmp_path: Path) -> None:
    source = network("segmentation", "cityscapes", head="ocr")
    state = {k: -v if k == "body.bn1.weight" else v for k, v in source.state_dict().items()}
    if not tracked:
        state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(foreign(state, "segmentation_ocr", "model."), tmp_path / "file.pth")
    target = network("segmentation", "cityscapes", head="ocr")
    load_checkpoint(target, tmp_path / "file.pth")
    plain, absolute = state["body.bn1.weight"], state["body.bn1.weight"].abs() + 1e-5
    assert torch.equal(target.body.bn1.weight, plain if tracked else absolute)


def imagenet_initialisation(body: nn.Module) -> dict[str, Tensor]:
    """The pose repository's ImageNet files: a body with all rows, ``head.*`` blocks and ``fc``, no counters."""
    state = {k: v for k, v in body.state_dict().items() if not k.endswith("num_batches_tracked")}
    return state | {
        "head.0.0.conv1.weight": torch.zeros(2, 8, 1, 1),
        "fc.weight": torch.zeros(10, 4),
        "fc.bias": torch.zeros(10),
    }


def test_an_imagenet_initialisation_fits_v1_and_v2_bodies_and_keeps_their_conventions(tmp_path: Path) -> None:
    source = scrambled(build_backbone(MICRO))
    torch.save(imagenet_initialisation(source), tmp_path / "init.pth")
    full = build_backbone(MICRO, upsample="bilinear")
    report = load_backbone(full, tmp_path / "init.pth")
    assert report.family == "pose_imagenet" and full.spec.upsample == "bilinear"
    assert set(report.dropped) == {"head.0.0.conv1.weight", "fc.weight", "fc.bias"}
    one = build_backbone(MICRO, fuse_last="one")
    report = load_backbone(one, tmp_path / "init.pth")
    assert sum("fuse_last" in reason for reason in report.dropped.values()) == len(full.state_dict()) - len(
        one.state_dict()
    ) - sum(k.endswith("num_batches_tracked") for k in set(full.state_dict()) - set(one.state_dict()))
    for name, value in one.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(value, source.state_dict()[name])


def test_a_classification_file_initialises_any_body_and_says_how_it_was_pretrained(tmp_path: Path) -> None:
    source = network("classification", "imagenet")
    torch.save(foreign(source.state_dict(), "classification"), tmp_path / "cls.pth")
    target = network("segmentation", "cityscapes")
    report = load_backbone(target.body, tmp_path / "cls.pth")
    assert torch.equal(target.body.conv1.weight, source.body.conv1.weight)
    assert target.body.spec.upsample == "bilinear"
    assert any("pretrained with upsample=nearest" in note for note in report.notes)
    pose = network("pose", "coco")
    report = load_backbone(pose, tmp_path / "cls.pth")
    assert any("fuse_last='one'" in reason for reason in report.dropped.values())


def test_our_own_files_keep_names_and_conventions(tmp_path: Path) -> None:
    from hrnet.checkpoints import conventions_of

    source = network("segmentation", "cityscapes", upsample="nearest")
    build = {"task": "segmentation", "dataset": "cityscapes", "model": MICRO, "conventions": conventions_of(source)}
    payload = {"format": "hrnet-benchmark", "version": 1, "build": build, "state_dict": source.state_dict()}
    torch.save(payload, tmp_path / "weights.pt")
    target = scrambled(build_model("segmentation", MICRO, "cityscapes"), 1)
    report = load_checkpoint(target, tmp_path / "weights.pt")
    assert report.family == "hrnet_benchmark" and target.body.spec.upsample == "nearest"
    with torch.no_grad():
        images = torch.rand(1, 3, 64, 64)
        assert torch.equal(target(images), source(images))
    assert identify_checkpoint(tmp_path / "weights.pt").model == MICRO


def test_our_own_detectors_keep_their_row_order(tmp_path: Path) -> None:
    from hrnet.checkpoints import conventions_of

    source = network("detection", "coco", conventions="mmdet", num_classes=5)
    build = {"task": "detection", "dataset": "coco", "model": MICRO, "conventions": conventions_of(source)}
    payload = {"format": "hrnet-benchmark", "version": 1, "build": build, "state_dict": source.state_dict()}
    torch.save(payload, tmp_path / "weights.pt")
    target = build_model("detection", MICRO, "coco")
    load_checkpoint(target, tmp_path / "weights.pt")
    assert target.conventions == source.conventions and target.num_outputs == 5


def test_timm_hrnet_gives_timms_logits(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    theirs = scrambled(timm.create_model("hrnet_w18_small"))
    torch.save(theirs.state_dict(), tmp_path / "timm.pth")
    ours = build_model("classification", "hrnet_w18_small_v1", "imagenet").eval()
    report = load_checkpoint(ours, tmp_path / "timm.pth")
    assert report.family == "classification" and report.description.model == "hrnet_w18_small_v1"
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "hrnet_w18_small"])
def test_timm_weights_load_onto_timm_bodies(name: str, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    theirs = scrambled(timm.create_model(name))
    torch.save(theirs.state_dict(), tmp_path / "timm.pth")
    from benchmarks.baselines import build_body

    body = build_body(f"timm:{name}").eval()
    report = load_backbone(body, tmp_path / "timm.pth")
    assert report.family == "timm" and len(report.loaded) == len(body.state_dict())
    assert torch.equal(
        torch.cat([v.flatten() for v in body.state_dict().values() if v.dim() == 4])[:1000],
        torch.cat([v.flatten() for v in theirs.state_dict().values() if v.dim() == 4])[:1000],
    )


def test_torchvision_resnet_initialises_serial_bodies(tmp_path: Path) -> None:
    models = pytest.importorskip("torchvision.models")
    from benchmarks.baselines import build_body

    theirs = scrambled(models.resnet50(weights=None))
    torch.save(theirs.state_dict(), tmp_path / "resnet50.pth")
    body = build_body("simple_baseline_r50")
    report = load_backbone(body, tmp_path / "resnet50.pth")
    assert torch.equal(body.layer4[2].conv3.weight, theirs.layer4[2].conv3.weight)
    assert set(report.dropped) == {"fc.weight", "fc.bias"}
    assert any("deconv_layers" in note for note in report.notes)
    dilated = build_body("deeplabv3_r50")
    assert len(load_backbone(dilated, tmp_path / "resnet50.pth").loaded) == len(dilated.state_dict())


def test_torchvision_deeplab_gives_torchvisions_logits(tmp_path: Path) -> None:
    models = pytest.importorskip("torchvision.models.segmentation")
    theirs = scrambled(models.deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=True, num_classes=19))
    torch.save(theirs.state_dict(), tmp_path / "deeplab.pth")
    ours = build_model("segmentation", "deeplabv3_r50", "cityscapes").eval()
    report = load_checkpoint(ours, tmp_path / "deeplab.pth")
    assert report.family == "torchvision_segmentation" and report.description.num_outputs == 19
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        features = theirs.backbone(images)["out"]
        torch.testing.assert_close(ours(images), theirs.classifier(features), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("frozen", [True, False])
def test_torchvision_detector_loads_whole(frozen: bool, tmp_path: Path) -> None:
    detection = pytest.importorskip("torchvision.models.detection")
    with torch.device("meta"):
        shapes = {
            k: v.shape
            for k, v in detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict().items()
        }
    state = {k: torch.full((1,), 0.5).expand(s) if s else torch.tensor(0) for k, s in shapes.items()}
    if frozen:
        state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "maskrcnn.pth")
    with torch.device("meta"):
        ours = build_model("detection", "resnet50", "coco", masks=True)
    report = load_checkpoint(ours, tmp_path / "maskrcnn.pth")
    assert report.family == "torchvision" and ours.num_outputs == 90
    assert ours.conventions.name == "torchvision"
    assert ours.body.bn1.eps == (0.0 if frozen else 1e-5)
