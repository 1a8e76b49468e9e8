"""Changes of files as disks, exporters and people make them: of any bytes, of json, of lines of fields."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Random = np.random.Generator
Change = Callable[[Random, bytes], bytes]

LONG = 10**399
"""A whole number of 400 digits."""
STRANGE: tuple[Any, ...] = (
    None, True, -1, 0, 1e30, -1e30, LONG, float("nan"), float("inf"), "", "x", "1e30", "nan", "\ud800", "../../x.jpg",
    "/etc/passwd", [], [[]], {}, {"id": 1}, [1, "2"], 0.5, "a" * 3000, 2**63, -(2**63),
)  # fmt: skip
WORDS = (
    "",
    "x",
    "nan",
    "-inf",
    "1e30",
    "1e400",
    "-1",
    "0",
    "1" * 400,
    "1,5",
    '"',
    "../../x.jpg",
    "é",
    "\u2028",
    "0x10",
    "1_0",
)


def cut(rng: Random, data: bytes) -> bytes:
    return data[: int(rng.integers(0, max(1, len(data))))]


def flip(rng: Random, data: bytes) -> bytes:
    """One to thirty bytes replaced, more often near the beginning, where headers are."""
    held = bytearray(data)
    for _ in range(int(rng.integers(1, 30))):
        if held:
            held[int(len(held) * rng.random() ** 3)] = int(rng.integers(0, 256))
    return bytes(held)


def blank(rng: Random, data: bytes) -> bytes:
    start = int(rng.integers(0, max(1, len(data))))
    length = int(rng.integers(1, 400))
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def repeat(rng: Random, data: bytes) -> bytes:
    start, stop = sorted(int(v) for v in rng.integers(0, len(data) + 1, 2))
    return data[:stop] + data[start:]


def noise(rng: Random, data: bytes) -> bytes:
    return rng.bytes(int(rng.integers(0, 300)))


def recoded(rng: Random, data: bytes) -> bytes:
    """The same text in another encoding, with another newline or a word that is not ASCII."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data[::-1]
    encoding = str(rng.choice(["utf-16", "utf-16-le", "utf-8-sig", "utf-32", "latin-1", "cp1252", "cp037"]))
    place = int(rng.integers(0, len(text) + 1))
    if rng.random() < 0.5:
        text = text[:place] + "é" + text[place:]
    text = text.replace("\n", str(rng.choice(["\r\n", "\r", "\n"])))
    return text.encode(encoding, "replace")


def nested(rng: Random, data: bytes) -> bytes:
    depth = int(rng.integers(50, 200_000))
    return bytes(rng.choice([b"[", b'{"a":', b"[{"])) * depth


BYTES: tuple[Change, ...] = (cut, cut, flip, flip, flip, blank, repeat, noise, recoded)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of a json value, at most a few of every list."""
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += _places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in {0, 1, len(value) // 2, len(value) - 1} & set(range(len(value))):
            found += _places(value[index], (*path, index))
    return found


def odd_json(rng: Random, data: bytes) -> bytes:
    """One to three values replaced, taken out, or put twice."""
    content = json.loads(data)
    for _ in range(int(rng.integers(1, 4))):
        places = _places(content)
        path = places[int(rng.integers(0, len(places)))]
        new = copy.deepcopy(STRANGE[int(rng.integers(0, len(STRANGE)))])
        if not path:
            content = new if rng.random() < 0.1 else content
            continue
        holder = content
        for step in path[:-1]:
            holder = holder[step]
        what = rng.random()
        if what < 0.2:
            del holder[path[-1]]
        elif what < 0.3 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[path[-1]]))
        else:
            holder[path[-1]] = new
    return json.dumps(content).encode("utf-8", "surrogatepass")


def odd_fields(rng: Random, data: bytes) -> bytes:
    """Fields of a line replaced, taken out, or put twice; or a line taken out or put twice."""
    lines = data.decode("utf-8").split("\n")
    for _ in range(int(rng.integers(1, 4))):
        row = int(rng.integers(0, len(lines)))
        separator = next((s for s in (",", "\t", " ") if s in lines[row]), ",")
        fields = lines[row].split(separator)
        place = int(rng.integers(0, len(fields)))
        what = rng.random()
        if what < 0.6:
            fields[place] = WORDS[int(rng.integers(0, len(WORDS)))]
        elif what < 0.75:
            del fields[place]
        elif what < 0.85:
            fields.insert(place, fields[place])
        elif what < 0.92:
            lines.insert(row, lines[row])
            continue
        lines[row] = separator.join(fields)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


JSON: tuple[Change, ...] = (*BYTES, nested, odd_json, odd_json, odd_json, odd_json, odd_json, odd_json)
FIELDS: tuple[Change, ...] = (*BYTES, odd_fields, odd_fields, odd_fields, odd_fields)


def as_folder(path: Path) -> None:
    path.mkdir()


def as_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_loop(path: Path) -> None:
    path.symlink_to(path.name)


def as_device(path: Path) -> None:
    path.symlink_to("/dev/null")


PLACES: tuple[Callable[[Path], None], ...] = (as_folder, as_pipe, as_loop, as_device)
"""What may lie where a file belongs."""
