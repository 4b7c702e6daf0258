"""Every head and every listed indicator, out of a store, where data are late, ended, absent or still.

Each situation is written to a store and loaded as a run loads it. What is asked of all of them: no
exception, no vote that breaks the contract, no number that breaks its declaration. What each of them
must give in numbers stands in a test of its own.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from engine import HOUR_NS, Float1D, Market
from experiments.checks.conformance import output_fault
from experiments.checks.fine_bars import START_NS
from experiments.checks.subjects import IndicatorCase, indicator_cases
from indicators import INDICATORS, INDICATORS_BY_NAME, build_features, clock_of, feature
from indicators.volume_delta import CLOCK
from strategies import HEADS, Head, VoteMatrix, vote_matrix
from tests.edge_markets import (
    DAYS_BEFORE,
    HALF,
    HOURS,
    SITUATIONS,
    loaded,
    paid_for_eight_hours,
    usual,
)


def switched(head: Head) -> Head:
    """The same head with every switch turned the other way."""
    flipped = {
        field.name: not getattr(head, field.name)
        for field in fields(head)
        if isinstance(getattr(head, field.name), bool)
    }
    return replace(head, **flipped)


DEFAULTS = tuple(head() for head in HEADS)
SWITCHED = tuple(switched(head) for head in DEFAULTS)


@pytest.fixture(scope="module")
def market_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Market]:
    @cache
    def made(situation: str) -> Market:
        folder = tmp_path_factory.mktemp("store")
        return loaded(folder, SITUATIONS[situation](usual()))

    return made


@pytest.fixture(scope="module")
def votes_of(market_of: Callable[[str], Market]) -> Callable[..., VoteMatrix]:
    @cache
    def made(situation: str, is_switched: bool = False) -> VoteMatrix:
        heads = SWITCHED if is_switched else DEFAULTS
        with np.errstate(all="ignore"):
            return vote_matrix(market_of(situation), heads)

    return made


@pytest.fixture(scope="module")
def cases(market_of: Callable[[str], Market]) -> tuple[IndicatorCase, ...]:
    found = indicator_cases(INDICATORS, (*DEFAULTS, *SWITCHED), market_of("usual"))
    assert {case.indicator.name for case in found} == set(INDICATORS_BY_NAME)
    return found


def case_faults(case: IndicatorCase, market: Market) -> list[str]:
    """What breaks the declaration of an indicator on the rows that state its inputs; none without them."""
    clock = clock_of(market, case.clock)
    stating = (
        None if clock is None else clock.stating(case.indicator.inputs, case.indicator.may_lack)
    )
    if stating is None:
        return []
    lookback = case.indicator.lookback(case.resolved)
    outputs = case.outputs({name: stating.columns[name] for name in case.indicator.inputs})
    return [
        f"{case.name}.{output.name}: {fault}"
        for output in case.indicator.outputs
        if (fault := output_fault(output, outputs[output.name], lookback))
    ]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_indicator_keeps_its_declaration(
    situation: str, market_of: Callable[[str], Market], cases: tuple[IndicatorCase, ...]
) -> None:
    market = market_of(situation)
    assert [fault for case in cases for fault in case_faults(case, market)] == []


@pytest.mark.parametrize("is_switched", [False, True], ids=["defaults", "switched"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_head_answers(
    situation: str, is_switched: bool, votes_of: Callable[..., VoteMatrix]
) -> None:
    """An answer that is NaN, or a direction without data, is refused by ``HeadOutput`` already."""
    votes = votes_of(situation, is_switched)
    assert votes.direction.shape == (len(votes), len(HEADS))
    assert ((votes.coverage > 0) | (votes.direction == 0)).all()


NAMES = tuple(head.name for head in DEFAULTS)
OF_SERIES = {"sentiment", "crypto_metrics"}
"""Heads that speak of more than bars, and may from the first one on."""
ANSWER = ("direction", "probability", "confidence", "score", "coverage", "reasons")


def differing(left: VoteMatrix, right: VoteMatrix, rows: slice = slice(None)) -> set[str]:
    """Heads whose answers differ anywhere on ``rows``."""
    assert len(left) == len(right)
    return {
        name
        for at, name in enumerate(NAMES)
        for answer in ANSWER
        if not np.array_equal(getattr(left, answer)[rows, at], getattr(right, answer)[rows, at])
    }


def column_of(market: Market, output: str, name: str, clock: str = "bars", **how: float) -> Float1D:
    wanted = feature(name, output, clock=clock, **how)
    column = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).get(wanted)
    assert column is not None
    return column


def test_a_coin_beside_the_universe_sees_the_season_and_has_no_layer(
    market_of: Callable[[str], Market], votes_of: Callable[..., VoteMatrix]
) -> None:
    market = market_of("not in the universe")
    assert market.panels["universe"].own is None
    season = column_of(market, "band", "altcoin_season", "universe")
    side = column_of(market, "side", "altcoin_season", "universe")
    np.testing.assert_array_equal(side, (season == 5.0).astype(float) - (season == 1.0))
    assert side.any()
    assert column_of(market_of("usual"), "side", "layer_rotation", "universe").any()
    assert not column_of(market, "side", "layer_rotation", "universe").any()
    absent = feature("benchmark_beta", "value", clock="universe")
    assert build_features(market, [absent], indicators=INDICATORS_BY_NAME).features == ()
    assert differing(votes_of("not in the universe"), votes_of("usual")) == {"crypto_metrics"}
    assert differing(votes_of("no universe"), votes_of("usual")) == {"crypto_metrics"}
    coverage = votes_of("no universe").coverage[-1, NAMES.index("crypto_metrics")]
    assert coverage == pytest.approx(6 / 7)


def test_a_coin_listed_half_way_is_compared_from_its_listing_on(
    market_of: Callable[[str], Market], votes_of: Callable[..., VoteMatrix]
) -> None:
    market = market_of("listed half-way")
    beta = column_of(market, "value", "benchmark_beta", "benchmark", length=30)
    own, bitcoin = market.panels["benchmark"].columns["close"].T
    rows = np.flatnonzero(~np.isnan(own) & ~np.isnan(bitcoin))
    at = np.searchsorted(market.bars.open_time, market.panels["benchmark"].event_time[rows])
    assert at[0] == 0
    moves = np.stack(
        [own[rows][1:] / own[rows][:-1] - 1, bitcoin[rows][1:] / bitcoin[rows][:-1] - 1]
    )
    for last in (30, 31, 500, len(rows) - 1):
        covariance = np.cov(moves[:, last - 30 : last], ddof=0)
        assert beta[at[last]] == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=1e-9)
    assert np.isnan(beta[: at[30]]).all()
    daily = column_of(market, "value", "benchmark_beta", "universe", length=10)
    # The first day is known when it has ended, its tenth return ten days later.
    assert int(np.argmax(~np.isnan(daily))) == 24 * 11 - 1
    age = market.panels["universe"].columns["age"][
        :, market.panels["universe"].symbols.index("SOL")
    ]
    assert not age[: DAYS_BEFORE + HALF // 24].any()
    assert not votes_of("listed half-way").direction[:20, NAMES.index("technical")].any()


def test_funding_is_read_for_eight_hours_whatever_its_interval(
    market_of: Callable[[str], Market], votes_of: Callable[..., VoteMatrix]
) -> None:
    market = market_of("shortening funding")
    hour = np.arange(1, HOURS + 1)
    each = np.select([hour < 804, hour < 1_601], [8, 4], 1)
    settled = START_NS + HOUR_NS * (hour // each * each)
    expected = paid_for_eight_hours(settled)
    f8 = column_of(market, "f8", "funding_rate", "funding")
    np.testing.assert_allclose(f8, expected, rtol=1e-12)
    annual = column_of(market, "annual", "funding_rate", "funding")
    np.testing.assert_allclose(annual, expected * 1_095, rtol=1e-12)
    band = column_of(market, "band", "funding_rate", "funding")
    excess = f8 - 1e-4
    np.testing.assert_array_equal(band, 2.0 + (excess >= 3e-4) - (excess <= -3e-4))
    assert set(band) == {1.0, 2.0, 3.0}
    assert differing(votes_of("shortening funding"), votes_of("usual")) == OF_SERIES
    assert differing(votes_of("unstated intervals"), votes_of("shortening funding")) == set()


def test_without_open_interest_what_reads_it_drops_out(
    market_of: Callable[[str], Market], votes_of: Callable[..., VoteMatrix]
) -> None:
    assert "sum_open_interest" not in market_of("no open interest").series["metrics"].columns
    with_it, without = votes_of("usual"), votes_of("no open interest")
    assert differing(without, with_it) == {"sentiment"}
    at = NAMES.index("sentiment")
    lost = with_it.coverage[:, at] - without.coverage[:, at]
    # Liquidations weigh 15 of 120; leverage is a part of a component that stays.
    liquidation = column_of(market_of("usual"), "score", "liquidation", "metrics")
    whole = np.where(np.isnan(liquidation), 0.0, 15.0 / 120.0)
    np.testing.assert_allclose(lost, whole, atol=1e-12)
    assert whole[-1] > 0


@pytest.mark.parametrize("count", [1, 2])
def test_the_first_bars_of_a_market_give_what_they_give_in_a_longer_one(
    count: int, votes_of: Callable[..., VoteMatrix]
) -> None:
    for is_switched in (False, True):
        short = votes_of("one bar" if count == 1 else "two bars", is_switched)
        long = votes_of("usual", is_switched)
        assert len(short) == count
        for answer in ANSWER:
            np.testing.assert_array_equal(getattr(short, answer), getattr(long, answer)[:count])
        of_bars = [at for at, name in enumerate(NAMES) if name not in OF_SERIES]
        assert not short.direction[:, of_bars].any()


def test_a_day_without_volume_says_nothing_about_who_traded(
    market_of: Callable[[str], Market], votes_of: Callable[..., VoteMatrix]
) -> None:
    market = market_of("a day without volume")
    day = slice(60 * 24, 61 * 24)
    assert not market.bars.volume[day].any()
    assert not market.bars.is_gap[day].any()
    assert (column_of(market, "share", "taker_ratio")[day] == 0.5).all()
    assert not column_of(market, "strong", "taker_ratio")[day].any()
    assert not column_of(market, "rvol", "rvol")[day].any()
    assert not column_of(market, "spike", "rvol")[day].any()
    assert not column_of(market, "spike", "volume_spike")[day].any()
    assert (column_of(market, "ratio", "volume_delta", CLOCK, length=20)[day][19:] == 0.5).all()
    assert not column_of(market, "side", "cvd", CLOCK)[day][19:].any()
    same = set(NAMES) - differing(votes_of("a day without volume"), votes_of("usual"))
    assert {"technical", "harmonic", "market_structure"} <= same


def test_a_week_of_gaps_shows_no_pattern_and_ends_what_stood(
    market_of: Callable[[str], Market], votes_of: Callable[..., VoteMatrix]
) -> None:
    market = market_of("a week of gaps")
    missing = slice(HALF, HALF + 168)
    assert market.bars.is_gap[missing].all()
    assert len(set(market.bars.close[missing])) == 1
    for name in ("pivot", "fair_value_gap", "structure", "wyckoff", "harmonic"):
        for output in INDICATORS_BY_NAME[name].outputs:
            if output.kind == "signal":
                # Three missing bars may still confirm what stood before them.
                assert not column_of(market, output.name, name)[HALF + 6 : HALF + 168].any(), name
    votes, usual_votes = votes_of("a week of gaps"), votes_of("usual")
    for answer in ANSWER:
        np.testing.assert_array_equal(
            getattr(votes, answer)[:HALF], getattr(usual_votes, answer)[:HALF]
        )


def test_series_that_end_are_missing_and_not_constants(votes_of: Callable[..., VoteMatrix]) -> None:
    """Six days later nothing is left of the oldest of them that a head reads."""
    ended, none = votes_of("series that end"), votes_of("no series")
    later = slice(HALF + 6 * 24, HOURS)
    at = NAMES.index("crypto_metrics")
    assert ended.coverage[-1, at] == none.coverage[-1, at] == pytest.approx(4 / 7)
    assert differing(ended, none, later) == set()
    assert differing(ended, votes_of("usual"), slice(0, HALF)) == set()


def test_series_that_begin_late_are_missing_before(votes_of: Callable[..., VoteMatrix]) -> None:
    begun, none = votes_of("series that begin late"), votes_of("no series")
    assert differing(begun, none, slice(0, HALF)) == set()
    # Trades under the bars are a series too.
    assert differing(begun, none) == {*OF_SERIES, "volume"}


def test_prices_that_never_move_take_no_side(votes_of: Callable[..., VoteMatrix]) -> None:
    """Volumes that move, and series, may still speak."""
    still = votes_of("constant prices")
    silent = set(NAMES) - OF_SERIES - {"volume"}
    for at, name in enumerate(NAMES):
        assert still.direction[:, at].any() == (name not in silent), name
    dead = votes_of("constant prices and volumes")
    assert not dead.direction[:, NAMES.index("volume")].any()
