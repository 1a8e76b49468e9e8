"""MPII's files of made persons, which tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat


def write_small_mpii(root: Path) -> Path:
    """Two persons of one picture, 320x240."""
    (root / "annot").mkdir(parents=True)
    (root / "images").mkdir()
    picture = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    Image.fromarray(picture).save(root / "images" / "a.jpg")
    joints = np.column_stack([np.linspace(100, 200, 16), np.linspace(60, 200, 16)])
    write_mpii(
        root,
        [{"image": "a.jpg", "center": [150.0, 120.0], "scale": 0.8, "joints": joints.tolist(), "joints_vis": [1] * 16}]
        * 2,
    )
    savemat(
        root / "annot" / "gt_valid.mat",
        {
            "pos_gt_src": np.repeat(joints[:, :, None], 2, 2),
            "jnt_missing": np.zeros((16, 2), dtype=np.uint8),
            "headboxes_src": np.repeat(np.array([[100.0, 60.0], [130.0, 100.0]])[:, :, None], 2, 2),
        },
    )
    return root


def write_mpii(root: Path, entries: Any) -> None:
    for split in ("train", "valid"):
        (root / "annot" / f"{split}.json").write_text(json.dumps(entries))
