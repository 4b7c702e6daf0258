from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from datasets import KINDS, DatasetKey, Store, query, sql
from engine import ConfigError, DataError
from tests.test_datasets.sample_files import (
    BARS_KEY,
    HOUR_NS,
    START_NS,
    bar_table,
    contents,
    funding_table,
    utc_ns,
)


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


def test_orphans_are_not_counted(filled: Store) -> None:
    (part, *_) = filled.part_paths(filled.dataset(BARS_KEY))
    part.with_name("part-000000000000.parquet").write_bytes(part.read_bytes())
    answer = sql(filled, "SELECT count(*) AS n FROM ohlcv WHERE symbol = 'BTCUSDT'")
    assert answer["n"].tolist() == [23]


def test_a_part_that_is_superseded_before_the_query_reads_it(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = filled.dataset(BARS_KEY)
    filled.write(BARS_KEY, bar_table(24, start_ns=utc_ns("2021-12-31 12:00")), provenance={})
    answers = iter([stale])
    real = Store.dataset
    monkeypatch.setattr(Store, "dataset", lambda self, key: next(answers, None) or real(self, key))
    answer = sql(filled, "SELECT count(*) AS n FROM ohlcv WHERE symbol = 'BTCUSDT'")
    assert answer["n"].tolist() == [24]


@pytest.mark.parametrize("after", ["check_parts", "_open_views"])
def test_a_part_that_is_superseded_while_the_query_runs(
    filled: Store, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    whole = bar_table(24, start_ns=utc_ns("2021-12-31 12:00"))
    owner = Store if after == "check_parts" else query
    real = getattr(owner, after)

    def then_rewritten(*arguments: Any) -> None:
        real(*arguments)
        # Parts are checked in several threads, one for each data set: only one of them writes.
        if after == "_open_views" or arguments[-1].key == BARS_KEY:
            filled.write(BARS_KEY, whole, provenance={})

    monkeypatch.setattr(owner, after, then_rewritten)
    answer = sql(filled, "SELECT count(*) AS n, sum(close) FROM ohlcv WHERE symbol = 'BTCUSDT'")
    assert answer["n"].tolist() == [24]


def test_folders_above_the_store_add_no_columns(tmp_path: Path) -> None:
    store = Store(tmp_path / "year=2020" / "venue=nowhere" / "it's")
    store.write(BARS_KEY, bar_table(5), provenance={})
    assert sql(store, "SELECT venue FROM ohlcv")["venue"].tolist() == ["binance"] * 5
    assert "year" not in sql(store, "SELECT * FROM ohlcv").columns


def test_columns_of_every_type_and_a_kind_with_a_symbol_of_its_own(store: Store) -> None:
    store.write(
        DatasetKey("universe", "vendor", "coins", "ALL", "event", "list"),
        pa.table(
            {
                "event_time": pa.array([START_NS] * 2),
                "available_at": pa.array([START_NS + 40 * HOUR_NS] * 2),
                "asset": ["bitcoin", "tether"],
                "symbol": ["BTC", "USDT"],
                "rank": [1, 3],
                "is_stable": [False, True],
                "listed_at": pa.array([None, START_NS], pa.timestamp("ns")),
            }
        ),
        provenance={},
    )
    frame = sql(store, "SELECT * FROM universe ORDER BY rank")
    assert frame["dataset_symbol"].tolist() == ["ALL", "ALL"]
    assert frame["symbol"].tolist() == ["BTC", "USDT"]
    assert frame["is_stable"].tolist() == [False, True]
    assert frame["listed_at"][1] == pd.Timestamp("2021-01-01")
    assert frame["available_at"][0] == pd.Timestamp("2021-01-02 16:00")


def test_only_the_kinds_that_a_query_names_are_opened(filled: Store) -> None:
    key = DatasetKey("funding", "binance", "um_perp", "BTCUSDT", "8h", "test")
    filled.write(key, funding_table([START_NS], [1e-4]), provenance={})
    (filled.root / BARS_KEY.manifest).write_text("{")
    assert sql(filled, "SELECT rate FROM Funding")["rate"].tolist() == [1e-4]
    assert set(sql(filled, "SHOW TABLES")["name"]) == set(KINDS)
    with pytest.raises(DataError, match=r"test\.json: the manifest is damaged"):
        sql(filled, "SELECT count(*) FROM ohlcv")


def test_a_view_that_is_reached_without_its_name_is_not_found_empty(filled: Store) -> None:
    with pytest.raises(ConfigError, match="write the name of the view ohlcv in the query"):
        sql(filled, "SELECT count(*) FROM query_table('oh' || 'lcv')")


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
    assert len(sql(filled, "DESCRIBE ohlcv")) == 16
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
