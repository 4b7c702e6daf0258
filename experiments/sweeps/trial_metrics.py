"""Metrics of a run that follow from what a sweep keeps, for K configurations at once.

Names, conventions and bits are those of ``engine.metrics`` (docs/metrics.md), but for five that are not
there: ``final_equity``, ``traded_notional``, ``cash_turnover`` (traded notional ÷ cash ÷ years), and
``psr`` and ``dsr`` (docs/statistics.md, 2012 and 2014), which know how many trials are planned.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from scipy.special import ndtr

from engine import Float1D, Float2D
from engine.metrics import (
    annual_return,
    kurtosis_from_sums,
    sharpe_from_sums,
    skew_from_sums,
    sortino_from_sums,
    volatility_from_sums,
)
from engine.sweep import SweepResult
from engine.timeframe import DAY_NS, DAYS_PER_YEAR, bars_per_year, timeframe_ns

from ..statistics.deflation import luck_per_bar

DIRECTIONS: Final[Mapping[str, str]] = {
    "total_return": "maximize",
    "annual_return": "maximize",
    "annual_volatility": "minimize",
    "sharpe": "maximize",
    "sortino": "maximize",
    "calmar": "maximize",
    "skew": "maximize",
    "kurtosis": "minimize",
    "max_drawdown": "minimize",
    "final_equity": "maximize",
    "trades": "maximize",
    "win_rate": "maximize",
    "profit_factor": "maximize",
    "expectancy": "maximize",
    "psr": "maximize",
    "dsr": "maximize",
    "traded_notional": "minimize",
    "cash_turnover": "minimize",
    "fees": "minimize",
    "spread": "minimize",
    "impact": "minimize",
    "funding": "maximize",
    "borrow": "maximize",
    "shortfall": "minimize",
    "exposure": "minimize",
    "ambiguous_exits": "minimize",
    "ruined": "minimize",
}
"""Every metric that a trial states, and which way is better."""


def trial_metrics(
    result: SweepResult, initial_cash: Float1D, bars: int, timeframe: str, planned: int
) -> dict[str, Float1D]:
    """``DIRECTIONS`` by name, each float64 ``(K,)``, NaN where undefined.

    ``initial_cash`` ``(K,)`` is what each configuration began with; the sums at the last edge of
    ``result`` cover all ``bars`` of ``timeframe``. ``planned`` trials are what ``dsr`` deflates by, their
    Sharpe ratios per bar with the variance 1 ÷ (bars − 1) that estimates without skill have.
    """
    totals, sums = result.totals, result.sums[:, -1]
    year = bars_per_year(timeframe)
    years = bars * timeframe_ns(timeframe) / DAY_NS / DAYS_PER_YEAR
    final = totals["final_equity"]
    annual = np.array(
        [
            annual_return(np.array([equity]), float(cash), years)
            for equity, cash in zip(final, initial_cash, strict=True)
        ]
    ).reshape(len(final))
    trades = totals["trades"].astype(np.float64)
    luck = luck_per_bar(planned, 1.0 / (bars - 1)) if bars > 1 else 0.0
    return {
        "total_return": final / initial_cash - 1.0,
        "annual_return": annual,
        "annual_volatility": volatility_from_sums(sums, bars, year),
        "sharpe": sharpe_from_sums(sums, bars, year),
        "sortino": sortino_from_sums(sums, bars, year),
        "calmar": _quotient(annual, totals["max_drawdown"]),
        "skew": skew_from_sums(sums, bars),
        "kurtosis": kurtosis_from_sums(sums, bars),
        "max_drawdown": totals["max_drawdown"].copy(),
        "final_equity": final.copy(),
        "trades": trades,
        "win_rate": _quotient(totals["wins"].astype(np.float64), trades),
        "profit_factor": _quotient(totals["gross_wins"], totals["gross_losses"]),
        "expectancy": _quotient(totals["gross_wins"] - totals["gross_losses"], trades),
        **{
            name: totals[name].astype(np.float64)
            for name in (
                "traded_notional",
                "fees",
                "spread",
                "impact",
                "funding",
                "borrow",
                "shortfall",
                "ambiguous_exits",
            )
        },
        "psr": _psr(sums, bars, 0.0),
        "dsr": _psr(sums, bars, luck),
        "cash_turnover": totals["traded_notional"] / initial_cash / years,
        "exposure": totals["bars_in_position"] / bars,
        "ruined": (totals["ruined_bar"] >= 0).astype(np.float64),
    }


def _psr(sums: Float2D, bars: int, benchmark_per_bar: float) -> Float1D:
    """``statistics.sharpe.psr_2012`` of each configuration; NaN where its moments are undefined."""
    sharpe = sharpe_from_sums(sums, bars, 1.0)
    skew, kurtosis = skew_from_sums(sums, bars), kurtosis_from_sums(sums, bars)
    variance = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    error = np.sqrt(np.where(variance > 0, variance, np.nan) / max(bars - 1, 1))
    found: Float1D = ndtr((sharpe - benchmark_per_bar) / error)
    return found


def _quotient(above: Any, below: Any) -> Float1D:
    """``above / below`` where ``below`` is positive, NaN elsewhere."""
    out = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
