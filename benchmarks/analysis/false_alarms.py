"""How often `compare` calls equal models different, by the number of pictures: ``python -m benchmarks.analysis.false_alarms``.

Two models of equal quality are drawn at random, a thousand times for each number of pictures; their difference is judged as
`compare` does (Student's distribution, expanded deviation) and, beside it, as a plain normal distribution of the draws would.
Five of a hundred should be called different at p < 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables.uncertainty import Figures, draw, image_counts, paired

NUM_PICTURES = (2, 3, 5, 10, 20, 50)
REPEATS, DRAWS = 1000, 100


def main() -> int:
    """Prints the table; returns 0."""
    print(f"Equal models called different at p < 0.05, of {REPEATS} pairs (aim: 5 %)\n")
    print(f"{'pictures':>8}  {'compare':>8}  {'plain normal':>12}")
    for count in NUM_PICTURES:
        ours, plain = alarms(count)
        print(f"{count:8d}  {ours:7.1%}  {plain:12.1%}")
    return 0


def alarms(count: int, repeats: int = REPEATS, draws: int = DRAWS) -> tuple[float, float]:
    """Share of equal pairs over ``count`` pictures that are called different: by `paired`, and by the draws' plain deviation."""
    generator = np.random.default_rng(count)
    ours = plain = 0
    for trial in range(repeats):
        one, other = generator.normal(size=(2, count))
        images = np.arange(count) + count * trial  # other draws for every pair
        [found] = paired(mean_of(one), mean_of(other), images, images, ["mean"], draws)
        ours += found.p < 0.05
        differences = draw(mean_of(other - one), image_counts(images, draws), ["mean"])["mean"]
        plain += math.erfc(abs(found.value) / float(differences.std()) / math.sqrt(2)) < 0.05
    return ours / repeats, plain / repeats


def mean_of(values: NDArray[np.float64]) -> Figures:
    """A cell whose one figure is the mean of one number for each picture."""

    def figures(counts: NDArray[np.int64] | None) -> Mapping[str, float]:
        return {"mean": float(values.mean() if counts is None else values @ counts / counts.sum())}

    return figures


if __name__ == "__main__":
    raise SystemExit(main())
