"""What the limits, the margin and the resolution of the bars did to the decisions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..ledger import LIMITS, ORDER_STATUSES, REASONS
from .metric import Metric

if TYPE_CHECKING:
    from .evaluation import Evaluation

_FILLED: Final = ORDER_STATUSES.index("filled")
_REJECTED: Final = ORDER_STATUSES.index("rejected")
_LIQUIDATION: Final = REASONS.index("liquidation")


def _rejected_by(limit: int) -> Callable[["Evaluation"], float]:
    def compute(run: "Evaluation") -> float:
        orders = run.result.orders
        return float(((orders["status"] == _REJECTED) & (orders["limit"] == limit)).sum())

    return compute


METRICS: Final = (
    Metric("orders", "events", "count", "orders placed", lambda run: float(len(run.result.orders))),
    Metric(
        "orders_filled", "events", "count", "that ended filled",
        lambda run: float((run.result.orders["status"] == _FILLED).sum()),
    ),
    Metric(
        "orders_rejected", "events", "count", "that a limit left nothing of",
        lambda run: float((run.result.orders["status"] == _REJECTED).sum()),
    ),
    *(
        Metric(
            f"orders_rejected_by_{limit}", "events", "count", f"because of the limit {limit}",
            _rejected_by(code),
        )
        for code, limit in enumerate(LIMITS) if limit != "none"
    ),
    Metric(
        "orders_cut", "events", "count", "that a limit made smaller and did not reject",
        lambda run: float(
            (
                (run.result.orders["status"] != _REJECTED)
                & (run.result.orders["limit"] != LIMITS.index("none"))
            ).sum()
        ),
    ),
    Metric(
        "ambiguous_exits", "events", "count",
        "exits whose bar reached stop and target alike; the worse is booked",
        lambda run: float(run.result.ambiguous_exits),
    ),
    Metric(
        "unresolved_bars", "events", "count",
        "tradable bars of a symbol for which finer bars were given and have none",
        lambda run: float(run.result.unresolved_bars),
    ),
    Metric(
        "liquidations", "events", "count", "positions closed by the venue",
        lambda run: float((run.result.fills["reason"] == _LIQUIDATION).sum()),
    ),
    Metric(
        "ruined", "events", "flag", "whether equity ever reached zero (in JSON 1, else 0)",
        lambda run: float(run.result.ruined_bar >= 0),
    ),
)  # fmt: skip
