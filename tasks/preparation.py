"""What turns a dataset as its owners hand it out into what the loaders read; used by ``tasks/<task>/prepare``.

Nothing that is there is ever overwritten: a file that says the same is left, one that says something else ends the call.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.files.writing import write_bytes


@dataclass(frozen=True)
class Preparation:
    """One dataset's way.

    Attributes:
        task, dataset: their names. folder: below the data root.
        needs: what the owners hand out, in words: which archives, unpacked, hold what is needed.
        run: carries it out: (folder of the raw files, target).
    """

    task: str
    dataset: str
    folder: str
    needs: str
    run: Callable[[Path, Target], None]


def preparations() -> dict[str, Preparation]:
    """Every dataset that can be prepared, by name: those of the tasks' folders ``prepare``."""
    from tasks import task_names

    folders = [name for name in task_names() if find_spec(f"tasks.{name}.prepare") is not None]
    made = [entry for name in folders for entry in import_module(f"tasks.{name}.prepare").PREPARATIONS]
    return {entry.dataset: entry for entry in made}


def advice(dataset: str, data_root: Path | None, program: str) -> str:
    """The command of `program` that makes a dataset from what its owners hand out; empty for a dataset that nothing prepares."""
    if dataset not in preparations():
        return ""
    return f"`{program} prepare {dataset} --from RAW --data-root {data_root or 'D'}` makes it from what its owners hand out"


@dataclass
class Target:
    """The dataset's folder, and what was done in it.

    Attributes:
        folder: below the data root. copy: whether pictures are copied; else linked. tell: called with every line.
        differ: how many counts are not the official ones. lacks_pictures: whether none were found for a place that needs them.
    """

    folder: Path
    copy: bool = False
    tell: Callable[[str], None] = print
    differ: int = field(default=0)
    lacks_pictures: bool = field(default=False)

    def write(self, name: str, content: bytes, same: Callable[[bytes, bytes], bool] | None = None) -> bool:
        """Writes a file; True if it was new.

        Args:
            same: whether two contents say the same where their bytes differ.

        Raises:
            ValueError: a file of that name says something else.
        """
        path = self.folder / name
        if path.exists() or path.is_symlink():
            held = path.read_bytes() if path.is_file() else None
            if held == content or (held is not None and same is not None and same(held, content)):
                return False
            raise ValueError(
                f"{path} is there already and says something else than would be written; nothing is overwritten. Move it away "
                "and prepare again, or keep it."
            )
        write_bytes(path, content)
        return True

    def told_write(
        self, name: str, content: bytes, what: str, same: Callable[[bytes, bytes], bool] | None = None
    ) -> None:
        """As :meth:`write`, with a line that says so."""
        word = "written" if self.write(name, content, same) else "there already, the same"
        self.tell(f"{self.folder / name}: {what}, {word}")

    def place(self, source: Path, name: str) -> None:
        """Brings a folder or file of the raw data to its place: a link to it, or a copy; what is there is left."""
        path = self.folder / name
        if path.exists() or path.is_symlink():
            own = path.exists() and path.samefile(source)
            self.tell(f"{path}: {'in its place' if own else 'there already, left as it is'}")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self.copy:
            try:
                path.symlink_to(source.resolve(), target_is_directory=source.is_dir())
                self.tell(f"{path}: a link to {source.resolve()}")
                return
            except OSError:
                self.tell(f"{path}: no links can be made here; copying")
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            if source.is_dir():
                shutil.copytree(source, part)
            else:
                shutil.copyfile(source, part)
            part.rename(path)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)
            raise
        self.tell(f"{path}: copied from {source}")

    def place_pictures(self, source: Path | None, name: str, raw: Path) -> None:
        """As :meth:`place`; where the raw data hold no pictures, a line says where they belong."""
        if source is not None:
            self.place(source, name)
        elif not (self.folder / name).exists():
            self.lacks_pictures = True
            self.tell(f"! no pictures in {raw}: put them into {self.folder / name}")

    def count(self, what: str, found: int, official: int | Iterable[int]) -> None:
        """Says how many there are, and where that is not the official number."""
        wanted = (official,) if isinstance(official, int) else tuple(official)
        if found in wanted:
            self.tell(f"{what}: {found:,}, as in the official set")
            return
        self.differ += 1
        numbers = " or ".join(f"{number:,}" for number in wanted)
        self.tell(f"! {what}: {found:,}, but the official set has {numbers}")


def find_one(raw: Path, names: Iterable[str], what: str) -> Path:
    """The file or folder of one of these names in `raw` or below, the nearest first.

    Raises:
        ValueError: there is none; the text says what was looked for.
    """
    found = find(raw, names)
    if found is None:
        raise ValueError(
            f"{raw}: expected {what} ({', '.join(names)}) there or below, found none. Unpack the owners' archives."
        )
    return found


def find(raw: Path, names: Iterable[str], depth: int = 6) -> Path | None:
    """As :func:`find_one`; None where there is none. `names` may have several parts ("annot/valid.json")."""
    level = [raw]
    for _ in range(depth):
        for name in names:
            for folder in level:
                if (folder / name).exists():
                    return folder / name
        level = [below for folder in level for below in _folders(folder)]
    return None


def _folders(folder: Path) -> list[Path]:
    """Folders in a folder; those with thousands of pictures hold none, and their listing is still one read."""
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def same_json(one: bytes, other: bytes) -> bool:
    """Whether two json texts hold the same values, whatever their blanks."""
    import json

    try:
        first: Any = json.loads(one)
        return bool(first == json.loads(other))
    except ValueError:
        return False
