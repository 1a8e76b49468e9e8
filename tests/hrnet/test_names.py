"""Hints of near names."""

from __future__ import annotations

from hrnet.names import nearest


def test_the_nearest_name_and_all_of_them_are_given() -> None:
    assert nearest("hrnet_w23", ["hrnet_w32", "resnet50"]) == "Did you mean 'hrnet_w32'? Known: hrnet_w32, resnet50."
    assert nearest("zzz", iter(["hrnet_w32"])) == "Known: hrnet_w32."
