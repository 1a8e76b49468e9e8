"""What does not fit is an error that says what the file is and what would fit; what a rule covers is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from foreign_names import foreign
from torch import Tensor

from hrnet import CheckpointError, build_backbone, identify_checkpoint, load_backbone, load_checkpoint
from hrnet.checkpoints import Description
from tasks import build_model

MICRO = "hrnet_micro_w8"


@pytest.fixture(scope="module")
def pose_state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return build_model("pose", MICRO, "coco").state_dict()


@pytest.fixture
def pose_file(pose_state: dict[str, Tensor], tmp_path: Path) -> Path:
    torch.save(foreign(pose_state, "pose"), tmp_path / "pose.pth")
    return tmp_path / "pose.pth"


def refused(model: torch.nn.Module, path: Path, **options: object) -> CheckpointError:
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(model, path, **options)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items()), "a refused file changed the model"
    return caught.value


def test_another_width_names_the_model_that_fits(pose_file: Path) -> None:
    error = refused(build_model("pose", "hrnet_micro_w16", "coco"), pose_file)
    assert f"--task pose --dataset coco --model {MICRO}" in str(error)
    assert "17 outputs" in str(error) and "of another shape" in str(error)
    assert error.report is not None and len(error.report.mismatched) > 100
    assert len(str(error)) < 2000


def test_another_dataset(pose_file: Path) -> None:
    error = refused(build_model("pose", MICRO, "mpii"), pose_file)
    assert "--dataset coco" in str(error)
    assert error.report.mismatched == [
        "head.predict.weight: file 17x8x1x1, model 16x8x1x1",
        "head.predict.bias: file 17, model 16",
    ]


def test_another_task_points_to_the_initialisation(pose_file: Path) -> None:
    error = refused(build_model("segmentation", MICRO, "cityscapes"), pose_file)
    assert "--task pose" in str(error) and "init_from" in str(error)


def test_published_sizes_are_named(tmp_path: Path) -> None:
    with torch.device("meta"):
        states = {
            n: build_model("pose", n, "coco").state_dict()
            for n in ("hrnet_w48", "simple_baseline_r101", "hourglass_s2")
        }
    tables = {"hrnet_w48": "pose", "simple_baseline_r101": "simple_baseline", "hourglass_s2": "hourglass"}
    for name, state in states.items():
        hollow = {k: torch.zeros(()) if not v.dim() else torch.zeros(1).expand(v.shape) for k, v in state.items()}
        torch.save(foreign(hollow, tables[name]), tmp_path / "file.pth")
        assert str(identify_checkpoint(tmp_path / "file.pth")).endswith(f"--task pose --dataset coco --model {name}")


def test_missing_and_left_over_tensors_are_listed(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    state = foreign(pose_state, "pose")
    del state["stage3.0.branches.1.0.conv2.weight"]
    state["stage3.0.branches.1.0.conv9.weight"] = torch.zeros(2)
    state["extra.weight"] = torch.zeros(2)
    torch.save(state, tmp_path / "file.pth")
    error = refused(build_model("pose", MICRO, "coco"), tmp_path / "file.pth")
    assert error.report.missing == ["body.stage3.0.branches.1.0.conv2.weight"]
    assert sorted(error.report.unexpected) == ["body.stage3.0.branches.1.0.conv9.weight", "extra.weight"]


def test_missing_counters_are_covered_by_a_rule(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    state = {k: v for k, v in foreign(pose_state, "pose").items() if not k.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "file.pth")
    report = load_checkpoint(build_model("pose", MICRO, "coco"), tmp_path / "file.pth")
    assert any("num_batches_tracked" in note for note in report.notes)


@pytest.mark.parametrize("pattern", ["head", "head.predict", "head.*", "final_layer", "final_layer.*"])
def test_ignored_tensors_stay(pattern: str, pose_file: Path) -> None:
    model = build_model("pose", MICRO, "mpii")
    before = model.head.predict.weight.clone()
    report = load_checkpoint(model, pose_file, ignore=(pattern,))
    assert sorted(report.ignored) == ["head.predict.bias", "head.predict.weight"]
    assert torch.equal(model.head.predict.weight, before) and not report.mismatched


def test_a_pattern_ignores_no_more_than_it_names(pose_file: Path) -> None:
    refused(build_model("pose", MICRO, "mpii"), pose_file, ignore=("hea", "head.pred", "head.predict.bias"))


def test_a_v2_body_cannot_take_a_file_with_one_resolution(pose_file: Path) -> None:
    body = build_backbone(MICRO)
    error = refused(body, pose_file)
    assert "fuse_last='one'" in str(error)
    assert all(".fuse_layers." in name for name in error.report.missing)
    load_checkpoint(body, pose_file, ignore=("stage4.*.fuse_layers.[1-3].*",))


def test_a_bare_body_drops_the_head_and_takes_the_conventions(tmp_path: Path) -> None:
    source = build_model("segmentation", MICRO, "cityscapes")
    torch.save(foreign(source.state_dict(), "segmentation", "model."), tmp_path / "seg.pth")
    body = build_backbone(MICRO)
    report = load_checkpoint(body, tmp_path / "seg.pth")
    assert body.spec.upsample == "bilinear" and body.spec.bn_momentum == 0.01
    assert set(report.dropped.values()) == {"only the body is loaded"}
    assert len(report.loaded) == len(body.state_dict())
    kept = build_backbone(MICRO)
    load_backbone(kept, tmp_path / "seg.pth")
    assert kept.spec.upsample == "nearest"
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        for ours, theirs in zip(body.eval()(images), source.body.eval()(images), strict=True):
            assert torch.equal(ours, theirs)


def test_a_stated_field_is_not_overruled(tmp_path: Path) -> None:
    source = build_model("segmentation", MICRO, "cityscapes")
    torch.save(foreign(source.state_dict(), "segmentation", "model."), tmp_path / "seg.pth")
    for field, stated, implied in (("upsample", "nearest", "bilinear"), ("align_corners", True, False)):
        error = refused(build_model("segmentation", MICRO, "cityscapes", **{field: stated}), tmp_path / "seg.pth")
        assert f"{field}: stated {stated!r}, the file implies {implied!r}" in str(error)
    refused(build_backbone(MICRO, upsample="nearest"), tmp_path / "seg.pth")
    load_checkpoint(build_backbone(MICRO, upsample="bilinear"), tmp_path / "seg.pth")


def test_an_initialisation_is_no_task_network(tmp_path: Path) -> None:
    state = build_backbone(MICRO).state_dict()
    for extra, says in (({"fc.weight": torch.zeros(3, 4)}, "ImageNet initialisations"), ({}, "bare body")):
        torch.save({**state, **extra}, tmp_path / "init.pth")
        error = refused(build_model("pose", MICRO, "coco"), tmp_path / "init.pth")
        assert says in str(error) and "init_from" in str(error)
        load_backbone(build_model("pose", MICRO, "coco"), tmp_path / "init.pth")


def test_broken_values_are_noted(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    state = foreign(pose_state, "pose")
    state["conv1.weight"] = torch.full_like(state["conv1.weight"], float("nan"))
    torch.save(state, tmp_path / "file.pth")
    report = load_checkpoint(build_model("pose", MICRO, "coco"), tmp_path / "file.pth")
    assert any("NaN" in note and "body.conv1.weight" in note for note in report.notes)
    assert "NaN" in report.summary()


def test_mask_weights_need_a_mask_head(tmp_path: Path) -> None:
    with torch.device("meta"):
        state = build_model("detection", "hrnet_w18", "coco", masks=True).state_dict()
    hollow = {k: torch.zeros(1).expand(v.shape) if v.dim() else torch.tensor(0) for k, v in state.items()}
    torch.save(foreign(hollow, "detection"), tmp_path / "mask.pth")
    with torch.device("meta"):
        plain = build_model("detection", "hrnet_w18", "coco")
    with pytest.raises(CheckpointError, match="masks=true"):
        load_checkpoint(plain, tmp_path / "mask.pth")


@pytest.mark.parametrize(
    ("table", "task", "dataset", "options"),
    [
        ("pose", "pose", "coco", {}),
        ("segmentation", "segmentation", "pascal_context", {}),
        ("segmentation", "segmentation", "pascal_context", {"num_classes": 60}),
        ("segmentation_ocr", "segmentation", "cityscapes", {"head": "ocr"}),
        ("detection", "detection", "coco", {"masks": True}),
        ("detection", "detection", "coco", {}),
        ("detection", "detection", "coco", {"representation": "V1p"}),
        ("mmdet", "detection", "coco", {"representation": "FPN"}),
        ("mmdet", "detection", "coco", {"representation": "FPN", "masks": True}),
        ("torchvision", "detection", "coco", {"representation": "FPN"}),
    ],
)
def test_a_file_says_how_to_build_its_network(
    table: str, task: str, dataset: str, options: dict[str, object], tmp_path: Path
) -> None:
    rows = {"conventions": "mmdet"} if table == "mmdet" else {}  # its heads' number of rows
    torch.save(foreign(build_model(task, MICRO, dataset, **options, **rows).state_dict(), table), tmp_path / "file.pth")
    found = identify_checkpoint(tmp_path / "file.pth")
    assert (found.model, found.dataset) == (MICRO, dataset)
    assert found.build_options(task, MICRO, dataset) == options
    assert found.build_options("other", MICRO, dataset) == {}
    load_checkpoint(build_model(task, MICRO, dataset, **options), tmp_path / "file.pth")


def test_the_usual_pyramid_is_not_named() -> None:
    resnet = Description("mmdet", "mmdet 2.x or 3.x", "detection", "resnet50", 80, "faster_rcnn", "FPN", "coco")
    assert resnet.build_options("detection", "resnet50", "coco") == {}
    for model in ("hrnet_w32", "timm:resnet50"):  # whose detectors have V2p, or what its maps allow
        assert resnet.build_options("detection", model, "coco") == {"representation": "FPN"}


def test_our_own_file_says_how_it_was_built(tmp_path: Path) -> None:
    options = {"upsample": "bilinear", "exchange_within": False}
    model = build_model("pose", MICRO, "coco", "V1h", **options)
    build = {"task": "pose", "model": MICRO, "dataset": "coco", "representation": "V1h", "changes": options}
    torch.save({"format": "hrnet-benchmark", "build": build, "state_dict": model.state_dict()}, tmp_path / "own.pt")
    found = identify_checkpoint(tmp_path / "own.pt")
    needed = found.build_options("pose", MICRO, "coco")
    assert needed == {**options, "representation": "V1h"}
    load_checkpoint(build_model("pose", MICRO, "coco", **needed), tmp_path / "own.pt")


def test_a_single_pattern_needs_no_list(pose_file: Path) -> None:
    """A plain string is one name, not its letters: ``ignore="head"`` leaves the head alone and loads the body."""
    target = build_model("pose", MICRO, "mpii")
    head = target.head.predict.weight.clone()
    report = load_checkpoint(target, pose_file, ignore="head")
    assert report.ignored == ["head.predict.weight", "head.predict.bias"]
    assert torch.equal(target.head.predict.weight, head)
    # Ignoring the letter "h" ignores nothing.
    assert "17x8x1x1" in str(refused(build_model("pose", MICRO, "mpii"), pose_file, ignore="h"))
    assert load_backbone(build_backbone(MICRO, fuse_last="one"), pose_file, ignore="conv1").ignored == ["conv1.weight"]
