"""A whole market with its bars in another order: what signals read and what orders fill on, together.

Bars of all symbols change places by one order of rows, so that what happened in one bar stays together:
across symbols, and between the bars of the signals and those that are traded. Volumes, taker volumes,
mark prices and finer bars come with their bar. Slow series and funding rates stay where they are in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import PRICE_COLUMNS, Bars, Bool2D, Float2D, Int1D, MarkPrices, Panel

from ..market_data import MarketData
from ..statistics.permutation import RowOrder, moved_flows, reordered, row_order


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """All bars of a market on one grid, ``(T, C)``, and the same bars in another order."""

    grid: Panel
    exists: Bool2D
    order: RowOrder
    prices: Mapping[str, Float2D]

    def bars(self, name: str, own: Bars) -> Bars:
        """The bars ``own`` of the column ``name`` in the other order, on their own span."""
        column = self.grid.symbols.index(name)
        first = int((own.open_time[0] - self.grid.open_time[0]) // own.step_ns)
        span = slice(first, first + len(own))
        columns: dict[str, Any] = {
            price: np.ascontiguousarray(table[span, column]) for price, table in self.prices.items()
        }
        at = np.arange(len(own), dtype=np.int64)
        rows = np.where(self.exists[span, column], self.order.body_rows[span] - first, at)
        columns |= moved_flows(own, rows, columns["open"] / own.open[rows])
        return replace(own, **columns)


def permuted_data(
    data: MarketData, seed: int | np.random.SeedSequence, *, block_bars: int = 1
) -> MarketData:
    """``data`` with its bars in another order; bodies and gaps as in ``statistics.permutation.permuted``.

    Rows change places when the same symbols have the same kinds of bars on them: gaps, listings and the
    first bar of each symbol stay. A finer bar keeps its place inside its bar and its ratio to that bar's
    open, and so do mark prices. Settlements of funding are priced at the open of their bar, since a
    mark price that is stated for them belongs to another path. Raises ConfigError when ``block_bars`` is
    out of range.
    """
    columns = {f"signals {symbol}": market.bars for symbol, market in data.markets.items()}
    columns |= {f"traded {symbol}": priced.bars for symbol, priced in data.prices.items()}
    grid = Panel.from_bars(columns)
    exists = grid.listed & ~grid.is_gap
    order = row_order(exists, seed, block_bars=block_bars)
    joint = _Joint(grid, exists, order, reordered(grid, order, exists))
    markets = {
        symbol: replace(market, bars=joint.bars(f"signals {symbol}", market.bars))
        for symbol, market in data.markets.items()
    }
    prices = {
        symbol: replace(priced, bars=joint.bars(f"traded {symbol}", priced.bars))
        for symbol, priced in data.prices.items()
    }
    panel, fine = _panels(data, joint, prices={name: one.bars for name, one in prices.items()})
    return replace(
        data,
        markets=markets,
        prices=prices,
        panel=panel,
        fine=fine,
        funding=replace(data.funding, mark_price=np.zeros_like(data.funding.mark_price)),
    )


def _panels(
    data: MarketData, joint: _Joint, *, prices: Mapping[str, Bars]
) -> tuple[Panel, Panel | None]:
    panel = Panel.from_bars(prices)
    first = int((panel.open_time[0] - joint.grid.open_time[0]) // panel.step_ns)
    rows = joint.order.body_rows[first : first + len(panel)] - first
    exists = data.panel.listed & ~data.panel.is_gap
    # A row without any traded bar may lie beyond the panel in the other order; nothing comes with it.
    rows = np.where(exists.any(axis=1), rows, np.arange(len(panel)))
    ratio = panel.open / data.panel.open[rows]
    if data.panel.mark is not None:
        panel = replace(panel, mark=_moved_marks(data.panel.mark, rows, ratio))
    if data.fine is None:
        return panel, None
    fine = _moved_fine(data.fine, panel, exists, rows, ratio)
    return panel.rebuilt_from(fine), fine


def _moved_marks(marks: MarkPrices, rows: Int1D, ratio: Float2D) -> MarkPrices:
    return MarkPrices(**{name: getattr(marks, name)[rows] * ratio for name in PRICE_COLUMNS})


def _moved_fine(fine: Panel, panel: Panel, exists: Bool2D, rows: Int1D, ratio: Float2D) -> Panel:
    """The finer bars that come with the bars of ``rows``; where there is no bar, its price is carried."""
    count = panel.step_ns // fine.step_ns
    fine_rows = (rows[:, None] * count + np.arange(count)).reshape(-1)
    has_bar, scale = np.repeat(exists, count, axis=0), np.repeat(ratio, count, axis=0)
    carried = np.repeat(panel.close, count, axis=0)
    columns: dict[str, Any] = {
        name: np.where(has_bar, getattr(fine, name)[fine_rows] * scale, carried)
        for name in PRICE_COLUMNS
    }
    if fine.volume is not None:
        columns["volume"] = np.where(has_bar, fine.volume[fine_rows], fine.volume)
    if fine.mark is not None:
        columns["mark"] = _moved_marks(fine.mark, fine_rows, scale)
    is_gap = np.where(has_bar, fine.is_gap[fine_rows], fine.is_gap)
    return replace(fine, is_gap=is_gap, **columns)
