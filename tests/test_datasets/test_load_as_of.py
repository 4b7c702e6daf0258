"""Loading under revisions, late data and several sources, against searches through every row."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import (
    DatasetKey,
    Instrument,
    NoBarsError,
    SourceConflicts,
    Store,
    bars_dataset,
    bars_datasets,
    find_dataset,
    load_bars,
    load_funding,
    load_market,
    load_series,
)
from engine import DataError
from tests.test_datasets.sample_files import BARS_KEY, HOUR_NS, START_NS, bar_table, funding_table

SPOT = Instrument("binance", "spot", "BTCUSDT")
PERP = Instrument("binance", "um_perp", "BTCUSDT")
FEAR = DatasetKey("fear_greed", "alternative", "sentiment", "BTC", "1d", "test")
DAY_NS = 24 * HOUR_NS


class Row(NamedTuple):
    """Day of the event, hours after its midnight at which it is known, value."""

    day: int
    delay: int
    value: float

    @property
    def available(self) -> int:
        return 24 * self.day + self.delay


# Delays of up to four days: revisions, ties and rows that arrive after later events.
ROWS = st.lists(
    st.builds(
        Row,
        day=st.integers(0, 7),
        delay=st.integers(0, 16).map(lambda n: 6 * n),
        value=st.integers(0, 100).map(float),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda row: (row.day, row.delay),
)


def write_rows(store: Store, rows: Sequence[Row], key: DatasetKey = FEAR) -> None:
    rows = sorted(rows)
    table = pa.table(
        {
            "event_time": pa.array([START_NS + DAY_NS * row.day for row in rows]),
            "available_at": pa.array([START_NS + HOUR_NS * row.available for row in rows]),
            "value": pa.array([row.value for row in rows]),
        }
    )
    store.write(key, table, provenance={})


def releases(rows: Sequence[Row]) -> list[Row]:
    """The first vintage of each event, in order of availability, that no later event preceded."""
    found: list[Row] = []
    for row in sorted(rows, key=lambda row: (row.available, row.day)):
        if all(row.day > earlier.day for earlier in found):
            found.append(row)
    return found


def as_rows(store: Store, instrument: Instrument, as_of_ns: int | None = None) -> list[Row]:
    series = load_series(store, instrument, "fear_greed", as_of_ns=as_of_ns)
    if series is None:
        return []
    return [
        Row((event - START_NS) // DAY_NS, (available - event) // HOUR_NS, value)
        for event, available, value in zip(
            series.event_time.tolist(),
            series.available_at.tolist(),
            series.columns["value"].tolist(),
            strict=True,
        )
    ]


@settings(max_examples=80)
@given(rows=ROWS, hour=st.integers(-1, 24 * 12))
def test_a_series_is_what_was_released_and_as_of_a_moment_its_beginning(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], hour: int
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    write_rows(store, rows)
    instrument = Instrument("alternative", "sentiment", "BTC")
    expected = releases(rows)
    assert as_rows(store, instrument) == expected
    known = [row for row in expected if row.available <= hour]
    assert as_rows(store, instrument, START_NS + HOUR_NS * hour) == known
    series = load_series(store, instrument, "fear_greed")
    assert series is not None
    moment = series.known_at(START_NS + HOUR_NS * hour)
    assert moment.columns["value"].tolist() == [row.value for row in known]


def bars_with(rows: Sequence[tuple[int, int, float]]) -> pa.Table:
    """Hourly bars at (hour, hours after the close at which it is known, close), sorted."""
    rows = sorted(rows)
    close = pa.array([row[2] for row in rows])
    return pa.table(
        {
            "open_time": pa.array([START_NS + HOUR_NS * row[0] for row in rows]),
            "available_at": pa.array([START_NS + HOUR_NS * (row[0] + 1 + row[1]) for row in rows]),
            "open": close,
            "high": close,
            "low": close,
            "close": close,
            "volume": pa.array([1.0] * len(rows)),
        }
    )


BAR_ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(1, 99).map(float)),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[:2],
)


def closes_by_search(
    rows: Sequence[tuple[int, int, float]], as_of_hour: int | None
) -> dict[int, float]:
    """Close of each hour that is shown: the oracle."""
    shown: dict[int, float] = {}
    for hour in range(10):
        vintages = sorted(row for row in rows if row[0] == hour)
        if as_of_hour is None:
            # Known at the close (or seconds after it), or nobody had it.
            if vintages and vintages[0][1] == 0:
                shown[hour] = vintages[0][2]
        else:
            known = [row for row in vintages if hour + 1 + row[1] <= as_of_hour]
            if known:
                shown[hour] = known[-1][2]
    return shown


@settings(max_examples=100)
@given(rows=BAR_ROWS, as_of=st.none() | st.integers(0, 16), start=st.integers(-1, 8))
def test_bars_are_first_vintages_or_those_of_a_moment(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, float]],
    as_of: int | None,
    start: int,
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.write(BARS_KEY, bars_with(rows), provenance={})
    shown = closes_by_search(rows, as_of)
    as_of_ns = None if as_of is None else START_NS + HOUR_NS * as_of
    start_ns = START_NS + HOUR_NS * start
    if not any(hour >= start for hour in shown):
        with pytest.raises(DataError, match="no bars"):
            load_bars(store, SPOT, "1h", start_ns, as_of_ns=as_of_ns)
        return
    bars = load_bars(store, SPOT, "1h", start_ns, as_of_ns=as_of_ns)
    hours = ((bars.open_time - START_NS) // HOUR_NS).tolist()
    assert hours[0] == max(start, min(shown))
    for hour, close, gap in zip(hours, bars.close, bars.is_gap, strict=True):
        assert gap == (hour not in shown)
        assert close == shown[max(h for h in shown if h <= hour)]


@settings(max_examples=150)
@given(
    rows=BAR_ROWS,
    other=BAR_ROWS,
    sources=st.sampled_from([("a",), ("a", "b")]),
    as_of=st.none() | st.integers(0, 16),
    hours=st.sampled_from([1, 2]),
    start=st.integers(-1, 8),
    length=st.integers(1, 9),
)
def test_a_period_is_the_slice_of_the_whole_whatever_came_late(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, float]],
    other: list[tuple[int, int, float]],
    sources: tuple[str, ...],
    as_of: int | None,
    hours: int,
    start: int,
    length: int,
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    for name, of_source in zip(sources, (rows, other), strict=False):
        store.write(source(name), bars_with(of_source), provenance={})
    instrument = Instrument("binance", "spot", "BTCUSDT", sources)

    def loaded(
        start_ns: int | None = None, end_ns: int | None = None
    ) -> dict[int, dict[str, float]]:
        try:
            bars = load_bars(
                store,
                instrument,
                f"{hours}h",
                start_ns,
                end_ns,
                as_of_ns=None if as_of is None else START_NS + HOUR_NS * as_of,
                on_source_conflicts=lambda _: None,
            )
        except NoBarsError:
            return {}
        columns = bars.columns()
        return {
            int(time): {name: float(values[row]) for name, values in columns.items()}
            for row, time in enumerate(bars.open_time)
        }

    start_ns = START_NS + start * HOUR_NS
    end_ns = start_ns + length * HOUR_NS
    inside = {time: bar for time, bar in loaded().items() if start_ns <= time < end_ns}
    if all(bar["is_gap"] for bar in inside.values()):
        inside = {}
    assert loaded(start_ns, end_ns) == inside


def test_a_bar_may_arrive_seconds_after_its_close(store: Store) -> None:
    table = bar_table(3)
    close = table["open_time"].to_numpy() + HOUR_NS
    seconds = np.array([0, 10, 11]) * 1_000_000_000
    store.write(
        BARS_KEY, table.append_column("available_at", pa.array(close + seconds)), provenance={}
    )
    assert load_bars(store, SPOT, "1h").close.tolist() == table["close"].to_pylist()[:2]


def test_no_bars_says_that_they_came_too_late(store: Store) -> None:
    store.write(BARS_KEY, bars_with([(0, 2, 5.0), (1, 2, 6.0)]), provenance={})
    with pytest.raises(DataError, match="known too long after their close"):
        load_bars(store, SPOT, "1h")
    assert load_bars(store, SPOT, "1h", as_of_ns=START_NS + 9 * HOUR_NS).close.tolist() == [5, 6]


def test_a_revised_settlement_is_paid_as_revised(store: Store) -> None:
    key = DatasetKey("funding", "binance", "um_perp", "BTCUSDT", "8h", "test")
    table = funding_table([START_NS, START_NS], [1e-4, 2e-4])
    known = pa.array([START_NS, START_NS + HOUR_NS])
    store.write(key, table.append_column("available_at", known), provenance={})
    paid = load_funding(store, PERP)
    assert paid is not None
    assert paid.rate.tolist() == [2e-4]
    seen = load_series(store, PERP, "funding")
    assert seen is not None
    assert seen.columns["rate"].tolist() == [1e-4]
    before = load_funding(store, PERP, as_of_ns=START_NS)
    assert before is not None
    assert before.rate.tolist() == [1e-4]


def test_a_column_that_some_rows_state_is_nan_on_the_others(store: Store) -> None:
    key = DatasetKey("metrics", "binance", "um_perp", "BTCUSDT", "1h", "test")
    columns = {
        "event_time": pa.array([START_NS, START_NS + HOUR_NS]),
        "sum_open_interest": pa.array([5.0, None]),
        "count_long_short_ratio": pa.array([None, 2.0]),
    }
    store.write(key, pa.table(columns), provenance={})
    series = load_series(store, PERP, "metrics")
    assert series is not None
    assert set(series.columns) == {"sum_open_interest", "count_long_short_ratio"}
    np.testing.assert_array_equal(series.columns["sum_open_interest"], [5.0, np.nan])


def source(name: str, symbol: str = "BTCUSDT", step: str = "1h") -> DatasetKey:
    return DatasetKey("ohlcv", "binance", "spot", symbol, step, name)


def test_the_first_source_wins_and_the_others_fill_its_holes(store: Store) -> None:
    rows = 40
    holes = {"a": (3, 4, 20, 30), "b": (4, 21, 31), "c": ()}
    for seed, (name, without) in enumerate(holes.items()):
        store.write(source(name), bar_table(rows, seed=seed, without=without), provenance={})
    tables = [bar_table(rows, seed=seed) for seed in range(3)]
    order = Instrument("binance", "spot", "BTCUSDT", ("b", "a", "c"))
    told: list[SourceConflicts] = []
    bars = load_bars(store, order, "1h", on_source_conflicts=told.append)
    assert not bars.is_gap.any()
    for row in range(rows):
        winner = next(i for i in (1, 0, 2) if row not in list(holes.values())[i])
        for name in ("open", "high", "low", "close", "volume", "trades"):
            assert getattr(bars, name)[row] == tables[winner][name][row].as_py(), (row, name)
    assert [(c.preferred.split("/")[-1], c.other.split("/")[-1]) for c in told] == [
        ("b", "a"),
        ("b", "c"),
        ("a", "c"),
    ]
    assert told[0].common_rows == 34
    assert told[0].rows == 34
    first = told[0].examples[0]
    assert first.time_ns == START_NS
    assert (first.preferred, first.other) == (
        tables[1][first.column][0].as_py(),
        tables[0][first.column][0].as_py(),
    )
    assert SourceConflicts.from_json(told[0].to_json()) == told[0]
    with pytest.raises(DataError, match=r"source=b|/b and .*/a differ on 34 of 34 rows, first at"):
        load_bars(store, order, "1h")
    # Aggregated from the rows that were put together, not put together from aggregated bars.
    four = load_bars(store, order, "4h", on_source_conflicts=told.append)
    assert four.volume[0] == pytest.approx(bars.volume[:4].sum())
    assert four.close[5] == bars.close[23]


def test_sources_that_agree_need_no_listener(store: Store) -> None:
    store.write(source("a"), bar_table(30, without=(5,)), provenance={})
    store.write(source("b"), bar_table(30), provenance={})
    order = Instrument("binance", "spot", "BTCUSDT", ("a", "b"))
    assert load_bars(store, order, "1h").close.tolist() == bar_table(30)["close"].to_pylist()
    assert load_market(store, order, "1h").bars.close[5] == bar_table(30)["close"][5].as_py()
    assert bars_datasets(store, order, "2h") == (source("a"), source("b"))
    assert bars_dataset(store, order, "2h") == source("a")
    assert find_dataset(store, order, "ohlcv", "1h") == source("a")
    # A named source without data has no rows; without any of them nothing answers.
    partly = Instrument("binance", "spot", "BTCUSDT", ("z", "b"))
    assert bars_datasets(store, partly, "1h") == (source("b"),)
    with pytest.raises(DataError, match="no such ohlcv"):
        load_bars(store, Instrument("binance", "spot", "BTCUSDT", ("x", "y")), "1h")


def test_sources_of_different_steps_are_built_from_a_common_one(store: Store) -> None:
    store.write(source("a", step="1h"), bar_table(48), provenance={})
    every = bar_table(48).take(list(range(0, 48, 2)))
    store.write(source("b", step="2h"), every, provenance={})
    order = Instrument("binance", "spot", "BTCUSDT", ("b", "a"))
    with pytest.raises(DataError, match="share no step of ohlcv from which 4h"):
        load_bars(store, order, "4h")
    store.write(source("a", step="2h"), every, provenance={})
    assert bars_dataset(store, order, "4h") == source("b", step="2h")


def test_instruments_name_each_source_once() -> None:
    assert Instrument("binance", "spot", "BTCUSDT", ("a", "b")).sources == ("a", "b")
    for wrong in ((), ("a", "a"), "", ("a/b",)):
        with pytest.raises(DataError, match="instrument"):
            Instrument("binance", "spot", "BTCUSDT", wrong)


@settings(max_examples=60)
@given(first=ROWS, second=ROWS, hour=st.integers(0, 24 * 12))
def test_series_of_two_sources_show_what_was_known(
    tmp_path_factory: pytest.TempPathFactory, first: list[Row], second: list[Row], hour: int
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    write_rows(store, first, DatasetKey("fear_greed", "alternative", "sentiment", "BTC", "1d", "a"))
    write_rows(
        store, second, DatasetKey("fear_greed", "alternative", "sentiment", "BTC", "1d", "b")
    )
    order = Instrument("alternative", "sentiment", "BTC", ("a", "b"))

    def loaded(as_of_ns: int | None = None) -> list[tuple[int, float]]:
        series = load_series(
            store, order, "fear_greed", as_of_ns=as_of_ns, on_source_conflicts=lambda _: None
        )
        if series is None:
            return []
        return list(
            zip(series.available_at.tolist(), series.columns["value"].tolist(), strict=True)
        )

    # At one moment the first source is heard first; what only the second knows yet is not withheld.
    both = [(r.available, r.day, 0, r) for r in first] + [
        (r.available, r.day, 1, r) for r in second
    ]
    expected, newest = [], -1
    for _, day, _, row in sorted(both, key=lambda item: item[:3]):
        if day > newest:
            expected.append((START_NS + HOUR_NS * row.available, row.value))
            newest = day
    assert loaded() == expected
    moment = START_NS + HOUR_NS * hour
    assert loaded(moment) == [pair for pair in expected if pair[0] <= moment]


def test_rounding_is_no_conflict(store: Store) -> None:
    table = bar_table(10)
    index = table.column_names.index("quote_volume")
    close = [value * (1 + 1e-15) for value in table["quote_volume"].to_pylist()]
    store.write(source("a"), table, provenance={})
    store.write(
        source("b"), table.set_column(index, "quote_volume", pa.array(close)), provenance={}
    )
    order = Instrument("binance", "spot", "BTCUSDT", ("a", "b"))
    loaded = load_bars(store, order, "1h").quote_volume
    assert loaded is not None
    assert math.isclose(loaded[0], close[0], rel_tol=1e-12)
