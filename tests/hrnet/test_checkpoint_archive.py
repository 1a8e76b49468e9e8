"""A flipped bit in a file of weights is seen, or changes nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch

from hrnet.checkpoints.archive import damaged_entry
from hrnet.checkpoints.reading import read_checkpoint
from hrnet.checkpoints.report import CheckpointError


def _content() -> dict[str, object]:
    generator = torch.Generator().manual_seed(0)
    state = {f"w{index}": torch.randn(3, 2, generator=generator) for index in range(4)}
    return {"format": "hrnet-benchmark", "state_dict": state}


def _saved() -> bytes:
    buffer = io.BytesIO()
    torch.save(_content(), buffer)
    return buffer.getvalue()


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def test_no_flipped_bit_changes_what_is_loaded() -> None:
    data, wanted = _saved(), _content()["state_dict"]
    assert damaged_entry(io.BytesIO(data)) is None
    unseen = 0
    for bit in range(0, 8 * len(data), 3):
        changed = _flipped(data, bit)
        if damaged_entry(io.BytesIO(changed)) is not None:
            continue
        try:
            found = torch.load(io.BytesIO(changed), weights_only=True)["state_dict"]
        except Exception:  # whatever torch says: it is seen
            continue
        unseen += 1
        assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in wanted.items()}, bit  # type: ignore[attr-defined]
    assert unseen > 0  # padding and dates


def test_an_entry_that_says_it_is_a_folder_is_damaged() -> None:
    data = _saved()
    place = data.rindex(b"archive/data/0") - 8  # the attributes of the first tensor in the list of entries
    assert damaged_entry(io.BytesIO(_flipped(data, 8 * place + 4))) == "archive/data/0"


@pytest.mark.parametrize("copied", [False, True])
def test_damaged_weights_are_refused_wherever_they_lie(tmp_path: Path, copied: bool) -> None:
    path = tmp_path / "weights.pt"
    data = _saved()
    value = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).numpy().tobytes()
    path.write_bytes(_flipped(data, 8 * data.index(value) + 5))
    if copied:
        path = path.rename(tmp_path / "another_name.pth")
    with pytest.raises(CheckpointError, match=r"is damaged: archive/data/0 is not what was written\. Download or copy"):
        read_checkpoint(path)


def test_a_file_without_checksums_is_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(_content()["state_dict"], path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert set(read_checkpoint(path).state) == {"w0", "w1", "w2", "w3"}
    torch.save(_content()["state_dict"], path, _use_new_zipfile_serialization=False)
    assert set(read_checkpoint(path).state) == {"w0", "w1", "w2", "w3"}
