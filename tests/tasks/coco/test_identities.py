"""Ids of pictures as texts, and who refers to them."""

from __future__ import annotations

from pathlib import Path

import judged
import numpy as np

from tasks import get_task
from tasks.coco.identities import texts_of
from tasks.pose.protocol import CocoProtocol


def test_ids_of_one_text_stay_apart() -> None:
    assert texts_of((1, 7, "a")) == ("1", "7", "a")
    assert texts_of((7, "7", "8")) == ("7", '"7"', "8")


def test_pictures_of_ids_7_and_text_7_are_two_clusters(tmp_path: Path) -> None:
    truth = judged.persons(pictures=2, each=2)
    ids = {truth["images"][0]["id"]: 7, truth["images"][1]["id"]: "7"}
    for image in truth["images"]:
        image["id"] = ids[image["id"]]
    for annotation in truth["annotations"]:
        annotation["image_id"] = ids[annotation["image_id"]]
    judged.lay(tmp_path, truth, "person_keypoints")
    data = get_task("pose").eval_data("coco", tmp_path, "val2017", CocoProtocol())
    assert set(data.image_ids()) == {"7", '"7"'}
    evaluation = get_task("pose").evaluation(data, CocoProtocol())
    evaluation.add(range(len(data)), list(np.ones((len(data), 17, 3))))
    assert len(np.unique(evaluation.stats()["image"])) == 2
