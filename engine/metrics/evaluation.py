"""A replay seen from all sides, with what several metrics share computed once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..arrays import Float1D
from ..panel import Panel
from ..replay import ReplayResult
from ..return_sums import return_sums
from ..rules import ReplayRules
from ..timeframe import DAY_NS, DAYS_PER_YEAR, bars_per_year
from .drawdowns import drawdown_periods, drawdowns
from .ledger_sums import trades_by_closing
from .moments import FloatND, sharpe_from_sums, volatility_from_sums
from .periods import Period, period_returns
from .returns import bar_returns


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A replay, the panel and the rules it ran on, and the equity ``(T,)`` of a benchmark or None."""

    result: ReplayResult
    panel: Panel
    rules: ReplayRules
    benchmark: Float1D | None = None

    @property
    def equity(self) -> Float1D:
        """Equity at each close, ``(T,)``, in settlement currency."""
        return self.result.equity

    @property
    def initial_cash(self) -> float:
        """Equity before the first bar."""
        return self.rules.initial_cash

    @property
    def bars(self) -> int:
        """Length of the run in bars."""
        return len(self.panel)

    @property
    def periods(self) -> float:
        """Bars in a year of 365 days."""
        return bars_per_year(self.panel.timeframe)

    @property
    def run_days(self) -> float:
        """Length of the run in days."""
        return self.bars * self.panel.step_ns / DAY_NS

    @property
    def years(self) -> float:
        """Length of the run in years of 365 days."""
        return self.run_days / DAYS_PER_YEAR

    @cached_property
    def returns(self) -> Float1D:
        """Simple return of each bar, ``(T,)``."""
        return bar_returns(self.equity, self.initial_cash)

    @cached_property
    def benchmark_returns(self) -> Float1D | None:
        """Simple return of each bar of the benchmark, ``(T,)``."""
        return None if self.benchmark is None else bar_returns(self.benchmark, self.initial_cash)

    @cached_property
    def sums(self) -> FloatND:
        """Power sums of the bar returns, ``(5,)``."""
        last: FloatND = return_sums(self.equity, self.initial_cash)[-1]
        return last

    @property
    def sharpe(self) -> float:
        """Annual Sharpe ratio of the bar returns."""
        return float(sharpe_from_sums(self.sums, self.bars, self.periods))

    @property
    def volatility(self) -> float:
        """Annual volatility of the bar returns."""
        return float(volatility_from_sums(self.sums, self.bars, self.periods))

    @cached_property
    def drawdowns(self) -> Float1D:
        """Fraction below the highest equity so far at each close, ``(T,)``."""
        return drawdowns(self.equity, self.initial_cash)

    @cached_property
    def drawdown_table(self) -> Any:
        """Rows of ``DRAWDOWN_DTYPE`` in time order."""
        return drawdown_periods(self.drawdowns)

    @cached_property
    def trades(self) -> Any:
        """Rows of ``TRADE_DTYPE`` in the order of their last fills."""
        return trades_by_closing(self.result)

    @cached_property
    def days(self) -> Float1D:
        """Return of each UTC day."""
        return self.returns_of("day")

    def returns_of(self, period: Period) -> Float1D:
        """Return of each UTC day, month, quarter or year."""
        return period_returns(self.equity, self.initial_cash, self.panel.close_time, period)[1]

    def benchmark_returns_of(self, period: Period) -> Float1D | None:
        """The same of the benchmark."""
        if self.benchmark is None:
            return None
        return period_returns(self.benchmark, self.initial_cash, self.panel.close_time, period)[1]
