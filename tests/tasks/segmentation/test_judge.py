"""cityscapesscripts is the judge: its pixel-level evaluation of our submission pngs gives our matrix and our IoUs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from seg_fixtures import SAMPLES, write_cityscapes

from tasks import get_task
from tasks.options import to_plain
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES
from tasks.segmentation.files.judge import pixel_level_evaluation

pytest.importorskip("cityscapesscripts")
PROTOCOL = ENTRIES["cityscapes"].protocol()
TASK = get_task("segmentation")


def submitted(root: Path, out: Path, seed: int) -> tuple[np.ndarray, dict[str, float], dict[str, object]]:
    """Our pooled matrix and figures, and the judge's verdict on the pngs that we wrote."""
    data = TASK.eval_data("cityscapes", root, "val", PROTOCOL)
    evaluation = TASK.evaluation(data, PROTOCOL)
    rng = np.random.default_rng(seed)
    for index in range(len(data)):
        label = data.label(index)  # type: ignore[attr-defined]
        guess = np.where(label == 255, 0, label).astype(np.uint8)
        wrong = rng.random(label.shape) < 0.4
        guess[wrong] = rng.integers(0, 17, int(wrong.sum()))  # motorcycles and bicycles are never guessed wrongly
        evaluation.add([index], [guess])
    evaluation.write_predictions(out)
    stats = evaluation.stats()
    names = [data.layout.submission_name(i) for i in range(len(data))]  # type: ignore[attr-defined]
    verdict = pixel_level_evaluation([out / n for n in names], data.layout.files[-len(data) :])  # type: ignore[attr-defined]
    return stats["confusion"].sum(axis=0), TASK.figures("cityscapes", stats, to_plain(PROTOCOL)), verdict


def check(matrix: np.ndarray, figures: dict[str, float], verdict: dict[str, object]) -> None:
    ids = list(CITYSCAPES.file_ids)
    assert (np.asarray(verdict["confMatrix"])[np.ix_(ids, ids)].astype(np.int64) == matrix).all()
    scores = verdict["classScores"]
    assert isinstance(scores, dict)
    for name in CITYSCAPES.names:
        assert figures[f"IoU/{name}"] == pytest.approx(100 * scores[name], rel=1e-12, nan_ok=True)
    assert figures["mIoU/present"] == pytest.approx(100 * verdict["averageScoreClasses"], rel=1e-12)  # type: ignore[operator]


def test_made_up_scenes(tmp_path: Path) -> None:
    write_cityscapes(tmp_path / "data", count=4)
    check(*submitted(tmp_path / "data", tmp_path / "out", 1))


@pytest.mark.skipif(not (SAMPLES / "cityscapes").is_dir(), reason=f"no samples at {SAMPLES}")
def test_real_frame_with_absent_classes(tmp_path: Path) -> None:
    matrix, figures, verdict = submitted(SAMPLES / "cityscapes", tmp_path / "out", 2)
    check(matrix, figures, verdict)
    # Absent classes count 0 in the reference's mean and are left out of the judge's.
    assert figures["absent"] > 0 and figures["mIoU"] < figures["mIoU/present"]


def test_what_the_judge_refuses_is_an_error_and_not_an_exit(tmp_path: Path) -> None:
    write_cityscapes(tmp_path, count=1)
    label = next(tmp_path.rglob("*labelIds.png"))
    with pytest.raises(ValueError, match="cityscapesscripts refused"):
        pixel_level_evaluation([tmp_path / "nowhere.png"], [label])
    # Its global state is as before: a second evaluation works.
    assert pixel_level_evaluation([label], [label])["averageScoreClasses"] == 1.0
