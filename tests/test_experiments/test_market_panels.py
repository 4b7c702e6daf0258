"""A run that trades one symbol and looks across many: its panels, and what it does without them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets import Store, import_files
from engine import DAY_NS, ConfigError, DataError
from experiments import config_of, load_config, run
from experiments.market_data import load_market_data, signal_markets
from experiments.market_panels import universe_notes
from indicators import INDICATORS_BY_NAME, build_features, feature

CONFIGS = Path(__file__).resolve().parents[2] / "experiments" / "configs"
COINS = tuple(f"{name}SIM" for name in ("BTC", "ETH", "SOL", "AVAX", "ARB", "OP", "UNI"))
INDEX = feature("altcoin_season", "index", clock="universe", least_coins=3)
BETA = feature("benchmark_beta", "value", clock="benchmark")


def tree(**universe: object) -> dict[str, object]:
    simulated = {"symbols": list(COINS), "days": 100, "seed": 3}
    one = {"venue": "simulated", "market": "spot", "symbol": "SOLSIM", "source": "seed3-null"}
    across = {"venue": "simulated", "market": "spot", "quote": "SIM", "benchmark": "BTCSIM"}
    data = {"simulated": simulated, "instruments": [{"signals": one}]}
    return {"name": "across", "data": {**data, "universe": {**across, **universe}}}


@pytest.fixture(scope="module")
def simulated_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


def test_a_run_of_one_symbol_sees_the_others(simulated_store: Store) -> None:
    config = config_of(tree())
    data = load_market_data(config, simulated_store)
    market = data.markets["SOLSIM"]
    universe, benchmark = market.panels["universe"], market.panels["benchmark"]
    assert set(universe.symbols) == {symbol.removesuffix("SIM") for symbol in COINS}
    assert universe.symbols[universe.benchmark] == "BTC"
    assert universe.own == universe.symbols.index("SOL")
    np.testing.assert_array_equal(
        benchmark.columns["close"][:, 0][~market.bars.is_gap],
        market.bars.close[~market.bars.is_gap],
    )
    assert {key.symbol for key in data.datasets} == set(COINS)
    matrix = build_features(market, [INDEX, BETA], indicators=INDICATORS_BY_NAME)
    index = matrix.get(INDEX)
    assert index is not None
    # Known from the close of the bar that ends the ninety-first day.
    first = int(np.flatnonzero(~np.isnan(index))[0])
    assert int(matrix.known_at[first]) == int(universe.event_time[0]) + 91 * DAY_NS
    assert matrix.get(BETA) is not None
    (alone,) = signal_markets(config, config.instruments, simulated_store)
    assert alone.panels.keys() == market.panels.keys()
    for name, panel in market.panels.items():
        for label, table in panel.columns.items():
            np.testing.assert_array_equal(alone.panels[name].columns[label], table)


def test_without_a_universe_there_is_none(simulated_store: Store) -> None:
    plain = tree()
    del plain["data"]["universe"]
    data = load_market_data(config_of(plain), simulated_store)
    assert not data.markets["SOLSIM"].panels
    matrix = build_features(data.markets["SOLSIM"], [INDEX, BETA], indicators=INDICATORS_BY_NAME)
    assert matrix.features == ()


def test_what_is_read_is_part_of_the_fingerprint(simulated_store: Store) -> None:
    few = load_market_data(config_of(tree(symbols=["ETHSIM", "SOLSIM"])), simulated_store)
    many = load_market_data(config_of(tree()), simulated_store)
    assert few.markets["SOLSIM"].panels["universe"].symbols == ("BTC", "ETH", "SOL")
    assert few.fingerprint != many.fingerprint


def test_a_universe_that_is_not_there_is_an_error(simulated_store: Store) -> None:
    with pytest.raises(DataError, match="has no bars of nowhere/spot in SIM; import some"):
        load_market_data(config_of(tree(venue="nowhere")), simulated_store)
    with pytest.raises(DataError, match="XYZSIM"):
        load_market_data(config_of(tree(symbols=["XYZSIM"])), simulated_store)
    with pytest.raises(ConfigError, match="market_cap needs the list of coins"):
        config_of(tree(by="market_cap"))


def test_a_reader_is_told_how_many_coins_there_are(simulated_store: Store) -> None:
    markets = load_market_data(config_of(tree()), simulated_store).markets
    assert universe_notes(markets) == [
        "universe: 6 coins beside BTC, 0 to 6 of them members on a day of the run"
    ]
    assert universe_notes({}) == []


@pytest.fixture(scope="module")
def real_store(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Store:
    store = Store(tmp_path_factory.mktemp("real"))
    import_files(store, [real_data / "klines" / "binance_spot_ohlcv_1h_universe.parquet"])
    return store


@pytest.mark.real
def test_altcoin_season_of_the_real_universe(real_store: Store, real_data: Path) -> None:
    """Against pandas on the file itself: every coin with a whole window of its present listing."""
    one = {"venue": "binance", "market": "spot", "symbol": "MATICUSDT", "source": "ohlcv_bars"}
    across = {"venue": "binance", "market": "spot", "source": "ohlcv_bars"}
    config = config_of(
        {
            "name": "real",
            "data": {
                "start": "2022-05-31",
                "end": "2022-12-31",
                "instruments": [{"signals": one}],
                "universe": across,
            },
        }
    )
    market = load_market_data(config, real_store).markets["MATICUSDT"]
    wanted = feature("altcoin_season", "index", clock="universe")
    column = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).get(wanted)
    assert column is not None
    frame = pd.read_parquet(real_data / "klines" / "binance_spot_ohlcv_1h_universe.parquet")
    frame["day"] = frame["open_time"].dt.floor("D").dt.tz_localize(None)
    closes = frame.groupby(["day", "symbol"])["close"].last().unstack()
    closes = closes.drop(columns=["USTUSDT", "USDCUSDT"])
    for day in pd.date_range("2022-06-01", "2022-12-30", freq="5D"):
        # Ninety-one days of the present listing; LUNAUSDT is another coin since 2022-05-31.
        window = closes.loc[day - pd.Timedelta(days=91) : day]
        there = window.notna()
        listed = there.iloc[[0, 1, -1]].all() & (there.sum() > 85)
        listed["LUNAUSDT"] &= window.index[0] >= pd.Timestamp("2022-05-31")
        grown = (window.iloc[-1] / window.iloc[1])[listed]
        expected = 100.0 * (grown.drop("BTCUSDT") > grown["BTCUSDT"]).mean()
        row = int(np.searchsorted(market.bars.close_time, (day + pd.Timedelta(days=1)).value))
        assert column[row] == pytest.approx(expected, abs=1e-9), day
        assert (column[row - 24 : row] == column[row - 1]).all(), "it changes once a day"


@pytest.mark.real
def test_what_the_real_universe_is_known_for(real_store: Store) -> None:
    """Bitcoin season after the crash of May 2022, altcoins ahead in September, bitcoin again in 2023."""
    one = {"venue": "binance", "market": "spot", "symbol": "ETHUSDT", "source": "ohlcv_bars"}
    across = {"venue": "binance", "market": "spot", "source": "ohlcv_bars"}
    data = {"instruments": [{"signals": one}], "universe": across, "start": "2022-06-01"}
    config = config_of({"name": "real", "data": {**data, "end": "2023-07-31"}})
    market = load_market_data(config, real_store).markets["ETHUSDT"]
    wanted = feature("altcoin_season", "index", clock="universe")
    column = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).get(wanted)
    assert column is not None

    def on(day: str) -> float:
        return float(column[np.searchsorted(market.bars.close_time, pd.Timestamp(day).value)])

    assert on("2022-06-20") < 25.0
    assert on("2022-09-15") >= 75.0
    assert on("2023-06-20") < 25.0


@pytest.mark.real
def test_the_configuration_gives_crypto_metrics_the_season_and_the_rotation(
    real_store: Store,
) -> None:
    config = load_config(
        CONFIGS / "across_coins_1h.yaml", ["data.start=2022-08-20", "data.end=2022-09-20"]
    )
    made = run(config, store=real_store, runs=None)
    votes = made.votes["ETHUSDT"]
    column = votes.names.index("crypto_metrics")
    assert (votes.coverage[:, column] > 0).all()
    assert (votes.direction[:, column] > 0).any()
    assert any(note.startswith("universe: 36 coins beside BTC") for note in made.notes)
    assert not any("crypto_metrics has no data" in note for note in made.notes)
