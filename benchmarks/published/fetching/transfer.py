"""One file over http: continued where it broke off, tried again, and checked before it gets its name."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from filelock import FileLock, Timeout

from tasks.files.writing import sync_folder, write_text

ATTEMPTS = 3
"""Tries in a row that bring nothing new, before a transfer is given up."""
CHUNK_BYTES = 2**18
KEPT = ".fetching"
"""Folder beside the files: what arrived so far, under its own name with `.part` at its end."""

Report = Callable[[int, int | None], None]
"""Called with the bytes that are there and all of them (None: not known)."""


class TransferError(Exception):
    """A file could not be got; the text says why, and what was kept."""


class NotFoundAtAddress(TransferError):
    """The server has no such file."""


@dataclass
class _Part:
    """What arrived so far. `validator`: the server's mark of this version (ETag or date); `total`: its size."""

    path: Path
    address: str
    validator: str = ""
    total: int | None = None
    begun_earlier: bool = field(default=False)

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def notes(self) -> Path:
        return self.path.with_suffix(".json")

    def remember(self, validator: str, total: int | None) -> None:
        self.validator, self.total = validator, total
        write_text(self.notes, json.dumps({"address": self.address, "validator": validator, "total": total}))

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)
        self.validator, self.total, self.begun_earlier = "", None, False


def fetch_file(
    address: str, target: Path, sha256: str = "", timeout_s: float = 15.0, report: Report = lambda done, total: None
) -> str:
    """Gets a file; returns its SHA-256, 64 hexadecimal digits.

    Args:
        target: where it goes; its folder is made. It must not be there yet.
        sha256: the first digits of its SHA-256, or "" where none were published; then a part of an earlier call is only
            continued where the server marks its versions, and a file whose size the server does not state is refused.
        timeout_s: how long the server may say nothing.

    Raises:
        NotFoundAtAddress: the server has no such file. TransferError: everything else that keeps the file from being whole.
    """
    folder = target.parent / KEPT
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{target.name}.lock")
    try:
        with lock.acquire(timeout=0):
            digest = _fetch_locked(address, target, folder, sha256, timeout_s, report)
            Path(lock.lock_file).unlink(missing_ok=True)
    except Timeout:
        raise TransferError("another process is fetching it") from None
    except OSError as error:
        raise TransferError(f"{error.filename or target}: {error.strerror or error}; what arrived is kept") from error
    if not any(folder.iterdir()):
        folder.rmdir()
    return digest


def _fetch_locked(address: str, target: Path, folder: Path, sha256: str, timeout_s: float, report: Report) -> str:
    part = _earlier_part(folder / f"{target.name}.part", address, bool(sha256))
    while True:
        _complete(part, bool(sha256), timeout_s, report)
        digest = _digest(part.path)
        if digest.startswith(sha256):
            break
        begun_earlier = part.begun_earlier
        part.forget()
        if not begun_earlier:
            raise TransferError(
                f"expected a SHA-256 that begins with {sha256}, got {digest[:8]}: not the released file, or damaged on its way; "
                "nothing was kept"
            )
    with part.path.open("rb+") as handle:
        _refuse_page(handle.read(64), part)
        os.fsync(handle.fileno())
    part.path.replace(target)
    sync_folder(target.parent)
    part.notes.unlink(missing_ok=True)
    return digest


def _earlier_part(path: Path, address: str, hash_known: bool) -> _Part:
    """What an earlier call left, if it can be continued: of the same address, and such that a mix would be noticed."""
    part = _Part(path, address)
    if not path.exists():
        part.forget()
        return part
    held: dict[str, Any] = {}
    try:
        held = json.loads(part.notes.read_text("utf-8"))
        part.validator, part.total = str(held["validator"]), held["total"]
        known = held["address"] == address and (hash_known or part.validator != "")
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if known and path.stat().st_size:
        part.begun_earlier = True
    else:
        part.forget()
    return part


def _complete(part: _Part, hash_known: bool, timeout_s: float, report: Report) -> None:
    """Asks until the whole file is there; raises TransferError after `ATTEMPTS` tries that bring nothing new."""
    best, vain = part.size, 0
    while part.total is None or part.size != part.total:
        try:
            if _ask(part, hash_known, timeout_s, report):
                return
            problem = f"the connection broke off at {_amount(part)}"
        except TransferError:
            raise
        except HTTPError as error:
            problem = _refusal(error)
        except TimeoutError:
            problem = f"the server said nothing for {timeout_s:g} s, at {_amount(part)}"
        except URLError as error:
            problem = _unreachable(error, timeout_s)
        except (http.client.HTTPException, OSError) as error:
            if isinstance(error, OSError) and error.filename:
                raise  # the disk, not the line
            problem = (
                f"the connection broke off at {_amount(part)} ({' '.join(str(error).split()) or type(error).__name__})"
            )
        vain = 0 if part.size > best else vain + 1
        best = max(best, part.size)
        if vain >= ATTEMPTS:
            raise TransferError(f"{problem}; what arrived is kept, the same command goes on from there")
        time.sleep(0.2 * vain)


def _ask(part: _Part, hash_known: bool, timeout_s: float, report: Report) -> bool:
    """One request for what is missing; True once everything is there."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "hrnet-benchmark"}
    start = part.size
    if start:
        headers["Range"] = f"bytes={start}-"
        if part.validator:
            headers["If-Range"] = part.validator
    try:
        answer = urlopen(Request(part.address, headers=headers), timeout=timeout_s)
    except HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            part.forget()  # another file than the one that was begun
            return False
        raise
    with answer:
        mode = _begin(part, answer.status, answer.headers, start)
        if part.total is None and not hash_known and "chunked" not in str(answer.headers.get("Transfer-Encoding", "")):
            raise TransferError(
                "the server does not state its size and no SHA-256 is published, so a part would pass as whole"
            )
        _check_room(part)
        with part.path.open(mode) as handle:
            _copy(answer, handle, part, report)
    if part.total is None:  # read to its end: chunks tell a break, a hash everything else
        part.remember(part.validator, part.size)
    return part.size == part.total


def _begin(part: _Part, status: int, headers: Message, start: int) -> str:
    """The mode to open the part in, once the answer was understood; the part remembers the server's version and size."""
    validator = _validator(headers)
    length = headers.get("Content-Length", "")
    size = int(length) if length.isdecimal() else None
    if status == http.client.PARTIAL_CONTENT:
        first, total = _content_range(headers)
        same = validator == part.validator and part.total in (None, total)
        if first != start or not same:
            part.forget()
            raise http.client.HTTPException("the file changed on the server")
        part.remember(validator, total)
        return "ab"
    if "text/html" in str(headers.get("Content-Type", "")).lower():
        raise TransferError("expected a file of weights, got a web page; nothing was kept")
    part.begun_earlier = False  # the server sends all of it
    part.remember(validator, size)
    return "wb"


def _copy(answer: Any, handle: IO[bytes], part: _Part, report: Report) -> None:
    done = handle.tell()
    report(done, part.total)
    while True:
        chunk = answer.read1(CHUNK_BYTES)
        if not chunk:
            return
        try:
            handle.write(chunk)
        except OSError as error:  # the disk, not the line
            raise TransferError(
                f"{part.path}: {error.strerror or error}; make room, the same command goes on from there"
            ) from error
        done += len(chunk)
        report(done, part.total)


def _validator(headers: Message) -> str:
    """What `If-Range` takes: a strong ETag, else the date."""
    tag = str(headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(headers.get("Last-Modified", ""))


def _content_range(headers: Message) -> tuple[int, int | None]:
    """First byte and size of ``Content-Range: bytes 5-9/10``; (-1, None) for another text."""
    words, _, total = str(headers.get("Content-Range", "")).removeprefix("bytes ").partition("/")
    first = words.partition("-")[0]
    return (int(first) if first.isdecimal() else -1), (int(total) if total.isdecimal() else None)


def _check_room(part: _Part) -> None:
    needed = (part.total or 0) - part.size
    free = shutil.disk_usage(part.path.parent).free
    if needed > free:
        raise TransferError(
            f"{part.path.parent.parent}: {needed / 2**20:.0f} MiB are needed, {free / 2**20:.0f} MiB are free; make room"
        )


def _refuse_page(start: bytes, part: _Part) -> None:
    if start.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        part.forget()
        raise TransferError("expected a file of weights, got a web page; nothing was kept")


def _refusal(error: HTTPError) -> str:
    """The text of an answer that is an error; raises where another try would bring the same."""
    text = f"the server answered {error.code} {error.reason}"
    if error.code in (http.client.NOT_FOUND, http.client.GONE):
        raise NotFoundAtAddress(text) from error
    if error.code < 500 and error.code not in (http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS):
        raise TransferError(text) from error
    return text


def _unreachable(error: URLError, timeout_s: float) -> str:
    if isinstance(error.reason, TimeoutError):
        return f"the server said nothing for {timeout_s:g} s"
    reason = getattr(error.reason, "strerror", None) or error.reason
    return f"no connection ({reason})"


def _amount(part: _Part) -> str:
    of = "" if part.total is None else f" of {part.total}"
    return f"{part.size}{of} bytes"


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        found = hashlib.sha256()
        while chunk := handle.read(2**20):
            found.update(chunk)
    return found.hexdigest()
