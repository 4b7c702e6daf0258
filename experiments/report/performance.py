"""Equity against buy and hold, and what had been lost from the peaks."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine import Float1D
from engine.metrics import worst_drawdowns

from ..formats import spoken
from ..pages.document import Block, Chart, Number, Section, Switch, Table, Text
from ..pages.plots import axis, line, percent_axis, time_axis
from ..pages.sampling import extreme_rows
from .numbers.days import Fan, bootstrap_fan
from .numbers.periods import returns_of
from .numbers.samples import MEASURES, SampleMeasures, measured
from .reading import NS_PER_MS, RunReading
from .wording import day, money_unit, said, thinned

ZONES: Final = 5
"""Drawdowns that the underwater chart marks, those that are a fifth of the deepest or more."""
LEAST_OF_DEEPEST: Final = 0.2
LEAST_APART: Final = 0.05
"""Part of the run between two numbers on the picture."""
FROM_THE_EDGE: Final = 0.02
"""Part of the run between a number and the ends of the picture."""
BELOW_ALL: Final = 1.16
"""The picture of drawdowns ends that many times below the deepest: numbers stand where no line is."""
MARGIN: Final = {"l": 76}
"""Left margin (pixels) of pictures that are read one under the other, so that their times line up."""


def performance_section(reading: RunReading) -> Section:
    """Equity, drawdown, resampled growth, and the parts that a search saw and did not see."""
    blocks: list[Block] = [equity_chart(reading)]
    if reading.depths.any() or reading.benchmark_depths.any():
        blocks.append(underwater_chart(reading))
    else:
        blocks.append(
            Text(paragraphs=(f"Neither the run nor {reading.held_name} was ever below a peak.",))
        )
    if reading.origin.has_both:
        blocks.append(samples_table(reading))
    fan = fan_chart(reading)
    if fan is not None:
        blocks.append(fan)
    return Section(
        name="performance",
        title="Performance",
        lead="Equity is marked to market at every close, after fees, spread, impact, funding and "
        "borrowing. "
        + (
            "Keeping the coins is what it is compared with."
            if reading.is_inverse
            else "Buy and hold pays no costs and is always fully invested."
        ),
        blocks=tuple(blocks),
    )


def equity_chart(reading: RunReading) -> Chart:
    """Run and benchmark in money, linear or logarithmic; bars out of sample are shaded."""
    traces = [
        _curve(reading, reading.benchmark, reading.held_name, colour="@muted", dash="dot"),
        _curve(reading, reading.equity, "run", colour="@accent", width=2),
    ]
    low, high = float(reading.equity.min()), float(reading.equity.max())
    text = (
        f"From {reading.initial_cash:,.2f} to {reading.equity[-1]:,.2f} "
        f"({said(reading.metric('total_return'), 'fraction')}), lowest {low:,.2f}, highest {high:,.2f}; "
        f"{reading.held_name} ends at {reading.benchmark[-1]:,.2f} "
        f"({said(reading.content['benchmark_metrics']['total_return'], 'fraction')}). {reading.origin.text}"
    )
    marks = [sample for sample in reading.origin.samples if not sample.is_seen]
    is_partial = reading.origin.has_both
    shapes, labels = _marked(
        [(reading.open_time[one.start], reading.close_time[one.stop - 1]) for one in marks]
        if is_partial
        else [],
        ["out of sample"] * len(marks),
    )
    money = money_unit(is_inverse=reading.is_inverse)
    return Chart(
        name="equity",
        title="Equity",
        text=text,
        data=tuple(traces),
        layout={
            "xaxis": _whole_run(reading),
            "yaxis": axis(f"equity ({money})"),
            "margin": MARGIN,
            "shapes": shapes,
            "annotations": labels,
            "hovermode": "x unified",
        },
        height=380,
        note=thinned(len(reading.equity)),
        switches=(
            Switch(label="Linear", layout={"yaxis.type": "linear"}),
            Switch(label="Log", layout={"yaxis.type": "log"}),
        ),
    )


def underwater_chart(reading: RunReading) -> Chart:
    """Fraction below the highest equity so far, the deepest stretches shaded and numbered."""
    worst, held = worst_drawdowns(reading.equity, reading.initial_cash, ZONES), reading.held_name
    worst = worst[worst["depth_frac"] >= LEAST_OF_DEEPEST * worst["depth_frac"].max(initial=0.0)]
    shapes, _ = _marked([_span(reading, row) for row in worst], [])
    text = (
        f"The deepest loss from a peak is {said(reading.metric('max_drawdown'), 'fraction')}; of "
        f"{held} it is {said(reading.content['benchmark_metrics']['max_drawdown'], 'fraction')}. "
        f"{said(reading.metric('time_under_water'), 'fraction')} of the closes are below a former peak."
    )
    if len(worst):
        text += " Shaded, and numbered at the bottom: the deepest stretches, as in the table of drawdowns."
    floor = -BELOW_ALL * max(float(reading.depths.max()), float(reading.benchmark_depths.max()))
    return Chart(
        name="underwater",
        title="Drawdown",
        text=text,
        data=(
            _curve(reading, -reading.benchmark_depths, held, colour="@muted", dash="dot", start=0.0),
            _curve(
                reading, -reading.depths, "run", colour="@accent", start=0.0,
                fill="tozeroy", fillcolor="@accent/0.15",
            ),
            *_numbers(reading, worst, floor),
        ),
        layout={
            "xaxis": _whole_run(reading),
            "yaxis": percent_axis("below the highest so far", range=[floor, -0.01 * floor]),
            "margin": MARGIN,
            "shapes": shapes,
            "hovermode": "x unified",
        },
        height=240,
        note=thinned(len(reading.equity)),
    )  # fmt: skip


def _span(reading: RunReading, row: np.void) -> tuple[int, int]:
    peak, end = int(row["peak_bar"]), int(row["end_bar"])
    start = reading.close_time[peak] if peak >= 0 else reading.open_time[0]
    return int(start), int(reading.close_time[end if end >= 0 else -1])


def _whole_run(reading: RunReading) -> Mapping[str, Any]:
    """The time axis from the first open to the last close, whatever marks stand near its ends."""
    first, last = int(reading.open_time[0]), int(reading.close_time[-1])
    return time_axis(range=[first / NS_PER_MS, last / NS_PER_MS])


def _numbers(
    reading: RunReading, worst: np.ndarray[Any, Any], floor: float
) -> list[Mapping[str, Any]]:
    """The rank of each drawdown under its stretch, below every line; none too near to a deeper one's."""
    if not len(worst):
        return []
    first, last = int(reading.open_time[0]), int(reading.close_time[-1])
    edge, apart = FROM_THE_EDGE * (last - first), LEAST_APART * (last - first)
    places: dict[int, float] = {}
    for rank, row in enumerate(worst):
        place = float(np.clip(np.mean(_span(reading, row)), first + edge, last - edge))
        if all(abs(place - other) >= apart for other in places.values()):
            places[rank] = place
    return [
        {
            "type": "scatter", "mode": "text", "x": np.array(list(places.values())) / NS_PER_MS,
            "y": np.full(len(places), floor), "text": [str(rank + 1) for rank in places],
            "textposition": "top center", "textfont": {"size": 12, "color": "@ink"},
            "hoverinfo": "skip", "showlegend": False, "name": "rank",
        }
    ]  # fmt: skip


def samples_table(reading: RunReading) -> Table:
    """The same measures of the bars that chose the configuration and of those that did not."""
    parts = [
        measured(
            sample,
            equity=reading.equity,
            initial_cash=reading.initial_cash,
            gross_exposure=reading.account("gross_exposure"),
            days=reading.days,
            trades=reading.trades,
            bars_a_year=reading.bars_a_year,
            seed=reading.seed,
        )
        for sample in reading.origin.samples
    ]
    rows: list[tuple[str | Number, ...]] = [
        (spoken(name), *(Number(part.values[name], unit) for part in parts))
        for name, unit in MEASURES
    ]
    rows.insert(5, ("Sharpe, 95 % interval", *(_interval(part) for part in parts)))
    return Table(
        name="samples",
        caption="In and out of sample",
        columns=("", *(part.sample.name for part in parts)),
        rows=(("days (UTC)", *(_dates(reading, part) for part in parts)), *rows),
        note="The account goes on from one part to the next: the first return of a part is measured from "
        "the last equity of the part before. A trade belongs to the part in which it was entered.",
    )


def fan_chart(reading: RunReading) -> Chart | None:
    """Where equity would have gone had the same days come in other orders; None for too few days."""
    of_days = returns_of(reading.equity, reading.initial_cash, reading.close_time, "day")
    fan = bootstrap_fan(of_days.returns, seed=reading.seed)
    if fan is None:
        return None
    time = reading.close_time[of_days.last][fan.rows] / NS_PER_MS
    outer_low, low, middle, high, outer_high = (reading.initial_cash * row for row in fan.growth)
    rows = of_days.last[fan.rows]
    traces = [
        *_band(time, outer_low, outer_high, "95 % of the draws", "@accent/0.12"),
        *_band(time, low, high, "half of the draws", "@accent/0.22"),
        line(time, middle, "median draw", colour="@muted", dash="dot"),
        line(time, reading.equity[rows], "run", colour="@accent", width=2),
    ]
    return Chart(
        name="fan",
        title=f"The same {reading.day_word}s in other orders",
        text=_fan_text(fan, reading.initial_cash, reading.day_word),
        data=tuple(_dashed(trace) for trace in traces),
        layout={
            "xaxis": _whole_run(reading),
            "yaxis": axis(f"equity ({money_unit(is_inverse=reading.is_inverse)})"),
            "margin": MARGIN,
        },
        height=320,
        note=f"It takes for granted that the {reading.day_word}s to come are like those of this run, and "
        "says nothing about whether the rules were fitted to them.",
        switches=(
            Switch(label="Linear", layout={"yaxis.type": "linear"}),
            Switch(label="Log", layout={"yaxis.type": "log"}),
        ),
    )


def _fan_text(fan: Fan, cash: float, word: str) -> str:
    low, high = fan.growth[0, -1] * cash, fan.growth[-1, -1] * cash
    return (
        f"{word.capitalize()}s of this run drawn again in blocks (stationary bootstrap, mean block "
        f"{fan.block_days:.1f} {word}s): 95 % of the draws end between {low:,.2f} and {high:,.2f}, and "
        f"{fan.lost_share:.1%} end below the initial cash."
    )


def _band(
    time: Float1D, low: Float1D, high: Float1D, name: str, colour: str
) -> list[Mapping[str, Any]]:
    edge = {"width": 0, "color": colour}
    return [
        {"type": "scatter", "mode": "lines", "x": time, "y": low, "line": edge, "showlegend": False,
         "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "x": time, "y": high, "line": edge, "name": name,
         "fill": "tonexty", "fillcolor": colour, "hoverinfo": "skip"},
    ]  # fmt: skip


def _dashed(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    """``dash`` belongs into ``line``."""
    if "dash" not in trace:
        return trace
    changed = dict(trace)
    changed["line"] = {**changed["line"], "dash": changed.pop("dash")}
    return changed


def _curve(
    reading: RunReading,
    values: Float1D,
    name: str,
    *,
    colour: str,
    width: float = 1.5,
    start: float | None = None,
    **more: Any,
) -> Mapping[str, Any]:
    """A line from the open of the run, where equity is the initial cash, through every close."""
    first = reading.initial_cash if start is None else start
    kept = extreme_rows(values)
    x = np.concatenate(([reading.open_time[0] / NS_PER_MS], reading.time_ms[kept]))
    y = np.concatenate(([first], values[kept]))
    hover = "%{y:,.2f}" if start is None else "%{y:.2%}"
    return _dashed(line(x, y, name, colour=colour, width=width, hover=hover, **more))


def _marked(
    spans: list[tuple[Any, Any]], labels: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Shaded stretches of time with a word at the top of each."""
    shapes = [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": start / NS_PER_MS, "x1": end / NS_PER_MS,
            "y0": 0, "y1": 1, "fillcolor": "@down/0.07", "line": {"width": 0}, "layer": "below",
        }
        for start, end in spans
    ]  # fmt: skip
    notes = [
        {
            "xref": "x", "yref": "paper", "x": (start + end) / 2 / NS_PER_MS, "y": 1, "yanchor": "top",
            "text": label, "showarrow": False, "font": {"size": 11, "color": "@muted"},
        }
        for (start, end), label in zip(spans, labels, strict=False)
    ]  # fmt: skip
    return shapes, notes


def _interval(part: SampleMeasures) -> str:
    if part.sharpe_interval is None:
        return "n/a"
    low, high = part.sharpe_interval
    return f"{said(low, 'ratio')} to {said(high, 'ratio')}"


def _dates(reading: RunReading, part: SampleMeasures) -> str:
    start, end = reading.open_time[part.sample.start], reading.close_time[part.sample.stop - 1]
    return f"{day(int(start) + 1)} to {day(int(end))}"
