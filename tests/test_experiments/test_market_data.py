"""What a run reads: prices and funding as far as there are opinions, and notes on what is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets import DatasetKey, SimulationSpec, Store, simulate, write_simulated
from datasets.quality import check_store
from engine import DAY_NS, HOUR_NS
from experiments import config_of, run
from experiments.market_data import load_market_data
from experiments.notes import funding_notes
from indicators import INDICATORS_BY_NAME, on_existing_bars
from tests.generators import random_bars

SPEC = SimulationSpec(symbols=("AAASIM",), days=12, seed=7, mode="null")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("store"))
    write_simulated(made, SPEC)
    return made


def tree(**data: object) -> dict[str, object]:
    simulated = {"symbols": ["AAASIM"], "days": 5, "mode": "null"}
    return {"name": "small", "data": {"simulated": simulated, **data}, "consensus": {"quorum": 2}}


def test_a_simulated_market_ends_after_its_days_whatever_the_store_holds(
    store: Store, tmp_path: Path
):
    config = config_of(tree())
    long_store = load_market_data(config, store)
    fresh = load_market_data(config, Store(tmp_path / "fresh"))
    assert len(long_store.markets["AAASIM"].bars) == 5 * 24
    np.testing.assert_array_equal(
        long_store.markets["AAASIM"].bars.close, fresh.markets["AAASIM"].bars.close
    )


def pair(**changes: object) -> dict[str, object]:
    spot = {"venue": "simulated", "market": "spot", "symbol": "AAASIM", "source": SPEC.source}
    perp = {**spot, "market": "um_perp"}
    return {"signals": spot, "traded": perp, "funding": perp, "series_from": [perp], **changes}


def test_every_settlement_of_the_traded_bars_is_there(store: Store):
    config = config_of({"name": "x", "data": {"instruments": [pair()]}})
    data = load_market_data(config, store)
    bars = data.prices["AAASIM"].bars
    expected = simulate(SPEC).markets["AAASIM"].series["funding"].event_time
    inside = (expected >= bars.open_time[0]) & (expected < bars.close_time[-1])
    np.testing.assert_array_equal(data.funding.time_ns, expected[inside])


def test_a_period_without_traded_bars_says_that_signals_priced_every_fill(tmp_path: Path):
    made = Store(tmp_path / "store")
    market = simulate(SPEC)
    write_simulated(made, SPEC)
    late = replace(SPEC, start_ns=SPEC.start_ns + 40 * DAY_NS, symbols=("LATESIM",))
    write_simulated(made, late)
    assert len(market.markets) == 1
    traded = {
        "venue": "simulated", "market": "um_perp", "symbol": "LATESIM", "source": late.source,
    }  # fmt: skip
    config = config_of(
        {
            "name": "x",
            "data": {"instruments": [pair(traded=traded, traded_price_fallback="signals")]},
        }
    )
    result = run(config, store=made, runs=None)
    assert {piece.source for piece in result.data.prices["LATESIM"].pieces()} == {"signals"}
    assert any("has no bars of" in note for note in result.notes)


def test_a_hole_in_the_settlements_is_told(store: Store):
    config = config_of({"name": "x", "data": {"instruments": [pair()]}})
    data = load_market_data(config, store)
    bars = data.prices["AAASIM"].bars
    assert funding_notes("AAASIM", 0, bars, data.funding) == []
    times = data.funding.time_ns
    kept = (times < times[5]) | (times > times[11])
    holed = replace(
        data.funding,
        **{name: getattr(data.funding, name)[kept] for name in ("time_ns", "symbol_index", "rate")},
        mark_price=data.funding.mark_price[kept],
    )
    (note,) = funding_notes("AAASIM", 0, bars, holed)
    assert note.startswith("AAASIM: no settlements from 2021-01-02")


def test_funding_that_never_settles_in_the_period_is_told_where_it_was_asked_for(tmp_path: Path):
    made = Store(tmp_path / "store")
    write_simulated(made, SPEC)
    key = DatasetKey("funding", "simulated", "um_perp", "AAASIM", "8h", SPEC.source)
    rows = made.read(key)
    late = replace(key, source="late")
    event = rows["event_time"].cast(pa.int64()).to_numpy() + 400 * DAY_NS // 1_000
    shifted = rows.drop_columns(["event_time", "available_at"]).append_column(
        "event_time", pa.array(event).cast(pa.timestamp("us"))
    )
    made.write(late, shifted, provenance={"file": "late"})
    perp = {"venue": "simulated", "market": "um_perp", "symbol": "AAASIM", "source": "late"}
    config = config_of({"name": "x", "data": {"instruments": [pair(funding=perp)]}})
    told = [note for note in run(config, store=made, runs=None).notes if "settlement" in note]
    assert told == [
        "AAASIM: no settlement at all in this period; positions pay and receive no funding"
    ]
    free = config_of({"name": "x", "data": {"instruments": [pair(funding=None)]}})
    assert not any("settlement" in note for note in run(free, store=made, runs=None).notes)


def test_a_coin_margined_run_is_compared_with_the_coin(store: Store):
    config = config_of({**tree(), "margin": {"contract": "inverse"}, "initial_cash": 3.0})
    result = run(config, store=store, runs=None)
    assert set(result.benchmark.tolist()) == {3.0}
    assert result.metrics["excess_return"] == result.metrics["total_return"]
    assert result.benchmark_metrics["total_return"] == 0
    assert result.benchmark_metrics["mean_gross_leverage"] == 0
    bars = result.data.markets["AAASIM"].bars
    linear = load_market_data(config_of(tree()), store).panel.volume
    inverse = result.panel.volume
    assert linear is not None
    assert inverse is not None
    assert len(bars) == len(inverse)
    np.testing.assert_allclose(inverse / linear, result.panel.close, rtol=0.05)


def test_missing_bars_do_not_wear_down_the_range_that_stops_are_made_of():
    bars = random_bars(200, 3)
    is_gap = np.zeros(200, dtype=bool)
    is_gap[100:160] = True
    close = np.array(bars.close)
    close[100:160] = close[99]
    flat = {name: np.where(is_gap, close, getattr(bars, name)) for name in ("open", "high", "low")}
    holed = replace(bars, close=close, is_gap=is_gap, **flat)
    known = on_existing_bars(holed, INDICATORS_BY_NAME["atr"], "atr_frac", {"length": 14})
    assert (known[100:160] == known[99]).all()
    worn, _ = INDICATORS_BY_NAME["atr"].compute(holed.columns(), {"length": 14.0})
    assert worn[159] < 0.05 * worn[99]
    for count in (90, 120, 175):
        prefix = on_existing_bars(
            holed.prefix(count), INDICATORS_BY_NAME["atr"], "atr_frac", {"length": 14}
        )
        np.testing.assert_array_equal(prefix, known[:count])


def test_no_decision_falls_on_a_missing_bar(store: Store):
    spec = replace(SPEC, days=100, outages_per_year=50.0, symbols=("HOLESIM",))
    write_simulated(store, spec)
    spot = {"venue": "simulated", "market": "spot", "symbol": "HOLESIM", "source": spec.source}
    perp = {**spot, "market": "um_perp"}
    instrument = {"signals": spot, "traded": perp, "funding": perp, "series_from": [perp]}
    gates = {"quorum": 1, "c_min": 0.0, "p_min": 0.5}
    config = config_of({"name": "x", "data": {"instruments": [instrument]}, "consensus": gates})
    result = run(config, store=store, runs=None)
    bars = result.data.markets["HOLESIM"].bars
    rows = (bars.open_time - result.panel.open_time[0]) // HOUR_NS
    assert bars.is_gap.sum() > 20
    assert result.decisions.acts.sum() > 20
    assert not result.decisions.acts[rows[bars.is_gap], 0].any()


@pytest.mark.parametrize("timeframe", ["6h", "1d"])
def test_a_step_that_some_longer_bars_cannot_be_built_from_still_runs(store: Store, timeframe: str):
    spec = replace(SPEC, days=60, timeframe=timeframe, symbols=("WIDESIM",))
    write_simulated(store, spec)
    simulated = {"symbols": ["WIDESIM"], "days": 60, "mode": "null"}
    config = config_of({"name": "x", "data": {"timeframe": timeframe, "simulated": simulated}})
    assert len(run(config, store=store, runs=None).panel) == 60 * DAY_NS // spec_step(timeframe)


def spec_step(timeframe: str) -> int:
    return {"6h": 6 * HOUR_NS, "1d": DAY_NS}[timeframe]


def test_sources_in_order_of_precedence_fill_each_other_and_their_quarrels_are_told(
    tmp_path: Path,
):
    made = Store(tmp_path / "store")
    write_simulated(made, SPEC)
    key = DatasetKey("ohlcv", "simulated", "spot", "AAASIM", "1h", SPEC.source)
    rows = made.read(key)
    other = key_of_source(key, "other")
    volume = rows["volume"].to_numpy().copy()
    volume[100] *= 2.0
    doubled = rows.set_column(
        rows.column_names.index("volume"), rows.schema.field("volume"), pa.array(volume)
    )
    made.write(other, doubled.slice(50), provenance={"file": "other"})
    whole = load_market_data(config_of({"name": "x", "data": {"instruments": [pair()]}}), made)
    spot = {"venue": "simulated", "market": "spot", "symbol": "AAASIM"}
    preferring = pair(signals={**spot, "source": ["other", SPEC.source]})
    config = config_of({"name": "x", "data": {"instruments": [preferring]}})
    data = load_market_data(config, made)
    expected = whole.markets["AAASIM"].bars.volume.copy()
    expected[100] *= 2.0
    np.testing.assert_array_equal(data.markets["AAASIM"].bars.volume, expected)
    assert {key, other} <= set(data.datasets)
    assert data.fingerprint != whole.fingerprint
    result = run(config, store=made, runs=None)
    (note,) = [note for note in result.notes if note.startswith("sources disagree")]
    assert "differ on 1 of" in note
    assert "volume is" in note


def key_of_source(key: DatasetKey, source: str) -> DatasetKey:
    return replace(key, source=source)


def test_a_run_says_what_the_check_of_its_data_found(tmp_path: Path):
    made = Store(tmp_path / "store")
    write_simulated(made, SPEC)
    key = DatasetKey("ohlcv", "simulated", "spot", "AAASIM", "1h", SPEC.source)
    rows = made.read(key)
    reused = key_of_source(key, "reused")
    hole = np.ones(len(rows), dtype=np.bool_)
    hole[100:150] = False
    factor = np.where(np.arange(len(rows)) < 150, 1.0, 1e4)
    for name in ("open", "high", "low", "close"):
        rows = rows.set_column(
            rows.column_names.index(name),
            rows.schema.field(name),
            pa.array(rows[name].to_numpy() * factor),
        )
    for name in ("quote_volume", "taker_buy_quote"):
        rows = rows.drop_columns([name])
    made.write(reused, rows.filter(pa.array(hole)), provenance={"file": "reused"})
    spot = {"venue": "simulated", "market": "spot", "symbol": "AAASIM", "source": "reused"}
    config = config_of({"name": "x", "data": {"instruments": [pair(signals=spot)]}})
    assert load_market_data(config, made).defects == ()
    check_store(made)
    (defect,) = load_market_data(config, made).defects
    assert defect.startswith(f"{reused}: symbol_reuse at ")
    notes = run(config, store=made, runs=None).notes
    assert any(note.startswith(f"`data check` found {reused}: symbol_reuse") for note in notes)
