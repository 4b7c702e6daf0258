import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import (
    KINDS,
    SERIES_KINDS,
    DatasetKey,
    Instrument,
    Store,
    find_dataset,
    load_aligned,
    load_bars,
    load_funding,
    load_market,
    load_series,
)
from engine import Bars, ConfigError, DataError
from tests.test_datasets.sample_files import (
    BARS_KEY,
    FUNDING_KEY,
    HOUR_NS,
    START_NS,
    bar_table,
    funding_table,
    utc_ns,
)

SPOT = Instrument("binance", "spot", "BTCUSDT")
PERP = Instrument("binance", "um_perp", "BTCUSDT")
DAY_NS = 24 * HOUR_NS
NUMBERS = ("open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume")


def literal_grid(table: pa.Table, start_ns: int, end_ns: int) -> list[dict[str, float]]:
    """Bars of the period by walking every hour since the first row: the oracle of the grid."""
    by_time = {row["open_time"]: row for row in table.to_pylist()}
    now, last = min(by_time), max(by_time)
    close, out = float("nan"), []
    while now <= last:
        row = by_time.get(now)
        if row is None:
            row = dict.fromkeys(NUMBERS, 0.0) | dict.fromkeys(
                ("open", "high", "low", "close"), close
            )
        close = row["close"]
        if start_ns <= now < end_ns:
            out.append({**row, "open_time": now, "is_gap": now not in by_time})
        now += HOUR_NS
    return out


def assert_equal_bars(left: Bars, right: Bars) -> None:
    assert left.columns().keys() == right.columns().keys()
    for name, column in left.columns().items():
        np.testing.assert_array_equal(column, right.columns()[name], err_msg=name)


@settings(max_examples=30, deadline=None)
@given(
    missing=st.sets(st.integers(1, 38), max_size=25),
    start=st.integers(-3, 42),
    length=st.integers(1, 45),
    odd=st.sampled_from([0, 1, HOUR_NS // 2]),
)
def test_bars_of_any_period_equal_the_literal_grid(
    tmp_path_factory: pytest.TempPathFactory, missing: set[int], start: int, length: int, odd: int
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    table = bar_table(40, without=tuple(missing))
    store.write(BARS_KEY, table, provenance={})
    start_ns = START_NS + start * HOUR_NS + odd
    end_ns = start_ns + length * HOUR_NS
    expected = literal_grid(table, start_ns, end_ns)
    if all(row["is_gap"] for row in expected):
        with pytest.raises(DataError, match=r"no bars from .* the store has 2021-01-01 00:00 to"):
            load_bars(store, SPOT, "1h", start_ns, end_ns)
        return
    bars = load_bars(store, SPOT, "1h", start_ns, end_ns)
    assert bars.open_time.tolist() == [row["open_time"] for row in expected]
    assert bars.is_gap.tolist() == [row["is_gap"] for row in expected]
    for name in NUMBERS:
        assert getattr(bars, name).tolist() == [row[name] for row in expected], name


def test_a_flow_column_that_some_bars_lack_is_refused(store: Store) -> None:
    table = bar_table(20, without=(4,))
    taker = table["taker_buy_volume"].to_pylist()
    taker[10] = None
    index = table.column_names.index("taker_buy_volume")
    store.write(
        BARS_KEY, table.set_column(index, "taker_buy_volume", pa.array(taker)), provenance={}
    )
    with pytest.raises(
        DataError, match=r"taker_buy_volume is missing on 1 of 19 bars, first at 2021"
    ):
        load_bars(store, SPOT, "1h")
    assert load_bars(store, SPOT, "1h", with_flows=False).taker_buy_quote is None
    early = load_bars(store, SPOT, "1h", None, START_NS + 9 * HOUR_NS)
    assert early.taker_buy_volume is not None
    assert early.taker_buy_volume[4] == 0.0


@pytest.mark.parametrize("sources", [None, ("test", "other")])
def test_a_flow_that_begins_after_the_period_is_absent(
    store: Store, sources: tuple[str, ...] | None
) -> None:
    table = bar_table(20, without=(4,))
    taker = [None] * 9 + table["taker_buy_volume"].to_pylist()[9:]
    index = table.column_names.index("taker_buy_volume")
    table = table.set_column(index, "taker_buy_volume", pa.array(taker))
    for source in sources or ("test",):
        key = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", source)
        store.write(key, table, provenance={})
    instrument = Instrument("binance", "spot", "BTCUSDT", sources)
    early = (START_NS, START_NS + 10 * HOUR_NS)
    assert load_bars(store, instrument, "1h", *early).taker_buy_volume is None
    late = load_bars(store, instrument, "1h", early[1])
    assert late.taker_buy_volume is not None
    assert late.taker_buy_volume.tolist() == taker[9:]
    aligned = load_aligned(store, [instrument], "1h", *early, cache=False)
    assert set(aligned.flows) == {"quote_volume", "taker_buy_quote", "trades"}


def test_a_flow_column_that_no_bar_has_is_absent(store: Store) -> None:
    table = bar_table(20)
    index = table.column_names.index("taker_buy_volume")
    nothing = pa.array([None] * 20, pa.float64())
    store.write(BARS_KEY, table.set_column(index, "taker_buy_volume", nothing), provenance={})
    assert load_bars(store, SPOT, "1h").taker_buy_volume is None
    assert load_bars(store, SPOT, "1h").taker_buy_quote is not None


@pytest.mark.parametrize(("timeframe", "hours"), [("2h", 2), ("4h", 4), ("1d", 24)])
def test_longer_bars_are_aggregated_whole(store: Store, timeframe: str, hours: int) -> None:
    table = bar_table(100, start_ns=START_NS + 3 * HOUR_NS, without=(20, 21, 22, 23, 24, 60))
    store.write(BARS_KEY, table, provenance={})
    bars = load_bars(store, SPOT, timeframe)
    base = load_bars(store, SPOT, "1h")
    frame = pd.DataFrame(dict(base.columns()), index=pd.to_datetime(base.open_time))
    rules = {
        "open": "first",
        "high": "max",
        "low": "min",
        "close": "last",
        "volume": "sum",
        "is_gap": "min",
    }
    length = pd.Timedelta(hours=hours)
    grouped = frame.resample(length).agg(rules)
    whole = frame["open"].resample(length).count() == hours
    # A partial first or last bar is nobody's bar.
    grouped = grouped[whole]
    assert bars.timeframe == timeframe
    assert (
        bars.open_time.tolist() == grouped.index.astype("datetime64[ns]").astype("int64").tolist()
    )
    for name in rules:
        np.testing.assert_allclose(
            bars.columns()[name], grouped[name], rtol=1e-12, err_msg=name
        )  # sums in another order


def test_aggregated_period_equals_the_slice_of_the_whole(store: Store) -> None:
    store.write(BARS_KEY, bar_table(100, without=(20, 60)), provenance={})
    whole = load_bars(store, SPOT, "4h")
    part = load_bars(store, SPOT, "4h", START_NS + 5 * HOUR_NS, START_NS + 41 * HOUR_NS)
    assert part.open_time.tolist() == whole.open_time[2:11].tolist()
    np.testing.assert_array_equal(part.close, whole.close[2:11])


@pytest.mark.parametrize("timeframe", ["4h", "1w"])
def test_sums_do_not_depend_on_the_files(store: Store, timeframe: str) -> None:
    table = bar_table(1000, without=(20, 60))
    volume = np.random.default_rng(1).uniform(100.0, 1000.0, len(table))
    index = table.column_names.index("volume")
    table = table.set_column(index, "volume", pa.array(volume))
    for first in range(0, len(table), 37):
        store.append(BARS_KEY, table.slice(first, 37), provenance={})
    scattered = load_bars(store, SPOT, timeframe)
    assert len(store.compact()) == 1
    assert_equal_bars(scattered, load_bars(store, SPOT, timeframe))


def test_the_first_whole_bar_opens_at_the_close_before_it(store: Store) -> None:
    # The history begins at 02:00, the hour of 04:00 is missing: the bar of 04:00 opens at 03:00's close.
    table = bar_table(14, start_ns=START_NS + 2 * HOUR_NS, without=(2,))
    store.write(BARS_KEY, table, provenance={})
    bars = load_bars(store, SPOT, "4h")
    hours = load_bars(store, SPOT, "1h")
    assert bars.open_time[0] == START_NS + 4 * HOUR_NS
    assert bars.open[0] == hours.close[1] == hours.open[2]
    assert bars.high[0] == hours.high[2:6].max()


def test_a_stored_step_wins_over_aggregation(store: Store) -> None:
    store.write(BARS_KEY, bar_table(48), provenance={})
    four = bar_table(48).take(list(range(0, 48, 4)))
    key = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "4h", "test")
    store.write(key, four, provenance={})
    assert load_bars(store, SPOT, "4h").high.tolist() == four["high"].to_pylist()


def test_steps_of_different_sources_are_not_chosen_among_in_silence(store: Store) -> None:
    store.write(BARS_KEY, bar_table(48), provenance={})
    four = bar_table(48).take(list(range(0, 48, 4)))
    key = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "4h", "vendor")
    store.write(key, four, provenance={})
    with pytest.raises(DataError, match="2 sources of ohlcv: test, vendor; say which with source"):
        load_bars(store, SPOT, "4h")
    assert len(load_bars(store, SPOT, "1h")) == 48
    vendor = Instrument("binance", "spot", "BTCUSDT", "vendor")
    assert load_bars(store, vendor, "4h").high.tolist() == four["high"].to_pylist()


def test_the_longest_step_that_divides_is_aggregated(store: Store) -> None:
    hours = bar_table(48)
    store.write(BARS_KEY, hours, provenance={})
    for step, every in (("2h", 2), ("4h", 4)):
        key = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", step, "test")
        store.write(key, hours.take(list(range(0, 48, every))), provenance={})
    volume = hours["volume"].to_pylist()
    # Six hours from the two-hour bars, which carry here the volume of every second hour only.
    assert load_bars(store, SPOT, "6h").volume[0] == pytest.approx(
        volume[0] + volume[2] + volume[4]
    )
    assert load_bars(store, SPOT, "3h").volume[0] == pytest.approx(sum(volume[:3]))


def test_unknown_instruments_list_the_nearest(store: Store) -> None:
    with pytest.raises(DataError, match="no ohlcv at all"):
        load_bars(store, SPOT, "1h")
    for symbol in ("XRPUSDT", "BTCUSDT", "ETHUSDT"):
        key = DatasetKey("ohlcv", "binance", "spot", symbol, "1h", "test")
        store.write(key, bar_table(5), provenance={})
    with pytest.raises(
        DataError, match=r"binance/spot/BTCUSD/1h/\*: .* it has binance/spot/BTCUSDT/1h/test, "
    ):
        load_bars(store, Instrument("binance", "spot", "BTCUSD"), "1h")
    with pytest.raises(DataError, match="no such ohlcv"):
        load_bars(store, SPOT, "15m")
    with pytest.raises(ConfigError, match="timeframe"):
        load_bars(store, SPOT, "1 hour")


def test_a_stray_file_beside_the_manifests_stops_no_load(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    manifest = store.root / BARS_KEY.manifest
    manifest.with_name("test (copy).json").write_bytes(manifest.read_bytes())
    assert len(load_bars(store, SPOT, "1h")) == 5
    assert len(store.problems()) == 1


def test_two_sources_need_a_name(store: Store) -> None:
    for source in ("a", "b"):
        key = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", source)
        store.write(key, bar_table(5, seed=ord(source)), provenance={})
    with pytest.raises(DataError, match="2 sources of ohlcv: a, b; say which"):
        load_bars(store, SPOT, "1h")
    named = Instrument("binance", "spot", "BTCUSDT", "b")
    assert (
        load_bars(store, named, "1h").close.tolist()
        == bar_table(5, seed=ord("b"))["close"].to_pylist()
    )
    assert find_dataset(store, named, "ohlcv", "1h").source == "b"


def test_series_of_two_sources_need_a_name_whatever_their_steps(store: Store) -> None:
    for source, step in (("a", "1h"), ("b", "5m"), ("b", "1h")):
        table = pa.table(
            {"event_time": pa.array([START_NS])}
            | {column.name: pa.array([1.0]) for column in KINDS["metrics"].columns}
        )
        key = DatasetKey("metrics", "binance", "um_perp", "BTCUSDT", step, source)
        store.write(key, table, provenance={})
    with pytest.raises(DataError, match="2 sources of metrics: a, b"):
        load_series(store, PERP, "metrics")
    named = Instrument("binance", "um_perp", "BTCUSDT", "b")
    assert find_dataset(store, named, "metrics", None).step == "5m"


# What SPEC 0.1 says about the time at which a row may be used, as literal moments.
AVAILABLE = [
    ("funding", "8h", "2021-01-01 08:00", "2021-01-01 08:00"),
    ("metrics", "5m", "2021-01-01 08:05", "2021-01-01 08:10"),
    ("metrics", "1h", "2021-01-01 08:00", "2021-01-01 08:05"),
    ("mark_price", "1h", "2021-01-01 08:00", "2021-01-01 09:00"),
    ("index_price", "1m", "2021-01-01 08:00", "2021-01-01 08:01"),
    ("premium_index", "1h", "2021-01-01 08:00", "2021-01-01 09:00"),
    ("liquidation_volume", "1d", "2021-01-01 00:00", "2021-01-02 00:00"),
    ("book_summary", "1h", "2021-01-01 08:00", "2021-01-01 09:00"),
    ("fear_greed", "1d", "2021-01-01 00:00", "2021-01-01 00:30"),
    ("exchange_reserves", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
    ("tvl", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
    ("onchain", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
    ("social", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
    ("etf", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
    ("external_sentiment", "1h", "2021-01-01 08:30", "2021-01-01 09:30"),
    ("fx", "1d", "2021-01-01 00:00", "2021-01-04 00:00"),
    ("krw_premium", "1d", "2021-01-04 00:00", "2021-01-05 00:00"),
    ("implied_volatility", "1d", "2021-01-01 00:00", "2021-01-02 00:00"),
    ("implied_volatility", "1h", "2021-01-01 08:00", "2021-01-01 09:00"),
]


def write_series(
    store: Store, kind: str, step: str, stamps: list[int], venue: str = "global"
) -> Instrument:
    needed = KINDS[kind].needs_one_of[:1]
    columns = {
        c.name: pa.array([1.5] * len(stamps))
        for c in KINDS[kind].columns
        if c.required or c.name in needed
    }
    table = pa.table({"event_time": pa.array(stamps, pa.int64())} | columns)
    store.write(DatasetKey(kind, venue, "index", "BTC", step, "test"), table, provenance={})
    return Instrument(venue, "index", "BTC")


@pytest.mark.parametrize(("kind", "step", "event", "available"), AVAILABLE)
def test_rows_are_known_when_the_rule_of_their_kind_says(
    store: Store, kind: str, step: str, event: str, available: str
) -> None:
    instrument = write_series(store, kind, step, [utc_ns(event)])
    series = load_series(store, instrument, kind)
    assert series is not None
    assert series.available_at.tolist() == [utc_ns(available)]
    assert series.max_age_ns > utc_ns(available) - utc_ns(event)


def test_every_kind_of_series_has_a_rule_under_test() -> None:
    assert {row[0] for row in AVAILABLE} == set(SERIES_KINDS)


def test_series_of_a_period_reaches_back_as_far_as_rows_are_shown(store: Store) -> None:
    stamps = [START_NS + DAY_NS * day for day in range(30)]
    instrument = write_series(store, "fear_greed", "1d", stamps)
    series = load_series(
        store, instrument, "fear_greed", START_NS + 10 * DAY_NS, START_NS + 12 * DAY_NS
    )
    assert series is not None
    assert series.event_time.tolist() == stamps[7:12]
    assert load_series(store, instrument, "fear_greed", START_NS + 40 * DAY_NS, None) is None
    assert load_series(store, instrument, "tvl") is None
    with pytest.raises(ConfigError, match="load_bars"):
        load_series(store, instrument, "ohlcv")
    with pytest.raises(DataError, match="'tvls' is unknown"):
        load_series(store, instrument, "tvls")


def test_funding_intervals_come_from_the_settlement_before(store: Store) -> None:
    hours = [0, 8, 16, 20, 24, 25, 49, 57]
    stamps = [START_NS + HOUR_NS * hour for hour in hours]
    store.write(FUNDING_KEY, funding_table(stamps, [1e-4] * len(hours)), provenance={})
    funding = load_funding(store, PERP)
    assert funding is not None
    # First row and the row after a hole: the step of the data set, 8 hours.
    assert funding.interval_hours.tolist() == [8, 8, 8, 4, 4, 1, 8, 8]
    assert np.isnan(funding.mark_price).all()
    series = load_series(store, PERP, "funding")
    assert series is not None
    assert sorted(series.columns) == ["interval_hours", "rate"]
    # A later period sees the same intervals, and a prefix of the data the same prefix of them.
    later = load_funding(store, PERP, stamps[4], stamps[7])
    assert later is not None
    assert later.interval_hours.tolist() == [4, 1, 8]
    assert load_funding(store, Instrument("bybit", "linear_perp", "BTCUSDT")) is None


def test_funding_intervals_never_look_at_a_settlement_that_came_later(store: Store) -> None:
    stamps = [START_NS, START_NS + 4 * HOUR_NS, START_NS + 8 * HOUR_NS, START_NS + 12 * HOUR_NS]
    table = funding_table(stamps, [1e-4] * 4)
    # The settlement of 04:00 is published at 10:00: that of 08:00 could only see the one of 00:00.
    known = pa.array([stamps[0], START_NS + 10 * HOUR_NS, *stamps[2:]])
    store.write(FUNDING_KEY, table.append_column("available_at", known), provenance={})
    series = load_series(store, PERP, "funding")
    assert series is not None
    assert series.event_time.tolist() == [stamps[0], *stamps[2:]]
    assert series.columns["interval_hours"].tolist() == [8, 8, 4]


def test_stated_intervals_and_mark_prices_are_kept(store: Store) -> None:
    stamps = [START_NS, START_NS + 8 * HOUR_NS]
    table = funding_table(stamps, [1e-4, 2e-4])
    table = table.append_column("interval_hours", pa.array([4.0, 4.0]))
    table = table.append_column("mark_price", pa.array([100.0, None]))
    store.write(FUNDING_KEY, table, provenance={})
    funding = load_funding(store, PERP)
    assert funding is not None
    assert funding.interval_hours.tolist() == [4, 4]
    assert funding.mark_price[0] == 100.0
    assert np.isnan(funding.mark_price[1])


def test_the_last_bar_of_a_period_sees_what_is_known_at_its_close(store: Store) -> None:
    store.write(BARS_KEY, bar_table(48), provenance={})
    stamps = [START_NS + 8 * HOUR_NS * row for row in range(6)]
    key = DatasetKey("funding", "binance", "um_perp", "BTCUSDT", "8h", "test")
    store.write(key, funding_table(stamps, [1e-4] * 6), provenance={})
    whole = load_market(store, SPOT, "1h", series_from=[PERP])
    for hours in (15, 16, 17):
        for end_ns in (START_NS + hours * HOUR_NS, START_NS + hours * HOUR_NS - 1):
            part = load_market(store, SPOT, "1h", None, end_ns, series_from=[PERP])
            seen = part.prefix(hours).series["funding"].event_time.tolist()
            assert seen == whole.prefix(hours).series["funding"].event_time.tolist()


def test_market_takes_each_series_from_the_first_that_has_it(store: Store) -> None:
    store.write(BARS_KEY, bar_table(48), provenance={})
    stamps = [START_NS + 8 * HOUR_NS * row for row in range(6)]
    for venue, market, rate in (("binance", "um_perp", 1e-4), ("bybit", "linear_perp", 2e-4)):
        key = DatasetKey("funding", venue, market, "BTCUSDT", "8h", "test")
        store.write(key, funding_table(stamps, [rate] * 6), provenance={})
    daily = write_series(store, "fear_greed", "1d", [START_NS, START_NS + DAY_NS])
    bybit = Instrument("bybit", "linear_perp", "BTCUSDT")
    orders = list(itertools.permutations([PERP, bybit, daily]))
    for order in orders:
        market = load_market(
            store, SPOT, "1h", START_NS, START_NS + 20 * HOUR_NS, series_from=order
        )
        assert len(market.bars) == 20
        assert set(market.series) == {"funding", "fear_greed"}
        first = next(owner for owner in order if owner in (PERP, bybit))
        assert market.series["funding"].columns["rate"][0] == (1e-4 if first == PERP else 2e-4)
        assert market.series["funding"].event_time.tolist() == stamps[:3]
    market = load_market(store, SPOT, "1h", series_from=[PERP], funding_from=bybit)
    assert market.series["funding"].columns["rate"][0] == 2e-4
    assert load_market(store, SPOT, "1h").series == {}
