"""What heads state and what came true."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np

from ...formats import counted, formatted, spoken
from ...pages import Block, Chart, Fold, Number, Section, Table, Text
from ...pages.plots import percent_axis, points
from ...statistics.clustered_shares import FEWEST_CLUSTERS
from .calibration import JUDGED, HeadCalibration, Reliability
from .forward import HORIZONS
from .numbers import HeadNumbers
from .shown import interval_words, listed, sentence, whiskers

FEWEST_VOTES: Final = 30
"""Votes below which a bin, or a head, is not drawn."""
AHEAD: Final = HORIZONS[JUDGED]
LARGEST_MARKER: Final = 14.0
SMALLEST_MARKER: Final = 5.0
MEANING: Final = (
    "Right means that the traded price moved to the side of the vote between the open after it and "
    f"the open {AHEAD} bars later. Heads state no horizon: {AHEAD} bars is the choice of this page, and "
    "the table has 1 and 4 bars too. A head's probability is a score that its rules give, no measured "
    "frequency; these pictures say how far one may be taken for the other.",
    "Being right in direction is not being profitable: costs, the size of moves and the stops decide that.",
)
HOW_TO_READ: Final = (
    "On the dashed line a head would be right as often as it states. Circles are bins of stated "
    "probability, diamonds of stated confidence; a larger mark has more votes. Whiskers hold all bins of "
    "one kind at once with 95 % (Wilson's interval at the effective number of votes: those of the same "
    "{days} days may depend on each other)."
)


def calibration_section(numbers: HeadNumbers) -> Section:
    """Reliability of each enabled head that voted, its Brier score and calibration error."""
    judged = {
        head: found
        for head, found in numbers.calibrations.items()
        if found.counts[JUDGED] >= FEWEST_VOTES
    }
    drawn = {
        head: found
        for head, found in judged.items()
        if _shown(found.probability).any() or _shown(found.confidence).any()
    }
    blocks: list[Block] = [Text(paragraphs=_verdict(judged))]
    if any(found.counts.any() for found in numbers.calibrations.values()):
        blocks.append(_table(numbers))
    if drawn:
        blocks.append(Text(paragraphs=(HOW_TO_READ.format(days=numbers.cluster_days),)))
    blocks += [_chart(head, found) for head, found in drawn.items()]
    if left_out := _left_out(numbers, judged, drawn):
        blocks.append(Text(paragraphs=left_out))
    blocks.append(Fold(summary="What is compared here", blocks=(Text(paragraphs=MEANING),)))
    return Section(
        name="head-calibration",
        title="What heads state, and how often they are right",
        lead="A head that says 0.90 and is right half the time is shown so.",
        blocks=tuple(blocks),
    )


def _left_out(
    numbers: HeadNumbers, judged: Collection[str], drawn: Collection[str]
) -> tuple[str, ...]:
    """Which heads are not drawn, by the reason."""
    few = [head for head in numbers.calibrations if head not in judged]
    short = [head for head in judged if head not in drawn]
    said = []
    if few:
        said.append(
            f"Not drawn, fewer than {FEWEST_VOTES} votes with a known outcome: {listed(few)}."
        )
    if short:
        said.append(
            f"Not drawn, no bin of {FEWEST_VOTES} votes in {FEWEST_CLUSTERS} different stretches of "
            f"{numbers.cluster_days} days: {listed(short)}."
        )
    return tuple(said)


def _verdict(judged: Mapping[str, HeadCalibration]) -> tuple[str, ...]:
    if not judged:
        return (f"n/a: no head has {FEWEST_VOTES} votes with a known outcome.",)
    known = {head: one for head, one in judged.items() if np.isfinite(one.low[JUDGED])}
    above = [head for head, one in known.items() if one.stated > one.high[JUDGED]]
    below = [head for head, one in known.items() if one.stated < one.low[JUDGED]]
    better = [head for head, one in known.items() if one.low[JUDGED] > one.chance[JUDGED]]
    worse = [head for head, one in known.items() if one.high[JUDGED] < one.chance[JUDGED]]
    said = []
    if above:
        said.append(
            f"{sentence(listed(above))} {_verb(above, 'states', 'state')} more than "
            f"{_verb(above, 'it delivers', 'they deliver')}: the mean probability lies above the interval "
            f"of how often the direction was right after {AHEAD} bars."
        )
    if below:
        said.append(
            f"{sentence(listed(below))} {_verb(below, 'is', 'are')} right more often than stated."
        )
    if known and not above and not below:
        said.append(
            "The mean probability of every head that has an interval lies within that of its share right."
        )
    said.append(
        "More often right than as many longs and shorts at random bars on which it had data, by an "
        "interval of its own that luck alone gives one head in forty: "
        f"{listed(better) if better else 'none'}. Less often, likewise: "
        f"{listed(worse) if worse else 'none'}."
    )
    return tuple(said)


def _verb(names: list[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many


def _table(numbers: HeadNumbers) -> Table:
    rows = []
    for head, found in numbers.calibrations.items():
        rows.append(
            (
                spoken(head),
                Number(float(found.counts[JUDGED]), "count"),
                Number(found.stated, "fraction"),
                Number(found.share[JUDGED], "fraction"),
                Number(found.low[JUDGED], "fraction"),
                Number(found.high[JUDGED], "fraction"),
                Number(found.chance[JUDGED], "fraction"),
                Number(found.share[0], "fraction"),
                Number(found.share[1], "fraction"),
                Number(found.brier, "probability"),
                Number(found.probability.expected_error, "probability"),
            )
        )
    return Table(
        name="calibration-table",
        caption="Stated probability and share of right directions",
        columns=(
            "head",
            "votes",
            "states",
            f"right, {AHEAD} bars",
            "low",
            "high",
            "by chance",
            "right, 1 bar",
            "right, 4 bars",
            "Brier score",
            "calibration error",
        ),
        rows=tuple(rows),
        note="States: mean probability. Low and high: 95 % for the head by itself. By chance: as many "
        "longs and shorts at random bars on which the head had data. Brier score: mean squared distance of "
        "probability and outcome, 0.25 for whoever always says 0.50. Calibration error: mean distance of "
        "stated from right, over bins of 0.05. Bars whose return is exactly 0 or not known are left out.",
    )


def _chart(head: str, found: HeadCalibration) -> Chart:
    share = found.share[JUDGED]
    said = (
        f"{spoken(head)} states {formatted(found.stated, 'fraction')} on average and is right "
        f"{formatted(float(share), 'fraction')} of the time "
        f"({interval_words(found.low[JUDGED], found.high[JUDGED], 'fraction')})"
    )
    traces: list[Mapping[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.array([0.0, 1.0]),
            "y": np.array([0.0, 1.0]),
            "name": "as stated",
            "line": {"color": "@muted", "width": 1, "dash": "dash"},
            "hoverinfo": "skip",
        }
    ]
    hidden = 0
    for name, colour, symbol, reliability in (
        ("confidence", "@hue3", "diamond-open", found.confidence),
        ("probability", "@accent", "circle", found.probability),
    ):
        shown = _shown(reliability)
        hidden += int((~shown).sum())
        if shown.any():
            traces.append(_points(reliability, shown, name, colour, symbol))
    return Chart(
        name=f"reliability-{head.replace('_', '-')}",
        title=f"{spoken(head)}: states {formatted(found.stated, 'fraction')}, right "
        f"{formatted(float(share), 'fraction')}",
        text=f"{sentence(said)}, over {counted(int(found.counts[JUDGED]), 'vote')} and {AHEAD} bars. "
        f"Brier score {found.brier:.3f}, expected calibration error "
        f"{found.probability.expected_error:.3f}.",
        data=tuple(traces),
        layout={
            "xaxis": percent_axis("stated", range=[-0.02, 1.02], dtick=0.25),
            "yaxis": percent_axis(f"right after {AHEAD} bars", range=[-0.02, 1.02], dtick=0.25),
        },
        height=320,
        width="half",
        note=f"{counted(hidden, 'bin')} with too few votes or stretches of time only in the table."
        if hidden
        else "",
        table=_bins_table(head, found),
    )


def _shown(reliability: Reliability) -> np.ndarray:
    """Bins that are drawn: those with enough votes and an interval."""
    return np.asarray((reliability.counts >= FEWEST_VOTES) & np.isfinite(reliability.low))


def _points(
    reliability: Reliability, shown: np.ndarray, name: str, colour: str, symbol: str
) -> Mapping[str, Any]:
    counts = reliability.counts[shown]
    share, low, high = (
        values[shown] for values in (reliability.share, reliability.low, reliability.high)
    )
    size = np.maximum(SMALLEST_MARKER, LARGEST_MARKER * np.sqrt(counts / counts.max()))
    return {
        **points(
            reliability.stated[shown],
            share,
            name,
            colour=colour,
            hover=f"{name} %{{x:.1%}}: right %{{y:.1%}} of %{{customdata:,}} votes<extra></extra>",
            error_y=whiskers(share, low, high),
            customdata=counts,
        ),
        "marker": {"color": colour, "size": size, "symbol": symbol},
    }


def _bins_table(head: str, found: HeadCalibration) -> Table:
    rows: list[tuple[str | Number, ...]] = []
    for name, reliability in (("probability", found.probability), ("confidence", found.confidence)):
        rows += [
            (
                name,
                Number(reliability.stated[k], "fraction"),
                Number(float(reliability.counts[k]), "count"),
                Number(reliability.share[k], "fraction"),
                Number(reliability.low[k], "fraction"),
                Number(reliability.high[k], "fraction"),
            )
            for k in range(len(reliability.counts))
        ]
    return Table(
        name=f"reliability-{head.replace('_', '-')}-table",
        caption=f"{spoken(head)}: what it stated and how often it was right",
        columns=("kind", "stated, mean", "votes", "right", "low", "high"),
        rows=tuple(rows),
    )
