"""``ninefold data fetch`` as a user types it, against the local server."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from datasets import Store
from engine import ConfigError
from experiments.cli import main
from experiments.config_fetch import fetch_config_of, load_fetch_config
from tests.exchange_servers import ExchangeServer, Faults, World
from tests.exchange_servers.truth import DAY_MS

ROOT = Path(__file__).resolve().parents[2]
WORLD = World(now_ms=1_700_000_123_456, listed_ms=1_700_000_123_456 - 9 * DAY_MS)


@pytest.fixture(scope="module")
def server() -> Iterator[ExchangeServer]:
    with ExchangeServer(WORLD) as running:
        yield running


def words(server: ExchangeServer, store: Path, *more: str) -> list[str]:
    return [
        "data", "fetch", "--exchange", "binance", "--symbols", "BTC/USDT,ETHUSDT",
        "--since", "2023-11-01", "--store", str(store),
        "-s", f"exchange.binance.urls.api.public={server.base_url}/api/v3",
        "-s", "exchange.binance.rateLimit=1", *more,
    ]  # fmt: skip


def test_fetch_by_options(
    server: ExchangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(server, tmp_path / "data")) == 0
    shown = capsys.readouterr()
    assert "ohlcv/binance/spot/BTCUSDT/1h/api" in re.sub(r"\s", "", shown.out)
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "· binance BTC/USDT ohlcv 1h: 100%, 215 rows" in shown.err
    assert len(Store(tmp_path / "data").keys()) == 2


def test_json_is_one_object_and_nothing_else(
    server: ExchangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(server, tmp_path / "data", "--json", "--until", "2023-11-10")) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    fetches = json.loads(shown.out)["fetches"]
    assert [one["status"] for one in fetches] == ["complete", "complete"]
    assert fetches[0]["dataset"] == "ohlcv/binance/spot/BTCUSDT/1h/api"
    assert fetches[0]["rows"] == fetches[0]["added_rows"] > 0


def test_fetch_by_file(
    server: ExchangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fetch.yaml"
    document = {
        "fetch": [
            {"exchange": "bybit", "symbols": ["BTC/USDT:USDT"], "since": "2023-11-01",
             "kinds": ["ohlcv", "funding"]},
            {"exchange": "okx", "symbols": ["BTC-USDT-SWAP"], "since": "2023-11-01T12:00"},
        ],
        "exchanges": {name: server.settings(name) for name in ("bybit", "okx")},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(document))
    assert main(["data", "fetch", str(path), "--store", str(tmp_path / "data")]) == 0
    found = Store(tmp_path / "data").datasets()
    assert {(info.key.venue, info.key.kind) for info in found} == {
        ("bybit", "ohlcv"),
        ("bybit", "funding"),
        ("okx", "ohlcv"),
    }
    assert main(["data", "fetch", str(path), "--since", "2020-01-01"]) == 2
    assert "--since cannot stand beside" in capsys.readouterr().err


def test_a_failure_is_told_at_the_end_and_the_rest_is_there(
    server: ExchangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = words(server, tmp_path / "data")
    command[command.index("BTC/USDT,ETHUSDT")] = "NONE/USDT,ETHUSDT"
    assert main(command) == 3
    shown = capsys.readouterr()
    assert "error: binance: there is no 'NONE/USDT'" in shown.err
    assert "complete" in shown.out
    assert len(Store(tmp_path / "data").keys()) == 1


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({}, "the key 'fetch' is missing"),
        ({"fetch": []}, "fetch"),
        ({"fetch": [{"exchange": "okx", "symbols": ["BTC/USDT"]}]}, "'fetch.0.since' is missing"),
        ({"fetch": [{"exchange": "okx", "symbols": ["BTC/USDT"], "since": "soon"}]}, "must be a date"),
        (
            {"fetch": [{"exchange": "okx", "symbols": ["BTC/USDT"], "since": "2024-01-01",
                        "until": "2023-01-01"}]},
            "must be after since",
        ),
        (
            {"fetch": [{"exchange": "okx", "symbols": ["BTC/USDT"], "since": "2024-01-01",
                        "symbol": "x"}]},
            "unknown key 'fetch.0.symbol'; did you mean 'symbols'",
        ),
        (
            {"fetch": [{"exchange": "okx", "symbols": ["BTC/USDT"], "since": "2024-01-01",
                        "timeframe": "7x"}]},
            "timeframe",
        ),
        (
            {"fetch": [{"exchange": "okx", "symbols": ["BTC/USDT"], "since": "2024-01-01",
                        "archive": True}]},
            "needs exchange: binance",
        ),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_named(tree: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fetch_config_of(tree)


def test_an_error_in_a_file_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "fetch.yaml"
    path.write_text("fetch:\n  - exchange: okx\n    symbols: [BTC/USDT]\n    since: never\n")
    with pytest.raises(ConfigError, match=r"fetch\.yaml:4: fetch\.0\.since='never' must be a date"):
        load_fetch_config(path)


def test_the_example_is_sound() -> None:
    from datasets.fetch.client import check_exchange

    config = load_fetch_config(ROOT / "experiments/configs/fetch.yaml")
    assert len(config.fetch) == 4
    for job in config.jobs():
        check_exchange(job.exchange, config.exchanges.get(job.exchange, {}))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("exchange.binance.timeout=soon", "exchanges.binance.timeout='soon' must be a number"),
        ("exchange.binance.rateLimit=-1", "exchanges.binance.rateLimit=-1 must be a number"),
        ("exchange.binance.urls=x", "exchanges.binance.urls='x' must be"),
        ("exchange.binance.options=7", "exchanges.binance.options=7 must be"),
        ("exchange.binance.fetch_ohlcv=1", "ccxt has no such setting"),
        ("exchange.bybt.timeout=1000", "exchange='bybt' is unknown to ccxt; did you mean bybit"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_named(
    server: ExchangeServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    override: str,
    message: str,
) -> None:
    assert main([*words(server, tmp_path / "data"), "-s", override]) == 2
    assert message in capsys.readouterr().err


def test_unknown_exchange_and_setting_end_with_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = [
        "data",
        "fetch",
        "--symbols",
        "BTC/USDT",
        "--since",
        "2024-01-01",
        "--store",
        str(tmp_path),
    ]
    assert main([*base, "--exchange", "bybt"]) == 2
    assert "did you mean bybit" in capsys.readouterr().err
    assert main([*base, "--exchange", "bybit", "-s", "exchange.bybit.timeot=3"]) == 2
    assert "did you mean timeout" in capsys.readouterr().err
    assert main(["data", "fetch", "--exchange", "bybit"]) == 2
    assert "--symbols is missing" in capsys.readouterr().err


def test_ctrl_c_prints_the_command_that_goes_on(tmp_path: Path) -> None:
    with ExchangeServer(WORLD, faults=Faults(("slow",), 1.0), slow_seconds=0.2) as server:
        command = words(server, tmp_path / "data", "--timeframe", "1m")
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, *command],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert child.stderr is not None
        line = ""
        while not re.search(r": \d?[1-9]\d?%", line):
            line = child.stderr.readline()
            assert line
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        assert child.returncode == 130, err
        assert "interrupted" in out
        (resume,) = re.findall(r"to go on: ninefold (.*)", err)
        server.faults.share = 0.0
        assert main(_split(resume)) == 0
        # The listing is not on the grid: its first minute has no bar.
        rows = [info.rows for info in Store(tmp_path / "data").datasets()]
        assert rows == [9 * 1440 - 1] * 2


CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from experiments.cli import main
sys.exit(main(sys.argv[1:]))
"""


def _split(command: str) -> list[str]:
    import shlex

    return shlex.split(command)


def test_the_shipped_file_is_valid() -> None:
    path = Path(__file__).resolve().parents[2] / "experiments" / "configs" / "fetch.yaml"
    config = load_fetch_config(path)
    assert [item.exchange for item in config.fetch] == ["binance", "binanceusdm", "bybit", "okx"]
