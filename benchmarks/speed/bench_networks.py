"""HRNet-W32 at 256x192, evaluation and training: runtimes and precisions beside the reference graph in eager PyTorch.

The reference graph is the official implementation's: the same operators, float32, the plain memory layout (NCHW).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

import tasks
from benchmarks.engine.runtimes.execution import executed
from benchmarks.speed.turns import in_turns, print_rows
from tasks.precision import check_precision, reduced

SIZE_HW = (256, 192)
BATCH = 8
RUNS = (
    ("ours, channels last", "eager", "fp32"),
    ("ours, bf16", "eager", "bf16"),
    ("ours, bf16, CUDA graphs", "graphs", "bf16"),
    ("onnxruntime", "onnxruntime", "fp32"),
    ("OpenVINO", "openvino", "fp32"),
    ("OpenVINO, bf16", "openvino", "bf16"),
)


def main(device_name: str = "cpu", batch: int = BATCH) -> None:
    """Prints evaluation at ``batch`` and at 1, and training at ``batch``."""
    device = torch.device(device_name)
    with torch.inference_mode():
        for size in (batch, 1):
            evaluation(device, size)
            print()
    training(device, batch)


def network() -> nn.Module:
    torch.manual_seed(0)
    return tasks.build_model("pose", "hrnet_w32", "coco").eval()


def evaluation(device: torch.device, batch: int) -> None:
    """Images per second of every runtime that is installed."""
    images = torch.randn(batch, 3, *SIZE_HW, device=device)
    last = images.contiguous(memory_format=torch.channels_last)
    ways: dict[str, Callable[[], object]] = {}
    skipped = []
    with ExitStack() as stack:
        plain = network().to(device)
        ways["reference graph (NCHW, fp32)"] = _call(plain, images)
        features = _timm(device)
        if features is not None:
            ways["timm hrnet_w32, features"] = _call(features, images)
        for name, runtime, precision in RUNS:
            own = network().to(device).to(memory_format=torch.channels_last)
            try:
                stack.enter_context(executed(own, runtime, precision, device))
            except ValueError as error:
                skipped.append(f"{name}: {error}")
                continue
            ways[name] = _call(own, last)
        rows = in_turns(ways, rounds=5 if batch > 1 else 9, warm=2)
    print_rows(f"HRNet-W32 pose, {SIZE_HW[0]}x{SIZE_HW[1]}, evaluation, batch {batch}", rows, batch, "images")
    for line in skipped:
        print(f"  skipped: {line}")


def _call(model: nn.Module, images: Tensor) -> Callable[[], object]:
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
