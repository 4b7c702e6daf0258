"""What became of the trials: how they ended, why some could not be chosen, how fast they came."""

from datetime import datetime
from typing import Any, Final

import numpy as np

from ..pages import Block, Cell, Chart, Number, Section, Table, Text
from ..pages.plots import axis, line
from ..sweep_tables import UNITS
from ..sweeps.objectives import violations_of
from .numbers import failures_of, pace_of
from .reading import SweepReading
from .words import metric_label, plural

MOST_REASONS: Final = 10


def outcome_section(reading: SweepReading) -> Section:
    """How trials ended, why some could not be chosen, and how fast they came."""
    blocks: list[Block] = [_outcomes(reading)]
    constraints = reading.config.sweep.constraints
    if constraints and reading.count:
        missed = violations_of(constraints, reading.metrics)[~reading.is_failed] > 0
        blocks.append(
            Table(
                name="constraints",
                caption="Constraints, and how many trials miss them",
                columns=("constraint", "trials", "share", "alone"),
                rows=tuple(
                    (
                        f"{metric_label(one.metric)} at {'least' if one.at_least is not None else 'most'}"
                        f" {_bound(one)}",
                        Number(int(missed[:, k].sum()), "count"),
                        Number(float(missed[:, k].mean()) if len(missed) else None, "fraction"),
                        Number(int((missed[:, k] & (missed.sum(axis=1) == 1)).sum()), "count"),
                    )
                    for k, one in enumerate(constraints)
                ),
                note="Of the trials that did not fail; alone: those that miss this one and no other.",
                width="half",
            )
        )
    reasons = failures_of(reading.table["error"].to_pylist())
    if reasons:
        left = len(reasons) - MOST_REASONS
        blocks.append(
            Table(
                name="failures",
                caption="Why trials failed",
                columns=("error", "trials", "first trial"),
                rows=tuple(
                    (one.error, Number(one.trials, "count"), str(one.first))
                    for one in reasons[:MOST_REASONS]
                ),
                note=f"{plural(left, 'rarer reason')} left out." if left > 0 else "",
            )
        )
    blocks.append(_pace(reading))
    return Section(name="outcomes", title="What became of the trials", blocks=tuple(blocks))


def _bound(one: Any) -> str:
    bound = one.at_least if one.at_least is not None else one.at_most
    return f"{bound:.2%}" if UNITS[one.metric] == "fraction" else f"{bound:g}"


def _outcomes(reading: SweepReading) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, stage in (("screen", ~reading.is_search), ("search", reading.is_search)):
        parts = [
            int((stage & state).sum())
            for state in (reading.is_complete, reading.is_infeasible, reading.is_failed)
        ]
        planned = reading.config.sweep.screen.trials
        if name == "search":
            planned = reading.planned - planned
        rows.append((name, *(Number(x, "count") for x in (*parts, sum(parts), planned))))
    return Table(
        name="states",
        caption="Trials by stage and outcome",
        columns=("stage", "feasible", "infeasible", "failed", "done", "planned"),
        rows=tuple(rows),
        width="half",
    )


def _pace(reading: SweepReading) -> Block:
    created = datetime.fromisoformat(reading.ledger.sweep["created_at"]).timestamp()
    pace = pace_of(reading.batch_ends, created)
    if pace is None or len(pace.trials) < 2:
        why = (
            "the files of its parts were copied, so their times are not those of the trials"
            if pace is None and reading.count
            else "needs two batches"
        )
        return Text(paragraphs=(f"Trials over time: n/a: {why}.",))
    unit, seconds = _time_unit(float(pace.hours[-1]))
    taken = pace.hours * 3600.0 / seconds
    return Chart(
        name="pace",
        title="Trials over time",
        text=(
            f"{int(pace.trials[-1]):,} trials in {len(pace.trials)} batches over {_told(taken[-1])} "
            f"{unit}; half of the batches after the first were faster than {_told(pace.per_second)} "
            "trials a second."
        ),
        data=(
            line(
                np.append(0.0, taken),
                np.append(0.0, pace.trials),
                "trials",
                mode="lines+markers",
                hover=f"%{{y:,.0f}} trials after %{{x:.3~g}} {unit}",
                line={"color": "@accent", "width": 1.5, "shape": "hv"},
            ),
        ),
        layout={
            "xaxis": axis(f"{unit} since the sweep was made", rangemode="tozero"),
            "yaxis": axis("trials", rangemode="tozero"),
            "showlegend": False,
        },
        height=240,
        note=(
            "By the times of the files, pauses of a sweep that was stopped included; the first batch also "
            "loads the data and casts the votes."
        ),
    )


def _told(value: float) -> str:
    return Number(value, "significant").text


def _time_unit(hours: float) -> tuple[str, float]:
    """A unit in which so many hours are a few of it, and its seconds."""
    if hours < 0.05:
        return "seconds", 1.0
    if hours < 3.0:
        return "minutes", 60.0
    return ("hours", 3600.0) if hours < 72.0 else ("days", 86400.0)
