"""Sums of returns in their fixed order: against the page's sentence, bar by bar, to the last bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ContractError, drawdowns, return_sums
from engine.metrics.drawdowns import max_drawdown

EQUITIES = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60)


def plain_sums(equity: list[float], cash: float, edges: list[int]) -> list[list[float]]:
    """Eight lanes by bar index, as docs/accounting.md says, in plain Python."""
    lanes = [[0.0] * 8 for _ in range(5)]
    sums, before = [], cash
    for t in range(len(equity) + 1):
        for _ in range(edges.count(t)):
            row = []
            for l0, l1, l2, l3, l4, l5, l6, l7 in lanes:
                row.append(((l0 + l1) + (l2 + l3)) + ((l4 + l5) + (l6 + l7)))
            sums.append(row)
        if t < len(equity):
            r = equity[t] / before - 1.0 if before > 0 else 0.0
            before = equity[t]
            squared = r * r
            terms = (r, squared, squared * r, squared * squared, squared if r < 0 else 0.0)
            for lane, term in zip(lanes, terms, strict=True):
                lane[t % 8] += term
    return sums


@given(EQUITIES, st.floats(0.1, 1e6), st.data())
def test_sums_are_those_of_the_page_to_the_last_bit(
    equity: list[float], cash: float, data: st.DataObject
) -> None:
    if data.draw(st.booleans(), "ruin"):
        ruined = data.draw(st.integers(0, len(equity) - 1))
        equity[ruined:] = [0.0] * (len(equity) - ruined)
    edges = sorted(data.draw(st.lists(st.integers(0, len(equity)), max_size=6)))
    edges = [0, *edges, len(equity)]
    found = return_sums(np.array(equity), cash, np.array(edges))
    assert found.tolist() == plain_sums(equity, cash, edges)


@given(EQUITIES, st.floats(0.1, 1e6))
def test_the_maximum_drawdown_is_the_greatest_drawdown(equity: list[float], cash: float) -> None:
    array = np.array(equity)
    assert max_drawdown(array, cash) == max(0.0, drawdowns(array, cash).max())


@pytest.mark.parametrize("ruined", [0, 7, 8, 21, 39])
def test_bars_after_the_ruin_add_nothing(ruined: int) -> None:
    equity = np.linspace(100.0, 130.0, 40)
    equity[ruined:] = 0.0
    assert return_sums(equity, 99.0)[-1].tolist() == plain_sums(equity.tolist(), 99.0, [40])[0]


def test_without_edges_the_last_row_holds_everything() -> None:
    equity = np.linspace(100.0, 130.0, 23)
    sums = return_sums(equity, 99.0)
    assert sums[0].tolist() == [0.0] * 5
    assert sums[-1].tolist() == plain_sums(equity.tolist(), 99.0, [23])[0]


@pytest.mark.parametrize(
    ("edges", "told"),
    [
        (np.array([3, 2]), r"edges\[1\]=2 must not lie before the edge above"),
        (np.array([-1, 4]), r"edges\[0\]=-1 must .* lie in \[0, 5\]"),
        (np.array([0, 6]), r"edges\[1\]=6 must"),
        (np.array([0.0, 5.0]), "edges must be a 1-dimensional int64 array; .* float64"),
        ([0, 5], "edges must be a 1-dimensional int64 array, not list"),
        (np.zeros(0, dtype=np.int64), "edges is empty"),
    ],
)
def test_edges_out_of_order_range_or_type_are_named(edges: Any, told: str) -> None:
    with pytest.raises(ContractError, match=told):
        return_sums(np.ones(5), 1.0, edges)
