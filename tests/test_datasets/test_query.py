from pathlib import Path

import pandas as pd
import pytest

from datasets import KINDS, DatasetKey, Store, sql
from engine import ConfigError, DataError
from tests.test_datasets.sample_files import BARS_KEY, START_NS, bar_table, contents, utc_ns


@pytest.fixture
def filled(store: Store) -> Store:
    store.write(
        BARS_KEY, bar_table(24, start_ns=utc_ns("2021-12-31 12:00"), without=(3,)), provenance={}
    )
    key = DatasetKey("ohlcv", "binance", "um_perp", "1000PEPEUSDT", "1h", "2024")
    store.write(key, bar_table(5, seed=1), provenance={})
    return store


def test_one_view_per_kind_with_the_columns_of_the_key(filled: Store) -> None:
    frame = sql(filled, "SELECT * FROM ohlcv ORDER BY symbol, open_time")
    assert frame.columns.tolist()[:5] == ["venue", "market", "symbol", "step", "source"]
    assert len(frame) == 28
    first = frame.iloc[0]
    assert (first["symbol"], first["source"]) == ("1000PEPEUSDT", "2024")
    assert first["open_time"] == pd.Timestamp("2021-01-01")
    bars = frame[frame["symbol"] == "BTCUSDT"]
    assert bars["close"].tolist() == filled.read(BARS_KEY)["close"].to_pylist()


def test_kinds_without_data_are_empty_views(filled: Store) -> None:
    for name, kind in KINDS.items():
        frame = sql(filled, f"SELECT * FROM {name} LIMIT 1")
        assert frame.columns.tolist()[5:] == kind.schema.names
    assert sql(filled, "SELECT count(*) AS n FROM funding")["n"].tolist() == [0]


def test_orphans_and_superseded_parts_are_not_counted(filled: Store) -> None:
    filled.write(BARS_KEY, bar_table(24, start_ns=utc_ns("2021-12-31 12:00")), provenance={})
    parts = list((filled.root / BARS_KEY.folder).glob("part-*.parquet"))
    assert len(parts) == 3
    answer = sql(filled, "SELECT count(*) AS n FROM ohlcv WHERE symbol = 'BTCUSDT'")
    assert answer["n"].tolist() == [24]


def test_folders_above_the_store_add_no_columns(tmp_path: Path) -> None:
    store = Store(tmp_path / "year=2020" / "it's")
    store.write(BARS_KEY, bar_table(5), provenance={})
    assert sql(store, "SELECT venue FROM ohlcv")["venue"].tolist() == ["binance"] * 5
    assert "year" not in sql(store, "SELECT * FROM ohlcv").columns
    misplaced = Store(tmp_path / "venue=nowhere" / "store")
    misplaced.write(BARS_KEY, bar_table(5), provenance={})
    with pytest.raises(DataError, match="'venue=nowhere' above the store"):
        sql(misplaced, "SELECT venue FROM ohlcv")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "SELECT nope FROM ohlcv",
        "COPY ohlcv TO 'out.csv'",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW ohlcv",
        "SET enable_external_access = true",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "INSERT INTO ohlcv SELECT * FROM ohlcv",
        "ATTACH 'x.duckdb'",
    ],
)
def test_only_one_select_over_the_store_is_answered(filled: Store, query: str) -> None:
    before = contents(filled.root)
    with pytest.raises(ConfigError, match="SQL"):
        sql(filled, query)
    assert contents(filled.root) == before


def test_explain_describe_and_ctes_are_selects(filled: Store) -> None:
    assert len(sql(filled, "DESCRIBE ohlcv")) == 15
    assert len(sql(filled, "EXPLAIN SELECT * FROM ohlcv")) >= 1
    assert sql(filled, "WITH a AS (SELECT 1 AS x) SELECT x FROM a")["x"].tolist() == [1]
    assert (
        sql(filled, "SELECT min(epoch_us(open_time)) AS t FROM ohlcv")["t"].item()
        == START_NS // 1000
    )


def test_part_that_is_gone_is_a_data_error(filled: Store) -> None:
    next((filled.root / BARS_KEY.folder).glob("part-*.parquet")).unlink()
    with pytest.raises(DataError, match="verify"):
        sql(filled, "SELECT count(close) FROM ohlcv")


def test_a_changed_part_is_an_error_and_not_a_wrong_sum(filled: Store) -> None:
    (part, *_) = filled.part_paths(filled.dataset(BARS_KEY))
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 0xFF
    part.write_bytes(bytes(data))
    with pytest.raises(DataError, match=f"{part.name}.*the file was changed"):
        sql(filled, "SELECT sum(high) FROM ohlcv")
