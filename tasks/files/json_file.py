"""Json files from outside, decoded by type with msgspec: fast, compact, and refused with the place at fault."""

from __future__ import annotations

import gc
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from tasks.files.opening import as_utf8, read_bytes

T = TypeVar("T")

_PLAIN = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object {...}",
    "null": "null",
}
_UNREAD = msgspec.Raw()
"""Stands for a value in a text that cannot be decoded as a whole."""
_CONSTANTS = (b"NaN", b"Infinity", b"-Infinity")


def read_json(
    path: str | os.PathLike[str],
    kind: type[T],
    what: str,
    advice: str = "",
    fields: Mapping[str, str] | None = None,
    fix: str = "correct it or fetch the file again",
    content: bytes | None = None,
) -> T:
    """A json file as `kind`: a msgspec structure, or a type made of lists, dictionaries, numbers and texts.

    Args:
        what: what it should hold ("COCO keypoint annotations"). advice: what to do where it is missing.
        fields: what is expected of a field, by its name ("bbox": "bbox as four numbers x, y, width, height").
        fix: what to do where it is broken.
        content: the file's bytes, where they have been read.

    Raises:
        ValueError: as `read_bytes`; no json, or not of this type. The text names file, place, value and fix.
    """
    data = as_utf8(read_bytes(path, what, advice) if content is None else content, path)
    if not data.isascii():  # msgspec looks at no text that it keeps for later
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _other_encoding(error, str(path), what) from None
    return decode_json(data, kind, str(path), what, fields, fix)


@contextmanager
def many_records() -> Iterator[None]:
    """Pauses the collection of cycles while a file's records are made and read: it would search them again and again."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def decode_json(
    data: bytes | msgspec.Raw,
    kind: type[T],
    where: str,
    what: str,
    fields: Mapping[str, str] | None = None,
    fix: str = "correct it or fetch the file again",
) -> T:
    """UTF-8 json text as `kind`; `where` is what the error text begins with. See `read_json`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise ValueError(_mismatch(data, str(error), where, what, fields or {}, fix)) from None
    except RecursionError:
        raise ValueError(f"{where}: expected {what}, got lists or objects nested too deep; {fix}") from None
    except UnicodeDecodeError as error:
        raise _other_encoding(error, where, what) from None
    except msgspec.DecodeError as error:
        unlike = _constant(bytes(data), where, fields or {}, fix) if "invalid" in str(error) else None
        if unlike is not None:
            raise ValueError(unlike) from None
        raise ValueError(
            f"{where}: expected {what}, got no valid json ({_malformed(bytes(data), str(error))}); {fix}"
        ) from None
    except MemoryError:
        raise ValueError(
            f"{where}: expected {what} that fit into memory, got {len(data)} bytes; split the file"
        ) from None


def _constant(data: bytes, where: str, fields: Mapping[str, str], fix: str) -> str | None:
    """The text about the first NaN or Infinity of a file that Python would read; None where it is not json otherwise."""
    try:
        steps = _first_constant(json.loads(data))
    except (ValueError, RecursionError, MemoryError):
        return None
    if steps is None:
        return None
    field = next((step for step in reversed(steps) if isinstance(step, str) and step in fields), "")
    value, identity = _followed(json.loads(data), steps)
    named = _named(steps[: len(steps) - steps[::-1].index(field) - 1] if field else steps, identity)
    begin = f"{where}, {named}" if named else where
    shown = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return f"{begin}: expected {fields.get(field, 'a number')}, got {shown}, which json does not have; {fix}"


def _first_constant(value: Any) -> list[str | int] | None:
    """The steps to the first number that is not finite."""
    if isinstance(value, float):
        return None if math.isfinite(value) else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in entries:
        found = _first_constant(inner)
        if found is not None:
            return [step, *found]
    return None


def _other_encoding(error: UnicodeDecodeError, where: str, what: str) -> ValueError:
    byte = error.object[error.start]
    return ValueError(
        f"{where}: expected {what} in UTF-8, got a text with the byte 0x{byte:02x} (Latin-1?); save the file as UTF-8"
    )


def _malformed(data: bytes, text: str) -> str:
    """What is wrong with json text, with its line."""
    place = re.search(r"\(byte (\d+)\)", text)
    if not data.strip():
        return "it is empty"
    if place is None:
        return "it is cut short" if "truncated" in text else text.removeprefix("JSON is malformed: ")
    offset = int(place.group(1))
    line = data.count(b"\n", 0, offset) + 1
    constant = next((name.decode() for name in _CONSTANTS if data[offset : offset + len(name)] == name), None)
    reason = (
        f"{constant}, which json does not have" if constant else text.removeprefix("JSON is malformed: ").split(" (")[0]
    )
    return f"{reason}, line {line}, byte {offset}"


def _mismatch(data: bytes | msgspec.Raw, text: str, where: str, what: str, fields: Mapping[str, str], fix: str) -> str:
    """msgspec's complaint in plain words, with the value found and the record's own id."""
    reason, _, place = text.partition(" - at ")
    steps = _steps(place.strip("`"))
    value, identity = _look_up(data, steps)
    field = next((step for step in reversed(steps) if isinstance(step, str)), "")
    missing = re.match(r"Object missing required field `(\w+)`", reason)
    # What is expected of a known field names it; a missing field is none of the steps.
    known = field in fields and missing is None
    named = _named(steps[: len(steps) - steps[::-1].index(field) - 1] if known else steps, identity)
    begin = f"{where}, {named}" if named else where
    if missing is not None:
        name = missing.group(1)
        return f"{begin}: expected {fields.get(name, f'the field {name!r}')} but it is missing; {fix}"
    if steps and field in fields:
        return f"{begin}: expected {fields[field]}, got {shorten(value)}; {fix}"
    wanted = re.match(r"Expected `([^`]*)`(?: of length (\d+))?", reason)
    if wanted is None:
        return f"{begin}: expected {what}, got {reason.lower()} ({shorten(value)}); {fix}"
    kinds = " or ".join(_PLAIN.get(name.strip(), name.strip()) for name in wanted.group(1).split("|"))
    length = f" of length {wanted.group(2)}" if wanted.group(2) else ""
    return f"{begin}: expected {kinds}{length}{'' if steps else f' ({what})'}, got {shorten(value)}; {fix}"


def _steps(place: str) -> list[str | int]:
    """`$.annotations[3].bbox` as ["annotations", 3, "bbox"]; `[...]`, msgspec's word for any key, ends the path."""
    steps: list[str | int] = []
    for name, index in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", place):
        if index == "...":
            break
        steps.append(name if name else int(index))
    return steps


def _named(steps: list[str | int], identity: Any) -> str:
    """A place in words: "annotation 7" (by its id), "images[2] (id 7)", "entry 3" of a list."""
    if steps[:1] == ["annotations"] and len(steps) > 1 and isinstance(identity, int | str):
        text = f"annotation {identity}" + "".join(_step(step) for step in steps[2:])
    elif steps and isinstance(steps[0], int):
        text = f"entry {steps[0]}" + "".join(_step(step) for step in steps[1:])
    else:
        text = "".join(_step(step) for step in steps).removeprefix(".")
        text += f" (id {shorten(identity)})" if identity is not None and text else ""
    return text


def _step(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"


def _look_up(data: bytes | msgspec.Raw, steps: list[str | int]) -> tuple[Any, Any]:
    """The value at a place, and the `id` (or `image_id`) of the innermost record around it."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, MemoryError):
        return _UNREAD, None
    return _followed(value, steps)


def _followed(value: Any, steps: list[str | int]) -> tuple[Any, Any]:
    identity: Any = None
    for step in steps:
        if isinstance(value, dict):
            identity = value.get("id", identity)
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
    if isinstance(value, dict):
        identity = value.get("id", identity)
    return value, identity


def shorten(value: Any, length: int = 60) -> str:
    """A value for an error text: its first characters."""
    if value is _UNREAD:
        return "something else"
    if isinstance(value, int) and abs(value) >= 10**length:
        return "a whole number of too many digits"
    if isinstance(value, list | dict) and len(value) > length:
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= length else f"{text[: length - 3]}..."
