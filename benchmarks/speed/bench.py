"""``make bench``: ours beside the usual alternative, in one run, as a ratio. Parts are the modules ``bench_*.py`` here."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.experiment.provenance import hardware


def main() -> int:
    """Runs the network comparison, then every part; returns 0."""
    facts = hardware()
    print(f"{facts['cpu']}, {facts['cores']} cores; torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    networks()
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        print()
        import_module(f"benchmarks.speed.{path.stem}").main()
    return 0


def networks(batch: int = 4, rounds: int = 5) -> None:
    """Images per second of HRNet-W32's maps at 256x192: ours as evaluation runs it, and timm's ``hrnet_w32`` features.

    timm's features carry the classification head's widening blocks, so their multiply-adds are printed beside, and ours
    is also timed in the plain memory layout.
    """
    try:
        import timm
    except ModuleNotFoundError:
        print("networks: timm is not installed (pip install timm); nothing to compare with", file=sys.stderr)
        return
    from hrnet import build_backbone, profile

    images = torch.randn(batch, 3, 256, 192)
    ours = build_backbone("hrnet_w32").eval()
    theirs = timm.create_model("hrnet_w32", features_only=True, pretrained=False).eval()
    rows: dict[str, tuple[nn.Module, Tensor]] = {
        "ours, channels last": (
            build_backbone("hrnet_w32").eval().to(memory_format=torch.channels_last),
            images.contiguous(memory_format=torch.channels_last),
        ),
        "ours, plain layout": (ours, images),
        "timm features": (theirs, images),
    }
    times: dict[str, list[float]] = {name: [] for name in rows}
    with torch.inference_mode():
        for turn in range(rounds + 1):  # taken in turns, so that a busy moment hits all; the first round warms up
            for name, (model, x) in rows.items():
                seconds = timed(lambda model=model, x=x: model(x))  # type: ignore[misc]
                if turn:
                    times[name].append(seconds)
    rates = {name: batch / statistics.median(seconds) for name, seconds in times.items()}
    print(f"HRNet-W32, 256x192, batch {batch}, median of {rounds} rounds in turns")
    for name, (model, _) in rows.items():
        macs = profile(model, input_size=(256, 192)).macs / 1e9
        ratio = rates[name] / rates["timm features"]
        print(f"  {name:22} {rates[name]:7.2f} images/s   {macs:5.2f} G multiply-adds   {ratio:5.2f} x timm")


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
