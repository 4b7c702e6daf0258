"""Replays to check: random decisions on null markets, with whatever the rules need."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import (
    PRICE_COLUMNS,
    Bars,
    Decisions,
    Funding,
    MarkPrices,
    Panel,
    ReplayRules,
    SymbolRules,
)
from experiments.checks.markets import null_market
from experiments.checks.replay_case import ReplayCase

MINUTES = 60
DECIDED = 0.08
"""Share of the rows that decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a case has beyond prices, decisions and funding."""

    orders: bool = False
    fine: bool = False
    marks: bool = False
    symbol_rules: bool = False
    gaps: bool = False


def random_replay_case(
    rows: int, seed: int, rules: ReplayRules, features: Features | None = None
) -> ReplayCase:
    """Two symbols with random decisions, and opens that differ from the closes before them."""
    features = features or Features()
    generator = np.random.default_rng([seed, 2])
    panel = Panel.from_bars(
        {
            symbol: _bars(symbol, rows, seed + number, generator, features)
            for number, symbol in enumerate(("FIRST", "SECOND"))
        }
    )
    fine = None
    if features.fine:
        fine = _minutes(panel, generator)
        panel = panel.rebuilt_from(fine)
    if features.marks:
        panel, fine = _marked(panel, fine, generator)
    stamps = np.arange(panel.open_time[0], panel.close_time[-1], 8 * panel.step_ns, dtype=np.int64)
    funding = Funding(
        time_ns=np.repeat(stamps, 2),
        symbol_index=np.tile(np.array([0, 1], dtype=np.int64), len(stamps)),
        rate=1e-4 + 1e-4 * generator.standard_normal(2 * len(stamps)),
        mark_price=np.zeros(2 * len(stamps)),
    )
    venue = SymbolRules(tick_size=0.01, lot_step=0.001, min_notional=5.0, sector="one")
    return ReplayCase(
        panel=panel,
        decisions=_decisions(panel, generator, features),
        funding=funding,
        rules=rules,
        fine=fine,
        symbol_rules=dict.fromkeys(panel.symbols, venue) if features.symbol_rules else {},
    )


def _bars(
    symbol: str, rows: int, seed: int, generator: np.random.Generator, features: Features
) -> Bars:
    made = null_market(rows, seed).bars
    share = generator.random(rows)
    bars = replace(made, symbol=symbol, open=made.low + share * (made.high - made.low))
    if not features.gaps:
        return bars
    is_gap = generator.random(rows) < 0.03
    is_gap[0] = False
    carried = bars.close[np.maximum.accumulate(np.where(is_gap, 0, np.arange(rows)))]
    columns: dict[str, Any] = {
        name: np.where(is_gap, carried, getattr(bars, name)) for name in PRICE_COLUMNS
    }
    return Bars(
        symbol=symbol,
        timeframe=bars.timeframe,
        open_time=bars.open_time,
        volume=np.where(is_gap, 0.0, bars.volume),
        is_gap=is_gap,
        **columns,
    )


def _decisions(panel: Panel, generator: np.random.Generator, features: Features) -> Decisions:
    shape = panel.open.shape
    target = generator.choice([-1.0, -0.5, 0.0, 0.5, 1.0], size=shape)
    acts = generator.random(shape) < DECIDED
    atr_frac = 0.01 * np.exp(0.3 * generator.standard_normal(shape))
    if not features.orders:
        return Decisions(target=target, acts=acts, atr_frac=atr_frac)
    reach = 1.0 + 0.01 * generator.standard_normal(shape)
    return Decisions(
        target=target,
        acts=acts,
        atr_frac=atr_frac,
        style=generator.choice(np.array([0, 0, 1, 2, 3], dtype=np.int8), size=shape),
        order_kind=generator.choice(np.array([0, 1, 2], dtype=np.int8), size=shape),
        order_price=panel.close * reach,
        volatility=0.5 * np.exp(0.3 * generator.standard_normal(shape)),
    )


def _minutes(panel: Panel, generator: np.random.Generator) -> Panel:
    """Walks from open to close inside every bar, now and then with a missing minute or a missing hour."""
    bars, symbols = panel.open.shape
    steps = 0.0015 * generator.standard_normal((bars, MINUTES, symbols))
    walk = np.cumsum(steps, axis=1)
    share = (np.arange(1, MINUTES + 1) / MINUTES)[None, :, None]
    drift = np.log(panel.close / panel.open)[:, None, :]
    close = panel.open[:, None, :] * np.exp(walk - share * walk[:, -1:, :] + share * drift)
    open_ = np.concatenate((panel.open[:, None, :], close[:, :-1]), axis=1)
    reach = 1.0 + 0.0005 * generator.exponential(size=(2, bars, MINUTES, symbols))
    is_gap = generator.random((bars, MINUTES, symbols)) < 0.02
    is_gap |= (generator.random((bars, symbols)) < 0.03)[:, None, :]
    is_gap |= panel.is_gap[:, None, :]
    made = {
        "open": open_,
        "high": np.maximum(open_, close) * reach[0],
        "low": np.minimum(open_, close) / reach[1],
        "close": close,
    }
    shape = (bars * MINUTES, symbols)
    prices: dict[str, Any] = {name: column.reshape(shape) for name, column in made.items()}
    step = panel.step_ns // MINUTES
    return Panel(
        symbols=panel.symbols,
        timeframe="1m",
        open_time=panel.open_time[0] + step * np.arange(shape[0], dtype=np.int64),
        listed=np.repeat(panel.listed, MINUTES, axis=0),
        is_gap=is_gap.reshape(shape),
        volume=np.ones(shape),
        **prices,
    )


def _marked(
    panel: Panel, fine: Panel | None, generator: np.random.Generator
) -> tuple[Panel, Panel | None]:
    """Mark prices that lean away from the traded ones, on both grids."""
    lean = np.exp(0.002 * generator.standard_normal(panel.open.shape))

    def of(prices: Panel, factor: np.ndarray) -> MarkPrices:
        return MarkPrices(**{name: getattr(prices, name) * factor for name in PRICE_COLUMNS})

    panel = replace(panel, mark=of(panel, lean))
    if fine is None:
        return panel, None
    count = panel.step_ns // fine.step_ns
    fine = replace(fine, mark=of(fine, np.repeat(lean, count, axis=0)))
    return panel.rebuilt_from(fine), fine
