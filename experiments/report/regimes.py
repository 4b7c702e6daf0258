"""What a run made in calm and in wild markets, and above and below the market's average."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D, Int1D

from ..pages.document import Block, Chart, Number, Section, Table, Text
from ..pages.plots import axis, bars, category_axis
from .heads.shown import whiskers
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
    state_interval,
    trailing_volatility,
    trend_states,
)
from .reading import RunReading
from .wording import counted, said, too_few

FEWEST: Final = VOLATILITY_DAYS + FEWEST_RANKED + 1
NOT_KNOWN: Final = "not known yet"
HOW_SURE: Final = (
    "Low and high: 95 % for the Sharpe ratio of a state by itself, blocks of all days drawn again."
)
BY_CHANCE: Final = 0.05
"""Of the states that are like all others, so many have an interval that leaves out the run's ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """A picture and a table of one split; ``intervals`` of the Sharpe ratio by the name of the state."""

    charts: tuple[Block, ...]
    table: Block
    intervals: Mapping[str, tuple[float, float]]


def regimes_section(reading: RunReading) -> Section:
    """Splits of all bars by states that were known before their day began."""
    count, word = len(reading.day_sums), reading.day_word
    title = "Regimes"
    if count < FEWEST:
        missing = too_few("The split by regimes", FEWEST, f"{word}s", count)
        return Section(name="regimes", title=title, blocks=(missing,))
    volatility, trend = market_states(reading)
    splits = [
        _split(
            reading,
            "volatility",
            "By volatility of the market",
            volatility,
            VOLATILITY_STATES,
            f"Volatility is the deviation of the market's bar returns over the {VOLATILITY_DAYS} {word}s "
            f"before a {word}; calm, middling and wild are the thirds of all such values before it.",
        )
    ]
    missing_trend: tuple[Block, ...] = ()
    if count > TREND_DAYS:
        splits.append(
            _split(
                reading,
                "trend",
                "By trend of the market",
                trend,
                TREND_STATES,
                f"The market's last close before a {word} against the mean of its last {TREND_DAYS} "
                f"closes of {word}s.",
            )
        )
    else:
        missing_trend = (too_few("The split by trend", TREND_DAYS + 1, f"{word}s", count),)
    charts = [chart for split in splits for chart in split.charts]
    intervals = {name: one for split in splits for name, one in split.intervals.items()}
    chance = chance_text(intervals, reading.metric("sharpe"))
    return Section(
        name="regimes",
        title=title,
        lead=f"The market is the mean of the traded symbols. Each state was known before the {word} began, "
        "its limits too.",
        blocks=(*charts, *chance, *(split.table for split in splits), *missing_trend),
    )


def chance_text(
    intervals: Mapping[str, tuple[float, float]], whole: float | None
) -> tuple[Text, ...]:
    """How many states differ from the whole run by more than their interval, and would by chance."""
    if not intervals or whole is None:
        return ()
    beyond = [name for name, (low, high) in intervals.items() if not low <= whole <= high]
    return (
        Text(
            paragraphs=(
                f"Of {counted(len(intervals), 'state')} {len(beyond) or 'none'} "
                f"{'have' if len(beyond) > 1 else 'has'} a 95 % interval that leaves out the Sharpe "
                f"ratio of the whole run, {said(whole, 'ratio')}{_named(beyond)}; about "
                f"{BY_CHANCE * len(intervals):.2g} would by chance alone. Bars of unlike height are "
                "not a reason to trade in one state only.",
            )
        ),
    )


def _named(states: Sequence[str]) -> str:
    return f" ({', '.join(states)})" if states else ""


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
) -> _Split:
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
    intervals = {
        states[one.state]: found
        for one in results
        if one.state != UNKNOWN
        and (
            found := state_interval(
                sums, of_days == one.state, reading.bars_a_year, seed=reading.seed
            )
        )
    }
    few = f"A state of fewer than {FEWEST_DAYS} {reading.day_word}s has no ratio."
    return _Split(
        charts=_charts(reading, name, title, results, states, intervals, few),
        table=_table(reading, name, title, results, states, intervals, f"{rule} {few} {HOW_SURE}"),
        intervals=intervals,
    )


def _charts(
    reading: RunReading,
    name: str,
    title: str,
    results: Sequence[RegimeResult],
    states: Sequence[str],
    intervals: Mapping[str, tuple[float, float]],
    few: str,
) -> tuple[Block, ...]:
    """The Sharpe ratio of the run and of the benchmark in each state; nothing where none is known."""
    told_states = [one for one in results if one.state != UNKNOWN]
    known = [one for one in told_states if one.days >= FEWEST_DAYS]
    left_out = [states[one.state] for one in told_states if one.days < FEWEST_DAYS]
    labels = [states[one.state] for one in known]
    own = np.array([one.sharpe for one in known])
    held = np.array([one.held_sharpe for one in known])
    if not (np.isfinite(own).any() or np.isfinite(held).any()):
        return ()
    none = (np.nan, np.nan)
    bounds = np.array([intervals.get(label, none) for label in labels])
    told = ", ".join(
        f"{label} {said(one.sharpe, 'ratio')} (return {said(one.return_frac, 'fraction')})"
        for label, one in zip(labels, known, strict=True)
    )
    chart = Chart(
        name=f"regime-{name}",
        title=title,
        text=f"Sharpe ratio of the run in each state: {told}. Whiskers are 95 % intervals.",
        data=(
            bars(
                labels,
                own,
                "run",
                hover="%{x}: %{y:.2f}",
                error_y=whiskers(own, bounds[:, 0], bounds[:, 1]),
            ),
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
    return (chart,)


def _table(
    reading: RunReading,
    name: str,
    title: str,
    results: Sequence[RegimeResult],
    states: Sequence[str],
    intervals: Mapping[str, tuple[float, float]],
    rule: str,
) -> Table:
    rows: list[tuple[str | Number, ...]] = [
        (
            NOT_KNOWN if one.state == UNKNOWN else states[one.state],
            Number(one.bars, "bars"),
            Number(one.share, "fraction"),
            Number(one.return_frac, "fraction"),
            Number(one.held_return_frac, "fraction"),
            Number(one.sharpe, "ratio"),
            *(Number(bound, "ratio") for bound in _bounds(one, states, intervals)),
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
            "", "bars", "share", "run", reading.held_name, "Sharpe", "low", "high", "volatility",
            "trades entered", "won", "their net result",
        ),
        rows=tuple(rows),
        note=rule,
    )  # fmt: skip


def _bounds(
    one: RegimeResult, states: Sequence[str], intervals: Mapping[str, tuple[float, float]]
) -> tuple[float | None, float | None]:
    name = NOT_KNOWN if one.state == UNKNOWN else states[one.state]
    return intervals.get(name, (None, None))
