"""What a run made in calm and in wild markets, and above and below the market's average."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine import Float1D, Int1D

from ..pages.document import Block, Chart, Number, Section, Table
from ..pages.plots import axis, bars, category_axis
from .numbers.days import FEWEST_DAYS, day_sums
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

FEWEST: Final = VOLATILITY_DAYS + FEWEST_RANKED + 1
NOT_KNOWN: Final = "not known yet"


def regimes_section(reading: RunReading) -> Section:
    """Splits of all bars by states that were known before their day began."""
    count, word = len(reading.day_sums), reading.day_word
    title = "Regimes"
    if count < FEWEST:
        missing = too_few("The split by regimes", FEWEST, f"{word}s", count)
        return Section(name="regimes", title=title, blocks=(missing,))
    volatility, trend = market_states(reading)
    charts, tables = _split(
        reading,
        "volatility",
        "By volatility of the market",
        volatility,
        VOLATILITY_STATES,
        f"Volatility is the deviation of the market's bar returns over the {VOLATILITY_DAYS} {word}s "
        f"before a {word}; calm, middling and wild are the thirds of all such values before it.",
    )
    if count > TREND_DAYS:
        of_trend = _split(
            reading,
            "trend",
            "By trend of the market",
            trend,
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


def market_states(reading: RunReading) -> tuple[Int1D, Int1D]:
    """State of volatility and of trend on each day of the run, ``(D,)``, as known before it began."""
    returns = reading.market_returns
    market = day_sums(reading.days, returns, np.zeros(len(returns)))
    level: Float1D = np.cumprod(1.0 + returns)[market.last].astype(np.float64)
    volatility = trailing_volatility(market.total, market.squares, market.bars)
    return expanding_terciles(volatility), trend_states(level)


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
        of_bars,
        reading.returns,
        reading.benchmark_returns,
        reading.trades,
        reading.days,
        reading.bars_a_year,
    )
    few = f"A state of fewer than {FEWEST_DAYS} {reading.day_word}s has no ratio."
    table = _table(reading, name, title, results, states, f"{rule} {few}")
    told_states = [one for one in results if one.state != UNKNOWN]
    known = [one for one in told_states if one.days >= FEWEST_DAYS]
    left_out = [states[one.state] for one in told_states if one.days < FEWEST_DAYS]
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
                **bars(labels, held, reading.held_name, hover="%{x}: %{y:.2f}"),
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
        note=f"Left out: {', '.join(left_out)}. {few}" if left_out else "",
    )
    return [chart], [table]


def _table(
    reading: RunReading,
    name: str,
    title: str,
    results: Sequence[RegimeResult],
    states: Sequence[str],
    rule: str,
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
            "", "bars", "share", "run", reading.held_name, "Sharpe", "volatility", "trades entered", "won",
            "their net result",
        ),
        rows=tuple(rows),
        note=rule,
    )  # fmt: skip
