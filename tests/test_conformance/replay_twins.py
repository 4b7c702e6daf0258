"""Replays that fill too early: what the checks of the replay must catch."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from engine import Decisions, Funding, Panel, ReplayResult, ReplayRules, SymbolRules, replay
from engine.decisions import COLUMNS
from experiments.checks.replay_case import Replay


def same_bar_replay(
    panel: Panel, decisions: Decisions, funding: Funding, rules: ReplayRules, **more: Any
) -> ReplayResult:
    """A decision fills at the open of its own bar."""
    last = {"atr_frac": decisions.atr_frac[-1:], "volatility": None, "order_price": None}

    def earlier(name: str) -> np.ndarray | None:
        column = getattr(decisions, name)
        if column is None:
            return None
        after = last.get(name)
        return np.concatenate((column[1:], np.zeros_like(column[:1]) if after is None else after))

    moved: dict[str, Any] = {name: earlier(name) for name in COLUMNS}
    return replay(panel, Decisions(**moved), funding, rules, **more)


def decision_close_replay(
    panel: Panel,
    decisions: Decisions,
    funding: Funding,
    rules: ReplayRules,
    *,
    fine: Panel | None = None,
    symbol_rules: Mapping[str, SymbolRules] | None = None,
) -> ReplayResult:
    """Orders fill at the close of the bar that decided, a bar before the open."""
    shifted = _opened_at(panel, np.concatenate((panel.open[:1], panel.close[:-1])))
    if fine is not None:
        fine = _with_first_opens(fine, shifted.open, panel.step_ns // fine.step_ns)
        shifted = panel.rebuilt_from(fine)
    return replay(shifted, decisions, funding, rules, fine=fine, symbol_rules=symbol_rules)


def own_close_replay(
    panel: Panel,
    decisions: Decisions,
    funding: Funding,
    rules: ReplayRules,
    *,
    fine: Panel | None = None,
    symbol_rules: Mapping[str, SymbolRules] | None = None,
) -> ReplayResult:
    """Orders fill at the close of the bar at whose open they were due."""
    shifted = replace(panel, open=panel.close)
    if fine is not None:
        fine = _with_first_opens(fine, panel.close, panel.step_ns // fine.step_ns)
        shifted = panel.rebuilt_from(fine)
    return replay(shifted, decisions, funding, rules, fine=fine, symbol_rules=symbol_rules)


def _opened_at(panel: Panel, opens: np.ndarray) -> Panel:
    return replace(
        panel, open=opens, high=np.maximum(panel.high, opens), low=np.minimum(panel.low, opens)
    )


def _with_first_opens(fine: Panel, opens: np.ndarray, count: int) -> Panel:
    """The first existing sub-bar of each bar opens at ``opens``."""
    exists = ~fine.is_gap.reshape(-1, count, len(fine.symbols))
    changed = fine.open.copy()
    bars, columns = np.nonzero(exists.any(axis=1))
    rows = bars * count + exists.argmax(axis=1)[bars, columns]
    changed[rows, columns] = opens[bars, columns]
    return _opened_at(fine, changed)


REPLAY_TWINS: Final[Mapping[str, Replay]] = {
    "same bar": same_bar_replay,
    "decision close": decision_close_replay,
    "own close": own_close_replay,
}
