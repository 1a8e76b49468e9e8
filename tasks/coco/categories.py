"""The categories that a COCO file lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from tasks.coco.identities import Identities
from tasks.files.json_file import shorten

_LARGEST_ID = 2**53


class CategoryRecord(msgspec.Struct, gc=False):
    """An entry of `categories`."""

    id: int | None = None
    name: str | int | None = None
    keypoints: list[str | int] | None = None


@dataclass(frozen=True)
class Categories:
    """K categories in order of id: `ids`, `names` (an id's text where the file names none), and the `keypoints` of each."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    keypoints: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def identities(self) -> Identities:
        """Their rows by id."""
        return Identities(self.ids)

    def shown(self, limit: int = 10) -> str:
        """The first of them as text, for messages."""
        some = ", ".join(f"{number} {name}" for number, name in zip(self.ids[:limit], self.names))
        return some + (", ..." if len(self) > limit else "")


def categories_of(records: Sequence[CategoryRecord], path: Path) -> Categories:
    """Checks the list `categories` of the file `path`.

    Raises:
        ValueError: an entry without a whole number as id, or with one that another has.
    """
    seen: set[int] = set()
    for row, record in enumerate(records):
        if record.id is None or record.id in seen or abs(record.id) > _LARGEST_ID:
            second = record.id is not None and record.id in seen
            problem = (
                f"a second entry of id {record.id}" if second else "none" if record.id is None else shorten(record.id)
            )
            raise ValueError(
                f"{path}, categories[{row}]: expected a whole number of its own as id, got {problem}; correct it"
            )
        seen.add(record.id)
    kept = sorted(records, key=lambda record: record.id or 0)
    return Categories(
        tuple(record.id for record in kept if record.id is not None),
        tuple(str(record.id if record.name in (None, "") else record.name) for record in kept),
        tuple(tuple(str(joint) for joint in record.keypoints or ()) for record in kept),
    )


def plain_name(name: str) -> str:
    """A name for comparison: case, blanks, hyphens and underscores do not count."""
    return "".join(c for c in name.casefold() if c not in " -_")
