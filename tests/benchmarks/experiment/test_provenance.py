"""What a result says of the machine that it was measured on."""

from __future__ import annotations

import os

import pytest

from benchmarks.experiment import provenance


def test_a_system_without_sysconf_names_its_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert provenance.hardware.__wrapped__()["memory_gib"] > 0
    monkeypatch.delattr(os, "sysconf_names")  # Windows has none
    facts = provenance.hardware.__wrapped__()
    assert "memory_gib" not in facts and facts["cores"] and facts["system"]
