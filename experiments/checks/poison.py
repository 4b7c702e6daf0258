"""Future poison: absurd values after a row must not change anything up to that row.

Prefix replay shortens the series; poison keeps its length, so it also sees code that looks ahead by
a fixed index, normalises by the whole sample, or changes its mind about the length.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from engine import Int1D, Market

from .altered import wild_future
from .prefix import (
    EARLY_CUTS,
    SEED,
    Narrowed,
    first_difference,
    looked_further,
    subject_rows,
)
from .report import CheckRow, Severity
from .subjects import (
    IndicatorCase,
    MarketSource,
    Rows,
    Subject,
    case_market,
    covering_cuts,
    event_rows,
    moves_met,
    stepwise,
)

POISONS = (np.nan, 1e9, -1e9)
POISONED_CUTS = 16


def poisoned_cuts(rows: int, events: Sequence[np.ndarray], count: int) -> np.ndarray:
    """Numbers of rows that stay sound: half end on events, half are drawn with a fixed seed, and a
    few lie in the warm-up."""
    generator = np.random.default_rng(SEED)
    pool = np.unique(np.concatenate([*events, np.empty(0, dtype=np.int64)]).astype(np.int64)) + 1
    if len(pool) > count // 2:
        pool = pool[np.linspace(0, len(pool) - 1, count // 2).astype(int)]
    others = generator.choice(
        np.arange(1, rows), size=min(count - len(pool), rows - 1), replace=False
    )
    cuts = np.unique(np.concatenate((pool, others, EARLY_CUTS[::3])))
    return cuts[(cuts > 0) & (cuts < rows)]


def _compared(failures: dict[str, str], whole: Rows, changed: Rows, cut: int, text: str) -> None:
    for name, column in whole.items():
        if name in failures:
            continue
        row = first_difference(column, changed[name][:cut])
        if row is not None:
            failures[name] = (
                f"{text} after row {cut - 1} changes row {row} from {column[row]!r} to "
                f"{changed[name][row]!r}"
            )


def indicator_poison_failures(
    case: IndicatorCase, market: Market, *, count: int = POISONED_CUTS
) -> dict[str, str]:
    """For every output that a poisoned future changes, where that was first seen."""
    columns = case.columns(market)
    whole = case.outputs(columns)
    length = len(next(iter(whole.values())))
    events = [
        event_rows(whole[output.name])
        for output in case.indicator.outputs
        if output.kind != "value"
    ]
    failures: dict[str, str] = {}
    for cut in poisoned_cuts(length, events, count):
        for poison in POISONS:
            changed = {
                name: np.concatenate((column[:cut], np.full_like(column[cut:], poison)))
                for name, column in columns.items()
            }
            _compared(failures, whole, case.outputs(changed), int(cut), f"{poison:g}")
        if len(failures) == len(whole):
            break
    return failures


def check_indicator_poison(
    cases: Iterable[IndicatorCase],
    market_of: MarketSource = case_market,
    *,
    count: int = POISONED_CUTS,
) -> list[CheckRow]:
    """One row for every output of every case."""
    rows = []
    for case in cases:
        failures = indicator_poison_failures(case, market_of(case, 0), count=count)
        for output in case.indicator.outputs:
            rows.append(
                CheckRow(
                    "poison",
                    f"{case.name}.{output.name}",
                    output.name not in failures,
                    failures.get(output.name, "nan and +-1e9 after a row leave it unchanged"),
                )
            )
    return rows


def check_subject_poison(
    subject: Subject,
    market: Market,
    *,
    count: int = POISONED_CUTS,
    further: Iterable[Market] = (),
    narrowed: Narrowed | None = None,
    lacking: Severity = "error",
    may_be_silent: Collection[str] = (),
) -> list[CheckRow]:
    """One row for every output of a subject, under wild but valid futures of one market.

    At least ``count`` futures, and as many more as it takes that each output has one that begins
    right after it moved; ``further``, ``narrowed``, ``lacking`` and ``may_be_silent`` are those of
    :func:`check_subject_prefix`.
    """

    def failures_of(one: Subject, where: Market, whole: Rows, cuts: Int1D) -> dict[str, str]:
        failures: dict[str, str] = {}
        for cut in cuts:
            changed = one(wild_future(where, int(cut), seed=int(cut)))
            _compared(failures, whole, changed, int(cut), "a wild future")
            if len(failures) == len(whole):
                break
        return failures

    whole = subject(market)
    cuts = covering_cuts(whole, poisoned_cuts(len(market.bars), stepwise(whole), count), 1)
    failures = failures_of(subject, market, whole, cuts)
    met = moves_met(whole, cuts)
    looked_further(failures_of, subject, failures, met, further=further, narrowed=narrowed)
    return subject_rows(
        "poison",
        whole,
        failures,
        met,
        f"{len(cuts)} wild futures",
        lacking=lacking,
        may_be_silent=may_be_silent,
    )
