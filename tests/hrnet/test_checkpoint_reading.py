"""Files as they come: wrappers, prefixes, other formats, and everything that is no checkpoint."""

from __future__ import annotations

import json
import pickle
import shlex
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
    "wrapper",
    [
        *((name,) for name in ("state_dict", "model", "best_state_dict", "ema", "net", "weights", "params", "module")),
        ("ema_state_dict",),
        ("model", "state_dict"),
    ],
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
    monkeypatch.chdir(tmp_path)
    exec(conversion(str(caught.value)), {})
    assert set(read_checkpoint(tmp_path / "model_best.weights.pth").state) == {"head.weight", "head.bias"}


def conversion(message: str) -> str:
    """The Python code of the command that a refusal gives."""
    return shlex.split(next(line for line in message.splitlines() if "python -c" in line))[2]


@pytest.mark.parametrize("name", ["a b.pth", 'quote".pth', "quote's$HOME.pth"])
@pytest.mark.parametrize("kind", ["module", "net", "nested", "beside an optimiser"])
def test_the_conversion_command_writes_what_it_promises(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = PickledModule()
    momentum = {"state": {k: {"exp_avg": torch.zeros(2), "step": torch.ones(1)} for k in range(9)}, "param_groups": []}
    payload = {
        "module": module,
        "net": {"net": module, "epoch": 3},
        "nested": {"generator": {"weights": module.state_dict(), "class": PickledModule}},
        "beside an optimiser": {"optimizer": momentum, "network": module},
    }[kind]
    torch.save(payload, tmp_path / name)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    exec(conversion(str(caught.value)), {})
    made = read_checkpoint((tmp_path / name).with_suffix(".weights.pth"))
    assert torch.equal(made.state["head.weight"], module.head.weight) and set(made.state) == {
        "head.weight",
        "head.bias",
    }


def test_the_conversion_command_fails_where_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"model": PickledModule, "epoch": 1}, tmp_path / "none.pth")
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(tmp_path / "none.pth")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="no named tensors"):
        exec(conversion(str(caught.value)), {})
    assert not (tmp_path / "none.weights.pth").exists()


@pytest.mark.parametrize(
    ("beside", "prefix"),
    [
        ({"n_averaged": torch.tensor(7)}, "module."),  # torch.optim.swa_utils.AveragedModel
        ({"train_acc.tp": torch.zeros(17), "val_acc.fp": torch.zeros(17)}, "model."),  # metrics of a training loop
        ({"initted": torch.tensor(1), "step": torch.tensor(9)}, "ema_model."),
    ],
)
def test_what_stands_beside_the_network_does_not_hide_its_prefix(
    beside: dict[str, Tensor], prefix: str, pose_state: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save({"state_dict": with_prefix(pose_state, prefix) | beside}, tmp_path / "file.pth")
    raw = read_checkpoint(tmp_path / "file.pth")
    assert raw.state.keys() == pose_state.keys() and raw.prefix == prefix and set(raw.dropped) == set(beside)


def test_a_teacher_beside_the_student(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    teacher = {key: value + 1 for key, value in pose_state.items()}
    both = with_prefix(pose_state, "student.") | with_prefix(teacher, "teacher.")
    torch.save({"state_dict": both, "epoch": 3}, tmp_path / "file.pth")
    key = "final_layer.weight"
    raw = read_checkpoint(tmp_path / "file.pth")
    assert torch.equal(raw.state[key], pose_state[key]) and any("teacher." in note for note in raw.notes)
    assert raw.state.keys() == pose_state.keys()
    for chosen in ("teacher", "state_dict.teacher"):
        raw = read_checkpoint(tmp_path / "file.pth", chosen)
        assert torch.equal(raw.state[key], teacher[key]) and raw.state.keys() == pose_state.keys()
    said = r"expected weights under 'tutor' \(--state\), found none. The file holds state_dict"
    with pytest.raises(CheckpointError, match=said):
        read_checkpoint(tmp_path / "file.pth", "tutor")


def test_one_of_several_weights_is_chosen(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    payload = {
        "model": with_prefix(pose_state, "module."),
        "ema_state_dict": {k: v + 1 for k, v in pose_state.items()},
        "mine": {"v": {k: v + 2 for k, v in pose_state.items()}},
        "epoch": 3,
    }
    torch.save(payload, tmp_path / "file.pth")
    key = "final_layer.bias"
    for chosen, more in ((None, 0), ("model", 0), ("ema_state_dict", 1), ("mine.v", 2)):
        raw = read_checkpoint(tmp_path / "file.pth", chosen)
        assert torch.equal(raw.state[key], pose_state[key] + more) and raw.extra["epoch"] == 3


def test_a_compiled_inner_module(pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    renamed = {k.replace("stage4.", "stage4._orig_mod."): v for k, v in pose_state.items()}
    torch.save(renamed, tmp_path / "file.pth")
    assert read_checkpoint(tmp_path / "file.pth").state.keys() == pose_state.keys()


@pytest.mark.parametrize("kind", ["float8_e4m3fn", "complex64"])
def test_values_that_need_scales_are_named(kind: str, tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(4).to(getattr(torch, kind))}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match=rf"quantised or complex weights \({kind}: conv1\.weight\)"):
        read_checkpoint(tmp_path / "file.pth")


def test_fp8_in_safetensors_is_named(tmp_path: Path) -> None:
    header = json.dumps({"conv1.weight": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(CheckpointError, match=r"values of the kind F8_E4M3 \(conv1\.weight\)"):
        read_checkpoint(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "value",
    [np.int8(3), np.uint32(3), np.str_("best"), np.bytes_(b"x"), np.complex128(1j), np.datetime64("2024-01-01")],
)
def test_odd_numpy_scalars_are_plain_data(value: object, pose_state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({"state_dict": pose_state, "best": value}, tmp_path / "file.pth")
    assert read_checkpoint(tmp_path / "file.pth").extra["best"] == value


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


@pytest.mark.parametrize(
    "option", [{"pretrained": True}, {"pretrained_cfg": {"url": "http://x"}}, {"checkpoint_path": "/etc/x"}]
)
def test_a_file_cannot_make_a_builder_fetch(tmp_path: Path, option: dict[str, object]) -> None:
    path = tmp_path / "weights.pt"
    build = {"task": "segmentation", "model": "timm:resnet18", "dataset": "lip", "changes": option}
    torch.save({"format": "hrnet-benchmark", "build": build, "state_dict": {"body.w": torch.zeros(2)}}, path)
    with pytest.raises(CheckpointError, match=rf"built with {next(iter(option))}=.*fetch or read other files.*refused"):
        identify_checkpoint(path)


def test_a_builder_that_fetched_nothing_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    build = {"task": "segmentation", "model": "timm:resnet18", "dataset": "lip", "changes": {"pretrained": False}}
    torch.save({"format": "hrnet-benchmark", "build": build, "state_dict": {"body.w": torch.zeros(2)}}, path)
    assert identify_checkpoint(path).changes == {}
