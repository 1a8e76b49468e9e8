"""The official layouts, their variants, and one clear message for each kind of bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from seg_fixtures import SAMPLES, blocks, picture, save, write_cityscapes, write_lip

from tasks import get_task
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.datasets import SegmentationEvalData, SegmentationTrainData
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES
from tasks.segmentation.files.class_tables.pascal_context import PASCAL_59, PASCAL_60, PASCAL_DETAIL_IDS

TASK = get_task("segmentation")
CITY, CONTEXT, HUMANS = (ENTRIES[name].protocol() for name in ("cityscapes", "pascal_context", "lip"))


def ids_of(root: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(root / f"gtFine/val/aachen/{name}_gtFine_labelIds.png"))


# -- Cityscapes --------------------------------------------------------------------------------------------------
def test_cityscapes_tree_and_list_give_the_same_samples(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    walked = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)
    lines = [f"{s.image}\t{s.label}" for s in walked.layout.samples]
    (tmp_path / "list" / "cityscapes").mkdir(parents=True)
    (tmp_path / "list" / "cityscapes" / "val.lst").write_text("\n".join(reversed(lines)) + "\n")
    listed = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)
    assert listed.image_ids() == walked.image_ids()[::-1] and len(listed) == 3
    assert listed.layout.files[0].name == "val.lst" and walked.layout.files == listed.layout.files[:0:-1]


def test_cityscapes_label_ids_become_train_ids(tmp_path: Path) -> None:
    from cityscapesscripts.helpers.labels import id2label

    write_cityscapes(tmp_path)
    data = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)
    label, ids = data.label(0), ids_of(tmp_path, data.image_ids()[0])
    assert label is not None
    expected = np.vectorize(lambda i: id2label[i].trainId)(ids)
    assert (label == expected).all() and (label == 255).any()


def test_an_evaluation_decodes_each_label_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cityscapes(tmp_path)
    data = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)
    right, read, decode = [data.label(index) for index in range(len(data))], list[int](), data.layout.label
    monkeypatch.setattr(data.layout, "label", lambda index: read.append(index) or decode(index))
    monkeypatch.setattr("tasks.segmentation.datasets.CHECKED", 2)
    for index in range(len(data)):
        assert len(data.checked) <= 2 and data[index]["index"] == index
    for index in (2, 1):
        np.testing.assert_array_equal(data.label(index), right[index])
    assert read == [0, 1, 2] and not data.checked
    assert data.label(0) is not None and read == [0, 1, 2, 0]


def test_class_tables_agree_with_the_official_ones() -> None:
    from cityscapesscripts.helpers.labels import trainId2label

    for k in range(19):
        official = trainId2label[k]
        assert (CITYSCAPES.names[k], CITYSCAPES.file_ids[k], CITYSCAPES.colours[k]) == (
            official.name,
            official.id,
            official.color,
        )
    assert len(PASCAL_60) == len(PASCAL_DETAIL_IDS) == 60 and PASCAL_59.names == PASCAL_60.names[1:]
    assert PASCAL_60.names[37] == "person" and PASCAL_60.names[59] == "wood" and PASCAL_DETAIL_IDS[37] == 284


def test_train_id_pngs_are_told_by_their_names(tmp_path: Path) -> None:
    write_cityscapes(tmp_path, 1)
    data = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)
    name = data.layout.samples[0].label
    label = data.label(0)
    assert name is not None and label is not None
    other = name.replace("labelIds", "labelTrainIds")
    save(tmp_path / other, label)
    (tmp_path / "val.lst").write_text(f"{data.layout.samples[0].image}\t{other}\n")
    assert (SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY).label(0) == label).all()


def test_test_split_has_pictures_alone(tmp_path: Path) -> None:
    write_cityscapes(tmp_path, split="test")
    data = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "test", CITY)
    assert len(data) == 3 and data.label(0) is None
    with pytest.raises(ValueError, match="split with labels to train on"):
        SegmentationTrainData(ENTRIES["cityscapes"], tmp_path, "test", SegmentationAugment((32, 32)), CITY, 0)


def test_missing_split_names_the_folder_and_counts_as_missing_data(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    with pytest.raises(FileNotFoundError, match="leftImg8bit/train: expected Cityscapes pictures"):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "train", CITY)
    files = TASK.data_files("cityscapes", tmp_path, "train", CITY)
    assert files == [tmp_path / "leftImg8bit" / "train"] and not files[0].exists()
    assert all(f.exists() for f in TASK.data_files("cityscapes", tmp_path, "val", CITY))


# -- LIP ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("columns", [0, 2, 3, 4])
def test_lip_lists_of_two_to_four_columns_and_none(tmp_path: Path, columns: int) -> None:
    write_lip(tmp_path, columns=columns)
    data = SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", HUMANS)
    assert data.image_ids() == ["0", "1", "2"]
    item = data[1]
    assert item["images"].shape == (3, 473, 473) and item["size_hw"] == (30, 50)
    label = data.label(1)
    assert label is not None and label.shape == (30, 50)


def test_lip_grey_jpegs_become_three_equal_channels(tmp_path: Path) -> None:
    write_lip(tmp_path)
    grey = SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", HUMANS).picture(2)
    assert grey.shape == (33, 33, 3) and (grey[..., 0] == grey[..., 2]).all()


# -- training ----------------------------------------------------------------------------------------------------
def test_training_items_depend_on_their_address_alone(tmp_path: Path) -> None:
    write_cityscapes(tmp_path, split="train")
    augment = SegmentationAugment((24, 40))
    one = SegmentationTrainData(ENTRIES["cityscapes"], tmp_path, "train", augment, CITY, 0)
    two = SegmentationTrainData(ENTRIES["cityscapes"], tmp_path, "train", augment, CITY, 0)
    two[(1, 0)], two[(0, 2)]
    assert (one[(0, 1)]["images"] == two[(0, 1)]["images"]).all() and (
        one[(0, 1)]["labels"] == two[(0, 1)]["labels"]
    ).all()
    assert (one[(0, 1)]["images"] != one[(1, 1)]["images"]).any()
    batch = one.collate([one[(0, 0)], one[(0, 1)]])
    assert batch["images"].shape == (2, 3, 24, 40) and batch["labels"].shape == (2, 24, 40)


# -- bad input ---------------------------------------------------------------------------------------------------
def label_path(root: Path) -> Path:
    return next((root / "gtFine" / "val" / "aachen").glob("*000000_000019_gtFine_labelIds.png"))


def test_colours_instead_of_ids(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    save(label_path(tmp_path), picture(np.random.default_rng(0), 32, 64))
    with pytest.raises(ValueError, match=r"000000_000019_gtFine_labelIds.png: .* got colours \(3 channels\)"):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY).label(0)


def test_instance_ids_instead_of_class_ids(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    save(label_path(tmp_path), np.full((32, 64), 26001, np.uint16))
    with pytest.raises(
        ValueError, match="8-bit class ids, got 16-bit values up to 26001; this looks like an instance png"
    ):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY).label(0)


def test_train_ids_where_label_ids_belong(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    save(label_path(tmp_path), blocks(np.random.default_rng(0), [0, 5, 255], 32, 64))
    with pytest.raises(
        ValueError, match=r"expected ids 0..33 .* got \[255\]; 255 marks ignored pixels in labelTrainIds"
    ):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY).label(0)


def test_the_cause_that_is_named_fits_the_id(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    save(label_path(tmp_path), np.full((32, 64), 77, np.uint8))
    with pytest.raises(ValueError, match=r"got \[77\]; the file belongs to another dataset or encoding"):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY).label(0)


def test_a_missing_label_of_a_walked_tree_blames_no_line(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    label_path(tmp_path).unlink()
    with pytest.raises(ValueError, match=r"labelIds.png, found no such file; complete the download") as caught:
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)
    assert "line" not in str(caught.value)


def test_a_label_of_another_size_than_its_picture(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    save(label_path(tmp_path), np.full((16, 32), 7, np.uint8))
    data = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)
    message = "expected a label map of the picture's size 64x32, got 32x16"
    with pytest.raises(ValueError, match=message):
        TASK.evaluation(data, CITY).add([0], [np.zeros((32, 64), np.uint8)])
    training = SegmentationTrainData(ENTRIES["cityscapes"], tmp_path, "val", SegmentationAugment((16, 16)), CITY, 0)
    with pytest.raises(ValueError, match=message):
        training[(0, 0)]


def test_a_list_line_with_a_missing_file(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    good = SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY).layout.samples[0]
    (tmp_path / "val.lst").write_text(f"{good.image}\t{good.label}\n\n{good.image}\tgtFine/val/nowhere.png\n")
    with pytest.raises(
        ValueError, match=r"val.lst:3: expected the label map .*gtFine/val/nowhere.png, found no such file"
    ):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", CITY)


def test_an_empty_list(tmp_path: Path) -> None:
    write_lip(tmp_path)
    (tmp_path / "valList.txt").write_text("\n\n")
    with pytest.raises(ValueError, match=r"valList.txt: expected one picture per line, got an empty list"):
        SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", HUMANS)


def test_a_list_line_with_too_many_or_too_few_columns(tmp_path: Path) -> None:
    write_lip(tmp_path)
    (tmp_path / "valList.txt").write_text("a b c d e\n")
    with pytest.raises(ValueError, match=r"valList.txt:1: expected 1 to 4 columns .* got 5"):
        SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", HUMANS)
    (tmp_path / "valList.txt").write_text("val_images/0.jpg\n")
    with pytest.raises(ValueError, match=r"valList.txt:1: expected 2 to 4 columns"):
        SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", HUMANS)


def test_paths_may_not_leave_the_dataset(tmp_path: Path) -> None:
    write_cityscapes(tmp_path / "cityscapes")
    (tmp_path / "cityscapes" / "val.lst").write_text("../secret.png\t../secret.png\n")
    with pytest.raises(ValueError, match="inside the data root"):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path / "cityscapes", "val", CITY)


# -- the real samples --------------------------------------------------------------------------------------------
@pytest.mark.skipif(not (SAMPLES / "cityscapes").is_dir(), reason=f"no samples at {SAMPLES}")
def test_real_frame_maps_as_its_own_train_ids_say() -> None:
    """Its pngs were reduced one by one, so that 77 pixels on borders differ between them."""
    data = SegmentationEvalData(ENTRIES["cityscapes"], SAMPLES / "cityscapes", "val", CITY)
    official = next((SAMPLES / "cityscapes").rglob("*_labelTrainIds.png"))
    label, expected = data.label(0), np.asarray(Image.open(official))
    assert len(data) == 1 and np.count_nonzero(label != expected) == 77
    assert set(np.unique(label)) == set(np.unique(expected))  # type: ignore[arg-type]


@pytest.mark.skipif(not (SAMPLES / "lip").is_dir(), reason=f"no samples at {SAMPLES}")
def test_real_lip_crop_opens_without_a_list() -> None:
    data = SegmentationEvalData(ENTRIES["lip"], SAMPLES / "lip", "train", HUMANS)
    label = data.label(0)
    assert data.image_ids() == ["684_2150041"] and label is not None and label.shape == data.picture(0).shape[:2]
    assert set(np.unique(label)) == {0, 2, 5, 13, 14, 15}
