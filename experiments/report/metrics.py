"""Every metric of a run beside that of buy and hold."""

from typing import Final

from ..formats import is_of_equity, is_silent, metric_label
from ..pages.document import Number, Section, Table
from .reading import RunReading

ELSEWHERE: Final = ("drawdowns", "benchmark", "exposure", "costs")
"""Groups that stand in a section of their own: here they are folded."""


def metrics_section(reading: RunReading) -> Section:
    """A table for each group; counts of what never happened are left out."""
    groups = dict.fromkeys(reading.content["metric_groups"].values())
    tables = [
        metrics_table(reading, group, name=f"metrics-{group}", is_folded=group in ELSEWHERE)
        for group in groups
    ]
    return Section(
        name="metrics",
        title="All metrics",
        lead="n/a: there is no such number; it is not 0. The same numbers, unrounded, are in run.json.",
        blocks=tuple(tables),
    )


def metrics_table(
    reading: RunReading,
    group: str,
    *,
    name: str,
    is_folded: bool = False,
) -> Table:
    """The metrics of one group of run.json, buy and hold where it has them."""
    content = reading.content
    has_held = is_of_equity(group)
    rows = []
    for metric, value in content["metrics"].items():
        if content["metric_groups"][metric] != group or is_silent(metric, value):
            continue
        unit = content["metric_units"][metric]
        held = (Number(content["benchmark_metrics"][metric], unit),) if has_held else ()
        rows.append(
            (
                metric_label(metric, unit),
                Number(value, unit),
                *held,
                content["metric_texts"][metric].replace("NaN", "n/a"),
            )
        )
    return Table(
        name=name,
        caption=group.capitalize(),
        columns=("metric", "run", *((reading.held_name,) if has_held else ()), "what it is"),
        rows=tuple(rows),
        is_folded=is_folded,
    )
