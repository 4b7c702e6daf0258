"""Charts of what the parameters did: importance, pairs, and slices."""

from typing import Any, Final

import numpy as np

from ..pages import Block, Chart, Number, Table, Text
from ..pages.plots import DIVERGING, RISING, axis, category_axis, heatmap, line, points
from ..sweeps.config import Choice, WholeRange
from .importance import BEST_SHARE, Importance
from .landscape import Flat, middles_of, pair_of, slice_of
from .reading import SweepReading
from .words import (
    choice_names,
    first_upper,
    leading_words,
    metric_axis,
    metric_label,
    metric_number,
    parameter_axis,
    plural,
    rounded_metric,
)

MOST_BARS: Final = 16
"""Parameters whose importance is drawn; the table has all."""
SLICE_POINTS: Final = 400
MOST_MEMBERS: Final = 200


def importance_chart(
    reading: SweepReading, found: tuple[Importance | None, ...], order: Any
) -> Block:
    """Shares of importance by objective, beside what luck alone gives.

    ``order`` are axes from the most important on; the first of them are drawn.
    """
    names = [reading.space.axes[int(column)].name for column in order]
    drawn = order[:MOST_BARS]
    short = [reading.names[int(column)] for column in drawn]
    traces, told, columns = [], [], []
    for objective, one in enumerate(found):
        metric = metric_label(reading.objectives[objective])
        if one is None or not one.shares.any():
            continue
        shares = one.shares[order]
        columns.append((metric, shares))
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": short,
                "x": shares[: len(drawn)],
                "name": metric,
                "marker": {
                    "color": "@accent" if not objective else f"@hue{objective}",
                    "pattern": {"shape": ("", "/", "x", ".")[objective % 4]},
                },
                "hovertemplate": "%{y}: %{x:.1%}",
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "y": [short[0], short[-1]],
                "x": [one.by_luck, one.by_luck],
                "name": "by luck alone" if len(found) == 1 else f"{metric}, by luck alone",
                "line": {
                    "color": "@ink" if not objective else f"@hue{objective}",
                    "width": 1.5,
                    "dash": "dot",
                },
                "hovertemplate": "by luck alone the largest reaches %{x:.1%}<extra></extra>",
            }
        )
        told.append(
            f"{metric}: {short[0]} {shares[0]:.0%}"
            + (f", {short[1]} {shares[1]:.0%}" if len(short) > 1 else "")
            + f"; by luck alone the largest share reaches {one.by_luck:.0%}"
        )
    first = found[0]
    if not traces or first is None:
        return Text(
            paragraphs=(
                "Importance of the parameters: n/a: it needs fifty feasible trials that are not all "
                "equally good.",
            )
        )
    where = "the screen" if first.is_screen else "the sweep"
    return Chart(
        name="importance",
        title="Importance of the parameters",
        text=(
            f"Which parameters go with a trial being among the best {BEST_SHARE:.0%}, as shares that "
            f"add up to 1, also where none matters. {'. '.join(told)}."
        ),
        data=tuple(traces),
        layout={
            "xaxis": axis("share of importance", tickformat=".0%", rangemode="tozero"),
            "yaxis": category_axis("", autorange="reversed"),
            "barmode": "group",
            "showlegend": len(traces) > 1,
        },
        height=400,
        width="half",
        note=(
            f"PED-ANOVA (Optuna) on {first.trials:,} feasible trials of {where}. It sees each parameter by "
            "itself: what matters only together with another one counts little. Dotted: the 95 % point of "
            f"the largest share over {first.permutations} permutations of the results."
            + (
                ""
                if first.is_screen
                else " A sampler chose them: they crowd where it found something."
            )
            + (
                f" Drawn: the first {len(drawn)} of {len(order)}."
                if len(order) > len(drawn)
                else ""
            )
        ),
        table=Table(
            name="importance-shares",
            caption="Importance of the parameters",
            columns=("parameter", *(metric for metric, _ in columns)),
            rows=tuple(
                (name, *(Number(float(shares[row]), "fraction") for _, shares in columns))
                for row, name in enumerate(names)
            ),
        ),
    )


def pair_chart(reading: SweepReading, x: int, y: int, number: int, flat: Flat | str) -> Block:
    """Medians over the axes ``x`` and ``y``, with the plateau on it; ``number`` names the chart."""
    metric = reading.objectives[0]
    found = pair_of(reading, x, y)
    x_axis, y_axis = reading.space.axes[x], reading.space.axes[y]
    filled = np.isfinite(found.medians)
    low, high = float(np.nanmin(found.medians)), float(np.nanmax(found.medians))
    is_signed = low < 0 < high
    at = np.unravel_index(int(np.nanargmax(np.abs(found.medians - _worst(reading, found)))),
                          found.medians.shape)  # fmt: skip
    scale: dict[str, Any] = {"zmid": 0} if is_signed else {}
    if reading.config.sweep.objectives[0].direction == "minimize":
        scale["reversescale"] = True
    traces: list[Any] = [
        heatmap(
            found.x_edges.tolist(),
            found.y_edges.tolist(),
            found.medians,
            scale=DIVERGING if is_signed else RISING,
            hover=f"{reading.names[x]} %{{x:.4~g}}, {reading.names[y]} %{{y:.4~g}}: "
            "median %{z:.4~g}<extra></extra>",
            colorbar={"title": {"text": metric_label(metric)}, "thickness": 12},
            **scale,
        )
    ]
    told = ""
    if isinstance(flat, Flat):
        members = flat.members[:: max(1, -(-len(flat.members) // MOST_MEMBERS))]
        traces += [
            _marks(reading, members, x, y, "plateau", "circle-open", 6),
            _marks(reading, np.array([flat.middle]), x, y, "its middle", "star", 13),
            _marks(reading, np.array([flat.best]), x, y, _best_name(reading, flat), "x", 10),
        ]
        members_told = plural(len(flat.members), "trial")
        told = f" The plateau's {members_told} are rings, trial {flat.middle} its middle."
    return Chart(
        name=f"pair-{number}",
        title=f"{reading.names[x]} and {reading.names[y]}",
        text=(
            f"Median {metric_label(metric)} of the feasible trials in each of {int(filled.sum())} cells "
            f"that hold any, of {filled.size}: from {metric_number(low, metric).text} to "
            f"{metric_number(high, metric).text}; the best cell is around {reading.names[x]} "
            f"{_middle(x_axis, found.x_edges, int(at[1]))} and {reading.names[y]} "
            f"{_middle(y_axis, found.y_edges, int(at[0]))}.{told}"
        ),
        data=tuple(traces),
        layout={
            "xaxis": parameter_axis(x_axis, reading.names[x]),
            "yaxis": parameter_axis(y_axis, reading.names[y]),
        },
        height=400,
        width="half",
        note=(
            f"Cells without a feasible trial are empty; {int((found.counts == 1).sum())} hold one alone. "
            "All other parameters vary inside each cell."
        ),
    )


def _best_name(reading: SweepReading, flat: Flat) -> str:
    is_chosen = flat.best in reading.ranked[:1]
    return f"trial {flat.best}, the best" if is_chosen else f"trial {flat.best}, best by itself"


def _worst(reading: SweepReading, found: Any) -> float:
    is_up = reading.config.sweep.objectives[0].direction == "maximize"
    return float(np.nanmin(found.medians) if is_up else np.nanmax(found.medians))


def _marks(
    reading: SweepReading, rows: Any, x: int, y: int, name: str, symbol: str, size: int
) -> Any:
    return points(
        reading.values[rows, x],
        reading.values[rows, y],
        name,
        marker={"color": "@ink", "size": size, "symbol": symbol, "line": {"width": 1.2}},
        customdata=rows,
        hover="trial %{customdata}",
    )


def _middle(one: Any, edges: Any, place: int) -> str:
    if isinstance(one.parameter, Choice):
        return choice_names(one.parameter.values)[place]
    middle = float(middles_of(one, edges)[place])
    return f"{middle:.0f}" if isinstance(one.parameter, WholeRange) else f"{middle:.3g}"


def slice_chart(reading: SweepReading, column: int, number: int) -> Block:
    """Trials and their medians along one axis; ``number`` names the chart."""
    metric, one = reading.objectives[0], reading.space.axes[column]
    found = slice_of(reading, column)
    rows = np.flatnonzero(np.isfinite(reading.good[:, 0]))
    best = reading.ranked[:1]
    kept = rows[:: max(1, -(-len(rows) // SLICE_POINTS))]
    middles = middles_of(one, found.edges)
    filled = np.flatnonzero(np.isfinite(found.medians))
    traces: list[Any] = [
        points(
            reading.values[kept, column],
            reading.own[kept, 0],
            "trials",
            colour="@muted/0.6",
            size=4,
            customdata=kept,
            hover="trial %{customdata}: %{y:,.4~g}",
            marker={"color": "@muted/0.6", "size": 4, "symbol": "circle-open"},
        ),
        line(
            middles[filled],
            found.medians[filled],
            "median",
            colour="@accent",
            width=2.5,
            mode="lines+markers",
            hover="median %{y:,.4~g} around %{x:.4~g}",
        ),
    ]
    if len(best):
        traces.append(
            points(
                reading.values[best, column],
                reading.own[best, 0],
                f"trial {int(best[0])}, {leading_words(reading.objectives)}",
                marker={"color": "@down", "size": 11, "symbol": "star"},
            )
        )
    low, high = int(np.nanargmin(found.medians)), int(np.nanargmax(found.medians))
    thinned = len(rows) - len(kept)
    return Chart(
        name=f"slice-{number}",
        title=f"Along {reading.names[column]}",
        text=(
            f"{first_upper(metric_label(metric))} of {plural(len(rows), 'feasible trial')} by "
            f"{one.name}. The median is lowest, "
            f"{rounded_metric(float(found.medians[low]), metric)}, around "
            f"{_middle(one, found.edges, low)}, and highest, "
            f"{rounded_metric(float(found.medians[high]), metric)}, around "
            f"{_middle(one, found.edges, high)}."
        ),
        data=tuple(traces),
        layout={
            "xaxis": parameter_axis(one, reading.names[column]),
            "yaxis": metric_axis(metric),
        },
        width="half",
        note=f"{thinned:,} trials are not drawn; the medians know all." if thinned else "",
    )
