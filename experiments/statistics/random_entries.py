"""What trades at random times with the same sides, sizes and holding times would have earned."""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bool2D, Float1D, Float2D, Int1D, Records1D, UInt64Array1D
from engine.errors import ConfigError, DataError
from engine.jit import inner_kernel, kernel
from engine.ledger import PHASES

from .resampling import Seed, checked_draws


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldTrades:
    """The trades of a run, as arrays ``(N,)``, in any order.

    ``symbol``: column of the market. ``entry_row`` and ``exit_row``: rows at whose prices the fills are
    counted; the trade earns from the first to the second, which lies later. ``exposure_frac``: signed
    notional at entry over the equity of the account then, negative for shorts. ``cost_frac``: all costs
    of the trade (fees, slippage, funding paid) over its notional at entry, negative where it was paid.
    """

    symbol: Int1D
    entry_row: Int1D
    exit_row: Int1D
    exposure_frac: Float1D
    cost_frac: Float1D

    def __len__(self) -> int:
        return len(self.symbol)


def trades_of_ledger(
    trades: Records1D, fills: Records1D, equity: Float1D, initial_cash: float, listed: Bool2D
) -> HeldTrades:
    """The trades of a replay of linear contracts, for prices that are the opens of its bars.

    ``trades`` and ``fills`` are records of ``engine.ledger``, ``equity`` ``(T,)`` at each close,
    ``listed`` ``(T, S)`` of the panel. A fill inside a bar or at its close counts at the open of the next
    bar: the open before a stop that was hit is a better price than the trade had. The last listed bar of
    a symbol has no next one: its own open counts. A trade that lies between two opens altogether, or
    after the last one, has no time that could be placed and is left out, and so is one that began
    without equity.
    Exposure is the notional of the largest position at the average entry price over the equity at the
    close before the entry.
    """
    later = (fills["phase"] != PHASES.index("open")).astype(np.int64)
    positions = np.arange(len(fills))
    last, first = np.zeros(len(trades), np.int64), np.zeros(len(trades), np.int64)
    last[fills["trade"]] = positions
    first[fills["trade"][::-1]] = positions[::-1]
    entry = trades["entry_bar"] + later[first]
    last_listed = len(listed) - 1 - listed[::-1].argmax(axis=0)
    exit_ = np.minimum(trades["exit_bar"] + later[last], last_listed[trades["symbol"]])
    before = np.concatenate(([initial_cash], equity))[trades["entry_bar"]]
    kept = (entry < exit_) & (before > 0.0)
    notional = (trades["quantity"] * trades["entry_price"])[kept]
    return HeldTrades(
        symbol=trades["symbol"][kept].astype(np.int64),
        entry_row=entry[kept].astype(np.int64),
        exit_row=exit_[kept].astype(np.int64),
        exposure_frac=trades["side"][kept] * notional / before[kept],
        cost_frac=(trades["gross_pnl"] - trades["net_pnl"])[kept] / notional,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomEntriesTest:
    """A run's trades beside the same trades at random times.

    ``total_return`` and ``sharpe_per_bar`` are those of the trades where they were, by the same rules
    as the draws (so they differ a little from the run's own). ``null_total_returns`` and
    ``null_sharpes_per_bar`` ``(draws,)`` in order of the draws. p values = (1 + draws at least as good)
    ÷ (1 + draws). A Sharpe ratio is 0 where equity does not move.
    """

    total_return: float
    sharpe_per_bar: float
    null_total_returns: Float1D
    null_sharpes_per_bar: Float1D
    p_total_return: float
    p_sharpe: float


@inner_kernel
def _next_state_kernel(state: np.uint64) -> np.uint64:
    """Advance of SplitMix64 (Steele, Lea and Flood 2014)."""
    return state + np.uint64(0x9E3779B97F4A7C15)


@inner_kernel
def _below_kernel(state: np.uint64, limit: int) -> int:
    """A whole number in [0, limit) out of the state of SplitMix64."""
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return min(int(float(z >> np.uint64(11)) * 1.1102230246251565e-16 * limit), limit - 1)


@inner_kernel
def _add_trade_kernel(
    prices: Float2D,
    symbol: int,
    entry: int,
    exit_: int,
    exposure_frac: float,
    cost_frac: float,
    gains: Float1D,
) -> None:
    """Add a trade's return on each bar, as if it were alone; its costs fall due at the exit."""
    units = exposure_frac / prices[entry, symbol]
    equity = 1.0
    for t in range(entry + 1, exit_ + 1):
        gain = units * (prices[t, symbol] - prices[t - 1, symbol])
        if t == exit_:
            gain -= abs(exposure_frac) * cost_frac
        gains[t] += gain / equity
        equity += gain
        if equity <= 0.0:
            break


@inner_kernel
def _settle_kernel(gains: Float1D) -> tuple[float, float]:
    """Total return and Sharpe ratio per bar of compounded returns; ruin ends with −1."""
    growth, total, squares = 1.0, 0.0, 0.0
    for t in range(len(gains)):
        r = gains[t]
        if r == 0.0:
            continue
        r = max(-1.0, r)
        total += r
        squares += r * r
        growth *= 1.0 + r
        if growth <= 0.0:
            break
    bars = len(gains) - 1
    variance = (squares - total * total / bars) / (bars - 1)
    sharpe = total / bars / np.sqrt(variance) if variance > 1e-13 * squares else 0.0
    return growth - 1.0, sharpe


@kernel
def _placed_kernel(
    prices: Float2D,
    symbols: Int1D,
    entries: Int1D,
    exits: Int1D,
    exposures: Float1D,
    costs: Float1D,
) -> tuple[float, float]:
    """Total return and Sharpe ratio of trades where they are."""
    gains = np.zeros(len(prices))
    for i in range(len(symbols)):
        _add_trade_kernel(prices, symbols[i], entries[i], exits[i], exposures[i], costs[i], gains)
    return _settle_kernel(gains)


@kernel(nogil=True)
def _random_placements_kernel(
    prices: Float2D,
    bounds: tuple[Int1D, Int1D, Int1D],
    holdings: Int1D,
    exposures: Float1D,
    costs: Float1D,
    seeds: UInt64Array1D,
) -> Float2D:
    """Total return and Sharpe ratio per bar of each draw, ``(draws, 2)``.

    Trades of a symbol stand together: those of column s from ``first_trades[s]`` to
    ``first_trades[s + 1]``, in rows ``first_rows[s]`` to ``last_rows[s]``. A placement is a random order
    and a random choice of n among n + free slots (Floyd), where free is the number of steps without a
    trade: every placement without overlap has the same chance.
    """
    first_trades, first_rows, last_rows = bounds
    results = np.empty((len(seeds), 2))
    gains = np.zeros(len(prices))
    order = np.empty(len(holdings), np.int64)
    taken = np.zeros(len(prices) + len(holdings) + 1, np.int64)
    mark = 0
    for draw in range(len(seeds)):
        state = seeds[draw]
        gains[:] = 0.0
        for s in range(len(first_rows)):
            start, stop = first_trades[s], first_trades[s + 1]
            count = stop - start
            if count == 0:
                continue
            held = 0
            for i in range(start, stop):
                order[i] = i
                held += holdings[i]
            for i in range(stop - 1, start, -1):
                state = _next_state_kernel(state)
                other = start + _below_kernel(state, i - start + 1)
                order[i], order[other] = order[other], order[i]
            slots = last_rows[s] - first_rows[s] - held + count
            mark += 1
            for j in range(slots - count, slots):
                state = _next_state_kernel(state)
                slot = _below_kernel(state, j + 1)
                if taken[slot] == mark:
                    slot = j
                taken[slot] = mark
            row, placed = first_rows[s], start
            for slot in range(slots):
                if taken[slot] != mark:
                    row += 1
                    continue
                i = order[placed]
                _add_trade_kernel(prices, s, row, row + holdings[i], exposures[i], costs[i], gains)
                row += holdings[i]
                placed += 1
        results[draw, 0], results[draw, 1] = _settle_kernel(gains)
    return results


def _checked_trades(trades: HeldTrades, first: Int1D, last: Int1D) -> None:
    """Raises DataError when a trade breaks a rule, or two of one symbol overlap."""
    if len(trades) == 0:
        raise DataError("trades: there are none, so there is nothing to place at random")
    for name in ("symbol", "entry_row", "exit_row", "exposure_frac", "cost_frac"):
        column = getattr(trades, name)
        if column.shape != (len(trades),) or not np.isfinite(column).all():
            raise DataError(f"trades: {name} must be finite, of shape ({len(trades)},)")
    wrong = (trades.symbol < 0) | (trades.symbol >= len(first))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"trade {row}: symbol={trades.symbol[row]}, the market has columns 0 to {len(first) - 1}"
        )
    wrong = (trades.entry_row < first[trades.symbol]) | (trades.exit_row > last[trades.symbol])
    wrong |= trades.exit_row <= trades.entry_row
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        symbol = trades.symbol[row]
        raise DataError(
            f"trade {row}: rows {trades.entry_row[row]} to {trades.exit_row[row]}; the exit lies "
            f"after the entry, both within {first[symbol]} to {last[symbol]}, where column {symbol} is "
            "listed (leave out trades that open and close on one row)"
        )
    order = np.lexsort((trades.entry_row, trades.symbol))
    symbol, entry, exit_ = (
        column[order] for column in (trades.symbol, trades.entry_row, trades.exit_row)
    )
    overlap = (symbol[1:] == symbol[:-1]) & (entry[1:] < exit_[:-1])
    if overlap.any():
        row = int(np.flatnonzero(overlap)[0])
        raise DataError(
            f"trades {order[row]} and {order[row + 1]} of column {symbol[row]} overlap: join what was "
            "one position into one trade"
        )


def random_entries_test(
    prices: Float2D,
    trades: HeldTrades,
    *,
    seed: Seed,
    draws: int = 10_000,
    listed: Bool2D | None = None,
) -> RandomEntriesTest:
    """Place the same trades at random times on the same market, ``draws`` times.

    ``prices`` ``(T, S)``: the price of each row at which fills and marks are taken (opens, where fills
    come at the open). Every placement of the trades of a symbol without overlap between its first and
    last ``listed`` row has the same chance; symbols are placed independently, so that exposure adds up
    as it falls. A position keeps its units, and equity compounds from bar to bar: exact for one
    position at a time; the bar returns of positions held at once are added. What is left of an edge here
    is timing: side, exposure, holding times and costs are those of the run. Raises DataError when trades
    overlap, leave the market or are none, ConfigError below 1 draw.
    """
    checked_draws(draws)
    table = np.ascontiguousarray(prices, dtype=np.float64)
    if table.ndim != 2 or len(table) < 3:
        raise ConfigError(f"prices has shape {table.shape}: expected (T, S) with 3 rows or more")
    present: Bool2D = np.ones((len(table), table.shape[1]), dtype=np.bool_)
    if listed is not None:
        present = listed
    if present.shape != table.shape or not present.any(axis=0).all():
        raise ConfigError(f"listed has shape {present.shape} or a column without a listed row")
    if not (np.isfinite(table) & (table > 0.0)).all():
        row, column = (int(i) for i in np.argwhere(~(np.isfinite(table) & (table > 0.0)))[0])
        raise DataError(f"prices[{row}, {column}]={table[row, column]} must be finite and positive")
    first = present.argmax(axis=0).astype(np.int64)
    last = (len(table) - 1 - present[::-1].argmax(axis=0)).astype(np.int64)
    _checked_trades(trades, first, last)
    order = np.lexsort((trades.entry_row, trades.symbol))
    symbol, entry, exit_ = (
        np.ascontiguousarray(column[order], dtype=np.int64)
        for column in (trades.symbol, trades.entry_row, trades.exit_row)
    )
    exposure, cost = (
        np.ascontiguousarray(column[order], dtype=np.float64)
        for column in (trades.exposure_frac, trades.cost_frac)
    )
    first_trades = np.searchsorted(symbol, np.arange(table.shape[1] + 1)).astype(np.int64)
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    total_return, sharpe = _placed_kernel(table, symbol, entry, exit_, exposure, cost)
    seeds: UInt64Array1D = np.asarray(sequence.generate_state(draws, np.uint64), dtype=np.uint64)
    null = _random_placements_kernel(
        table,
        (first_trades, first, last),
        exit_ - entry,
        exposure,
        cost,
        seeds,
    )
    reached = (null >= np.array([total_return, sharpe])).sum(axis=0)
    return RandomEntriesTest(
        total_return=total_return,
        sharpe_per_bar=sharpe,
        null_total_returns=null[:, 0].copy(),
        null_sharpes_per_bar=null[:, 1].copy(),
        p_total_return=float((1.0 + reached[0]) / (1.0 + draws)),
        p_sharpe=float((1.0 + reached[1]) / (1.0 + draws)),
    )
