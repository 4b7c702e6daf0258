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
    """What is written to the store: bars and series of one symbol, and whether coins stand around it."""

    bars: Bars
    series: Mapping[str, Series]
    universe: bool = True
    own_in_universe: bool = True

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


def write_universe(store: Store) -> list[Instrument]:
    """Daily bars of bitcoin and a dozen coins; each coin listed a week after the one before."""
    days = np.arange(HOURS // 24 + DAYS_BEFORE)
    generator = np.random.default_rng(SEED)
    for position, coin in enumerate(("BTC", "SOL", *COINS)):
        close = 100.0 * np.exp(np.cumsum(0.03 * generator.standard_normal(len(days))))
        first = 7 * max(position - 2, 0)
        prices = {name: close[first:] for name in ("open", "high", "low", "close")}
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
    coins = write_universe(store)
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
    return replace(source, bars=late)


def first_bars(count: int) -> Callable[[Source], Source]:
    return lambda source: replace(source, bars=source.bars.prefix(count))


def without_open_interest(source: Source) -> Source:
    def ratios_only(series: Series) -> Series:
        kept = {name: one for name, one in series.columns.items() if "interest" not in name}
        return replace(series, columns=kept)

    return source.changed_series("metrics", ratios_only)


def ending(source: Source) -> Source:
    """Every series ends half-way."""
    end_ns = int(source.bars.close_time[HALF])
    return replace(
        source, series={name: one.known_at(end_ns) for name, one in source.series.items()}
    )


def beginning(source: Source) -> Source:
    """Every series begins half-way."""
    start_ns = int(source.bars.close_time[HALF])
    return replace(
        source,
        series={
            name: rows_of(one, np.flatnonzero(one.event_time >= start_ns))
            for name, one in source.series.items()
        },
    )


def shortening_funding(source: Source) -> Source:
    """Settled every 8 hours, from a third on every 4 and from two thirds on every hour."""
    edges = START_NS + HOUR_NS * np.array([-240, HOURS // 3 // 8 * 8, HOURS // 3 * 2, HOURS + 8])
    times, hours = [], []
    for (start, stop), interval in zip(zip(edges[:-1], edges[1:], strict=True), (8, 4, 1)):
        own = np.arange(start, stop, interval * HOUR_NS)
        times.append(own)
        hours.append(np.full(len(own), float(interval)))
    event_time = np.concatenate(times)
    # What is paid for eight hours changes with time alone, whatever the interval is.
    for_eight = 1e-4 + 6e-4 * np.sin(2 * np.pi * (event_time - START_NS) / (40 * DAY_NS))
    interval = np.concatenate(hours)
    columns = {"rate": for_eight * interval / 8.0, "interval_hours": interval}
    series = replace(
        source.series["funding"], event_time=event_time, available_at=event_time, columns=columns
    )
    return replace(source, series={**source.series, "funding": series})


SITUATIONS: Mapping[str, Callable[[Source], Source]] = {
    "usual": lambda source: source,
    "not in the universe": lambda source: replace(source, own_in_universe=False),
    "no universe": lambda source: replace(source, universe=False),
    "listed half-way": listed_half_way,
    "shortening funding": shortening_funding,
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
