"""What trading cost: from before costs to the net result, over time, and had it cost otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import Float1D, Int1D

PAID: Final = ("spread", "impact", "fees")
"""Costs of trading, positive where they were paid."""
RECEIVED: Final = ("funding", "borrow", "shortfall")
"""Payments, positive where they were received."""
SELDOM: Final = ("impact", "borrow", "shortfall")
"""Kinds that are left out where they are 0."""
MULTIPLES: Final = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostStep:
    """What one kind added to the result, negative where it took; first before costs, last net."""

    name: str
    amount: float


def cost_steps(metrics: Mapping[str, Any], initial_cash: float) -> tuple[CostStep, ...]:
    """From the profit before costs to the net profit, from the metrics of a run; the sums agree."""
    moved = {name: 0.0 - float(metrics[name]) for name in PAID}
    moved |= {name: float(metrics[name]) for name in RECEIVED}
    return (
        CostStep(name="before costs", amount=float(metrics["return_before_costs"]) * initial_cash),
        *(
            CostStep(name=name, amount=amount)
            for name, amount in moved.items()
            if amount != 0.0 or name not in SELDOM
        ),
        CostStep(name="net", amount=float(metrics["total_return"]) * initial_cash),
    )


def running_totals(bars: int, bar: Int1D, columns: Mapping[str, Float1D]) -> dict[str, Float1D]:
    """What had been added up at each close, ``(bars,)`` by name, from amounts at rows ``bar`` ``(N,)``."""
    return {
        name: np.cumsum(np.bincount(bar, weights=amounts, minlength=bars)[:bars])
        for name, amounts in columns.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCase:
    """The total return had trading cost ``multiple`` times as much, with the same fills."""

    multiple: float
    total_return: float


def cost_cases(
    metrics: Mapping[str, Any], initial_cash: float, multiples: Sequence[float] = MULTIPLES
) -> tuple[CostCase, ...]:
    """Total return with fees, spread and impact times each multiple; sizes and fills stay as they were.

    More than everything cannot be lost.
    """
    cost = sum(float(metrics[name]) for name in PAID) / initial_cash
    return tuple(
        CostCase(
            multiple=multiple,
            total_return=max(float(metrics["total_return"]) - (multiple - 1.0) * cost, -1.0),
        )
        for multiple in multiples
    )
