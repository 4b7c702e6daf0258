"""What the linked chart is drawn from, against the tables of the run read bar by bar."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import RunResult, load_run
from experiments.pages import PriceChart
from experiments.report import price_arrays, price_chart
from experiments.report.price_arrays import ChartedVotes, Grid, symbol_payload
from experiments.report.reading import RunReading
from strategies import GATES


@pytest.fixture(scope="module")
def reading(result: RunResult) -> RunReading:
    assert result.run_dir is not None
    return RunReading(load_run(result.run_dir))


def drawn(
    reading: RunReading, symbol: str, max_bars: int, max_zones: int = 10_000
) -> dict[str, Any]:
    tables = {name: reading.table_of(name, symbol) for name in price_chart.NEEDED}
    heads = price_chart._charted_votes(reading, symbol)
    return symbol_payload(symbol, tables, heads, GATES, max_bars=max_bars, max_zones=max_zones)


def frame(reading: RunReading, name: str, symbol: str) -> pd.DataFrame:
    table = reading.table(name).to_pandas()
    return table[table["symbol"] == symbol].reset_index(drop=True)


@pytest.mark.parametrize("max_bars", [10_000, 300, 7])
def test_prices_and_votes_are_those_of_the_tables(reading: RunReading, max_bars: int):
    symbol = reading.symbols[0]
    payload = drawn(reading, symbol, max_bars)
    prices, votes = frame(reading, "prices", symbol), frame(reading, "votes", symbol)
    together = payload["together"]
    assert together == max(1, -(-len(prices) // max_bars))
    bucket = prices.index // together
    grouped = prices.groupby(bucket)
    scale = 1.0 if payload["decimals"] is None else 10.0 ** payload["decimals"]
    for name, how in (("open", "first"), ("high", "max"), ("low", "min"), ("close", "last")):
        expected = grouped[name].agg(how).to_numpy()
        np.testing.assert_array_equal(np.asarray(payload[name]) / scale, expected)
    gaps = grouped["is_gap"].all()
    assert payload["gaps"].tolist() == gaps.index[gaps].tolist()
    first = prices["open_time"].to_numpy().astype("datetime64[ms]").astype(float)
    assert payload["first"] == first[0]
    if len(grouped) > 1:
        assert payload["step"] == first[together] - first[0]

    rows = {time: place // together for place, time in enumerate(prices["time"])}
    for head in payload["heads"]:
        name = head["name"]
        best: dict[int, tuple[float, int]] = {}
        absent: dict[int, bool] = {}
        for at, vote in votes.iterrows():
            row = rows[vote["time"]]
            absent[row] = absent.get(row, False) or vote[f"{name}_coverage"] <= 0
            if vote[f"{name}_direction"] and (
                row not in best or vote[f"{name}_confidence"] > best[row][0]
            ):
                best[row] = (vote[f"{name}_confidence"], at)
        assert head["row"].tolist() == sorted(best)
        for place, row in enumerate(sorted(best)):
            vote = votes.loc[best[row][1]]
            assert head["direction"][place] == vote[f"{name}_direction"]
            assert abs(head["confidence"][place]) == round(100 * vote[f"{name}_confidence"])
            assert head["probability"][place] == round(100 * vote[f"{name}_probability"])
            assert head["texts"][head["text"][place]]
            limits = reading.content["config"]["consensus"]
            assert head["counts"][place] == (
                vote[f"{name}_probability"] >= limits["p_min"]
                and vote[f"{name}_confidence"] >= limits["c_min"]
            )
        shown = [row for one, last in head["absent"] for row in range(one, last + 1)]
        assert shown == [row for row in sorted(absent) if absent[row]]


def test_consensus_decisions_and_fills_are_those_of_the_tables(reading: RunReading):
    symbol = reading.symbols[1]
    payload = drawn(reading, symbol, 10_000)
    prices, votes, fills, trades = (
        frame(reading, name, symbol) for name in ("prices", "votes", "fills", "trades")
    )
    rows = {time: place for place, time in enumerate(prices["time"])}
    for _, vote in votes.iterrows():
        row = rows[vote["time"]]
        assert payload["score"][row] == round(1_000 * vote["consensus_signed_score"])
        assert payload["for"][row] == vote["consensus_votes_for"]
        assert payload["against"][row] == vote["consensus_votes_against"]
        assert GATES[payload["gate"][row]] == vote["consensus_gate"]
    acts = votes[votes["decision_acts"]]
    assert payload["decisions"]["row"].tolist() == [rows[time] for time in acts["time"]]
    np.testing.assert_array_equal(payload["decisions"]["target"], acts["decision_target"])
    assert payload["fills"]["count"] == len(fills) > 10
    opens = prices["open_time"]
    for at, fill in fills.iterrows():
        at_close = fill["phase"] == "close"
        row = rows[fill["time"]] if at_close else int((opens <= fill["time"]).sum()) - 1
        assert payload["fills"]["row"][at] == row
        assert payload["fills"]["price"][at] == fill["price"]
        reason = payload["fills"]["reasons"][payload["fills"]["reason"][at]]
        assert reason == fill["reason"].replace("_", " ")
    assert payload["trades"]["net"].tolist() == trades["net_pnl"].tolist()
    assert (payload["trades"]["exit"] >= payload["trades"]["entry"]).all()
    # A position that is closed at an open was last held on the bar before.
    last_held = [int((opens < time).sum()) - 1 for time in trades["exit_time"]]
    assert payload["trades"]["held"].tolist() == last_held
    assert (payload["trades"]["held"] < payload["trades"]["exit"]).any()


def test_zones_begin_after_they_are_known_and_none_is_drawn_before(reading: RunReading):
    symbol = reading.symbols[0]
    payload = drawn(reading, symbol, 10_000)["zones"]
    zones, prices = frame(reading, "zones", symbol), frame(reading, "prices", symbol)
    rows = {time: place for place, time in enumerate(prices["time"])}
    assert payload["count"] == len(payload["known"]) == len(zones) > 100
    assert payload["known"].tolist() == [rows[time] for time in zones["known_time"]]
    assert (payload["anchor"] <= payload["known"]).all()
    assert (payload["end"] >= payload["known"]).all()
    ended = zones["end_time"].notna()
    assert payload["end"][ended].tolist() == [rows[time] for time in zones["end_time"][ended]]
    for at, (_, zone) in enumerate(zones.iterrows()):
        kind = payload["kinds"][payload["kind"][at]]
        stated = [zone[name].replace("_", " ") for name in ("head", "detector", "type")]
        assert [word.lower() for word in kind] == stated
    assert {head for head, *_ in payload["kinds"]} >= {"ICT", "harmonic", "market structure"}
    # What nothing has ended lives beyond the last bar.
    assert (payload["end"][payload["lives"] & ~ended] == len(prices)).all()
    marks = ~payload["lives"]
    assert (payload["end"][marks] == payload["known"][marks]).all()
    few = drawn(reading, symbol, 10_000, max_zones=50)["zones"]
    assert len(few["known"]) == 50
    assert few["count"] == len(zones)
    assert few["lives"].all()
    assert (few["top"] > few["bottom"]).all()


def test_votes_between_traded_closes_are_counted_and_left_out():
    opens = np.arange(0, 6) * 2_000
    grid = Grid(open_time_us=opens, close_time_us=opens + 2_000, together=2)
    assert grid.rows_of_closes(np.array([2_000, 3_000, 12_000, 14_000])).tolist() == [0, -1, 2, -1]
    assert grid.rows_of_moments(np.array([0, 1_999, 2_000, 4_000, 11_999])).tolist() == [
        0,
        0,
        0,
        1,
        2,
    ]


@given(st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=9), st.integers(0, 6))
def test_prices_of_few_decimals_are_whole_numbers(whole: list[int], decimals: int):
    values = np.array(whole) / 10.0**decimals
    found = price_arrays._decimals(values)
    if found is None:
        assert np.abs(values).max() * 10.0**decimals >= 2**31 or decimals > 8
    else:
        assert found <= decimals
        np.testing.assert_array_equal(np.round(values * 10.0**found) / 10.0**found, values)
    assert price_arrays._decimals(np.array([np.pi])) is None


@given(st.lists(st.integers(0, 30), max_size=20))
def test_stretches_hold_every_row_once(rows: list[int]):
    given_rows = np.array(sorted(set(rows)), dtype=np.int64)
    pairs = price_arrays._stretches(given_rows)
    assert [row for first, last in pairs for row in range(first, last + 1)] == given_rows.tolist()
    assert all(after[0] - before[1] > 1 for before, after in pairwise(pairs))


def test_many_symbols_share_the_room(reading: RunReading, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(price_chart, "MAX_SYMBOLS", 1)
    monkeypatch.setattr(price_chart, "MAX_BARS", 100)
    (block,) = price_chart.price_chart_blocks(reading)
    assert isinstance(block, PriceChart)
    (only,) = block.payload["symbols"]
    net = reading.table("trades").to_pandas().groupby("symbol")["net_pnl"].sum().abs()
    assert only["symbol"] == net.idxmax()
    assert "1 of 2 symbols are drawn" in block.note
    assert f"Up to {only['together']} bars are drawn as one" in block.note
    assert len(only["close"]) <= 100


def test_a_head_without_votes_is_an_empty_strip():
    nothing = np.zeros(3)
    silent = ChartedVotes(
        name="a", direction=nothing.astype(np.int64), probability=nothing, confidence=nothing,
        coverage=np.array([0.0, 0.0, 1.0]), counts=nothing > 0, text=nothing.astype(np.int64), texts=("",),
    )  # fmt: skip
    found = price_arrays._head(silent, np.arange(3))
    assert found["row"].tolist() == []
    assert found["texts"] == []
    assert found["absent"] == [[0, 1]]
    assert pa.array(found["direction"]).type == pa.int8()
