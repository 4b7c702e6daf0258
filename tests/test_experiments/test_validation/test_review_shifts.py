"""The share of shifts that are as good: ties count against the truth, shifts stay away from it."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from experiments.splits.ranges import BarRange
from experiments.sweeps.evaluate import Evaluated, Evaluator, View
from experiments.sweeps.trial_metrics import DIRECTIONS
from experiments.validation.shifts import shift_test
from experiments.validation.trials import section_of_a_run

BARS, HOUR_NS = 1000, 3_600_000_000_000


def evaluated(sharpe: float) -> Evaluated:
    metrics = {name: np.zeros(1) for name in DIRECTIONS} | {"sharpe": np.array([sharpe])}
    return Evaluated(metrics=metrics, sums=np.zeros((1, 2, 5)), errors=(None,))


class Stub:
    """An evaluator whose only trial earns the same whatever its votes, and remembers the shifts."""

    def __init__(self, under_a_shift: float) -> None:
        self.whole = View(BarRange(0, BARS))
        self.data = SimpleNamespace(panel=SimpleNamespace(step_ns=HOUR_NS, timeframe="1h"))
        self.lengths = (BARS,)
        self.under_a_shift, self.seen = under_a_shift, list[int]()

    def __call__(self, _values: Any, view: View) -> Evaluated:
        self.seen.append(view.shift_bars)
        return evaluated(self.under_a_shift)


@pytest.mark.parametrize(
    ("under_a_shift", "p_value"), [(1.0, 1.0), (0.9, 1 / 40), (1.1, 1.0), (float("nan"), 1 / 40)]
)
def test_a_tie_counts_against_the_truth(under_a_shift: float, p_value: float) -> None:
    stub = Stub(under_a_shift)
    found = shift_test(
        section_of_a_run(),
        cast(Evaluator, stub),
        [{}],
        evaluated(1.0),
        shifts=39,
        least_days=10,
        seed=2,
    )
    assert found.p_value == p_value
    assert len(stub.seen) == 39
    assert min(stub.seen) >= 240
    assert max(stub.seen) <= BARS - 240
