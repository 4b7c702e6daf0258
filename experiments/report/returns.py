"""Returns by month and year, their distribution, and the best and worst periods."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine import Float1D

from ..pages.document import Block, Cell, Chart, Number, Section, Switch, Table, Text
from ..pages.plots import axis, bars, category_axis, heatmap, line, percent_axis, points
from .numbers.days import FEWEST_DAYS
from .numbers.periods import (
    SPANS,
    Histogram,
    MonthGrid,
    PeriodReturns,
    Quantiles,
    histogram,
    month_grid,
    quantiles,
    returns_of,
)
from .reading import RunReading
from .wording import MONTHS, counted, day, said, too_few

MAX_YEARS_TABLED: Final = 60


def returns_section(reading: RunReading) -> Section:
    """Months, years, days and their extremes."""
    days = returns_of(reading.equity, reading.initial_cash, reading.close_time, "day").returns
    word = reading.day_word
    moved = reading.returns.any() or reading.benchmark_returns.any()
    blocks: list[Block] = [months_chart(reading)]
    if moved:
        blocks.append(years_chart(reading))
    if len(days) < FEWEST_DAYS:
        blocks.append(too_few("Distribution of returns", FEWEST_DAYS, f"{word}s", len(days)))
    elif not days.any():
        blocks.append(Text(paragraphs=("Distribution of returns: n/a, equity never moved.",)))
    else:
        blocks.append(distribution_chart(days, word))
        found = quantiles(days)
        if found is not None:
            blocks.append(quantile_chart(found, word))
    blocks.append(extremes_table(reading))
    return Section(
        name="returns",
        title="Returns",
        lead="Simple returns, compounded; periods are of UTC, and the first and the last count as far as "
        "the run goes.",
        blocks=tuple(blocks),
    )


def months_chart(reading: RunReading) -> Chart:
    """A cell for each month, the year beside them."""
    grid = month_grid(reading.equity, reading.initial_cash, reading.close_time)
    cells = np.column_stack((grid.cells, grid.totals))
    known = grid.cells[~np.isnan(grid.cells)]
    limit = max(float(np.abs(known).max()), 1e-9)
    text = [[_short(value) for value in row] for row in cells.tolist()]
    best, worst = float(known.max()), float(known.min())
    return Chart(
        name="months",
        title="Months, in percent",
        text=f"{counted(len(known), 'month')}: the best {said(best, 'fraction')}, the worst "
        f"{said(worst, 'fraction')}, {int((known > 0).sum())} of them positive. The last column is the "
        "whole year.",
        data=(
            heatmap(
                (*MONTHS, "yr"),
                [str(year) for year in grid.years],
                cells,
                hover="%{y} %{x}: %{z:.2%}<extra></extra>",
                zmin=-limit,
                zmax=limit,
                text=text,
                texttemplate="%{text}",
                textfont={"size": 10},
                showscale=False,
            ),
        ),
        layout={
            "xaxis": category_axis(
                "", side="top", showgrid=False, tickangle=0, tickfont={"size": 10}
            ),
            "yaxis": category_axis("", autorange="reversed", showgrid=False),
        },
        height=70 + 26 * len(grid.years),
        note="A year's cell takes the darkest colour of a month where it is beyond it.",
        table=_months_table(grid),
    )


def _months_table(grid: MonthGrid) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(year),
            *(Number(cell, "fraction") for cell in row),
            Number(total, "fraction"),
        )
        for year, row, total in zip(
            grid.years, grid.cells.tolist(), grid.totals.tolist(), strict=True
        )
    )
    return Table(
        name="months-table", caption="Returns of months", columns=("", *MONTHS, "year"), rows=rows
    )


def years_chart(reading: RunReading) -> Chart:
    """Years of the run beside those of the benchmark."""
    own = month_grid(reading.equity, reading.initial_cash, reading.close_time)
    held = month_grid(reading.benchmark, reading.initial_cash, reading.close_time)
    labels = [str(year) for year in own.years]
    table = Table(
        name="years-table",
        caption="Returns of years",
        columns=("", "run", reading.held_name),
        rows=tuple(
            (label, Number(a, "fraction"), Number(b, "fraction"))
            for label, a, b in zip(labels, own.totals.tolist(), held.totals.tolist(), strict=True)
        ),
    )
    ahead = int((own.totals > held.totals).sum())
    return Chart(
        name="years",
        title="Years",
        text=f"Positive in {int((own.totals > 0).sum())} of {counted(len(labels), 'calendar year')}, ahead "
        f"of {reading.held_name} in {ahead}.",
        data=(
            bars(labels, own.totals, "run", hover="%{x}: %{y:.2%}"),
            {
                **bars(labels, held.totals, reading.held_name, hover="%{x}: %{y:.2%}"),
                "marker": {"color": "@muted", "pattern": {"shape": "/", "solidity": 0.4}},
            },
        ),
        layout={
            "xaxis": category_axis("year"),
            "yaxis": percent_axis("return"),
            "barmode": "group",
        },
        height=280,
        width="half",
        table=table if len(labels) <= MAX_YEARS_TABLED else None,
    )


def distribution_chart(days: Float1D, word: str) -> Chart:
    """Counts of the returns of days, and what a normal distribution of the same width would have."""
    found = histogram(days)
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    step = float(found.edges[1] - found.edges[0])
    return Chart(
        name="distribution",
        title=f"Distribution of {word} returns",
        text=_distribution_text(days, found, word),
        data=(
            bars(
                middles,
                found.counts.astype(np.float64),
                f"{word}s",
                colour="@accent/0.6",
                hover=f"about %{{x:.2%}}: %{{y}} {word}s<extra></extra>",
                width=step,
            ),
            _dash(
                line(
                    middles,
                    found.normal,
                    "normal",
                    colour="@ink",
                    hover=f"normal: %{{y:.1f}} {word}s<extra></extra>",
                )
            ),
        ),
        layout={
            "xaxis": percent_axis(f"return of a {word}"),
            "yaxis": axis(f"{word}s", rangemode="tozero"),
            "bargap": 0,
        },
        height=300,
        width="half",
        switches=(
            Switch(label="Linear", layout={"yaxis.type": "linear"}),
            Switch(label="Log", layout={"yaxis.type": "log"}),
        ),
    )


def _distribution_text(days: Float1D, found: Histogram, word: str) -> str:
    flat = f" {found.zeros:,} of them returned exactly 0." if found.zeros else ""
    beyond = int((np.abs(days - found.mean) > 3 * found.deviation).sum())
    expected = 0.0027 * len(days)
    return (
        f"{len(days):,} {word}s with a mean of {found.mean:.3%} and a deviation of {found.deviation:.2%}."
        f"{flat} Beyond three deviations: {beyond:,}; a normal distribution has about "
        f"{expected:.0f}."
    )


def quantile_chart(found: Quantiles, word: str) -> Chart:
    """Ordered day returns against the quantiles of a normal and of a Student t distribution."""
    ends = np.array([found.normal[0], found.normal[-1]])
    traces: list[Mapping[str, Any]] = [
        _dash(line(ends, ends, "equal", colour="@muted", hover="")),
        points(found.normal, found.observed, "normal", size=5, hover="%{x:.2f}, %{y:.2f}"),
    ]
    text = (
        f"{word.capitalize()} returns in deviations from their mean, in order, against what a normal "
        f"distribution has at the same places: the lowest is {found.observed[0]:.1f} where "
        f"{found.normal[0]:.1f} was to be expected, the highest {found.observed[-1]:.1f} where "
        f"{found.normal[-1]:.1f} was."
    )
    if found.student is not None and found.freedom is not None:
        crosses = points(
            found.student,
            found.observed,
            f"Student t, {found.freedom:.1f} degrees",
            hover="%{x:.2f}, %{y:.2f}",
        )
        traces.append({**crosses, "marker": {"color": "@down", "size": 5, "symbol": "x"}})
        text += (
            f" The crosses are against Student's t with {found.freedom:.1f} degrees of freedom, which"
            " has the same kurtosis."
        )
    return Chart(
        name="quantiles",
        title=f"{word.capitalize()} returns against a normal distribution",
        text=text + " Points on the line are as expected; an S means fatter tails.",
        data=tuple(traces),
        layout={
            "xaxis": axis("expected (deviations)"),
            "yaxis": axis("observed (deviations)"),
        },
        height=300,
        width="half",
    )


def extremes_table(reading: RunReading) -> Table:
    """The best and the worst day, week, month and year, and when they were."""
    rows = []
    for span in SPANS:
        found = returns_of(reading.equity, reading.initial_cash, reading.close_time, span)
        best, worst = int(found.returns.argmax()), int(found.returns.argmin())
        rows.append(
            (
                span,
                Number(float(found.returns.max()), "fraction"),
                _when(reading, found, best),
                Number(float(found.returns.min()), "fraction"),
                _when(reading, found, worst),
                Number(float((found.returns > 0).mean()), "fraction"),
            )
        )
    return Table(
        name="extremes",
        caption="Best and worst",
        columns=("", "best", "ending", "worst", "ending", "positive"),
        rows=tuple(rows),
        note="Weeks begin on Monday, 00:00 UTC.",
        width="half",
    )


def _when(reading: RunReading, found: PeriodReturns, place: int) -> str:
    return day(int(reading.close_time[found.last[place]]))


def _short(value: float) -> str:
    """Percent in four letters at most."""
    if np.isnan(value):
        return ""
    percent = 100 * value
    return f"{percent:.1f}" if abs(percent) < 9.95 else f"{percent:.0f}"


def _dash(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**trace, "line": {**trace["line"], "dash": "dash"}}
