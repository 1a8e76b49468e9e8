"""A latency is shown only where nothing else ran on the machine meanwhile."""

from __future__ import annotations

import mmap

import pytest
import torch

from benchmarks.experiment.cell import evaluation_of, make_cell
from benchmarks.running.steps import measuring


@pytest.mark.parametrize(
    ("busy_s", "own_s", "quiet"),
    [((100.0, 101.0), (5.0, 6.0), True), ((100.0, 102.0), (5.0, 6.0), False), ((None, None), (5.0, 6.0), False)],
    ids=["alone", "another process works", "not known"],
)
def test_quiet_is_what_only_this_process_worked_in(
    monkeypatch: pytest.MonkeyPatch, busy_s: tuple[float | None, ...], own_s: tuple[float, ...], quiet: bool
) -> None:
    busy, own, now = iter(busy_s), iter(own_s), iter((10.0, 11.0))
    monkeypatch.setattr(measuring, "_busy_s", lambda: next(busy))
    monkeypatch.setattr(measuring, "_own_s", lambda: next(own))
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: next(now))
    assert measuring.QuietWatch().quiet() is quiet


def test_peak_of_memory_is_of_what_ran_since() -> None:
    cpu = torch.device("cpu")
    if not measuring.begin_peak_memory(cpu):
        pytest.skip("no /proc/self/clear_refs")
    before = measuring.peak_memory_gib(cpu)
    held = mmap.mmap(-1, 2**28)  # a quarter of a GiB, which goes back at once, as an allocator's need not
    for page in range(0, 2**28, mmap.PAGESIZE):
        held[page] = 1
    assert before is not None and measuring.peak_memory_gib(cpu) == pytest.approx(before + 0.25, abs=0.05)
    held.close()
    measuring.begin_peak_memory(cpu)
    assert measuring.peak_memory_gib(cpu) < before + 0.1


def test_work_of_this_process_is_counted_on_both_sides() -> None:
    busy, own = measuring._busy_s(), measuring._own_s()
    if busy is None:
        pytest.skip("no /proc/stat")
    sum(k * k for k in range(2_000_000))
    worked = measuring._own_s() - own
    after = measuring._busy_s()
    assert after is not None and worked > 0.03 and after - busy >= worked - 0.05


@pytest.mark.parametrize("again", [True, False], ids=["weights once more", "after a training"])
def test_the_watch_begins_after_the_first_pass_of_every_shape(monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    """In that pass a runtime exports or compiles, with processes that are not other people's work."""
    seen: list[object] = []

    class Network(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(len(images))
            return images

    class Watch:
        def __init__(self) -> None:
            seen.append("watch")

        def quiet(self) -> bool:
            return True

    monkeypatch.setattr(measuring, "QuietWatch", Watch)
    cell = make_cell("landmarks", "300w", "resnet_micro_w10", tier="embedded")
    asked = evaluation_of(cell) if again else cell
    found = measuring.measured_speed(Network(), asked, (8, 8), torch.device("cpu"), 4)
    begun = seen.index("watch")
    assert seen[:begun] == ([1, 4] if again else [1]) and set(seen[begun + 1 :]) == set(seen[:begun])
    assert found["latency_quiet"] and ("images_per_s" in found) is again
    seen.clear()
    assert measuring.measured_speed(Network(), asked, (512, 512), torch.device("cpu"), 4)["latency_ms"] is None
    assert seen == ["watch"]  # too large to be timed on a CPU
