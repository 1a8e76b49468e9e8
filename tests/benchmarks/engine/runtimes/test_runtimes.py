"""Exported files and runtimes give the network's own outputs, at any batch and size that they say they take."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

import tasks
from benchmarks.engine.runtimes import packages
from benchmarks.engine.runtimes.execution import executed
from benchmarks.engine.runtimes.files import export
from benchmarks.engine.runtimes.graph import example, graph_of
from benchmarks.engine.runtimes.sessions import open_file
from benchmarks.experiment.cell import cell_from_identity, make_cell, with_runtime

CPU = torch.device("cpu")
KINDS = [("onnx", "net.onnx", "onnxruntime"), ("openvino", "net.xml", "openvino"), ("torch", "net.pt2", "")]


def needs(*packages_: str) -> None:
    """Skips a test by what is not installed; imports nothing."""
    for name in packages_:
        if find_spec(name) is None:
            pytest.skip(f"needs {name}")


def seeded(task: str, model: str, dataset: str) -> nn.Module:
    torch.manual_seed(0)
    network = tasks.build_model(task, model, dataset).eval()
    for module in network.modules():  # outputs that differ from picture to picture
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return network


def share_of_largest(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize(("kind", "name", "package"), KINDS)
def test_a_file_takes_any_batch_and_size(kind: str, name: str, package: str, tmp_path: Path) -> None:
    if package:
        needs(package, "onnxscript")
    network = seeded("segmentation", "resnet_micro_w10", "cityscapes")
    made = export(network, kind, tmp_path / name, (64, 96), {"task": "segmentation", "mean": [0.1, 0.2, 0.3]})
    assert made.any_size
    session = open_file(made.path)
    for batch, size in ((1, (64, 96)), (3, (96, 64))):
        images = example(size, batch, seed=batch)
        with torch.no_grad():
            expected = network(images)
        [found] = session(images)
        assert found.shape == expected.shape and share_of_largest(found, expected) < 1e-4
    assert expected.std() > 1e-3
    if kind == "onnx":
        import onnx

        props = {entry.key: entry.value for entry in onnx.load(str(made.path)).metadata_props}
        assert props == {"task": "segmentation", "mean": "[0.1, 0.2, 0.3]"}
    if kind == "openvino":
        assert "[0.1, 0.2, 0.3]" in made.path.read_text(encoding="utf-8")


def test_every_stack_and_a_detectors_pyramid(tmp_path: Path) -> None:
    for task, model, dataset in (("landmarks", "hourglass_micro_w16", "300w"), ("detection", "resnet_micro", "coco")):
        network = seeded(task, model, dataset)
        graph = graph_of(network)
        found = graph(example((64, 64)))
        method = network.stacks if task == "landmarks" else network.pyramid
        expected = method(example((64, 64)))
        assert len(found) == len(expected) == (5 if task == "detection" else len(found)) and not graph.single
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


class Fixed(nn.Module):
    """A head that knows its input's size."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.weight = nn.Parameter(torch.randn(24))

    def forward(self, x: list[torch.Tensor]) -> torch.Tensor:
        found = self.inner(x)
        return found * self.weight[: found.shape[-1]].view(1, 1, 1, 24)


def test_one_size_where_the_network_takes_no_other(tmp_path: Path) -> None:
    needs("onnxruntime", "onnxscript")
    network = seeded("segmentation", "resnet_micro_w10", "cityscapes")
    network.head = Fixed(network.head)
    made = export(network, "onnx", tmp_path / "net.onnx", (64, 96))
    assert not made.any_size
    images = example((64, 96), 3)
    with torch.no_grad():
        assert share_of_largest(open_file(made.path)(images)[0], network(images)) < 1e-4


def test_openvino_reports_nothing_to_its_maker() -> None:
    """In a process of its own: it decides at its import, and posts that import."""
    needs("openvino", "onnxscript")
    code = (
        "from benchmarks.engine.runtimes.packages import require; require('openvino'); import openvino; "
        "from openvino.tools.ovc import telemetry_utils; print(telemetry_utils.tm.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("telemetry_stub")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_an_evaluation_computes_in_the_runtime_and_comes_back(runtime: str) -> None:
    needs(runtime, "onnxscript")
    network = seeded("segmentation", "resnet_micro_w10", "cityscapes")
    images = example((64, 96), 2)
    with torch.inference_mode():
        expected = network(images)
        with executed(network, runtime, "fp32", CPU):
            assert "forward" in network.__dict__
            found, other = network(images), network(example((96, 64), 1))
        assert share_of_largest(found, expected) < 1e-4 and other.shape == (1, 19, 24, 16)
        assert not torch.equal(found, expected)  # another order of sums: it was not PyTorch
        assert "forward" not in network.__dict__ and torch.equal(network(images), expected)


def test_what_a_runtime_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    network = seeded("segmentation", "resnet_micro_w10", "cityscapes")
    for runtime, precision, device, words in (
        ("onnxruntime", "bf16", CPU, "does not compute in bf16"),
        ("openvino", "fp32", torch.device("cuda"), "--device cpu"),
        ("tensorrt", "fp32", CPU, "tensorrt"),
    ):
        with pytest.raises(ValueError, match=words), executed(network, runtime, precision, device):
            pass
    with pytest.raises(ValueError, match=r"net\.bin: expected a name that ends in \.onnx"):
        export(network, "onnx", tmp_path / "net.bin", (64, 64))
    with pytest.raises(ValueError, match=r"a network of tasks\.build_model"):
        export(nn.Conv2d(3, 3, 1), "torch", tmp_path / "net.pt2", (64, 64))
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'hrnet-benchmark\[export\]'"):
        export(network, "onnx", tmp_path / "net.onnx", (64, 64))


def test_a_network_that_cannot_be_exported_has_its_reason_in_one_line(tmp_path: Path) -> None:
    class Asks(Fixed):
        def forward(self, x: list[torch.Tensor]) -> torch.Tensor:
            found = self.inner(x)
            return found if found.sum() > 0 else -found

    network = seeded("segmentation", "resnet_micro_w10", "cityscapes")
    network.head = Asks(network.head)
    with pytest.raises(ValueError, match=r"^This network cannot be exported to torch: [^\n]+$"):
        export(network, "torch", tmp_path / "net.pt2", (64, 64))
    assert not list(tmp_path.iterdir())


def test_a_runtime_is_part_of_the_identity_and_the_usual_one_is_not_written() -> None:
    cell = make_cell("pose", "coco", "hrnet_w32", checkpoint="w.pth")
    other = with_runtime(cell, "openvino")
    assert "runtime" not in cell.identity() and other.identity()["runtime"] == "openvino" and other.id != cell.id
    assert cell_from_identity(other.identity()) == other and other.protocol_header.endswith(", openvino")
    with pytest.raises(ValueError, match="openvino"):
        with_runtime(cell, "openvin")
