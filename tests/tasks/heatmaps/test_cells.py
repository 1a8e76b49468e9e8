"""Heat maps that do not cover their input are refused: every position read from them would be shifted."""

from __future__ import annotations

import pytest
import torch

from tasks.heatmaps.cells import require_whole_cells


@pytest.mark.parametrize(
    ("cells_hw", "input_hw"), [((64, 48), (256, 192)), ((33, 25), (132, 100)), ((16, 12), (256, 192)), ((8, 8), (8, 8))]
)
def test_whole_cells(cells_hw: tuple[int, int], input_hw: tuple[int, int]) -> None:
    require_whole_cells(torch.zeros(1, 17, *cells_hw), torch.zeros(1, 3, *input_hw))


@pytest.mark.parametrize(
    ("cells_hw", "input_hw"),
    [((40, 32), (132, 100)), ((32, 24), (132, 100)), ((64, 24), (256, 192)), ((64, 96), (64, 48))],
)
def test_others(cells_hw: tuple[int, int], input_hw: tuple[int, int]) -> None:
    with pytest.raises(
        ValueError, match=r"Expected heat maps that cover the input of \d+x\d+ exactly.*multiples of 32"
    ):
        require_whole_cells(torch.zeros(1, 17, *cells_hw), torch.zeros(1, 3, *input_hw))
