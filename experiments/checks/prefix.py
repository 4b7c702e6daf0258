"""Prefix replay: what was computed on the past alone must equal what the whole series gives.

For a cut ``m`` the subject is computed on the first ``m`` rows only and every one of its rows is
compared with the same row of the whole, exactly. The last row of the cut shows a value that was not
known yet; the rows before it show a value that was rewritten later.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np

from engine import Int1D, Market
from indicators import Columns, Output

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
    signal_rows,
    stepwise,
)

EVENT_CUTS = 250
OTHER_CUTS = 200
MIN_EVENTS = 5
MANY_MARKETS = 60
MAX_MARKETS = 500
EARLY_CUTS = (1, 2, 3, 5, 8, 13, 21, 34, 55)
"""Short prefixes, inside most warm-ups."""
SEED = 20_210_101
MOVES = 2
"""Prefixes that end where a subject's output moves, for each output at least, if it moves so often."""

Narrowed: TypeAlias = Callable[[Collection[str]], Subject]
"""From names of outputs to the part of a subject that computes them."""


def first_difference(whole: np.ndarray, part: np.ndarray) -> int | None:
    """The first row of ``part`` that is not exactly the same row of ``whole``; NaN equals NaN."""
    shown = whole[: len(part)]
    if shown.dtype.kind == "f":
        differs = (shown != part) & ~(np.isnan(shown) & np.isnan(part))
    else:
        differs = shown != part
    rows = np.flatnonzero(differs)
    return int(rows[0]) if rows.size else None


def chosen_cuts(
    rows: int, events: Sequence[np.ndarray], *, event_cuts: int, other_cuts: int, seed: int = SEED
) -> Int1D:
    """Lengths of the prefixes to compute: each ends on an event row or on one of ``other_cuts`` rows.

    ``events`` holds the event rows of each output. When there are more of them than ``event_cuts``,
    the rarest outputs keep all of theirs and the rest share what is left, evenly spread. The other
    rows are drawn with a fixed seed; a few short prefixes join them. The last row is left out: its
    prefix is the whole.
    """
    generator = np.random.default_rng(seed)
    kept: set[int] = set()
    left = event_cuts
    for position, found in enumerate(sorted(events, key=len)):
        share = left // (len(events) - position)
        if len(found) > share:
            found = found[np.unique(np.linspace(0, len(found) - 1, share).astype(int))]
        kept.update(int(row) + 1 for row in found)
        left = max(event_cuts - len(kept), 0)
    kept |= set(EARLY_CUTS) if other_cuts else set()
    kept |= set(generator.choice(rows, size=min(other_cuts, rows), replace=False).tolist())
    return np.array(sorted(cut for cut in kept if 0 < cut < rows), dtype=np.int64)


def prefix_failures(
    part_of: Callable[[int], Rows], whole: Rows, cuts: Iterable[int]
) -> dict[str, str]:
    """For every output that is not the same on some prefix, where that was first seen.

    Stops as soon as every output has failed.
    """
    failures: dict[str, str] = {}
    for cut in cuts:
        part = part_of(int(cut))
        for name, column in whole.items():
            if name in failures:
                continue
            if name not in part:
                failures[name] = f"on the first {cut} rows the output is missing"
                continue
            if len(part[name]) != cut:
                failures[name] = f"on the first {cut} rows it has {len(part[name])} rows"
                continue
            row = first_difference(column, part[name])
            if row is not None:
                failures[name] = (
                    f"row {row} is {part[name][row]!r} on the first {cut} rows and "
                    f"{column[row]!r} on all {len(column)}"
                )
        if len(failures) == len(whole):
            break
    return failures


def _fires(case: IndicatorCase, outputs: Rows) -> dict[str, np.ndarray]:
    """Event rows of the outputs that have events: signals, states and levels."""
    found = {}
    for output in case.indicator.outputs:
        if output.kind == "signal":
            found[output.name] = signal_rows(outputs[output.name])
        elif output.kind in ("state", "level"):
            found[output.name] = event_rows(outputs[output.name])
    return found


@dataclass(slots=True)
class PrefixFinding:
    """What prefix replay saw of one case: failures and events by output, prefixes, known rows."""

    failures: dict[str, str] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    prefixes: int = 0
    markets: int = 0
    known_rows: dict[str, int] = field(default_factory=dict)

    def row(self, case: IndicatorCase, output: Output) -> CheckRow:
        """The answer for one output; one that never knew anything has not been checked."""
        detail = f"{self.prefixes} prefixes"
        if output.name in self.events:
            detail += f", {self.events[output.name]} events"
        passed = output.name not in self.failures
        if self.events.get(output.name) == 0:
            passed, detail = False, f"no event on {self.markets} markets: not checked"
        if not self.known_rows.get(output.name):
            passed, detail = False, "it knows nothing on any row of the market: not checked"
        subject = f"{case.name}.{output.name}"
        return CheckRow("prefix", subject, passed, self.failures.get(output.name, detail))


def indicator_prefix(
    case: IndicatorCase,
    market_of: MarketSource = case_market,
    *,
    event_cuts: int = EVENT_CUTS,
    other_cuts: int = OTHER_CUTS,
    max_markets: int = MAX_MARKETS,
) -> PrefixFinding:
    """Prefix replay of one case.

    The first market is cut at events and elsewhere; each further market is opened only while some
    output has met fewer than ``MIN_EVENTS`` events (after ``MANY_MARKETS`` markets: none at all), and
    is cut at the events of those.
    """
    finding = PrefixFinding()
    for position in range(max_markets):
        if position:
            least = MIN_EVENTS if position < MANY_MARKETS else 1
            lacking = [name for name, met in finding.events.items() if met < least]
            if not lacking:
                break
        finding.markets += 1
        columns = case.columns(market_of(case, position))
        whole = case.outputs(columns)
        fires = _fires(case, whole)
        if position:
            fires = {name: fires[name] for name in lacking}
        for name, found in fires.items():
            finding.events[name] = finding.events.get(name, 0) + len(found)
        for name, column in whole.items():
            known = int(np.count_nonzero(~np.isnan(column)))
            finding.known_rows[name] = finding.known_rows.get(name, 0) + known
        cuts = chosen_cuts(
            len(next(iter(whole.values()))),
            tuple(fires.values()),
            event_cuts=event_cuts,
            other_cuts=0 if position else other_cuts,
        )
        finding.prefixes += len(cuts)
        found_here = prefix_failures(partial(_prefix_outputs, case, columns), whole, cuts)
        finding.failures = {**found_here, **finding.failures}
    return finding


def _prefix_outputs(case: IndicatorCase, columns: Columns, cut: int) -> Rows:
    return case.outputs({name: column[:cut] for name, column in columns.items()})


def check_indicator_prefix(
    cases: Iterable[IndicatorCase],
    market_of: MarketSource = case_market,
    *,
    event_cuts: int = EVENT_CUTS,
    other_cuts: int = OTHER_CUTS,
    max_markets: int = MAX_MARKETS,
) -> list[CheckRow]:
    """One row for every output of every case."""
    rows = []
    for case in cases:
        finding = indicator_prefix(
            case,
            market_of,
            event_cuts=event_cuts,
            other_cuts=other_cuts,
            max_markets=max_markets,
        )
        rows += [finding.row(case, output) for output in case.indicator.outputs]
    return rows


def check_subject_prefix(
    subject: Subject,
    market: Market,
    *,
    event_cuts: int = EVENT_CUTS,
    other_cuts: int = OTHER_CUTS,
    further: Iterable[Market] = (),
    narrowed: Narrowed | None = None,
    lacking: Severity = "error",
    may_be_silent: Collection[str] = (),
) -> list[CheckRow]:
    """One row for every output of a subject, on the prefixes of one market.

    Every output needs a prefix that ends where it moves. Those without one are looked for on the
    ``further`` markets, one after the other, by the subject that ``narrowed`` makes for them. An
    output that moved nowhere has not been checked: it fails as ``lacking``, or as a warning when it
    is one of ``may_be_silent``.
    """

    def failures_of(one: Subject, where: Market, whole: Rows, cuts: Int1D) -> dict[str, str]:
        return prefix_failures(lambda cut: one(where.prefix(cut)), whole, cuts)

    whole = subject(market)
    cuts = chosen_cuts(
        len(market.bars), stepwise(whole), event_cuts=event_cuts, other_cuts=other_cuts
    )
    if event_cuts:
        cuts = covering_cuts(whole, cuts, MOVES)
    failures = failures_of(subject, market, whole, cuts)
    met = moves_met(whole, cuts)
    looked_further(failures_of, subject, failures, met, further=further, narrowed=narrowed)
    return subject_rows(
        "prefix",
        whole,
        failures,
        met,
        f"{len(cuts)} prefixes",
        lacking=lacking,
        may_be_silent=may_be_silent,
    )


def looked_further(
    failures_of: Callable[[Subject, Market, Rows, Int1D], Mapping[str, str]],
    subject: Subject,
    failures: dict[str, str],
    met: dict[str, int],
    *,
    further: Iterable[Market],
    narrowed: Narrowed | None,
) -> None:
    """Look on ``further`` markets at outputs that met no move; adds to ``failures`` and ``met``."""
    for market in further:
        unmet = {name for name, count in met.items() if not count}
        if not unmet:
            return
        one = narrowed(unmet) if narrowed else subject
        whole = {name: column for name, column in one(market).items() if name in unmet}
        cuts = covering_cuts(whole, np.empty(0, dtype=np.int64), MOVES)
        if not len(cuts):
            continue
        failures.update(failures_of(one, market, whole, cuts))
        met.update(moves_met(whole, cuts))


def subject_rows(
    check: str,
    whole: Rows,
    failures: Mapping[str, str],
    met: Mapping[str, int],
    text: str,
    *,
    lacking: Severity = "error",
    may_be_silent: Collection[str] = (),
) -> list[CheckRow]:
    """One row for each output of a subject; one that ``met`` no move has not been checked."""
    rows = []
    for name in whole:
        detail = text if name not in met else f"{text}, {met[name]} moves"
        passed = name not in failures
        severity: Severity = "error"
        if passed and met.get(name) == 0:
            passed, detail = False, "no event: not checked"
            severity = "warning" if name in may_be_silent else lacking
        rows.append(CheckRow(check, name, passed, failures.get(name, detail), severity))
    return rows
