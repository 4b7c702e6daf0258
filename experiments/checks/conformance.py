"""Conformance: what every indicator and every head promises, whatever it computes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from engine import ConfigError, ContractError, Float1D, Market
from indicators import Indicator, Output, build_features
from strategies import Head, HeadInputs, HeadOutput, head_inputs

from .disturbed import without_flows
from .report import CheckRow
from .subjects import IndicatorCase, MarketSource, case_market

PRICE_SCALE = 8.0
"""A power of two: scaling by it is exact, unless a logarithm or a constant intervenes."""
WITHOUT_DIGITS = {"support_resistance": ("round_percent", 0.0)}
"""Parameter and value of an indicator with which it knows no round numbers: those are round in decimals,
and in a unit of price eight times as large they are other ones."""
SCALED_COLUMNS = ("open", "high", "low", "close", "quote_volume", "taker_buy_quote")
SCALE_TOLERANCE = 1e-9
"""Relative: logarithms of scaled prices differ in their last digits."""
SHORT_LENGTHS = (0, 1, 2, 3, 5, 17)


def _read_only(columns: Mapping[str, Float1D]) -> dict[str, Float1D]:
    copies = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    for column in copies.values():
        column.flags.writeable = False
    return copies


def output_fault(output: Output, column: np.ndarray, lookback: int) -> str | None:
    """What breaks the contract of one output, or None."""
    if column.dtype != np.float64:
        return f"dtype is {column.dtype}, not float64"
    known = ~np.isnan(column)
    if np.isinf(column).any():
        return f"row {int(np.flatnonzero(np.isinf(column))[0])} is infinite"
    if output.kind == "value":
        expected = np.arange(len(column)) >= lookback
        if not np.array_equal(known, expected):
            row = int(np.flatnonzero(known != expected)[0])
            word = "known" if known[row] else "NaN"
            return f"row {row} is {word}, the declared lookback is {lookback}"
    elif output.kind == "level":
        first = int(np.argmax(known)) if known.any() else len(column)
        if not known[first:].all():
            row = first + int(np.flatnonzero(~known[first:])[0])
            return f"row {row} is NaN again after the first event on row {first}"
    elif output.kind == "signal" and not np.isin(column, (-1.0, 0.0, 1.0)).all():
        row = int(np.flatnonzero(~np.isin(column, (-1.0, 0.0, 1.0)))[0])
        return f"row {row} is {column[row]!r}, a signal is -1, 0 or 1"
    elif output.kind == "state" and not ((column >= 0) & (column == np.floor(column))).all():
        row = int(np.flatnonzero(~((column >= 0) & (column == np.floor(column))))[0])
        return f"row {row} is {column[row]!r}, a state is a whole number from 0 on"
    outside = known & ~((column >= output.low) & (column <= output.high))
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        return f"row {row} is {column[row]!r}, outside [{output.low:g}, {output.high:g}]"
    return None


def indicator_faults(case: IndicatorCase, market: Market) -> list[str]:
    """Everything that breaks the contract of an indicator on the rows of one market."""
    indicator = case.indicator
    columns = _read_only(case.columns(market))
    kept = {name: column.copy() for name, column in columns.items()}
    lookback = indicator.lookback(case.resolved)
    faults = []
    outputs = case.outputs(columns)
    if any(not np.array_equal(columns[name], kept[name], equal_nan=True) for name in kept):
        faults.append("it changes its inputs")
    again = case.outputs(columns)
    for output in indicator.outputs:
        column = outputs[output.name]
        if column.shape != (len(next(iter(columns.values()))),):
            faults.append(f"{output.name}: shape {column.shape}")
            continue
        if not np.array_equal(column, again[output.name], equal_nan=True):
            faults.append(f"{output.name}: another call gives another answer")
        fault = output_fault(output, column, lookback)
        if fault:
            faults.append(f"{output.name}: {fault}")
    if lookback > indicator.stable(case.resolved):
        faults.append(f"lookback {lookback} exceeds stable {indicator.stable(case.resolved)}")
    return faults + _short_faults(case, columns, lookback) + _bound_faults(case, columns)


def _short_faults(case: IndicatorCase, columns: Mapping[str, Float1D], lookback: int) -> list[str]:
    faults = []
    for length in (*SHORT_LENGTHS, lookback, lookback + 1):
        short = {name: column[:length].copy() for name, column in columns.items()}
        actual = len(next(iter(short.values())))
        try:
            outputs = case.outputs(short)
        except (ValueError, IndexError, ZeroDivisionError, FloatingPointError) as error:
            faults.append(f"{length} rows: {type(error).__name__}: {error}")
            continue
        for output in case.indicator.outputs:
            if outputs[output.name].shape != (actual,):
                faults.append(
                    f"{output.name}: {length} rows give shape {outputs[output.name].shape}"
                )
    return faults


def _bound_faults(case: IndicatorCase, columns: Mapping[str, Float1D]) -> list[str]:
    """Faults with each parameter at either end of its range, the others at their defaults."""
    faults = []
    for parameter in case.indicator.parameters:
        for value in (parameter.low, parameter.high):
            given = {**dict(case.parameters), parameter.name: value}
            moved = IndicatorCase(case.indicator, tuple(sorted(given.items())), case.clock)
            try:
                lookback = case.indicator.lookback(moved.resolved)
                outputs = moved.outputs(columns)
            except ConfigError:
                # It may not stand beside the defaults of the others, and the indicator says so.
                continue
            except (ValueError, IndexError, ZeroDivisionError) as error:
                faults.append(f"{parameter.name}={value:g}: {type(error).__name__}: {error}")
                continue
            for output in case.indicator.outputs:
                fault = output_fault(output, outputs[output.name], lookback)
                if fault:
                    faults.append(f"{parameter.name}={value:g}: {output.name}: {fault}")
    return faults


def scale_faults(case: IndicatorCase, market: Market) -> list[str]:
    """Outputs that do not follow their unit when every price is multiplied by 8.

    Prices scale with the prices; signals, states and whatever is measured in anything but prices
    stay as they are.
    """
    if case.clock != "bars" or not set(case.indicator.inputs) & set(SCALED_COLUMNS):
        return []
    columns = case.columns(market)
    if case.indicator.name in WITHOUT_DIGITS:
        given = dict([*case.parameters, WITHOUT_DIGITS[case.indicator.name]])
        case = IndicatorCase(case.indicator, tuple(sorted(given.items())), case.clock)
    scaled = {
        name: column * PRICE_SCALE if name in SCALED_COLUMNS else column
        for name, column in columns.items()
    }
    before, after = case.outputs(columns), case.outputs(scaled)
    faults = []
    for output in case.indicator.outputs:
        factor = 1.0
        if output.kind in ("value", "level", "sparse"):
            if output.unit in ("price", "price per bar"):
                factor = PRICE_SCALE
            elif "price" in output.unit or "quote" in output.unit:
                continue
        expected, found = factor * before[output.name], after[output.name]
        size = max(float(np.nanmedian(np.abs(expected))) if _any(expected) else 0.0, 1e-12)
        with np.errstate(all="ignore"):
            gap = np.abs(expected - found)
        wrong = ~(gap <= SCALE_TOLERANCE * np.maximum(np.abs(expected), size))
        wrong &= ~(np.isnan(expected) & np.isnan(found))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            faults.append(
                f"{output.name} ({output.unit}): prices x8 make row {row} {found[row]!r} instead of "
                f"{expected[row]!r}; {int(wrong.sum())} rows differ"
            )
    return faults


def _any(column: np.ndarray) -> bool:
    return bool((~np.isnan(column)).any())


def check_indicator_conformance(
    cases: Iterable[IndicatorCase], market_of: MarketSource = case_market
) -> list[CheckRow]:
    """One row for every case."""
    rows = []
    for case in cases:
        market = market_of(case, 0)
        faults = indicator_faults(case, market) + scale_faults(case, market)
        detail = "; ".join(faults[:4]) or f"{len(case.indicator.outputs)} outputs"
        rows.append(CheckRow("conformance", case.name, not faults, detail))
    return rows


def head_class_faults(head: Head, indicators: Mapping[str, Indicator]) -> list[str]:
    """What a head declares wrongly, before it is asked anything."""
    faults = []
    names = [reason.name for reason in head.REASONS]
    if len(set(names)) != len(names) or len(names) > 64:
        faults.append(f"REASONS must be at most 64 names, each once: {names}")
    faults += [
        f"reason {reason.name}: direction {reason.direction}, rate {reason.firing_rate}"
        for reason in head.REASONS
        if reason.direction not in (-1, 0, 1)
        or not 0 <= reason.firing_rate[0] <= reason.firing_rate[1] <= 1
    ]
    stated = getattr(head, "__dataclass_params__", None)
    if stated is None or not stated.frozen:
        faults.append("it must be a frozen dataclass")
        return faults
    defaults = {field.name: getattr(head, field.name) for field in fields(head)}
    for name, bounds in head.SPACE.items():
        if name not in defaults:
            faults.append(f"SPACE names {name}, which is no parameter")
        elif not bounds.low <= defaults[name] <= bounds.high:
            faults.append(f"SPACE of {name} leaves out its default {defaults[name]}")
    for alias, wanted in head.features().items():
        try:
            indicator = indicators[wanted.indicator]
            indicator.output_index(wanted.output)
            indicator.resolved(dict(wanted.parameters))
        except (KeyError, ConfigError) as error:
            faults.append(f"feature {alias}: {error}")
    return faults


def answer_faults(head: Head, output: HeadOutput, rows: int) -> list[str]:
    """What breaks the contract of one answer."""
    try:
        checked = replace(output)
    except ContractError as error:
        return [str(error)]
    faults = []
    if len(checked.direction) != rows:
        faults.append(f"{len(checked.direction)} rows for {rows} bars")
    flat, absent = checked.direction == 0, checked.coverage == 0
    used = np.bitwise_or.reduce(checked.reasons) if rows else np.uint64(0)
    for text, broken in (
        ("a row without direction must have probability 0.5", flat & (checked.probability != 0.5)),
        ("a row without direction must have confidence 0", flat & (checked.confidence != 0)),
        ("a row with direction needs probability >= 0.5", ~flat & (checked.probability < 0.5)),
        ("a row without coverage must have score 50", absent & (checked.score != 50)),
        ("a row without coverage must have no reasons", absent & (checked.reasons != 0)),
    ):
        if broken.any():
            faults.append(f"row {int(np.flatnonzero(broken)[0])}: {text}")
    if len(head.REASONS) < 64 and int(used) >> len(head.REASONS):
        faults.append(f"bits beyond its {len(head.REASONS)} reasons are set")
    return faults


def _answer(
    head: Head, market: Market, indicators: Mapping[str, Indicator]
) -> tuple[HeadInputs, HeadOutput]:
    with np.errstate(all="ignore"):
        matrix = build_features(market, head.features().values(), indicators=indicators)
        given = head_inputs(head, matrix)
        frozen = HeadInputs(given.rows, _read_only(given.columns))
        return frozen, head.vote(frozen)


def check_head_conformance(
    heads: Sequence[Head], indicators: Mapping[str, Indicator], market: Market
) -> list[CheckRow]:
    """One row for every head and situation."""
    bars = market.bars
    flat = np.full(len(bars), bars.close[0])
    all_gap = replace(
        bars, open=flat, high=flat, low=flat, close=flat, volume=np.zeros(len(bars)),
        is_gap=np.ones(len(bars), dtype=np.bool_),
    )  # fmt: skip
    situations = {
        "market": market,
        "no series": Market(bars=bars),
        "no panels": replace(market, panels={}),
        "prices only": Market(bars=without_flows(bars)),
        "all gaps": replace(market, bars=without_flows(all_gap)),
        "three bars": Market(bars=bars.prefix(3)),
        "one bar": Market(bars=bars.prefix(1)),
    }
    rows = []
    for head in heads:
        rows.append(_row(head.name, "declaration", head_class_faults(head, indicators)))
        for label, situation in situations.items():
            rows.append(_row(head.name, label, _situation_faults(head, situation, indicators)))
        rows.append(_row(head.name, "no data", _no_data_faults(head, market, indicators)))
        rows.append(_row(head.name, "space", _space_faults(head, market, indicators)))
    return rows


def _row(head: str, label: str, faults: Sequence[str]) -> CheckRow:
    return CheckRow("conformance", f"{head}, {label}", not faults, "; ".join(faults[:4]) or "sound")


def _situation_faults(head: Head, market: Market, indicators: Mapping[str, Indicator]) -> list[str]:
    try:
        given, output = _answer(head, market, indicators)
        faults = answer_faults(head, output, len(market.bars))
        again = head.vote(given)
    except (ContractError, ValueError, KeyError, IndexError, TypeError) as error:
        return [f"{type(error).__name__}: {error}"]
    for field in fields(output):
        if not np.array_equal(getattr(output, field.name), getattr(again, field.name)):
            faults.append(f"another call gives another {field.name}")
    return faults


def _no_data_faults(head: Head, market: Market, indicators: Mapping[str, Indicator]) -> list[str]:
    """Without any column coverage is 0; with columns that know nothing yet there is no direction."""
    rows = len(market.bars)
    faults = []
    empty = head.vote(HeadInputs(rows, {}))
    if (empty.coverage != 0).any():
        faults.append("without any column its coverage is not 0")
    unknown = {}
    for alias, wanted in head.features().items():
        indicator = indicators[wanted.indicator]
        kind = indicator.outputs[indicator.output_index(wanted.output)].kind
        fill = np.nan if kind in ("value", "level") else 0.0
        unknown[alias] = np.full(rows, fill)
    warming = head.vote(HeadInputs(rows, unknown))
    if (warming.direction != 0).any():
        faults.append("with nothing but unknown values it votes")
    return faults + answer_faults(head, empty, rows) + answer_faults(head, warming, rows)


def _space_faults(head: Head, market: Market, indicators: Mapping[str, Indicator]) -> list[str]:
    """Faults with each parameter at either end of its search range, the others at their defaults."""
    faults = []
    for name, bounds in head.SPACE.items():
        for value in (bounds.low, bounds.high):
            try:
                moved = replace(head, **{name: int(value) if bounds.integer else value})
                _, output = _answer(moved, market, indicators)
            except ConfigError as error:
                faults.append(f"{name}={value:g}: {error}")
                continue
            except (ContractError, ValueError, KeyError, IndexError, TypeError) as error:
                faults.append(f"{name}={value:g}: {type(error).__name__}: {error}")
                continue
            faults += [
                f"{name}={value:g}: {fault}"
                for fault in answer_faults(moved, output, len(market.bars))
            ]
    return faults
