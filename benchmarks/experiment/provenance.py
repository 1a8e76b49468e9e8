"""Where a number comes from: code version, packages, hardware, fingerprints of data and weights."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.experiment import installation
from benchmarks.store.digests import file_digest

PACKAGES = (
    "torch",
    "torchvision",
    "mmengine",
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "pillow",
    "pycocotools",
    "timm",
    "pandas",
)


@lru_cache
def git_state() -> dict[str, Any]:
    """Commit, and a hash of the uncommitted difference; of a wheel those that it was built from; nulls where neither is known."""
    if not installation.is_checkout():
        return {"commit": installation.build().get("commit"), "dirty": installation.build().get("dirty")}

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(installation.CODE), *arguments],
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    commit, difference = git("rev-parse", "HEAD"), git("diff", "HEAD", "--", "*.py")
    return {
        "commit": commit.strip() if commit else None,
        "dirty": hashlib.sha256(difference.encode()).hexdigest()[:12] if difference else None,
    }


@lru_cache
def packages() -> dict[str, str]:
    """Versions of the packages that can move a number; the absent are left out."""
    found = {"python": platform.python_version(), installation.DISTRIBUTION: installation.own_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@lru_cache
def hardware() -> dict[str, Any]:
    """Processor, cores, memory and (if torch is already loaded) the accelerator."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    facts: dict[str, Any] = {"cpu": model, "cores": os.cpu_count(), "system": platform.platform()}
    if "SC_PAGE_SIZE" in getattr(os, "sysconf_names", ()):  # Windows has none
        facts["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        facts["accelerator"] = torch.cuda.get_device_name()
    return facts


def now() -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def sizes_digest(paths: Iterable[Path]) -> str:
    """One SHA-256 over several files' folders, names and sizes: for pictures by the hundred thousand."""
    hasher = hashlib.sha256()
    for path in paths:
        hasher.update(f"{path.parent.name}/{path.name}\0{path.stat().st_size}\0".encode())
    return hasher.hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """One SHA-256 over several files' names and contents, in the given order."""
    hasher = hashlib.sha256()
    for path in paths:
        hasher.update(path.name.encode() + b"\0" + file_digest(path).encode())
    return hasher.hexdigest()
