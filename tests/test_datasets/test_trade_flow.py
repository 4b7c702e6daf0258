"""Trades added up under bars, against a search through every trade, and bars of the same minutes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from datasets import (
    DatasetKey,
    FurtherSources,
    Instrument,
    Store,
    import_files,
    load_bars,
    load_market,
    market_series_datasets,
)
from datasets.loading.trade_flow import COLUMNS, load_trade_flow
from datasets.store import reading
from datasets.store.parts import ROW_GROUP_ROWS
from engine import HOUR_NS, MINUTE_NS, SECOND_NS, Bars, DataError, Series
from tests.test_datasets.sample_files import START_NS, bar_table, utc_ns

KEY = DatasetKey("trades", "binance", "um_perp", "BTCUSDT", "event", "test")
PERPETUAL = Instrument("binance", "um_perp", "BTCUSDT")


class Trade(NamedTuple):
    """Time after the start and when it was known after that, in ms; number, price, quantity, side."""

    at: int
    number: int
    price: float = 100.0
    quantity: float = 1.0
    taker_sold: bool = False
    late: int = 0


def write(store: Store, trades: Sequence[Trade], key: DatasetKey = KEY) -> None:
    at = np.array([trade.at for trade in trades], dtype=np.int64) * 1_000_000 + START_NS
    late = np.array([trade.late for trade in trades], dtype=np.int64) * 1_000_000
    table = pa.table(
        {
            "event_time": pa.array(at),
            "available_at": pa.array(at + late),
            "trade_id": pa.array([trade.number for trade in trades]),
            "price": pa.array([trade.price for trade in trades]),
            "quantity": pa.array([trade.quantity for trade in trades]),
            "is_buyer_maker": pa.array([trade.taker_sold for trade in trades]),
        }
    )
    store.write(key, table, provenance={})


def bars_of(count: int, step_ns: int = MINUTE_NS, start_ns: int = START_NS) -> Bars:
    price = np.full(count, 100.0)
    return Bars(
        symbol="BTCUSDT",
        timeframe={MINUTE_NS: "1m", HOUR_NS: "1h"}[step_ns],
        open_time=start_ns + step_ns * np.arange(count),
        open=price, high=price, low=price, close=price,
        volume=np.zeros(count),
        is_gap=np.zeros(count, dtype=np.bool_),
    )  # fmt: skip


def every_second(first: int, last: int, number: int = 0) -> list[Trade]:
    """A trade a second from second ``first`` until before ``last``, numbered on from ``number``."""
    return [Trade(1000 * at, number + at - first) for at in range(first, last)]


def minutes(flow: Series | None) -> list[int]:
    return [] if flow is None else ((flow.event_time - START_NS) // MINUTE_NS).tolist()


def searched(trades: Sequence[Trade], bars: Bars) -> dict[int, dict[str, float]]:
    """The row of each bar that is covered, from all trades anew for each."""
    first: dict[tuple[int, int], Trade] = {}
    for trade in sorted(trades, key=lambda trade: trade.late):
        first.setdefault((trade.at, trade.number), trade)
    ordered = sorted(first.values())
    times = {trade: START_NS + 1_000_000 * trade.at for trade in ordered}
    rows = {}
    for bar, begin in enumerate(bars.open_time.tolist()):
        end = begin + bars.step_ns
        before = [t for t in ordered if begin - HOUR_NS - bar * bars.step_ns <= times[t] < begin]
        after = [t for t in ordered if times[t] >= end]
        inside = [t for t in ordered if begin <= times[t] < end]
        if not before or not after:
            continue
        chain = [before[-1].number, *(t.number for t in inside), after[0].number]
        if chain != list(range(chain[0], chain[0] + len(chain))):
            continue
        bought = [t for t in inside if not t.taker_sold]
        rows[bar] = {
            "volume": sum(t.quantity for t in inside),
            "quote_volume": sum(t.price * t.quantity for t in inside),
            "trades": len(inside),
            "taker_buy_volume": sum(t.quantity for t in bought),
            "taker_buy_quote": sum(t.price * t.quantity for t in bought),
            "taker_buy_trades": len(bought),
            "largest_trade": max((t.quantity for t in inside), default=0.0),
        }
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_rows_are_those_of_a_search_through_every_trade(tmp_path: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    at = np.sort(draw.integers(-120_000, 20 * 60_000, 400))
    # Quiet minutes, missing numbers, and trades that stand in several vintages.
    at = at[(at // 60_000) % 7 != seed % 7]
    number = 1000 + np.cumsum(np.where(draw.random(len(at)) < 0.01, 2, 1))
    trades = [
        Trade(int(t), int(n), 100.0 + draw.normal(), float(draw.exponential()), draw.random() < 0.5)
        for t, n in zip(at, number, strict=True)
    ]
    again = [t._replace(late=500, quantity=9.0) for t in trades if draw.random() < 0.05]
    store = Store(tmp_path / "store")
    write(store, sorted([*trades, *again], key=lambda t: (t.at, t.number, t.late)))
    bars = bars_of(20)
    flow = load_trade_flow(store, bars, PERPETUAL, as_of_ns=None)
    expected = searched([*trades, *again], bars)
    assert minutes(flow) == sorted(expected)
    assert flow is not None
    assert set(flow.columns) == set(COLUMNS)
    assert 3 <= len(expected) < 20
    for name, column in flow.columns.items():
        assert column.tolist() == pytest.approx([row[name] for row in expected.values()], 1e-12)
    np.testing.assert_array_equal(flow.available_at, flow.event_time + MINUTE_NS)
    assert flow.max_age_ns == MINUTE_NS


def test_a_bar_has_a_row_only_where_numbers_prove_that_no_trade_is_missing(store: Store) -> None:
    whole = every_second(-5, 605)
    write(store, [t for t in whole if t.number != 200])
    # The last minute before the end of the recording and the one with the hole are not covered.
    assert minutes(load_trade_flow(store, bars_of(12), PERPETUAL, as_of_ns=None)) == [
        0, 1, 2, 4, 5, 6, 7, 8, 9,
    ]  # fmt: skip
    later = bars_of(5, start_ns=START_NS + 8 * MINUTE_NS)
    assert minutes(load_trade_flow(store, later, PERPETUAL, as_of_ns=None)) == [8, 9]


def test_a_hole_between_trades_hides_every_minute_that_it_may_lie_in(store: Store) -> None:
    write(store, [*every_second(-5, 130), *every_second(370, 700, number=136)])
    flow = load_trade_flow(store, bars_of(10), PERPETUAL, as_of_ns=None)
    assert minutes(flow) == [0, 1, 7, 8, 9]
    quiet = Store(store.root / "quiet")
    write(quiet, [*every_second(-5, 130), *every_second(370, 700, number=135)])
    flow = load_trade_flow(quiet, bars_of(10), PERPETUAL, as_of_ns=None)
    assert minutes(flow) == list(range(10))
    assert flow is not None
    # Nothing is missing: nobody traded in three whole minutes, and for part of two.
    assert flow.columns["volume"].tolist() == [60, 60, 10, 0, 0, 0, 50, 60, 60, 60]
    assert flow.columns["largest_trade"][3:6].tolist() == [0, 0, 0]


def test_trades_without_numbers_cover_nothing(store: Store) -> None:
    write(store, [t._replace(number=0) for t in every_second(-5, 300)])
    assert load_trade_flow(store, bars_of(4), PERPETUAL, as_of_ns=None) is None


def test_a_row_is_known_at_the_close_or_when_its_last_trade_was(store: Store) -> None:
    trades = every_second(-5, 400)
    late = {119: 9_000, 179: 30_000, 200: 300_000}
    write(store, [t._replace(late=late.get(t.at // 1000, 0)) for t in trades])
    flow = load_trade_flow(store, bars_of(6), PERPETUAL, as_of_ns=None)
    assert flow is not None
    # A row that was known after a later one is no release; ten seconds count as at the close.
    assert minutes(flow) == [0, 1, 2, 4, 5]
    waited = (flow.available_at - flow.event_time - MINUTE_NS) / SECOND_NS
    assert waited.tolist() == [0, 0, 29, 0, 0]


def test_as_of_a_moment_is_the_beginning_of_the_same_rows(store: Store) -> None:
    trades = every_second(-5, 700)
    late = {179: 9_000, 299: 200_000}
    write(store, [t._replace(late=late.get(t.at // 1000, 0)) for t in trades])
    bars = bars_of(10)
    for moment in (0, 59, 60, 180, 187, 188, 360, 499, 599, 600, 3000):
        as_of_ns = START_NS + moment * SECOND_NS
        flow = load_trade_flow(store, bars, PERPETUAL, as_of_ns=as_of_ns)
        last_known = {0: 59, 1: 119, 2: 188, 4: 499}
        expected = [
            bar for bar in (0, 1, 2, 3, 5, 6, 7, 8, 9)
            if max(60 * (bar + 1), last_known.get(bar, 0)) <= moment
        ]  # fmt: skip
        assert minutes(flow) == expected, moment


def test_the_first_named_source_that_covers_a_bar_has_it(store: Store) -> None:
    other = DatasetKey("trades", "binance", "um_perp", "BTCUSDT", "event", "other")
    write(store, [t for t in every_second(-5, 400) if t.number != 70])
    write(store, [t._replace(quantity=2.0) for t in every_second(-5, 200, number=9_000)], other)
    both = Instrument("binance", "um_perp", "BTCUSDT", ("test", "other"))
    flow = load_trade_flow(store, bars_of(6), both, as_of_ns=None)
    assert minutes(flow) == [0, 1, 2, 3, 4, 5]
    assert flow is not None
    assert flow.columns["volume"].tolist() == [60, 120, 60, 60, 60, 60]
    with pytest.raises(DataError, match="2 sources of trades"):
        load_trade_flow(store, bars_of(6), PERPETUAL, as_of_ns=None)


def many_trades(rows: int, start_ns: int) -> pa.Table:
    draw = np.random.default_rng(4)
    return pa.table(
        {
            "event_time": pa.array(start_ns + 10_000_000 * np.arange(rows, dtype=np.int64)),
            "trade_id": pa.array(np.arange(rows, dtype=np.int64)),
            "price": pa.array(100.0 + draw.random(rows)),
            "quantity": pa.array(draw.random(rows)),
            "is_buyer_maker": pa.array(draw.random(rows) < 0.5),
        }
    )


def test_many_trades_in_pieces_are_the_same_and_so_is_their_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 4 * ROW_GROUP_ROWS + 1000
    start_ns = utc_ns("2024-01-31 23:40")
    table = many_trades(rows, start_ns)
    once, pieces = Store(tmp_path / "once"), Store(tmp_path / "pieces")
    once.write(KEY, table, provenance={})
    for first in range(0, rows, 70_000):
        pieces.append(KEY, table.slice(first, 70_000), provenance={})
    assert len(once.dataset(KEY).parts) == 2

    period = (start_ns + MINUTE_NS, start_ns + 50 * MINUTE_NS)
    sizes: list[int] = []

    def gathered(chunks: object) -> pa.Table:
        tables = list(chunks)
        sizes.extend(len(one) for one in tables)
        return pa.concat_tables(tables)

    for bounds in (period, (None, None)):
        for store in (once, pieces):
            assert store.fold(KEY, gathered, *bounds).equals(store.read(KEY, *bounds))
    assert max(sizes) <= ROW_GROUP_ROWS

    bars = bars_of(2, HOUR_NS, start_ns=start_ns - 40 * MINUTE_NS)
    flows = [load_trade_flow(store, bars, PERPETUAL, as_of_ns=None) for store in (once, pieces)]
    # The first hour begins before the recording does.
    assert flows[0] is not None
    assert (flows[0].event_time - bars.open_time[0]).tolist() == [HOUR_NS]
    inside = slice(20 * 60 * 100, 80 * 60 * 100)
    assert flows[0].columns["volume"][0] == pytest.approx(
        table["quantity"].to_numpy()[inside].sum(), rel=1e-12
    )
    assert flows[1] is not None
    for name, column in flows[0].columns.items():
        np.testing.assert_array_equal(flows[1].columns[name], column)

    plain = once.fingerprint([KEY], None, period[1])
    prints = set()
    for size in (1_000, ROW_GROUP_ROWS, 150_000):
        monkeypatch.setattr(reading, "DIGEST_ROWS", size)
        same = {store.fingerprint([KEY], None, period[1]) for store in (once, pieces)}
        assert len(same) == 1
        prints |= same
    assert len({*prints, plain}) == 4
    monkeypatch.setattr(reading, "DIGEST_ROWS", rows - 1)
    assert once.fingerprint([KEY], None, period[1]) == plain
    nothing = once.fingerprint([KEY], None, start_ns)
    monkeypatch.setattr(reading, "DIGEST_ROWS", rows)
    assert once.fingerprint([KEY], None, start_ns) == nothing


def test_a_market_has_the_flow_of_the_instrument_that_is_named(store: Store) -> None:
    bars = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "test")
    store.write(bars, bar_table(5), provenance={})
    write(store, [Trade(60_000 * minute, minute + 5) for minute in range(-5, 200)])
    spot = Instrument("binance", "spot", "BTCUSDT")
    further = FurtherSources(trades=PERPETUAL)
    market = load_market(store, spot, "1h", further=further)
    assert minutes(market.series["trade_flow"]) == [0, 60, 120]
    assert market.series["trade_flow"].columns["trades"].tolist() == [60, 60, 60]
    found = market_series_datasets(store, (spot,), further, "1h", "trade_flow")
    assert [str(key) for key in found] == ["trades/binance/um_perp/BTCUSDT/event/test"]
    assert load_market(store, spot, "1h").series == {}
    with pytest.raises(
        DataError, match=r"binance/spot/BTCUSDT/.*: the store .* has no such trades"
    ):
        load_market(store, spot, "1h", further=FurtherSources(trades=spot))


@pytest.mark.real
def test_real_trades_are_the_bars_of_the_same_minutes(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    folder = real_data / "raw/freqtrade_testdata"
    for name in ("XRP_ETH-trades.json.gz", "XRP_ETH-5m.feather"):
        import_files(store, [folder / name], venue="binance", market="spot")
    pair = Instrument("binance", "spot", "XRPETH")
    for timeframe, covered in (("5m", 710), ("1h", 58)):
        bars = load_bars(store, pair, timeframe)
        flow = load_trade_flow(store, bars, pair, as_of_ns=None)
        assert flow is not None
        assert len(flow.event_time) == covered
        rows = np.searchsorted(bars.open_time, flow.event_time)
        np.testing.assert_allclose(flow.columns["volume"], bars.volume[rows], rtol=1e-12)
        # Minutes of which the source has no bar are those in which nobody traded.
        assert (flow.columns["trades"][bars.is_gap[rows]] == 0).all()
    assert flow.columns["taker_buy_volume"].sum() / flow.columns["volume"].sum() == pytest.approx(
        0.5, abs=0.2
    )


@pytest.mark.real
def test_real_samples_of_trades_cover_nothing(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    import_files(store, [real_data / "trades/binance_um_large_agg_trades_2024_08.parquet"])
    bars = bars_of(240, start_ns=utc_ns("2024-08-15 07:00"))
    flow = load_trade_flow(store, bars, PERPETUAL, as_of_ns=None)
    assert flow is None
