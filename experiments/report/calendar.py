"""Returns by hour and weekday, with how often chance alone would make a cell look special."""

from typing import Final

import numpy as np

from engine.timeframe import DAY_NS, HOUR_NS

from ..pages.document import Block, Chart, Number, Section, Table, Text
from ..pages.plots import DIVERGING, axis, bars, category_axis, heatmap
from .numbers.calendar import (
    FEWEST_IN_CELL,
    WEEKDAYS,
    WeekCells,
    beyond_two,
    grouped,
    week_cells,
    weekdays,
)
from .numbers.days import FEWEST_DAYS
from .reading import RunReading
from .wording import counted, too_few

BPS: Final = 10_000.0


def calendar_section(reading: RunReading) -> Section | None:
    """None for bars of more than a day, which have no hour and no weekday."""
    title = "Hours and weekdays"
    if reading.step_ns > DAY_NS:
        return None
    days = len(reading.day_sums)
    if days < FEWEST_DAYS:
        missing = too_few("Returns by hour and weekday", FEWEST_DAYS, "days", days)
        return Section(name="calendar", title=title, blocks=(missing,))
    if not reading.returns.any():
        nothing = Text(paragraphs=("Equity never moved, so no hour stands out.",))
        return Section(name="calendar", title=title, blocks=(nothing,))
    cells = week_cells(reading.open_time, reading.returns)
    blocks: list[Block] = [weekdays_chart(reading), chance_text(cells)]
    if len(cells.hours) > 1:
        blocks = [
            cells_chart(cells),
            chance_text(cells),
            weekdays_chart(reading),
            hours_chart(reading),
        ]
    return Section(
        name="calendar",
        title=title,
        lead="Mean return of equity over the bars that open then, UTC, in bps (a hundredth of a percent).",
        blocks=tuple(blocks),
    )


def cells_chart(cells: WeekCells) -> Chart:
    """A cell for each weekday and hour; the hover says how many bars are in it."""
    means = cells.mean * BPS
    known = means[np.isfinite(means)]
    limit = max(float(np.quantile(np.abs(known), 0.98)), 1e-9)
    low = np.unravel_index(int(np.nanargmin(means)), means.shape)
    high = np.unravel_index(int(np.nanargmax(means)), means.shape)
    hours = [f"{hour:02d}" for hour in cells.hours]
    return Chart(
        name="hours-and-weekdays",
        title="Mean return by weekday and hour",
        text=f"The best cell is {_cell(cells, high)} with {means[high]:+.2f} bps a bar, the worst "
        f"{_cell(cells, low)} with {means[low]:+.2f}; {_holds(cells)}.",
        data=(
            heatmap(
                hours,
                [day[:3] for day in WEEKDAYS],
                means,
                scale=DIVERGING,
                zmin=-limit,
                zmax=limit,
                customdata=cells.count,
                hover="%{y} %{x}:00: %{z:.2f} bps, %{customdata} bars<extra></extra>",
                colorbar={
                    "title": {"text": "bps a bar", "side": "right"},
                    "thickness": 10,
                },
            ),
        ),
        layout={
            "xaxis": category_axis("hour of the open (UTC)", showgrid=False),
            "yaxis": category_axis("", autorange="reversed", showgrid=False),
        },
        height=270,
        note="Colours end where 2 % of the cells lie beyond.",
    )


def weekdays_chart(reading: RunReading) -> Chart:
    """Mean return by weekday, and what its bars compound to."""
    found = grouped(weekdays(reading.open_time), 7, reading.returns)
    means = found.mean * BPS
    best, worst = int(np.nanargmax(means)), int(np.nanargmin(means))
    return Chart(
        name="weekdays",
        title="Mean return by weekday",
        text=f"{WEEKDAYS[best]} is the best with {means[best]:+.2f} bps a bar, {WEEKDAYS[worst]} the worst "
        f"with {means[worst]:+.2f}.",
        data=(
            bars(
                [day[:3] for day in WEEKDAYS],
                means,
                "mean return",
                colour=["@up" if mean > 0 else "@down" for mean in means.tolist()],
                hover="%{x}: %{y:.2f} bps a bar<extra></extra>",
                showlegend=False,
            ),
        ),
        layout={"xaxis": category_axis(), "yaxis": axis("bps a bar")},
        height=250,
        width="half",
        table=Table(
            name="weekdays-table",
            caption="By weekday",
            columns=("", "bars", "mean return", "compounded"),
            rows=tuple(
                (
                    WEEKDAYS[day],
                    Number(int(found.count[day]), "count"),
                    Number(float(means[day]), "bps"),
                    Number(float(found.compounded[day]), "fraction"),
                )
                for day in range(7)
            ),
        ),
    )


def hours_chart(reading: RunReading) -> Chart:
    """Mean return by the hour in which bars open."""
    hour = reading.open_time % DAY_NS // HOUR_NS
    hours, places = np.unique(hour, return_inverse=True)
    found = grouped(places, len(hours), reading.returns)
    means = found.mean * BPS
    labels = [f"{hour:02d}" for hour in hours.tolist()]
    best, worst = int(np.argmax(means)), int(np.argmin(means))
    return Chart(
        name="hours-of-day",
        title="Mean return by hour",
        text=f"{labels[best]}:00 is the best with {means[best]:+.2f} bps a bar, {labels[worst]}:00 the "
        f"worst with {means[worst]:+.2f}.",
        data=(
            bars(
                labels,
                means,
                "mean return",
                colour=["@up" if mean > 0 else "@down" for mean in means.tolist()],
                hover="%{x}:00: %{y:.2f} bps a bar<extra></extra>",
                showlegend=False,
            ),
        ),
        layout={
            "xaxis": category_axis(
                "hour of the open (UTC)", tickvals=labels[:: max(1, len(labels) // 8)]
            ),
            "yaxis": axis("bps a bar"),
        },
        height=250,
        width="half",
        table=Table(
            name="hours-table",
            caption="By hour",
            columns=("", "bars", "mean return", "compounded"),
            rows=tuple(
                (
                    f"{label}:00",
                    Number(int(found.count[place]), "count"),
                    Number(float(means[place]), "bps"),
                    Number(float(found.compounded[place]), "fraction"),
                )
                for place, label in enumerate(labels)
            ),
        ),
    )


def chance_text(cells: WeekCells) -> Text:
    """How many cells lie beyond two standard errors, and how many would by chance."""
    judged = int(np.isfinite(cells.t).sum())
    if not judged:
        return Text(
            paragraphs=(
                f"No cell has {FEWEST_IN_CELL} bars, so that none can be told from chance.",
            )
        )
    beyond, expected = beyond_two(cells)
    what = "weekday and hour" if len(cells.hours) > 1 else "weekday"
    return Text(
        paragraphs=(
            f"{beyond} of {counted(judged, 'cell')} by {what} lie more than two standard errors from the "
            f"mean of all bars; among so many about {expected:.0f} would by chance alone. A colour is not "
            "a reason to trade by the clock.",
        )
    )


def _holds(cells: WeekCells) -> str:
    fewest, most = int(cells.count.min()), int(cells.count.max())
    return (
        f"each holds {most:,} bars" if fewest == most else f"each holds {fewest:,} to {most:,} bars"
    )


def _cell(cells: WeekCells, place: tuple[np.intp, ...]) -> str:
    return f"{WEEKDAYS[int(place[0])]} {cells.hours[int(place[1])]:02d}:00"
