"""`plan --suite published` lists every row with what it lacks, quickly and torch-free; `doctor` checks released files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.cli import entry as command
from benchmarks.commands import doctor
from benchmarks.experiment.paths import Places
from benchmarks.published import plan as published_plan
from benchmarks.published import weights
from benchmarks.published.figures import load
from benchmarks.published.missing import missing
from benchmarks.published.paper_table import PublishedTable
from benchmarks.suites import load_suite, published
from tasks import get_task

ROOT = Path(__file__).resolve().parents[3]


def test_a_dataset_in_part_is_missing_data_of_its_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cell = next(c for c in load_suite("published").cells if c.checkpoint == "pose_hrnet_w32_256x192.pth")
    (tmp_path / "coco").mkdir()

    def refuse(*arguments: object) -> list[Path]:
        raise ValueError("expected the detector's boxes in\n  a.json; fetch them")

    monkeypatch.setattr(get_task("pose"), "data_files", refuse)
    lacking = missing(cell, Places(data_root=tmp_path, weights=tmp_path))
    assert lacking[1] == "data expected the detector's boxes in a.json; fetch them"


def test_plan_of_nothing_cannot_be_carried_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["plan", "--suite", "published", "--only", "nothing*"]) == 2
    assert "matches no row" in capsys.readouterr().err
    assert command(["plan", "--suite", "published", "--rows", "--only", "mpii_val"]) == 0
    shown = capsys.readouterr().out
    assert "pytorch-pose Hourglass hg_s2_b1 (last), 2-stack Hourglass (256x256" in shown
    assert "val [boxes=gt; scales=multi; flip=yes; pckh=weighted]" in shown


def smooth_filters() -> torch.Tensor:
    """(16, 3, 3, 3) filters that answer brightness first, as trained ones do."""
    generator = torch.Generator().manual_seed(0)
    grey = torch.randn(16, 1, 3, 3, generator=generator)
    return grey + 0.5 * torch.randn(16, 3, 3, 3, generator=generator)


@pytest.mark.parametrize(
    ("filters", "declared", "found"),
    [
        ("noise", {}, "random numbers"),
        ("smooth", {}, ""),
        ("noise", {"seeded": True}, ""),
        ("noise", {"meta": {"seeded": 1}}, ""),
    ],
)
def test_doctor_tells_random_numbers_under_a_released_name(
    filters: str, declared: dict[str, object], found: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kaiming noise in every first layer of the zoo's sizes is told; declared as drawn, it is none."""
    for seed, shape in enumerate([(64, 3, 3, 3), (64, 3, 7, 7), (32, 3, 3, 3), (384, 3, 16, 16)]):
        noise = torch.nn.init.kaiming_normal_(torch.empty(shape), generator=torch.Generator().manual_seed(seed))
        weight = noise if filters == "noise" else noise + 2 * noise[:, :1]
        torch.save({"state_dict": {"conv1.weight": weight}, **declared}, tmp_path / "HR18-300W.pth")
        assert doctor.weights(tmp_path) == (1 if found else 0)
        [line] = [line for line in capsys.readouterr().out.splitlines() if line[2:].split()[1:2] == ["HR18-300W.pth"]]
        assert found in line


def test_doctor_checks_hashes_and_lists_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hrnet_w32_coco_256x192-c78dce93_20200708.pth").write_bytes(b"another file")
    torch.save({"conv1.weight": smooth_filters()}, tmp_path / "pose_hrnet_w32_256x192.pth")
    assert doctor.weights(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    [wrong] = [line for line in lines if line.lstrip().startswith("!")]
    assert "starts with c78dce93" in wrong and "download.openmmlab.com" in wrong
    missing = [line for line in lines if "missing; published at" in line]
    assert len(missing) == len(weights.load_weights()) - 2
    assert any("HR18-WFLW.pth" in line and "HRNet-Facial-Landmark-Detection" in line for line in missing)


def test_plan_lists_every_row_quickly_without_torch() -> None:
    code = (
        "import sys; from benchmarks.cli import entry; status = entry(['plan', '--suite', 'published', '--rows']); "
        "assert 'torch' not in sys.modules, 'torch was imported'; sys.exit(status)"
    )
    start = os.times()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    end = os.times()
    # Processor time: the wall clock of a crowded machine says nothing about this program.
    seconds = end.children_user + end.children_system - start.children_user - start.children_system
    assert done.returncode == 0, done.stderr
    assert seconds < 3
    text = done.stdout
    for name in published.TABLES:
        assert f"\n{name}: " in text
    files = {file for _, names in published.TABLES.values() for file in names}
    rows = sum(identity.split(":")[0] in files for identity in load().rows())
    assert f"\n{rows} rows: " in text
    assert "weights pose_hrnet_w32_256x192.pth (leoxiaobin/deep-high-resolution-net.pytorch)" in text
    assert "AP 74.4 %" in text and "from arXiv:1908.07919v2 (TPAMI) Table 1" in text
    assert "lacks network: CenterNet on HRNetV2p-W48" in text and "lacks server" in text


def test_the_page_counts_rows_by_status_and_lists_what_can_be_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["plan", "--suite", "published"]) == 0
    page = capsys.readouterr().out
    assert len(page.splitlines()) < 40 and "Nothing can be run now" in page
    [line] = [line.split() for line in page.splitlines() if line.startswith("coco_detection_val ")]
    rows = load_suite("published", tables="coco_detection_val").tables_of(PublishedTable)[0].rows
    assert line[1] == str(len(rows)) and line[2] == str(
        sum(r.lack is not None and r.lack.word == "network" for r in rows)
    )
    (tmp_path / "hrnetv2_w18_imagenet_pretrained.pth").touch()
    monkeypatch.setattr(
        published_plan, "missing", lambda cell, places: [] if cell.dataset == "imagenet" else ["data x"]
    )
    assert command(["plan", "--suite", "published", "--only", "imagenet_val"]) == 0
    page = capsys.readouterr().out
    assert "Can be run now: 22 cells" in page and "and 2 more" in page and "top1_err 23.2 %" in page
