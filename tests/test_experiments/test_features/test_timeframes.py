"""Longer bars are seen after their close only: rebuilt by hand, row by row."""

from datetime import UTC, datetime

import numpy as np
import pytest

from datasets import Store
from engine import Market
from experiments import RunConfig, config_of
from experiments.config_file import resolved
from experiments.features.build import at_step, build_matrices
from experiments.features.keeping import read_matrix
from experiments.market_data import signal_markets

from .conftest import Build, ConfigOf

HOUR_NS = 3_600 * 10**9
HOURS = {"4h": 4, "1d": 24, "1w": 168}


def start_of(moment_ns: int, step: str) -> int:
    """Where the longer bar that holds ``moment_ns`` begins, by the calendar."""
    moment = datetime.fromtimestamp(moment_ns // 10**9, tz=UTC)
    hour = moment.hour - moment.hour % HOURS[step] if step == "4h" else 0
    begins = moment.replace(hour=hour, minute=0, second=0)
    days = begins.weekday() if step == "1w" else 0
    return int(begins.timestamp()) * 10**9 - days * 24 * HOUR_NS


def longer_bars(market: Market, step: str) -> list[tuple[int, float, float, float, float]]:
    """Close time, open, high, low and close of each longer bar that begins and ends within the data."""
    bars = market.bars
    rows: dict[int, list[int]] = {}
    for row, moment in enumerate(bars.open_time.tolist()):
        rows.setdefault(start_of(moment, step), []).append(row)
    made = []
    for begins, members in rows.items():
        closes = begins + HOURS[step] * HOUR_NS
        if int(bars.open_time[members[0]]) != begins or closes > int(bars.close_time[-1]):
            continue
        made.append(
            (
                closes,
                float(bars.open[members[0]]),
                max(float(bars.high[row]) for row in members),
                min(float(bars.low[row]) for row in members),
                float(bars.close[members[-1]]),
            )
        )
    return made


@pytest.fixture(scope="module")
def uneven_config(small_config: RunConfig) -> RunConfig:
    """From the second day on, which is no Monday; the last longer bars stay open."""
    tree = resolved(small_config)
    tree["data"]["start"], tree["data"]["end"] = "2021-01-02", "2021-02-06"
    tree["features"] = {
        "of_heads": False,
        "columns": [
            f"{name}@bars:{step}"
            for name in (
                "donchian.upper(length=2)",
                "donchian.lower(length=2)",
                "roc.roc(length=1)",
            )
            for step in HOURS
        ],
        "timeframes": ["1h", "4h"],
    }
    return config_of(tree)


@pytest.mark.parametrize("step", HOURS)
def test_a_longer_bar_is_seen_from_its_close_on(
    uneven_config: RunConfig, store: Store, build: Build, step: str
):
    market = next(signal_markets(uneven_config, uneven_config.instruments, store))
    table = read_matrix(build(uneven_config)[0].path)
    longer = longer_bars(market, step)
    columns = {name.split("@")[0]: table.column(name).to_numpy()
               for name in table.column_names if name.endswith(f":{step}")}  # fmt: skip
    upper, lower, change = columns.values()
    seen = 0
    for row, now in enumerate(market.bars.close_time.tolist()):
        closed = [bar for bar in longer if bar[0] <= now]
        if len(closed) < 2:
            assert np.isnan([upper[row], lower[row], change[row]]).all()
            continue
        seen += 1
        before, last = closed[-2:]
        assert upper[row] == max(before[2], last[2])
        assert lower[row] == min(before[3], last[3])
        assert change[row] == pytest.approx(100 * (last[4] / before[4] - 1), rel=1e-9)
    assert seen > 24


def test_a_matrix_of_longer_bars_has_only_those_that_are_over(
    uneven_config: RunConfig, store: Store, build: Build
):
    market = next(signal_markets(uneven_config, uneven_config.instruments, store))
    hourly, made = build(uneven_config)
    longer = longer_bars(market, "4h")
    table = read_matrix(made.path)
    times = table.column("time").to_numpy().astype("datetime64[ns]").astype(np.int64)
    assert times.tolist() == [bar[0] for bar in longer]
    rebuilt = at_step(market, "4h").bars
    assert rebuilt.high.tolist() == [bar[2] for bar in longer]
    assert rebuilt.close_time[-1] <= market.bars.close_time[-1]
    assert (hourly.rows, made.rows) == (len(market.bars), len(longer))
    assert {str(one.feature.clock) for one in made.absent} == {"bars:4h"}


def test_prefixes_say_the_same(small_config: RunConfig, store: Store, config_with: ConfigOf):
    """A matrix of the first days holds the first rows of that of all days."""
    config = config_with(
        "rsi.rsi(length=5)@bars:4h", "atr.atr(length=5)@bars:1d", timeframes=["4h"]
    )
    whole = at_step(next(signal_markets(config, config.instruments, store)), "4h")
    for count in (100, 101, 102, 103):
        market = next(signal_markets(config, config.instruments, store)).prefix(count)
        cut = at_step(market, "4h").bars
        assert len(cut) == count // 4
        assert np.array_equal(cut.close, whole.bars.close[: len(cut)])
        assert np.array_equal(cut.volume, whole.bars.volume[: len(cut)])


def test_own_data_of_each_symbol(config_with: ConfigOf, store: Store, tmp_path):
    config = config_with("rsi.rsi")
    first, second = build_matrices(config, store=store, out=tmp_path)
    columns = [read_matrix(one.path).column("rsi.rsi()@bars").to_numpy() for one in (first, second)]
    assert not np.array_equal(columns[0], columns[1], equal_nan=True)
