"""Locks that the processes of one user share, in the user's cache folder: nobody else can take or plant them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_dir


def user_folder() -> Path:
    """The user's cache folder of this project, made or not."""
    return Path(user_cache_dir("hrnet-benchmark", appauthor=False))


@contextlib.contextmanager
def user_lock(name: str) -> Iterator[None]:
    """Holds the lock of that name for the block; without one where the folder cannot be written or its drive has no locks."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, NotImplementedError):
            folder = user_folder()
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(folder / f"{name}.lock", mode=0o600))
        yield
