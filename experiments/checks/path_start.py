"""Start dependence of heads, consensus and replay: as far as a market is long enough to tell."""

from dataclasses import replace

from engine import HOUR_NS, Market
from strategies import memory_bars

from .altered import window
from .markets import null_market
from .report import CheckRow, Severity
from .start import check_subject_start
from .suite import Suite

LONGEST_WARM_UP_HOURS = 10_000
"""Weekly structure declares a warm-up of decades; what reads it is compared after sixty weeks."""
VALIDITY_ROWS = 200
"""Events that a head holds on to for a while after its features are stable; more where it says more."""
COMPARED_ROWS = 2_000
MOST_ROWS = 20_000
"""Bars of the data that are looked at, the last ones."""
NULL_HOURS, NULL_SEED = 12_000, 501
REMEMBERS = (
    "replay.equity_before",
    "replay.net_exposure_before",
    "replay.initial_margin_before",
    "replay.maintenance_margin_before",
    "replay.filled",
    "replay.fee",
    "replay.spread",
    "replay.impact",
    "replay.funding",
    "replay.borrow",
    "replay.granted",
    "replay.order_filled",
)
"""What an account's size enters: it depends on every trade since the start, as it should."""


def compared_after(suite: Suite, bar_step_ns: int) -> tuple[int, Severity]:
    """Bars after which ``suite`` is compared, and what a difference then means.

    That is its declared warm-up, where a difference is an error. A warm-up beyond
    ``LONGEST_WARM_UP_HOURS`` is cut there, and a difference is a warning.
    """
    remembered = max([VALIDITY_ROWS, *map(memory_bars, suite.heads)])
    declared = suite.warm_up_rows(bar_step_ns) + remembered
    longest = LONGEST_WARM_UP_HOURS * HOUR_NS // bar_step_ns
    return (declared, "error") if declared <= longest else (longest, "warning")


def check_path_start(suite: Suite, market: Market) -> list[CheckRow]:
    """One row for every output of each head by itself, of the consensus and of the replay.

    On the last bars of ``market``, or on a null market of 12,000 hours where those are too few. The
    replay carries its positions on for as long as its rules let it, so what its fills remember is a
    warning.
    """
    rows = []
    for head in suite.heads:
        one = replace(suite, heads=(head,))
        part, severity, after = _long_enough(one, market)
        rows += check_subject_start(one.vote_rows, part, after, lacking=severity)
    part, severity, after = _long_enough(suite, market)
    path = check_subject_start(
        suite.path_rows, part, after, skipped=REMEMBERS, dropped=(37,), lacking=severity
    )
    owned = tuple(f"{head.name}{mark}" for head in suite.heads for mark in ".:")
    for row in path:
        if row.subject.startswith("replay."):
            rows.append(replace(row, severity="warning"))
        elif not row.subject.startswith(owned):
            rows.append(row)
    return rows


def _long_enough(suite: Suite, market: Market) -> tuple[Market, Severity, int]:
    after, severity = compared_after(suite, market.bars.step_ns)
    total = len(market.bars)
    if after + COMPARED_ROWS <= min(total, MOST_ROWS):
        return window(market, max(total - MOST_ROWS, 0), total), severity, after
    after, severity = compared_after(suite, HOUR_NS)
    return null_market(NULL_HOURS, NULL_SEED), severity, after
