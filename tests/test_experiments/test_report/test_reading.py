"""The tables of a run as arrays: the market that regimes are told by."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from experiments.report.reading import RunReading
from experiments.report.regimes import market_states


def prices_of(record: Any, symbol: str) -> pa.Table:
    table = record.tables["prices"]
    return table.filter(pa.compute.equal(table["symbol"], symbol))


def test_the_market_is_the_mean_of_what_is_listed(usual: Any) -> None:
    first, second = usual.content["symbols"]
    # The second symbol begins late and ends early, as one that is listed inside the run.
    late = prices_of(usual, second).slice(100, 700)
    made = replace(
        usual, tables={**usual.tables, "prices": pa.concat_tables([prices_of(usual, first), late])}
    )
    closes: dict[Any, dict[str, float]] = {}
    for row in made.tables["prices"].select(["time", "symbol", "close"]).to_pylist():
        closes.setdefault(row["time"], {})[row["symbol"]] = row["close"]
    times = sorted(closes)
    expected = []
    for before, time in zip([None, *times[:-1]], times, strict=True):
        past = closes[before] if before is not None else {}
        moved = [close / past[name] - 1 for name, close in closes[time].items() if name in past]
        expected.append(sum(moved) / len(moved) if moved else 0.0)
    np.testing.assert_allclose(RunReading(made).market_returns, expected, rtol=1e-9, atol=1e-15)


def test_states_know_nothing_of_their_day(daily: Any) -> None:
    volatility, trend = market_states(RunReading(daily))
    assert (volatility >= 0).any()
    assert (trend >= 0).any()
    table = daily.tables["prices"]
    for day in (70, 150, 600):
        close = np.array(table["close"].to_pylist())
        close[day:] *= np.random.default_rng(day).uniform(0.2, 5.0, len(close) - day)
        place = table.column_names.index("close")
        prices = table.set_column(place, "close", pa.array(close))
        changed = market_states(
            RunReading(replace(daily, tables={**daily.tables, "prices": prices}))
        )
        np.testing.assert_array_equal(changed[0][: day + 1], volatility[: day + 1])
        np.testing.assert_array_equal(changed[1][: day + 1], trend[: day + 1])
        assert (changed[0] != volatility).any() or (changed[1] != trend).any()
