"""Why rows are missing: before listing, an outage, a hole in the download, a delisting, or unknown.

The rule, in this order:

1. Another source of the same instrument, or a finer step of it, has more than half of the gap:
   ``download_hole``. Flat bars without volume are no rows: a source writes them into an outage.
2. The series has no weekends and the gap is nothing but Saturdays and Sundays: ``no_session``.
3. Days without a liquidation have no row in sums of liquidations: ``unknown``.
4. Witnesses are the other symbols of the same kind, venue and market, at the same or a finer step,
   that have rows before and after the gap; the sources of a symbol are one witness. Without enough
   of them: ``unknown``.
5. More than half of the witnesses lack more than half of the gap: ``outage``.
6. The witnesses went on, and the gap of something that is listed and traded is a week or longer:
   ``delisted``, and listed again afterwards.
7. The witnesses went on: ``download_hole``.

Where another source has filled a part of a hole, or in a hole shorter than a week a witness has, the
parts are judged by themselves.

What lies before the first and after the last row is judged against the period that was asked for, by
default that of the source: ``download_hole`` when another source has rows there; ``unknown`` when the
edge is one of the recording (at the turn of a month, or shared by five data sets of the source, or five
of them hold the same number of rows); else
``before_listing`` when another symbol of the source begins earlier, and ``delisted`` when at least two
other symbols of the source go on for a week longer; ``unknown`` when they do not, and for what nobody
lists, such as a count of posts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

import numpy as np

from engine import DAY_NS

from ..findings import Finding, kept_lines
from ..keys import DatasetKey
from ..kinds import BAR_KINDS
from ..timestamps import time_text
from .check import counted
from .gap import CAUSES, Cause, Gap, Period
from .neighbours import Neighbours
from .series import Hole, Outline
from .settings import QualitySettings

_LISTED: Final = (
    *BAR_KINDS, "mark_price", "index_price", "premium_index", "funding", "metrics", "book_summary", "etf",
)  # fmt: skip
"""Kinds about something that is listed on a venue and may be delisted."""
_MAY_BE_EMPTY: Final = ("liquidation_volume",)
"""Kinds that have no row where nothing happened."""
_THURSDAY: Final = 4
"""The epoch, counted from Sunday 0."""


def classified(
    outline: Outline, neighbours: Neighbours, settings: QualitySettings, asked: Period | None
) -> tuple[Gap, ...]:
    """Every gap of a data set with its cause, in time order; none for events."""
    if not outline.interval_ns:
        return ()
    has_sessions = _skips_weekends(outline)
    inside = [
        gap
        for hole in outline.holes
        for gap in _gaps_of_hole(outline, hole, neighbours, settings, has_sessions=has_sessions)
    ]
    return (
        *_before(outline, neighbours, settings, asked),
        *inside,
        *_after(outline, neighbours, settings, asked),
    )


def _gaps_of_hole(
    outline: Outline,
    hole: Hole,
    neighbours: Neighbours,
    settings: QualitySettings,
    *,
    has_sessions: bool,
) -> list[Gap]:
    """One gap, or several where others have rows in a part of the hole and filled the rest."""
    is_long = hole.end_ns - hole.start_ns >= settings.delisted_after_ns

    def judged(part: Hole) -> Gap:
        return _inside(
            outline, part, neighbours, settings, has_sessions=has_sessions, is_long=is_long
        )

    # Witnesses without a trade now and then say little about a hole of weeks.
    parts = neighbours.parts(outline, hole, of_witnesses=not is_long)
    gaps = [judged(part) for part in parts]
    if len({gap.cause for gap in gaps}) < 2:
        return [judged(hole)]
    return [_merged(list(alike)) for _, alike in groupby(gaps, key=lambda gap: gap.cause)]


def _merged(gaps: Sequence[Gap]) -> Gap:
    """Adjoining gaps of one cause as one, with the reason of the longest."""
    longest = max(gaps, key=lambda gap: gap.missing_rows)
    rows = sum(gap.missing_rows for gap in gaps)
    return replace(longest, start_ns=gaps[0].start_ns, end_ns=gaps[-1].end_ns, missing_rows=rows)


def _inside(
    outline: Outline,
    hole: Hole,
    neighbours: Neighbours,
    settings: QualitySettings,
    *,
    has_sessions: bool,
    is_long: bool,
) -> Gap:
    start, end = hole.start_ns, hole.end_ns
    others = neighbours.witnesses(outline, start, end)
    lacking = sum(
        all(source.lacks(start, end) > settings.witness_share for source in sources)
        for sources in others.values()
    )
    cause: Cause
    holder = _holder(outline, neighbours, start, end, settings)
    verb = "lacks" if len(others) == 1 else "lack"
    share = f"{lacking} of {counted(len(others), 'other symbol')} {verb} them too"
    if holder is not None:
        cause, reason = "download_hole", f"{holder.source} {holder.step} has the rows"
    elif has_sessions and _is_weekend(start, end):
        cause, reason = "no_session", "Saturday and Sunday"
    elif outline.key.kind in _MAY_BE_EMPTY:
        cause, reason = "unknown", "a period without an event has no row either"
    elif len(others) < settings.least_witnesses:
        cause, reason = "unknown", "no other symbol to compare with"
    elif lacking > settings.witness_share * len(others):
        cause, reason = "outage", share
    elif outline.key.kind in _LISTED and is_long:
        cause, reason = "delisted", f"{share}; listed again on {time_text(end)}"
    else:
        cause, reason = "download_hole", share
    return Gap(start, end, hole.missing_rows, cause, reason, len(others), lacking)


def _holder(
    outline: Outline, neighbours: Neighbours, start: int, end: int, settings: QualitySettings
) -> DatasetKey | None:
    """Another source of the instrument that has most of the rows of the gap."""
    for other in neighbours.same_instrument(outline):
        low, high = max(start, other.first_ns), min(end, other.end_ns)
        if high <= low:
            continue
        held = (high - low) * (1.0 - other.lacks(low, high))
        if held > settings.witness_share * (end - start):
            return other.key
    return None


def _before(
    outline: Outline, neighbours: Neighbours, settings: QualitySettings, asked: Period | None
) -> Iterator[Gap]:
    group = neighbours.of_source(outline)
    start = asked.start_ns if asked is not None else None
    start = min(o.first_ns for o in group) if start is None else start
    missing = (outline.first_ns - start) // outline.interval_ns
    if missing <= 0:
        return
    beginning = sum(o.first_ns == outline.first_ns for o in group)
    as_long = sum(o.rows == outline.rows for o in group)
    earlier = sum(o.first_ns < outline.first_ns for o in group)
    cause: Cause
    holder = _holder(outline, neighbours, start, outline.first_ns, settings)
    if holder is not None:
        cause, reason = "download_hole", f"{holder.source} {holder.step} has the rows"
    elif beginning >= settings.shared_edge_least:
        cause, reason = "unknown", f"{beginning} data sets of the source begin here"
    elif as_long >= settings.shared_edge_least:
        cause, reason = (
            "unknown",
            f"the source holds {counted(outline.rows, 'row')} of {as_long} data sets",
        )
    elif _turns_month(outline.first_ns):
        cause, reason = "unknown", "begins with a month, as files do"
    elif outline.key.kind not in _LISTED:
        cause, reason = "unknown", "the series begins here; nobody lists what it is about"
    elif earlier < settings.least_witnesses:
        cause, reason = "unknown", "no other symbol of the source begins earlier"
    else:
        begin = "symbol begins" if earlier == 1 else "symbols begin"
        cause, reason = "before_listing", f"{earlier} other {begin} earlier"
    yield Gap(start, outline.first_ns, int(missing), cause, reason, 0, 0, inside=False)


def _after(
    outline: Outline, neighbours: Neighbours, settings: QualitySettings, asked: Period | None
) -> Iterator[Gap]:
    group = neighbours.of_source(outline)
    end = asked.end_ns if asked is not None else None
    end = max(o.end_ns for o in group) if end is None else end
    missing = (end - outline.end_ns) // outline.interval_ns
    if missing <= 0:
        return
    ending = sum(o.last_ns == outline.last_ns for o in group)
    going_on = sum(o.end_ns - outline.end_ns >= settings.delisted_after_ns for o in group)
    cause: Cause
    holder = _holder(outline, neighbours, outline.end_ns, end, settings)
    if holder is not None:
        cause, reason = "download_hole", f"{holder.source} {holder.step} has the rows"
    elif ending >= settings.shared_edge_least:
        cause, reason = "unknown", f"{ending} data sets of the source end here"
    elif _turns_month(outline.end_ns):
        cause, reason = "unknown", "ends with a month, as files do"
    elif outline.key.kind not in _LISTED:
        cause, reason = "unknown", "the series ends here; nobody lists what it is about"
    elif going_on > settings.least_witnesses:
        cause, reason = "delisted", _others_go_on(going_on)
    else:
        cause, reason = "unknown", f"{_others_go_on(going_on)}, too few to tell"
    yield Gap(outline.end_ns, end, int(missing), cause, reason, going_on, 0, inside=False)


def _others_go_on(number: int) -> str:
    return f"{counted(number, 'other symbol')} {'goes' if number == 1 else 'go'} on"


def _turns_month(time_ns: int) -> bool:
    """True at 00:00 UTC of the first of a month."""
    moment = np.datetime64(time_ns, "ns")
    return bool(moment == moment.astype("datetime64[M]"))


def _skips_weekends(outline: Outline) -> bool:
    """True for a daily series in which nine of ten weekends are missing."""
    if outline.interval_ns != DAY_NS or len(outline.holes) < 4:
        return False
    weekends = (outline.last_ns - outline.first_ns) / (7 * DAY_NS)
    missing = sum(_has_weekend(hole.start_ns, hole.end_ns) for hole in outline.holes)
    return missing >= 0.9 * weekends - 1


def _weekdays(start_ns: int, end_ns: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Day of the week of every day of a gap, Sunday 0."""
    return (np.arange(start_ns // DAY_NS, end_ns // DAY_NS) + _THURSDAY) % 7


def _is_weekend(start_ns: int, end_ns: int) -> bool:
    return bool(np.isin(_weekdays(start_ns, end_ns), (0, 6)).all())


def _has_weekend(start_ns: int, end_ns: int) -> bool:
    return bool(np.isin(_weekdays(start_ns, end_ns), (0, 6)).any())


def gap_findings(key: DatasetKey, gaps: Sequence[Gap]) -> Iterator[Finding]:
    """The gaps between stored rows as findings: days without a session apart from the others."""
    inside = [gap for gap in gaps if gap.inside]
    for defect, chosen in (
        ("gap", [gap for gap in inside if gap.cause != "no_session"]),
        ("no_session", [gap for gap in inside if gap.cause == "no_session"]),
    ):
        if not chosen:
            continue
        rows = sum(gap.missing_rows for gap in chosen)
        causes = {cause: n for cause in CAUSES if (n := sum(gap.cause == cause for gap in chosen))}
        yield Finding(
            defect=defect,
            action="kept",
            subject=str(key),
            count=rows,
            message=f"{counted(rows, 'row')} missing in {counted(len(chosen), 'gap')}: "
            + ", ".join(f"{n} {cause}" for cause, n in causes.items()),
            first_ns=chosen[0].start_ns,
            last_ns=chosen[-1].end_ns,
            lines=kept_lines([str(gap) for gap in chosen]),
        )
