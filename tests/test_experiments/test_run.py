import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from datasets import DatasetKey, Store
from engine import ConfigError, DataError
from experiments import RunConfig, RunResult, config_of, list_runs, load_run, run
from experiments import record as record_module
from indicators import resampled
from strategies import HEAD_NAMES
from tests.generators import random_bars

from .conftest import SYMBOLS, small_tree

TABLES = (
    "equity",
    "fills",
    "orders",
    "trades",
    "payments",
    "votes",
    "prices",
    "zones",
    "leave_one_out",
)


def parquet_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def test_the_folder_holds_what_is_promised(result: RunResult):
    folder = result.run_dir
    assert folder is not None
    names = {f"{name}.parquet" for name in TABLES} | {"run.json", "report.html"}
    assert {path.name for path in folder.iterdir()} == names
    stamp, name, label = folder.name.split("-")
    assert (name, label) == ("small", result.config_hash[:8])
    assert len(stamp) == 16


def test_the_record_tells_where_the_numbers_come_from(result: RunResult):
    content = json.loads((result.run_dir / "run.json").read_text(encoding="utf-8"))
    assert content["config_hash"] == result.config_hash
    assert content["data_fingerprint"] == result.data.fingerprint
    assert content["seed"] == result.config.seed
    assert content["simulated"] is True
    assert content["n_trades"] == result.n_trades == len(result.frame("trades"))
    assert content["symbols"] == list(SYMBOLS)
    assert content["start_time"] == "2021-01-01 00:00"
    assert content["end_time"] == "2021-02-10 00:00"
    assert set(content["versions"]) >= {"python", "numpy", "numba", "pyarrow"}
    assert set(content["code"]) == {"commit", "dirty"}
    assert content["metrics"].keys() == result.metrics.keys()
    for name, digest in content["artefacts"].items():
        found = hashlib.sha256((result.run_dir / name).read_bytes()).hexdigest()
        assert found == digest
    assert len(content["artefacts"]) == len(TABLES)
    assert all(name.startswith(("ohlcv", "funding")) is False or "simulated" in name
               for name in content["datasets"])  # fmt: skip


def test_tables_hold_what_the_result_holds(result: RunResult):
    equity = result.frame("equity")
    assert (equity["equity"].to_numpy() == result.replay.equity).all()
    assert (
        equity["time"].astype("datetime64[ns]").astype("int64") == result.panel.close_time
    ).all()
    trades, fills = result.frame("trades"), result.frame("fills")
    cash = result.config.initial_cash
    assert trades["net_pnl"].sum() == pytest.approx(equity["equity"].iloc[-1] - cash, rel=1e-9)
    assert fills["fee"].sum() == pytest.approx(trades["fees"].sum(), rel=1e-12)
    assert set(fills["symbol"]) == set(SYMBOLS)
    votes = result.frame("votes")
    assert len(votes) == sum(len(result.votes[symbol]) for symbol in SYMBOLS)
    for name in HEAD_NAMES:
        for part in ("direction", "probability", "confidence", "coverage", "score", "reasons"):
            assert f"{name}_{part}" in votes
    assert votes["decision_acts"].sum() == int(result.decisions.acts.sum())
    unknown = ["decision_atr_frac", "decision_volatility", "decision_order_price"]
    assert not votes.drop(columns=unknown).isna().to_numpy().any()


def test_a_table_of_another_name_is_refused(result: RunResult):
    with pytest.raises(ConfigError, match="it has equity, fills, orders"):
        result.frame("funding")


def test_entries_fill_at_the_open_after_the_decision(result: RunResult):
    votes, fills = result.frame("votes"), result.frame("fills")
    acting = {
        (row.symbol, row.time) for row in votes[votes["decision_acts"]].itertuples(index=False)
    }
    entries = fills[fills["reason"] == "entry"]
    prices = result.frame("prices").set_index(["symbol", "open_time"])
    assert len(entries) > 0
    for fill in entries.itertuples(index=False):
        # Bars of the fixture have no gap at an entry: the decision is the close of the bar before.
        assert (fill.symbol, fill.time) in acting
        assert fill.reference_price == prices.loc[(fill.symbol, fill.time), "open"]


def test_same_config_data_and_code_give_the_same_bytes(
    result: RunResult, small_config: RunConfig, store: Store, tmp_path: Path
):
    again = run(small_config, store=store, runs=tmp_path)
    assert parquet_bytes(again.run_dir) == parquet_bytes(result.run_dir)
    changed = config_of(small_tree(), ["costs.taker_fee_bps=6"])
    other = run(changed, store=store, runs=tmp_path)
    assert parquet_bytes(other.run_dir) != parquet_bytes(result.run_dir)


def test_runs_none_writes_nothing(small_config: RunConfig, store: Store, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    made = run(small_config, store=store, runs=None)
    assert made.run_dir is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", ["write_parquet", "replace_file", "sha256_of"])
def test_an_interrupt_leaves_nothing_that_looks_finished(
    small_config: RunConfig,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
):
    def interrupted(*_arguments: object, **_keywords: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(record_module, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(small_config, store=store, runs=tmp_path)
    assert list_runs(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_folder_of_a_killed_process_is_not_a_run(tmp_path: Path, result: RunResult):
    unfinished = tmp_path / ".unfinished-x"
    unfinished.mkdir()
    (unfinished / "run.json").write_bytes((result.run_dir / "run.json").read_bytes())
    assert list_runs(tmp_path) == ()


def test_a_simulated_market_is_written_once(tmp_path: Path):
    config = config_of({"data": {"simulated": {"symbols": ["AAASIM"], "days": 12, "mode": "null"}}})
    store = Store(tmp_path / "store")
    first = run(config, store=store, runs=None)
    infos = store.datasets()
    assert {info.key.venue for info in infos} == {"simulated"}
    assert run(config, store=store, runs=None).data.fingerprint == first.data.fingerprint
    assert store.datasets() == infos


def test_a_head_that_is_not_enabled_abstains_everywhere(store: Store):
    config = config_of(small_tree(), ["heads.enabled=[volume, technical]"])
    votes = run(config, store=store, runs=None).votes[SYMBOLS[0]]
    assert votes.names == HEAD_NAMES
    on = [name in ("technical", "volume") for name in HEAD_NAMES]
    assert ((votes.coverage > 0).any(axis=0) == on).all()
    assert (votes.direction != 0).any(axis=0).tolist() == on
    full = run(config_of(small_tree()), store=store, runs=None).votes[SYMBOLS[0]]
    for name in ("technical", "volume"):
        column = HEAD_NAMES.index(name)
        assert (votes.direction[:, column] == full.direction[:, column]).all()


def test_the_period_is_cut_by_days_and_the_past_is_the_same(store: Store):
    config = config_of(small_tree(), ["data.start=2021-01-03", "data.end=2021-01-20"])
    panel = run(config, store=store, runs=None).panel
    assert len(panel) == 18 * 24
    assert str(panel.open_time[0].astype("datetime64[ns]"))[:16] == "2021-01-03T00:00"
    assert str(panel.open_time[-1].astype("datetime64[ns]"))[:16] == "2021-01-20T23:00"


def test_the_fingerprint_knows_the_used_range_only(store: Store):
    short = ["data.end=2021-01-20"]
    one = run(config_of(small_tree(), short), store=store, runs=None).data.fingerprint
    two = run(config_of(small_tree(), [*short, "seed=7"]), store=store, runs=None).data.fingerprint
    whole = run(config_of(small_tree()), store=store, runs=None).data.fingerprint
    assert one == two != whole


def test_an_unknown_symbol_is_a_data_error_that_lists_what_there_is(store: Store):
    instrument = {"venue": "binance", "market": "spot", "symbol": "NOPEUSDT"}
    config = config_of({"data": {"instruments": [{"signals": instrument}]}})
    with pytest.raises(DataError, match=r"NOPEUSDT.*AAASIM"):
        run(config, store=store, runs=None)


def bar_table(bars: object, keep: np.ndarray) -> dict[str, np.ndarray]:
    names = ("open_time", "open", "high", "low", "close", "volume")
    return {name: getattr(bars, name)[keep] for name in names}


def test_prices_and_funding_come_from_the_instruments_that_the_config_names(tmp_path: Path):
    import pyarrow as pa

    store = Store(tmp_path / "store")
    spot, perpetual = random_bars(600, 1), random_bars(600, 2)
    everywhere = np.ones(600, dtype=bool)
    middle = (np.arange(600) >= 100) & (np.arange(600) < 400)
    for market, bars, keep in (("spot", spot, everywhere), ("um_perp", perpetual, middle)):
        key = DatasetKey("ohlcv", "v", market, "XUSDT", "1h", "s")
        store.write(key, pa.table(bar_table(bars, keep)), provenance={"test": 1})
    stamps = perpetual.open_time[::8]
    store.write(
        DatasetKey("funding", "v", "um_perp", "XUSDT", "8h", "s"),
        pa.table({"event_time": stamps, "rate": np.full(len(stamps), 1e-3)}),
        provenance={"test": 1},
    )
    one = {"venue": "v", "symbol": "XUSDT"}
    pair = {
        "signals": {**one, "market": "spot"},
        "traded": {**one, "market": "um_perp"},
        "traded_price_fallback": "signals",
        "funding": {**one, "market": "um_perp"},
    }
    config = config_of({"data": {"instruments": [pair]}, "consensus": {"quorum": 1}})
    made = run(config, store=store, runs=tmp_path / "runs")
    close = np.where(middle, perpetual.close, spot.close)
    assert (made.panel.close[:, 0] == close).all()
    assert (made.market("XUSDT").bars.close == spot.close).all()
    content = load_run(made.run_id, tmp_path / "runs").content
    assert [(p["source"], p["start"], p["bars"]) for p in content["price_pieces"]] == [
        ("signals", "2021-01-01 00:00", 100),
        ("traded", "2021-01-05 04:00", 300),
        ("signals", "2021-01-17 16:00", 200),
    ]
    assert content["simulated"] is False
    assert len(content["datasets"]) == 3
    payments = made.frame("payments")
    assert len(payments) > 0
    assert payments["payment"].to_numpy() == pytest.approx(
        -1e-3 * payments["position"].to_numpy() * payments["mark_price"].to_numpy(), rel=1e-12
    )
    unpriced = {**pair, "traded_price_fallback": "none"}
    only = run(config_of({"data": {"instruments": [unpriced]}}), store=store, runs=None)
    assert len(only.panel) == 300
    free = run(
        config_of({"data": {"instruments": [{**pair, "funding": None}]}}), store=store, runs=None
    )
    assert len(free.replay.payments) == 0


def test_decisions_without_a_listed_symbol_are_dropped_and_told(tmp_path: Path):
    import pyarrow as pa

    store = Store(tmp_path / "store")
    bars, everywhere = random_bars(600, 1), np.ones(600, dtype=bool)
    middle = (np.arange(600) >= 300) & (np.arange(600) < 400)
    for symbol, market, keep in (
        ("XUSDT", "spot", everywhere),
        ("XUSDT", "um_perp", middle),
        ("YUSDT", "spot", everywhere),
    ):
        key = DatasetKey("ohlcv", "v", market, symbol, "1h", "s")
        store.write(key, pa.table(bar_table(bars, keep)), provenance={"test": 1})
    pairs = [
        {
            "signals": {"venue": "v", "market": "spot", "symbol": "XUSDT"},
            "traded": {"venue": "v", "market": "um_perp", "symbol": "XUSDT"},
        },
        {"signals": {"venue": "v", "market": "spot", "symbol": "YUSDT"}},
    ]
    made = run(
        config_of({"data": {"instruments": pairs}, "consensus": {"quorum": 1}}),
        store=store,
        runs=None,
    )
    acts = made.decisions.acts
    # Both symbols have the same signals; only the listed part of the first may act.
    assert acts[:, 1].sum() > acts[:, 0].sum() > 0
    assert (acts[:, 0] == (acts[:, 1] & middle)).all()
    dropped = int((acts[:, 1] & ~middle).sum())
    assert any(note.startswith(f"{dropped} decisions dropped") for note in made.notes)


def test_a_missing_funding_history_is_told(store: Store):
    source = "seed7-null"
    spot = {"venue": "simulated", "market": "spot", "symbol": SYMBOLS[0], "source": source}
    pair = {"signals": spot, "funding": spot}
    with pytest.raises(DataError, match=r"no funding.*data.instruments.0.funding to null"):
        run(config_of({"data": {"instruments": [pair]}}), store=store, runs=None)


def test_a_run_on_finer_bars_says_what_they_could_not_tell(tmp_path: Path):
    import pyarrow as pa

    store = Store(tmp_path / "store")
    minutes = random_bars(400 * 12, 1, timeframe="5m", with_flows=False)
    hours = resampled(minutes, "1h")
    assert hours is not None
    kept = np.ones(len(minutes), dtype=bool)
    kept[100 * 12 : 110 * 12] = False
    for step, bars, keep in (("1h", hours, np.ones(400, dtype=bool)), ("5m", minutes, kept)):
        key = DatasetKey("ohlcv", "v", "spot", "XUSDT", step, "s")
        store.write(key, pa.table(bar_table(bars, keep)), provenance={"test": 1})
    pair = {"signals": {"venue": "v", "market": "spot", "symbol": "XUSDT"}}
    data = {"instruments": [pair], "fine_timeframe": "5m"}
    tight = {"consensus": {"quorum": 1}, "exits": {"stop_atr": 0.4, "take_profit_r": 1}}
    made = run(config_of({"data": data, **tight}), store=store, runs=tmp_path / "runs")
    assert made.data.fine is not None
    assert made.replay.unresolved_bars == 10
    assert any(note.startswith("10 of 400 traded bars have no 5m bar") for note in made.notes)
    content = load_run(made.run_id, tmp_path / "runs").content
    assert (content["fine_timeframe"], content["unresolved_bars"]) == ("5m", 10)
    fills = made.frame("fills")
    assert (fills["time"].dt.minute % 5 == 0).all()
    assert (fills.loc[fills["phase"] == "intrabar", "time"].dt.minute != 0).any()
    coarse = run(config_of({"data": {"instruments": [pair]}, **tight}), store=store, runs=None)
    assert (coarse.decisions.target == made.decisions.target).all()
    assert coarse.replay.ambiguous_exits > made.replay.ambiguous_exits


def test_a_limit_entry_fills_at_its_price_as_a_maker(store: Store):
    overrides = ["entry.kind=limit", "entry.offset_atr=0.3", "exits.limit_bars=12"]
    made = run(config_of(small_tree(), overrides), store=store, runs=None)
    orders = made.frame("orders").set_index("order")
    fills = made.frame("fills")
    entries = fills[fills["reason"] == "entry"]
    assert entries["is_maker"].sum() > 5
    resting = entries[entries["is_maker"]]
    assert (resting["price"].to_numpy() == orders.loc[resting["order"], "price"].to_numpy()).all()
    assert (resting["spread"] == 0).all()
    waited = resting["bar"].to_numpy() - orders.loc[resting["order"], "decided_bar"].to_numpy()
    assert waited.min() >= 1
    assert waited.max() <= 12
    assert {"filled", "expired"} <= set(orders["status"])
