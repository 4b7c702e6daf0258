"""The run against buy and hold: day by day, and over time."""

import numpy as np

from engine import Float1D

from ..pages.document import Block, Chart, Section, Text
from ..pages.plots import axis, line, percent_axis, points, time_axis
from ..pages.sampling import extreme_rows
from .metrics import metrics_table
from .numbers.days import FEWEST_DAYS
from .numbers.periods import returns_of
from .reading import RunReading
from .wording import said, thinned, too_few


def benchmark_section(reading: RunReading) -> Section:
    """Relative growth, day returns against each other, and the metrics of the group."""
    table = metrics_table(reading, "benchmark", name="benchmark-metrics")
    if reading.is_inverse:
        kept = Text(
            paragraphs=(
                "Money is in coins here, and coins that are kept do not change: what regresses on them is "
                "n/a.",
            )
        )
        return Section(name="benchmark", title="Against keeping the coins", blocks=(kept, table))
    blocks: list[Block] = []
    if len(reading.equity) > 1:
        blocks.append(relative_chart(reading))
    own = returns_of(reading.equity, reading.initial_cash, reading.close_time, "day").returns
    held = returns_of(reading.benchmark, reading.initial_cash, reading.close_time, "day").returns
    if len(own) < FEWEST_DAYS:
        blocks.append(
            too_few("Returns against buy and hold", FEWEST_DAYS, f"{reading.day_word}s", len(own))
        )
    else:
        blocks.append(days_chart(reading, own, held))
    blocks.append(table)
    return Section(
        name="benchmark",
        title="Against buy and hold",
        lead="Buy and hold buys equal parts of every traded symbol at its first open and pays no costs.",
        blocks=tuple(blocks),
    )


def relative_chart(reading: RunReading) -> Chart:
    """Equity ÷ that of buy and hold; above 1 the run is ahead since its start."""
    ratio = np.divide(
        reading.equity,
        reading.benchmark,
        out=np.full_like(reading.equity, np.nan),
        where=reading.benchmark > 0,
    )
    kept = extreme_rows(ratio)
    ahead = float((ratio > 1).mean())
    return Chart(
        name="relative",
        title="Equity ÷ buy and hold",
        text=f"At the end {ratio[-1]:.2f}; the run was ahead of buy and hold at {ahead:.1%} of the closes. "
        "A rising line gains on it.",
        data=(line(reading.time_ms[kept], ratio[kept], "run ÷ buy and hold", hover="%{y:.3f}"),),
        layout={
            "xaxis": time_axis(),
            "yaxis": axis("ratio"),
            "shapes": [
                {
                    "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": 1, "y1": 1,
                    "line": {"color": "@muted", "width": 1, "dash": "dash"},
                }
            ],
            "showlegend": False,
        },
        height=300,
        width="half",
        note=thinned(len(ratio)),
    )  # fmt: skip


def days_chart(reading: RunReading, own: Float1D, held: Float1D) -> Chart:
    """Each day of the run against the same day of buy and hold."""
    word = reading.day_word
    up, down = reading.metric("up_capture"), reading.metric("down_capture")
    return Chart(
        name="days-against-held",
        title=f"{reading.day_word.capitalize()} returns against buy and hold",
        text=f"On {word}s when buy and hold rose the run made {said(up, 'ratio')} of its mean return, on "
        f"{word}s when it fell {said(down, 'ratio')}. The correlation of bar returns is "
        f"{said(reading.metric('benchmark_correlation'), 'ratio')}.",
        data=(
            points(
                held, own, f"{word}s", colour="@accent/0.5", size=5,
                hover="buy and hold %{x:.2%}, run %{y:.2%}<extra></extra>", showlegend=False,
            ),
        ),
        layout={
            "xaxis": percent_axis("buy and hold"),
            "yaxis": percent_axis("run"),
        },
        height=300,
        width="half",
    )  # fmt: skip
