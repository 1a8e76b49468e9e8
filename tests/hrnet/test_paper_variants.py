"""Variants and heads that the papers compare and never released: parameters as printed (arXiv 1908.07919, Tables 15 and 16)."""

from __future__ import annotations

import pytest
import torch

from benchmarks.published.figures import load
from tasks import build_model

ROWS = {
    row[0].id: row[0]
    for row in load().rows().values()
    if row[0].id.startswith("imagenet_val") and row[0].params_m and "Table 1" in row[0].source and row[0].model
}


@pytest.mark.parametrize("row", ROWS)
def test_parameters_are_the_printed_ones(row: str) -> None:
    """To the printed digit; Cii, whose units' channels are not printed, to 1.1 %."""
    figure = ROWS[row]
    with torch.device("meta"):
        network = build_model("classification", figure.model, "imagenet", figure.representation)
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    assert figure.params_m is not None
    assert millions == pytest.approx(
        figure.params_m, **({"rel": 0.011} if figure.representation == "Cii" else {"abs": 0.051})
    )


def test_rows_of_both_tables_are_compared() -> None:
    assert {figure.representation for figure in ROWS.values()} == {"C", "Ci", "Cii"} and len(ROWS) == 12


def test_a_mean_of_each_map_is_what_ci_answers() -> None:
    network = build_model("classification", "hrnet_micro_w8", "imagenet", "Ci").eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        joined = torch.cat([x.mean((2, 3)) for x in network.body(images)], dim=1)
        torch.testing.assert_close(network(images), network.head.classifier(joined))
