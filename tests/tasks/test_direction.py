"""The better direction: one type for metrics, files and tables."""

from __future__ import annotations

from tasks.direction import Direction


def test_written_and_shown_as_its_word() -> None:
    assert (
        Direction("higher") is Direction.HIGHER
        and f"{Direction.LOWER:>6}" == " lower"
        and str(Direction.LOWER) == "lower"
    )
    assert Direction.of(False).sentence == "lower is better" and Direction.HIGHER.arrow == "↑"


def test_an_improvement_is_a_positive_gain() -> None:
    assert Direction.HIGHER.gain(2.0) == 2.0 and Direction.LOWER.gain(2.0) == -2.0
    assert [Direction.of(way).higher_is_better for way in (True, False)] == [True, False]
