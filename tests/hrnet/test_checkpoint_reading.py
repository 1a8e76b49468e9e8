"""Files as they come: wrappers, prefixes, other formats, and everything that is no checkpoint."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_names import foreign
from torch import Tensor, nn

from hrnet import CheckpointError, build_backbone, identify_checkpoint, load_checkpoint
from hrnet.checkpoints.reading import read_checkpoint
from tasks import build_model

MICRO = "hrnet_micro_w8"


@pytest.fixture(scope="module")
def pose_state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return foreign(build_model("pose", MICRO, "coco").state_dict(), "pose")


def with_prefix(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in state.items()}


def test_training_checkpoints_of_the_pose_repository(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    payload = {
        "epoch": 209,
        "model": "pose_hrnet",
        "state_dict": with_prefix(pose_state, "module."),
        "best_state_dict": pose_state,
        "perf": np.float64(0.74),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-3}]},
    }
    torch.save(payload, tmp_path / "checkpoint.pth")
    raw = read_checkpoint(tmp_path / "checkpoint.pth")
    assert raw.state.keys() == pose_state.keys() and raw.prefix == "module."
    assert any("best_state_dict" in note for note in raw.notes)


@pytest.mark.parametrize(
    "wrapper", [("state_dict",), ("model",), ("best_state_dict",), ("ema",), ("model", "state_dict")]
)
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module.model.", "_orig_mod.module."])
def test_wrappers_and_prefixes(
    wrapper: tuple[str, ...], prefix: str, pose_state: dict[str, Tensor], tmp_path: Path
) -> None:
    payload: object = with_prefix(pose_state, prefix)
    for name in reversed(wrapper):
        payload = {name: payload, "epoch": 3}
    torch.save(payload, tmp_path / "file.pth")
    raw = read_checkpoint(tmp_path / "file.pth")
    assert raw.state.keys() == pose_state.keys() and raw.prefix == prefix
    assert raw.extra["epoch"] == 3


def test_the_losses_weights_do_not_hide_the_prefix(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    state = with_prefix(pose_state, "model.") | {"loss.criterion.weight": torch.ones(19)}
    torch.save(state, tmp_path / "best.pth")
    raw = read_checkpoint(tmp_path / "best.pth")
    assert raw.state.keys() == pose_state.keys() and set(raw.dropped) == {"loss.criterion.weight"}


def test_files_of_the_old_format(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(pose_state, tmp_path / "old.pth.tar", _use_new_zipfile_serialization=False)
    assert read_checkpoint(tmp_path / "old.pth.tar").state.keys() == pose_state.keys()


def write_safetensors(path: Path, state: dict[str, Tensor]) -> None:
    header, blobs, at = {}, [], 0
    for key, value in state.items():
        blob = value.contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.int64: "I64"}[value.dtype]
        header[key] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def test_safetensors(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_safetensors(path, pose_state)
    raw = read_checkpoint(path)
    assert all(torch.equal(raw.state[key], value) for key, value in pose_state.items())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cut off"):
        read_checkpoint(path)


class PickledModule(nn.Module):
    """Stands for a class of somebody's repository."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 2)


@pytest.mark.parametrize("inside", [True, False])
def test_pickled_code_is_refused_with_the_way_to_convert(inside: bool, tmp_path: Path) -> None:
    module = PickledModule()
    torch.save({"state_dict": module, "epoch": 1} if inside else module, tmp_path / "model_best.pth")
    with pytest.raises(CheckpointError, match="refused") as caught:
        read_checkpoint(tmp_path / "model_best.pth")
    text = str(caught.value)
    assert "PickledModule" in text and "python -c" in text and "model_best.weights.pth" in text


def test_the_conversion_command_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"state_dict": PickledModule(), "epoch": 1}, tmp_path / "model_best.pth")
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(tmp_path / "model_best.pth")
    line = next(line for line in str(caught.value).splitlines() if "python -c" in line)
    monkeypatch.chdir(tmp_path)
    exec(line.split('"', 1)[1].rsplit('"', 1)[0], {})
    assert set(read_checkpoint(tmp_path / "model_best.weights.pth").state) == {"head.weight", "head.bias"}


def test_a_malicious_file_does_not_run(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    (tmp_path / "bad.pth").write_bytes(pickle.dumps({"state_dict": Harm()}, protocol=2))
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / "bad.pth")
    assert not (tmp_path / "ran").exists()


def test_cut_off_files(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(pose_state, tmp_path / "whole.pth")
    torch.save(pose_state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("whole.pth", "old.pth"):
        data = (tmp_path / name).read_bytes()
        for share in (0.02, 0.3, 0.999):
            (tmp_path / "cut.pth").write_bytes(data[: int(len(data) * share)])
            with pytest.raises(CheckpointError, match=r"cut\.pth cannot be read"):
                read_checkpoint(tmp_path / "cut.pth")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
        (b'{"images": []}', "json"),
        (b"\xff\xd8\xff\xe0 picture", "picture"),
        (b"hello", "starts with"),
        (b"PK\x03\x04 not really a zip", "cannot be read"),
    ],
)
def test_files_that_are_no_checkpoints(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=says) as caught:
        identify_checkpoint(tmp_path / "file.pth")
    assert "file.pth" in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"No checkpoint at .*Beside it: other\.pth"):
        read_checkpoint(tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match="folder"):
        read_checkpoint(tmp_path)


def test_files_without_weights_or_of_no_family(tmp_path: Path) -> None:
    for payload, says in (({"epoch": 3}, "no network weights"), ([1, 2], "list"), (torch.zeros(3), "Tensor")):
        torch.save(payload, tmp_path / "file.pth")
        with pytest.raises(CheckpointError, match=says):
            identify_checkpoint(tmp_path / "file.pth")
    torch.save({"encoder.block.weight": torch.zeros(3)}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match=r"no family known here: 1 tensors under encoder"):
        load_checkpoint(build_backbone(MICRO), tmp_path / "file.pth")
