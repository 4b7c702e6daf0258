"""Finer bars and mark prices from the store, against rows put together one by one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets import DatasetKey, Store
from engine import (
    HOUR_NS,
    MINUTE_NS,
    PRICE_COLUMNS,
    REASONS,
    Bars,
    DataError,
    Decisions,
    Exits,
    Funding,
    ReplayRules,
    replay,
    sub_bars,
)
from experiments import RunConfig, config_of
from experiments.market_data import MarketData, load_market_data
from tests.generators import random_bars

COUNT = 12
"""Bars of 5 minutes in an hour."""
HOURS = 400


def random_minutes(seed: int) -> Bars:
    return random_bars(HOURS * COUNT, seed, timeframe="5m", with_flows=False)


def hours_of(minutes: Bars) -> Bars:
    """Hours made of the minutes by plain loops."""
    rows = []
    for first in range(0, len(minutes), COUNT):
        inside = range(first, first + COUNT)
        rows.append(
            (
                minutes.open[first],
                max(minutes.high[row] for row in inside),
                min(minutes.low[row] for row in inside),
                minutes.close[first + COUNT - 1],
                sum(minutes.volume[row] for row in inside),
            )
        )
    open_, high, low, close, volume = (np.array(column) for column in zip(*rows, strict=True))
    return Bars(
        symbol=minutes.symbol, timeframe="1h", open_time=minutes.open_time[::COUNT].copy(),
        open=open_, high=high, low=low, close=close, volume=volume,
        is_gap=np.zeros(len(rows), dtype=bool),
    )  # fmt: skip


def write(store: Store, market: str, bars: Bars, keep: np.ndarray, source: str = "s") -> None:
    names = ("open_time", *PRICE_COLUMNS, "volume")
    table = pa.table({name: getattr(bars, name)[keep] for name in names})
    key = DatasetKey("ohlcv", "v", market, "XUSDT", bars.timeframe, source)
    store.write(key, table, provenance={"test": 1})


def config(
    tmp: str = "5m",
    pair: dict[str, object] | None = None,
    margin: dict[str, object] | None = None,
    **data: object,
) -> RunConfig:
    one = {"venue": "v", "symbol": "XUSDT"}
    instrument = {
        "signals": {**one, "market": "spot"},
        "traded": {**one, "market": "um_perp"},
        **(pair or {}),
    }
    content = {"data": {"fine_timeframe": tmp, "instruments": [instrument], **data}}
    return config_of({**content, "margin": margin or {}})


@pytest.fixture(scope="module")
def minutes() -> Bars:
    return random_minutes(5)


@pytest.fixture(scope="module")
def present() -> np.ndarray:
    """Minutes that the store has: none in hours 30 to 35, one in hour 40, none in hour 60."""
    kept = np.random.default_rng(3).random(HOURS * COUNT) < 0.97
    kept[:COUNT] = True
    kept[30 * COUNT : 36 * COUNT] = False
    kept[40 * COUNT : 41 * COUNT] = np.arange(COUNT) == 4
    kept[60 * COUNT : 61 * COUNT] = False
    return kept


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, minutes: Bars, present: np.ndarray) -> Store:
    """Hours of spot and of the perpetual, which lacks hours 60, 61 and 100; minutes of the latter."""
    made = Store(tmp_path_factory.mktemp("store"))
    everywhere = np.ones(HOURS, dtype=bool)
    write(made, "spot", random_bars(HOURS, 9, with_flows=False), everywhere)
    write(made, "um_perp", hours_of(minutes), ~np.isin(np.arange(HOURS), (60, 61, 100)))
    write(made, "um_perp", minutes, present)
    return made


@pytest.fixture(scope="module")
def data(store: Store) -> MarketData:
    return load_market_data(config(), store)


def whole(minutes: Bars, present: np.ndarray) -> set[int]:
    """Stored hours that lack some of their minutes and reach farther than the others."""
    hours, found = hours_of(minutes), set()
    for hour in set(range(HOURS)) - {60, 61, 100}:
        rows = [row for row in range(hour * COUNT, (hour + 1) * COUNT) if present[row]]
        highs, lows = [minutes.high[row] for row in rows], [minutes.low[row] for row in rows]
        if 0 < len(rows) < COUNT and (max(highs) < hours.high[hour] or min(lows) > hours.low[hour]):
            found.add(hour)
    return found


def test_the_finer_panel_covers_the_panel_and_agrees_with_it(data: MarketData):
    assert data.fine is not None
    assert sub_bars(data.panel, data.fine) == COUNT
    rebuilt = data.panel.rebuilt_from(data.fine)
    for name in (*PRICE_COLUMNS, "is_gap"):
        np.testing.assert_array_equal(getattr(rebuilt, name), getattr(data.panel, name))


def test_bars_are_made_of_the_minutes_that_exist(
    data: MarketData, minutes: Bars, present: np.ndarray
):
    hours = hours_of(minutes)
    last_close = float("nan")
    farther = whole(minutes, present)
    assert 40 in farther
    assert len(farther) > 20
    for hour in range(HOURS):
        rows = [row for row in range(hour * COUNT, (hour + 1) * COUNT) if present[row]]
        rows = [] if hour in farther else rows
        stored = hour not in (60, 61, 100)
        found = tuple(float(getattr(data.panel, name)[hour, 0]) for name in PRICE_COLUMNS)
        if rows:
            expected = (
                minutes.open[rows[0]],
                max(minutes.high[row] for row in rows),
                min(minutes.low[row] for row in rows),
                minutes.close[rows[-1]],
            )
        elif stored:
            expected = tuple(float(getattr(hours, name)[hour]) for name in PRICE_COLUMNS)
        else:
            expected = (last_close,) * 4
        assert found == expected, hour
        assert data.panel.is_gap[hour, 0] == (not rows and not stored)
        last_close = found[3]
    # Hour 60 has neither; 61 and 100 have minutes only, whose volume counts.
    assert data.panel.is_gap[:, 0].sum() == 1
    assert data.panel.volume is not None
    inside = slice(100 * COUNT, 101 * COUNT)
    assert data.panel.volume[100, 0] == pytest.approx(minutes.volume[inside][present[inside]].sum())
    assert data.panel.volume[50, 0] == hours.volume[50]


def test_a_missing_minute_repeats_the_last_price_known_by_then(
    data: MarketData, minutes: Bars, present: np.ndarray
):
    fine = data.fine
    assert fine is not None
    assert fine.volume is not None
    farther = whole(minutes, present)
    told = present & ~np.repeat(np.isin(np.arange(HOURS), list(farther)), COUNT)
    np.testing.assert_array_equal(~fine.is_gap[:, 0], told)
    assert (fine.volume[fine.is_gap[:, 0], 0] == 0).all()
    missing = np.flatnonzero(fine.is_gap[:, 0])
    for row in missing.tolist():
        hour = row // COUNT
        if not told[hour * COUNT : (hour + 1) * COUNT].any() and hour != 60:
            expected = data.panel.close[hour, 0]  # its first finer bar stands for all of it
        else:
            expected = fine.close[row - 1, 0]
        assert {float(getattr(fine, name)[row, 0]) for name in PRICE_COLUMNS} == {expected}


def test_hours_that_reach_farther_than_their_minutes_are_told(
    data: MarketData, minutes: Bars, present: np.ndarray
):
    (note,) = data.price_notes
    count = len(whole(minutes, present))
    assert note.startswith(
        f"XUSDT: {count} bars of 1h lack some of their 5m bars and reach farther"
    )


def test_a_stop_below_the_minutes_that_exist_is_reached_by_the_hour(tmp_path: Path):
    minutes = random_minutes(8)
    low = minutes.low.copy()
    low[50 * COUNT + 3] *= 0.5  # the store lacks this minute, not its hour
    fallen = replace(minutes, low=low)
    made = Store(tmp_path / "store")
    write(made, "spot", random_bars(HOURS, 9, with_flows=False), np.ones(HOURS, dtype=bool))
    write(made, "um_perp", hours_of(fallen), np.ones(HOURS, dtype=bool))
    write(made, "um_perp", fallen, np.arange(HOURS * COUNT) != 50 * COUNT + 3)
    found = load_market_data(config(), made)
    decisions = Decisions(
        target=np.ones((HOURS, 1)), acts=np.arange(HOURS)[:, None] == 48,
        atr_frac=np.full((HOURS, 1), 0.01),
    )  # fmt: skip
    rules = ReplayRules(exits=Exits(stop_atr=None, stop_frac=0.4))
    result = replay(found.panel, decisions, Funding.none(), rules, fine=found.fine)
    (trade,) = result.trades
    assert (trade["exit_bar"], REASONS[trade["exit_reason"]]) == (50, "stop")
    assert result.unresolved_bars == 1


def test_the_finer_data_set_is_read_named_and_hashed(data: MarketData, store: Store):
    assert "ohlcv/v/um_perp/XUSDT/5m/s" in [str(key) for key in data.datasets]
    coarse = load_market_data(config(timeframe="1h", fine_timeframe=None), store)
    assert coarse.fine is None
    assert coarse.fingerprint != data.fingerprint


@pytest.mark.parametrize("fine_timeframe", [None, "5m"])
def test_volumes_of_a_coin_margined_run_are_in_quote_units(
    tmp_path: Path, minutes: Bars, fine_timeframe: str | None
):
    made, hours = Store(tmp_path / "store"), hours_of(minutes)
    has_hour = ~np.isin(np.arange(HOURS), (60, 61))
    write(made, "spot", random_bars(HOURS, 9, with_flows=False), np.ones(HOURS, dtype=bool))
    write(made, "cm_perp", hours, has_hour)
    write(made, "cm_perp", minutes, np.ones(len(minutes), dtype=bool))
    pair = {"traded": {"venue": "v", "market": "cm_perp", "symbol": "XUSDT"}}
    inverse = config(pair=pair, margin={"contract": "inverse"}, fine_timeframe=fine_timeframe)
    data = load_market_data(inverse, made)
    assert data.panel.volume is not None
    inside = (minutes.volume * minutes.close).reshape(HOURS, COUNT)
    expected = np.where(
        has_hour, hours.volume * hours.close, 0.0 if data.fine is None else inside.sum(axis=1)
    )
    np.testing.assert_allclose(data.panel.volume[:, 0], expected, rtol=1e-14)
    if data.fine is not None:
        np.testing.assert_array_equal(data.fine.volume[:, 0], inside.reshape(-1))
    alone = config(
        pair={"signals": {"venue": "v", "market": "cm_perp", "symbol": "XUSDT"}, "traded": None},
        margin={"contract": "inverse"},
        fine_timeframe=fine_timeframe,
    )
    np.testing.assert_array_equal(load_market_data(alone, made).panel.volume, data.panel.volume)


def test_steps_between_are_built_from_what_there_is(store: Store, data: MarketData):
    fine = load_market_data(config("15m"), store).fine
    assert fine is not None
    assert fine.timeframe == "15m"
    assert (data.fine.high[:3, 0].max(), data.fine.close[2, 0]) == (
        fine.high[0, 0],
        fine.close[0, 0],
    )


def test_a_store_without_finer_bars_says_so(store: Store):
    found = load_market_data(config("1m"), store)
    assert found.fine is None
    (note,) = found.price_notes
    assert note.startswith("XUSDT: the store has no 1m bars of v/um_perp/XUSDT")
    assert "resolved on 1h bars" in note


def test_finer_bars_of_another_source_are_taken_where_the_config_names_it(
    store: Store, minutes: Bars, tmp_path: Path
):
    made = Store(tmp_path / "store")
    write(
        made, "spot", random_bars(HOURS, 9, with_flows=False), np.ones(HOURS, dtype=bool), "hours"
    )
    write(made, "spot", minutes, np.ones(len(minutes), dtype=bool), "minutes")
    spot = {"venue": "v", "market": "spot", "symbol": "XUSDT"}
    pair = {"signals": {**spot, "source": "hours"}, "traded": None}
    assert load_market_data(config(pair=pair), made).fine is None
    pair["fine"] = {**spot, "source": "minutes"}
    found = load_market_data(config(pair=pair), made)
    np.testing.assert_array_equal(found.fine.close[:, 0], minutes.close)
    np.testing.assert_array_equal(found.panel.close[:, 0], hours_of(minutes).close)


def mark_table(bars: Bars, keep: np.ndarray, names: tuple[str, ...] = PRICE_COLUMNS) -> pa.Table:
    return pa.table(
        {"event_time": bars.open_time[keep], **{name: getattr(bars, name)[keep] for name in names}}
    )


def marked(tmp_path: Path, bars: Bars, table: pa.Table, step: str) -> Store:
    made = Store(tmp_path / "store")
    write(made, "spot", random_bars(HOURS, 9, with_flows=False), np.ones(HOURS, dtype=bool))
    write(made, "um_perp", hours_of(bars), np.ones(HOURS, dtype=bool))
    write(made, "um_perp", bars, np.ones(len(bars), dtype=bool))
    made.write(
        DatasetKey("mark_price", "v", "um_perp", "XUSDT", step, "s"), table, provenance={"t": 1}
    )
    return made


@pytest.mark.parametrize("fine_timeframe", [None, "15m"])
def test_mark_prices_are_the_stores_and_the_traded_ones_where_it_has_none(
    tmp_path: Path, minutes: Bars, fine_timeframe: str | None
):
    marks = random_minutes(77)
    keep = np.ones(len(marks), dtype=bool)
    keep[50 * COUNT : 52 * COUNT] = False
    made = marked(tmp_path, minutes, mark_table(marks, keep), "5m")
    data = load_market_data(config(timeframe="1h", fine_timeframe=fine_timeframe), made)
    grids = [data.panel] if data.fine is None else [data.panel, data.fine]
    assert (data.fine is None) == (fine_timeframe is None)
    for panel in grids:
        step = panel.step_ns // (5 * MINUTE_NS)
        assert panel.mark is not None
        for bar in range(len(panel)):
            inside = slice(bar * step, (bar + 1) * step)
            source = marks if keep[inside].all() else minutes
            expected = (
                source.open[inside][0],
                source.high[inside].max(),
                source.low[inside].min(),
                source.close[inside][-1],
            )
            found = tuple(getattr(panel.mark, name)[bar, 0] for name in PRICE_COLUMNS)
            assert found == expected, bar
    lacking = 2 * HOUR_NS // grids[-1].step_ns
    (note,) = data.price_notes
    assert f"{lacking} of {len(grids[-1])} {grids[-1].timeframe} bars have none" in note
    traded = load_market_data(
        config(timeframe="1h", fine_timeframe=None, mark_prices="traded"), made
    )
    assert traded.panel.mark is None


@pytest.mark.parametrize("with_hours", [False, True])
def test_a_mark_of_a_part_of_its_minutes_gives_way_to_a_stored_hour_that_reaches_farther(
    tmp_path: Path, minutes: Bars, *, with_hours: bool
):
    marks = random_minutes(77)
    hours = hours_of(marks)
    keep = np.ones(len(marks), dtype=bool)
    keep[10 * COUNT : 11 * COUNT] = np.arange(COUNT) == 4
    inner = next(
        row
        for row in range(20 * COUNT, 21 * COUNT)
        if marks.high[row] < hours.high[20] and marks.low[row] > hours.low[20]
    )
    keep[inner] = False
    keep[30 * COUNT : 31 * COUNT] = False
    keep[40 * COUNT : 41 * COUNT] = np.arange(COUNT) == 7
    made = marked(tmp_path, minutes, mark_table(marks, keep), "5m")
    if with_hours:
        stored = mark_table(hours, np.arange(HOURS) != 40)
        made.write(
            DatasetKey("mark_price", "v", "um_perp", "XUSDT", "1h", "s"),
            stored,
            provenance={"t": 1},
        )
    data = load_market_data(config(timeframe="1h", fine_timeframe=None), made)
    mark = data.panel.mark
    assert mark is not None
    for hour, source, rows in (
        (10, hours, [10]) if with_hours else (10, marks, [10 * COUNT + 4]),
        (20, marks, [row for row in range(20 * COUNT, 21 * COUNT) if keep[row]]),
        (30, hours if with_hours else hours_of(minutes), [30]),
        (40, marks, [40 * COUNT + 7]),
    ):
        assert (mark.open[hour, 0], mark.high[hour, 0], mark.low[hour, 0], mark.close[hour, 0]) == (
            source.open[rows[0]],
            source.high[rows].max(),
            source.low[rows].min(),
            source.close[rows[-1]],
        ), hour
    lacking, partial = data.price_notes
    assert f"; {0 if with_hours else 1} of {HOURS} 1h bars have none" in lacking
    assert partial.startswith(f"XUSDT: {1 if with_hours else 3} 1h bars are marked by a part")
    named = "mark_price/v/um_perp/XUSDT/1h/s" in [str(key) for key in data.datasets]
    assert named == with_hours


@pytest.mark.parametrize(
    ("names", "step", "told"),
    [
        (("close",), "1h", "does not state open, high, low and close"),
        (PRICE_COLUMNS, "4h", "has bars of 4h, not within 1h"),
    ],
)
def test_mark_prices_that_cannot_tell_are_not_taken(
    tmp_path: Path, minutes: Bars, names: tuple[str, ...], step: str, told: str
):
    hours = hours_of(minutes)
    keep = np.arange(HOURS) % (4 if step == "4h" else 1) == 0
    made = marked(tmp_path, minutes, mark_table(hours, keep, names), step)
    auto = load_market_data(config(fine_timeframe=None), made)
    assert auto.panel.mark is None
    (note,) = auto.price_notes
    assert told in note
    assert note.endswith("it is marked at its traded prices")
    with pytest.raises(DataError, match=told):
        load_market_data(config(fine_timeframe=None, mark_prices="stored"), made)


def test_a_store_without_mark_prices_is_refused_where_they_are_asked_for(store: Store):
    with pytest.raises(DataError, match=r"no mark_price of v/um_perp/XUSDT.*data.mark_prices"):
        load_market_data(config(fine_timeframe=None, mark_prices="stored"), store)
