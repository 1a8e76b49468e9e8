"""HRNet-W32 at 256x192, evaluation and training: runtimes and precisions beside the reference graph in eager PyTorch.

The reference graph is the official implementation's: the same operators, float32, the plain memory layout (NCHW).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import tasks
from benchmarks.engine.runtimes.execution import executed
from benchmarks.engine.runtimes.files import export
from benchmarks.engine.runtimes.sessions import open_file
from benchmarks.speed.turns import in_turns, print_rows
from tasks.precision import check_precision, reduced

SIZE_HW = (256, 192)
BATCH = 8


class Network(NamedTuple):
    """A call on pictures, and the layout in memory that it takes them in."""

    call: Callable[[Tensor], object]
    layout: torch.memory_format = torch.contiguous_format


IN_PYTORCH = (
    ("ours, channels last", "eager", "fp32"),
    ("ours, bf16", "eager", "bf16"),
    ("ours, bf16, CUDA graphs", "graphs", "bf16"),
)
"""Name of the row, runtime, precision."""
IN_RUNTIMES = (
    ("onnxruntime", "onnx", "net.onnx", "fp32"),
    ("OpenVINO", "openvino", "net.xml", "fp32"),
    ("OpenVINO, bf16", "openvino", "net.xml", "bf16"),
)
"""Name of the row, kind and name of the exported file, precision."""


def measure(device_name: str = "cpu", batch: int = BATCH) -> None:
    """Prints evaluation at ``batch`` and at 1, and training at ``batch``."""
    device = torch.device(device_name)
    with torch.inference_mode(), tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        networks, skipped = compared(device, Path(folder), stack)
        for size in (batch, 1):
            evaluation(networks, device, size)
    for line in skipped:
        print(f"  skipped: {line}")
    print()
    training(device, batch)


def network() -> nn.Module:
    torch.manual_seed(0)
    return tasks.build_model("pose", "hrnet_w32", "coco").eval()


def compared(device: torch.device, folder: Path, stack: ExitStack) -> tuple[dict[str, Network], list[str]]:
    """What is evaluated side by side, the reference graph first, and why others are not; each network is exported once.

    Args:
        folder: for the exported files. stack: keeps what computes in reduced precision open.
    """
    networks: dict[str, Network] = {"reference graph (NCHW, fp32)": Network(network().to(device))}
    features = _timm(device)
    if features is not None:
        networks["timm hrnet_w32, features"] = Network(features)
    skipped = []
    for name, runtime, precision in IN_PYTORCH:
        own = network().to(device).to(memory_format=torch.channels_last)
        try:
            stack.enter_context(executed(own, runtime, precision, device))
        except ValueError as error:
            skipped.append(f"{name}: {error}")
            continue
        networks[name] = Network(own, torch.channels_last)
    for name, kind, file, precision in IN_RUNTIMES:
        try:
            networks[name] = Network(_session(kind, folder / file, precision, device))
        except ValueError as error:
            skipped.append(f"{name}: {error}")
    return networks, skipped


def _session(kind: str, path: Path, precision: str, device: torch.device) -> Callable[[Tensor], object]:
    """The exported network in its runtime.

    Raises:
        ValueError: not on a CPU, a package lacks, or the processor has not the precision.
    """
    if device.type != "cpu":
        raise ValueError("measured on a CPU alone")
    check_precision(precision, device)
    if not path.exists():
        export(network(), kind, path, SIZE_HW)
    return open_file(path, precision)


def evaluation(networks: Mapping[str, Network], device: torch.device, batch: int) -> None:
    """Images per second of each, in turns."""
    images = torch.randn(batch, 3, *SIZE_HW, device=device)
    ways = {name: _call(one.call, images.contiguous(memory_format=one.layout)) for name, one in networks.items()}
    rows = in_turns(ways, rounds=5 if batch > 1 else 9, warm=2)
    print_rows(f"HRNet-W32 pose, {SIZE_HW[0]}x{SIZE_HW[1]}, evaluation, batch {batch}", rows, batch, "images")


def _call(model: Callable[[Tensor], object], images: Tensor) -> Callable[[], object]:
    def call() -> None:
        model(images)
        if images.device.type == "cuda":
            torch.cuda.synchronize()

    return call


def _timm(device: torch.device) -> nn.Module | None:
    try:
        import timm
    except ModuleNotFoundError:
        return None
    # without a location the features are the four maps themselves, not those of the classification head
    made: nn.Module = timm.create_model("hrnet_w32", features_only=True, feature_location="", pretrained=False)
    return made.eval().to(device)


def training(device: torch.device, batch: int) -> None:
    """Images per second of training steps: forward, loss, backward, Adam."""
    images = torch.randn(batch, 3, *SIZE_HW, device=device)
    target = torch.rand(batch, 17, SIZE_HW[0] // 4, SIZE_HW[1] // 4, device=device)
    ways: dict[str, Callable[[], object]] = {}
    with ExitStack() as stack:
        for name, layout, precision in (
            ("reference graph (NCHW, fp32)", torch.contiguous_format, "fp32"),
            ("ours, channels last", torch.channels_last, "fp32"),
            ("ours, bf16", torch.channels_last, "bf16"),
        ):
            own = network().train().to(device).to(memory_format=layout)
            try:
                check_precision(precision, device)
            except ValueError as error:
                print(f"  skipped: {name}: {error}")
                continue
            stack.enter_context(reduced(own, precision, device))
            ways[name] = _step(own, images.contiguous(memory_format=layout), target)
        rows = in_turns(ways, rounds=3)
    print_rows(f"HRNet-W32 pose, {SIZE_HW[0]}x{SIZE_HW[1]}, training, batch {batch}", rows, batch, "images")


def _step(model: nn.Module, images: Tensor, target: Tensor) -> Callable[[], object]:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def step() -> Any:
        optimizer.zero_grad()
        (model(images) - target).square().mean().backward()
        optimizer.step()
        if images.device.type == "cuda":
            torch.cuda.synchronize()

    return step
