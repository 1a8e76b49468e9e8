"""Which column of a face csv holds what, by the header's names.

Official headers read image_name, scale, (box_size,) center_w, center_h, original_0_x, original_0_y, ...; exporters write the same
in other orders and under names like x_0, y_0 or point_0_x.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

NAME = "image_name"
CENTRE_X, CENTRE_Y = ("center_w", "centre_w", "center_x", "centre_x"), ("center_h", "centre_h", "center_y", "centre_y")

_NUMBER_AXIS = re.compile(r"(?:.*[_\- .])?(\d+)[_\- .]?([xy])")
_AXIS_NUMBER = re.compile(r"(?:.*[_\- .])?([xy])[_\- .]?(\d+)")
_PLAIN_NUMBER = re.compile(r"\D*(\d+)")


@dataclass(frozen=True)
class Columns:
    """Places of a face csv's columns.

    Attributes:
        total: how many a line has. name: of the picture's name. scale, centre: of the box's scale and centre (x, y); None where
            the header has no box.
        box_size: AFLW's normaliser; None where the header has none.
        points: of x and y of every point, in the points' order, (2 P,). others: names of columns that are not read.
    """

    total: int
    name: int
    scale: int | None
    centre: tuple[int, int] | None
    box_size: int | None
    points: tuple[int, ...]
    others: tuple[str, ...]


def columns_of(
    header: Sequence[str], num_points: int, where: str, needs_box_size: bool = False, needs_box: bool = True
) -> Columns:
    """The columns that a header names.

    Args:
        where: names file and line, for error texts. needs_box_size: whether box_size must be there.
        needs_box: whether scale and centre must be there; else all of them may lack.

    Raises:
        ValueError: no name of the picture, scale or centre, a name twice, or names that do not tell the points.
    """
    names = [cell.strip().lower() for cell in header]
    if NAME not in names:
        raise ValueError(
            f"{where}: expected a header that begins with {NAME} but got {str(header[0])[:60] if header else ''!r}; put back the "
            "official header, or the first face would be lost"
        )
    repeated = next((name for name in names if name and names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"{where}: expected every column's name once but got {repeated!r} twice; correct the header")
    boxed = needs_box or any(name in names for name in ("scale", *CENTRE_X, *CENTRE_Y))
    scale = _place(names, ("scale",), where) if boxed else None
    centre = (_place(names, CENTRE_X, where), _place(names, CENTRE_Y, where)) if boxed else None
    box_size = _place(names, ("box_size",), where) if needs_box_size or "box_size" in names else None
    taken = {names.index(NAME), scale, box_size, *(centre or ())}
    rest = {place: name for place, name in enumerate(names) if place not in taken}
    points = point_columns(rest, num_points, where)
    others = tuple(header[place].strip() for place in rest if place not in set(points))
    return Columns(len(names), names.index(NAME), scale, centre, box_size, points, others)


def _place(names: Sequence[str], wanted: Sequence[str], where: str) -> int:
    place = next((names.index(name) for name in wanted if name in names), None)
    if place is None:
        raise ValueError(
            f"{where}: expected a column {wanted[0]} but the header has {', '.join(names[:6])}, ...; put back the official header"
        )
    return place


def count_points(header: Sequence[str]) -> int:
    """How many points a header names, by numbers and axes; 0 where it is no header of points."""
    names = [cell.strip().lower() for cell in header]
    if NAME not in names:
        return 0
    found: dict[str, set[str]] = {}
    for name in names:
        match = _NUMBER_AXIS.fullmatch(name) or _AXIS_NUMBER.fullmatch(name)
        if match is not None and name not in (*CENTRE_X, *CENTRE_Y):
            first, second = match.groups()
            number, axis = (first, second) if first.isdigit() else (second, first)
            found.setdefault(number, set()).add(axis)
    return sum(axes == {"x", "y"} for axes in found.values())


def point_columns(rest: dict[int, str], num_points: int, where: str) -> tuple[int, ...]:
    """Places of x and y of every point, by names that tell number and axis, or that count 2 P values in the official order."""
    named: dict[tuple[int, str], int] = {}
    for place, name in rest.items():
        match = _NUMBER_AXIS.fullmatch(name) or _AXIS_NUMBER.fullmatch(name)
        if match is None:
            continue
        first, second = match.groups()
        number, axis = (int(first[:9]), second) if first.isdigit() else (int(second[:9]), first)
        if (number, axis) in named:
            raise ValueError(
                f"{where}: expected one column of {axis} of point {number} but got {rest[named[number, axis]]!r} and {name!r}; "
                "correct the header"
            )
        named[number, axis] = place
    if not named:
        return _counted(rest, num_points, where)
    numbers = sorted({number for number, _ in named})
    base = numbers[0]
    if base not in (0, 1) or numbers != list(range(base, base + num_points)) or len(named) != 2 * num_points:
        raise ValueError(f"{where}: {_wrong_points(len(named) / 2, num_points)}")
    return tuple(named[number, axis] for number in numbers for axis in "xy")


def _counted(rest: dict[int, str], num_points: int, where: str) -> tuple[int, ...]:
    """Columns p0, p1, p2, ...: x and y in turn; the numbers must follow each other as the columns do."""
    counted = [(place, match) for place, name in rest.items() if (match := _PLAIN_NUMBER.fullmatch(name))]
    numbers = [int(match.group(1)[:9]) for _, match in counted]
    first = numbers[0] if numbers else 0
    if not numbers or first not in (0, 1) or numbers != list(range(first, first + len(numbers))):
        raise ValueError(
            f"{where}: expected columns x and y of {num_points} points (original_0_x, original_0_y, ..., or x_0, y_0, ...) but "
            f"the header has {', '.join(list(rest.values())[:4])}, ...; name the columns"
        )
    if len(numbers) != 2 * num_points:
        raise ValueError(f"{where}: {_wrong_points(len(numbers) / 2, num_points)}")
    return tuple(place for place, _ in counted)


def _wrong_points(found: float, num_points: int) -> str:
    hint = "name every point's x and y once"
    if found == int(found) > 1 and found != num_points:
        hint = f"it holds {int(found)} points, and this dataset has {num_points}: is it the csv of another dataset?"
    return f"expected x and y of {num_points} points, numbered from 0 or 1, but got {2 * found:g} coordinates; {hint}"
