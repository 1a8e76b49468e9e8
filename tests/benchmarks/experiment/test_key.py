"""The key: it changes with everything that can move a number, and with nothing else. A plan tells what is missing or stale."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

import tasks
from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.code_version import code_files
from benchmarks.experiment.key import cell_key, changed_parts, key_parts
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.experiment.suite import Suite
from benchmarks.running.plan import DONE, MISSING_DATA, STALE, TO_RUN, plan
from benchmarks.store.store import Store
from benchmarks.synthetic.cache import ensure


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure("coco", tmp_path_factory.mktemp("keys"), "smoke")


@pytest.fixture
def places(_made: Path, tmp_path: Path) -> Places:
    """The smallest embedded people as if they were real ones."""
    shutil.copytree(_made, tmp_path / "data" / "coco")
    return Places(out=tmp_path / "runs", embedded=tmp_path / "embedded", data_root=tmp_path / "data")


def _real(**protocol: str) -> Cell:
    return make_cell("pose", "coco", "hrnet_micro_w8", protocol=protocol)


def _annotations(places: Places, split: str) -> Path:
    assert places.data_root is not None
    return places.data_root / "coco" / "annotations" / f"person_keypoints_{split}.json"


def test_training_annotations_are_part_of_the_key(places: Places) -> None:
    cell, train = _real(), _annotations(places, "train2017")
    usual = cell_key(resolve(cell, places))
    assert key_parts(resolve(cell, places))["training_data"].startswith("train2017:")
    text = train.read_text()
    train.write_text(text + "\n")
    other = cell_key(resolve(cell, places))
    train.unlink()
    fallback = cell_key(resolve(cell, places))
    assert len({usual, other, fallback}) == 3
    resolved = resolve(cell, places)
    assert resolved.train_split == "val2017" and resolved.train_note is not None
    train.write_text(text)
    assert cell_key(resolve(cell, places)) == usual


def test_a_fallback_result_is_stale_once_the_training_split_arrives(places: Places) -> None:
    cell, train = _real(), _annotations(places, "train2017")
    text = train.read_text()
    train.unlink()
    _store(cell, places)
    suite = Suite("test", (cell,), ())
    assert plan(suite, places)[0].status == DONE
    train.write_text(text)
    (item,) = plan(suite, places)
    assert item.status == STALE and item.detail == "changed: training data"


def test_of_training_pictures_the_sizes_count(places: Places, tmp_path: Path) -> None:
    root = tmp_path / "data" / "imagenet"
    for split in ("train", "val"):
        (root / split / "n01440764").mkdir(parents=True)
        (root / split / "n01440764" / "a.JPEG").write_bytes(b"12345")
    names = ["n01440764", *(f"n9{number:07d}" for number in range(999))]
    (root / "classes.txt").write_text("\n".join(names) + "\n")
    cell = make_cell("classification", "imagenet", "hrnet_micro_w8")
    usual = key_parts(resolve(cell, places))["training_data"]
    (root / "train" / "n01440764" / "b.JPEG").write_bytes(b"1")
    assert key_parts(resolve(cell, places))["training_data"] != usual


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("simple_baseline_micro", {"simple_baseline.py", "resnet.py"}),
        (
            "simple_baseline_mobilenetv2",
            {"simple_baseline_others.py", "simple_baseline.py", "resnet.py", "shufflenet_v1.py", "conv_module.py"},
        ),
        ("resnet50", {"resnet.py"}),
        ("hrnet_w32", set()),
    ],
)
def test_code_takes_in_what_a_body_imports(model: str, names: set[str]) -> None:
    found = {path.name for path in code_files("pose", model, False) if "baselines" in path.parts}
    assert found == names


def test_code_takes_in_what_tasks_share_and_no_other_task() -> None:
    root = Path(tasks.__file__).parent
    found = [path.relative_to(root).parts for path in code_files("pose", "hrnet_w32", False) if root in path.parents]
    shared = {"coco", "declarations", "files", "heatmaps", "readings", "tracking"}
    assert {parts[0] for parts in found if len(parts) > 1} == shared | {"pose"}
    assert ("geometry.py",) in found


def test_loader_processes_are_no_part_of_the_identity() -> None:
    cell = _real()
    assert cell.recipe is not None and cell.recipe.num_workers > 0
    other = dataclasses.replace(cell, recipe=dataclasses.replace(cell.recipe, num_workers=0))
    assert other.id == cell.id and other != cell
    assert dataclasses.replace(cell, recipe=dataclasses.replace(cell.recipe, epochs=1)).id != cell.id


def _store(cell: Cell, places: Places, **record: object) -> None:
    parts = key_parts(resolve(cell, places))
    Store(places.out).save(
        {
            "id": cell.id,
            "name": cell.name,
            "status": "done",
            "figures": {},
            "headline": "AP",
            "cell": cell.identity(),
            "key": cell_key(resolve(cell, places)),
            "provenance": {"key_parts": parts},
            **record,
        }
    )


def test_the_detector_is_part_of_the_key_of_the_pose_on_its_boxes(places: Places) -> None:
    detector = make_cell("detection", "coco", "hrnet_micro_w8", tier="smoke")
    pose = make_cell(
        "pose", "coco", "hrnet_micro_w8", tier="smoke", protocol={"boxes": "detector"}, boxes_from=detector.id
    )
    suite = Suite("test", (detector, pose), ())
    without = cell_key(resolve(pose, places))
    _store(detector, places)
    usual = cell_key(resolve(pose, places))
    _store(pose, places)
    assert [item.status for item in plan(suite, places)] == [DONE, DONE]
    _store(detector, places, key="another")
    assert len({without, usual, cell_key(resolve(pose, places))}) == 3
    first, second = plan(suite, places)
    assert (first.status, second.status) == (STALE, STALE) and "boxes" in second.detail
    # The detector is to run again, though its key is what the pose was made with: the pose follows it.
    _store(detector, places)
    shutil.rmtree(Store(places.out).folder("detection", detector.id))
    _store(pose, places)
    first, second = plan(suite, places)
    assert (first.status, second.status) == (TO_RUN, STALE) and "runs anew" in second.detail


def test_a_stale_cell_names_what_changed(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = _real()
    _store(cell, places)
    record = Store(places.out).load("pose", cell.id)
    assert (
        record is not None
        and changed_parts(resolve(cell, places), record.record.key, record.record.provenance.key_parts) == []
    )
    monkeypatch.setattr("benchmarks.experiment.key.code_version", lambda *a: "another")
    assert changed_parts(resolve(cell, places), record.record.key, record.record.provenance.key_parts) == ["code"]


def test_missing_boxes_cost_one_cell_of_the_plan(places: Places) -> None:
    assert places.data_root is not None
    shutil.rmtree(places.data_root / "coco" / "person_detection_results")
    one, other = plan(Suite("test", (_real(boxes="detector"), _real()), ()), places)
    assert one.status == MISSING_DATA and "COCO_val2017_detections_AP_H_56_person.json" in one.detail
    assert other.status == TO_RUN


def test_ambiguous_boxes_cost_one_cell_of_the_plan(places: Places) -> None:
    assert places.data_root is not None
    folder = places.data_root / "coco" / "person_detection_results"
    for name in ("A", "B"):
        (folder / f"COCO_val2017_detections_{name}_person.json").write_text("[]")
    one, other = plan(Suite("test", (_real(boxes="detector"), _real()), ()), places)
    assert one.status == MISSING_DATA and "boxes_file" in one.detail
    assert other.status == TO_RUN


def test_a_missing_file_is_named_with_the_fix(places: Places) -> None:
    _annotations(places, "val2017").unlink()
    with pytest.raises(FileNotFoundError, match=r"val2017.*person_keypoints_val2017\.json.*tasks/pose/README\.md"):
        cell_key(resolve(_real(), places))


def test_parts_are_plain_data(places: Places) -> None:
    parts = key_parts(resolve(_real(), places))
    assert json.loads(json.dumps(parts)) == parts
    assert set(parts) == {"identity", "data", "training_data", "weights", "boxes", "task_version", "code"}


def test_an_id_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.experiment import cell as module

    hashed: list[object] = []
    monkeypatch.setattr(module, "digest", lambda plain: hashed.append(plain) or "0" * 64)
    cell = make_cell("pose", "coco", "hrnet_w32")
    assert {cell.id, cell.id, cell.fingerprint()[:12]} == {"0" * 12} and len(hashed) == 1
