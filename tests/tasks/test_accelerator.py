"""Bytes that are normalised by torch have the bits of those that are normalised by NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.engine.steps.moving import Mover
from tasks.accelerator import is_far, looked_up, taken_as_far
from tasks.detection.geometry import values_of
from tasks.detection.protocol import DetectionProtocol
from tasks.images import byte_values, look_up
from tasks.pose.crops.person_crop import person_values
from tasks.pose.protocol import MpiiProtocol

TABLES = {
    "imagenet": byte_values(),
    "mpii": person_values(MpiiProtocol(normaliser="mpii_mean")),
    "bgr": values_of(DetectionProtocol(colour="bgr")),
    "caffe": values_of(DetectionProtocol(colour="bgr_caffe")),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("shape", [(5, 7, 3), (2, 6, 4, 3), (2, 3, 4, 5, 3)])
def test_bytes_are_looked_up_to_the_same_bits(table: str, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    values = TABLES[table]
    found = looked_up(torch.from_numpy(pixels), torch.from_numpy(values))
    assert np.array_equal(found.numpy(), look_up(pixels, values))


def test_a_batch_comes_channels_last() -> None:
    made = Mover(byte_values())({"images": torch.zeros(2, 4, 6, 3, dtype=torch.uint8)})["images"]
    assert made.shape == (2, 3, 4, 6) and made.is_contiguous(memory_format=torch.channels_last)


def test_floats_stay_and_other_entries_too() -> None:
    batch = {"images": torch.randn(2, 3, 4, 4), "labels": torch.zeros(2, 4, 4, dtype=torch.uint8), "name": "x"}
    made = Mover(byte_values())(batch)
    assert made["images"] is batch["images"] and torch.equal(made["labels"], batch["labels"]) and made["name"] == "x"


def test_what_was_padded_is_zero_after_normalising() -> None:
    batch = {"images": torch.full((2, 4, 6, 3), 9, dtype=torch.uint8), "sizes_hw": [(4, 5), (2, 6)]}
    made = Mover(byte_values())(batch)["images"]
    assert (made[0, :, :, 5:] == 0).all() and (made[1, :, 2:] == 0).all()
    assert (made[0, :, :, :5] != 0).all() and (made[1, :, :2] != 0).all()


def test_only_an_accelerator_is_far() -> None:
    cpu = torch.device("cpu")
    assert is_far(torch.device("cuda:1")) and not is_far(cpu)
    with taken_as_far():
        assert is_far(cpu)
    assert not is_far(cpu)
