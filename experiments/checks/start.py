"""Start dependence: after its declared warm-up a number must not remember where the series began."""

from collections.abc import Iterable, Sequence

import numpy as np

from engine import Market

from .altered import window
from .report import CheckRow, Severity
from .subjects import IndicatorCase, MarketSource, Subject, case_market

TOLERANCE = 1e-6
DROPPED = (1, 37, 200)


def output_scale(column: np.ndarray) -> float:
    """What a difference is measured against: the median size or the spread, whichever is larger."""
    known = column[np.isfinite(column)]
    if known.size == 0:
        return 1.0
    return max(float(np.median(np.abs(known))), float(np.std(known)), 1e-12)


def start_failures(
    case: IndicatorCase, market: Market, *, dropped: Sequence[int] = DROPPED
) -> tuple[dict[str, str], int]:
    """For every output that differs after ``stable`` rows, where; and how many rows were compared."""
    columns = case.columns(market)
    whole = case.outputs(columns)
    stable = case.indicator.stable(case.resolved)
    length = len(next(iter(columns.values())))
    failures: dict[str, str] = {}
    compared = 0
    for skip in dropped:
        if skip + stable >= length:
            continue
        later = case.outputs({name: column[skip:].copy() for name, column in columns.items()})
        compared += length - skip - stable
        for output in case.indicator.outputs:
            if output.name in failures:
                continue
            expected = whole[output.name][skip + stable :]
            found = later[output.name][stable:]
            if output.kind in ("signal", "state"):
                differs = expected != found
            else:
                with np.errstate(all="ignore"):
                    gap = np.abs(expected - found)
                differs = ~(gap <= TOLERANCE * output_scale(whole[output.name]))
                differs &= ~(np.isnan(expected) & np.isnan(found))
            rows = np.flatnonzero(differs)
            if rows.size:
                row = int(rows[-1])
                failures[output.name] = (
                    f"without the first {skip} rows, {row + stable} rows after the start (stable "
                    f"is {stable}) it is {found[row]!r} instead of {expected[row]!r}; "
                    f"{rows.size} rows differ"
                )
    return failures, compared


def check_start(
    cases: Iterable[IndicatorCase], market_of: MarketSource = case_market
) -> list[CheckRow]:
    """One row for every output of every case."""
    rows = []
    for case in cases:
        failures, compared = start_failures(case, market_of(case, 0))
        for output in case.indicator.outputs:
            passed = output.name not in failures and compared > 0
            detail = f"{compared} rows compared"
            if not compared:
                detail = f"stable is {case.indicator.stable(case.resolved)} rows: the series is too short"
            rows.append(
                CheckRow(
                    "start",
                    f"{case.name}.{output.name}",
                    passed,
                    failures.get(output.name, detail),
                )
            )
    return rows


def subject_start_failures(
    subject: Subject,
    market: Market,
    warm_up: int,
    *,
    dropped: Sequence[int],
    skipped: Sequence[str],
) -> dict[str, str]:
    """For every output that differs ``warm_up`` rows after a later start, where.

    Integers must be equal, floats agree to 1e-6 of their scale. ``skipped`` are outputs that are
    meant to remember: an account knows what it began with.
    """
    whole = subject(market)
    failures: dict[str, str] = {}
    for skip in dropped:
        later = subject(window(market, skip, len(market.bars)))
        for name, column in whole.items():
            if name in failures or name in skipped:
                continue
            expected, found = column[skip + warm_up :], later[name][warm_up:]
            if column.dtype.kind == "f":
                differs = ~(np.abs(expected - found) <= TOLERANCE * output_scale(column))
                differs &= ~(np.isnan(expected) & np.isnan(found))
            else:
                differs = expected != found
            rows = np.flatnonzero(differs)
            if rows.size:
                row = int(rows[-1])
                failures[name] = (
                    f"without the first {skip} bars, {row + warm_up} bars after the start (warm-up is "
                    f"{warm_up}) it is {found[row]!r} instead of {expected[row]!r}; {rows.size} rows "
                    "differ"
                )
    return failures


def check_subject_start(
    subject: Subject,
    market: Market,
    warm_up: int,
    *,
    dropped: Sequence[int] = DROPPED,
    skipped: Sequence[str] = (),
    lacking: Severity = "error",
) -> list[CheckRow]:
    """One row for every output of ``subject`` that is not ``skipped``.

    ``lacking`` says what a difference means: a warning where ``warm_up`` is less than declared.
    """
    failures = subject_start_failures(subject, market, warm_up, dropped=dropped, skipped=skipped)
    compared = len(market.bars) - warm_up - max(dropped)
    names = [name for name in subject(market.prefix(1)) if name not in skipped]
    detail = f"{compared} bars compared, {warm_up} bars after the start"
    return [
        CheckRow(
            "start",
            name,
            name not in failures and compared > 0,
            failures.get(name, detail),
            lacking,
        )
        for name in names
    ]
