"""Vacuity: a detector that never fires, or always does, says nothing.

Every signal, reason and head declares the share of hourly bars on which it is expected to fire, as a
range written before the rate was looked at. A rate outside it means that the detector, or what its
author believed of it, is wrong. A rate counts as outside only when the number of rows can tell: when
a binomial count at the nearest end of the range would be as far out less than once in a thousand times.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from indicators import Indicator
from strategies import Head, VoteMatrix

from .report import CheckRow, Severity
from .subjects import Rows

SIGNIFICANCE = 1e-3


@dataclass(slots=True)
class FiringCount:
    """How often every detector fired, and on how many rows it could have."""

    fired: dict[str, int] = field(default_factory=dict)
    possible: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, flags: np.ndarray, possible: np.ndarray | int) -> None:
        """Count the rows of one more market."""
        rows = possible if isinstance(possible, int) else int(np.count_nonzero(possible))
        self.fired[name] = self.fired.get(name, 0) + int(np.count_nonzero(flags))
        self.possible[name] = self.possible.get(name, 0) + rows

    def add_votes(self, votes: VoteMatrix, heads: Sequence[Head]) -> None:
        """Count every head and each of its reasons, on the rows on which it had data."""
        for column, head in enumerate(heads):
            present = votes.coverage[:, column] > 0
            self.add(head.name, votes.direction[:, column][present], present)
            bits = votes.reasons[:, column]
            for bit, reason in enumerate(head.REASONS):
                flags = (bits >> np.uint64(bit)) & np.uint64(1)
                self.add(f"{head.name}:{reason.name}", flags[present], present)

    def add_signals(self, signals: Rows, indicators: Iterable[Indicator]) -> None:
        """Count every signal output, on the rows after its lookback."""
        for indicator in indicators:
            skip = indicator.lookback(indicator.resolved({}))
            for output in indicator.outputs:
                name = f"{indicator.name}.{output.name}"
                if output.kind == "signal" and name in signals:
                    column = signals[name][skip:]
                    self.add(name, column != 0, len(column))


def expected_rates(
    indicators: Iterable[Indicator], heads: Sequence[Head]
) -> Mapping[str, tuple[float, float]]:
    """The declared range of every signal, head and reason."""
    rates: dict[str, tuple[float, float]] = {}
    for indicator in indicators:
        for output in indicator.outputs:
            if output.firing_rate is not None:
                rates[f"{indicator.name}.{output.name}"] = output.firing_rate
    for head in heads:
        rates[head.name] = head.FIRING_RATE
        for reason in head.REASONS:
            rates[f"{head.name}:{reason.name}"] = reason.firing_rate
    return rates


def vacuity_rows(
    count: FiringCount,
    expected: Mapping[str, tuple[float, float]],
    *,
    severity: Severity = "error",
) -> list[CheckRow]:
    """One row for every declared range: the rate found, the rate expected."""
    rows = []
    for name, (low, high) in expected.items():
        possible = count.possible.get(name, 0)
        if not possible:
            rows.append(CheckRow("vacuity", name, False, "no data: it could not fire", "warning"))
            continue
        fired = count.fired[name]
        if fired == 0 and low == 0.0:
            text = f"never fires on {possible} rows; its range allows that, so it proves nothing"
            rows.append(CheckRow("vacuity", name, False, text, "warning"))
            continue
        inside = low <= fired / possible <= high
        text = (
            f"fires on {100 * fired / possible:.3g} % of {possible} rows, expected {100 * low:g} to "
            f"{100 * high:g} %"
        )
        if not inside and not _is_significant(fired, possible, low, high):
            inside, text = True, f"{text}: too few rows to tell"
        rows.append(CheckRow("vacuity", name, inside, text, severity))
    return rows


def _is_significant(fired: int, possible: int, low: float, high: float) -> bool:
    if fired < low * possible:
        return float(stats.binom.cdf(fired, possible, low)) < SIGNIFICANCE
    return float(stats.binom.sf(fired - 1, possible, high)) < SIGNIFICANCE
