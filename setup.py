"""Builds the wheel; everything else is in pyproject.toml.

What a checkout has beside its packages (published figures, expected values, tested versions) goes into ``benchmarks/held``, with
the commit that it was built from.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build.json"


def _git(*arguments):
    try:
        done = subprocess.run(["git", "-C", str(HERE), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _facts(version):
    if (HERE / ".git").exists():
        difference = _git("diff", "HEAD", "--", "*.py")
        dirty = hashlib.sha256(difference.encode()).hexdigest()[:12] if difference else None
        return {"version": version, "commit": _git("rev-parse", "HEAD"), "dirty": dirty}
    if BUILD.exists():  # from a source archive
        return json.loads(BUILD.read_text(encoding="utf-8"))
    return {"version": version, "commit": None, "dirty": None}


class BuildWithHeldFiles(build_py):
    def run(self):
        super().run()
        if getattr(self, "editable_mode", False):
            return
        held = Path(self.build_lib) / "benchmarks" / "held"
        shutil.rmtree(held, ignore_errors=True)
        for name, pattern in (("published", "*.csv"), ("expected", "*.json")):
            (held / name).mkdir(parents=True)
            for file in sorted((HERE / "results" / name).glob(pattern)):
                shutil.copyfile(file, held / name / file.name)
        shutil.copyfile(HERE / "constraints.txt", held / "constraints.txt")
        facts = _facts(self.distribution.get_version())
        (held / "build.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


class SourceWithCommit(sdist):
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        facts = _facts(self.distribution.get_version())
        (Path(base_dir) / "build.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


setup(cmdclass={"build_py": BuildWithHeldFiles, "sdist": SourceWithCommit})
