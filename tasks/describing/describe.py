"""From a folder or a json file to a first dataset.toml: the layouts are tried one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tasks import get_task, task_names
from tasks.declarations.declaration import FILE, TASK_OF, declaration_of, tomllib
from tasks.describing.class_folders import guess_class_folders
from tasks.describing.coco_json import guess_coco, guess_coco_file
from tasks.describing.guess import Guess, name_of
from tasks.describing.label_maps import guess_label_maps
from tasks.describing.points_csv import guess_points
from tasks.describing.toml_text import toml_text

GUESSES = (guess_coco, guess_points, guess_label_maps, guess_class_folders)


@dataclass(frozen=True)
class Described:
    """A first toml: where it belongs, its text, what was guessed and derived, and what has to be looked at."""

    path: Path
    text: str
    guessed: tuple[str, ...]
    check: tuple[str, ...]


def describe(place: Path) -> Described:
    """Describes a folder, or the dataset of a json file.

    Raises:
        ValueError: nothing of that name, or no layout that is known; the text says what was looked for.
    """
    if place.is_dir():
        guess = next((found for found in (look(place) for look in GUESSES) if found is not None), None)
        if guess is None:
            raise ValueError(
                f"{place}: expected json files in COCO's form, csv files with image_name and points, two folders of pictures and "
                "label maps (png) of equal stems, or folders of classes, found none of them; see docs/own_datasets.md"
            )
    elif place.is_file():
        if place.suffix.lower() != ".json":
            raise ValueError(f"{place}: expected a folder or a json file; name the dataset's folder")
        guess = guess_coco_file(place)
    else:
        raise ValueError(f"{place}: expected a folder or a json file, found nothing; check the name")
    return _described(guess)


def _described(guess: Guess) -> Described:
    task = get_task(TASK_OF[guess.layout])
    taken = {name for other in task_names() for name in type(get_task(other)).datasets}
    text = toml_text(guess, name_of(guess.folder, taken))
    path = guess.folder / FILE
    completed = task.complete(declaration_of(tomllib.loads(text), str(path)), guess.folder)
    check = guess.check
    if guess.folder.resolve().name.casefold() in taken:
        known = guess.folder.resolve().name.casefold()
        check = (f"{known} is a dataset that is known already: --dataset {known} needs no toml", *check)
    return Described(path, text, (*guess.guessed, *completed.derived), check)
