"""How the measures of a run moved through time."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import Float1D

from ..pages.document import Block, Chart, Section
from ..pages.plots import axis, line, percent_axis, time_axis
from ..pages.sampling import extreme_rows
from .numbers.rolling import WINDOWS, rolling, trailing_returns, window_of
from .reading import NS_PER_MS, RunReading
from .wording import counted, said, thinned, too_few


def rolling_section(reading: RunReading) -> Section:
    """Sharpe ratio, volatility and beta over a window that the heading states."""
    sums = reading.day_sums
    window, word = window_of(len(sums)), reading.day_word
    if window is None:
        missing = too_few("Rolling measures", 2 * WINDOWS[-1], f"{word}s", len(sums))
        return Section(name="rolling", title="Rolling measures", blocks=(missing,))
    found = rolling(sums, window, reading.bars_a_year)
    time = reading.close_time[sums.last[window - 1 :]] / NS_PER_MS
    sharpe, volatility = reading.metric("sharpe"), reading.metric("annual_volatility")
    own, held = reading.equity[sums.last], reading.benchmark[sums.last]
    gained = {
        reading.held_name: trailing_returns(held, reading.initial_cash, window),
        "run": trailing_returns(own, reading.initial_cash, window),
    }
    charts: list[Block | None] = [
        _chart(
            "rolling-return", f"Return of {window} {word}s", percent_axis("return"), time, gained, None,
            "fraction",
        ),
        _chart(
            "rolling-sharpe", f"Sharpe ratio of {window} {word}s", axis("annual Sharpe ratio"), time,
            {reading.held_name: found.held_sharpe, "run": found.sharpe}, sharpe, "ratio",
        ),
        _chart(
            "rolling-volatility", f"Volatility of {window} {word}s",
            percent_axis("annual volatility", rangemode="tozero"), time,
            {reading.held_name: found.held_volatility, "run": found.volatility}, volatility, "fraction",
        ),
        _chart(
            "rolling-beta", f"Beta of {window} {word}s", axis(f"beta to {reading.held_name}"), time,
            {"run": found.beta}, reading.metric("beta"), "ratio",
        ),
    ]  # fmt: skip
    return Section(
        name="rolling",
        title="Rolling measures",
        lead=f"Of the bar returns in the {window} {word}s up to each {word}, as the metrics are defined "
        "for the whole run.",
        blocks=tuple(chart for chart in charts if chart is not None),
    )


def _chart(
    name: str,
    title: str,
    scale: Mapping[str, Any],
    time: Float1D,
    lines: Mapping[str, Float1D],
    whole: float | None,
    unit: str,
) -> Chart | None:
    """None where the run has no value in any window."""
    own = lines["run"]
    known = own[np.isfinite(own)]
    if not len(known):
        return None
    text = (
        f"Between {said(float(known.min()), unit)} and {said(float(known.max()), unit)}, last "
        f"{said(float(own[-1]), unit)}"
    )
    text += "." if whole is None else f"; {said(whole, unit)} over the whole run (dashed line)."
    undefined = len(own) - len(known)
    note = f"Not stated in {counted(undefined, 'window')} without movement." if undefined else ""
    shapes = []
    if whole is not None:
        shapes.append(
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": whole, "y1": whole,
             "line": {"color": "@accent", "width": 1, "dash": "dash"}}
        )  # fmt: skip
    return Chart(
        name=name,
        title=title,
        text=text,
        data=tuple(_line(time, values, label, unit) for label, values in lines.items()),
        layout={
            "xaxis": time_axis(),
            "yaxis": scale,
            "shapes": shapes,
            "hovermode": "x unified",
        },
        height=260,
        width="half",
        note=" ".join(part for part in (note, thinned(len(own))) if part),
    )


def _line(time: Float1D, values: Float1D, name: str, unit: str) -> Mapping[str, Any]:
    kept = extreme_rows(values)
    is_run = name == "run"
    made = line(
        time[kept],
        values[kept],
        name,
        colour="@accent" if is_run else "@muted",
        hover="%{y:.1%}" if unit == "fraction" else "%{y:.2f}",
    )
    return made if is_run else {**made, "line": {**made["line"], "dash": "dot"}}
