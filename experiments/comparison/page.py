"""A comparison as a page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from datasets.durable import replace_file
from engine import Float1D

from ..formats import metric_label
from ..pages import Chart, Document, Number, Section, Switch, Table, Text, plots
from ..pages.document import Cell
from ..pages.html import html_text
from ..pages.sampling import extreme_rows
from .comparison import Comparison, value_text
from .curves import drawdowns_of
from .labels import headline_rows, interval_of, label, sentence, units_of

DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
"""They tell apart what colours cannot."""
HUES: Final = 9
SYMBOLS_TOLD: Final = 6
_NS_PER_MS: Final = 1_000_000


def write_page(found: Comparison, path: Path | str) -> Path:
    """Write the page to ``path`` and return it. DataError where it cannot be written."""
    path = Path(path)
    replace_file(path, html_text(comparison_document(found)).encode())
    return path


def comparison_document(found: Comparison) -> Document:
    """The runs, what set them apart, metrics with intervals, curves."""
    names = [record.content["name"] for record in found.records]
    return Document(
        title=f"{len(names)} runs compared",
        subtitle=" · ".join(f"{label(at)} {name}" for at, name in enumerate(names)),
        badges=("SIMULATED",) if any(one.content["simulated"] for one in found.records) else (),
        sections=(
            Section(name="runs", title="Runs", blocks=(_runs(found), *_configuration(found))),
            Section(name="metrics", title="Metrics", blocks=_metrics(found)),
            Section(name="curves", title="Curves", blocks=_curves(found)),
        ),
    )


def _runs(found: Comparison) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for number, record in enumerate(found.records):
        content = record.content
        symbols = content["symbols"]
        more = f" and {len(symbols) - SYMBOLS_TOLD} more" if len(symbols) > SYMBOLS_TOLD else ""
        rows.append(
            (
                label(number),
                content["name"] + (" (simulated)" if content["simulated"] else ""),
                ", ".join(symbols[:SYMBOLS_TOLD]) + more,
                content["timeframe"],
                f"{content['start_time']} to {content['end_time']}",
                record.run_id,
            )
        )
    return Table(
        name="list",
        caption="What is compared",
        columns=("", "name", "symbols", "timeframe", "period (UTC)", "run"),
        rows=tuple(rows),
    )


def _configuration(found: Comparison) -> tuple[Table | Text, ...]:
    inputs = []
    for part in ("data", "code", "versions"):
        told = [
            f"{label(1 + number)}: {', '.join(row.key for row in getattr(one, part))}"
            for number, one in enumerate(found.differences)
            if getattr(one, part)
        ]
        inputs.append(f"{part}: {'; '.join(told) or 'equal'}")
    told_inputs = Text(paragraphs=(" · ".join(inputs),))
    if not found.config:
        return Text(paragraphs=("The configurations are equal.",)), told_inputs
    table = Table(
        name="configuration",
        caption="Keys of the configuration that differ",
        columns=("key", *(label(number) for number in range(len(found.records)))),
        rows=tuple(
            (row.key, *(_value(*one) for one in zip(row.values, row.came_from, strict=True)))
            for row in found.config
        ),
        note="In brackets where a value came from: the file, -s, or the default.",
    )
    return table, told_inputs


def _value(value: Any, came_from: str) -> str:
    return f"{value_text(value)} ({came_from})" if came_from else value_text(value)


def _metrics(found: Comparison) -> tuple[Table | Text, ...]:
    units, listed = units_of(found), headline_rows(found)
    if not listed:
        return (Text(paragraphs=("The metrics are equal.",)),)
    columns = ["metric"]
    for number in range(1, len(found.records)):
        columns += [f"{label(number)} − A", "95 % from", "to"]
    columns += [label(number) for number in range(len(found.records))]
    rows = []
    for name, values in listed:
        unit, own = units[name], values[0]
        cells: list[Cell] = [metric_label(name, unit)]
        for other, its in enumerate(values[1:], start=1):
            change = None if own is None or its is None else its - own
            interval = interval_of(found, other, name)
            cells.append(Number(change, unit, is_change=True))
            if interval is None:
                cells += ["", ""]
            else:
                bounds = (interval.low, interval.high)
                cells += [Number(bound, unit, is_change=True) for bound in bounds]
        rows.append((*cells, *(Number(one, unit) for one in values)))
    table = Table(
        name="differences",
        caption="Metrics that differ, and how sure the differences are",
        columns=tuple(columns),
        rows=tuple(rows),
        note=f"{sentence(found)}. An interval that holds 0 does not tell the two runs apart; it knows "
        "nothing of how the runs were found.",
    )
    return (table,)


def _curves(found: Comparison) -> tuple[Chart, ...]:
    """Growth, drawdown and growth against the first run."""
    curves = found.curves
    time = curves.time_ns / _NS_PER_MS
    growth, depth, against = [], [], []
    for number in range(len(found.records)):
        path = curves.growth[:, number]
        growth.append(_line(found, number, time, path, "%{y:.3f}"))
        depth.append(_line(found, number, time, -drawdowns_of(path), "%{y:.2%}"))
        if number:
            first = curves.growth[:, 0]
            ratio = np.where(first > 0, path / np.where(first > 0, first, 1.0), np.nan)
            against.append(_line(found, number, time, ratio, "%{y:.3f}"))
    ends = "; ".join(
        f"{label(number)} {_times(curves.growth[-1, number])}"
        for number in range(len(found.records))
    )
    deepest = "; ".join(
        f"{label(number)} {np.nanmax(drawdowns_of(curves.growth[:, number])):.1%}"
        for number in range(len(found.records))
    )
    if len(against) == 1:
        # The only line needs no dash to be told from others, and a dash falls apart at steps.
        against = [{**against[0], "line": {**against[0]["line"], "dash": "solid"}}]
    shared: Mapping[str, Any] = {"xaxis": plots.time_axis(), "hovermode": "x unified"}
    return (
        Chart(
            name="growth",
            title="Growth of 1",
            text=f"What 1 became on the {len(time):,} closes that all runs have: {ends}.",
            data=tuple(growth),
            layout={**shared, "yaxis": plots.axis("growth of 1")},
            height=400,
            switches=(
                Switch(label="Linear", layout={"yaxis.type": "linear"}),
                Switch(label="Log", layout={"yaxis.type": "log"}),
            ),
        ),
        Chart(
            name="depth",
            title="Drawdown",
            text=f"How far below its highest each run was; the deepest: {deepest}.",
            data=tuple(depth),
            layout={**shared, "yaxis": plots.percent_axis("drawdown (%)")},
        ),
        Chart(
            name="against",
            title="Growth over that of A",
            text="Above 1 a run is ahead of A; where the line is flat they did the same.",
            data=tuple(against),
            layout={**shared, "yaxis": plots.axis("times A")},
        ),
    )


def _times(growth: float) -> str:
    return f"{growth:.3f}" if np.isfinite(growth) else "n/a"


def _line(
    found: Comparison, number: int, time: Float1D, values: Float1D, hover: str
) -> Mapping[str, Any]:
    kept = extreme_rows(np.where(np.isfinite(values), values, 0.0))
    return plots.line(
        time[kept],
        values[kept],
        f"{label(number)} {found.records[number].content['name']}",
        colour=f"@hue{number}" if number < HUES else "@ink",
        dash=DASHES[number % len(DASHES)],
        hover=hover,
    )
