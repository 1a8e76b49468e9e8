"""A wheel works away from the repository: from another folder, whose own files do not shadow it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
CELLS = ("landmarks/300w/hrnet_micro_w8", "segmentation/lip/hrnet_micro_w8", "pose/mpii/hrnet_micro_w8")
"""Of the smoke suite, from three tasks: a test of all takes minutes."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages' folder of a fresh environment inside of somebody else's repository, into which pip installed the wheel.

    A path file leads to the dependencies that are installed here; path files there, among them this checkout's own, do not
    count in it.
    """
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
    venv.create(theirs / "venv", symlinks=True)
    [site] = (theirs / "venv").glob("lib/*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    python = str(theirs / "venv" / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", str(wheel)]
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
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    script = installed.parents[2] / "bin" / "hrnet-benchmark"
    command = [str(script), *words]
    environment["OMP_NUM_THREADS"] = "1"
    return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)


def test_wheel_holds_what_the_verbs_read(installed: Path) -> None:
    held = installed / "benchmarks" / "held"
    published = {path.name for path in (REPOSITORY / "results" / "published").glob("*.csv")}
    assert {path.name for path in (held / "published").iterdir()} == published
    assert (held / "expected" / "embedded.json").exists() and (held / "constraints.txt").exists()
    assert (installed / "tasks" / "pose" / "README.md").exists() and (installed / "hrnet" / "py.typed").exists()


def test_the_smoke_suite_from_run_to_report(installed: Path, elsewhere: Path) -> None:
    places = ["--suite", "smoke", "--out", "mine", "--only", *CELLS]
    done = call(installed, elsewhere, "run", *places)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(path.read_text()) for path in (elsewhere / "mine" / "runs").rglob("cell.json")]
    assert sorted(record["name"] for record in records) == sorted(CELLS)
    build = json.loads((installed / "benchmarks" / "held" / "build.json").read_text())
    for record in records:
        assert record["provenance"]["packages"]["hrnet-benchmark"] == build["version"]
        assert record["provenance"]["git"]["commit"] == build["commit"]  # not that of the repository around it
    checked = call(installed, elsewhere, "check", *places)
    assert checked.returncode == 0 and "Gate of suite smoke: 3 ok." in checked.stdout, checked.stdout
    assert call(installed, elsewhere, "report", "--suite", "smoke", "--out", "mine").returncode == 0
    assert (elsewhere / "mine" / "report" / "smoke.html").stat().st_size > 10_000
    assert len(list((elsewhere / "mine" / "report" / "thumbnails").iterdir())) == len(CELLS)
    before = {path: path.stat().st_mtime_ns for path in installed.rglob("*.json")}
    refused = call(installed, elsewhere, "check", *places, "--update")
    assert refused.returncode == 2 and "--expected" in refused.stderr
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*.json")} == before


def test_verbs_that_only_read(installed: Path, elsewhere: Path) -> None:
    plan = call(installed, elsewhere, "plan", "--suite", "published", "--rows")
    assert plan.returncode == 0 and "HRNet" in plan.stdout, plan.stderr
    doctor = call(installed, elsewhere, "doctor", "--out", "mine")
    assert doctor.returncode == 0 and "All well." in doctor.stdout, doctor.stdout
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
    with zipfile.ZipFile(next(installed.parents[4].glob("*.whl"))) as wheel:
        assert not [name for name in wheel.namelist() if name.startswith(("tests/", "results/"))]
