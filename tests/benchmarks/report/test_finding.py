"""The sentence of what was found says what the figures and their intervals say, and no more."""

from __future__ import annotations

from benchmarks.report.finding import finding
from benchmarks.tables.table import Column, Entry, Spread, Table
from tasks.direction import Direction


def across(figures: dict[str, list[float | None]], half: float | None = 1.0) -> Table:
    """Bodies over datasets d0 (higher is better), d1 (lower is better), ..."""
    count = len(next(iter(figures.values())))
    directions = [Direction.LOWER if i % 2 else Direction.HIGHER for i in range(count)]
    columns = [Column(f"t/d{i}", f"D{i} metric", "%", directions[i], digits=1) for i in range(count)]
    table = Table("cross_task", "Across", [Column("body", "body"), *columns, Column("rank", "r", "", Direction.LOWER)])
    for body, values in figures.items():
        entries: dict[str, Entry | str] = {"body": body, "rank": Entry(1.0)}
        for i, value in enumerate(values):
            if value is not None:
                spread = None if half is None else Spread("bootstrap", 9, low=value - half, high=value + half)
                entries[f"t/d{i}"] = Entry(value, spread=spread)
        table.add(entries)
    return table


def test_leads_are_counted_in_each_direction_and_clear_where_intervals_do_not_meet() -> None:
    table = across({"hrnet": [70.0, 4.0, 50.0], "resnet": [60.0, 5.0, 50.5], "alone": [None, None, None]})
    text = finding(table)
    led = "hrnet leads on 2 of 3 datasets (D0, D1), clearly on 1; resnet leads on 1 (D2)."
    assert text == f"{led} Clear: beyond the 95 % intervals over pictures."
    # Without intervals nothing is clear.
    assert finding(across({"hrnet": [70.0], "resnet": [60.0]}, None)) == "hrnet leads on 1 of 1 datasets (D0)."


def test_a_lead_over_three_seeds_is_clear_beyond_students_intervals_not_beyond_a_deviation() -> None:
    def led(difference: float) -> str:
        columns = [Column("body", "body"), Column("t/d", "D metric", "%", Direction.HIGHER, digits=1)]
        table = Table("cross_task", "Across", columns)
        for body, value in (("hrnet", 50.0 + difference), ("resnet", 50.0)):
            table.add({"body": body, "t/d": Entry(value, spread=Spread("seeds", 3, sd=1.0))})
        return finding(table)

    # Half an interval is 4.303 / sqrt(3) = 2.48 deviations.
    assert "clearly" not in led(4.9) and led(5.1).startswith("hrnet leads on 1 of 1 datasets (D), clearly on 1.")
    assert led(5.1).endswith("Clear: beyond the 95 % intervals over seeds.")


def test_equal_figures_and_single_bodies_lead_nothing() -> None:
    assert finding(across({"a": [70.04], "b": [70.01]})).startswith("No body leads on any of 1 datasets")
    assert finding(across({"a": [70.0, 1.0], "b": [None, None]})) == ""
    assert "1 is even" in finding(across({"a": [70.0, 1.0], "b": [60.0, 1.0]}))
