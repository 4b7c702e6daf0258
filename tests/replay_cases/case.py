"""One replay's inputs, and how a generator of them makes its choices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

from engine import Decisions, Funding, Panel, ReplayResult, ReplayRules, SymbolRules, replay
from tests.oracles.replay import OracleResult, all_disagreements, replay_oracle

Option = TypeVar("Option")


@dataclass(frozen=True)
class ReplayCase:
    """Everything that one replay needs."""

    panel: Panel
    decisions: Decisions
    funding: Funding
    rules: ReplayRules
    fine: Panel | None = None
    symbol_rules: Mapping[str, SymbolRules] = field(default_factory=dict)


def replay_of(case: ReplayCase) -> ReplayResult:
    """What the engine makes of ``case``."""
    return replay(
        case.panel, case.decisions, case.funding, case.rules,
        fine=case.fine, symbol_rules=case.symbol_rules,
    )  # fmt: skip


def oracle_of(case: ReplayCase) -> OracleResult:
    """What the oracle makes of ``case``."""
    return replay_oracle(
        case.panel, case.decisions, case.funding, case.rules,
        fine=case.fine, symbol_rules=case.symbol_rules,
    )  # fmt: skip


def agreed(case: ReplayCase) -> OracleResult:
    """Assert that replay and oracle agree on ``case`` in everything; the oracle's result."""
    expected = oracle_of(case)
    told = all_disagreements(expected, replay_of(case), case.panel)
    assert told == [], "\n".join(told)
    return expected


class Chooser(Protocol):
    """Where a case takes its choices from."""

    def pick(self, options: Sequence[Option]) -> Option:
        """One of ``options``; the first is the simplest."""
        ...

    def seed(self) -> int:
        """A seed for the arrays."""
        ...


class SeededChooser:
    """Choices from a seed, for cases that stay the same."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def pick(self, options: Sequence[Option]) -> Option:
        """One of ``options``."""
        return options[int(self._generator.integers(len(options)))]

    def seed(self) -> int:
        """A seed for the arrays."""
        return int(self._generator.integers(10**9))


class DrawnChooser:
    """Choices drawn by Hypothesis, which makes a failing case simpler."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def pick(self, options: Sequence[Option]) -> Option:
        """One of ``options``."""
        return self._draw(st.sampled_from(list(options)))

    def seed(self) -> int:
        """A seed for the arrays."""
        return self._draw(st.integers(0, 10**9))
