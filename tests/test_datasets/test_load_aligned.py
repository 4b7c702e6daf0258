"""The aligned load's bars against loading one instrument at a time."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import Store, load_aligned, load_bars
from engine import (
    DAY_NS,
    FLOW_COLUMNS,
    HOUR_NS,
    MINUTE_NS,
    PRICE_COLUMNS,
    ConfigError,
    DataError,
    Panel,
    timeframe_ns,
)
from tests.test_datasets.aligned_stores import INSTRUMENTS, NAMES, assert_same, bars_key, write_bars
from tests.test_datasets.sample_files import START_NS, bar_table


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
