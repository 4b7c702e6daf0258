"""What is checked, brought into one shape: arrays whose row *t* is known at the close of bar *t*.

An indicator is checked on the columns of its own clock, everything else on a market. A subject is a
function from a market to named ``(T,)`` arrays; heads, consensus and replay are subjects, and so are
their leaked twins.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from engine import ContractError, Float1D, Market
from indicators import (
    Clock,
    Columns,
    Detector,
    Feature,
    Indicator,
    Parameters,
    build_features,
    clock_of,
)
from indicators.clock_join import source_of
from strategies import Head

from .markets import coarse_market, null_market
from .null_series import HISTORY_ROWS

Rows: TypeAlias = Mapping[str, np.ndarray]
Subject: TypeAlias = Callable[[Market], Rows]
ClockBuilder: TypeAlias = Callable[[Market, str], Clock | None]

CASE_ROWS = 2_000
"""Rows that an indicator is checked on beyond its warm-up; the grain of the market lengths."""
FIRST_SEED = 101

NATIVE_CLOCKS = (
    "bars",
    "benchmark",
    "universe",
    "funding",
    "metrics",
    "premium_index",
    "fear_greed",
    "exchange_reserves",
    "tvl",
    "implied_volatility",
)


def case_name(name: str, parameters: tuple[tuple[str, float], ...], clock: str) -> str:
    """``name``, its parameters other than the defaults, and the clock unless it is bars."""
    arguments = ",".join(f"{parameter}={value:g}" for parameter, value in parameters)
    shown = f"{name}({arguments})" if arguments else name
    return shown if clock == "bars" else f"{shown}@{clock}"


def other_than_defaults(
    subject: Indicator | Detector, given: Iterable[tuple[str, float]]
) -> tuple[tuple[str, float], ...]:
    """The parameters of ``given`` that are not the defaults of ``subject``."""
    defaults = subject.resolved({})
    return tuple((name, value) for name, value in given if defaults.get(name) != value)


@dataclass(frozen=True, slots=True)
class IndicatorCase:
    """One indicator with one set of parameters, on the native rows of one clock."""

    indicator: Indicator
    parameters: tuple[tuple[str, float], ...]
    clock: str

    @property
    def name(self) -> str:
        """How reports call this case."""
        return case_name(self.indicator.name, self.parameters, self.clock)

    @property
    def resolved(self) -> Parameters:
        """Every parameter with its value."""
        return self.indicator.resolved(dict(self.parameters))

    def columns(self, market: Market) -> dict[str, Float1D]:
        """The declared inputs on the clock of this case, all rows that state them."""
        clock = clock_of(market, self.clock)
        stating = (
            None if clock is None else clock.stating(self.indicator.inputs, self.indicator.may_lack)
        )
        if stating is None:
            raise ContractError(
                f"{self.name}: the market has no clock {self.clock} that states its inputs"
            )
        return {name: stating.columns[name] for name in self.indicator.inputs}

    def outputs(self, columns: Columns) -> dict[str, Float1D]:
        """Every output by name."""
        with np.errstate(all="ignore"):
            computed = self.indicator.compute(columns, self.resolved)
        return {
            output.name: column
            for output, column in zip(self.indicator.outputs, computed, strict=True)
        }


MarketSource: TypeAlias = Callable[[IndicatorCase, int], Market]
"""The market number 0, 1, 2 … on which a case is checked."""


def case_market(case: IndicatorCase, position: int = 0) -> Market:
    """A market with at least 1,500 rows of the case's clock beyond its whole warm-up.

    Every other market up to number 59 is a coarse one, for shapes that a null market never shows.
    """
    warm_up = max(case.indicator.lookback(case.resolved), case.indicator.stable(case.resolved))
    hours = CASE_ROWS
    history = HISTORY_ROWS
    if source_of(case.clock, "known_at")[0] == "bars":
        hours += CASE_ROWS * (warm_up // CASE_ROWS + (warm_up % CASE_ROWS > 500))
    elif warm_up:
        history += CASE_ROWS * -(-warm_up // CASE_ROWS)
    made = coarse_market if position % 2 and position < 60 else null_market
    return made(hours, FIRST_SEED + position, history_rows=history)


def native_clock(indicator: Indicator, market: Market) -> str | None:
    """The clock ``indicator`` is meant for, else the first that has its inputs; None without any."""
    for name in (indicator.only_clock,) if indicator.only_clock else NATIVE_CLOCKS:
        clock = clock_of(market, name)
        if clock is not None and all(column in clock.columns for column in indicator.inputs):
            return name
    return None


def indicator_cases(
    indicators: Iterable[Indicator],
    heads: Sequence[Head],
    market: Market,
    features: Iterable[Feature] = (),
) -> tuple[IndicatorCase, ...]:
    """Every indicator at its defaults, and at every other set of parameters of a head or of ``features``.

    An indicator whose inputs no clock of ``market`` holds raises ContractError: it cannot be used.
    """
    by_name = {indicator.name: indicator for indicator in indicators}
    cases: dict[tuple[object, ...], IndicatorCase] = {}

    def add(indicator: Indicator, given: tuple[tuple[str, float], ...], clock: str) -> None:
        other = other_than_defaults(indicator, given)
        case = IndicatorCase(indicator, other, clock)
        cases.setdefault((indicator.name, other, clock), case)

    for indicator in by_name.values():
        clock = native_clock(indicator, market)
        if clock is None:
            raise ContractError(
                f"indicator {indicator.name} reads {indicator.inputs}: no clock has all of them"
            )
        add(indicator, (), clock)
    for feature in (*head_features(heads), *features):
        clock = "bars" if feature.clock.startswith("bars:") else feature.clock
        add(by_name[feature.indicator], feature.parameters, clock)
    return tuple(cases.values())


def feature_subject(
    features: Iterable[Feature],
    indicators: Mapping[str, Indicator],
    clock_builder: ClockBuilder = clock_of,
) -> Subject:
    """Every feature as a row set, by the text of the feature; one without data is absent."""
    wanted = tuple(features)

    def rows(market: Market) -> Rows:
        with np.errstate(all="ignore"):
            matrix = build_features(
                market, wanted, indicators=indicators, clock_builder=clock_builder
            )
        return {
            str(feature): matrix.values[:, position]
            for position, feature in enumerate(matrix.features)
        }

    return rows


def head_features(heads: Sequence[Head]) -> tuple[Feature, ...]:
    """Every feature that any head asks for, once."""
    return tuple(dict.fromkeys(feature for head in heads for feature in head.features().values()))


def event_rows(column: np.ndarray) -> np.ndarray:
    """Rows on which something happens in a column: the value is new and is neither 0 nor NaN."""
    if len(column) == 0:
        return np.empty(0, dtype=np.int64)
    if column.dtype.kind == "f":
        known = ~np.isnan(column)
        before = np.concatenate(([np.nan], column[:-1]))
        return np.flatnonzero(known & (column != before) & (column != 0))
    before = np.concatenate((np.zeros(1, dtype=column.dtype), column[:-1]))
    return np.flatnonzero((column != before) & (column != 0))


def moved_rows(column: np.ndarray) -> np.ndarray:
    """Rows whose value is not that of the row before; NaN equals NaN."""
    same = column[1:] == column[:-1]
    if column.dtype.kind == "f":
        same |= np.isnan(column[1:]) & np.isnan(column[:-1])
    return np.flatnonzero(~same) + 1


def covering_cuts(rows: Rows, cuts: np.ndarray, each: int) -> np.ndarray:
    """``cuts`` and as few more prefix lengths as end ``each`` moves of every column, if it has them.

    A leak shows where a prefix ends on a row that is new, so a column without such a prefix has not
    been looked at.
    """
    moves = {name: moved_rows(column) + 1 for name, column in rows.items()}
    kept = {int(cut) for cut in cuts}
    for name in sorted(moves, key=lambda name: len(moves[name])):
        found = moves[name][moves[name] < len(rows[name])]
        left = [int(cut) for cut in found if int(cut) not in kept]
        wanted = min(each - (len(found) - len(left)), len(left))
        if wanted > 0:
            kept.update(left[row] for row in np.linspace(0, len(left) - 1, wanted).astype(int))
    return np.array(sorted(kept), dtype=np.int64)


def moves_met(rows: Rows, cuts: np.ndarray) -> dict[str, int]:
    """How many moves of every column end one of the prefixes ``cuts``."""
    return {
        name: int(np.count_nonzero(np.isin(moved_rows(column) + 1, cuts)))
        for name, column in rows.items()
    }


def stepwise(rows: Rows) -> list[np.ndarray]:
    """Event rows of every column that moves in steps: integers, and floats that seldom change."""
    found = []
    for column in rows.values():
        events = event_rows(column)
        if column.dtype.kind != "f" or len(events) <= len(column) // 20:
            found.append(events)
    return found


def signal_rows(column: np.ndarray) -> np.ndarray:
    """Rows on which a signal fires."""
    return np.flatnonzero(column != 0)
