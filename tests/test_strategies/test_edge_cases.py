"""Every head and every listed indicator, out of a store, where data are late, ended, absent or still.

Each situation is written to a store and loaded as a run loads it. What is asked of all of them: no
exception, no vote that breaks the contract, no number that breaks its declaration. What each of them
must give in numbers stands in a test of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets import (
    SERIES_KINDS,
    DatasetKey,
    Instrument,
    Store,
    UniverseRule,
    load_benchmark,
    load_market,
    load_universe,
    with_own,
)
from engine import DAY_NS, FLOW_COLUMNS, HOUR_NS, Bars, Float1D, Market, Series
from experiments.checks.conformance import output_fault
from experiments.checks.markets import START_NS, null_market
from experiments.checks.subjects import IndicatorCase, indicator_cases
from indicators import INDICATORS, INDICATORS_BY_NAME, build_features, clock_of, feature
from strategies import HEADS, Head, VoteMatrix, vote_matrix

HOURS = 2_400
SEED = 7
HALF = HOURS // 2
COINS = ("ETH", "ADA", "AVAX", "ARB", "OP", "UNI", "AAVE", "DOGE", "SAND", "FET", "DOT", "ATOM")
DAYS_BEFORE = 130
"""Days of the universe before the bars: its windows are months long."""
FUNDING_CHANGES = (800, 1_600)
"""Hours from which funding is settled every 4 hours, and every hour."""
STEP = {"funding": "8h"} | dict.fromkeys(
    ("metrics", "mark_price", "index_price", "premium_index"), "1h"
)
SPOT = Instrument("binance", "spot", "SOLUSDT")
PERP = Instrument("binance", "um_perp", "SOLUSDT")
BITCOIN = Instrument("binance", "spot", "BTCUSDT")


def switched(head: Head) -> Head:
    """The same head with every switch turned the other way."""
    flipped = {
        field.name: not getattr(head, field.name)
        for field in fields(head)  # type: ignore[arg-type]
        if isinstance(getattr(head, field.name), bool)
    }
    return replace(head, **flipped)  # type: ignore[type-var]


DEFAULTS = tuple(head() for head in HEADS)
SWITCHED = tuple(switched(head) for head in DEFAULTS)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is written to the store: bars and series of one symbol, and the coins around it.

    ``own_listed_day`` counts from the first bar of the usual market.
    """

    bars: Bars
    series: Mapping[str, Series]
    universe: bool = True
    own_in_universe: bool = True
    own_listed_day: int = -DAYS_BEFORE

    def changed_series(self, name: str, change: Callable[[Series], Series]) -> "Source":
        return replace(self, series={**self.series, name: change(self.series[name])})


def usual() -> Source:
    market = null_market(HOURS, SEED, history_rows=60)
    return Source(bars=market.bars, series=market.series)


def rows_of(series: Series, rows: np.ndarray) -> Series:
    return replace(
        series,
        event_time=series.event_time[rows],
        available_at=series.available_at[rows],
        columns={name: column[rows] for name, column in series.columns.items()},
    )


def bars_at(bars: Bars, rows: np.ndarray) -> Bars:
    """``bars`` without volume and with one price on ``rows``, still traded bars."""
    changed = {name: np.where(rows, 0.0, column) for name, column in flows(bars).items()}
    return replace(bars, **changed)


def flows(bars: Bars) -> dict[str, Float1D]:
    return {name: bars.columns()[name] for name in ("volume", *FLOW_COLUMNS)}


def write_bars(store: Store, symbol: str, bars: Bars) -> None:
    """Missing bars are left out, as an exchange leaves them out."""
    kept = {name: column[~bars.is_gap] for name, column in bars.columns().items()}
    columns = {name: kept[name] for name in ("open", "high", "low", "close", *flows(bars))}
    columns["trades"] = columns["trades"].astype(np.int64)
    table = pa.table({"open_time": bars.open_time[~bars.is_gap], **columns})
    key = DatasetKey("ohlcv", "binance", "spot", symbol, bars.timeframe, "test")
    store.write(key, table, provenance={})


def write_universe(store: Store, own_listed_day: int) -> list[Instrument]:
    """Daily bars of bitcoin, the own coin and a dozen more, each listed a week after the one before."""
    days = np.arange(HOURS // 24 + DAYS_BEFORE)
    generator = np.random.default_rng(SEED)
    for position, coin in enumerate(("BTC", "SOL", *COINS)):
        close = 100.0 * np.exp(np.cumsum(0.03 * generator.standard_normal(len(days))))
        first = DAYS_BEFORE + own_listed_day if coin == "SOL" else 7 * max(position - 2, 0)
        prices = dict.fromkeys(("open", "high", "low", "close"), close[first:])
        opened = START_NS + DAY_NS * (days[first:] - DAYS_BEFORE)
        table = pa.table({"open_time": opened, **prices, "volume": np.ones(len(close) - first)})
        key = DatasetKey("ohlcv", "binance", "spot", f"{coin}USDT", "1d", "daily")
        store.write(key, table, provenance={})
    return [Instrument("binance", "spot", f"{coin}USDT", "daily") for coin in ("SOL", *COINS)]


def loaded(folder: Path, source: Source) -> Market:
    """Written, and loaded as a run loads it; what no data set holds as a series is set beside it."""
    store = Store(folder)
    write_bars(store, "SOLUSDT", source.bars)
    for name, series in source.series.items():
        if name in SERIES_KINDS and len(series.event_time):
            columns = dict(series.columns)
            if name == "krw_premium":
                columns |= dict.fromkeys(
                    ("krw_price", "usd_price", "usdkrw"), np.ones(len(series.event_time))
                )
            columns |= {"event_time": series.event_time, "available_at": series.available_at}
            key = DatasetKey(name, "binance", "um_perp", "SOLUSDT", STEP.get(name, "1d"), "test")
            store.write(key, pa.table(columns), provenance={})
    own = replace(SPOT, source="test")
    market = load_market(store, own, "1h", series_from=[PERP])
    beside = {name: one for name, one in source.series.items() if name not in SERIES_KINDS}
    market = replace(market, series={**beside, **market.series})
    if not source.universe:
        return market
    coins = write_universe(store, source.own_listed_day)
    rule = UniverseRule(size=50, minimum_listed_days=5, lookback_days=3, rebalance="1d")
    bitcoin = replace(BITCOIN, source="daily")
    kept = coins if source.own_in_universe else coins[1:]
    universe = load_universe(store, [bitcoin, *kept], bitcoin, rule).panel
    write_bars(store, "BTCUSDT", usual().bars)
    benchmark = load_benchmark(store, own, replace(BITCOIN, source="test"), "1h").panel
    panels = {"universe": with_own(universe, "SOLUSDT", "USDT"), "benchmark": benchmark}
    return replace(market, panels=panels)


def quiet_day(source: Source) -> Source:
    rows = (source.bars.open_time // DAY_NS) == (START_NS // DAY_NS + 60)
    return replace(source, bars=bars_at(source.bars, rows))


def week_of_gaps(source: Source) -> Source:
    missing = source.bars.is_gap.copy()
    missing[HALF : HALF + 168] = True
    return replace(source, bars=replace(source.bars, is_gap=missing))


def constant_prices(source: Source) -> Source:
    flat = np.full(HOURS, 100.0)
    bars = replace(source.bars, open=flat, high=flat, low=flat, close=flat)
    return replace(source, bars=bars)


def constant_prices_and_volumes(source: Source) -> Source:
    still = constant_prices(source)
    half = dict.fromkeys(("taker_buy_volume", "taker_buy_quote"), np.full(HOURS, 50.0))
    whole = dict.fromkeys(("volume", "quote_volume", "trades"), np.full(HOURS, 100.0))
    return replace(still, bars=replace(still.bars, **half, **whole))


def listed_half_way(source: Source) -> Source:
    bars = source.bars
    columns = {name: bars.columns()[name][HALF:] for name in ("open", "high", "low", "close")}
    columns |= {name: column[HALF:] for name, column in flows(bars).items()}
    late = replace(bars, open_time=bars.open_time[HALF:], is_gap=bars.is_gap[HALF:], **columns)
    return replace(source, bars=late, own_listed_day=HALF // 24)


def first_bars(count: int) -> Callable[[Source], Source]:
    return lambda source: replace(source, bars=source.bars.prefix(count))


def without_open_interest(source: Source) -> Source:
    def ratios_only(series: Series) -> Series:
        kept = {name: one for name, one in series.columns.items() if "interest" not in name}
        return replace(series, columns=kept)

    return source.changed_series("metrics", ratios_only)


def venue_series(source: Source) -> dict[str, Series]:
    """What venues and data vendors publish; the sentiment that a user brings is the user's affair."""
    return {name: one for name, one in source.series.items() if name != "external_sentiment"}


def ending(source: Source) -> Source:
    """Every series ends half-way."""
    end_ns = int(source.bars.close_time[HALF])
    ended = {name: one.known_at(end_ns) for name, one in venue_series(source).items()}
    return replace(source, series=ended)


def beginning(source: Source) -> Source:
    """Every series begins half-way."""
    start_ns = int(source.bars.close_time[HALF])
    return replace(
        source,
        series={
            name: rows_of(one, np.flatnonzero(one.event_time >= start_ns))
            for name, one in venue_series(source).items()
        },
    )


def paid_for_eight_hours(time_ns: np.ndarray) -> Float1D:
    """Funding that swings over 40 days, whatever the interval of its settlements is."""
    swing: Float1D = np.sin(2 * np.pi * (time_ns - START_NS) / (40 * DAY_NS))
    return 1e-4 + 6e-4 * swing


def shortening_funding(source: Source) -> Source:
    """Settled every 8 hours, from a third on every 4 and from two thirds on every hour."""
    lengths = (8, 4, 1)
    spans = zip((-240, *FUNDING_CHANGES), (*FUNDING_CHANGES, HOURS), lengths, strict=True)
    hours = [np.arange(start + each, stop + 1, each) for start, stop, each in spans]
    event_time = START_NS + HOUR_NS * np.concatenate(hours)
    interval = np.repeat(np.array(lengths, dtype=np.float64), [len(own) for own in hours])
    columns = {
        "rate": paid_for_eight_hours(event_time) * interval / 8.0,
        "interval_hours": interval,
    }
    series = replace(
        source.series["funding"], event_time=event_time, available_at=event_time, columns=columns
    )
    return replace(source, series={**source.series, "funding": series})


def unstated_intervals(source: Source) -> Source:
    """The same, from a source that does not say how long an interval is."""

    def unstated(series: Series) -> Series:
        return replace(series, columns={"rate": series.columns["rate"]})

    return shortening_funding(source).changed_series("funding", unstated)


def without_series(source: Source) -> Source:
    return replace(source, series={})


SITUATIONS: Mapping[str, Callable[[Source], Source]] = {
    "usual": lambda source: source,
    "not in the universe": lambda source: replace(source, own_in_universe=False),
    "no universe": lambda source: replace(source, universe=False),
    "listed half-way": listed_half_way,
    "shortening funding": shortening_funding,
    "unstated intervals": unstated_intervals,
    "no series": without_series,
    "no open interest": without_open_interest,
    "one bar": first_bars(1),
    "two bars": first_bars(2),
    "a day without volume": quiet_day,
    "a week of gaps": week_of_gaps,
    "series that end": ending,
    "series that begin late": beginning,
    "constant prices": constant_prices,
    "constant prices and volumes": constant_prices_and_volumes,
}


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
    stating = None if clock is None else clock.stating(case.indicator.inputs)
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
    assert differing(votes_of("shortening funding"), votes_of("usual")) == {
        "sentiment", "crypto_metrics",
    }  # fmt: skip
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
        prices_only = [NAMES.index(name) for name in NAMES if name != "crypto_metrics"]
        assert not short.direction[:, prices_only].any()


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
    assert (column_of(market, "ratio", "taker_delta", length=20)[day][19:] == 0.5).all()
    assert not column_of(market, "side", "cvd")[day][19:].any()
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
    assert differing(ended, votes_of("usual"), slice(0, HALF)) == {"sentiment"}, "the user's own"


def test_series_that_begin_late_are_missing_before(votes_of: Callable[..., VoteMatrix]) -> None:
    begun, none = votes_of("series that begin late"), votes_of("no series")
    assert differing(begun, none, slice(0, HALF)) == set()
    assert differing(begun, none) == {"sentiment", "crypto_metrics"}


def test_prices_that_never_move_take_no_side(votes_of: Callable[..., VoteMatrix]) -> None:
    """Volumes that move, and series, may still speak."""
    still = votes_of("constant prices")
    silent = set(NAMES) - {"volume", "sentiment", "crypto_metrics"}
    for at, name in enumerate(NAMES):
        assert still.direction[:, at].any() == (name not in silent), name
    dead = votes_of("constant prices and volumes")
    assert not dead.direction[:, NAMES.index("volume")].any()
