"""From the result before costs to the net result, what was paid when, and what other costs would leave."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine import Float1D

from ..pages.document import Block, Chart, Number, Section, Table, Text
from ..pages.plots import axis, category_axis, line, time_axis
from ..pages.sampling import extreme_rows
from .metrics import metrics_table
from .numbers.costs import CostStep, cost_cases, cost_steps, running_totals
from .reading import RunReading, floats
from .wording import money_unit, said, thinned

DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def costs_section(reading: RunReading) -> Section:
    """Steps, sums over time and the case of other costs; words alone without a fill."""
    table = metrics_table(reading, "costs", name="cost-metrics")
    if not reading.content["n_fills"]:
        nothing = Text(paragraphs=("Nothing was traded and nothing was paid.",))
        return Section(name="costs", title="Costs", blocks=(nothing, table))
    blocks: list[Block] = [steps_chart(reading)]
    over_time = totals_chart(reading)
    if over_time is not None:
        blocks.append(over_time)
    blocks += [cases_table(reading), table]
    return Section(
        name="costs",
        title="Costs",
        lead="Spread and impact are inside the prices of the fills; fees, funding and borrowing are booked "
        "by themselves.",
        blocks=tuple(blocks),
    )


def steps_chart(reading: RunReading) -> Chart:
    """A waterfall of bars that begin where the one before ended."""
    steps = cost_steps(reading.content["metrics"], reading.initial_cash)
    base, shown = [], []
    level = 0.0
    for number, step in enumerate(steps):
        is_total = number in (0, len(steps) - 1)
        base.append(0.0 if is_total else level)
        shown.append(step.amount)
        level = step.amount if is_total else level + step.amount
    colours = ["@ink" if i in (0, len(steps) - 1) else "@up" if s.amount > 0 else "@down"
               for i, s in enumerate(steps)]  # fmt: skip
    money = money_unit(is_inverse=reading.is_inverse)
    taken = {step.name: step.amount for step in steps}
    text = (
        f"Before costs the fills made {_money(taken['before costs'])}; "
        + ", ".join(f"{name} {_money(amount)}" for name, amount in list(taken.items())[1:-1])
        + f"; net {_money(taken['net'])}. "
        + _share_text(reading)
    )
    return Chart(
        name="cost-steps",
        title="From before costs to net",
        text=text,
        data=(
            {
                "type": "bar",
                "x": [step.name for step in steps],
                "y": shown,
                "base": base,
                "marker": {"color": colours},
                "text": [f"{step.amount:,.0f}" if abs(step.amount) >= 10 else f"{step.amount:,.4g}"
                         for step in steps],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{x}: %{y:,.2f}<extra></extra>",
                "showlegend": False,
            },
        ),
        layout={"xaxis": category_axis(), "yaxis": axis(money)},
        height=320,
        width="half",
        table=_steps_table(steps, reading),
    )  # fmt: skip


def _share_text(reading: RunReading) -> str:
    share = reading.metric("cost_share")
    if share is None:
        return "There was no profit before costs that they could be a share of."
    return f"Costs are {said(share, 'fraction')} of the profit before them."


def _steps_table(steps: Sequence[CostStep], reading: RunReading) -> Table:
    before = abs(steps[0].amount)
    return Table(
        name="cost-steps-table",
        caption="From before costs to net",
        columns=("", money_unit(is_inverse=reading.is_inverse), "of the result before costs"),
        rows=tuple(
            (
                step.name,
                Number(step.amount, "settlement currency"),
                Number(step.amount / before if before > 0 else None, "fraction"),
            )
            for step in steps
        ),
    )


def totals_chart(reading: RunReading) -> Chart | None:
    """What each kind had cost by each close; None where nothing was paid."""
    fills, payments = reading.table("fills"), reading.table("payments")
    bars = len(reading.equity)
    found = running_totals(
        bars,
        floats(fills["bar"]).astype(np.int64),
        {
            "fees": floats(fills["fee"]),
            "spread": floats(fills["spread"]),
            "impact": floats(fills["impact"]),
        },
    )
    kinds = np.asarray(payments["kind"].to_pylist(), dtype=object)
    paid, bar = -floats(payments["payment"]), floats(payments["bar"]).astype(np.int64)
    for kind in ("funding", "borrow"):
        found |= running_totals(bars, bar[kinds == kind], {kind: paid[kinds == kind]})
    drawn = {name: values for name, values in found.items() if values.any()}
    if not drawn:
        return None
    money = money_unit(is_inverse=reading.is_inverse)
    return Chart(
        name="cost-totals",
        title="Costs added up",
        text="Paid by the end of the run: "
        + ", ".join(f"{name} {_money(float(values[-1]))}" for name, values in drawn.items())
        + ". A falling line was received.",
        data=tuple(
            _step_line(reading, values, name, number)
            for number, (name, values) in enumerate(drawn.items())
        ),
        layout={"xaxis": time_axis(), "yaxis": axis(f"paid ({money})"), "hovermode": "x unified"},
        height=320,
        width="half",
        note=thinned(bars),
    )  # fmt: skip


def _step_line(reading: RunReading, values: Float1D, name: str, number: int) -> Mapping[str, Any]:
    kept = extreme_rows(values)
    made = line(
        reading.time_ms[kept], values[kept], name, colour=f"@hue{number}", hover="%{y:,.2f}"
    )
    return {**made, "line": {**made["line"], "dash": DASHES[number]}}


def cases_table(reading: RunReading) -> Table:
    """The total return had fees, spread and impact been a multiple of what they were."""
    cases = cost_cases(reading.content["metrics"], reading.initial_cash)
    return Table(
        name="cost-cases",
        caption="Had trading cost otherwise",
        columns=("fees, spread and impact", *(f"× {case.multiple:g}" for case in cases)),
        rows=(("total return", *(Number(case.total_return, "fraction") for case in cases)),),
        note="With the same fills: sizes would have followed equity, which this leaves out. "
        + _break_even(reading.metric("break_even_cost")),
    )


def _break_even(bps: float | None) -> str:
    if bps is None:
        return ""
    if bps < 0:
        return "They lose before any cost."
    return f"They earn nothing at {said(bps, 'bps')} of what they traded."


def _money(amount: float) -> str:
    return said(amount, "settlement currency")
