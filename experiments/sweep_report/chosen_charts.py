"""Charts of a validation: the chosen trial against the number of trials, and a tenth aside."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.timeframe import DAYS_PER_YEAR

from ..pages import Block, Chart, Number, Table, Text
from ..pages.plots import axis, category_axis, line, points
from ..sweeps.places import short_names
from ..validation.verdict import CONFIDENCE
from .validation_numbers import deflation_curve, known_array
from .words import metric_label, plural


def deflation_chart(content: Mapping[str, Any]) -> Block:
    """The deflated ratio as a function of the number of trials."""
    chosen = content["chosen"]
    curve = deflation_curve(chosen)
    if curve is None:
        return Text(
            paragraphs=(
                "Deflated Sharpe ratio: n/a: too few trials of the random stage trade, or there was no "
                "search.",
            )
        )
    deflation = chosen["deflation"]
    effective, every = deflation["effective_trials"], deflation["raw_trials"]
    marks = (
        (
            effective,
            deflation["effective_dsr_2014"],
            f"effective: {effective:,.1f} trials",
            "diamond",
        ),
        (every, deflation["raw_dsr_2014"], f"all: {every:,} trials", "square"),
    )
    told = [
        Number(value, "probability").text
        for value in (float(curve.dsr[0]), marks[0][1], marks[1][1])
    ]
    sharpe = chosen["sharpe_annual_by_days"]
    below = curve.trials[curve.dsr >= CONFIDENCE]
    holds = (
        f"It holds the {CONFIDENCE:g} that the rule asks for up to {below.max():,.1f} trials."
        if len(below)
        else f"It is below the {CONFIDENCE:g} that the rule asks for even for one trial."
    )
    luck = float(np.interp(every, curve.trials, curve.luck_annual))
    return Chart(
        name="deflation",
        title="The deflated Sharpe ratio by number of trials",
        text=(
            f"The probability that the annual Sharpe ratio of {sharpe:.2f} is above the luck of so many "
            f"trials: {told[0]} for one, {told[1]} for the {effective:,.1f} effective "
            f"ones, {told[2]} for all {every:,}, the best of which would show {luck:.2f} by luck. "
            f"{holds}"
        ),
        data=(
            line(
                curve.trials,
                curve.dsr,
                "DSR (2014)",
                width=2.5,
                customdata=curve.luck_annual,
                hover="%{x:,.4~g} trials: %{y:.3f}, luck shows %{customdata:.2f}",
            ),
            line(
                [float(curve.trials[0]), float(curve.trials[-1])],
                np.array([CONFIDENCE, CONFIDENCE]),
                f"asked for: {CONFIDENCE:g}",
                hover="<extra></extra>",
                line={"color": "@muted", "width": 1.5, "dash": "dot"},
            ),
            *(
                points(
                    [x],
                    [y],
                    label,
                    marker={"color": "@down", "size": 11, "symbol": symbol},
                    hover=f"{label}: %{{y:.3f}}<extra></extra>",
                )
                for x, y, label, symbol in marks
            ),
        ),
        layout={
            "xaxis": axis("number of trials (log scale)", type="log"),
            "yaxis": axis("probability", range=[-0.03, 1.03]),
        },
        width="half",
        note=(
            "The effective number knows how much the trials of the random stage resemble one another; all "
            "of them would be right if they were independent."
        ),
        table=Table(
            name="deflation-marks",
            caption="The deflated Sharpe ratio",
            columns=("trials", "number", "luck, annual Sharpe", "DSR 2014", "DSR under H0"),
            rows=tuple(
                (
                    name,
                    Number(number, "count"),
                    Number(benchmark * math.sqrt(DAYS_PER_YEAR), "ratio"),
                    Number(dsr, "probability"),
                    Number(h0, "probability"),
                )
                for name, number, benchmark, dsr, h0 in (
                    (
                        "effective",
                        effective,
                        deflation["effective_benchmark_per_bar"],
                        deflation["effective_dsr_2014"],
                        deflation["effective_dsr_h0"],
                    ),
                    (
                        "all",
                        every,
                        deflation["raw_benchmark_per_bar"],
                        deflation["raw_dsr_2014"],
                        deflation["raw_dsr_h0"],
                    ),
                )
            ),
        ),
    )


def brittleness_chart(content: Mapping[str, Any]) -> Block | None:
    """What moving one coordinate by a tenth of its range costs."""
    found = content["brittleness"]
    if found is None:
        return None
    names = list(found["losses"])
    short = short_names(names)
    losses = known_array(list(found["losses"].values()))
    order = np.argsort(-np.where(np.isfinite(losses), losses, np.inf), kind="stable")
    finite = losses[np.isfinite(losses)]
    all_lost = int((~np.isfinite(losses)).sum())
    if not len(finite):
        return Text(
            paragraphs=(
                "A tenth aside: every move by a tenth of a range makes a trial that may not be chosen.",
            )
        )
    worst = order[0]
    first = (
        f"{short[worst]} costs most, {losses[worst]:.2f} of {abs(found['objective']):.2f}"
        if np.isfinite(losses[worst])
        else f"moving {short[worst]} makes a trial that may not be chosen"
    )
    top = float(finite.max())
    return Chart(
        name="brittleness",
        title="A tenth aside: what one step costs",
        text=(
            f"Loss of {metric_label(content['objective'])} when one coordinate of the chosen trial "
            f"moves by a tenth of its range (whole numbers and choices by one value at least), the worse "
            f"of both ways: {first}."
            + (f" {plural(all_lost, 'move')} may not be chosen at all." if all_lost else "")
        ),
        data=(
            {
                "type": "bar",
                "orientation": "h",
                "y": [short[place] for place in order],
                "x": [float(losses[p]) if np.isfinite(losses[p]) else top for p in order],
                "name": "loss",
                "marker": {
                    "color": ["@accent" if np.isfinite(losses[p]) else "@down" for p in order],
                    "pattern": {"shape": ["" if np.isfinite(losses[p]) else "x" for p in order]},
                },
                "text": ["" if np.isfinite(losses[p]) else "all" for p in order],
                "hovertemplate": "%{y}: %{x:.4~g}<extra></extra>",
            },
        ),
        layout={
            "xaxis": axis(f"lost {metric_label(content['objective'])}", rangemode="tozero"),
            "yaxis": category_axis("", autorange="reversed"),
            "showlegend": False,
        },
        height=120 + 22 * len(order),
        width="half",
        note="A peak loses much at the first step, a plateau little.",
        table=Table(
            name="brittleness-losses",
            caption="Loss by coordinate",
            columns=("coordinate", "lost"),
            rows=tuple(
                (names[p], Number(losses[p], "ratio") if np.isfinite(losses[p]) else "all")
                for p in order
            ),
        ),
    )
