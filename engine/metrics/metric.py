"""One row of the table of metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from .evaluation import Evaluation

GROUPS: Final = (
    "returns",
    "distribution",
    "periods",
    "drawdowns",
    "benchmark",
    "exposure",
    "costs",
    "trades",
    "events",
)
EQUITY_GROUPS: Final = GROUPS[:4]
"""Groups whose metrics need nothing but equity, so that they mean as much for buy and hold."""

Unit = Literal[
    "fraction",
    "ratio",
    "count",
    "bars",
    "days",
    "per day",
    "per year",
    "bps",
    "R",
    "unix seconds",
    "flag",
    "settlement currency",
    "settlement currency paid",
    "settlement currency received",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, how, and how it stands to the libraries that measure it too.

    ``text`` is the definition in a line; ``agrees_with`` names the libraries whose number it is
    (test_metrics_peers compares them), ``peers`` says what they do otherwise.
    """

    name: str
    group: str
    unit: Unit
    text: str
    compute: Callable[["Evaluation"], float]
    agrees_with: tuple[str, ...] = ()
    peers: str = ""
