"""The page of the evidence: what was asked, how many intervals exclude 0, and every number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .evidence import LEAST_EVENTS, LEAST_WEEKS, Evidence, Group, frequencies, horizons_of
from .measured import HORIZONS_HOURS, Kind, Tally

COMMAND = "python -m experiments.studies.event_evidence --data ../shared/data"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Walks on which nothing can be found: how many there were, and on how many something was."""

    walks: int
    wrong: int
    groups: int


def page(
    evidence: Evidence,
    tallies: Mapping[str, Tally],
    walked: Mapping[str, Tally],
    calibration: Calibration,
    picture_name: str,
) -> str:
    """The page as Markdown."""
    found = evidence.found()
    lines = [
        "# What followed events",
        "",
        f"Made by `{COMMAND}`; the design stands at the top of "
        "`experiments/studies/event_evidence/__init__.py` with what was changed after the first run.",
        "",
        "Returns are those of an entry at the open after the bar on which the event became known (or "
        "entered the named state), in its direction, minus the mean of entries of the same symbol and "
        "side on every bar of the same fifth of volatility; in basis points, before costs. Intervals are "
        f"joint: {len(evidence.groups):,} of them are judged as one family, and the chance that any "
        "misses its mean is 5 %. Their half width is "
        f"{evidence.means.critical:.2f} standard errors, weeks being the clusters. Where there are "
        f"fewer than {LEAST_EVENTS} events or {LEAST_WEEKS} weeks with one, nothing is judged (–). "
        '"Walks" are the same bars with the sign of every move drawn anew: the frequency that '
        "volatility alone gives.",
        "",
        "| sample | symbols | bars |",
        "|---|---|---|",
        *(f"| {name} | {one.symbols} | {one.bars:,} |" for name, one in tallies.items()),
        "",
        "## Result",
        "",
        f"{len(found)} of {len(evidence.groups):,} joint intervals exclude 0"
        + (":" if found else "."),
        "",
        *(_finding(evidence, position) for position in found),
        *([""] if found else []),
        f"On {calibration.walks} walks of the volatility of BTCUSDT, where nothing can follow from "
        f"anything, {calibration.wrong} had any that excludes 0 among their {calibration.groups} "
        "intervals; 5 % are expected.",
        "",
        f"What is smaller than an interval cannot be seen: their median half width is "
        f"{_half_widths(evidence)}.",
        "",
        f"![Mean return after each kind of event]({picture_name})",
        "",
    ]
    for name, tally in tallies.items():
        lines += _table(name, tally, frequencies(walked[name]), evidence)
    return "\n".join(lines).rstrip() + "\n"


def _half_widths(evidence: Evidence) -> str:
    """The median half width of the joint intervals, by horizon."""
    width = evidence.means.high - evidence.means.mean
    hours = np.array([group.hours for group in evidence.groups])
    told = [f"{np.median(width[hours == one]):.0f} bps at {one} h" for one in HORIZONS_HOURS]
    return f"{', '.join(told[:-1])} and {told[-1]}"


def _finding(evidence: Evidence, position: int) -> str:
    group, means = evidence.groups[position], evidence.means
    return (
        f"- {group.sample}, {group.kind}, {group.hours} h: {_interval(evidence, position)} bps in "
        f"{evidence.events[position]:,.0f} events (adjusted p {means.p_adjusted[position]:.4f}; "
        f"{evidence.raw_bps[position]:+.1f} before that mean is subtracted)"
    )


def _interval(evidence: Evidence, position: int) -> str:
    means = evidence.means
    return f"{means.mean[position]:+.1f} [{means.low[position]:+.1f}, {means.high[position]:+.1f}]"


def _table(
    name: str, tally: Tally, walked: Mapping[Kind, float], evidence: Evidence
) -> Sequence[str]:
    """One sample: a kind of event a line."""
    heads = " | ".join(f"{hours} h" for hours in HORIZONS_HOURS)
    own = frequencies(tally)
    lines = [
        f"## {name}",
        "",
        f"| event | up / down / neither | per 1,000 bars | walks | {heads} |",
        "|---|---|---|---|" + "---|" * len(HORIZONS_HOURS),
    ]
    for kind, (up, down, neither) in sorted(tally.events.items()):
        if not (up or down or neither or walked.get(kind)):
            continue
        cells = [_cell(evidence, group) for group in horizons_of(name, kind)]
        lines.append(
            f"| {kind} | {up:,} / {down:,} / {neither:,} | {own[kind]:.3g} | "
            f"{walked.get(kind, 0.0):.3g} | {' | '.join(cells)} |"
        )
    return [*lines, ""]


def _cell(evidence: Evidence, group: Group) -> str:
    position = evidence.position(group)
    return "–" if position is None else _interval(evidence, position)
