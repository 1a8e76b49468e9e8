"""Overriding fields of frozen dataclasses from text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tasks.options import from_plain, later, override, refuse_unknown, to_plain


@dataclass(frozen=True)
class Inner:
    flip: float = 0.5
    colour: float = 0.0


@dataclass(frozen=True)
class Outer:
    lr: float = 0.1
    augment: Any = field(default_factory=Inner)


def test_a_nested_dataclass_is_changed_field_by_field() -> None:
    assert override(Outer(), {"augment.flip": "0", "lr": "1"}) == Outer(1.0, Inner(flip=0.0))
    assert override(Outer(), {"augment": Inner(1.0), "augment.colour": 2}) == Outer(augment=Inner(1.0, 2.0))
    with pytest.raises(
        ValueError, match=r"field 'augment' is changed field by field, got '1'.*augment\.flip, augment\.colour"
    ):
        override(Outer(), {"augment": "1"}, "field")


def test_unknown_options_are_refused_by_name() -> None:
    refuse_unknown({"boxes": 1}, ("boxes",), "predict")
    with pytest.raises(ValueError, match=r"Unknown option 'score' of predict. Known: boxes, min_score\."):
        refuse_unknown({"score": 0.3, "boxes": "b"}, ("boxes", "min_score"), "predict")


@dataclass(frozen=True)
class Holder:
    first: int = 1
    added: str = later("usual")


def test_later_fields_are_left_out_at_their_default() -> None:
    assert to_plain(Holder()) == {"first": 1}
    assert to_plain(Holder(added="other")) == {"first": 1, "added": "other"}
    assert from_plain(Holder, {"first": 2}) == Holder(2)
    assert override(Holder(), {"added": "x"}).added == "x"


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", float("nan"), "1e999"])
def test_numbers_are_finite(value: Any) -> None:
    """A threshold of NaN passes every comparison that is written as a refusal, and no score is above it."""
    with pytest.raises(ValueError, match=r"Expected field 'lr' to be a finite number, got"):
        override(Outer(), {"lr": value}, "field")
    with pytest.raises(ValueError, match=r"Expected field 'sizes' to be an int, got"):
        override(Sized(), {"sizes": value}, "field")


@dataclass(frozen=True)
class Sized:
    sizes: int = 1
