"""``make bench``: ours beside the usual alternative, in one run, as ratios. Parts are the modules ``bench_*.py`` here."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path

import torch

from benchmarks.experiment.provenance import hardware


def main() -> int:
    """Runs the parts that are named, else all of them; returns 0, or 2 for an unknown name."""
    parts = {path.stem.removeprefix("bench_"): path.stem for path in sorted(Path(__file__).parent.glob("bench_*.py"))}
    chosen = sys.argv[1:] or list(parts)
    unknown = [name for name in chosen if name not in parts]
    if unknown:
        print(f"unknown part {unknown[0]!r}; there are {', '.join(parts)}", file=sys.stderr)
        return 2
    facts = hardware()
    print(f"{facts['cpu']}, {facts['cores']} cores; torch {torch.__version__}, {torch.get_num_threads()} threads")
    start = time.perf_counter()
    for name in chosen:
        print()
        began = time.perf_counter()
        import_module(f"benchmarks.speed.{parts[name]}").measure()
        print(f"({name}: {time.perf_counter() - began:.0f} s)")
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
