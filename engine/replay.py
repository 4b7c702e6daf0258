"""Replaying decisions over a panel: checks, the kernel, and the ledgers in their record types."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from . import _replay_kernel as _kernel
from .arrays import Float1D, Float2D, Int2D
from .decisions import Decisions, Funding
from .errors import ConfigError, ContractError
from .ledger import FILL_DTYPE, FUNDING_DTYPE, TRADE_DTYPE
from .panel import Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRules:
    """Account, costs and stops of a replay; docs/accounting.md says what each does.

    ``initial_cash`` in quote currency; ``position_fraction`` of equity that a target of 1 takes, at
    most ``max_gross_leverage``; fees and slippage in basis points of the notional; ``stop_atr`` and
    ``take_profit_atr`` in average true ranges or None; ``time_stop_bars`` or None; ``time_stop_max_r``
    in multiples of the stop distance or None. Raises ConfigError when a number is out of range.
    """

    initial_cash: float = 100_000.0
    position_fraction: float = 0.25
    max_gross_leverage: float = 1.0
    taker_fee_bps: float = 5.0
    slippage_bps: float = 2.0
    stop_atr: float | None = 2.0
    take_profit_atr: float | None = None
    time_stop_bars: int | None = None
    time_stop_max_r: float | None = None

    def __post_init__(self) -> None:
        limits = {
            "initial_cash": (0.0, 1e15, False),
            "position_fraction": (0.0, 125.0, False),
            "max_gross_leverage": (0.0, 125.0, False),
            "taker_fee_bps": (0.0, 1000.0, True),
            "slippage_bps": (0.0, 1000.0, True),
            "stop_atr": (0.0, 1000.0, False),
            "take_profit_atr": (0.0, 1000.0, False),
            "time_stop_bars": (1, 10_000_000, True),
            "time_stop_max_r": (-1000.0, 1000.0, True),
        }
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            low, high, closed = limits[field.name]
            if not (
                math.isfinite(value) and (low <= value if closed else low < value) and value <= high
            ):
                bracket = "[" if closed else "("
                raise ConfigError(f"{field.name}={value} must lie in {bracket}{low}, {high}]")
        if self.time_stop_bars is not None and self.time_stop_bars != int(self.time_stop_bars):
            raise ConfigError(f"time_stop_bars={self.time_stop_bars} must be a whole number")
        if self.position_fraction > self.max_gross_leverage:
            raise ConfigError(
                f"position_fraction={self.position_fraction} must not exceed "
                f"max_gross_leverage={self.max_gross_leverage}: the cap would cut every order"
            )
        if self.time_stop_max_r is not None and self.stop_atr is None:
            raise ConfigError("time_stop_max_r needs stop_atr: R is measured in stop distances")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplayResult:
    """What happened to the account.

    ``equity``, ``cash``, ``gross_exposure``, ``net_exposure`` are float64 ``(T,)`` in quote currency at
    each close; ``fills``, ``trades`` and ``funding_payments`` are record arrays with the types of
    ``engine.ledger``; ``ruined_bar`` is the bar in which equity reached zero, or -1;
    ``ambiguous_exits`` counts bars that touched stop and target alike.
    """

    equity: Float1D
    cash: Float1D
    gross_exposure: Float1D
    net_exposure: Float1D
    fills: np.ndarray[Any, Any]
    trades: np.ndarray[Any, Any]
    funding_payments: np.ndarray[Any, Any]
    ruined_bar: int
    ambiguous_exits: int


def replay(
    panel: Panel, decisions: Decisions, funding: Funding, rules: ReplayRules
) -> ReplayResult:
    """Replay ``decisions`` on the prices of ``panel``; a decision of row *t* fills after close *t*.

    Raises ContractError when the decisions do not have the panel's shape or a funding event names a
    symbol that the panel lacks.
    """
    shape = panel.open.shape
    if decisions.target.shape != shape:
        raise ContractError(
            f"decisions have shape {decisions.target.shape}, the panel has {shape}: one row for each "
            "bar and one column for each symbol"
        )
    if funding.symbol_index.size and int(funding.symbol_index.max()) >= shape[1]:
        raise ContractError(
            f"funding: symbol_index={int(funding.symbol_index.max())} but the panel has {shape[1]} "
            "symbols"
        )
    (
        account, fill_ints, fill_floats, trade_ints, trade_floats, funding_ints, funding_floats,
        counters, ruined,
    ) = _kernel.replay_kernel(
        _plain(panel.open_time, np.int64),
        panel.step_ns,
        _plain(panel.open, np.float64),
        _plain(panel.high, np.float64),
        _plain(panel.low, np.float64),
        _plain(panel.close, np.float64),
        _plain(panel.listed, np.bool_),
        _plain(panel.is_gap, np.bool_),
        _plain(decisions.target, np.float64),
        _plain(decisions.acts, np.bool_),
        _plain(decisions.atr_frac, np.float64),
        _plain(funding.time_ns, np.int64),
        _plain(funding.symbol_index, np.int64),
        _plain(funding.rate, np.float64),
        _plain(funding.mark_price, np.float64),
        float(rules.initial_cash),
        float(rules.position_fraction),
        float(rules.max_gross_leverage),
        rules.taker_fee_bps / 10_000,
        rules.slippage_bps / 10_000,
        _nan_for_none(rules.stop_atr),
        _nan_for_none(rules.take_profit_atr),
        int(rules.time_stop_bars or 0),
        _nan_for_none(rules.time_stop_max_r),
        int(np.count_nonzero(decisions.acts)),
    )  # fmt: skip
    fill_count, trade_count, funding_count, ambiguous = (int(count) for count in counters)
    equity, cash, gross, net = (np.ascontiguousarray(column) for column in account.T)
    return ReplayResult(
        equity=equity,
        cash=cash,
        gross_exposure=gross,
        net_exposure=net,
        fills=_fills(panel, fill_ints[:fill_count], fill_floats[:fill_count]),
        trades=_trades(panel, trade_ints[:trade_count], trade_floats[:trade_count]),
        funding_payments=_payments(
            funding, funding_ints[:funding_count], funding_floats[:funding_count]
        ),
        ruined_bar=int(ruined),
        ambiguous_exits=ambiguous,
    )


def _plain(array: Any, dtype: Any) -> Any:
    """One layout for the kernel: another one, or a read-only array, would be compiled anew."""
    return np.require(array, dtype, ["C", "W"])


def _nan_for_none(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _phase_time(panel: Panel, bar: Any, phase: Any) -> Any:
    return panel.open_time[bar] + np.where(phase == _kernel.PHASE_CLOSE, panel.step_ns, 0)


def _fills(panel: Panel, ints: Int2D, floats: Float2D) -> np.ndarray[Any, Any]:
    fills = np.zeros(len(ints), dtype=FILL_DTYPE)
    for name, column in (
        ("bar", _kernel.F_BAR),
        ("symbol", _kernel.F_SYMBOL),
        ("phase", _kernel.F_PHASE),
        ("reason", _kernel.F_REASON),
        ("side", _kernel.F_SIDE),
        ("trade", _kernel.F_TRADE),
    ):
        fills[name] = ints[:, column]
    for name, column in (
        ("quantity", _kernel.F_QUANTITY),
        ("reference_price", _kernel.F_REFERENCE),
        ("price", _kernel.F_PRICE),
        ("fee", _kernel.F_FEE),
        ("slippage", _kernel.F_SLIPPAGE),
        ("position_after", _kernel.F_POSITION),
        ("cash_after", _kernel.F_CASH),
    ):
        fills[name] = floats[:, column]
    fills["time_ns"] = _phase_time(panel, fills["bar"], fills["phase"])
    return fills


def _trades(panel: Panel, ints: Int2D, floats: Float2D) -> np.ndarray[Any, Any]:
    trades = np.zeros(len(ints), dtype=TRADE_DTYPE)
    trades["trade"] = np.arange(len(ints))
    trades["symbol"] = ints[:, _kernel.T_SYMBOL]
    trades["side"] = ints[:, _kernel.T_SIDE]
    trades["entry_bar"] = ints[:, _kernel.T_ENTRY_BAR]
    trades["exit_bar"] = ints[:, _kernel.T_EXIT_BAR]
    trades["entry_time_ns"] = panel.open_time[trades["entry_bar"]]
    trades["exit_time_ns"] = _phase_time(panel, trades["exit_bar"], ints[:, _kernel.T_EXIT_PHASE])
    trades["quantity"] = floats[:, _kernel.T_QUANTITY]
    paid, received = floats[:, _kernel.T_IN_VALUE], floats[:, _kernel.T_OUT_VALUE]
    trades["entry_price"] = paid / floats[:, _kernel.T_IN_QUANTITY]
    trades["exit_price"] = received / floats[:, _kernel.T_OUT_QUANTITY]
    trades["gross_pnl"] = trades["side"] * (received - paid)
    trades["fees"] = floats[:, _kernel.T_FEES]
    trades["funding"] = floats[:, _kernel.T_FUNDING]
    trades["slippage"] = floats[:, _kernel.T_SLIPPAGE]
    trades["net_pnl"] = trades["gross_pnl"] - trades["fees"] + trades["funding"]
    trades["return_frac"] = trades["net_pnl"] / paid
    trades["bars_held"] = trades["exit_bar"] - trades["entry_bar"] + 1
    trades["exit_reason"] = ints[:, _kernel.T_REASON]
    trades["is_ambiguous"] = ints[:, _kernel.T_AMBIGUOUS] == 1
    return trades


def _payments(funding: Funding, ints: Int2D, floats: Float2D) -> np.ndarray[Any, Any]:
    payments = np.zeros(len(ints), dtype=FUNDING_DTYPE)
    event = ints[:, 1]
    payments["bar"] = ints[:, 0]
    payments["time_ns"] = funding.time_ns[event]
    payments["symbol"] = funding.symbol_index[event]
    payments["rate"] = funding.rate[event]
    payments["trade"] = ints[:, 2]
    payments["position"] = floats[:, 0]
    payments["mark_price"] = floats[:, 1]
    payments["payment"] = floats[:, 2]
    return payments
