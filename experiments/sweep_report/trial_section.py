"""The best trials: their numbers with intervals, what they hold, and how they lie in the space."""

from typing import Any, Final

import numpy as np

from ..pages import Block, Cell, Chart, Number, Section, Table, Text
from ..pages.plots import axis, points
from ..sweeps.places import value_text
from .numbers import middle_value, sharpe_intervals
from .reading import SweepReading
from .words import leading_words, metric_label, metric_number, plural, range_text, value_cell

TOP: Final = 10
MOST_LISTED: Final = 100
HELD: Final = 6
"""Trials whose values stand beside each other."""
LINES_BEST: Final = 40
LINES_OTHERS: Final = 120
MOST_AXES: Final = 14
SHOWN: Final = ("total_return", "max_drawdown", "trades")


def trials_section(reading: SweepReading, order: Any) -> Section:
    """``order`` ``(D,)`` are axes from the most important on."""
    if not len(reading.ranked):
        blocks: tuple[Block, ...] = (Text(paragraphs=("n/a: no trial may be chosen.",)),)
    else:
        blocks = (
            *_intervals(reading),
            _ranking(
                reading, reading.ranked[:TOP], "top-trials", "The best trials", is_folded=False
            ),
            *(
                [
                    _ranking(
                        reading,
                        reading.ranked[:MOST_LISTED],
                        "top-more",
                        f"The best {min(len(reading.ranked), MOST_LISTED)} trials",
                        is_folded=True,
                    )
                ]
                if len(reading.ranked) > TOP
                else []
            ),
            _held(reading),
            *([parallel_chart(reading, order)] if _is_drawable(reading) else []),
        )
    several = len(reading.objectives) > 1
    return Section(
        name="top",
        title="The front" if several else "The best trials",
        lead="The best of many looks good by luck too: these numbers are before any deflation.",
        blocks=blocks,
    )


def _ranking(
    reading: SweepReading, trials: Any, name: str, caption: str, *, is_folded: bool
) -> Table:
    metrics = list(dict.fromkeys((*reading.objectives, "sharpe", *SHOWN)))
    judged = reading.config.sweep.ranks_by_neighbours
    low, high = sharpe_intervals(reading.metrics["sharpe"][trials], reading.metrics["psr"][trials])
    rows: list[tuple[Cell, ...]] = []
    for place, trial in enumerate(trials.tolist()):
        scores = [
            metric_number(float(reading.scores[trial, k]), metric)
            for k, metric in enumerate(reading.objectives)
        ]
        numbers = [metric_number(float(reading.metrics[one][trial]), one) for one in metrics]
        rows.append(
            (
                str(trial),
                "search" if reading.is_search[trial] else "screen",
                *(scores if judged else ()),
                *numbers,
                Number(float(low[place]), "ratio"),
                Number(float(high[place]), "ratio"),
            )
        )
    judged_columns = [f"quantile of {metric_label(one)}" for one in reading.objectives]
    return Table(
        name=name,
        caption=caption,
        columns=(
            "trial",
            "stage",
            *(judged_columns if judged else ()),
            *(metric_label(one) for one in metrics),
            "Sharpe from",
            "to",
        ),
        rows=tuple(rows),
        note=(
            "Sharpe from, to: 95 % interval by the standard error of 2012 on single bars, as if bars were "
            "independent and the trial were the only one."
        ),
        is_folded=is_folded,
    )


def _intervals(reading: SweepReading) -> list[Block]:
    """The Sharpe ratios of the best trials with both kinds of interval."""
    trials = reading.ranked[:TOP]
    sharpe = reading.metrics["sharpe"][trials]
    low, high = sharpe_intervals(sharpe, reading.metrics["psr"][trials])
    names = [f"trial {trial}" for trial in trials.tolist()]
    traces: list[Any] = []
    known = np.isfinite(low)
    if known.any():
        traces.append(_whiskers("bars, as if independent", sharpe, low, high, names, -0.12))
    leaders = {one["trial"]: one for one in (reading.validation or {}).get("leaders", [])}
    found = [leaders.get(trial, {}) for trial in trials.tolist()]
    ends = np.array(
        [one.get("sharpe_interval_annual") or [np.nan, np.nan] for one in found], dtype=np.float64
    )
    by_days = np.array(
        [one.get("sharpe_annual_by_days") or np.nan for one in found], dtype=np.float64
    )
    drawn = np.isfinite(ends).all(axis=1)
    if drawn.any():
        traces.append(
            _whiskers("days in blocks (validation)", by_days, ends[:, 0], ends[:, 1], names, 0.12)
        )
    if not traces:
        return []
    covers = int((known & (low <= 0)).sum())
    return [
        Chart(
            name="top-intervals",
            title="Sharpe ratios of the best trials",
            text=(
                f"Annual Sharpe ratios of {plural(len(trials), 'trial')} with 95 % intervals; "
                f"{covers} of {int(known.sum())} intervals by bars reach 0 or below."
                + (
                    f" From days, resampled in blocks: {int((drawn & (ends[:, 0] <= 0)).sum())} of "
                    f"{int(drawn.sum())}."
                    if drawn.any()
                    else ""
                )
            ),
            data=tuple(traces),
            layout={
                "xaxis": axis("annual Sharpe ratio", zeroline=True),
                "yaxis": axis(
                    "",
                    tickvals=list(range(len(trials))),
                    ticktext=names,
                    range=[len(trials) - 0.5, -0.5],
                ),
            },
            height=120 + 28 * len(trials),
            note=(
                "None of these intervals knows that the trials were chosen from many."
                + ("" if drawn.any() else " A validation adds intervals of days in blocks.")
            ),
        )
    ]


def _whiskers(name: str, middle: Any, low: Any, high: Any, names: Any, shift: float) -> Any:
    at = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & np.isfinite(middle))
    is_first = shift < 0
    colour = "@accent" if is_first else "@ink"
    return points(
        middle[at],
        (at + shift).tolist(),
        name,
        marker={"color": colour, "size": 8, "symbol": "circle" if is_first else "diamond-open"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high[at] - middle[at],
            "arrayminus": middle[at] - low[at],
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[
            f"{names[row]}: {middle[row]:.2f} ({low[row]:.2f} to {high[row]:.2f})" for row in at
        ],
        hover="%{customdata}",
    )


def _held(reading: SweepReading) -> Table:
    trials = reading.ranked[:HELD].tolist()
    rows = []
    for column, one in enumerate(reading.space.axes):
        low, high = range_text(one)
        rows.append(
            (
                one.name,
                *(value_cell(one, float(reading.values[trial, column])) for trial in trials),
                f"{low} to {high}",
            )
        )
    return Table(
        name="top-values",
        caption="What the best trials hold",
        columns=("parameter", *(f"trial {trial}" for trial in trials), "searched"),
        rows=tuple(rows),
        note="`ninefold sweep top --trial N --out FILE` writes one out as a configuration.",
        is_folded=len(rows) > 8,
    )


def _is_drawable(reading: SweepReading) -> bool:
    """Whether lines over the parameters say more than the table of their values."""
    return len(reading.space) > 1 and int(reading.is_complete.sum()) > 1


def parallel_chart(reading: SweepReading, order: Any) -> Block:
    """Parallel coordinates of the best trials and of a sample of the others."""
    shown = order[:MOST_AXES]
    best = reading.ranked[:LINES_BEST]
    others = np.setdiff1d(np.flatnonzero(reading.is_complete), best)
    others = others[:: max(1, -(-len(others) // LINES_OTHERS))]
    traces = []
    for name, rows, colour, width in (
        ("a sample of the other feasible trials", others, "@muted/0.35", 1.0),
        (f"the best {len(best)}", best[1:], "@accent/0.6", 1.25),
        (f"trial {int(best[0])}, {leading_words(reading.objectives)}", best[:1], "@down", 3.0),
    ):
        if not len(rows):
            continue
        # One trace a group: lines of a trial end with a gap.
        width_of_row = len(shown) + 1
        x = np.tile(np.append(np.arange(len(shown), dtype=np.float64), np.nan), len(rows))
        y = np.full(len(rows) * width_of_row, np.nan)
        y.reshape(len(rows), width_of_row)[:, :-1] = reading.places[rows][:, shown]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": y,
                "name": name,
                "line": {"color": colour, "width": width},
                "hoverinfo": "skip",
            }
        )
    axes = [reading.space.axes[int(column)] for column in shown]
    ends = [range_text(one) for one in axes]
    left = len(order) - len(shown)
    middle = [
        f"{reading.names[column]} "
        f"{value_text(reading.space.axes[column], middle_value(reading.values[best, column]))}"
        for column in shown[:4].tolist()
    ]
    return Chart(
        name="parallel",
        title="Where the best trials lie",
        text=(
            f"One line for each trial over {plural(len(shown), 'parameter')}, from the lowest value that "
            f"was searched up to the highest: {len(best)} of the best and {len(others)} others. "
            f"Medians of the best: {', '.join(middle)}."
        ),
        data=tuple(traces),
        layout={
            "xaxis": axis(
                "",
                tickvals=list(range(len(shown))),
                ticktext=[reading.names[int(column)] for column in shown],
                range=[-0.4, len(shown) - 0.6],
                tickangle=-35 if len(shown) > 6 else 0,
                showgrid=True,
            ),
            "yaxis": axis("place in the searched range", range=[-0.1, 1.1], tickvals=[0, 0.5, 1]),
            "annotations": [
                {
                    "x": at,
                    "y": y,
                    "text": text,
                    "showarrow": False,
                    "yanchor": "top" if y < 0.5 else "bottom",
                    "font": {"size": 10, "color": "@muted"},
                }
                for at, (low, high) in enumerate(ends)
                for y, text in ((-0.01, low), (1.01, high))
            ],
        },
        height=420,
        note=(
            f"Drawn: the best {len(best)} and every so many of the others, {len(others)} of "
            f"{int(reading.is_complete.sum()) - len(best):,}. Whole numbers and choices lie in the middle "
            "of their parts of the range."
            + (f" {plural(left, 'less important parameter')} left out." if left > 0 else "")
        ),
    )
