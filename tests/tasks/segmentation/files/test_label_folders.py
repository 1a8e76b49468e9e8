"""ADE20K and COCO-Stuff: official classes, ids of label files, folders of equal stems."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tasks import get_task
from tasks.segmentation.files.ade20k_classes import ADE20K
from tasks.segmentation.files.coco_stuff_classes import COCO_STUFF

TASK = get_task("segmentation")
CASES = {
    "ade20k": ("val", "images/validation", "annotations/validation", {0: 255, 1: 0, 150: 149}),
    "coco_stuff": ("test", "val/image", "val/label", {0: 255, 1: 0, 13: 11, 90: 79, 92: 80, 182: 170, 12: 255}),
}


def test_class_lists() -> None:
    assert (len(ADE20K), ADE20K.names[0], ADE20K.names[12], ADE20K.names[149]) == (150, "wall", "person", "flag")
    assert (len(COCO_STUFF), COCO_STUFF.names[79:81], COCO_STUFF.names[170]) == (171, ("toothbrush", "banner"), "wood")
    for table in (ADE20K, COCO_STUFF):
        assert len(set(table.names)) == len(set(table.colours)) == len(table)


@pytest.mark.parametrize("name", CASES)
def test_labels_are_read_as_classes(name: str, tmp_path: Path) -> None:
    split, images, labels, ids = CASES[name]
    for folder in (images, labels):
        (tmp_path / folder).mkdir(parents=True)
    held = np.array([list(ids)] * 4, np.uint8)
    cv2.imwrite(str(tmp_path / images / "one.jpg"), np.zeros((*held.shape, 3), np.uint8))
    cv2.imwrite(str(tmp_path / labels / "one.png"), held)
    protocol = TASK.protocol(name)
    data = TASK.eval_data(name, tmp_path, split, protocol)
    assert data.image_ids() == ["one"]
    assert np.array_equal(data.layout.label(0), [list(ids.values())] * 4)
    assert TASK.data_files(name, tmp_path, split, protocol) == [tmp_path / labels / "one.png"]
    (tmp_path / labels / "one.png").unlink()
    with pytest.raises(ValueError, match="expected label maps"):
        TASK.eval_data(name, tmp_path, split, protocol)


@pytest.mark.parametrize("name", CASES)
def test_protocol_is_the_ocr_branchs(name: str) -> None:
    protocol = TASK.protocol(name)
    assert (protocol.view, protocol.crop_hw, protocol.first_short_px, protocol.pad_multiple) == (
        "windows",
        (520, 520),
        520,
        8,
    )
    assert protocol.flip and protocol.scales[0] == 0.5 and protocol.scales[-1] == 2.0
    recipe = TASK.recipe(name, "hrnet_w48_ocr", "full")
    assert (recipe.batch_size, recipe.loss, recipe.extra["aux_weight"]) == (16, "ohem", 0.4)
