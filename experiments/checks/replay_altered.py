"""The same replay with another future: other decisions or prices from a bar on."""

from dataclasses import replace
from typing import Any

import numpy as np

from engine import PRICE_COLUMNS, MarkPrices, Panel

from .replay_case import ReplayCase


def with_other_decisions(case: ReplayCase, first: int, seed: int) -> ReplayCase:
    """The same decisions before row ``first``; from it on every row acts, on something else."""
    decisions = case.decisions
    generator = np.random.default_rng(seed)
    changed: dict[str, Any] = {
        name: column.copy()
        for name in ("target", "acts", "atr_frac", "style", "order_kind", "volatility")
        if (column := getattr(decisions, name)) is not None
    }
    later = changed["target"][first:]
    wanted = generator.choice([-1.0, -0.25, 0.75], size=later.shape)
    others = {"acts": True, "atr_frac": 0.02, "style": 0, "order_kind": 0, "volatility": 0.5}
    later[:] = np.where(wanted == later, -wanted, wanted)
    for name, value in others.items():
        if name in changed:
            changed[name][first:] = value
    return replace(case, decisions=replace(decisions, **changed))


def with_other_prices(
    case: ReplayCase, first: int, seed: int, *, keep_open: bool = False
) -> ReplayCase:
    """The same prices before bar ``first``; from it on others, its own first open kept on request."""
    generator = np.random.default_rng(seed)
    shape = (len(case.panel) - first, len(case.panel.symbols))
    factor = np.exp(0.1 * generator.standard_normal(shape))
    panel = _scaled(case.panel, first, factor, keep_open=keep_open)
    if case.fine is None:
        return replace(case, panel=panel)
    count = case.panel.step_ns // case.fine.step_ns
    fine = _scaled(
        case.fine, first * count, np.repeat(factor, count, axis=0), keep_open=keep_open, count=count
    )
    return replace(case, panel=panel.rebuilt_from(fine), fine=fine)


def _scaled(
    panel: Panel, first: int, factor: np.ndarray, *, keep_open: bool, count: int = 1
) -> Panel:
    """Prices times ``factor`` from row ``first`` on; ``keep_open`` restores the first existing open
    among the ``count`` rows there, and reaches further on both sides."""
    prices = _scaled_prices(panel, panel, first, factor, keep_open=keep_open, count=count)
    mark = panel.mark
    if mark is not None:
        mark = MarkPrices(
            **_scaled_prices(panel, mark, first, factor, keep_open=keep_open, count=count)
        )
    return replace(panel, mark=mark, **prices)


def _scaled_prices(
    panel: Panel,
    prices: Panel | MarkPrices,
    first: int,
    factor: np.ndarray,
    *,
    keep_open: bool,
    count: int,
) -> dict[str, Any]:
    changed = {name: getattr(prices, name).copy() for name in PRICE_COLUMNS}
    for column in changed.values():
        column[first:] *= factor
    if keep_open:
        exists = ~panel.is_gap[first : first + count]
        rows = first + exists.argmax(axis=0)
        columns = np.arange(len(panel.symbols))
        opens = prices.open[rows, columns]
        changed["open"][rows, columns] = opens
        high, low = changed["high"], changed["low"]
        high[rows, columns] = np.maximum(high[rows, columns], opens) * 1.2
        low[rows, columns] = np.minimum(low[rows, columns], opens) / 1.2
    return changed
