"""Where the harness's own files are: in a checkout of the repository, or installed from a wheel.

A wheel holds below ``benchmarks/held/`` what a checkout has beside its packages: ``published/``, ``expected/``,
``constraints.txt`` and ``build.json`` (version and commit that it was built from).
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from hrnet.version import VERSION

CODE = Path(__file__).resolve().parents[2]
"""The folder that holds the packages hrnet, tasks and benchmarks."""
HELD = CODE / "benchmarks" / "held"
DISTRIBUTION = "hrnet-benchmark"


@lru_cache
def is_checkout() -> bool:
    """Whether the code lies in its own repository; False in site-packages, also where those lie inside a repository."""
    return not HELD.is_dir() and (CODE / "pyproject.toml").is_file() and (CODE / "run_all.py").is_file()


def published_folder() -> Path:
    """The csv files of published figures and released weights."""
    return HELD / "published" if HELD.is_dir() else CODE / "results" / "published"


def expected_folder() -> Path:
    """The expected values that the regression gate holds by default."""
    return HELD / "expected" if HELD.is_dir() else CODE / "results" / "expected"


def constraints_file() -> Path:
    """The versions of packages that were tested."""
    return (HELD if HELD.is_dir() else CODE) / "constraints.txt"


@lru_cache
def build() -> dict[str, Any]:
    """What a wheel was built from: ``version``, ``commit``, ``dirty``; empty in a checkout."""
    path = HELD / "build.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def own_version() -> str:
    """The version of this distribution."""
    return VERSION


def program() -> str:
    """The name that the program was called by, for messages: ``hrnet-benchmark``, or ``run_all.py``."""
    called = Path(sys.argv[0] if sys.argv else "").name
    return called.removesuffix(".exe") if called.startswith(DISTRIBUTION) else "run_all.py"
