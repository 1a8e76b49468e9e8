"""What ``predict`` is asked for: words of the command line as pictures and videos, and the boxes of each. Torch-free."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.base import Task
from tasks.files.picture_header import read_header
from tasks.predictor.sources import Shown, is_video, pictures_in, read_shown, shown_of
from tasks.results.box_source import BoxSource, GivenBoxes

WHOLE, TRUTH = "whole", "truth"
WAYS = (
    "--detector WEIGHTS (a detector finds them), --boxes FILE (a file of boxes), --boxes truth (the annotations of the dataset "
    "that a picture lies in), or --boxes whole (the whole picture)"
)


@dataclass(frozen=True)
class Asked:
    """A picture's or a video's file, and the boxes that are known of it (None: the detector's, or none are needed)."""

    path: Path
    boxes: GivenBoxes | str | None = None

    @property
    def video(self) -> bool:
        """Whether it is a video."""
        return is_video(self.path)

    def shown(self) -> Iterator[Shown]:
        """The picture, or the frames one by one."""
        return shown_of(self.path, self.boxes) if self.video else iter([read_shown(self.path, self.boxes)])


def files_of(words: Sequence[Path]) -> list[Path]:
    """Pictures and videos that words name: files, folders (the pictures in them), and patterns with ``*``, ``?`` or ``[``.

    Raises:
        ValueError: a word that names nothing.
    """
    made: list[Path] = []
    for word in words:
        if word.is_dir():
            made += pictures_in(word)
        elif word.exists():
            made.append(word)
        elif glob.has_magic(str(word)):
            found = sorted(Path(name) for name in glob.glob(str(word), recursive=True))
            files = [path for path in found if path.is_file()]
            if not files:
                raise ValueError(f"{word}: expected pictures or videos of this pattern, found none")
            made += files
        else:
            raise FileNotFoundError(f"{word}: expected a picture there, found none.")
    return list(dict.fromkeys(made))


def with_boxes(
    files: Sequence[Path], task: Task, dataset: str, boxes: str | None, detector: bool, min_score: float
) -> list[Asked]:
    """The files with their boxes, for tasks that look into boxes.

    Args:
        boxes: the word of ``--boxes``: a file's path, "truth", "whole", or None. detector: whether one finds them.

    Raises:
        ValueError: boxes that the task does not look into, that contradict each other, or that are nowhere.
    """
    if task.sees_boxes == "none":
        for option, given in (("--boxes", boxes is not None), ("--detector", detector)):
            if given:
                raise ValueError(f"{option}: {task.name} sees whole pictures and looks into no boxes; leave it out")
        return [Asked(path) for path in files]
    if detector:
        return [Asked(path) for path in files]
    if boxes == WHOLE:
        return [Asked(path, WHOLE) for path in files]
    for path in files:
        if is_video(path):
            raise ValueError(f"{path}: a video needs --detector WEIGHTS (or --boxes whole) for {task.name}")
    named = None if boxes in (None, TRUTH) else Path(str(boxes))
    source: BoxSource = task.box_source(dataset, files, named, boxes == TRUTH)
    found = [(path, source.of(path, read_header(path).size_wh, min_score)) for path in files]
    lacking = [path for path, given in found if given is None]
    if lacking:
        more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
        what = "no dataset with annotated boxes" if boxes == TRUTH else "no dataset that has boxes"
        raise ValueError(
            f"{lacking[0]}{more}: expected boxes of what {task.name} looks into, got none, and the picture lies in {what}. "
            f"Say where they come from: {WAYS}"
        )
    return [Asked(path, given) for path, given in found]
