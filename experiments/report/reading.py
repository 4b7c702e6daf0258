"""The tables of a run, each read once and given as arrays.

Times are int64 nanoseconds UTC, and float64 milliseconds for charts; money is in settlement currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import (
    REASONS,
    TRADE_DTYPE,
    DataError,
    Float1D,
    Int1D,
    timeframe_ns,
)
from engine.metrics import bar_returns, drawdowns
from engine.metrics.periods import period_numbers
from engine.timeframe import DAY_NS, bars_per_year

from ..record import RunRecord
from .numbers.days import DaySums, day_sums, sharpe_interval
from .origin import Origin, origin_of

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, eq=False)
class RunReading:
    """A run's record with what several sections need of it; nothing is read before it is asked for.

    Arrays of the account are ``(T,)``, one row for each bar of the run, at its close.
    """

    record: RunRecord

    @property
    def content(self) -> Mapping[str, Any]:
        """What run.json says."""
        return self.record.content

    @property
    def symbols(self) -> tuple[str, ...]:
        """Traded symbols, in the order of the run."""
        return tuple(self.content["symbols"])

    @property
    def is_inverse(self) -> bool:
        """Whether contracts are inverse: money is in coins then."""
        return str(self.content["config"]["margin"]["contract"]) == "inverse"

    @property
    def held_name(self) -> str:
        """What the run is compared with, as its lines and columns are called."""
        return "coins kept" if self.is_inverse else "buy and hold"

    @property
    def initial_cash(self) -> float:
        """Equity before the first bar."""
        return float(self.content["config"]["initial_cash"])

    @property
    def step_ns(self) -> int:
        """Length of a bar in nanoseconds."""
        return timeframe_ns(self.content["timeframe"])

    @property
    def bars_a_year(self) -> float:
        """Bars in a year of 365 days."""
        return bars_per_year(self.content["timeframe"])

    @property
    def day_word(self) -> str:
        """What ``days`` counts: UTC days, or bars where they are longer than a day."""
        return "day" if self.step_ns <= DAY_NS else "bar"

    def metric(self, name: str) -> float | None:
        """A metric of the run as run.json states it; None where it is undefined."""
        value: float | None = self.content["metrics"][name]
        return value

    @cached_property
    def _tables(self) -> dict[str, pa.Table]:
        return {}

    def table(self, name: str) -> pa.Table:
        """A table of the run; DataError when it is missing, broken or was changed."""
        if name not in self._tables:
            self._tables[name] = self.record.table(name)
        return self._tables[name]

    @cached_property
    def _parts(self) -> dict[str, dict[str, pa.Table]]:
        return {}

    def table_of(self, name: str, symbol: str) -> pa.Table:
        """The rows of one symbol in a table that has a column ``symbol``, in their order."""
        if name not in self._parts:
            self._parts[name] = by_symbol(self.table(name))
        return self._parts[name].get(symbol, self.table(name).slice(0, 0))

    def account(self, column: str) -> Float1D:
        """A column of the equity table."""
        return floats(self.table("equity")[column])

    @cached_property
    def equity(self) -> Float1D:
        """Equity at each close."""
        return self.account("equity")

    @cached_property
    def benchmark(self) -> Float1D:
        """Equity of buy and hold (inverse contracts: of the coins kept) at each close."""
        return self.account("buy_and_hold")

    @cached_property
    def close_time(self) -> Int1D:
        """Close of each bar, ns."""
        return nanoseconds(self.table("equity")["time"])

    @property
    def open_time(self) -> Int1D:
        """Open of each bar, ns."""
        return self.close_time - self.step_ns

    @property
    def time_ms(self) -> Float1D:
        """Close of each bar in milliseconds, as a date axis takes it."""
        return self.close_time / NS_PER_MS

    @cached_property
    def returns(self) -> Float1D:
        """Simple return of each bar, as the metrics have it."""
        return bar_returns(self.equity, self.initial_cash)

    @cached_property
    def benchmark_returns(self) -> Float1D:
        """Simple return of each bar of buy and hold."""
        return bar_returns(self.benchmark, self.initial_cash)

    @cached_property
    def depths(self) -> Float1D:
        """Fraction below the highest equity so far."""
        return drawdowns(self.equity, self.initial_cash)

    @cached_property
    def benchmark_depths(self) -> Float1D:
        """The same of buy and hold."""
        return drawdowns(self.benchmark, self.initial_cash)

    @cached_property
    def days(self) -> Int1D:
        """UTC day since 1970 in which the last nanosecond of each bar lies; see ``day_word``."""
        return period_numbers(self.close_time, "day")

    @cached_property
    def day_sums(self) -> DaySums:
        """Bar returns of run and benchmark summed by day."""
        return day_sums(self.days, self.returns, self.benchmark_returns)

    @cached_property
    def sharpe_interval(self) -> tuple[float, float] | None:
        """95 % interval of the annual Sharpe ratio; None where there is too little for one."""
        return sharpe_interval(self.day_sums, self.bars_a_year, seed=self.seed)

    @property
    def seed(self) -> int:
        """Of what is drawn for the report: the run's own."""
        return int(self.content["seed"])

    @cached_property
    def origin(self) -> Origin:
        """Which bars the search has seen that the configuration comes from."""
        return origin_of(self)

    @cached_property
    def trades(self) -> np.ndarray[Any, Any]:
        """Rows of ``TRADE_DTYPE`` in the order of entries; symbols and exit reasons as their places."""
        table = self.table("trades")
        rows = np.zeros(len(table), dtype=TRADE_DTYPE)
        for name in TRADE_DTYPE.names or ():
            if name.endswith("time_ns"):
                rows[name] = nanoseconds(table[name.removesuffix("_ns")])
            elif name == "symbol":
                rows[name] = places(table[name], self.symbols)
            elif name == "exit_reason":
                rows[name] = places(table[name], REASONS)
            else:
                rows[name] = floats(table[name])
        return rows

    @cached_property
    def market_returns(self) -> Float1D:
        """Mean over the symbols of the return from close to close of the traded prices, ``(T,)``.

        A symbol counts from its second bar on; 0 where none does.
        """
        total, count = np.zeros(len(self.equity)), np.zeros(len(self.equity))
        for symbol in self.symbols:
            prices = self.table_of("prices", symbol)
            rows = np.searchsorted(self.close_time, nanoseconds(prices["time"]))
            close = floats(prices["close"])
            total[rows[1:]] += close[1:] / close[:-1] - 1.0
            count[rows[1:]] += 1.0
        return np.divide(total, count, out=np.zeros_like(total), where=count > 0)


def by_symbol(table: pa.Table) -> dict[str, pa.Table]:
    """The rows of each symbol; slices without a copy where symbols stand one after the other."""
    column = table["symbol"].combine_chunks()
    if not len(column):
        return {}
    runs = pc.run_end_encode(column)
    names, ends = runs.values.to_pylist(), runs.run_ends.to_pylist()
    if len(set(names)) == len(names):
        starts = [0, *ends[:-1]]
        return {
            name: table.slice(start, end - start)
            for name, start, end in zip(names, starts, ends, strict=True)
        }
    return {name: table.filter(pc.equal(column, name)) for name in dict.fromkeys(names)}


def floats(column: pa.ChunkedArray) -> Float1D:
    """A numeric column as float64, null as NaN."""
    return np.asarray(column.cast(pa.float64())).astype(np.float64)


def nanoseconds(column: pa.ChunkedArray) -> Int1D:
    """A column of times as int64 ns since the epoch."""
    values: Int1D = np.asarray(column.cast(pa.int64())).astype(np.int64) * NS_PER_US
    return values


def milliseconds(column: pa.ChunkedArray) -> Float1D:
    """A column of times as float64 ms since the epoch, which a date axis takes as they are."""
    return nanoseconds(column) / NS_PER_MS


def places(column: pa.ChunkedArray, names: tuple[str, ...]) -> Int1D:
    """The place of each word of ``column`` in ``names``, int64. DataError for a word that is not there."""
    found = pc.index_in(column, pa.array(list(names), pa.string()))
    if found.null_count:
        foreign = column.filter(pc.is_null(found))[0].as_py()
        raise DataError(
            f"{foreign!r} stands in a table of the run and is not one of {', '.join(names[:8])}: run.json "
            "belongs to another run; run it again"
        )
    rows: Int1D = np.asarray(found.cast(pa.int64())).astype(np.int64)
    return rows
