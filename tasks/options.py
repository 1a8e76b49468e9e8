"""Frozen dataclasses as experiments: overriding fields from ``key=value`` text, and plain-data round trips."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from hrnet.names import nearest

__all__ = ["changed", "converted", "dotted", "from_plain", "later", "nearest", "override", "refuse_unknown", "to_plain"]

T = TypeVar("T")


def later(default: T) -> T:
    """A dataclass field that came after results were stored: at its default it is left out of plain data.

    So the identities of cells that were stored before the field existed stay as they are.
    """
    return dataclasses.field(default=default, metadata={"later": True})


def refuse_unknown(options: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raises ValueError for the first option that is not known; ``what`` says whose options they are."""
    known = list(known)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"Unknown option {unknown[0]!r} of {what}. Known: {', '.join(known)}.")


def changed(options: T, changes: Mapping[str, Any], what: str) -> T:
    """A copy of a frozen dataclass with fields replaced; raises ValueError ("Unknown `what` ...") naming the nearest field."""
    assert dataclasses.is_dataclass(options) and not isinstance(options, type)
    known = [f.name for f in dataclasses.fields(options)]
    for key in changes:
        if key not in known:
            raise ValueError(f"Unknown {what} {key!r}. {nearest(key, known)}")
    return dataclasses.replace(options, **changes)


def dotted(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables as one: {"augment": {"flip": 0}} becomes {"augment.flip": 0}."""
    made: dict[str, Any] = {}
    for key, value in changes.items():
        if isinstance(value, Mapping):
            made |= {f"{key}.{inner}": held for inner, held in dotted(value).items()}
        else:
            made[key] = value
    return made


def override(options: T, changes: Mapping[str, Any], what: str = "option") -> T:
    """A copy of a frozen dataclass with fields replaced; dots reach into nested dataclasses.

    Text values are converted to the field's declared type: numbers, ``true``/``false``, ``none``, comma-separated tuples,
    and literals, which are checked.

    Raises:
        ValueError: an unknown key (the nearest is named), a value that does not fit the field's type, or a plain value for a
            nested dataclass (its fields are named).

    Example:
        >>> override(recipe, {"lr": "0.01", "augment.flip": "0", "milestones": "30,50"})
    """
    assert dataclasses.is_dataclass(options) and not isinstance(options, type)
    hints = typing.get_type_hints(type(options))
    names = [f.name for f in dataclasses.fields(options)]
    new: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for key, value in changes.items():
        head, _, rest = key.partition(".")
        if head not in names:
            raise ValueError(f"Unknown {what} {key!r}. {nearest(head, names)}")
        current = getattr(options, head)
        if rest:
            nested.setdefault(head, {})[rest] = value
        elif dataclasses.is_dataclass(current) and not dataclasses.is_dataclass(value):
            fields = ", ".join(f"{head}.{f.name}" for f in dataclasses.fields(current))
            raise ValueError(f"{what} {key!r} is changed field by field, got {value!r} for all of it. Known: {fields}.")
        else:
            new[head] = _convert(value, hints[head], f"{what} {key!r}")
    for head, inner in nested.items():
        current = new.get(head, getattr(options, head))
        if not dataclasses.is_dataclass(current):
            raise ValueError(f"{what} {head!r} has no fields below it, got {head}.{next(iter(inner))}.")
        new[head] = override(current, inner, f"{what} {head}.")
    return dataclasses.replace(options, **new)  # type: ignore[type-var]


def converted(values: Mapping[str, Any], kinds: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Values from text, each as its kind.

    Raises:
        ValueError: an unknown name, the nearest is given; or a value that is none of its kind.
    """
    for name in values:
        if name not in kinds:
            raise ValueError(f"Unknown {what}{name!r}. {nearest(name, list(kinds))}")
    return {name: _convert(value, kinds[name], f"{what}{name!r}") for name, value in values.items()}


def _convert(value: Any, kind: Any, what: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if type(None) in args and (value is None or (isinstance(value, str) and value.lower() == "none")):
            return None
        problems = []
        for option in args:
            if option is type(None):
                continue
            try:
                return _convert(value, option, what)
            except ValueError as error:
                problems.append(str(error))
        raise ValueError(problems[-1])
    if origin is Literal:
        for option in args:
            if value == option or str(value).lower() == str(option).lower():
                return option
        raise ValueError(f"Expected {what} to be one of {', '.join(map(str, args))}, got {value!r}.")
    if origin is tuple:
        parts = [p for p in value.strip("()[]").split(",") if p.strip()] if isinstance(value, str) else list(value)
        inner = args[0] if len(args) == 2 and args[1] is Ellipsis else None
        if inner is None and len(parts) != len(args):
            raise ValueError(f"Expected {what} to have {len(args)} comma-separated values, got {value!r}.")
        kinds = [inner] * len(parts) if inner is not None else list(args)
        return tuple(_convert(p.strip() if isinstance(p, str) else p, k, what) for p, k in zip(parts, kinds))
    if kind is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "1", "yes", "on"):
            return True
        if str(value).lower() in ("false", "0", "no", "off"):
            return False
        raise ValueError(f"Expected {what} to be true or false, got {value!r}.")
    if kind in (int, float):
        try:
            made = kind(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"Expected {what} to be a{'n' * (kind is int)} {kind.__name__}, got {value!r}.") from None
        if not math.isfinite(made):
            raise ValueError(f"Expected {what} to be a finite number, got {value!r}.")
        return made
    if kind is str:
        return str(value)
    return value


def to_plain(value: Any) -> Any:
    """Dataclasses, tuples and paths as JSON-able dictionaries, lists and text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if not _is_left_out(f, value)}
        return {name: to_plain(inner) for name, inner in held.items()}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [to_plain(v) for v in items]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


def _is_left_out(field: dataclasses.Field[Any], holder: Any) -> bool:
    return bool(field.metadata.get("later")) and getattr(holder, field.name) == field.default


def from_plain(kind: type[T], data: Mapping[str, Any]) -> T:
    """The inverse of :func:`to_plain` for a frozen dataclass; unknown keys are errors that name the nearest field."""
    hints = typing.get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in names:
            raise ValueError(f"Unknown field {key!r} of {kind.__name__}. {nearest(key, names)}")
        hint = hints[key]
        if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
            values[key] = from_plain(hint, value)  # type: ignore[arg-type]
        else:
            values[key] = _convert(value, hint, f"field {key!r}") if hint is not Any else value
    return kind(**values)
