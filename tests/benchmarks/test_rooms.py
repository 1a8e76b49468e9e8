"""The rooms of `benchmarks/` import as the design says: the import linter's contracts hold, and name every room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_contracts_hold() -> None:
    pytest.importorskip("importlinter")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_its_layer() -> None:
    api = pytest.importorskip("importlinter.api")
    contracts = api.read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    named = {name.strip() for layer in layers for name in layer.split("|")}
    found = [
        path for path in (ROOT / "benchmarks").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    rooms = {f"benchmarks.{path.stem}" for path in found if path.stem[0] != "_"}
    assert named == rooms | {"tasks", "hrnet"}
