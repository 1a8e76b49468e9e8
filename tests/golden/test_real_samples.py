"""Seeded checkpoints of every family of rivals through ``eval`` on real pictures: strict loading, the family's protocol, figures.

Key lists are those of the golden manifests; the pictures lie in ``$HRNET_SAMPLES``, else in ../shared/samples.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from detector_archives import FOLDER as DETECTORS
from golden_archives import SAMPLES, manifest_of
from rival_archives import GOLDEN as POSE_RIVALS

from benchmarks.cli import entry

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no pictures in {SAMPLES}")

PICTURE = 785
UDP_CONFIG = "codec = dict(type='UDPHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)"
COMBINED_CONFIG = "codec = dict(type='UDPHeatmap', input_size=(192, 256), heatmap_type='combined')"


@dataclass(frozen=True)
class Released:
    """A checkpoint in foreign keys: its manifest, the family that it is of, and fields of the protocol that this implies."""

    manifest: str
    model: str
    family: str
    protocol: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    prefix: str = ""


RGB = {"colour": "rgb", "resize": "opencv", "score_threshold": 0.05, "nms_iou": 0.5}
OFFICIAL_FCOS = {"colour": "bgr_caffe", "resize": "pil", "rescale": "sides", "nms_iou": 0.6}
DETECTION = (
    Released("mmdet_cascade_rcnn_hrnetv2p_w18_coco80", "hrnet_w18", "mmdet", {**RGB, "rescale": "sides"}),
    Released("mmdet_cascade_mask_rcnn_hrnetv2p_w18_coco80", "hrnet_w18", "mmdet", {**RGB, "rescale": "sides"}),
    Released("mmdet_htc_hrnetv2p_w18_coco80", "hrnet_w18", "mmdet", {"colour": "rgb", "score_threshold": 0.001}),
    Released(
        "mmdet_fcos_gn_hrnetv2p_w18_coco80", "hrnet_w18", "mmdet_fcos", {**RGB, "colour": "bgr", "rescale": "sides"}
    ),
    Released("official_cascade_rcnn_hrnetv2p_w18_coco80", "hrnet_w18", "detection", {**RGB, "rescale": "scale"}),
    Released("official_fcos_hrnetv2p_w18_5l_coco80", "hrnet_w18", "hrnet_fcos", OFFICIAL_FCOS, prefix="module."),
    Released("official_fcos_hrnetv2p_w18_6l_coco80", "hrnet_w18", "hrnet_fcos", OFFICIAL_FCOS, prefix="module."),
    Released("mrb_mask_rcnn_hrnetv2p_w18_coco80", "hrnet_w18", "mrb", {"resize": "pil"}, prefix="module."),
)
PLAIN = {"crop": "affine_along_x", "decoder": "quarter_per_axis", "shift": True, "box_rule": "mmpose"}
UDP = {"crop": "udp", "target": "udp", "decoder": "udp", "shift": False}
COMBINED = {"crop": "udp", "target": "udp_combined", "decoder": "udp_combined", "shift": False}
POSE = (
    Released("mmpose_hrnet_w32_udp_coco17", "hrnet_w32", "mmpose_1x_udp", UDP, {"cfg": UDP_CONFIG}),
    Released(
        "mmpose_hrnet_w32_udp_regress_coco17",
        "hrnet_w32_udp_regress",
        "mmpose_1x_udp_regress",
        COMBINED,
        {"cfg": COMBINED_CONFIG},
    ),
    Released("udppose_hrnet_w32_offset_coco17", "hrnet_w32_udppose", "udp_pose", COMBINED),
    Released("mmpose_vitpose_s_coco17", "vitpose_s", "mmpose_1x", UDP),
    Released("mmpose_vitpose_s_simple_coco17", "vitpose_s_simple", "mmpose_1x", UDP),
    Released("vitpose_official_s_coco17", "vitpose_s", "mmpose_vitpose", UDP),
    Released("mmpose_litehrnet18_coco17", "litehrnet_18", "mmpose_1x", PLAIN),
    Released("mmpose_resnetv1d50_coco17", "simple_baseline_r50d", "mmpose_1x", PLAIN),
    Released("mmpose_resnext50_coco17", "simple_baseline_resnext50", "mmpose_1x", PLAIN),
    Released("mmpose_seresnet50_coco17", "simple_baseline_seresnet50", "mmpose_1x", PLAIN),
    Released("mmpose_mobilenetv2_coco17", "simple_baseline_mobilenetv2", "mmpose_1x", PLAIN),
    Released("mmpose_shufflenetv1_coco17", "simple_baseline_shufflenetv1", "mmpose_1x", PLAIN),
    Released("mmpose_shufflenetv2_coco17", "simple_baseline_shufflenetv2", "mmpose_1x", PLAIN),
)


def cases(folder: Path, released: tuple[Released, ...]) -> list[Any]:
    """One parameter a family, named by its manifest; skipped where the manifest is missing."""
    made = []
    for one in released:
        there = (folder / "manifests" / f"{one.manifest}.tsv").exists()
        marks = () if there else (pytest.mark.skip(reason=f"no manifest {one.manifest} below {folder}"),)
        made.append(pytest.param(one, id=one.manifest, marks=marks))
    return made


def written(released: Released, folder: Path, path: Path) -> int:
    """Writes the checkpoint, with small standard normal filters; returns the number of its tensors that a network holds.

    Of maskrcnn-benchmark each frozen normalisation's epsilon is a tensor too, which is added to the variance.
    """
    generator, state = torch.Generator().manual_seed(0), {}
    for key, shape in manifest_of(folder / "manifests" / f"{released.manifest}.tsv").items():
        if key.endswith("num_batches_tracked"):
            value = torch.tensor(0)
        elif len(shape) < 2:
            value = torch.ones(shape) if key.endswith(("weight", "running_var", "scale")) else torch.zeros(shape)
        else:
            value = torch.randn(shape, generator=generator) / float(np.prod(shape[1:])) ** 0.5
        state[released.prefix + key] = value
    torch.save({"meta": released.meta, "state_dict": state}, path)
    return sum(not key.endswith(".eps") for key in state)


def evaluated(released: Released, folder: Path, task: str, root: Path, tmp_path: Path, *words: str) -> dict[str, Any]:
    """The record that ``eval`` writes of a seeded checkpoint, after what holds of every family."""
    path = tmp_path / "released.pth"
    count = written(released, folder, path)
    call = ["eval", "--task", task, "--dataset", "coco", "--model", released.model, "--checkpoint", str(path)]
    call += ["--data-root", str(root), "--out", str(tmp_path / "out"), "--json", str(tmp_path / "record.json")]
    assert entry([*call, *words]) == 0
    path.unlink()
    record: dict[str, Any] = json.loads((tmp_path / "record.json").read_text())
    report = record["report"]
    dropped = report.get("dropped") or {}
    assert report["family"] == released.family and report["loaded"] + len(dropped) == count
    assert not any(report.get(key) for key in ("missing", "unexpected", "mismatched", "ignored"))
    assert all("anchor_generator" in key for key in dropped)  # maskrcnn-benchmark's, which are computed here
    protocol = record["cell"]["protocol"]
    assert {key: protocol.get(key) for key in released.protocol} == released.protocol
    figures = [figure["value"] for figure in record["figures"].values()]
    assert figures and all(value is None or np.isfinite(value) for value in figures)
    assert record["n"]["images" if task == "detection" else "samples"] >= 1
    return record


@pytest.fixture(scope="module")
def one_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COCO's layout with a single real picture, its persons annotated as keypoints and as instances."""
    root = tmp_path_factory.mktemp("real")
    source = SAMPLES / "coco"
    document = json.loads((source / "annotations" / "person_keypoints_val2017.json").read_text())
    for key, name in (("images", "id"), ("annotations", "image_id")):
        document[key] = [row for row in document[key] if row[name] == PICTURE]
    assert len(document["images"]) == 1 and document["annotations"]
    (root / "coco" / "annotations").mkdir(parents=True)
    (root / "coco" / "images" / "val2017").mkdir(parents=True)
    name = document["images"][0]["file_name"]
    shutil.copyfile(source / "images" / "val2017" / name, root / "coco" / "images" / "val2017" / name)
    for kind in ("person_keypoints", "instances"):
        (root / "coco" / "annotations" / f"{kind}_val2017.json").write_text(json.dumps(document))
    return root


@pytest.mark.parametrize("released", cases(DETECTORS, DETECTION))
def test_detectors(released: Released, one_picture: Path, tmp_path: Path) -> None:
    # Small, for the cost of a thousand regions in three stages and of their masks.
    words = ("--protocol", "short_px=48", "long_px=72", "max_detections=5")
    record = evaluated(released, DETECTORS, "detection", one_picture, tmp_path, *words)
    assert record["report"]["description"]["head"]


@pytest.mark.parametrize("released", cases(POSE_RIVALS, POSE))
def test_pose_rivals(released: Released, one_picture: Path, tmp_path: Path) -> None:
    record = evaluated(released, POSE_RIVALS, "pose", one_picture, tmp_path)
    assert record["cell"]["protocol"]["input_wh"] == [192, 256] and "AP" in record["figures"]
