"""How much of the account stood in the market."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine import Float1D

from ..pages.document import Block, Chart, Section, Table, Text
from ..pages.plots import axis, line, time_axis
from ..pages.sampling import bucket_means, bucket_rows
from .metrics import metrics_table
from .reading import NS_PER_MS, RunReading
from .wording import length, said

STRETCHES: Final = 150
"""Points of the picture: positions that turn every few bars would be a carpet otherwise."""
LOOKS: Final = {
    "gross exposure": ("@accent", "solid"),
    "net exposure": ("@ink", "dot"),
    "maintenance margin": ("@down", "dash"),
}
"""Colour and dash of each line."""


def exposure_section(reading: RunReading) -> Section:
    """Gross and net exposure and the margin in multiples of equity, and their metrics."""
    table: Table = metrics_table(reading, "exposure", name="exposure-metrics")
    gross = reading.account("gross_exposure")
    picture: Block = (
        leverage_chart(reading, gross)
        if gross.any()
        else Text(paragraphs=("No close has a position, so there is no exposure to draw.",))
    )
    return Section(name="exposure", title="Exposure and leverage", blocks=(picture, table))


def leverage_chart(reading: RunReading, gross: Float1D) -> Chart:
    """Exposure ÷ equity, the mean of each stretch of bars; 0 where no equity is left."""
    margin = reading.account("maintenance_margin")
    amounts = {"gross exposure": gross, "net exposure": reading.account("net_exposure")}
    if margin.any():
        amounts["maintenance margin"] = margin
    shares = np.column_stack(
        [
            np.divide(amount, reading.equity, out=np.zeros_like(amount), where=reading.equity > 0)
            for amount in amounts.values()
        ]
    )
    starts, means = bucket_means(shares, STRETCHES)
    time = reading.open_time[starts] / NS_PER_MS
    together = bucket_rows(len(gross), STRETCHES)
    text = (
        f"A position is held at {said(reading.metric('exposure'), 'fraction')} of the closes. Gross "
        f"exposure is {said(reading.metric('mean_gross_leverage'), 'ratio')} times equity on average and "
        f"{said(reading.metric('max_gross_leverage'), 'ratio')} at most; net it is "
        f"{said(reading.metric('mean_net_leverage'), 'ratio')} on average, negative when short."
    )
    if margin.any():
        text += (
            f" The maintenance margin takes at most {said(reading.metric('max_margin_use'), 'ratio')} of "
            "equity; at 1 the account is liquidated."
        )
    return Chart(
        name="leverage",
        title="Exposure in multiples of equity",
        text=text,
        data=tuple(_line(time, means[:, column], name) for column, name in enumerate(amounts)),
        layout={
            "xaxis": time_axis(),
            "yaxis": axis("× equity"),
            "hovermode": "x unified",
        },
        height=280,
        note=_note(together, together * reading.step_ns),
    )


def _note(together: int, nanoseconds: int) -> str:
    if together == 1:
        return ""
    return (
        f"Each point is the mean of {together} bars ({length(nanoseconds)}); the largest values are in the "
        "text."
    )


def _line(time: Float1D, values: Float1D, name: str) -> Mapping[str, Any]:
    colour, dash = LOOKS[name]
    more = {"fill": "tozeroy", "fillcolor": "@accent/0.15"} if name == "gross exposure" else {}
    made = line(time, values, name, colour=colour, width=1.2, hover="%{y:.3f}", **more)
    return {**made, "line": {**made["line"], "dash": dash, "shape": "hv"}}
