"""``ninefold data check``: what it prints, and its exit codes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from datasets import Store
from engine import ConfigError
from experiments.cli.data.checking import check
from tests.test_datasets.quality.planting import clean_bars, key_of, series_of, without_rows

app = typer.Typer()
app.command("check")(check)
app.command("other")(lambda: None)


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(
        app, ["check", *map(str, arguments)]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    opened = Store(root)
    for symbol, rows in {"AAAUSDT": {50}, "BBBUSDT": {50}, "CCCUSDT": {50, 90}}.items():
        key = key_of(symbol)
        columns = without_rows(clean_bars(), rows)
        opened.write(key, series_of(columns, key).table, provenance={"file": symbol})
    return root


def test_gaps_are_information_and_the_table_fits_80_columns(store: Path) -> None:
    code, text = run("--store", store, "--strict")
    assert code == 0
    assert "1 outage, 1 download" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_json_has_the_gaps_of_one_symbol_with_their_causes(store: Path) -> None:
    code, text = run("--store", store, "--symbol", "CCCUSDT", "--json")
    assert code == 0
    (dataset,) = json.loads(text)["datasets"]
    assert [gap["cause"] for gap in dataset["gaps"]] == ["outage", "download_hole"]
    assert dataset["gaps"][0]["start_time"] == "2020-01-03 07:00"
    assert Store(store).dataset(key_of("CCCUSDT")).quality == dataset


def test_the_period_that_should_be_there(store: Path) -> None:
    _, text = run("--store", store, "--symbol", "AAAUSDT", "--since", "2020-01-01", "--json")
    (dataset,) = json.loads(text)["datasets"]
    assert dataset["gaps"][0]["cause"] == "unknown"
    assert dataset["gaps"][0]["missing_rows"] == 5
    with pytest.raises(ConfigError, match="is not after"):
        run("--store", store, "--since", "2020-02-01", "--until", "2020-01-01")


def test_options_that_fit_nothing_are_an_error(store: Path) -> None:
    with pytest.raises(ConfigError, match="no data set of the store fits"):
        run("--store", store, "--symbol", "NONE")


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    assert run("--store", tmp_path, "--strict")[0] == 0


def test_strict_fails_for_rows_that_are_wrong(store: Path) -> None:
    columns = clean_bars()
    columns["close"][100] *= 2
    columns["high"][100] = columns["close"][100]
    key = key_of("DDDUSDT")
    Store(store).write(key, series_of(columns, key).table, provenance={"file": "d"})
    assert run("--store", store)[0] == 0
    assert run("--store", store, "--strict")[0] == 1


def test_a_refused_file_is_told_and_strict_fails(tmp_path: Path) -> None:
    path = tmp_path / "noise.bin"
    path.write_bytes(b"\x00\x01noise")
    code, text = run(path)
    assert code == 1
    assert "refused (unreadable)" in text
    assert run(path, "--strict")[0] == 1


def test_a_file_that_needs_an_option_fails_and_the_others_are_told(tmp_path: Path) -> None:
    bars = tmp_path / "bars.csv"
    bars.write_text("time,open,high,low,close,volume\n2024-01-01 00:00:00,1,1,1,1,1\n")
    code, text = run(tmp_path / "absent.csv", bars, "--json")
    assert code == 1
    refused = json.loads(text)["refused"]
    assert [Path(one["path"]).name for one in refused] == ["absent.csv", "bars.csv"]


def test_many_data_sets_are_few_lines(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for number in range(60):
        key = key_of(f"A{number:02}_VERYLONGNAME_USDT")
        gone = {49 + number} if number < 50 else set()
        table = series_of(without_rows(clean_bars(count=100), gone), key).table
        store.write(key, table, provenance={"file": "f"})
    result = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(
        app, ["check", "--store", str(store.root)]
    )
    lines = result.stdout.splitlines()
    assert all(len(line) <= 80 for line in (*lines, *result.stderr.splitlines()))
    assert len(result.stderr.splitlines()) <= 11
    assert len(lines) < 115
    assert "10 more; --json lists all" in result.stdout
    assert "ohlcv 1h: 10 data sets with nothing wrong" in result.stdout
    titles = [result.stdout.index(word) for word in ("defects", "gaps by cause", "data set  ")]
    assert titles == sorted(titles)


def test_one_is_singular(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.write(key_of(), series_of(clean_bars()).table, provenance={"file": "f"})
    text = run("--store", store.root)[1]
    assert "ohlcv 1h: 1 data set with nothing wrong" in text
    assert "1 data sets" not in text


def test_the_picture_is_written(store: Path, tmp_path: Path) -> None:
    picture = tmp_path / "coverage.html"
    code, text = run("--store", store, "--html", picture)
    assert code == 0
    assert "coverage.html" in text
    assert "CCCUSDT" in picture.read_text(encoding="utf-8")
