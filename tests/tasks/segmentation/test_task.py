"""The task as the harness uses it: torch-free planning, evaluation from data to submission, pictures, headers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from seg_fixtures import Strided, write_cityscapes, write_lip, write_pascal

from benchmarks.experiment.cell import cell_from_identity, make_cell
from tasks import get_task
from tasks.images import read_image
from tasks.options import to_plain
from tasks.segmentation.drawing import class_shares, overlay
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.metrics import stats_of
from tasks.segmentation.protocol import SegmentationProtocol

TASK = get_task("segmentation")
WRITERS = {"cityscapes": write_cityscapes, "lip": write_lip, "pascal_context": write_pascal}
SMALL = {
    "cityscapes": SegmentationProtocol(19, view="tiles", crop_hw=(24, 48)),
    "lip": SegmentationProtocol(20, view="square", crop_hw=(32, 32), flip=True),
    "pascal_context": SegmentationProtocol(
        59, view="windows", crop_hw=(32, 32), base_px=48, scales=(0.5, 1.0), flip=True
    ),
}


def evaluated(dataset: str, root: Path, indices: list[int] | None = None) -> Any:
    """An evaluation of a known network over a tiny dataset, or over some of its samples."""
    protocol = SMALL[dataset]
    data = TASK.eval_data(dataset, root, "val", protocol)
    model = Strided(protocol.num_classes).eval()
    model.dataset = dataset
    evaluation = TASK.evaluation(data, protocol)
    for index in range(len(data)) if indices is None else indices:
        batch = data.collate([data[index]])
        evaluation.add(batch["index"], TASK.predict(model, batch, protocol))
    return evaluation


def test_planning_needs_no_torch() -> None:
    code = (
        "import sys; from tasks import get_task; t = get_task('segmentation');"
        "t.recipe('lip', 'hrnet_w48', 'full'); t.protocol('lip'); t.protocol_header(t.protocol('pascal_context'));"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


@pytest.mark.parametrize("dataset", WRITERS)
@pytest.mark.parametrize("tier", ["smoke", "embedded", "full"])
def test_cells_survive_a_round_trip(dataset: str, tier: str) -> None:
    for model in ("hrnet_micro_w8", "hrnet_w48_ocr"):
        cell = make_cell("segmentation", dataset, model, tier=tier)
        assert cell_from_identity(to_plain(cell.identity()), cell.label) == cell


@pytest.mark.parametrize("dataset", WRITERS)
def test_merged_shards_equal_the_whole(dataset: str, tmp_path: Path) -> None:
    WRITERS[dataset](tmp_path)
    whole = evaluated(dataset, tmp_path)
    stats = whole.stats()
    parts = [evaluated(dataset, tmp_path, list(range(k, len(whole.data), 2))) for k in range(2)]
    # As the store merges: every array of the statistics, concatenated over images.
    done = [stats_of(["a", "b", "c"][k : len(whole.data) : 2], p.confusion[k::2]) for k, p in enumerate(parts)]
    merged = {key: np.concatenate([part[key] for part in done]) for key in stats}
    plain = to_plain(SMALL[dataset])
    expected = TASK.figures(dataset, stats, plain)
    assert TASK.figures(dataset, merged, plain) == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
    with pytest.raises(ValueError, match="missing"):
        parts[0].stats()


@pytest.mark.parametrize(("dataset", "offset"), [("cityscapes", None), ("lip", 0), ("pascal_context", 1)])
def test_submission_pngs_hold_the_datasets_own_ids(dataset: str, offset: int | None, tmp_path: Path) -> None:
    WRITERS[dataset](tmp_path / "data")
    evaluation = evaluated(dataset, tmp_path / "data")
    evaluation.write_predictions(tmp_path / "out")
    table = ENTRIES[dataset].table()
    written = sorted((tmp_path / "out").iterdir())
    assert len(written) == len(evaluation.data) and all(p.suffix == ".png" for p in written)
    for index in range(len(evaluation.data)):
        values = np.asarray(Image.open(tmp_path / "out" / evaluation.data.layout.submission_name(index)))
        classes = evaluation.prediction(index)
        assert values.shape == evaluation.data.picture(index).shape[:2]
        assert (values == table.encode_table()[classes]).all()
        assert offset is None or (values == classes + offset).all()


def test_figures_are_named_metrics_with_units(tmp_path: Path) -> None:
    write_lip(tmp_path)
    evaluation = evaluated("lip", tmp_path)
    figures = TASK.figures("lip", evaluation.stats(), to_plain(SMALL["lip"]))
    assert set(figures) <= set(TASK.metrics) and {"mIoU", "pixel_acc", "avg_acc", "IoU/L-arm"} <= set(figures)
    assert 0 < figures["mIoU"] < 100 and TASK.metrics["mIoU"].unit == "%"


def test_pictures_show_truth_and_prediction_with_a_legend(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    evaluation = evaluated("cityscapes", tmp_path)
    truth, prediction = evaluation.picture(0, "truth"), evaluation.picture(0, "prediction")
    assert truth.dtype == np.uint8 and truth.shape[0] == prediction.shape[0] >= 240
    assert truth.shape[1] > 2 * truth.shape[0]  # the legend stands beside the picture
    assert (truth[:, :480] != prediction[:, :480]).any()


def test_overlay_lays_each_classes_colour_over_its_pixels() -> None:
    table = ENTRIES["cityscapes"].table()
    classes = np.zeros((480, 480), np.uint8)
    classes[:, 240:] = 13
    drawn = overlay(np.zeros((480, 480, 3), np.uint8), classes, table, legend=False)
    for column, k in ((100, 0), (400, 13)):
        assert np.abs(drawn[200, column].astype(float) - 0.6 * np.array(table.colours[k])).max() <= 1
    assert class_shares(classes, table) == {"road": 50.0, "car": 50.0}


def test_results_draw_and_report_shares(tmp_path: Path) -> None:
    write_lip(tmp_path)
    model = Strided(20).eval()
    model.dataset = "lip"
    pictures = [read_image(tmp_path, f"TrainVal_images/val_images/{k}.jpg") for k in (1, 2)]
    results = TASK.predict_pictures(model, "lip", pictures, SMALL["lip"])
    assert [result.labels.shape for result in results] == [picture.shape[:2] for picture in pictures]
    assert results[0].draw(pictures[0]).ndim == 3
    assert sum(results[0].to_plain()["share_percent"].values()) == pytest.approx(100)


def test_unequal_sizes_in_a_batch(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    protocol = SMALL["pascal_context"]
    data = TASK.eval_data("pascal_context", tmp_path, "val", protocol)
    batch = data.collate([data[0], data[1]])
    model = Strided(59).eval()
    model.dataset = "pascal_context"
    assert isinstance(batch["images"], list)
    made = TASK.predict(model, batch, protocol)
    assert [m.shape for m in made] == [(40, 56), (56, 56)]


def test_a_split_without_labels_is_predicted_but_not_scored(tmp_path: Path) -> None:
    write_cityscapes(tmp_path, split="test")
    protocol = SMALL["cityscapes"]
    data = TASK.eval_data("cityscapes", tmp_path, "test", protocol)
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add(range(3), [np.full((32, 64), 13, np.uint8)] * 3)
    evaluation.write_predictions(tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 3
    figures = TASK.figures("cityscapes", evaluation.stats(), to_plain(protocol))
    assert all(np.isnan(v) for v in figures.values()) and np.isnan(evaluation.sample_scores()).all()


@pytest.mark.parametrize(
    ("dataset", "family", "expected"),
    [
        ("cityscapes", None, {"align_corners": False, "flip": False, "scales": (1.0,), "num_classes": 19}),
        ("cityscapes", "segmentation_ocr", {"align_corners": True}),
        (
            "pascal_context",
            None,
            {"flip": True, "base_px": 520, "crop_hw": (480, 480), "view": "windows", "num_classes": 59},
        ),
        ("pascal_context", "segmentation_ocr", {"view": "windows", "first_short_px": 520, "pad_multiple": 8}),
        ("lip", "segmentation", {"view": "square", "crop_hw": (473, 473), "flip": True, "num_classes": 20}),
    ],
)
def test_protocols_of_the_reference(dataset: str, family: str | None, expected: dict[str, Any]) -> None:
    protocol = TASK.protocol(dataset, model="hrnet_w48", family=family)
    assert {key: getattr(protocol, key) for key in expected} == expected


def test_protocol_changes_are_checked() -> None:
    protocol = ENTRIES["cityscapes"].protocol()
    changed = TASK.protocol_with(protocol, {"scales": "0.5,1,1.5", "flip": "true", "combine": "softmax"})
    assert changed.scales == (0.5, 1.0, 1.5) and "probabilities averaged" in changed.header
    with pytest.raises(ValueError, match="Did you mean 'scales'"):
        TASK.protocol_with(protocol, {"scale": "1"})
    with pytest.raises(ValueError, match="one positive scale or more"):
        TASK.protocol_with(protocol, {"scales": "0"})


@pytest.mark.parametrize("dataset", WRITERS)
def test_a_training_step_of_each_dataset_runs_and_learns(dataset: str, tmp_path: Path) -> None:
    from tasks import build_model

    write = WRITERS[dataset]
    write(tmp_path)
    recipe = TASK.recipe(dataset, "hrnet_micro_w8", "smoke")
    protocol = TASK.protocol(dataset, tier="smoke")
    data = TASK.train_data(dataset, tmp_path, "val", recipe, protocol, 0)
    torch.manual_seed(0)
    model = build_model("segmentation", "hrnet_micro_w8", dataset)
    batch = data.collate([data[(0, i % len(data))] for i in range(2)])
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        made = TASK.loss(model, batch, recipe)
        optimizer.zero_grad()
        made["loss"].backward()
        optimizer.step()
        losses.append(float(made["loss"].detach()))
    assert losses[-1] < 0.9 * losses[0] and 0 <= float(made["accuracy"]) <= 1
