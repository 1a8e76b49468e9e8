"""A wheel works away from the repository: from another folder, whose own files do not shadow it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
CELL = "landmarks/300w/hrnet_micro_w8"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked by pip into a folder of its own inside of somebody else's repository."""
    pytest.importorskip("build")
    pytest.importorskip("setuptools")
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout.split(
        b"\0"
    )
    for name in filter(None, (os.fsdecode(name) for name in names)):
        if name.startswith("tests/") or not (REPOSITORY / name).exists():
            continue
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((REPOSITORY / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(work), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = work.glob("*.whl")
    theirs = work / "theirs"
    subprocess.run(["git", "init", "--quiet", str(theirs)], check=True)
    site = theirs / "site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    return site


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose files have the names of our packages."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "tasks.py").write_text("raise SystemExit('the wrong tasks')\n")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "__init__.py").write_text("raise SystemExit('the wrong benchmarks')\n")
    return folder


def call(installed: Path, elsewhere: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    script = installed / "bin" / "hrnet-benchmark"
    command = [sys.executable, str(script), *words]
    return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)


def test_wheel_holds_what_the_verbs_read(installed: Path) -> None:
    held = installed / "benchmarks" / "held"
    published = {path.name for path in (REPOSITORY / "results" / "published").glob("*.csv")}
    assert {path.name for path in (held / "published").iterdir()} == published
    assert (held / "expected" / "embedded.json").exists() and (held / "constraints.txt").exists()
    assert (installed / "tasks" / "pose" / "README.md").exists() and (installed / "hrnet" / "py.typed").exists()


def test_one_cell_from_run_to_report(installed: Path, elsewhere: Path) -> None:
    places = ["--suite", "smoke", "--out", "mine", "--only", CELL]
    done = call(installed, elsewhere, "run", *places)
    assert done.returncode == 0, done.stdout + done.stderr
    [stored] = (elsewhere / "mine" / "runs").rglob("cell.json")
    provenance = json.loads(stored.read_text())
    build = json.loads((installed / "benchmarks" / "held" / "build.json").read_text())
    assert provenance["provenance"]["packages"]["hrnet-benchmark"] == build["version"]
    assert provenance["provenance"]["git"]["commit"] == build["commit"]  # not that of the repository around it
    assert call(installed, elsewhere, "check", *places).returncode == 0
    assert call(installed, elsewhere, "report", "--suite", "smoke", "--out", "mine").returncode == 0
    before = {path: path.stat().st_mtime_ns for path in installed.rglob("*.json")}
    refused = call(installed, elsewhere, "check", *places, "--update")
    assert refused.returncode == 2 and "--expected" in refused.stderr
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*.json")} == before


def test_verbs_that_only_read(installed: Path, elsewhere: Path) -> None:
    plan = call(installed, elsewhere, "plan", "--suite", "published", "--rows")
    assert plan.returncode == 0 and "HRNet" in plan.stdout, plan.stderr
    assert call(installed, elsewhere, "doctor").returncode in (0, 1)
    wrong = call(installed, elsewhere, "plann")
    assert wrong.returncode == 2 and wrong.stderr.startswith("hrnet-benchmark: ")


def test_versions() -> None:
    import benchmarks
    import hrnet
    import tasks

    cited = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert hrnet.__version__ == tasks.__version__ == benchmarks.__version__
    assert f"\nversion: {hrnet.__version__}\n" in cited
    assert "__version__" in dir(hrnet) and "build_backbone" in dir(hrnet)


def test_wheel_is_not_a_heap(installed: Path) -> None:
    with zipfile.ZipFile(next(installed.parents[1].glob("*.whl"))) as wheel:
        assert not [name for name in wheel.namelist() if name.startswith(("tests/", "results/"))]
