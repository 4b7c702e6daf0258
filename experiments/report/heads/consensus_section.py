"""How often heads agree, where the consensus stops, and what followed each level of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ...firing import over_symbols
from ...formats import counted, formatted, spoken
from ...pages import Block, Chart, Number, Section, Table, Text
from ...pages.plots import axis, bars, percent_axis, points
from ..reading import RunReading
from .forward import HORIZONS
from .levels import FEWEST_BARS, FEWEST_CLUSTERS, SCORE_BINS, LevelReturns
from .numbers import HeadNumbers
from .shown import BASIS_POINTS, basis_points, whiskers

FORWARD: Final = (
    "Forward returns are those of the traded price from the open after the bar, the first at which a "
    "decision could be filled, to the open 1, 4 or 24 bars later; before every cost. Positive is a "
    "rise, also where heads are short."
)


def consensus_section(reading: RunReading, numbers: HeadNumbers) -> Section:
    """Agreement, gates, and forward returns by agreeing heads and by signed score."""
    agreement = _forward(
        numbers.by_agreement,
        "forward-by-agreement",
        "Forward return by agreeing heads",
        "agreeing heads (negative: for a fall)",
        numbers,
        form="d",
    )
    score = _forward(
        numbers.by_score,
        "forward-by-score",
        "Forward return by signed score",
        "signed score of the consensus",
        numbers,
        form=".1f",
    )
    return Section(
        name="consensus",
        title="Agreement, and what followed it",
        lead="How often heads agree, at which gate the consensus fails, and whether the price went where "
        "it pointed.",
        blocks=(
            _agreement(reading, numbers),
            _gates(reading),
            Text(paragraphs=(FORWARD,)),
            *agreement,
            *score,
        ),
    )


def _agreement(reading: RunReading, numbers: HeadNumbers) -> Chart:
    total, quorum = max(numbers.bars, 1), int(reading.content["config"]["consensus"]["quorum"])
    heads = np.arange(1, len(numbers.heads) + 1)
    most = int(heads[numbers.sides[:, 1:].any(axis=0)].max(initial=quorum))
    heads = heads[:most]
    rows: list[tuple[str | Number, ...]] = [
        ("none, or as many on either side", *_share(numbers.undecided, total), Number(None, "")),
    ]
    traces: list[Mapping[str, Any]] = [
        bars(
            np.zeros(1),
            np.array([numbers.undecided / total]),
            "no side",
            colour="@muted",
            hover="no side: %{y:.2%}<extra></extra>",
        )
    ]
    for row, (name, colour, pattern) in enumerate((("long", "@up", ""), ("short", "@down", "/"))):
        counts = numbers.sides[row, 1 : most + 1]
        marker = {"color": colour, "pattern": {"shape": pattern}}
        trace = bars(
            heads.astype(np.float64),
            counts / total,
            name,
            colour=colour,
            hover=f"{name}, agreeing heads %{{x}}: %{{y:.2%}}<extra></extra>",
        )
        traces.append({**trace, "marker": marker})
        rows += [
            (
                f"{counted(int(count), 'head')} {name}",
                *_share(int(counts[count - 1]), total),
                Number(numbers.against[row, count], "ratio"),
            )
            for count in heads
            if counts[count - 1]
        ]
    reached = numbers.sides[:, quorum:].sum() / total
    return Chart(
        name="agreement",
        title="Bars by heads that agree",
        text=f"Share of bars by how many heads are valid on the side that has more of them. "
        f"{formatted(float(reached), 'fraction')} of all bars reach the quorum of {quorum}; "
        f"{formatted(numbers.undecided / total, 'fraction')} have no side.",
        data=tuple(traces),
        layout={
            "barmode": "stack",
            "xaxis": axis("agreeing heads", dtick=1, range=[-0.6, most + 0.6]),
            "yaxis": percent_axis("share of bars"),
            "shapes": [
                {
                    "type": "line",
                    "x0": quorum - 0.5,
                    "x1": quorum - 0.5,
                    "yref": "paper",
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": "@ink", "width": 1, "dash": "dot"},
                }
            ],
        },
        width="half",
        note=f"Dotted: the quorum of {quorum}. Valid: data, a direction, and probability and confidence at "
        "the thresholds. All symbols together, warm-up included.",
        table=Table(
            name="agreement-table",
            caption="Bars by heads that agree",
            columns=("on the larger side", "bars", "share", "heads against, mean"),
            rows=tuple(rows),
        ),
    )


def _share(count: int, total: int) -> tuple[Number, Number]:
    return Number(float(count), "count"), Number(count / total, "fraction")


def _gates(reading: RunReading) -> Chart:
    firing = reading.content["firing"]
    whole = over_symbols(firing) if len(firing) > 1 else firing[0]
    total, gates = max(whole["bars"], 1), whole["gates"]
    shares = np.array([count / total for count in gates.values()])
    names = [spoken(name) for name in gates]
    stands = formatted(gates["stands"] / total, "fraction")
    most = max((name for name in gates if name != "stands"), key=lambda name: gates[name])
    stopped = (
        f" The gate that stopped the most bars first: {spoken(most)} "
        f"({formatted(gates[most] / total, 'fraction')})."
        if gates[most]
        else ""
    )
    return Chart(
        name="gates",
        title="Bars by outcome of the consensus",
        text=f"Share of bars on which the consensus stands ({stands}), or by the first gate that "
        f"failed.{stopped}",
        data=(
            {
                "type": "bar",
                "orientation": "h",
                "x": shares,
                "y": names,
                "marker": {
                    "color": ["@accent" if name == "stands" else "@muted" for name in names]
                },
                "hovertemplate": "%{y}: %{x:.2%}<extra></extra>",
                "showlegend": False,
            },
        ),
        layout={
            "xaxis": percent_axis("share of bars"),
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True},
            "bargap": 0.35,
        },
        width="half",
        note="Gates are tried in this order; a bar counts for the first that it fails.",
        table=Table(
            name="gates-table",
            caption="Bars by outcome: stands, or the first gate that failed",
            columns=("gate", "bars", "share"),
            rows=tuple((spoken(name), *_share(count, total)) for name, count in gates.items()),
        ),
    )


def _forward(
    found: LevelReturns,
    name: str,
    title: str,
    level_title: str,
    numbers: HeadNumbers,
    *,
    form: str,
) -> tuple[Block, ...]:
    table = _forward_table(found, name, title, level_title, form)
    # One column decides, so that every panel has the same levels.
    shown = np.asarray(np.isfinite(found.low).all(axis=1))
    if shown.sum() < 2:
        why = (
            f"{title}: a picture needs two levels with {FEWEST_BARS} bars each, in {FEWEST_CLUSTERS} "
            f"stretches of {numbers.cluster_days} days."
        )
        return (Text(paragraphs=(why,)), *((table,) if len(found.level) else ()))
    traces, layout = _panels(found, shown, level_title, form)
    intervals = int(shown.sum()) * len(HORIZONS)
    apart = int(((found.low > found.everything) | (found.high < found.everything))[shown].sum())
    first, last = (int(row) for row in np.flatnonzero(shown)[[0, -1]])
    longest = len(HORIZONS) - 1
    said = (
        f"Over {HORIZONS[longest]} bars the mean goes from "
        f"{basis_points(found.mean[first, longest]).text} at {found.level[first]:{_python(form)}} to "
        f"{basis_points(found.mean[last, longest]).text} at {found.level[last]:{_python(form)}}. "
        f"{apart} of {intervals} intervals leave out the mean of all bars."
    )
    hidden = len(found.level) - int(shown.sum())
    chart = Chart(
        name=name,
        title=title,
        text=f"Mean return over the next 1, 4 and 24 bars by {level_title}, in basis points. {said}",
        data=tuple(traces),
        layout=layout,
        height=560,
        width="half",
        note="Whiskers: 95 % for all means of the picture at once (wild bootstrap of clusters of "
        f"{numbers.cluster_days} days over all symbols, in which overlapping returns may depend on each "
        "other). Dashed: the mean of all bars."
        + (f" {counted(hidden, 'level')} with too few bars only in the table." if hidden else ""),
        table=table,
    )
    return (chart,)


def _panels(
    found: LevelReturns, shown: np.ndarray, level_title: str, form: str
) -> tuple[Sequence[Mapping[str, Any]], dict[str, Any]]:
    """A panel for each horizon above each other, on one axis of levels."""
    level = found.level[shown]
    step = 1.0 if form == "d" else 1.0 / SCORE_BINS
    ends = np.array([level[0] - 0.6 * step, level[-1] + 0.6 * step])
    layout: dict[str, Any] = {
        "xaxis": axis(level_title, range=ends, tickformat=form, dtick=step, anchor="y3"),
        "showlegend": False,
    }
    traces: list[Mapping[str, Any]] = []
    for column, bars_ahead in enumerate(HORIZONS):
        its = "y" if column == 0 else f"y{column + 1}"
        top = 1.0 - column * 0.345
        layout[f"yaxis{its[1:]}"] = axis(
            f"{counted(bars_ahead, 'bar')}, bps", domain=[top - 0.31, top], zeroline=True, nticks=6
        )
        mean, low, high = (
            values[shown, column] * BASIS_POINTS for values in (found.mean, found.low, found.high)
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": ends,
                "y": np.full(2, found.everything[column] * BASIS_POINTS),
                "yaxis": its,
                "line": {"color": "@muted", "width": 1, "dash": "dash"},
                "hovertemplate": "all bars: %{y:.2f} bps<extra></extra>",
            }
        )
        traces.append(
            points(
                level,
                mean,
                counted(bars_ahead, "bar"),
                size=7,
                colour=["@down" if one < 0 else "@up" if one > 0 else "@muted" for one in level],
                hover=f"%{{x:{_python(form)}}}: %{{y:.2f}} bps<extra></extra>",
                error_y=whiskers(mean, low, high),
                yaxis=its,
            )
        )
    return traces, layout


def _python(form: str) -> str:
    """How a level is written in words: with its sign, a score by the middle of its bin."""
    return "+.0f" if form == "d" else "+.2f"


def _forward_table(
    found: LevelReturns, name: str, title: str, level_title: str, form: str
) -> Table:
    columns = [level_title, "bars"]
    for bars_ahead in HORIZONS:
        columns += [f"{counted(bars_ahead, 'bar')}", "low", "high"]
    return Table(
        name=f"{name}-table",
        caption=title,
        columns=tuple(columns),
        rows=tuple(
            (
                f"{found.level[k]:{_python(form)}}",
                Number(float(found.counts[k, 0]), "count"),
                *(
                    basis_points(values[k, column])
                    for column in range(len(HORIZONS))
                    for values in (found.mean, found.low, found.high)
                ),
            )
            for k in range(len(found.level))
        ),
        note="Mean forward return and its interval, 95 % for all of them at once; n/a where there is too "
        "little.",
    )
