"""Cityscapes' own pixel-level evaluation, wrapped: it exits the process on errors and keeps its settings in a global."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def pixel_level_evaluation(predictions: Sequence[Path], labels: Sequence[Path]) -> dict[str, Any]:
    """What cityscapesscripts says of submission pngs.

    Args:
        predictions: pngs of label ids. labels: ``*_gtFine_labelIds.png``, in the same order.

    Returns:
        its result dictionary: ``confMatrix`` (34 x 34 label ids, rows ground truth, last row and column unused by label id
        -1), ``classScores`` (IoU by name, 0 to 1), ``averageScoreClasses``, ``categoryScores``, ...

    Raises:
        ImportError: cityscapesscripts is not installed. ValueError: it refused the files; its words are quoted.
    """
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as judge

    settings = copy.copy(judge.args)
    # The instance-weighted score needs a NumPy function that NumPy 2.4 has not any more.
    settings.evalInstLevelScore = False
    settings.JSONOutput = False
    settings.quiet = True
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return judge.evaluateImgLists([str(p) for p in predictions], [str(p) for p in labels], settings)
    except SystemExit:
        raise ValueError(f"cityscapesscripts refused the files: {said.getvalue().strip()}") from None
