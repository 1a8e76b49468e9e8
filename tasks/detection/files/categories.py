"""What a detector tells apart, COCO's eighty classes or one's own, and how it meets a file's categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.coco.categories import Categories, plain_name

_NAMES = """
1 person, 2 bicycle, 3 car, 4 motorcycle, 5 airplane, 6 bus, 7 train, 8 truck, 9 boat, 10 traffic light, 11 fire hydrant,
13 stop sign, 14 parking meter, 15 bench, 16 bird, 17 cat, 18 dog, 19 horse, 20 sheep, 21 cow, 22 elephant, 23 bear, 24 zebra,
25 giraffe, 27 backpack, 28 umbrella, 31 handbag, 32 tie, 33 suitcase, 34 frisbee, 35 skis, 36 snowboard, 37 sports ball,
38 kite, 39 baseball bat, 40 baseball glove, 41 skateboard, 42 surfboard, 43 tennis racket, 44 bottle, 46 wine glass, 47 cup,
48 fork, 49 knife, 50 spoon, 51 bowl, 52 banana, 53 apple, 54 sandwich, 55 orange, 56 broccoli, 57 carrot, 58 hot dog, 59 pizza,
60 donut, 61 cake, 62 chair, 63 couch, 64 potted plant, 65 bed, 67 dining table, 70 toilet, 72 tv, 73 laptop, 74 mouse,
75 remote, 76 keyboard, 77 cell phone, 78 microwave, 79 oven, 80 toaster, 81 sink, 82 refrigerator, 84 book, 85 clock, 86 vase,
87 scissors, 88 teddy bear, 89 hair drier, 90 toothbrush
"""

COCO_NAMES: dict[int, str] = {
    int(number): name
    for number, name in (entry.strip().split(" ", 1) for entry in _NAMES.replace("\n", " ").strip().split(","))
}
"""Official category id (1 .. 90, ten numbers unused) -> name."""

COCO_IDS: tuple[int, ...] = tuple(sorted(COCO_NAMES))
PERSON = 1


@dataclass(frozen=True)
class Classes:
    """The classes of a network in the order of its outputs: label k, from 1, is the k-th.

    Attributes:
        ids: category ids. names: their names. named: False where the weights do not say what their outputs are.
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    named: bool = True

    def __len__(self) -> int:
        return len(self.ids)

    def id_of(self, label: int) -> int:
        """The category id of a label."""
        return self.ids[label - 1] if 1 <= label <= len(self) else label

    def name_of(self, label: int) -> str:
        """The name of a label."""
        return self.names[label - 1] if 1 <= label <= len(self) else f"class {label}"

    def plain(self) -> list[list[Any]]:
        """As plain data, [[id, name], ...], for a checkpoint."""
        return [[number, name] for number, name in zip(self.ids, self.names)]

    def shown(self, limit: int = 10) -> str:
        """The first of them as text, for messages."""
        return Categories(self.ids, self.names).shown(limit)


COCO = Classes(COCO_IDS, tuple(COCO_NAMES[number] for number in COCO_IDS))


def unnamed(count: int) -> Classes:
    """Classes of weights that do not say what they are."""
    return Classes(tuple(range(1, count + 1)), tuple(f"class {k}" for k in range(1, count + 1)), named=False)


def classes_from(plain: Sequence[Sequence[Any]]) -> Classes:
    """The inverse of `Classes.plain`.

    Raises:
        ValueError: not a list of pairs of a whole number and a name.
    """
    pairs = [tuple(pair) for pair in plain if isinstance(pair, Sequence) and not isinstance(pair, str)]
    if len(pairs) != len(plain) or any(len(pair) != 2 or not isinstance(pair[0], int) for pair in pairs):
        raise ValueError(f"Expected classes as a list of [id, name], got {str(plain)[:80]}; save the weights again")
    return Classes(tuple(int(pair[0]) for pair in pairs), tuple(str(pair[1]) for pair in pairs))


def classes_of_model(model: Any) -> Classes:
    """The classes of a detector: as its weights or training data name them, else by the number of its outputs."""
    if model.classes is not None:
        made = classes_from(model.classes)
        same = [plain_name(name) for name in made.names] == [plain_name(name) for name in COCO.names]
        return COCO if same else made
    by_id = getattr(model.conventions, "labels", "rank") == "category_id"
    return COCO if by_id or model.num_outputs == len(COCO) else unnamed(int(model.num_outputs))


def classes_of_file(categories: Categories) -> Classes:
    """The classes that a network trained on a file tells apart: COCO's eighty where the file lists some of these, else its own.

    A file lists COCO's where its ids are COCO's and most names agree; one that names nothing counts by its ids.
    """
    return COCO if of_coco(categories) else Classes(categories.ids, categories.names)


def of_coco(categories: Categories) -> bool:
    """Whether a file's categories are some of COCO's: by id, and by most of the names that it gives."""
    if not set(categories.ids) <= set(COCO_IDS):
        return False
    given = [(number, name) for number, name in zip(categories.ids, categories.names) if name != str(number)]
    same = sum(plain_name(name) == plain_name(COCO_NAMES[number]) for number, name in given)
    return 2 * same > len(given) or not given


@dataclass(frozen=True)
class Match:
    """How a network's classes meet a file's categories.

    Attributes:
        category_of: label -> the file's category id. notes: what a reader of figures must know.
    """

    category_of: dict[int, int]
    notes: tuple[str, ...] = ()


def match(classes: Classes, categories: Categories, file: str) -> Match:
    """Finds each category of a file among the classes of a network: by its name, else by its id.

    Args:
        file: the file's name, for texts.

    Raises:
        ValueError: nothing of the file is among the network's classes, or they name nothing and are of another number.
    """
    if not classes.named:
        if len(classes) != len(categories):
            raise ValueError(
                f"{file}: expected {len(classes)} categories, as many as the network's outputs, whose names the weights do not "
                f"hold, got {len(categories)} ({categories.shown()}); use a file with the categories of training"
            )
        note = f"the weights do not name their classes: they are taken in the order of {file}'s category ids"
        return Match(dict(enumerate(categories.ids, start=1)), (note,))
    by_name = {plain_name(name): label for label, name in enumerate(classes.names, start=1)}
    by_id = {number: label for label, number in enumerate(classes.ids, start=1)}
    labels: dict[int, int] = {}
    moved, renamed = [], []
    for number, name in zip(categories.ids, categories.names):
        label = by_name.get(plain_name(name))
        if label is not None and label not in labels:
            labels[label] = number
            if classes.id_of(label) != number:
                moved.append(f"{number} {name} is {classes.id_of(label)} in the weights")
    missed = []
    for number, name in zip(categories.ids, categories.names):
        if number in labels.values():
            continue
        label = by_id.get(number)
        if label is None or label in labels:
            missed.append(f"{number} {name}")
            continue
        labels[label] = number
        if name != str(number):
            renamed.append(f"{number} is {name} in the file, {classes.name_of(label)} in the weights")
    if not labels:
        raise ValueError(
            f"{file}: expected categories that the network knows ({classes.shown()}), got {categories.shown()}; evaluate weights "
            "that were trained on these categories"
        )
    notes = []
    if moved:
        notes.append(f"{file}: category ids differ from the weights' and are matched by name ({_some(moved)})")
    if renamed:
        notes.append(f"{file}: category names differ from the weights' and are matched by id ({_some(renamed)})")
    if missed:
        notes.append(
            f"{file}: {len(missed)} categories are not the network's; their objects count as missed ({_some(missed)})"
        )
    return Match(labels, tuple(notes))


def _some(texts: Sequence[str], limit: int = 3) -> str:
    return "; ".join(texts[:limit]) + (f"; and {len(texts) - limit} more" if len(texts) > limit else "")
