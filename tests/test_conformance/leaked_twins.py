"""Leaked twins: the mistakes that the checks must catch, built from the sound originals.

A check that passes everything proves nothing. Each twin here makes one well-known mistake on
purpose, and every check is run on its twins as well: they have to fail.
"""

from dataclasses import replace

import numpy as np

from engine import Float1D, Market
from experiments.checks.subjects import ClockBuilder, IndicatorCase, Rows, Subject
from indicators import Clock, Columns, Indicator, Parameters, clock_of


def moved_earlier(column: np.ndarray, rows: int) -> np.ndarray:
    """``column`` moved ``rows`` rows towards the past, its last value repeated."""
    if len(column) == 0 or rows == 0:
        return column
    return np.concatenate((column[rows:], np.repeat(column[-1:], min(rows, len(column)))))


def leaked_indicator(indicator: Indicator, rows: int = 1) -> Indicator:
    """The same indicator with every output moved ``rows`` rows earlier."""

    def compute(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
        return tuple(
            moved_earlier(column, rows) for column in indicator.compute(columns, parameters)
        )

    return replace(indicator, compute=compute)


def leaked_case(case: IndicatorCase, rows: int = 1) -> IndicatorCase:
    """The twin of one case."""
    return replace(case, indicator=leaked_indicator(case.indicator, rows))


def leaked_subject(subject: Subject, rows: int = 1) -> Subject:
    """The same subject with every output moved ``rows`` rows earlier."""

    def twin(market: Market) -> Rows:
        return {name: moved_earlier(column, rows) for name, column in subject(market).items()}

    return twin


def open_time_clock(market: Market, name: str) -> Clock | None:
    """A clock builder with the classic error: longer bars are shown from their open on."""
    clock = clock_of(market, name)
    if clock is None or not name.startswith("bars:"):
        return clock
    return replace(clock, available_at=clock.event_time)


def open_time_clock_of(timeframe_clock: str) -> ClockBuilder:
    """The same error on one clock only, such as ``bars:1w``."""

    def build(market: Market, name: str) -> Clock | None:
        return open_time_clock(market, name) if name == timeframe_clock else clock_of(market, name)

    return build


def early_series_clock(market: Market, name: str) -> Clock | None:
    """A clock builder that shows slow rows from their event on, before they were published."""
    clock = clock_of(market, name)
    if clock is None or name.startswith("bars"):
        return clock
    return replace(clock, available_at=clock.event_time)
