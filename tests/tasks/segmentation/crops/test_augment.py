"""Mirroring is its own inverse, the odds are the reference's, padding is black and ignored, draws have addresses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from seg_fixtures import blocks, picture, write_lip

from tasks import get_task
from tasks.segmentation.crops.augment import SegmentationAugment, mirrored, padded, resized, scaled_size, train_sample
from tasks.segmentation.datasets import SegmentationTrainData
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES
from tasks.segmentation.files.class_tables.lip import LIP
from tasks.segmentation.files.classes import ClassTable
from tasks.segmentation.protocol import with_short_side
from tasks.segmentation.targets import mirrored_label

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("table", [CITYSCAPES, LIP])
def test_flip_twice_is_the_identity(table: ClassTable) -> None:
    label = blocks(RNG, [*range(len(table)), 255], 30, 41)
    once = mirrored_label(label, table)
    assert (mirrored_label(once, table) == label).all() and (once != label).any()
    mirror = table.mirror()
    assert (mirror[mirror] == np.arange(len(table))).all()


def test_lip_flip_swaps_left_and_right_classes() -> None:
    label = np.array([[14, 16, 18, 13, 255]], np.uint8)
    assert mirrored_label(label, LIP).tolist() == [[255, 13, 19, 17, 15]]


def test_scale_odds_top_out_at_2_1_and_lip_at_1_6() -> None:
    for dataset, top in (("cityscapes", 2.1), ("pascal_context", 2.1), ("lip", 1.6)):
        augment = ENTRIES[dataset].recipe("hrnet_w48", "full", "").augment
        assert augment.scale_min + augment.scale_steps / 10 == pytest.approx(top)


def test_scales_are_drawn_evenly_from_seventeen_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    from tasks.segmentation.crops import augment as module

    original = module.resized
    monkeypatch.setattr(module, "resized", lambda i, m, s: (seen.append(s), original(i, m, s))[1])
    image, label = picture(RNG, 20, 40), blocks(RNG, [1, 2], 20, 40)
    for index in range(400):
        train_sample(image, label, SegmentationAugment((20, 40)), CITYSCAPES, np.random.default_rng([0, 0, index]))
    widths = sorted({w for _, w in seen})
    assert widths == [int(40 * (0.5 + k / 10) + 0.5) for k in range(17)]
    shares = np.bincount([widths.index(w) for _, w in seen]) / 400
    assert shares.max() < 0.12 and shares.min() > 0.02


def test_sizes_at_a_scale() -> None:
    long = SegmentationAugment((480, 480), 520)
    assert scaled_size((375, 500), 1.0, long) == (390, 520) and scaled_size((500, 375), 2.1, long) == (1092, 819)
    assert with_short_side((375, 500), 520) == (520, 693) and with_short_side((500, 375), 520) == (693, 520)


def test_the_ocr_branch_scales_what_was_brought_to_a_short_side() -> None:
    """Short side 40 first, then the long side becomes 40 times the scale: 40x53 -> 30x40 at scale 1."""
    augment = SegmentationAugment((64, 64), 40, scale_min=1.0, scale_steps=0, flip=0, first_short_px=40)
    image, label = np.full((30, 40, 3), 200, np.uint8), np.full((30, 40), 3, np.uint8)
    made, labels = train_sample(image, label, augment, CITYSCAPES, np.random.default_rng(0))
    assert made.shape[:2] == (64, 64)
    assert (labels != 255).sum() == 30 * 40 and (made.sum(-1) > 0).sum() == 30 * 40


def test_padding_is_black_and_ignored_at_bottom_and_right() -> None:
    image, label = padded(np.full((3, 4, 3), 9, np.uint8), np.full((3, 4), 5, np.uint8), (5, 6))
    assert image.shape == (5, 6, 3) and (image[:3, :4] == 9).all() and image[3:].sum() + image[:, 4:].sum() == 0
    assert (label[:3, :4] == 5).all() and (label[3:] == 255).all() and (label[:, 4:] == 255).all()


def test_mirrored_crops_are_padded_on_the_left() -> None:
    """The references mirror what was padded, so that the picture stands at the right border."""
    augment = SegmentationAugment((40, 50), 30, scale_min=1.0, scale_steps=0, flip=1.0)
    image, label = np.full((20, 30, 3), 200, np.uint8), np.full((20, 30), 3, np.uint8)
    made, labels = train_sample(image, label, augment, CITYSCAPES, np.random.default_rng(0))
    assert (labels[:20, 20:] == 3).all() and (labels[:, :20] == 255).all() and (labels[20:] == 255).all()
    assert (made[:20, 20:] == 200).all() and not made[:, :20].any()


@pytest.mark.parametrize("dataset", ["cityscapes", "pascal_context", "lip"])
def test_labels_are_mirrored_where_the_reference_mirrors_them(dataset: str) -> None:
    """Cityscapes and PASCAL Context resize, then mirror; LIP mirrors, then squashes. Nearest neighbours tell which."""
    table = LIP if dataset == "lip" else CITYSCAPES
    image, label = (
        picture(RNG, 33, 47),
        np.ascontiguousarray(blocks(RNG, [*range(len(table)), 255], 264, 376)[::8, ::8]),
    )
    squash = dataset == "lip"
    base = SegmentationAugment((29, 40), 0 if squash else 40, scale_min=1.0, scale_steps=0, squash=squash)
    shrunk = (29, 40) if squash else scaled_size((33, 47), 1.0, base)
    other_side = mirrored_label(resized(image, label, shrunk)[1], table)
    before = resized(*mirrored(image, label, table), shrunk)[1]
    assert (other_side != before).any()
    _, made = train_sample(image, label, replace(base, flip=1.0), table, np.random.default_rng(0))
    found = made[: shrunk[0]] if squash else made[: shrunk[0], 40 - shrunk[1] :]
    assert (found == (before if squash else other_side)).all()


def test_training_data_mirror_lips_pictures_as_they_are_stored(tmp_path: Path) -> None:
    write_lip(tmp_path, "train")
    protocol = get_task("segmentation").protocol("lip")
    augment = SegmentationAugment((20, 20), 20, scale_min=1.0, scale_steps=0, flip=1.0, squash=True)
    data = SegmentationTrainData(ENTRIES["lip"], tmp_path, "train", augment, protocol, 0)
    stored = data.layout.label(0)
    assert stored is not None and stored.shape != (20, 20)
    expected = resized(np.zeros((*stored.shape, 3), np.uint8), mirrored_label(stored, LIP), (20, 20))[1]
    for _ in range(2):  # from the file, and from memory
        assert (data[0, 0]["labels"] == expected).all()


def test_labels_are_resized_without_new_classes() -> None:
    label = blocks(RNG, [0, 18, 255], 40, 40)
    _, bigger = resized(picture(RNG, 40, 40), label, (57, 91))
    assert set(np.unique(bigger)) == set(np.unique(label))


def test_a_sample_is_a_function_of_its_address() -> None:
    image, label = picture(RNG, 32, 64), blocks(RNG, [*range(20)], 32, 64)
    augment = SegmentationAugment((24, 24), scale_steps=11, squash=True)

    def sample(*address: int) -> tuple[np.ndarray, np.ndarray]:
        return train_sample(image, label, augment, LIP, np.random.default_rng(list(address)))

    first, again, other = sample(0, 1, 2), sample(0, 1, 2), sample(0, 1, 3)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).any() and first[0].shape == (24, 24, 3) and first[1].shape == (24, 24)
