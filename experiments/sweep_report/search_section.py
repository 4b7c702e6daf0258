"""The search as it went: its best so far, and the front of several objectives."""

from typing import Any, Final

import numpy as np

from ..pages import Block, Cell, Chart, Section, Table, Text
from ..pages.plots import axis, line, points
from .numbers import improvements
from .reading import SweepReading
from .words import first_upper, metric_axis, metric_label, metric_number, plural

MOST_DRAWN: Final = 3000
"""Trials of one kind that a picture shows as points."""
MOST_STEPS: Final = 40


def search_section(reading: SweepReading) -> Section:
    """History of each objective, and the front of several."""
    blocks: list[Block] = []
    if not reading.count:
        blocks.append(Text(paragraphs=("n/a: no trial has been evaluated yet.",)))
    for objective in range(len(reading.objectives) if reading.count else 0):
        blocks.append(_history(reading, objective))
    if len(reading.objectives) > 1 and reading.count:
        blocks.append(_front(reading))
    return Section(
        name="search",
        title="The search",
        lead="Every trial in the order in which it was asked, and the best so far.",
        blocks=tuple(blocks),
    )


def _history(reading: SweepReading, objective: int) -> Block:
    metric = reading.objectives[objective]
    words = metric_label(metric)
    shown = np.isfinite(reading.scores[:, objective])
    if int(shown.sum()) == 1 and reading.count == 1:
        told = metric_number(float(reading.scores[0, objective]), metric).text
        return Text(paragraphs=(f"{first_upper(words)} of the one trial so far: {told}.",))
    if not shown.any():
        return Text(paragraphs=(f"{first_upper(words)}: n/a: no trial has one.",))
    numbers = np.arange(reading.count)
    score = reading.scores[:, objective]
    sign = 1.0 if reading.config.sweep.objectives[objective].direction == "maximize" else -1.0
    ranked = np.where(reading.is_complete & shown, sign * score, -np.inf)
    better = improvements(ranked, reading.can_win)
    asked = reading.is_complete & shown & reading.is_search
    traces: list[Any] = []
    thinned = 0
    for name, rows, symbol, colour in (
        ("infeasible", reading.is_infeasible & shown, "x-thin-open", "@muted"),
        ("screen", reading.is_complete & shown & ~reading.is_search, "circle-open", "@hue1"),
        ("neighbours, each by itself", asked & ~reading.can_win, "circle", "@muted/0.5"),
        ("search", asked & reading.can_win, "diamond-open", "@hue0"),
    ):
        at = np.flatnonzero(rows)
        kept = _thinned(at, score)
        thinned += len(at) - len(kept)
        if len(kept):
            traces.append(
                points(
                    kept.tolist(),
                    score[kept],
                    name,
                    colour=colour,
                    size=5,
                    hover="trial %{x}: %{y:,.4~g}",
                    marker={"color": colour, "size": 5, "symbol": symbol, "line": {"width": 1}},
                )
            )
    failed = np.flatnonzero(reading.is_failed)
    if len(failed):
        floor = float(np.nanmin(score))
        traces.append(
            points(
                failed[:MOST_DRAWN].tolist(),
                np.full(min(len(failed), MOST_DRAWN), floor),
                "failed (no score)",
                hover="trial %{x} failed",
                marker={"color": "@down", "size": 8, "symbol": "triangle-down"},
            )
        )
    if len(better):
        steps = np.append(better, numbers[-1])
        best = np.append(score[better], score[better[-1]])
        traces.append(
            line(
                steps,
                best,
                "best so far",
                colour="@ink",
                width=2,
                hover="best after trial %{x}: %{y:,.4~g}",
                line={"color": "@ink", "width": 2, "shape": "hv"},
            )
        )
    judged = reading.config.sweep.ranks_by_neighbours
    says = f"No trial may be chosen{' yet' if reading.count < reading.planned else ''}."
    if len(better):
        last = int(better[-1])
        says = (
            f"The best feasible one is trial {last} with {metric_number(score[last], metric).text}; it "
            f"was improved {plural(len(better) - 1, 'time')} after trial {int(better[0])}, which had "
            f"{metric_number(score[better[0]], metric).text}."
        )
    return Chart(
        name=f"history-{metric.replace('_', '-')}",
        title=f"{first_upper(words)} by trial",
        text=(
            f"{plural(reading.count, 'trial')}: {int((~reading.is_search).sum()):,} of the screen, "
            f"{int(reading.is_search.sum()):,} of the search; "
            f"{int(reading.is_infeasible.sum()):,} infeasible, {len(failed):,} failed. {says}"
        ),
        data=tuple(traces),
        layout={
            "xaxis": axis("trial", rangemode="tozero"),
            "yaxis": metric_axis(metric, "quantile of " if judged else ""),
        },
        height=360,
        width="full" if len(reading.objectives) == 1 else "half",
        note=_history_note(thinned, judged),
        table=_steps(reading, better, metric, score) if len(better) else None,
    )


def _history_note(thinned: int, judged: bool) -> str:
    said = []
    if judged:
        said.append(
            "Trials of the search are scored with their neighbours, by a low quantile of all, and only "
            "they are ranked; the screen's and the neighbours are points by themselves."
        )
    if thinned:
        said.append(
            f"{thinned:,} trials are not drawn: of each kind every so many are, the best and the worst "
            "always."
        )
    return " ".join(said)


def _steps(reading: SweepReading, better: Any, metric: str, score: Any) -> Table:
    kept = better[-MOST_STEPS:]
    left = len(better) - len(kept)
    return Table(
        name=f"steps-{metric.replace('_', '-')}",
        caption=f"How the best {metric_label(metric)} came about",
        columns=("trial", "stage", metric_label(metric)),
        rows=tuple(
            (
                str(int(row)),
                "search" if reading.is_search[row] else "screen",
                metric_number(float(score[row]), metric),
            )
            for row in kept
        ),
        note=f"{plural(left, 'earlier step')} left out." if left else "",
    )


def _thinned(rows: Any, score: Any) -> Any:
    if len(rows) <= MOST_DRAWN:
        return rows
    every = rows[:: -(-len(rows) // MOST_DRAWN)]
    extremes = [rows[int(np.argmin(score[rows]))], rows[int(np.argmax(score[rows]))]]
    return np.unique(np.append(every, extremes))


def _front(reading: SweepReading) -> Block:
    """The first two objectives, trials of the front marked."""
    names, front = reading.objectives, reading.ranked
    if not len(front):
        return Text(paragraphs=("n/a: there is no front, since no trial may be chosen.",))
    x, y = reading.scores[:, 0], reading.scores[:, 1]
    others = np.flatnonzero(reading.is_complete & np.isfinite(x) & np.isfinite(y))
    others = np.setdiff1d(others, front)
    every = max(1, -(-len(others) // MOST_DRAWN))
    ordered = front[np.argsort(x[front], kind="stable")]
    traces = [
        points(
            x[others[::every]],
            y[others[::every]],
            "dominated",
            marker={"color": "@muted", "size": 4, "symbol": "circle-open"},
            hover="%{x:,.4~g}, %{y:,.4~g}",
        )
        if len(others)
        else None,
        points(
            x[ordered],
            y[ordered],
            "front",
            marker={"color": "@accent", "size": 9, "symbol": "diamond"},
            mode="lines+markers" if len(names) == 2 else "markers",
            line={"color": "@accent", "width": 1, "dash": "dot"},
            customdata=ordered,
            hover="trial %{customdata}: %{x:,.4~g}, %{y:,.4~g}",
        ),
    ]
    words = [metric_label(name) for name in names]
    listed: tuple[tuple[Cell, ...], ...] = tuple(
        (str(int(trial)), *(metric_number(float(reading.scores[trial, k]), name)
        for k, name in enumerate(names)))
        for trial in front[:60]
    )  # fmt: skip
    more = (
        ""
        if len(names) == 2
        else f" The other objectives ({', '.join(words[2:])}) are in the table."
    )
    return Chart(
        name="front",
        title=f"{first_upper(words[0])} against {words[1]}",
        text=(
            f"{plural(len(front), 'trial')} of {int(reading.is_complete.sum()):,} feasible ones are "
            f"dominated by no other one in {', '.join(words)}; {words[0]} runs from "
            f"{metric_number(float(x[front].min()), names[0]).text} to "
            f"{metric_number(float(x[front].max()), names[0]).text} among them.{more}"
        ),
        data=tuple(trace for trace in traces if trace is not None),
        layout={"xaxis": metric_axis(names[0]), "yaxis": metric_axis(names[1])},
        height=380,
        note=f"Of the dominated ones every {every} is drawn." if every > 1 else "",
        table=Table(
            name="front-trials",
            caption="Trials of the front" + (", the first 60" if len(front) > 60 else ""),
            columns=("trial", *words),
            rows=listed,
        ),
    )
