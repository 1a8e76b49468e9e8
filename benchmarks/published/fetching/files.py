"""Several files of the manifest at once: each fetched, found there already, or named with what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from benchmarks.published.fetching.links import MIRROR, addresses, page_of
from benchmarks.published.fetching.transfer import NotFoundAtAddress, TransferError, fetch_file
from benchmarks.published.weights import Weights
from benchmarks.store.digests import file_digest


@dataclass(frozen=True)
class Outcome:
    """What became of a file: fetched now, there before, or failed; `text` says the details in a line, and what to do."""

    file: str
    kind: Literal["fetched", "there", "failed"]
    text: str


Show = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that are there, and all of them (None: not known)."""


def fetch_all(
    entries: Sequence[Weights],
    folder: Path,
    mirror: str | None,
    timeout_s: float,
    jobs: int,
    show: Show,
    done: Callable[[Outcome], None],
) -> list[Outcome]:
    """Fetches files below `folder`, `jobs` at a time; `done` is told of each as it ends. Outcomes are in the entries' order."""
    found: dict[str, Outcome] = {}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting = [pool.submit(_fetch_one, entry, folder, mirror, timeout_s, show) for entry in entries]
        for future in as_completed(waiting):
            outcome = future.result()
            found[outcome.file] = outcome
            done(outcome)
    return [found[entry.file] for entry in entries]


def _fetch_one(entry: Weights, folder: Path, mirror: str | None, timeout_s: float, show: Show) -> Outcome:
    target = folder / entry.file
    if target.exists():
        return _there(entry, target)
    tried = addresses(entry, mirror)
    by_hand = f"open {page_of(entry)} by hand and put the file at {target}"
    if not tried:
        return Outcome(
            entry.file,
            "failed",
            f"its project shares it by a page that asks a person first (Google Drive, OneDrive or the like): {by_hand}, or set "
            f"{MIRROR} to an address that holds it",
        )
    problem = ""
    for address in tried:
        try:
            digest = fetch_file(
                address, target, entry.sha256, timeout_s, lambda now, total: show(entry.file, now, total)
            )
        except TransferError as error:
            problem = problem or f"{urlsplit(address).netloc}: {error}"
            if isinstance(error, NotFoundAtAddress):
                continue
            problem = f"{urlsplit(address).netloc}: {error}"
            break
        checked = "as published" if entry.sha256 else "none is published to compare with"
        size = f"{target.stat().st_size / 2**20:.1f} MiB"
        return Outcome(entry.file, "fetched", f"{target}, {size}, SHA-256 {digest} ({checked})")
    return Outcome(entry.file, "failed", f"{problem}. Try again, or {by_hand}")


def _there(entry: Weights, target: Path) -> Outcome:
    if not target.is_file():
        return Outcome(entry.file, "failed", f"{target} is no file; move it away, and fetch again")
    if not entry.sha256:
        return Outcome(entry.file, "there", f"{target} (no SHA-256 is published to compare with)")
    digest = file_digest(target)
    if digest.startswith(entry.sha256):
        return Outcome(entry.file, "there", f"{target}, SHA-256 as published")
    return Outcome(
        entry.file,
        "failed",
        f"{target} is there and not the released file (expected a SHA-256 that begins with {entry.sha256}, found {digest[:8]}); "
        "move it away, and fetch again",
    )
