"""The tutorial, command by command: from the local exchanges to a verdict."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments import list_runs
from tests.exchange_servers import ExchangeServer, World
from tests.exchange_servers.archive import Archive
from tests.exchange_servers.truth import HOUR_MS, cents, fine, rate
from tests.page_runner import ROOT, PageRunner, blocks_of

TUTORIAL = ROOT / "docs" / "tutorial.md"


def test_the_tutorial_runs_as_it_is_written(runner: PageRunner) -> None:
    runner.run(TUTORIAL)
    assert len(list_runs(runner.folder / "runs")) == 3
    for name in ("report.html", "compare.html", "best.yaml"):
        assert (runner.folder / name).is_file()
    assert any("validate btc_hours" in command for command in runner.ran)


KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)


def archive_of(world: World, symbol: str) -> Archive:
    """The monthly files of Binance about a perpetual: its hours and its funding."""
    hours: dict[str, list[str]] = {}
    settled: dict[str, list[str]] = {}
    last = world.now_ms - HOUR_MS
    for time_ms in world.times(0, last, HOUR_MS):
        bar = world.bar(symbol, time_ms, HOUR_MS)
        prices = ",".join(map(cents, (bar.open, bar.high, bar.low, bar.close, bar.volume)))
        amounts = f"{cents(bar.quote_volume)},{bar.trades},{cents(bar.taker_volume)}"
        hours.setdefault(month_of(time_ms), [KLINES]).append(
            f"{time_ms},{prices},{time_ms + HOUR_MS - 1},{amounts},{cents(bar.taker_quote)},0"
        )
    for time_ms in world.times(0, last, 8 * HOUR_MS):
        settled.setdefault(
            month_of(time_ms), ["calc_time,funding_interval_hours,last_funding_rate"]
        ).append(f"{time_ms},8,{fine(rate(symbol, time_ms))}")
    archive = Archive()
    for month in sorted(hours)[:-1]:  # the last month is not over
        archive.add(f"{symbol}-1h-{month}.zip", hours[month])
        archive.add(f"{symbol}-fundingRate-{month}.zip", settled[month])
    return archive


def month_of(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m}"


def test_files_of_the_archive_serve_as_well(runner: PageRunner, exchanges: ExchangeServer) -> None:
    for name, content in archive_of(exchanges.world, "BTCUSDT").files.items():
        (runner.folder / name).write_bytes(content)
    runner.instead = True
    runner.run(TUTORIAL, until="## 4. Read the report")
    (record,) = list_runs(runner.folder / "runs")
    assert record.content["metrics"]["trades"] > 0
    assert [command.split()[2] for command in runner.ran[:2]] == ["import", "ls"]


FILES = (
    "klines/binance_spot_and_perp_1h_2019_2022.parquet",
    "derivatives/funding_8h_history.parquet",
)
SAID = (
    "11.89%",
    "0.433",
    "0.500",
    "546 days; 732",
    "4.12%",
    "1.23",
    "no evidence",
    "-31.18%",
    "interval -1.30 to 1.52: no evidence of anything, chance alone gives as much",
)
"""Numbers that the sentences of the tutorial state."""


@pytest.mark.real
def test_the_tutorial_says_what_comes_out_on_real_bars(
    runner: PageRunner, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the files of step 1 in place of the exchange, every line that is shown is printed."""

    def arguments(words: list[str]) -> list[str]:
        if words[:2] != ["data", "fetch"]:
            return words
        return ["data", "import", *(str(real_data / name) for name in FILES)]

    runner.arguments = arguments
    runner.run(TUTORIAL)
    printed = capsys.readouterr().out
    lines = {line.rstrip() for line in printed.splitlines()}
    shown = [block for block in blocks_of(TUTORIAL) if block.language == "text"]
    assert len(shown) > 5
    for block in shown:
        for line in block.body.splitlines():
            assert line.rstrip() in lines, f"{block}: {line!r} was not printed"
    flat = " ".join(printed.split())
    assert [text for text in SAID if text not in flat] == []
