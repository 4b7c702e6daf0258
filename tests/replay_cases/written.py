"""Cases that are written by hand: a few bars, a few decisions, no costs unless given."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import (
    ORDER_KINDS,
    STYLES,
    Costs,
    Decisions,
    Exits,
    Funding,
    Limits,
    Margin,
    MarginTier,
    MarkPrices,
    Panel,
    ReplayRules,
    Sizing,
    SymbolRules,
    timeframe_ns,
)
from tests.generators import START_NS

from .case import ReplayCase

Bar = float | tuple[float, float, float, float] | None
"""A bar of one price, or of open, high, low and close; None is a missing bar at the last close."""


@dataclass(frozen=True)
class Row:
    """One decision."""

    target: float
    style: str = "target"
    kind: str = "market"
    price: float = np.nan
    volatility: float = 1.0
    atr_frac: float = 0.1


def facts(rows: Iterable[Any], *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of a ledger, row by row."""
    return [tuple(getattr(row, name) for name in columns) for row in rows]


NO_COSTS = Costs(taker_fee_bps=0.0, maker_fee_bps=0.0, slippage_bps=0.0)
AMPLE_MARGIN = Margin(
    tiers=(MarginTier(notional_to=math.inf, maintenance=1e-12, max_leverage=125.0),),
    liquidation_fee_bps=0.0,
)
"""Liquidates where the cash is gone and not before."""


def written_panel(
    bars: Mapping[str, Sequence[Bar]],
    *,
    timeframe: str = "1h",
    volume: float | Sequence[float] = 1000.0,
    unlisted: Mapping[str, Sequence[int]] | None = None,
    mark: Mapping[str, Sequence[Bar]] | None = None,
) -> Panel:
    """A panel of written bars; ``unlisted`` names the bars in which a symbol does not exist."""
    columns = _table(bars)
    count = len(columns["open"])
    is_gap = np.array([[bar is None for bar in rows] for rows in bars.values()]).T.copy()
    listed = np.ones((count, len(bars)), dtype=np.bool_)
    for name, rows in (unlisted or {}).items():
        listed[list(rows), list(bars).index(name)] = False
    volumes = np.broadcast_to(np.reshape(volume, (-1, 1)), is_gap.shape) * ~is_gap
    return Panel(
        symbols=tuple(bars),
        timeframe=timeframe,
        open_time=START_NS + timeframe_ns(timeframe) * np.arange(count),
        listed=listed,
        is_gap=is_gap & listed,
        volume=volumes.astype(np.float64),
        mark=None if mark is None else MarkPrices(**_table(mark)),
        **columns,
    )


def _table(bars: Mapping[str, Sequence[Bar]]) -> dict[str, Any]:
    cells = []
    for rows in bars.values():
        last, column = 1.0, []
        for bar in rows:
            prices = (last,) * 4 if bar is None else bar if isinstance(bar, tuple) else (bar,) * 4
            column.append(prices)
            last = prices[3]
        cells.append(column)
    table = np.array(cells, dtype=np.float64)
    names = ("open", "high", "low", "close")
    return {name: table[:, :, k].T.copy() for k, name in enumerate(names)}


def written_case(
    panel: Panel | Mapping[str, Sequence[Bar]],
    rows: Mapping[str, Mapping[int, float | Row]],
    *,
    funding: Sequence[tuple[float, str, float, float]] = (),
    cash: float = 1000.0,
    costs: Costs = NO_COSTS,
    exits: Exits | None = None,
    sizing: Sizing | None = None,
    limits: Limits | None = None,
    margin: Margin | None = None,
    fine: Panel | None = None,
    symbol_rules: Mapping[str, SymbolRules] | None = None,
) -> ReplayCase:
    """Decisions by symbol and bar; settlements as (time in bars, symbol, rate, mark price or 0).

    Without rules: cash 1000, every full target is worth it once, no stops, a gross limit of 4, an
    ample margin.
    """
    market = panel if isinstance(panel, Panel) else written_panel(panel)
    return ReplayCase(
        panel=market,
        decisions=_decisions(market, rows),
        funding=_funding(market, funding),
        rules=ReplayRules(
            initial_cash=cash,
            costs=costs,
            exits=exits or Exits(stop_atr=None),
            sizing=sizing or Sizing(position_fraction=1.0),
            limits=limits or Limits(max_gross=4.0),
            margin=margin or AMPLE_MARGIN,
        ),
        fine=fine,
        symbol_rules=symbol_rules or {},
    )


def _decisions(panel: Panel, rows: Mapping[str, Mapping[int, float | Row]]) -> Decisions:
    shape = panel.open.shape
    target, acts, atr_frac = np.zeros(shape), np.zeros(shape, dtype=np.bool_), np.full(shape, 0.1)
    style, kind = np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=np.int8)
    price, volatility = np.full(shape, np.nan), np.ones(shape)
    for name, by_bar in rows.items():
        for t, given in by_bar.items():
            row = given if isinstance(given, Row) else Row(given)
            cell = t, panel.symbols.index(name)
            target[cell], acts[cell], atr_frac[cell] = row.target, True, row.atr_frac
            style[cell], kind[cell] = STYLES.index(row.style), ORDER_KINDS.index(row.kind)
            price[cell], volatility[cell] = row.price, row.volatility
    return Decisions(
        target=target,
        acts=acts,
        atr_frac=atr_frac,
        style=style,
        order_kind=kind,
        order_price=price,
        volatility=volatility,
    )


def _funding(panel: Panel, events: Sequence[tuple[float, str, float, float]]) -> Funding:
    start, step = int(panel.open_time[0]), panel.step_ns
    return Funding(
        time_ns=np.array([start + round(at * step) for at, *_ in events], dtype=np.int64),
        symbol_index=np.array(
            [panel.symbols.index(name) for _, name, *_ in events], dtype=np.int64
        ),
        rate=np.array([rate for *_, rate, _ in events], dtype=np.float64),
        mark_price=np.array([mark for *_, mark in events], dtype=np.float64),
    )
