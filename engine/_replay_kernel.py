"""The bar loop: docs/accounting.md, step by step, in plain arithmetic.

State and ledgers are arrays that the small kernels of this file change in place. The number of rows
is bounded beforehand: every acting row makes at most one order, an order makes at most two fills,
and every entry is closed once.
"""

from typing import Final

import numpy as np

from .arrays import Bool1D, Bool2D, Float1D, Float2D, Int1D, Int2D
from .jit import kernel

PHASE_OPEN: Final = 0
PHASE_INTRABAR: Final = 1
PHASE_CLOSE: Final = 2

ENTRY: Final = 0
RESIZE: Final = 1
REVERSE: Final = 2
EXIT: Final = 3
TIME_STOP: Final = 4
STOP: Final = 5
TAKE_PROFIT: Final = 6
DELISTED: Final = 7
END_OF_DATA: Final = 8
RUIN: Final = 9

NO_ORDER: Final = -1
DUST: Final = 1e-9
"""Share of equity below which an order or a change of size is nothing but rounding."""

# Columns of the integer and float parts of a fill row.
F_BAR, F_SYMBOL, F_PHASE, F_REASON, F_SIDE, F_TRADE, FILL_INTS = 0, 1, 2, 3, 4, 5, 6
F_QUANTITY, F_REFERENCE, F_PRICE, F_FEE, F_SLIPPAGE, F_POSITION, F_CASH, FILL_FLOATS = (
    0, 1, 2, 3, 4, 5, 6, 7,
)  # fmt: skip
# Columns of the running sums of a trade.
T_SYMBOL, T_SIDE, T_ENTRY_BAR, T_EXIT_BAR, T_EXIT_PHASE, T_REASON, T_AMBIGUOUS, TRADE_INTS = (
    0, 1, 2, 3, 4, 5, 6, 7,
)  # fmt: skip
T_QUANTITY, T_IN_QUANTITY, T_IN_VALUE, T_OUT_QUANTITY, T_OUT_VALUE = 0, 1, 2, 3, 4
T_FEES, T_FUNDING, T_SLIPPAGE, TRADE_FLOATS = 5, 6, 7, 8
# Columns of the state of a symbol's position.
P_QUANTITY, P_FORCE, P_STOP, P_TAKE_PROFIT, P_RISK, POSITION_FLOATS = 0, 1, 2, 3, 4, 5
# Slots of the counters.
C_FILLS, C_TRADES, C_FUNDING, C_AMBIGUOUS, COUNTERS = 0, 1, 2, 3, 4


@kernel
def _fill_kernel(
    bar: int,
    symbol: int,
    phase: int,
    reason: int,
    quantity: float,
    reference: float,
    fee_rate: float,
    slip_rate: float,
    cash: Float1D,
    position: Float2D,
    open_trade: Int1D,
    counters: Int1D,
    fill_ints: Int2D,
    fill_floats: Float2D,
    trade_ints: Int2D,
    trade_floats: Float2D,
) -> float:
    """Book one fill of signed ``quantity``; returns its price."""
    side = 1 if quantity > 0 else -1
    price = reference * (1.0 + slip_rate) if side > 0 else reference * (1.0 - slip_rate)
    size = abs(quantity)
    fee = size * price * fee_rate
    slippage = size * abs(price - reference)
    cash[0] = cash[0] - quantity * price - fee
    before = position[symbol, P_QUANTITY]
    closing = reason != ENTRY and reason != RESIZE
    position[symbol, P_QUANTITY] = 0.0 if closing else before + quantity
    if reason == ENTRY:
        trade = counters[C_TRADES]
        counters[C_TRADES] += 1
        open_trade[symbol] = trade
        trade_ints[trade, T_SYMBOL] = symbol
        trade_ints[trade, T_SIDE] = side
        trade_ints[trade, T_ENTRY_BAR] = bar
    trade = open_trade[symbol]
    if side == trade_ints[trade, T_SIDE]:
        trade_floats[trade, T_IN_QUANTITY] += size
        trade_floats[trade, T_IN_VALUE] += size * price
    else:
        trade_floats[trade, T_OUT_QUANTITY] += size
        trade_floats[trade, T_OUT_VALUE] += size * price
    trade_floats[trade, T_FEES] += fee
    trade_floats[trade, T_SLIPPAGE] += slippage
    held = abs(position[symbol, P_QUANTITY])
    trade_floats[trade, T_QUANTITY] = max(trade_floats[trade, T_QUANTITY], held)
    if closing:
        trade_ints[trade, T_EXIT_BAR] = bar
        trade_ints[trade, T_EXIT_PHASE] = phase
        trade_ints[trade, T_REASON] = reason
        open_trade[symbol] = -1
        position[symbol, P_FORCE] = 0.0
    row = counters[C_FILLS]
    counters[C_FILLS] += 1
    fill_ints[row, F_BAR] = bar
    fill_ints[row, F_SYMBOL] = symbol
    fill_ints[row, F_PHASE] = phase
    fill_ints[row, F_REASON] = reason
    fill_ints[row, F_SIDE] = side
    fill_ints[row, F_TRADE] = trade
    fill_floats[row, F_QUANTITY] = size
    fill_floats[row, F_REFERENCE] = reference
    fill_floats[row, F_PRICE] = price
    fill_floats[row, F_FEE] = fee
    fill_floats[row, F_SLIPPAGE] = slippage
    fill_floats[row, F_POSITION] = position[symbol, P_QUANTITY]
    fill_floats[row, F_CASH] = cash[0]
    return price


@kernel
def _funding_kernel(
    bar: int,
    start: int,
    stop_time: int,
    open_: Float2D,
    event_time: Int1D,
    event_symbol: Int1D,
    event_rate: Float1D,
    event_mark: Float1D,
    cash: Float1D,
    position: Float2D,
    open_trade: Int1D,
    counters: Int1D,
    funding_ints: Int2D,
    funding_floats: Float2D,
    trade_floats: Float2D,
) -> int:
    """Settle events from ``start`` while ``time < stop_time``; returns the next event."""
    event = start
    while event < len(event_time) and event_time[event] < stop_time:
        symbol = event_symbol[event]
        quantity = position[symbol, P_QUANTITY]
        if quantity != 0.0:
            mark = event_mark[event] if event_mark[event] > 0.0 else open_[bar, symbol]
            payment = -quantity * mark * event_rate[event]
            cash[0] += payment
            trade = open_trade[symbol]
            trade_floats[trade, T_FUNDING] += payment
            row = counters[C_FUNDING]
            counters[C_FUNDING] += 1
            funding_ints[row, 0] = bar
            funding_ints[row, 1] = event
            funding_ints[row, 2] = trade
            funding_floats[row, 0] = quantity
            funding_floats[row, 1] = mark
            funding_floats[row, 2] = payment
        event += 1
    return event


@kernel
def _intrabar_exit_kernel(
    quantity: float,
    stop: float,
    take_profit: float,
    open_: float,
    high: float,
    low: float,
) -> tuple[int, int, float, bool]:
    """Phase, reason (NO_ORDER for none), reference price and ambiguity of a bar's exit.

    ``stop`` and ``take_profit`` are NaN where the position has none: no comparison with them holds.
    """
    side = 1.0 if quantity > 0 else -1.0
    worst, best = (low, high) if side > 0 else (high, low)
    if side * open_ <= side * stop:
        return PHASE_OPEN, STOP, open_, False
    if side * open_ >= side * take_profit:
        return PHASE_OPEN, TAKE_PROFIT, open_, False
    if side * worst <= side * stop:
        return PHASE_INTRABAR, STOP, stop, side * best >= side * take_profit
    if side * best >= side * take_profit:
        return PHASE_INTRABAR, TAKE_PROFIT, take_profit, False
    return PHASE_OPEN, NO_ORDER, 0.0, False


@kernel
def _exits_kernel(
    t: int,
    wanted_phase: int,
    open_: Float2D,
    high: Float2D,
    low: Float2D,
    listed: Bool2D,
    is_gap: Bool2D,
    fee_rate: float,
    slip_rate: float,
    cash: Float1D,
    position: Float2D,
    open_trade: Int1D,
    counters: Int1D,
    fill_ints: Int2D,
    fill_floats: Float2D,
    trade_ints: Int2D,
    trade_floats: Float2D,
) -> None:
    """Book the exits at levels that bar ``t`` makes in ``wanted_phase``."""
    for s in range(len(open_trade)):
        held = position[s, P_QUANTITY]
        if held == 0.0 or not listed[t, s] or is_gap[t, s]:
            continue
        phase, reason, reference, ambiguous = _intrabar_exit_kernel(
            held, position[s, P_STOP], position[s, P_TAKE_PROFIT],
            open_[t, s], high[t, s], low[t, s],
        )  # fmt: skip
        if reason == NO_ORDER or phase != wanted_phase:
            continue
        if ambiguous:
            counters[C_AMBIGUOUS] += 1
            trade_ints[open_trade[s], T_AMBIGUOUS] = 1
        _fill_kernel(
            t, s, phase, reason, -held, reference,
            fee_rate, slip_rate, cash, position, open_trade, counters,
            fill_ints, fill_floats, trade_ints, trade_floats,
        )  # fmt: skip


@kernel
def _order_scale_kernel(
    equity: float,
    position_fraction: float,
    max_gross_leverage: float,
    open_row: Float1D,
    executes: Bool1D,
    pending_target: Float1D,
    position: Float2D,
) -> float:
    """Factor for the wanted notionals of this bar under the gross cap."""
    held, wanted = 0.0, 0.0
    for symbol in range(len(open_row)):
        if executes[symbol]:
            wanted += abs(pending_target[symbol]) * position_fraction * equity
        else:
            held += abs(position[symbol, P_QUANTITY]) * open_row[symbol]
    limit = max_gross_leverage * equity
    if wanted > 0.0 and held + wanted > limit:
        return max(0.0, (limit - held) / wanted)
    return 1.0


@kernel
def replay_kernel(
    open_time: Int1D,
    step: int,
    open_: Float2D,
    high: Float2D,
    low: Float2D,
    close: Float2D,
    listed: Bool2D,
    is_gap: Bool2D,
    target: Float2D,
    acts: Bool2D,
    atr_frac: Float2D,
    event_time: Int1D,
    event_symbol: Int1D,
    event_rate: Float1D,
    event_mark: Float1D,
    initial_cash: float,
    position_fraction: float,
    max_gross_leverage: float,
    fee_rate: float,
    slip_rate: float,
    stop_atr: float,
    take_profit_atr: float,
    time_stop_bars: int,
    time_stop_max_r: float,
    capacity: int,
) -> tuple[Float2D, Int2D, Float2D, Int2D, Float2D, Int2D, Float2D, Int1D, int]:
    """Replay decisions over bars.

    ``stop_atr``, ``take_profit_atr`` and ``time_stop_max_r`` are NaN for none, ``time_stop_bars`` 0.
    Returns account ``(T, 4)`` (equity, cash, gross, net exposure), the rows of fills, trades and
    funding payments in their integer and float parts, the counters, and the bar of ruin or -1.
    """
    bars, symbols = open_.shape
    account = np.empty((bars, 4))
    fill_ints = np.zeros((2 * capacity, FILL_INTS), dtype=np.int64)
    fill_floats = np.zeros((2 * capacity, FILL_FLOATS))
    trade_ints = np.zeros((capacity, TRADE_INTS), dtype=np.int64)
    trade_floats = np.zeros((capacity, TRADE_FLOATS))
    funding_ints = np.zeros((len(event_time), 3), dtype=np.int64)
    funding_floats = np.zeros((len(event_time), 3))
    counters = np.zeros(COUNTERS, dtype=np.int64)
    cash = np.array([initial_cash])
    position = np.zeros((symbols, POSITION_FLOATS))
    open_trade = np.full(symbols, -1, dtype=np.int64)
    pending_reason = np.full(symbols, NO_ORDER, dtype=np.int64)
    pending_target = np.zeros(symbols)
    pending_atr = np.zeros(symbols)
    executes = np.zeros(symbols, dtype=np.bool_)
    equity = initial_cash
    ruined = -1
    event = 0
    while event < len(event_time) and event_time[event] < open_time[0]:
        event += 1
    for t in range(bars):
        if ruined >= 0:
            account[t, 0], account[t, 1], account[t, 2], account[t, 3] = equity, equity, 0.0, 0.0
            continue
        if event < len(event_time) and event_time[event] <= open_time[t]:
            event = _funding_kernel(
                t, event, open_time[t] + 1, open_, event_time, event_symbol, event_rate,
                event_mark, cash, position, open_trade, counters, funding_ints, funding_floats,
                trade_floats,
            )  # fmt: skip

        any_order = False
        for s in range(symbols):
            executes[s] = pending_reason[s] != NO_ORDER and listed[t, s] and not is_gap[t, s]
            any_order = any_order or executes[s]
        if any_order:
            scale = _order_scale_kernel(
                equity, position_fraction, max_gross_leverage, open_[t], executes, pending_target,
                position,
            )  # fmt: skip
            for s in range(symbols):
                if not executes[s]:
                    continue
                wanted_target = pending_target[s]
                reason = pending_reason[s]
                notional = abs(wanted_target) * position_fraction * equity * scale
                if notional < DUST * equity:
                    notional = 0.0
                wanted = np.sign(wanted_target) * notional / open_[t, s]
                held = position[s, P_QUANTITY]
                pending_reason[s] = NO_ORDER
                opposes = held * wanted_target < 0.0
                if held != 0.0 and (wanted == 0.0 or opposes):
                    _fill_kernel(
                        t, s, PHASE_OPEN, REVERSE if opposes else reason, -held, open_[t, s],
                        fee_rate, slip_rate, cash, position, open_trade, counters,
                        fill_ints, fill_floats, trade_ints, trade_floats,
                    )  # fmt: skip
                    held = 0.0
                if wanted == 0.0:
                    continue
                if held == 0.0:
                    price = _fill_kernel(
                        t, s, PHASE_OPEN, ENTRY, wanted, open_[t, s],
                        fee_rate, slip_rate, cash, position, open_trade, counters,
                        fill_ints, fill_floats, trade_ints, trade_floats,
                    )  # fmt: skip
                    side = np.sign(wanted)
                    position[s, P_STOP] = price * (1.0 - side * stop_atr * pending_atr[s])
                    position[s, P_TAKE_PROFIT] = price * (
                        1.0 + side * take_profit_atr * pending_atr[s]
                    )
                    position[s, P_RISK] = price * stop_atr * pending_atr[s]
                elif abs(wanted - held) * open_[t, s] >= DUST * equity:
                    _fill_kernel(
                        t, s, PHASE_OPEN, RESIZE, wanted - held, open_[t, s],
                        fee_rate, slip_rate, cash, position, open_trade, counters,
                        fill_ints, fill_floats, trade_ints, trade_floats,
                    )  # fmt: skip
                position[s, P_FORCE] = wanted_target

        # Calls that pass every ledger cost more than the bar: they are made where something happens.
        any_exit = False
        for s in range(symbols):
            held = position[s, P_QUANTITY]
            if held != 0.0 and listed[t, s] and not is_gap[t, s]:
                _, reason, _, _ = _intrabar_exit_kernel(
                    held, position[s, P_STOP], position[s, P_TAKE_PROFIT],
                    open_[t, s], high[t, s], low[t, s],
                )  # fmt: skip
                any_exit = any_exit or reason != NO_ORDER
        if any_exit:
            _exits_kernel(
                t, PHASE_OPEN, open_, high, low, listed, is_gap, fee_rate, slip_rate, cash, position,
                open_trade, counters, fill_ints, fill_floats, trade_ints, trade_floats,
            )  # fmt: skip
        if event < len(event_time) and event_time[event] < open_time[t] + step:
            event = _funding_kernel(
                t, event, open_time[t] + step, open_, event_time, event_symbol, event_rate,
                event_mark, cash, position, open_trade, counters, funding_ints, funding_floats,
                trade_floats,
            )  # fmt: skip
        if any_exit:
            _exits_kernel(
                t, PHASE_INTRABAR, open_, high, low, listed, is_gap, fee_rate, slip_rate, cash,
                position, open_trade, counters, fill_ints, fill_floats, trade_ints, trade_floats,
            )  # fmt: skip

        last = t == bars - 1
        for s in range(symbols):
            leaves = listed[t, s] and not last and not listed[t + 1, s]
            if leaves:
                pending_reason[s] = NO_ORDER
            if position[s, P_QUANTITY] != 0.0 and (last or leaves):
                _fill_kernel(
                    t, s, PHASE_CLOSE, END_OF_DATA if last else DELISTED,
                    -position[s, P_QUANTITY], close[t, s],
                    fee_rate, slip_rate, cash, position, open_trade, counters,
                    fill_ints, fill_floats, trade_ints, trade_floats,
                )  # fmt: skip

        net, gross = 0.0, 0.0
        for s in range(symbols):
            net += position[s, P_QUANTITY] * close[t, s]
            gross += abs(position[s, P_QUANTITY]) * close[t, s]
        equity = cash[0] + net
        if equity <= 0.0:
            for s in range(symbols):
                if position[s, P_QUANTITY] != 0.0:
                    _fill_kernel(
                        t, s, PHASE_CLOSE, RUIN, -position[s, P_QUANTITY], close[t, s],
                        fee_rate, slip_rate, cash, position, open_trade, counters,
                        fill_ints, fill_floats, trade_ints, trade_floats,
                    )  # fmt: skip
            ruined = t
            equity, net, gross = cash[0], 0.0, 0.0
        account[t, 0], account[t, 1], account[t, 2], account[t, 3] = equity, cash[0], gross, net
        if last or ruined >= 0:
            continue

        for s in range(symbols):
            if not listed[t + 1, s]:
                continue
            if acts[t, s]:
                if target[t, s] == position[s, P_FORCE]:
                    pending_reason[s] = NO_ORDER
                else:
                    pending_reason[s] = EXIT
                    pending_target[s] = target[t, s]
                    pending_atr[s] = atr_frac[t, s]
            held = position[s, P_QUANTITY]
            if pending_reason[s] != NO_ORDER or held == 0.0 or time_stop_bars == 0:
                continue
            trade = open_trade[s]
            if t - trade_ints[trade, T_ENTRY_BAR] + 1 < time_stop_bars:
                continue
            entry = trade_floats[trade, T_IN_VALUE] / trade_floats[trade, T_IN_QUANTITY]
            progress = np.sign(held) * (close[t, s] - entry) / position[s, P_RISK]
            if not progress >= time_stop_max_r:
                pending_reason[s] = TIME_STOP
                pending_target[s] = 0.0
    return (
        account, fill_ints, fill_floats, trade_ints, trade_floats, funding_ints, funding_floats,
        counters, ruined,
    )  # fmt: skip
