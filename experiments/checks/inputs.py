"""Inputs are real: what is declared matters, what is not declared does not.

Every raw column is disturbed by itself, on the clock it comes from, in a way that keeps the market
valid. A head must answer differently somewhere when a column that its features declare is disturbed,
and identically everywhere when any other column is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from engine import (
    FLOW_COLUMNS,
    HOUR_NS,
    Bars,
    ConfigError,
    Float1D,
    Market,
    MarketPanel,
    Series,
)
from indicators import Indicator, build_features
from indicators.clock_join import source_of
from strategies import Head, HeadInputs, head_inputs

from .panels import disturbed_panel, is_part_of, panel_columns
from .prefix import first_difference
from .report import CheckRow, Severity
from .subjects import IndicatorCase, MarketSource, Rows, case_market

GAP_RUNS = (5, 6, 24, 130)
"""Lengths of the runs that are marked missing: state machines reset after more than three."""
TIME_SHIFT_NS = 5 * HOUR_NS
SEEDS = (1, 2, 3)
FEW_VALUES = 5
"""A whole number with no more values than this is tried at each."""

RawColumn = tuple[str, str]
"""A clock and the name of one of its columns."""
TimedRows = TypeVar("TimedRows", Series, MarketPanel)


def raw_columns(market: Market) -> tuple[RawColumn, ...]:
    """Every column that can be disturbed, clock by clock."""
    bars = [("bars", name) for name in market.bars.columns()]
    series = [
        (name, column)
        for name, entry in market.series.items()
        for column in ("event_time", *entry.columns)
    ]
    panels = [
        (name, column) for name, panel in market.panels.items() for column in panel_columns(panel)
    ]
    return (*bars, *series, *panels)


def declared_columns(head: Head, indicators: Mapping[str, Indicator]) -> frozenset[RawColumn]:
    """The raw columns that the features of ``head`` read.

    Longer bars depend on where they are cut, so they declare ``open_time`` as well.
    """
    declared: set[RawColumn] = set()
    for feature in head.features().values():
        clock = "bars" if feature.clock.startswith("bars:") else feature.clock
        if clock != feature.clock:
            declared.add(("bars", "open_time"))
        declared |= {source_of(clock, column) for column in indicators[feature.indicator].inputs}
    return frozenset(declared)


def disturbed_bars(bars: Bars, column: str, seed: int) -> Bars:
    """The same bars with one column noised; every price relation still holds."""
    generator = np.random.default_rng([seed, 3])
    rows = len(bars)
    values = bars.columns()[column]
    if column == "open_time":
        return replace(bars, open_time=bars.open_time + TIME_SHIFT_NS)
    if column == "is_gap":
        flags = bars.is_gap.copy()
        for length in GAP_RUNS:
            for _ in range(1 + rows // (20 * length)):
                begin = int(generator.integers(rows // 4, max(rows - length, rows // 4 + 1)))
                flags[begin : begin + length] = ~flags[begin : begin + length]
        return replace(bars, is_gap=flags)
    if column in ("open", "close"):
        noised = bars.low + generator.random(rows) * (bars.high - bars.low)
    elif column == "high":
        noised = values * (1.0 + 0.01 * generator.exponential(size=rows))
    elif column == "low":
        noised = values / (1.0 + 0.01 * generator.exponential(size=rows))
    else:
        noised = values * np.exp(generator.standard_normal(rows))
    changed: dict[str, Any] = {column: noised}
    return replace(bars, **changed)


def disturbed_series(series: Series, column: str, seed: int) -> Series:
    """The same series with one column noised: factors for positive columns, else added noise."""
    generator = np.random.default_rng([seed, 4])
    values = series.columns[column]
    noise = generator.standard_normal(len(values))
    if not len(values):
        return series
    if values.min() > 0:
        noised = values * np.exp(0.7 * noise)
    else:
        noised = values + 2.0 * (float(values.std()) + 1e-9) * noise
    return replace(series, columns={**series.columns, column: noised})


def disturbed_market(market: Market, raw: RawColumn, seed: int) -> Market:
    """The same market with one raw column disturbed; ``open_time`` moves every clock alike."""
    clock, column = raw
    if raw == ("bars", "open_time") and seed > 1:
        return _slowed(market)
    if clock in market.panels:
        panel = market.panels[clock]
        moved = column == "event_time"
        changed_panel = _torn(panel, seed) if moved else disturbed_panel(panel, column, seed)
        return replace(market, panels={**market.panels, clock: changed_panel})
    if clock != "bars":
        series = market.series[clock]
        torn = column == "event_time"
        changed = _torn(series, seed) if torn else disturbed_series(series, column, seed)
        return replace(market, series={**market.series, clock: changed})
    bars = disturbed_bars(market.bars, column, seed)
    if column != "open_time":
        return replace(market, bars=bars)
    return Market(
        bars=bars,
        series={name: _shifted(entry) for name, entry in market.series.items()},
        panels={name: _shifted(panel) for name, panel in market.panels.items()},
    )


def _shifted(rows: TimedRows) -> TimedRows:
    return replace(
        rows,
        event_time=rows.event_time + TIME_SHIFT_NS,
        available_at=rows.available_at + TIME_SHIFT_NS,
    )


def _slowed(market: Market) -> Market:
    """The same bars at twice their step: durations change, which a shift leaves alone."""
    bars = market.bars
    doubled = {"1m": "2m", "5m": "10m", "15m": "30m", "30m": "1h", "1h": "2h", "4h": "8h"}
    if bars.timeframe not in doubled:
        return market
    open_time = bars.open_time[0] + 2 * (bars.open_time - bars.open_time[0])
    if bars.open_time[0] % (2 * bars.step_ns):
        open_time = open_time + bars.step_ns
    slowed = replace(bars, timeframe=doubled[bars.timeframe], open_time=open_time)
    return replace(market, bars=slowed)


def _torn(rows: TimedRows, seed: int) -> TimedRows:
    """The same rows with holes of hours to a month torn between some of them."""
    moved = _stretched(rows.event_time.astype(np.float64), 2 * seed + 1)
    moved_ns = moved.astype(np.int64) - rows.event_time
    return replace(
        rows, event_time=rows.event_time + moved_ns, available_at=rows.available_at + moved_ns
    )


def check_head_inputs(
    head_rows: Callable[[Market], Mapping[str, Rows]],
    heads: Sequence[Head],
    indicators: Mapping[str, Indicator],
    markets: Sequence[Market],
    *,
    lacking: Severity = "error",
) -> list[CheckRow]:
    """One row for every head and raw column of the first of ``markets``.

    ``head_rows`` gives the answers of every head by its name. Undeclared columns are disturbed on the
    first market; a declared one on one market after the other until an answer changes, and
    ``lacking`` says what it means when none does.
    """
    declared = {head.name: declared_columns(head, indicators) for head in heads}
    wholes = [head_rows(markets[0])]
    rows = []
    for raw in raw_columns(markets[0]):
        # Times and parts of a table change other columns as well, which others may have declared.
        only_declared = raw[1] == "event_time" or (
            raw[0] in markets[0].panels and is_part_of(raw[1])
        )
        judged = [head.name for head in heads if raw in declared[head.name] or not only_declared]
        found: dict[str, str] = {}
        pending = set(judged)
        for position, market in enumerate(markets):
            if position == len(wholes):
                wholes.append(head_rows(market))
            answers = head_rows(disturbed_market(market, raw, position + 1))
            for name in sorted(pending):
                where = _changed(wholes[position][name], answers[name])
                if where is not None:
                    found[name] = where
            pending = {name for name in pending if raw in declared[name] and name not in found}
            if not pending:
                break
        rows += [_input_row(name, raw, declared[name], found, lacking) for name in judged]
    present = set(raw_columns(markets[0]))
    rows += [
        CheckRow("inputs", head.name, False, f"the market lacks {clock}.{column}", "warning")
        for head in heads
        for clock, column in sorted(declared[head.name] - present)
    ]
    return rows


def _changed(whole: Rows, answer: Rows) -> str | None:
    for name, column in whole.items():
        row = first_difference(column, answer[name])
        if row is not None:
            return f"{name}, first on row {row}"
    return None


def _input_row(
    head: str,
    raw: RawColumn,
    declared: frozenset[RawColumn],
    found: Mapping[str, str],
    lacking: Severity,
) -> CheckRow:
    column = ".".join(raw)
    if raw in declared:
        detail = f"declared, changes {found.get(head, 'nothing')}"
        return CheckRow("inputs", f"{head} < {column}", head in found, detail, lacking)
    detail = "not declared, changes nothing"
    if head in found:
        detail = f"not declared, yet changes {found[head]}"
    return CheckRow("inputs", f"{head} < {column}", head not in found, detail)


def check_head_aliases(
    heads: Sequence[Head],
    indicators: Mapping[str, Indicator],
    markets: Iterable[Market],
    *,
    presence: Collection[tuple[str, str]] = (),
) -> list[CheckRow]:
    """One row for every feature that a head declares, by its alias: shuffling its rows changes an answer.

    Several features may share a raw column; this tells an unread one apart. Markets are taken one
    after the other until every alias has mattered. Of an alias in ``presence``, as (head, alias), a
    head reads only whether it is known: it loses rows instead.
    """
    pending = {(head.name, alias) for head in heads for alias in head.features()}
    found: dict[tuple[str, str], str] = {}
    for position, market in enumerate(markets):
        if not pending:
            break
        generator = np.random.default_rng([position, 7])
        for head in heads:
            wanted = sorted(alias for name, alias in pending if name == head.name)
            if not wanted:
                continue
            with np.errstate(all="ignore"):
                matrix = build_features(market, head.features().values(), indicators=indicators)
            given = head_inputs(head, matrix)
            whole = _answer_columns(head, given)
            for alias in wanted:
                if alias not in given.columns:
                    continue
                column = given.columns[alias]
                if (head.name, alias) in presence:
                    disturbed = np.where(generator.random(len(column)) < 0.2, np.nan, column)
                else:
                    disturbed = generator.permutation(column)
                changed = HeadInputs(given.rows, {**given.columns, alias: disturbed})
                where = _changed(whole, _answer_columns(head, changed))
                if where is not None:
                    found[head.name, alias] = f"changes {where}"
                    pending.discard((head.name, alias))
    return [
        CheckRow(
            "inputs",
            f"{head.name} < {alias}",
            (head.name, alias) in found,
            found.get((head.name, alias), "declared, changes nothing when it is disturbed"),
        )
        for head in heads
        for alias in head.features()
    ]


def _answer_columns(head: Head, given: HeadInputs) -> Rows:
    with np.errstate(all="ignore"):
        answer = head.vote(given)
    return {field.name: getattr(answer, field.name) for field in fields(answer)}


def check_indicator_inputs(
    cases: Iterable[IndicatorCase],
    market_of: MarketSource = case_market,
    *,
    seeds: Sequence[int] = SEEDS,
) -> list[CheckRow]:
    """One row for every declared input of every case: disturbing it changes some output.

    An indicator is only ever given what it declares, so reading anything else is a KeyError.
    """
    rows = []
    for case in cases:
        for column in case.indicator.inputs:
            where = next(
                (
                    found
                    for tried in _variants(case)
                    for seed in seeds
                    if (found := _case_change(tried, column, market_of(case, 2 * seed), seed))
                ),
                None,
            )
            rows.append(
                CheckRow(
                    "inputs",
                    f"{case.name} < {column}",
                    where is not None,
                    f"changes {where or 'nothing, whatever the parameters'}",
                )
            )
    return rows


def _variants(case: IndicatorCase) -> Iterator[IndicatorCase]:
    """The case itself, then with each parameter at either end of its range, or at every one of few."""
    yield case
    for parameter in case.indicator.parameters:
        values = [parameter.low, parameter.high]
        if parameter.integer and parameter.high - parameter.low < FEW_VALUES:
            values = list(np.arange(parameter.low, parameter.high + 1.0))
        for value in values:
            given = {**dict(case.parameters), parameter.name: value}
            yield replace(case, parameters=tuple(sorted(given.items())))


def _case_change(case: IndicatorCase, column: str, market: Market, seed: int) -> str | None:
    columns = case.columns(market)
    if column in ("open_time", "event_time", "known_at"):
        disturbed = {**columns, column: _stretched(columns[column], seed)}
    else:
        disturbed = case.columns(disturbed_market(market, source_of(case.clock, column), seed))
    try:
        return _changed(case.outputs(columns), case.outputs(disturbed))
    except ConfigError:
        return None


def _stretched(times: Float1D, seed: int) -> Float1D:
    """The same rows at twice their step (even seeds), or with holes of hours to a month between them."""
    if seed % 2 == 0:
        return times[:1] + 2.0 * (times - times[:1])
    generator = np.random.default_rng([seed, 5])
    holes = np.where(
        generator.random(len(times)) < 0.02, generator.integers(5, 720, size=len(times)), 0
    )
    return times + float(HOUR_NS) * np.cumsum(holes)


def without_flows(bars: Bars) -> Bars:
    """The same bars from a source that knows nothing but prices and volume."""
    absent: dict[str, Any] = dict.fromkeys(FLOW_COLUMNS)
    return replace(bars, **absent)
