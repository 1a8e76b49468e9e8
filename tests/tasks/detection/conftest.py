"""Fixtures: a small set of drawn shapes, written once, and a micro detector that answers something."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

import tasks
from tasks.detection.network.model import Detector
from tasks.detection.protocol import DetectionProtocol

sys.path.insert(0, str(Path(__file__).parent))
import shapes

SMALL = DetectionProtocol(short_px=96, long_px=128, score_threshold=0.0)


@pytest.fixture(scope="session")
def shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shapes")
    shapes.write(root, "train2017", 12, seed=1)
    shapes.write(root, "val2017", 9, seed=2)
    return root


@pytest.fixture
def small_protocol() -> DetectionProtocol:
    return SMALL


def make_detector(masks: bool = False, **changes: object) -> Detector:
    """A micro detector with random, lively outputs in evaluation mode."""
    torch.manual_seed(0)
    made = tasks.build_model("detection", "hrnet_micro_w8", "coco", masks=masks, **changes).eval()
    assert isinstance(made, Detector)
    with torch.no_grad():
        made.rpn.cls.weight.mul_(20)
        made.box_head.cls.weight.mul_(40)
        made.box_head.reg.weight.mul_(100)
    return made


@pytest.fixture
def detector() -> Detector:
    return make_detector()


@pytest.fixture
def mask_detector() -> Detector:
    return make_detector(masks=True)
