"""What a run made in calm and in wild markets, and above and below the market's average."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine import Float1D, Int1D

from ..pages.document import Block, Chart, Number, Section, Table
from ..pages.plots import axis, bars, category_axis
from .numbers.days import day_sums
from .numbers.regimes import (
    FEWEST_RANKED,
    TREND_DAYS,
    TREND_STATES,
    UNKNOWN,
    VOLATILITY_DAYS,
    VOLATILITY_STATES,
    RegimeResult,
    expanding_terciles,
    regime_results,
    trailing_volatility,
    trend_states,
)
from .reading import RunReading
from .wording import said, too_few

FEWEST: Final = VOLATILITY_DAYS + FEWEST_RANKED + 2
NOT_KNOWN: Final = "not known yet"


def regimes_section(reading: RunReading) -> Section:
    """Splits of all bars by states that were known before their day began."""
    count, word = len(reading.day_sums), reading.day_word
    title = "Regimes"
    if count < FEWEST:
        missing = too_few("The split by regimes", FEWEST, f"{word}s", count)
        return Section(name="regimes", title=title, blocks=(missing,))
    market = day_sums(reading.days, reading.market_returns, np.zeros(len(reading.equity)))
    volatility = trailing_volatility(market.total, market.squares, market.bars)
    charts, tables = _split(
        reading,
        "volatility",
        "By volatility of the market",
        expanding_terciles(volatility),
        VOLATILITY_STATES,
        f"Volatility is the deviation of the market's bar returns over the {VOLATILITY_DAYS} {word}s "
        f"before a {word}; calm, middling and wild are the thirds of all such values before it.",
    )
    if count > TREND_DAYS:
        level: Float1D = np.cumprod(1.0 + reading.market_returns)[market.last].astype(np.float64)
        of_trend = _split(
            reading,
            "trend",
            "By trend of the market",
            trend_states(level),
            TREND_STATES,
            f"The market's last close before a {word} against the mean of its last {TREND_DAYS} closes of "
            f"{word}s.",
        )
        charts, tables = charts + of_trend[0], tables + of_trend[1]
    else:
        tables.append(too_few("The split by trend", TREND_DAYS + 1, f"{word}s", count))
    return Section(
        name="regimes",
        title=title,
        lead=f"The market is the mean of the traded symbols. Each state was known before the {word} began, "
        "its limits too.",
        blocks=(*charts, *tables),
    )


def _split(
    reading: RunReading,
    name: str,
    title: str,
    of_days: Int1D,
    states: Sequence[str],
    rule: str,
) -> tuple[list[Block], list[Block]]:
    """Charts, and tables."""
    sums = reading.day_sums
    of_bars = np.repeat(of_days, sums.last - sums.first + 1)
    results = regime_results(
        of_bars, reading.returns, reading.benchmark_returns, reading.trades, reading.bars_a_year
    )
    table = _table(name, title, results, states, rule)
    known = [one for one in results if one.state != UNKNOWN]
    if not known:
        return [], [table]
    labels = [states[one.state] for one in known]
    own = np.array([one.sharpe for one in known])
    held = np.array([one.held_sharpe for one in known])
    if not (np.isfinite(own).any() or np.isfinite(held).any()):
        return [], [table]
    told = ", ".join(
        f"{label} {said(one.sharpe, 'ratio')} (return {said(one.return_frac, 'fraction')})"
        for label, one in zip(labels, known, strict=True)
    )
    chart = Chart(
        name=f"regime-{name}",
        title=title,
        text=f"Sharpe ratio of the run in each state: {told}.",
        data=(
            bars(labels, own, "run", hover="%{x}: %{y:.2f}"),
            {
                **bars(labels, held, "buy and hold", hover="%{x}: %{y:.2f}"),
                "marker": {"color": "@muted", "pattern": {"shape": "/", "solidity": 0.4}},
            },
        ),
        layout={
            "xaxis": category_axis(),
            "yaxis": axis("annual Sharpe ratio"),
            "barmode": "group",
        },
        height=280,
        width="half",
    )
    return [chart], [table]


def _table(
    name: str, title: str, results: Sequence[RegimeResult], states: Sequence[str], rule: str
) -> Table:
    rows = [
        (
            NOT_KNOWN if one.state == UNKNOWN else states[one.state],
            Number(one.bars, "bars"),
            Number(one.share, "fraction"),
            Number(one.return_frac, "fraction"),
            Number(one.held_return_frac, "fraction"),
            Number(one.sharpe, "ratio"),
            Number(one.volatility, "fraction"),
            Number(one.trades, "count"),
            Number(one.win_rate, "fraction"),
            Number(one.net_pnl, "settlement currency"),
        )
        for one in results
    ]
    return Table(
        name=f"regimes-{name}",
        caption=title,
        columns=(
            "", "bars", "share", "run", "buy and hold", "Sharpe", "volatility", "trades entered", "won",
            "their net result",
        ),
        rows=tuple(rows),
        note=rule,
    )  # fmt: skip
