"""Votes on the newest bars from bounded windows are those of the batch, for every head."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.checks.markets import null_market
from strategies import HEADS, VoteMatrix, latest_votes, memory_bars, vote_matrix
from tests.latest_markets import HARD_HOURS, hard_market

YEAR_HOURS = 8_760
TOLERANCE = 1e-6
"""Of scores and probabilities, whose scales are 100 and 1: what the features may differ by."""

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in")


@pytest.fixture(scope="module")
def year():
    market = null_market(YEAR_HOURS, 29)
    heads = [head() for head in HEADS]
    return market, heads, vote_matrix(market, heads)


@pytest.fixture(scope="module")
def hard():
    market = hard_market(31)
    heads = [head() for head in HEADS]
    return market, heads, vote_matrix(market, heads)


def assert_equal_votes(found: VoteMatrix, batch: VoteMatrix, last: int) -> None:
    part = slice(last + 1 - len(found), last + 1)
    assert found.names == batch.names
    np.testing.assert_array_equal(found.open_time, batch.open_time[part])
    np.testing.assert_array_equal(found.known_at, batch.known_at[part])
    for name in ("direction", "reasons", "coverage"):
        expected = getattr(batch, name)[part]
        wrong = [
            (batch.names[head], name, getattr(found, name)[:, head], expected[:, head])
            for head in np.flatnonzero((getattr(found, name) != expected).any(axis=0))
        ]
        assert not wrong, f"bar {last}: {wrong}"
    for name, scale in (("probability", 1.0), ("confidence", 1.0), ("score", 100.0)):
        np.testing.assert_allclose(
            getattr(found, name),
            getattr(batch, name)[part],
            rtol=0,
            atol=TOLERANCE * scale,
            err_msg=f"{name} on bar {last}",
        )


def test_every_head_over_a_year(year):
    market, heads, batch = year
    cuts = np.random.default_rng(5).integers(1, YEAR_HOURS + 1, 60)
    for cut in (1, 2, 3, 150, 201, *cuts, YEAR_HOURS):
        found = latest_votes(market.prefix(int(cut)), heads, rows=min(4, int(cut)))
        assert_equal_votes(found, batch, int(cut) - 1)


def test_every_preset_and_switch(year):
    market, _, _ = year
    cuts = np.random.default_rng(6).integers(1, YEAR_HOURS + 1, 4)
    for kind in HEADS:
        for variant in kind.VARIANTS:
            head = kind(**variant)
            batch = vote_matrix(market, [head])
            for cut in cuts:
                found = latest_votes(market.prefix(int(cut)), [head], rows=2)
                assert_equal_votes(found, batch, int(cut) - 1)


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(1, HARD_HOURS), rows=st.integers(1, 30))
def test_every_head_with_gaps_holes_and_late_series(hard, cut, rows):
    market, heads, batch = hard
    found = latest_votes(market.prefix(cut), heads, rows=rows)
    assert_equal_votes(found, batch, cut - 1)


def test_a_head_remembers_what_its_fields_say():
    @dataclass(frozen=True)
    class Toy:
        name = "toy"
        event_bars: int = 7
        other_validity_bars: int = 10
        length: int = 500

    assert memory_bars(Toy()) == 18
