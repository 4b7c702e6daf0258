"""Numbers and moments of the app's pages in words."""

from collections.abc import Mapping
from typing import Final

from ..formats import formatted
from .sweep_watch import SweepState

DISPLAY: Final[Mapping[str, str]] = {
    "name": "Run",
    "created": "Made (UTC)",
    "timeframe": "Timeframe",
    "bars": "Period (UTC)",
    "return": "Return",
    "sharpe": "Sharpe",
    "drawdown": "Max drawdown",
    "trades": "Trades",
}
"""Headings of the columns that sort the list, by their name in an address."""


def amount(value: float | None, unit: str) -> str:
    """A number in its unit, n/a where it is undefined."""
    return formatted(value, unit)


def metric_text(metric: str) -> str:
    """The name of a metric in words, as reports of sweeps write it."""
    from ..sweep_report.words import metric_label

    return metric_label(metric)


def score_text(value: float | None, metric: str) -> str:
    """A trial's score in the unit of its metric."""
    from ..sweep_report.words import metric_number

    return metric_number(value, metric).text


def ago(seconds: float) -> str:
    """A span that has passed, in its largest unit."""
    return f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """So many seconds in the unit that a person would choose."""
    for size, unit in ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.0f} {unit}s"
    count = max(round(seconds), 0)
    return f"{count} second" if count == 1 else f"{count} seconds"


def bytes_text(count: int) -> str:
    """A size as people read it."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"


def state_sentence(state: SweepState, now: float) -> str:
    """Where a sweep stands, as one sentence; ``now`` are seconds since 1970."""
    last = "" if state.last_batch_at is None else ago(max(now - state.last_batch_at, 0.0))
    match state.words:
        case "finished":
            return f"Finished: all {state.planned:,} trials are kept."
        case "waiting":
            return "Began just now: the first batch is not kept yet."
        case "running":
            left = "" if state.seconds_left is None else f", {span(state.seconds_left)} to go"
            return f"Running: the last batch was kept {last}{left}."
        case _ if not last:
            return "Stopped before its first batch."
        case _:
            return (
                f"Stopped, or busy with a long batch: the last one was kept {last}. "
                "`ninefold sweep resume` goes on where it ended."
            )
