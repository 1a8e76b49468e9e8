"""Every kind of file from outside, changed at random: read, or refused in one line that names it. Never a traceback or a hang.

A few changes of each kind by default, always the same; HRNET_FUZZ=100 makes a hundred, and -rP shows the counts by kind.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz.kinds import KINDS, Kind, in_bounds, write_all
from tests.fuzz.mutations import PLACES

ASKED = os.environ.get("HRNET_FUZZ")
FEW = 24
PATIENCE_S = 20
BARE = re.compile(
    r"\b[A-Z]\w*Error\b|could not convert|index out of range|unsupported operand|has no attribute|not subscriptable|"
    r"invalid literal|object is not|unhashable|can't decode|codec can't|cannot unpack|too many values|positional argument"
)


class Hang(BaseException):
    """A reading took longer than anybody waits."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("good")
    write_all(root)
    return root


@contextmanager
def patience() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(kind: Kind, root: Path) -> tuple[str, str]:
    """(accepted, refused or wrong; what is wrong)."""
    name = Path(kind.path).name
    try:
        with patience():
            figures = kind.read(root)
    except (ValueError, OSError) as error:
        text = str(error)
        if "\n" in text.strip() and not kind.lists:
            return "wrong", f"several lines: {text[:300]!r}"
        if name not in text and Path(kind.path).stem not in text:
            return "wrong", f"the file is not named: {text[:300]!r}"
        if BARE.search(text.replace(str(root), "")):
            return "wrong", f"a bare error: {text[:300]!r}"
        if len(text.partition("\n")[0]) > 1200:
            return "wrong", f"{len(text)} characters: {text[:300]!r}"
        return "refused", ""
    except Hang:
        return "wrong", f"no answer in {PATIENCE_S} s"
    except Exception as error:  # whatever it is, it would be a traceback
        return "wrong", f"{type(error).__name__}: {str(error)[:300]!r}"
    return ("accepted", "") if in_bounds(figures) else ("wrong", f"figures {figures}")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.replace(" ", "_"))
def test_changed_files_are_read_or_refused_in_one_line(kind: Kind, good: Path) -> None:
    path, kept = good / kind.path, good / f"{kind.path}.kept"
    assert outcome(kind, good) == ("accepted", "")
    data = path.read_bytes()
    rng = np.random.default_rng([zlib.crc32(kind.name.encode()), 7])
    counts = dict.fromkeys(("accepted", "refused"), 0)
    faults: list[str] = []
    few = int(ASKED) if ASKED else FEW // kind.cost
    total = few + len(PLACES)
    path.rename(kept)
    try:
        for number in range(total):
            change = PLACES[number - few] if number >= few else kind.changes[number % len(kind.changes)]
            if number < few:
                path.write_bytes(change(rng, data))  # type: ignore[call-arg, arg-type]
            else:
                change(path)  # type: ignore[call-arg, arg-type]
            found, why = outcome(kind, good)
            if why:
                faults.append(f"{change.__name__} (number {number}): {why}")
            else:
                counts[found] += 1
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    finally:
        kept.replace(path)
    print(f"{kind.name}: {total} changed, {counts['refused']} refused, {counts['accepted']} accepted")
    assert not faults, "\n".join([f"{len(faults)} of {total} {kind.name}:", *faults])
