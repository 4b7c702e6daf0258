"""Data sets of one source beside each other: when they begin and end, and who is missing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from engine import DAY_NS

from ..findings import Finding, kept_lines
from ..timestamps import time_text
from .check import GroupCheck, counted
from .series import Outline
from .settings import QualitySettings


def source_groups(outlines: Sequence[Outline]) -> dict[str, list[Outline]]:
    """Outlines of one kind, step and source; the name of a group has ``*`` for what differs."""
    groups: dict[str, list[Outline]] = defaultdict(list)
    for outline in outlines:
        key = outline.key
        groups[f"{key.kind}/*/{key.step}/{key.source}"].append(outline)
    return dict(groups)


def _unequal(outlines: Sequence[Outline], _: QualitySettings) -> Iterator[Finding]:
    # Events come when they come, and one moment is no period.
    lasting = [o for o in outlines if o.interval_ns and not o.is_single]
    for name, group in source_groups(lasting).items():
        starts, ends = {o.first_ns for o in group}, {o.last_ns for o in group}
        if len(group) < 2 or len(starts) == len(ends) == 1:
            continue
        lines = [
            f"{o.key.venue}/{o.key.market}/{o.key.symbol}: {time_text(o.first_ns)} to "
            f"{time_text(o.last_ns)}"
            for o in sorted(group, key=lambda o: (o.first_ns, o.last_ns))
        ]
        yield Finding(
            defect="unequal_periods",
            action="kept",
            subject=name,
            count=len(group),
            message=f"{counted(len(group), 'data set')} begin at {counted(len(starts), 'time')} and end "
            f"at {counted(len(ends), 'time')}",
            first_ns=min(starts),
            last_ns=max(ends),
            lines=kept_lines(lines),
        )


def _survivors(outlines: Sequence[Outline], settings: QualitySettings) -> Iterator[Finding]:
    by_market: dict[tuple[str, ...], list[Outline]] = defaultdict(list)
    for outline in outlines:
        key = outline.key
        if outline.interval_ns and key.market != "index":
            by_market[key.kind, key.venue, key.market, key.step, key.source].append(outline)
    for names, group in by_market.items():
        first, last = min(o.first_ns for o in group), max(o.last_ns for o in group)
        slack = max(DAY_NS, 3 * group[0].interval_ns)
        alive = [o for o in group if last - o.last_ns <= slack]
        if len(alive) < settings.survivors_least or last - first < settings.survivors_least_ns:
            continue
        died = [o for o in group if last - o.last_ns > slack]
        # A coin that is still traded and whose file merely stops early did not die: real deaths are
        # spread, so ends that several data sets share are ends of recording.
        shared = {o.last_ns for o in died if sum(p.last_ns == o.last_ns for p in died) > 1}
        if any(o.last_ns not in shared for o in died):
            continue
        kind, venue, market, step, source = names
        yield Finding(
            defect="survivorship",
            action="kept",
            subject=f"{kind}/{venue}/{market}/*/{step}/{source}",
            count=len(alive),
            message=f"{len(alive)} of {counted(len(group), 'symbol')} are alive on {time_text(last)} and "
            f"no other ends by itself in {(last - first) / DAY_NS:.0f} days: coins delisted before "
            "are not in it",
            first_ns=first,
            last_ns=last,
        )


def _recorded_live(outlines: Sequence[Outline], settings: QualitySettings) -> Iterator[Finding]:
    """Last bars that were open when recorded: series that end a few steps apart, or thin ends."""
    for name, group in source_groups(outlines).items():
        bars = [o for o in group if o.last_volume_ratio is not None and o.interval_ns]
        if not bars:
            continue
        last = max(o.last_ns for o in bars)
        live = [o for o in bars if last - o.last_ns <= 3 * o.interval_ns]
        live = [o for o in live if "incomplete_last_bar" not in o.defects]
        if len(live) < settings.live_least_series:
            continue
        ends = {o.last_ns for o in live}
        ratio = float(
            np.median([o.last_volume_ratio for o in live if o.last_volume_ratio is not None])
        )
        reasons = []
        if len(ends) > 1:
            reasons.append(f"they end at {len(ends)} neighbouring times")
        if ratio < settings.live_volume_ratio:
            reasons.append(f"their last volume is {ratio:.0%} of the usual one in the median")
        if reasons:
            yield Finding(
                defect="incomplete_last_bar",
                action="kept",
                subject=name,
                count=len(live),
                message=f"{counted(len(live), 'data set')} seem to have been recorded before the last bar "
                f"had closed: {' and '.join(reasons)}",
                first_ns=min(ends),
                last_ns=last,
                lines=kept_lines([f"{o.key.symbol}: {time_text(o.last_ns)}" for o in live]),
            )


CHECKS = (
    GroupCheck("unequal periods", ("unequal_periods",), _unequal),
    GroupCheck("survivorship", ("survivorship",), _survivors),
    GroupCheck("last bars", ("incomplete_last_bar",), _recorded_live),
)
