"""Small pictures as SVG: the equity of a run in its row, and the scores of a sweep as they come in."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D

from ..pages.sampling import extreme_rows
from .sweep_watch import SweepCurve

SPARK_WIDTH: Final = 120
SPARK_HEIGHT: Final = 28
SPARK_BUCKETS: Final = 60
CURVE_WIDTH: Final = 1000
CURVE_HEIGHT: Final = 300
CURVE_BUCKETS: Final = 500
HIDDEN_SHARE: Final = 0.05
"""So large a share of the worst scores may lie below the picture."""
_SPARK_STYLE: Final = (
    "path{fill:none;stroke:#1f5fbf;stroke-width:1.4;stroke-linejoin:round}"
    "line{stroke:#cbd5e1;stroke-dasharray:2 3}"
    "@media (prefers-color-scheme:dark){path{stroke:#7fb2ff}line{stroke:#3a475a}}"
)


@dataclass(frozen=True, slots=True)
class ScorePicture:
    """Paths in a box of ``CURVE_WIDTH`` by ``CURVE_HEIGHT``, and what its edges mean.

    ``points`` are the trials, ``best`` the best score up to each; ``low`` and ``high`` are the scores at
    the bottom and the top, ``hidden`` trials lie beyond the edge on the worse side, ``left_out`` were not
    drawn because others lie so close.
    """

    points: str
    best: str
    low: float
    high: float
    hidden: int
    left_out: int


def spark_svg(equity: Float1D, start: float) -> str:
    """``equity`` as a line in a small picture, ``start`` as a dashed one."""
    rows = extreme_rows(equity, SPARK_BUCKETS)
    values = equity[rows]
    low, high = min(float(values.min()), start), max(float(values.max()), start)
    span = high - low or 1.0
    bottom = SPARK_HEIGHT - 2
    x = 1 + rows / max(len(equity) - 1, 1) * (SPARK_WIDTH - 2)
    y = bottom - (values - low) / span * (SPARK_HEIGHT - 4)
    level = bottom - (start - low) / span * (SPARK_HEIGHT - 4)
    path = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    drawn = path if len(rows) > 1 else f"{path}h{SPARK_WIDTH - 2}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SPARK_WIDTH}" height="{SPARK_HEIGHT}" '
        f'viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}"><style>{_SPARK_STYLE}</style>'
        f'<line x1="0" x2="{SPARK_WIDTH}" y1="{level:.1f}" y2="{level:.1f}"/><path d="M{drawn}"/></svg>'
    )


def score_picture(curve: SweepCurve, planned: int, *, is_rising: bool) -> ScorePicture | None:
    """The scores of a sweep over the trials that are planned; None where there is no score yet.

    ``is_rising`` says that more is better.
    """
    score = curve.score
    if not len(score):
        return None
    low, high = float(score.min()), float(score.max())
    if is_rising:
        low = float(np.quantile(score, HIDDEN_SHARE, method="lower"))
    else:
        high = float(np.quantile(score, 1 - HIDDEN_SHARE, method="higher"))
    hidden = (score < low) | (score > high)
    span = high - low or 1.0

    def placed(trial: np.ndarray, value: Float1D) -> tuple[list[float], list[float]]:
        x = (trial + 0.5) / max(planned, 1) * CURVE_WIDTH
        y = CURVE_HEIGHT - np.clip((value - low) / span, 0.0, 1.0) * CURVE_HEIGHT
        return x.tolist(), y.tolist()

    shown = np.flatnonzero(~hidden)
    thinned = shown[extreme_rows(score[shown], CURVE_BUCKETS)] if len(shown) else shown
    x, y = placed(curve.trial[thinned], score[thinned])
    points = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x, y, strict=True))
    steps = np.flatnonzero(np.diff(curve.best, prepend=np.nan) != 0)
    x, y = placed(curve.trial[steps], curve.best[steps])
    ends = [*x[1:], (float(curve.trial[-1]) + 0.5) / max(planned, 1) * CURVE_WIDTH]
    best = "".join(
        f"{'L' if at else 'M'}{a:.1f} {b:.1f}L{end:.1f} {b:.1f}"
        for at, (a, b, end) in enumerate(zip(x, y, ends, strict=True))
    )
    return ScorePicture(points, best, low, high, int(hidden.sum()), len(shown) - len(thinned))
