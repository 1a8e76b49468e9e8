"""A run against itself is zero everywhere; two seeds cover zero; a crippled model is a significant loss."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import MadeUpProtocol, MadeUpTask, Runs, make

from benchmarks.analysis.compare import compare
from benchmarks.analysis.expected import Expected
from benchmarks.experiment.suite import Suite
from benchmarks.store.record import record_of
from benchmarks.store.store import Store, StoredCell


def run(folder: Path, *cells: tuple[object, float]) -> Path:
    runs = Runs(Store(folder / "runs"), images=120)
    for cell, quality in cells:
        runs.finish(cell, quality)  # type: ignore[arg-type]
    return folder


def test_itself_is_zero(tmp_path: Path, two_task_suite: Suite) -> None:
    folder = run(tmp_path, *((cell, 0.6) for cell in two_task_suite.cells))
    result = compare(folder, folder, draws=100)
    assert len(result.pairs) == 8 and not result.gone and not result.new
    for pair in result.pairs:
        found = pair.difference
        assert found is not None and (found.value, found.low, found.high, found.corrected) == (0, 0, 0, 1)
    assert "+0.00 [0.00, 0.00]" in result.table().render("md")


def test_seeds_cover_zero_and_a_crippled_model_is_a_loss(tmp_path: Path) -> None:
    a = run(tmp_path / "a", (make(), 0.6), (make("faces"), 0.6))
    b = run(tmp_path / "b", (make(seed=1), 0.6), (make("faces", seed=1), 0.6))
    for pair in compare(a, b, draws=300).pairs:
        found = pair.difference
        assert found is not None and found.low < 0 < found.high and found.value != 0
    crippled = run(tmp_path / "c", (make(), 0.3), (make("faces"), 0.3))
    result = compare(a, crippled, draws=300)
    assert all(pair.difference and pair.difference.corrected < 0.05 for pair in result.pairs)  # type: ignore[operator]
    assert result.table().render("md").count("| worse") == 2


def rate_of(stored: StoredCell, value: float) -> None:
    """Writes another figure into a stored result: what training under other seeds would move."""
    path = stored.folder / "cell.json"
    record = json.loads(path.read_text())
    record["figures"]["rate"]["value"] = value
    path.write_text(json.dumps(record))


def test_spread_over_seeds_is_part_of_the_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trainings differ by more than their images show: alone unknown, of several seeds or by the gate's values known."""
    one, other = (tmp_path / name for name in "ab")
    run(one, (make(), 0.6))
    run(other, (make(seed=1), 0.5))
    monkeypatch.setattr("benchmarks.analysis.compare.load_expected", lambda suite: {})
    alone = compare(one, other, draws=300)
    [pair] = alone.pairs
    assert pair.seeds == "unknown" and "another seed may differ" in alone.table().render("md")
    assert pair.difference is not None and pair.difference.high < 0
    held = Expected("id", "embedded: people/street/net", "embedded", "rate", 60.0, 30.0, "higher", "%", 1, "3 sd", 10.0)
    monkeypatch.setattr("benchmarks.analysis.compare.load_expected", lambda suite: {"id": held})
    [pair] = compare(one, other, draws=300).pairs
    assert pair.seeds == "14 (results/expected)"  # of a difference of two: 10 times the root of 2
    assert pair.difference is not None and pair.difference.low < 0 < pair.difference.high and pair.difference.p > 0.05
    for seed, value in ((2, 58.0), (3, 62.0)):
        rate_of(Runs(Store(one / "runs"), images=120).finish(make(seed=seed), 0.6), value)
    [pair] = compare(one, other, draws=300).pairs
    assert pair.a.name == "embedded: people/street/net (3 seeds)" and pair.seeds.endswith("(A)")
    values = [stored.value("rate") for stored in pair.a.done]
    deviation = np.std(values, ddof=1) * np.sqrt(1 / 3 + 1)
    assert pair.seeds == f"{deviation:.2g} (A)"


def test_checkpoints_and_equal_results_have_no_spread_over_seeds(tmp_path: Path) -> None:
    a = run(tmp_path / "a", (make(recipe=None, checkpoint="x.pth"), 0.6), (make(model="wide"), 0.6))
    b = run(tmp_path / "b", (make(recipe=None, checkpoint="y.pth", seed=1), 0.5), (make(model="wide"), 0.6))
    assert [pair.seeds for pair in compare(a, b, draws=50).pairs] == ["none", "none"]


def test_a_loss_stays_significant_among_many_cells(tmp_path: Path) -> None:
    """Shares of 1000 draws end at 0.002, which Holm's correction over 40 cells makes 0.08: p is of the draws' spread."""
    models = [f"m{number}" for number in range(40)]
    a = run(tmp_path / "a", *((make(model=model, recipe=None, checkpoint="x.pth"), 0.6) for model in models))
    b = run(tmp_path / "b", *((make(model=model, recipe=None, checkpoint="y.pth", seed=1), 0.3) for model in models))
    result = compare(a, b, draws=100)
    assert len(result.pairs) == 40 and result.table().render("md").count("| worse") == 40


def test_new_and_gone_cells_are_listed(tmp_path: Path) -> None:
    a = run(tmp_path / "a", (make(), 0.6), (make(model="old"), 0.6))
    b = run(tmp_path / "b", (make(), 0.6), (make(model="fresh"), 0.6))
    result = compare(a, b, draws=20)
    assert [f.first.record.cell.model for f in result.gone] == ["old"]
    assert [f.first.record.cell.model for f in result.new] == ["fresh"]
    text = result.table().render("md")
    assert "gone" in text and "new" in text


def test_other_protocol_is_not_compared(tmp_path: Path) -> None:
    a = run(tmp_path / "a", (make(), 0.6))
    b = run(tmp_path / "b", (make(protocol=MadeUpProtocol(flip=False)), 0.6))
    [pair] = compare(a, b, draws=20).pairs
    assert pair.difference is None and "flip=yes" in pair.why and "flip=no" in pair.why


def test_single_cells_by_their_folders(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = Runs(store).finish(make(), 0.6)
    second = Runs(store).finish(make(model="else"), 0.3)
    [pair] = compare(first.folder, second.folder / "cell.json", draws=100).pairs
    assert pair.difference is not None and pair.difference.value < 0


def test_no_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"found no cell\.json"):
        compare(tmp_path, tmp_path)


def test_a_row_says_unit_direction_and_n(tmp_path: Path) -> None:
    folder = run(tmp_path, (make(), 0.6), (make("faces"), 0.6))
    rows = compare(folder, folder, draws=20).table().rows
    assert [[row.entries[key].value for key in ("metric", "unit", "better")] for row in rows] == [
        ["error", "px", "lower"],
        ["rate", "%", "higher"],
    ]
    assert all(isinstance(row.entries["n"].value, int) for row in rows)


def test_an_undefined_figure_is_not_comparable_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(tmp_path, (make(), 0.6), (make("faces"), 0.6))
    real = MadeUpTask.figures

    def figures(self: MadeUpTask, *arguments: Any, **options: Any) -> dict[str, float]:
        made = real(self, *arguments, **options)
        return made | {"rate": float("nan")} if self.name == "people" else made

    monkeypatch.setattr(MadeUpTask, "figures", figures)
    result = compare(folder, folder, draws=20)
    faces, people = result.pairs
    assert faces.difference is not None and faces.difference.value == 0
    assert people.difference is None and "rate is undefined in A" in people.why
    assert "not comparable: rate is undefined in A" in result.table().render("md")


def test_a_metric_of_some_cells_and_of_none(tmp_path: Path) -> None:
    few = {"rate": {"value": 1.0, "unit": "%", "higher_is_better": True, "decimals": 1, "n": 1}}
    folder = run(tmp_path, (make(), 0.6))
    Runs(Store(folder / "runs")).finish(make("faces"), figures=few, headline="rate")
    faces, people = compare(folder, folder, metric="error", draws=20).pairs
    assert people.difference is not None and faces.difference is None and "has no figure error" in faces.why
    with pytest.raises(ValueError, match=r"--metric rat: no cell .*mean 'rate'"):
        compare(folder, folder, metric="rat", draws=20)


@pytest.mark.parametrize("draws", [19, 0, -3])
def test_no_draws_are_refused(tmp_path: Path, draws: int) -> None:
    with pytest.raises(ValueError, match=f"--draws: expected 20 or more bootstrap draws, got {draws}"):
        compare(tmp_path, tmp_path, draws=draws)


def test_a_result_that_is_none_is_named(tmp_path: Path) -> None:
    stored = Runs(Store(tmp_path)).finish(make(), 0.6)
    (stored.folder / "cell.json").write_text("[]")
    for place in (tmp_path, stored.folder):
        [pair] = compare(place, place).pairs
        assert pair.difference is None
        assert re.search(r"failed: .*cell\.json: expected an object .*a result.*got \[\]", pair.why)


def checkpoint(name: str, content: str, **changes: Any) -> tuple[object, dict[str, Any]]:
    """A cell of released weights and the provenance that says what is in the file."""
    cell = make(recipe=None, checkpoint=name, **changes)
    return cell, {"provenance": {"weights": {"file": Path(name).name, "sha256": content}}}


def store(folder: Path, *cells: tuple[tuple[object, dict[str, Any]], float]) -> Path:
    runs = Runs(Store(folder / "runs"), images=120)
    for (cell, record), quality in cells:
        runs.finish(cell, quality, **record)  # type: ignore[arg-type]
    return folder


def test_checkpoints_are_paired_by_their_weights_then_by_name(tmp_path: Path) -> None:
    a = store(tmp_path / "a", (checkpoint("one.pth", "11"), 0.6), (checkpoint("two.pth", "22"), 0.3))
    renamed = store(tmp_path / "b", (checkpoint("a.pth", "22"), 0.3), (checkpoint("b.pth", "11"), 0.6))
    pairs = compare(a, renamed, draws=40).pairs
    assert {(pair.a.weights, pair.b.weights) for pair in pairs} == {("11", "11"), ("22", "22")}
    assert all(pair.difference is not None and pair.difference.value == 0 for pair in pairs)
    names = {pair.a.name.partition("[")[2]: pair.b.name.partition("[")[2] for pair in pairs}
    assert names == {"one.pth]": "b.pth]", "two.pth]": "a.pth]"}
    again = store(tmp_path / "c", (checkpoint("w/two.pth", "44"), 0.3), (checkpoint("w/one.pth", "33"), 0.6))
    assert {(pair.a.checkpoint, pair.b.checkpoint) for pair in compare(a, again, draws=40).pairs} == {
        ("one.pth", "one.pth"),
        ("two.pth", "two.pth"),
    }


def test_checkpoints_that_share_nothing_are_ambiguous(tmp_path: Path) -> None:
    a = store(tmp_path / "a", (checkpoint("one.pth", "11"), 0.6), (checkpoint("two.pth", "22"), 0.3))
    b = store(tmp_path / "b", (checkpoint("x.pth", "33"), 0.6), (checkpoint("y.pth", "44"), 0.3))
    found = compare(a, b, draws=40)
    assert not found.pairs and len(found.ambiguous) == 4
    assert "ambiguous" in found.table().render("md") and "[one.pth]" in found.table().render("md")
    alone = store(tmp_path / "c", (checkpoint("x.pth", "33"), 0.6))
    single = store(tmp_path / "d", (checkpoint("one.pth", "11"), 0.6))
    assert len(compare(single, alone, draws=40).pairs) == 1


def test_matching_many_cells_is_linear(tmp_path: Path) -> None:
    from time import process_time

    from benchmarks.analysis.matching import match

    def stored(recipe: float, number: int) -> StoredCell:
        cell = {
            "task": "people",
            "dataset": "street",
            "split": "val",
            "model": f"net{number}",
            "protocol": {},
            "recipe": {"lr": recipe},
            "seed": 0,
            "tier": "full",
        }
        return StoredCell(
            tmp_path, record_of({"id": f"{number:012x}", "name": f"n{number}", "status": "done", "cell": cell})
        )

    spent = []
    for count in (500, 4000):
        runs = [[stored(rate, number) for number in range(count)] for rate in (0.1, 0.2)]
        start = process_time()
        assert len(match(*runs)) == count
        spent.append(process_time() - start)
    assert spent[1] < 30 * spent[0] + 0.5  # eight times as many cells; a quadratic search takes 64 times as long


def test_paths_and_commits_of_both_runs_are_named(tmp_path: Path) -> None:
    a, b = run(tmp_path / "a", (make(), 0.6)), run(tmp_path / "b", (make(), 0.6))
    text = compare(a, b, draws=40).table().render("md")
    assert f"A: {a} (commit unknown)" in text and f"B: {b} (commit unknown)" in text


def test_a_single_image_gives_no_verdict(tmp_path: Path) -> None:
    for name, quality in (("a", 0.9), ("b", 0.2)):
        Runs(Store(tmp_path / name / "runs"), images=1).finish(make(), quality)
    found = compare(tmp_path / "a", tmp_path / "b", draws=40)
    assert "no verdict" in found.table().render("md") and found.num_verdicts("worse") == 0


def test_exit_status_on_a_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.cli import entry

    a = run(tmp_path / "a", (make(recipe=None, checkpoint="x.pth"), 0.9))
    b = run(tmp_path / "b", (make(recipe=None, checkpoint="x.pth"), 0.2))
    call = ["compare", str(a), str(b), "--draws", "40"]
    assert entry(call) == 0 and entry([*call, "--fail-on", "worse"]) == 1
    assert entry(["compare", str(b), str(a), "--draws", "40", "--fail-on", "worse"]) == 0
    assert entry(["compare", str(b), str(a), "--draws", "40", "--fail-on", "different"]) == 1
    capsys.readouterr()
