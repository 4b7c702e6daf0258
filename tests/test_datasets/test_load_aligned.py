"""The aligned load against loading one instrument at a time, its cache and its memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import (
    AlignedMarkets,
    ArrayCache,
    DatasetKey,
    Instrument,
    Store,
    load_aligned,
    load_bars,
    load_series,
)
from datasets.loading.request import _code_version, cache_key, resolved
from engine import (
    FLOW_COLUMNS,
    HOUR_NS,
    MINUTE_NS,
    PRICE_COLUMNS,
    ConfigError,
    DataError,
    Panel,
    timeframe_ns,
)
from tests.test_datasets.sample_files import START_NS, bar_table, funding_table

NAMES = ("AAA", "BBB", "CCC")
INSTRUMENTS = tuple(Instrument("binance", "spot", name) for name in NAMES)
DAY_NS = 24 * HOUR_NS


def bars_key(symbol: str, step: str = "1h", source: str = "test") -> DatasetKey:
    return DatasetKey("ohlcv", "binance", "spot", symbol, step, source)


def series_key(kind: str, symbol: str, step: str = "8h") -> DatasetKey:
    return DatasetKey(kind, "binance", "spot", symbol, step, "test")


def write_bars(store: Store, symbol: str, first: int, rows: int, without: set[int]) -> None:
    table = bar_table(
        rows, seed=len(symbol) + first, start_ns=START_NS + HOUR_NS * first, without=tuple(without)
    )
    store.write(bars_key(symbol), table, provenance={})


def without_flow(table: pa.Table, name: str) -> pa.Table:
    return table.drop_columns([name])


@settings(max_examples=40)
@given(
    spans=st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 60), st.sets(st.integers(1, 58), max_size=30)),
        min_size=3,
        max_size=3,
    ),
    timeframe=st.sampled_from(["1h", "4h", "1d"]),
    bounds=st.tuples(st.none() | st.integers(-5, 70), st.none() | st.integers(-5, 95)),
    whole=st.booleans(),
)
def test_every_column_equals_the_bars_of_its_instrument(
    tmp_path_factory: pytest.TempPathFactory,
    spans: list[tuple[int, int, set[int]]],
    timeframe: str,
    bounds: tuple[int | None, int | None],
    whole: bool,
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    for name, (first, rows, missing) in zip(NAMES, spans, strict=True):
        write_bars(store, name, first, rows, {row for row in missing if row < rows - 1})
    start_ns, end_ns = (None if b is None or whole else START_NS + HOUR_NS * b for b in bounds)
    single = {}
    for instrument in INSTRUMENTS:
        try:
            single[instrument] = load_bars(store, instrument, timeframe, start_ns, end_ns)
        except DataError:
            single[instrument] = None
    try:
        markets = load_aligned(store, INSTRUMENTS, timeframe, start_ns, end_ns)
    except DataError:
        assert not any(single.values())
        return
    again = load_aligned(store, INSTRUMENTS, timeframe, start_ns, end_ns)
    assert_same(markets, again)
    for column, instrument in enumerate(INSTRUMENTS):
        bars = single[instrument]
        has_bar = markets.listed[:, column] & ~markets.is_gap[:, column]
        if bars is None:
            # Nothing but a hole of its history lies in the period, or nothing at all.
            assert not has_bar.any()
            continue
        taken = markets.bars(column)
        assert taken.columns().keys() == bars.columns().keys()
        for name, values in bars.columns().items():
            np.testing.assert_array_equal(taken.columns()[name], values, err_msg=name)
        listed = np.flatnonzero(markets.listed[:, column])
        assert (markets.close[: listed[0], column] == bars.open[0]).all()
        assert (markets.close[listed[-1] + 1 :, column] == bars.close[-1]).all()
        assert (markets.volume[~has_bar, column] == 0).all()
    if all(single.values()):
        panel = Panel.from_bars({bars.symbol: bars for bars in single.values() if bars})
        for name in (*PRICE_COLUMNS, "listed", "is_gap", "open_time"):
            np.testing.assert_array_equal(
                getattr(markets.panel(), name), getattr(panel, name), err_msg=name
            )


def assert_same(left: AlignedMarkets, right: AlignedMarkets) -> None:
    names = ("open_time", *PRICE_COLUMNS, "volume", "is_gap", "listed")
    pairs = {name: (getattr(left, name), getattr(right, name)) for name in names}
    assert left.flows.keys() == right.flows.keys()
    assert left.series.keys() == right.series.keys()
    pairs |= {name: (left.flows[name], right.flows[name]) for name in left.flows}
    pairs |= {name: (left.series[name], right.series[name]) for name in left.series}
    for name, (a, b) in pairs.items():
        np.testing.assert_array_equal(a, b, err_msg=name)
        assert a.dtype == b.dtype
        assert not a.flags.writeable
        assert not b.flags.writeable
        if a.ndim == 2:
            assert a[:, 0].flags.c_contiguous
    assert (left.instruments, left.timeframe, left.datasets, left.source_conflicts) == (
        right.instruments,
        right.timeframe,
        right.datasets,
        right.source_conflicts,
    )


@pytest.mark.parametrize("timeframe", ["5m", "1h", "4h", "1d", "1w"])
def test_minutes_become_any_longer_bar(store: Store, timeframe: str) -> None:
    rows = 16 * 1440
    keep = np.setdiff1d(np.arange(rows), [5, 60, 61, 3000, *range(5000, 8000)])
    table = bar_table(rows).take(keep)
    times = pa.array(START_NS + MINUTE_NS * keep)
    store.write(bars_key("AAA", "1m"), table.set_column(0, "open_time", times), provenance={})
    markets = load_aligned(store, INSTRUMENTS[:1], timeframe)
    # Literally: walk the minutes, carry the close into the missing ones, group by the calendar.
    rows_at = dict(zip(times.to_pylist(), table.to_pylist(), strict=True))
    step, groups, close = timeframe_ns(timeframe), {}, None
    monday = START_NS + 3 * DAY_NS
    origin = monday if timeframe == "1w" else START_NS
    for minute in range(rows):
        now = START_NS + MINUTE_NS * minute
        row = rows_at.get(now)
        if row is None:
            row = dict.fromkeys(PRICE_COLUMNS, close) | {"volume": 0.0, "gap": True}
        close = row["close"]
        groups.setdefault((now - origin) // step, []).append(row)
    full = {k: v for k, v in groups.items() if len(v) == step // MINUTE_NS}
    assert markets.open_time.tolist() == [origin + step * key for key in full]
    if timeframe == "1w":
        assert markets.open_time[0] == monday
    for index, group in enumerate(full.values()):
        assert markets.open[index, 0] == group[0]["open"]
        assert markets.high[index, 0] == max(row["high"] for row in group)
        assert markets.low[index, 0] == min(row["low"] for row in group)
        assert markets.close[index, 0] == group[-1]["close"]
        assert markets.volume[index, 0] == pytest.approx(sum(row["volume"] for row in group))
        assert markets.is_gap[index, 0] == all("gap" in row for row in group)


def test_the_future_does_not_change_a_longer_bar(store: Store, tmp_path: Path) -> None:
    write_bars(store, "AAA", 3, 90, {20, 21, 22, 23, 50})
    whole = load_aligned(store, INSTRUMENTS[:1], "4h")
    for end in range(20, 90, 7):
        cut = Store(tmp_path / str(end))
        table = store.read(bars_key("AAA"), None, START_NS + HOUR_NS * end)
        cut.write(bars_key("AAA"), table, provenance={})
        prefix = load_aligned(cut, INSTRUMENTS[:1], "4h")
        count = len(prefix)
        np.testing.assert_array_equal(prefix.close, whole.close[:count])
        np.testing.assert_array_equal(prefix.volume, whole.volume[:count])


def test_a_coin_that_begins_inside_a_bar_opens_the_next_one_at_its_close(store: Store) -> None:
    write_bars(store, "AAA", 0, 20, set())
    # From 02:00 on, and the hour of 04:00 is missing.
    write_bars(store, "BBB", 2, 18, {2})
    markets = load_aligned(store, INSTRUMENTS[:2], "4h")
    assert markets.listed[:, 1].tolist() == [False, True, True, True, True]
    hours = load_bars(store, INSTRUMENTS[1], "1h")
    assert markets.open[1, 1] == hours.close[1]
    np.testing.assert_array_equal(markets.bars(1).open, load_bars(store, INSTRUMENTS[1], "4h").open)


def test_flows_are_nan_where_a_source_states_none(store: Store) -> None:
    for seed, name in enumerate(NAMES):
        table = bar_table(20, seed=seed)
        if name != "AAA":
            table = without_flow(without_flow(table, "taker_buy_quote"), "trades")
        if name == "CCC":
            table = without_flow(table, "quote_volume")
        store.write(bars_key(name), table, provenance={})
    markets = load_aligned(store, INSTRUMENTS, "2h")
    assert list(markets.flows) == list(FLOW_COLUMNS)
    assert np.isfinite(markets.flows["trades"]).all(axis=0).tolist() == [True, False, False]
    assert np.isnan(markets.flows["trades"][:, 1:]).all()
    assert np.isnan(markets.flows["quote_volume"][:, 2]).all()
    assert markets.bars(2).quote_volume is None
    assert load_aligned(store, INSTRUMENTS[1:], "1h").flows.keys() == {
        "quote_volume",
        "taker_buy_volume",
    }
    only = load_aligned(store, INSTRUMENTS, "1h", columns=("taker_buy_volume",))
    assert list(only.flows) == ["taker_buy_volume"]


def test_a_sum_over_a_bar_that_states_nothing_is_nothing(store: Store) -> None:
    table = bar_table(8)
    index = table.column_names.index("quote_volume")
    stated = table["quote_volume"].to_pylist()
    stated[5] = None
    store.write(
        bars_key("AAA"), table.set_column(index, "quote_volume", pa.array(stated)), provenance={}
    )
    flow = load_aligned(store, INSTRUMENTS[:1], "4h").flows["quote_volume"][:, 0]
    assert flow[0] == pytest.approx(sum(stated[:4]))
    assert np.isnan(flow[1])
    with pytest.raises(DataError, match="quote_volume is missing on 1 of 2 bars"):
        load_bars(store, INSTRUMENTS[0], "4h")


COLUMNS_OF_BLOCKS = st.lists(
    st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), min_size=1, max_size=60
)


@settings(max_examples=40)
@given(rows=COLUMNS_OF_BLOCKS, group=st.integers(1, 9), timeframe=st.sampled_from(["1h", "4h"]))
def test_row_groups_of_any_size_give_the_same_arrays(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, bool, bool]],
    group: int,
    timeframe: str,
) -> None:
    # Each row: how many vintages it has, whether it is there, whether it states the quote volume.
    table = bar_table(len(rows))
    keep = [row for row, (count, there, _) in enumerate(rows) for _ in range(count) if there]
    late = np.concatenate([np.empty(0, int), *(np.arange(r[0]) for r in rows if r[1])])
    if not keep:
        return
    stated = pa.array([row[2] for row in rows])
    index = table.column_names.index("quote_volume")
    quote = pc.if_else(stated, table["quote_volume"], pa.scalar(None, pa.float64()))
    table = table.set_column(index, "quote_volume", quote).take(keep)
    close = table["open_time"].to_numpy() + HOUR_NS
    table = table.append_column("available_at", pa.array(close + MINUTE_NS * late))
    volume = table.column_names.index("volume")
    revised = pa.array(table["volume"].to_numpy() + late)
    table = table.set_column(volume, "volume", revised)
    loaded = []
    with pytest.MonkeyPatch.context() as patch:
        for size, whole_bytes in ((131_072, 2**21), (group, 0)):
            patch.setattr("datasets.store.parts.ROW_GROUP_ROWS", size)
            patch.setattr("datasets.loading.blocks._WHOLE_BYTES", whole_bytes)
            store = Store(tmp_path_factory.mktemp("store"))
            store.write(bars_key("AAA"), table, provenance={})
            loaded.append([])
            for as_of_ns in (None, int(close[-1]) + MINUTE_NS):
                try:
                    loaded[-1].append(
                        load_aligned(
                            store, INSTRUMENTS[:1], timeframe, as_of_ns=as_of_ns, cache=False
                        )
                    )
                except DataError as error:
                    loaded[-1].append(str(error))
    for one, other in zip(*loaded, strict=True):
        if isinstance(one, str):
            assert one == other
            continue
        for name in ("volume", "quote_volume"):
            # Sums over the ends of blocks are added in another order.
            a, b = (m.volume if name == "volume" else m.flows.get(name) for m in (one, other))
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-12)
        for name in (*PRICE_COLUMNS, "is_gap", "listed", "open_time"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


VINTAGES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(-9, 9)),
    min_size=1,
    max_size=15,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=60)
@given(rows=VINTAGES, cut=st.none() | st.integers(0, 80))
def test_series_show_the_latest_event_known_at_each_close(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]], cut: int | None
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    write_bars(store, "AAA", 0, 90, set())
    rows = sorted(rows)
    table = funding_table(
        [START_NS + 8 * HOUR_NS * row[0] for row in rows], [1e-4 * row[2] for row in rows]
    )
    known = pa.array([START_NS + HOUR_NS * (8 * row[0] + row[1]) for row in rows])
    store.write(
        series_key("funding", "AAA"), table.append_column("available_at", known), provenance={}
    )
    markets = load_aligned(
        store,
        INSTRUMENTS[:1],
        "1h",
        kinds=["funding"],
        as_of_ns=None if cut is None else START_NS + HOUR_NS * (90 + cut),
    )
    for t, shown in enumerate(markets.series["funding.rate"][:, 0]):
        visible = [row for row in rows if 8 * row[0] + row[1] <= t + 1]
        best = max(visible, default=None)
        expected = best is not None and t + 1 - 8 * best[0] <= 24
        assert (shown == 1e-4 * best[2]) if best and expected else np.isnan(shown)


def test_each_instrument_has_its_own_series_or_that_of_a_substitute(store: Store) -> None:
    for seed, name in enumerate(NAMES):
        store.write(bars_key(name), bar_table(48, seed=seed), provenance={})
    stamps = [START_NS + 8 * HOUR_NS * row for row in range(6)]
    for symbol, rate in (("AAA", 1e-4), ("BBB", 2e-4)):
        store.write(series_key("funding", symbol), funding_table(stamps, [rate] * 6), provenance={})
    index = DatasetKey("fear_greed", "alternative", "sentiment", "BTC", "1d", "test")
    store.write(
        index,
        pa.table({"event_time": pa.array([START_NS, START_NS + DAY_NS]), "value": [20.0, 30.0]}),
        provenance={},
    )
    mood = Instrument("alternative", "sentiment", "BTC")
    substitutes = dict.fromkeys(INSTRUMENTS, (mood, INSTRUMENTS[1]))
    markets = load_aligned(
        store, INSTRUMENTS, "1h", kinds=["funding", "fear_greed"], series_from=substitutes
    )
    assert set(markets.series) == {"funding.rate", "funding.interval_hours", "fear_greed.value"}
    np.testing.assert_array_equal(markets.series["funding.rate"][0], [1e-4, 2e-4, 2e-4])
    assert (markets.series["funding.interval_hours"] == 8).all()
    mood_shown = markets.series["fear_greed.value"]
    assert mood_shown.shape == (48, 3)
    # Known half an hour after midnight, seen at the next close.
    assert (mood_shown[:24] == 20.0).all()
    assert (mood_shown[24:] == 30.0).all()
    again = load_aligned(
        store, INSTRUMENTS, "1h", kinds=["funding", "fear_greed"], series_from=substitutes
    )
    assert_same(markets, again)
    alone = load_aligned(
        store, INSTRUMENTS, "1h", kinds=["funding"], columns=["funding.rate"], cache=False
    )
    assert list(alone.series) == ["funding.rate"]
    assert np.isnan(alone.series["funding.rate"][:, 2]).all()
    series = load_series(store, INSTRUMENTS[0], "funding")
    assert series is not None
    with pytest.raises(ConfigError, match=r"'funding\.rates' is unknown"):
        load_aligned(store, INSTRUMENTS, "1h", kinds=["funding"], columns=["funding.rates"])
    with pytest.raises(ConfigError, match="trades' is not a slow series"):
        load_aligned(store, INSTRUMENTS, "1h", kinds=["trades"])


def test_conflicts_of_sources_are_told_also_from_the_cache(store: Store) -> None:
    store.write(bars_key("AAA", source="a"), bar_table(20, seed=1), provenance={})
    store.write(bars_key("AAA", source="b"), bar_table(24, seed=2), provenance={})
    both = Instrument("binance", "spot", "AAA", ("a", "b"))
    first = load_aligned(store, [both], "1h")
    assert len(first) == 24
    assert [conflicts.rows for conflicts in first.source_conflicts] == [20]
    assert_same(first, load_aligned(store, [both], "1h"))
    assert load_aligned(store, [both], "1h").close.base is not None


def test_a_changed_data_set_is_never_served_from_the_cache(store: Store) -> None:
    write_bars(store, "AAA", 0, 20, set())
    cache = ArrayCache.of(store)
    load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)
    held = cache.size()
    assert held > 0
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)) == 20
    assert cache.size() == held
    write_bars(store, "AAA", 20, 5, set())
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)) == 25
    # A shorter step or another source that answers instead is another request.
    store.write(bars_key("AAA", source="other"), bar_table(5), provenance={})
    with pytest.raises(DataError, match="2 sources"):
        load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)
    store.remove(bars_key("AAA"))
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)) == 5


@pytest.mark.parametrize(
    "module",
    ["kinds/derivatives", "kinds/kind", "loading/fill", "store/parts", "tables", "timestamps"],
)
def test_changed_code_has_a_cache_of_its_own(
    store: Store, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    write_bars(store, "AAA", 0, 20, set())
    asked = resolved(store, INSTRUMENTS[:1], "1h", None, None, (), None, {}, None, False)
    key = cache_key(store, asked)
    read = Path.read_bytes

    def changed(path: Path) -> bytes:
        return read(path) + (b"#" if path.as_posix().endswith(f"datasets/{module}.py") else b"")

    _code_version.cache_clear()
    assert cache_key(store, asked) == key
    _code_version.cache_clear()
    monkeypatch.setattr(Path, "read_bytes", changed)
    assert cache_key(store, asked) != key
    _code_version.cache_clear()


def test_the_cache_is_really_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bars(store, "AAA", 0, 20, set())
    load_aligned(store, INSTRUMENTS[:1], "1h")
    monkeypatch.setattr(Store, "dataset", lambda *_: pytest.fail("parsed a manifest"))
    monkeypatch.setattr(Store, "keys", lambda *_: pytest.fail("listed the store"))
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", lambda *_, **__: pytest.fail("decoded"))
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h")) == 20


def test_a_damaged_part_is_an_error_that_names_it(store: Store) -> None:
    write_bars(store, "AAA", 0, 4000, set())
    (part,) = store.part_paths(store.dataset(bars_key("AAA")))
    data = part.read_bytes()
    for damaged in (data[:-1], data[:500] + bytes(40) + data[540:]):
        part.write_bytes(damaged)
        with pytest.raises(DataError, match=r"part-.*import the data again"):
            load_aligned(store, INSTRUMENTS[:1], "1h")
    part.unlink()
    with pytest.raises(DataError, match=r"part-.* is gone"):
        load_aligned(store, INSTRUMENTS[:1], "1h")


def test_what_cannot_be_aligned_is_refused(store: Store) -> None:
    write_bars(store, "AAA", 0, 20, set())
    with pytest.raises(ConfigError, match="each once"):
        load_aligned(store, [], "1h")
    with pytest.raises(ConfigError, match="each once"):
        load_aligned(store, INSTRUMENTS[:1] * 2, "1h")
    with pytest.raises(DataError, match="no such ohlcv"):
        load_aligned(store, INSTRUMENTS, "1h")
    with pytest.raises(DataError, match="no bars of 1h in the period"):
        load_aligned(store, INSTRUMENTS[:1], "1h", START_NS + 90 * HOUR_NS)
    write_bars(store, "BBB", 50, 20, set())
    markets = load_aligned(store, INSTRUMENTS[:2], "1h", None, START_NS + 20 * HOUR_NS)
    assert not markets.listed[:, 1].any()
    assert np.isnan(markets.close[:, 1]).all()
    with pytest.raises(DataError, match="BBB bar 0"):
        markets.panel()
    later = load_aligned(store, INSTRUMENTS[:2], "1h", START_NS + 60 * HOUR_NS)
    assert (later.close[:, 0] == bar_table(20, seed=3)["close"][-1].as_py()).all()


MEMORY = """
import sys
import numpy as np
from datasets import Instrument, Store, load_aligned
store = Store(sys.argv[1])
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
small = [Instrument("binance", "spot", "BBB")]
load_aligned(store, small, "1h", cache=False)
before = peak()
markets = load_aligned(store, [Instrument("binance", "spot", "AAA")], "1m", cache=sys.argv[2] == "yes")
names = ("open_time", "open", "high", "low", "close", "volume", "is_gap", "listed")
arrays = [*(getattr(markets, name) for name in names), *markets.flows.values()]
total = sum(array.nbytes for array in arrays)
print((peak() - before) / total, total)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of a process")
@pytest.mark.parametrize("cache", ["no", "yes"])
def test_a_load_holds_little_more_than_what_it_returns(store: Store, cache: str) -> None:
    rows = 365 * 1440
    table = bar_table(rows)
    times = pa.array(START_NS + MINUTE_NS * np.arange(rows))
    store.write(bars_key("AAA", "1m"), table.set_column(0, "open_time", times), provenance={})
    write_bars(store, "BBB", 0, 50, set())
    output = subprocess.run(
        [sys.executable, "-c", MEMORY, str(store.root), cache],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert int(output[1]) > 40e6
    assert float(output[0]) <= 1.5
