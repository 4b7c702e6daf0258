"""What the parameters did: which charts are shown, and the plateau."""

from typing import Any, Final

import numpy as np

from ..pages import Block, Fold, Number, Section, Table, Text
from .importance import Importance
from .landscape import FEWEST_JUDGED, Flat
from .parameter_charts import importance_chart, pair_chart, slice_chart
from .reading import SweepReading
from .words import (
    first_upper,
    metric_label,
    metric_number,
    plural,
    value_cell,
)

PAIRED: Final = 3
"""Axes whose pairs are drawn."""
SLICES_SHOWN: Final = 4


def parameters_section(
    reading: SweepReading, found: tuple[Importance | None, ...], order: Any, flat: Flat | str
) -> Section:
    """``found`` are importances by objective, ``order`` axes from the most important on."""
    metric = reading.objectives[0]
    feasible = int(np.isfinite(reading.good[:, 0]).sum())
    if feasible < FEWEST_JUDGED:
        nothing = Text(
            paragraphs=(f"n/a: needs {FEWEST_JUDGED} feasible trials, there are {feasible}.",)
        )
        return Section(name="parameters", title="The parameters", blocks=(nothing,))
    blocks: list[Block] = [importance_chart(reading, found, order)] if len(order) > 1 else []
    axes = [int(column) for column in order]
    pairs = [
        (axes[x], axes[y])
        for x in range(min(PAIRED, len(axes)))
        for y in range(x + 1, min(PAIRED, len(axes)))
    ]
    blocks += [pair_chart(reading, x, y, number, flat) for number, (x, y) in enumerate(pairs, 1)]
    blocks.append(_plateau(reading, flat))
    slices = [slice_chart(reading, column, number) for number, column in enumerate(axes, 1)]
    blocks += slices[:SLICES_SHOWN]
    if len(slices) > SLICES_SHOWN:
        blocks.append(
            Fold(
                summary=(
                    f"{first_upper(metric_label(metric))} along {len(slices) - SLICES_SHOWN} more "
                    "parameters"
                ),
                blocks=tuple(slices[SLICES_SHOWN:]),
            )
        )
    return Section(
        name="parameters",
        title="The parameters",
        lead=(
            f"What the {metric_label(metric)} did with them, over feasible trials. It says where this "
            "search found luck or skill on these days, not what causes what."
        ),
        blocks=tuple(blocks),
    )


def _plateau(reading: SweepReading, flat: Flat | str) -> Block:
    metric = reading.objectives[0]
    if isinstance(flat, str):
        return Text(paragraphs=(f"Plateau: n/a: {flat}.",))
    rows = []
    for column, one in enumerate(reading.space.axes):
        values = reading.values[flat.members, column]
        rows.append(
            (
                one.name,
                value_cell(one, float(values.min())),
                value_cell(one, float(values.max())),
                Number(float(np.ptp(reading.places[flat.members, column])), "fraction"),
                value_cell(one, float(reading.values[flat.middle, column])),
                value_cell(one, float(reading.values[flat.best, column])),
            )
        )
    inside = "lies on it" if flat.best_is_member else "does not lie on it"
    of = "" if flat.judged == flat.of else f", judged among {flat.judged:,} of {flat.of:,} trials"
    return Table(
        name="plateau",
        caption=(
            f"The plateau: {plural(len(flat.members), 'trial')} whose neighbours are good too; the trial "
            f"of the best {metric_label(metric)}, {flat.best}, {inside}"
        ),
        columns=("parameter", "from", "to", "of the range", "middle", f"trial {flat.best}"),
        rows=tuple(rows),
        note=(
            f"A trial's neighbourhood scores the lower quartile of {metric_label(metric)} over itself and "
            f"its nearest trials; members reach {metric_number(flat.threshold, metric).text} and hang "
            f"together{of}. The middle (trial {flat.middle}) is a safer choice than the best, which is "
            "the luckiest of many. Infeasible neighbours count as the worst there is."
        ),
    )
