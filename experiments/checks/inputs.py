"""Inputs are real: what is declared matters, what is not declared does not.

Every raw column is disturbed by itself. A head must answer differently somewhere when a column that its
features declare is disturbed, and identically everywhere when any other column is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from engine import ConfigError, Market
from indicators import Indicator, build_features
from indicators.clock_join import source_of
from strategies import Head, HeadInputs, head_inputs

from .disturbed import RawColumn, disturbed_market, raw_columns, stretched_times
from .panels import is_part_of
from .prefix import first_difference
from .report import CheckRow, Severity
from .subjects import IndicatorCase, MarketSource, Rows, case_market

SEEDS = (1, 2, 3)
FEW_VALUES = 5
"""A whole number with no more values than this is tried at each."""


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
        disturbed = {**columns, column: stretched_times(columns[column], seed)}
    else:
        disturbed = case.columns(disturbed_market(market, source_of(case.clock, column), seed))
    try:
        return _changed(case.outputs(columns), case.outputs(disturbed))
    except ConfigError:
        # Two parameters may exclude each other; then this variant says nothing about the column.
        return None
