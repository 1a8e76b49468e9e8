"""README's table of measured figures is of the results that the gate holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = {
    "COCO keypoints": "pose/coco",
    "MPII": "pose/mpii",
    "PoseTrack": "pose/posetrack18",
    "Cityscapes": "segmentation/cityscapes",
    "PASCAL Context": "segmentation/pascal_context",
    "LIP": "segmentation/lip",
    "300W": "landmarks/300w",
    "AFLW": "landmarks/aflw",
    "COFW": "landmarks/cofw",
    "WFLW": "landmarks/wflw",
    "COCO detection": "detection/coco",
}
BODIES = {
    "micro HRNet": "hrnet_micro",
    "micro ResNet": "resnet_micro",
    "micro SimpleBaseline": "simple_baseline_micro",
    "micro hourglass": "hourglass_micro",
}


def rows() -> list[list[str]]:
    text = (ROOT / "README.md").read_text()
    lines = text[text.index("## What it measured") :].splitlines()
    return [[part.strip() for part in line.strip("|").split("|")] for line in lines if line.startswith("| ")]


def held() -> dict[str, dict[str, Any]]:
    cells = json.loads((ROOT / "results/expected/embedded.json").read_text())["cells"].values()
    return {cell["name"].removeprefix("embedded: "): cell for cell in cells}


def test_every_figure_is_of_the_expected_results() -> None:
    """Means lie as far from the first seed's figure as its deviation allows; deviations are those of the expected values."""
    head, _, *body_rows = rows()
    expected = held()
    seen = 0
    for body, *shown in body_rows:
        for title, text in zip(head[1:], shown, strict=True):
            dataset = next(path for name, path in COLUMNS.items() if title.startswith(f"{name} "))
            found = [
                cell
                for name, cell in expected.items()
                if name.startswith(f"{dataset}/{BODIES[body]}") and "+" not in name
            ]
            if text == "-":
                assert not found, (body, title)
                continue
            [cell] = found
            mean, deviation = (float(part) for part in text.split(" ± "))
            digits = len(text.rpartition(".")[2])
            sd = float(re.search(r"\(sd ([\d.e-]+)\)", cell["basis"])[1])  # type: ignore[index]
            assert deviation == pytest.approx(sd, abs=0.51 * 10**-digits), (body, title)
            # Of three values none lies further from their mean than 2 / sqrt(3) deviations.
            assert abs(mean - cell["value"]) <= 1.1548 * sd + 10**-digits, (body, title)
            seen += 1
    assert seen == sum(1 for name in expected if "+" not in name)
