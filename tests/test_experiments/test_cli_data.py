"""``ninefold data``: the tables it prints, and the upkeep of a store."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from datasets import KINDS, Store
from datasets.importers import FORMATS
from datasets.kinds.text import column_text

from .test_cli import called, kline_rows, refused, written

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
