"""Every judged kind of event of one sample at one horizon: mean and joint interval, as an SVG file."""

from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from .evidence import Evidence

WIDTH: Final = 1000
LEFT: Final = 430
RIGHT: Final = 980
LINE: Final = 15
TOP: Final = 46
_STYLE: Final = """
.paper{fill:#fff}.ink{fill:#1f2937}.muted{fill:#64748b}.grid{stroke:#e2e8f0}.zero{stroke:#64748b}
.joint{stroke:#94a3b8;stroke-width:2}.own{stroke:#1d4ed8;stroke-width:4}.mean{fill:#0f172a}
.out{stroke:#c2410c;stroke-width:2}
text{font:11px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.paper{fill:#0f1623}.ink{fill:#e5e7eb}.muted{fill:#94a3b8}
.grid{stroke:#273244}.zero{stroke:#94a3b8}.joint{stroke:#64748b}.own{stroke:#7aa7f7}.mean{fill:#fff}
.out{stroke:#f2713a}}
"""


def forest(evidence: Evidence, sample: str, hours: int) -> str:
    """The SVG: thin line the joint interval, thick line that of the group by itself, dot the mean.

    A joint interval that excludes 0 has another colour and a star behind its name.
    """
    chosen = [
        position
        for position, group in enumerate(evidence.groups)
        if group.sample == sample and group.hours == hours
    ]
    means = evidence.means
    low, high = float(np.min(means.low[chosen])), float(np.max(means.high[chosen]))
    # The rarest kinds have intervals that would press all others together.
    half = float(np.quantile(np.abs(np.concatenate((means.low[chosen], means.high[chosen]))), 0.9))
    low, high = max(low, -half), min(high, half)
    found = set(evidence.found())
    height = TOP + LINE * len(chosen) + 30

    def x_of(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (min(max(value, low), high) - low) / (high - low)

    title = f"{sample}: return {hours} h after each kind of event, against like volatility, bps"
    body = [
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        f'<text class="ink" x="10" y="20" font-weight="600">{escape(title)}</text>',
        '<text class="muted" x="10" y="36">thin: joint 95 % interval, cut at the edge; thick: each by '
        "itself; * the joint one excludes 0</text>",
        f'<line class="zero" x1="{x_of(0):.1f}" x2="{x_of(0):.1f}" y1="{TOP}" y2="{height - 24}"/>',
    ]
    for value in _ticks(low, high):
        body.append(
            f'<line class="grid" x1="{x_of(value):.1f}" x2="{x_of(value):.1f}" y1="{TOP}" '
            f'y2="{height - 24}"/><text class="muted" x="{x_of(value):.1f}" y="{height - 8}" '
            f'text-anchor="middle">{_tick_text(value)}</text>'
        )
    for line, position in enumerate(chosen):
        y = TOP + LINE * line + LINE / 2
        outside = position in found
        group = evidence.groups[position]
        label = f"{group.kind}{' *' if outside else ''}"
        body.append(
            f'<text class="ink" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
            f'<line class="{"out" if outside else "joint"}" x1="{x_of(means.low[position]):.1f}" '
            f'x2="{x_of(means.high[position]):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<line class="own" x1="{x_of(means.own_low[position]):.1f}" '
            f'x2="{x_of(means.own_high[position]):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<circle class="mean" cx="{x_of(means.mean[position]):.1f}" cy="{y:.1f}" r="2.5"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>{"".join(body)}</svg>\n'
    )


def _ticks(low: float, high: float) -> list[float]:
    span = high - low
    step = 10.0 ** np.floor(np.log10(span))
    while span / step < 4:
        step /= 2.0
    return [float(step * k) for k in range(int(np.ceil(low / step)), int(high / step) + 1)]


def _tick_text(value: float) -> str:
    return f"{value:+g}" if value else "0"
