"""Situations in which data are late, ended, absent or still, written to a store and loaded again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from datasets import (
    KINDS,
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
from datasets.kinds import EVENT_STEP
from engine import DAY_NS, FLOW_COLUMNS, HOUR_NS, Bars, Bool1D, Float1D, Int1D, Market, Series
from experiments.checks.fine_bars import START_NS
from experiments.checks.markets import null_market

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
            is_event = KINDS[name].native_step == EVENT_STEP
            step = STEP.get(name, EVENT_STEP if is_event else "1d")
            key = DatasetKey(name, "binance", "um_perp", "SOLUSDT", step, "test")
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


def traded(source: Source, is_row: Callable[[Int1D], Bool1D], **columns: float) -> Source:
    """``source`` with these numbers in the trades under the bars that begin at ``is_row``."""

    def changed(flow: Series) -> Series:
        rows = is_row(flow.event_time)
        values = {
            name: np.where(rows, columns[name], column) for name, column in flow.columns.items()
        }
        return replace(flow, columns=values)

    return source.changed_series("trade_flow", changed)


def quiet_day(source: Source) -> Source:
    def is_quiet(time_ns: Int1D) -> Bool1D:
        quiet: Bool1D = time_ns // DAY_NS == START_NS // DAY_NS + 60
        return quiet

    quiet = replace(source, bars=bars_at(source.bars, is_quiet(source.bars.open_time)))
    return traded(quiet, is_quiet, volume=0.0, taker_buy_volume=0.0)


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
    still = replace(still, bars=replace(still.bars, **half, **whole))
    return traded(still, lambda time_ns: time_ns > 0, volume=100.0, taker_buy_volume=50.0)


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


def ending(source: Source) -> Source:
    """Every series ends half-way."""
    end_ns = int(source.bars.close_time[HALF])
    ended = {name: one.known_at(end_ns) for name, one in source.series.items()}
    return replace(source, series=ended)


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
