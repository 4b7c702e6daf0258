"""``ninefold data``: the tables it prints, and the upkeep of a store."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from datasets import KINDS, Store, write_simulated
from datasets.importers import FORMATS
from datasets.kinds.text import column_text
from experiments import RunConfig

from .command_line import called, kline_rows, refused, written
from .conftest import SYMBOLS

BTC = "ohlcv/binance/spot/BTCUSDT/1h/binance_archive"
ETH = "ohlcv/binance/spot/ETHUSDT/1h/binance_archive"


@pytest.fixture
def filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    store = tmp_path / "store"
    for symbol in ("BTCUSDT", "ETHUSDT"):
        path = written(tmp_path / f"{symbol}-1h-2021-01_spot.csv", kline_rows(30))
        assert called(capsys, "data", "import", path, "--store", store)[0] == 0
    return store


def test_kinds_prints_the_table_of_the_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = called(capsys, "data", "kinds")
    assert code == 0
    assert all(len(line) <= 80 for line in out.splitlines())
    words = out.replace("\n", " ").split()
    for kind in KINDS.values():
        assert kind.name in words
        for column in kind.columns:
            assert any(column_text(column) in word for word in words), (kind.name, column.name)
    _, out, _ = called(capsys, "data", "kinds", "--json")
    listed = json.loads(out)["kinds"]
    assert [one["kind"] for one in listed] == list(KINDS)
    assert listed[0]["usable_from"] == "open_time + step"
    _, out, _ = called(capsys, "data", "kinds", "liquidations")
    assert "(buy, sell)" in out
    code, line = refused(capsys, "data", "kinds", "candles")
    assert code == 3
    assert "kind='candles' is unknown" in line


def test_formats_lists_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = called(capsys, "data", "formats", "--json")
    listed = json.loads(out)["formats"]
    assert [one["name"] for one in listed] == [one.name for one in FORMATS]
    assert all(one["recognised_by"] and one["holds"] and one["kinds"] for one in listed)
    code, out, _ = called(capsys, "data", "formats")
    assert code == 0
    assert all(one.name in out for one in FORMATS)


def test_a_wrong_market_or_rule_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "BTCUSDT-1h-2021-01.csv", kline_rows())
    code, line = refused(capsys, "data", "import", path, "--market", "spt")
    assert code == 3
    assert "market='spt' is unknown; it must be one of spot, um_perp" in line
    code, line = refused(
        capsys, "data", "import", path, "--market", "spot", "--on-conflict", "newest"
    )
    assert code == 2
    assert "refuse, keep, replace, revise" in line
    assert not (tmp_path / "data").exists()


def test_a_contradiction_is_refused_or_settled_by_the_rule_that_was_given(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = kline_rows(30)
    rows[4][5] = "6"
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", rows)
    code, line = refused(capsys, "data", "import", path, "--store", filled)
    assert code == 3
    assert "volume is 5.0 in the store and 6.0 in the new data" in line
    code, out, _ = called(
        capsys, "data", "import", path, "--store", filled, "--on-conflict", "keep", "--json"
    )
    assert code == 0
    (report,) = json.loads(out)["imports"]
    assert "volume is 5.0 in the store and 6.0 in the new data" in report["conflicts"][0]
    query = "SELECT sum(volume) AS volume FROM ohlcv WHERE symbol = 'BTCUSDT'"
    _, out, _ = called(capsys, "data", "sql", query, "--store", filled, "--json")
    assert json.loads(out)["rows"] == [[150.0]]
    code, _, _ = called(
        capsys, "data", "import", path, "--store", filled, "--on-conflict", "replace"
    )
    assert code == 0
    _, out, _ = called(capsys, "data", "sql", query, "--store", filled, "--json")
    assert json.loads(out)["rows"] == [[151.0]]


def test_export_writes_what_the_store_holds(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out_path = tmp_path / "btc.csv"
    code, out, _ = called(
        capsys, "data", "export", BTC, "--out", out_path, "--store", filled,
        "--since", "2021-01-01 02:00", "--until", "2021-01-01 05:00",
    )  # fmt: skip
    assert code == 0
    assert "3 rows" in out
    frame = pd.read_csv(out_path)
    assert frame["open_time"].str[11:13].tolist() == ["02", "03", "04"]
    called(
        capsys, "data", "export", BTC, "--out", out_path, "--store", filled,
        "--as-of", "2021-01-01 02:30",
    )  # fmt: skip
    assert len(pd.read_csv(out_path)) == 2
    code, line = refused(
        capsys, "data", "export", BTC, "--out", tmp_path / "btc.xls", "--store", filled
    )
    assert code == 2
    assert "btc.xls" in line


def test_rm_asks_and_takes_patterns(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = refused(capsys, "data", "rm", "ohlcv/*/DOGEUSDT/*", "--yes", "--store", filled)
    assert code == 2
    assert "no data set of the store fits" in line
    code, _, _ = called(capsys, "data", "rm", "ohlcv/*/BTCUSDT/*", "--yes", "--store", filled)
    assert code == 0
    assert list(map(str, Store(filled).keys())) == [ETH]
    assert called(capsys, "data", "verify", "--store", filled)[0] == 0
    code, line = refused(capsys, "data", "rm", ETH, "--json", "--store", filled)
    assert code == 2
    assert "--yes" in line


def test_compact_joins_parts(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "data", "compact", "--store", filled, "--json")
    assert code == 0
    assert json.loads(out) == {"datasets": 2, "compacted": []}


def test_one_damaged_manifest_is_named_and_the_rest_is_listed(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = filled / "_manifest" / f"{BTC}.json"
    manifest.write_bytes(manifest.read_bytes()[:50])
    code, out, _ = called(capsys, "data", "ls", "--store", filled, "--json")
    assert code == 0
    listed = json.loads(out)
    assert [one["dataset"] for one in listed["datasets"]] == [ETH]
    assert BTC in listed["problems"][0]
    code, out, err = called(capsys, "data", "ls", "--store", filled)
    assert "ETHUSDT" in out
    assert "cannot be listed" in err
    assert called(capsys, "data", "verify", "--store", filled)[0] == 1


def test_rm_that_is_not_confirmed_changes_nothing(
    filled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ("n\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        code, _, err = called(capsys, "data", "rm", ETH, "--store", filled)
        assert code == 1
        assert err.splitlines()[-1] == "error: not confirmed, nothing was changed"
        assert "Traceback" not in err
    assert len(Store(filled).keys()) == 2


def test_ls_can_be_narrowed(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = called(
        capsys, "data", "ls", "--symbol", "BTC*", "--kind", "ohlcv", "--store", filled, "--json"
    )
    assert [one["dataset"] for one in json.loads(out)["datasets"]] == [BTC]
    _, out, _ = called(capsys, "data", "ls", "--venue", "okx", "--store", filled)
    assert "no data sets" in out


def test_wide_answers_of_sql_are_one_cell_a_line(
    filled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = called(capsys, "data", "sql", "SELECT * FROM ohlcv LIMIT 2", "--store", filled)
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "          symbol  BTCUSDT\n" in out
    _, out, _ = called(
        capsys, "data", "sql", "SELECT symbol, close FROM ohlcv LIMIT 1", "--store", filled
    )
    assert [line.split() for line in out.splitlines()][1] == ["symbol", "close"]


def test_verify_tells_of_what_interrupted_writers_left(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = next(filled.rglob("part-*.parquet"))
    part.with_name("part-000000000000.parquet").write_bytes(b"left")
    _, out, _ = called(capsys, "data", "verify", "--store", filled, "--json")
    assert json.loads(out)["sound"] is True
    assert len(json.loads(out)["leftovers"]) == 1
    assert called(capsys, "data", "compact", "--store", filled)[0] == 0
    _, out, _ = called(capsys, "data", "verify", "--store", filled, "--json")
    assert json.loads(out)["leftovers"] == []


def test_data_commands(small_config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    # A store of its own: other tests write further symbols into the shared one.
    store = Store(tmp_path / "store")
    assert small_config.simulation is not None
    write_simulated(store, small_config.simulation)
    code, out, _ = called(capsys, "data", "ls", "--store", store.root)
    assert code == 0
    assert f"simulated/spot/{SYMBOLS[0]}" in out
    code, out, _ = called(capsys, "data", "ls", "--store", store.root, "--json")
    assert {one["simulated"] for one in json.loads(out)["datasets"]} == {True}
    code, out, _ = called(capsys, "data", "verify", "--store", store.root)
    assert code == 0
    assert "all sound" in out
    query = "SELECT symbol, count(*) AS bars, NULL AS nothing FROM ohlcv GROUP BY 1 ORDER BY 1"
    code, out, _ = called(capsys, "data", "sql", query, "--store", store.root, "--json")
    answer = json.loads(out)
    assert answer["columns"] == ["symbol", "bars", "nothing"]
    assert [row[0] for row in answer["rows"]] == list(SYMBOLS)
    assert all(row[2] is None for row in answer["rows"])
    code, out, _ = called(capsys, "data", "sql", query, "--store", store.root, "--limit", 1)
    assert "1 of 2 rows" in out
    query = "SELECT open_time FROM ohlcv ORDER BY 1 LIMIT 1"
    code, out, _ = called(capsys, "data", "sql", query, "--store", store.root, "--json")
    assert json.loads(out)["rows"] == [["2021-01-01 00:00:00"]]
    code, _ = refused(capsys, "data", "sql", "DROP TABLE ohlcv", "--store", store.root)
    assert code == 2


def test_simulate_and_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = tmp_path / "store"
    given = ("--symbols", "ZZZSIM", "--days", 3, "--mode", "null", "--seed", 3, "--store", store)
    code, out, _ = called(capsys, "data", "simulate", *given)
    assert code == 0
    assert all(line.startswith("SIMULATED ") for line in out.splitlines())
    code, out, _ = called(capsys, "data", "simulate", *given, "--json")
    assert json.loads(out)["written"] == []
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", kline_rows())
    code, out, err = called(capsys, "data", "import", path, "--store", store, "--json")
    assert code == 0
    (report,) = json.loads(out)["imports"]
    assert report["rows"] == 6
    assert str(path) in err
    code, out, _ = called(capsys, "data", "import", path, "--store", store)
    assert code == 0
    assert "0 new" in out


Break = Callable[[list[list[str]]], None]


def duplicated(rows: list[list[str]]) -> None:
    rows[3] = [rows[2][0], "100", "103", *rows[2][3:]]


def negative(rows: list[list[str]]) -> None:
    rows[2][4] = "-101"


def off_grid(rows: list[list[str]]) -> None:
    rows[2][0] = str(int(rows[2][0]) + 1_234_567)


@pytest.mark.parametrize("damage", [duplicated, negative, off_grid])
def test_bad_rows_are_one_line_and_the_store_stays_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Break
):
    rows = kline_rows()
    store = tmp_path / "store"
    good = written(tmp_path / "ETHUSDT-1h-2021-01_spot.csv", rows)
    assert called(capsys, "data", "import", good, "--store", store)[0] == 0
    damage(rows)
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", rows)
    code, line = refused(capsys, "data", "import", path, "--store", store)
    assert code == 3
    assert str(path) in line
    assert "line " in line
    assert called(capsys, "data", "verify", "--store", store)[0] == 0
    _, out, _ = called(capsys, "data", "ls", "--store", store, "--json")
    assert [one["dataset"].split("/")[3] for one in json.loads(out)["datasets"]] == ["ETHUSDT"]


def test_rows_out_of_order_are_sorted_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = kline_rows()
    rows[2], rows[3] = rows[3], rows[2]
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", rows)
    code, out, _ = called(capsys, "data", "import", path, "--store", tmp_path / "store")
    assert code == 0
    assert "unsorted: 1 of 6 rows moved: not in time order, sorted" in out
    assert "line 5 (2021-01-01 02:00)" in out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("BTCUSDT-1h-2021-01_spot.csv", b""),
        ("BTCUSDT-1h-2021-01_spot.csv", b"open_time,open,high\n1,2,3\n"),
        ("ohlcv.parquet", b""),
        ("ohlcv.parquet", b"PAR1 truncated"),
    ],
)
def test_bad_files_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
):
    path = tmp_path / name
    path.write_bytes(content)
    store = tmp_path / "store"
    code, line = refused(capsys, "data", "import", path, "--store", store)
    assert code == 3
    assert str(path) in line
    store.mkdir(exist_ok=True)
    assert called(capsys, "data", "verify", "--store", store)[0] == 0


def test_a_damaged_store_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = tmp_path / "store"
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", kline_rows())
    assert called(capsys, "data", "import", path, "--store", store)[0] == 0
    part = next(store.rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    code, out, _ = called(capsys, "data", "verify", "--store", store, "--json")
    assert code == 1
    assert json.loads(out)["sound"] is False
    code, out, _ = called(capsys, "doctor", "--store", store)
    assert code == 1
    assert "wrong" in out
