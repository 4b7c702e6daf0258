"""Runs made by hand for the metrics: any equity curve, ledgers of given trades, no replay."""

import math
from typing import Any

import numpy as np

from engine import (
    FILL_DTYPE,
    METRICS,
    ORDER_DTYPE,
    PAYMENT_DTYPE,
    TRADE_DTYPE,
    AccountColumns,
    Float1D,
    Margin,
    Panel,
    ReplayResult,
    ReplayRules,
    timeframe_ns,
)
from engine.metrics import GROUPS, Evaluation, metrics
from tests.generators import START_NS

CASH = 1000.0
GROUP_OF = {metric.name: metric.group for metric in METRICS}


def flat_panel(
    rows: int, *, timeframe: str = "1h", symbols: tuple[str, ...] = ("A",), start_ns: int = START_NS
) -> Panel:
    """Symbols that stand at 100 and trade 50 units a bar."""
    shape = (rows, len(symbols))
    price = np.full(shape, 100.0)
    return Panel(
        symbols=symbols,
        timeframe=timeframe,
        open_time=start_ns + timeframe_ns(timeframe) * np.arange(rows, dtype=np.int64),
        open=price,
        high=price,
        low=price,
        close=price,
        listed=np.ones(shape, dtype=np.bool_),
        is_gap=np.zeros(shape, dtype=np.bool_),
        volume=np.full(shape, 50.0),
    )


def result_of(equity: Any, **given: Any) -> ReplayResult:
    """A result with this equity and otherwise nothing in it, but what is given."""
    curve = np.asarray(equity, dtype=np.float64)
    zeros = np.zeros_like(curve)
    account = AccountColumns(curve, zeros, zeros, zeros, zeros)
    account = account._replace(
        **{name: given.pop(name) for name in AccountColumns._fields if name in given}
    )
    trades = given.pop("trades", np.zeros(0, dtype=TRADE_DTYPE))
    content = {
        "fills": np.zeros(0, dtype=FILL_DTYPE),
        "orders": np.zeros(0, dtype=ORDER_DTYPE),
        "payments": np.zeros(0, dtype=PAYMENT_DTYPE),
        "ruined_bar": -1,
        "ambiguous_exits": 0,
        "unresolved_bars": 0,
        "find_trades": lambda: trades,
        "find_account": lambda: account,
    }
    return ReplayResult(equity=curve, **{**content, **given})


def evaluation(
    equity: Any,
    *,
    timeframe: str = "1h",
    benchmark: Float1D | None = None,
    contract: str = "linear",
    start_ns: int = START_NS,
    **given: Any,
) -> Evaluation:
    """A run with this equity from an initial cash of ``CASH``."""
    curve = np.asarray(equity, dtype=np.float64)
    return Evaluation(
        result_of(curve, **given),
        flat_panel(len(curve), timeframe=timeframe, start_ns=start_ns),
        ReplayRules(initial_cash=CASH, margin=Margin(contract=contract)),
        benchmark,
    )


def values_of(run: Evaluation) -> dict[str, float]:
    """All metrics of the run."""
    return metrics(run.result, run.panel, run.rules, run.benchmark)


def random_equity(rows: int, seed: int, *, volatility: float = 0.01, drift: float = 0.0) -> Float1D:
    """A geometric walk from ``CASH`` whose returns have fat tails and remember each other."""
    generator = np.random.default_rng(seed)
    shocks = generator.standard_t(4, size=rows)
    steps = drift + volatility * (shocks + 0.2 * np.concatenate(([0.0], shocks[:-1])))
    return CASH * np.cumprod(1.0 + np.clip(steps, -0.5, 0.5))


def trades_of(net: Any, **columns: Any) -> np.ndarray[Any, Any]:
    """Trades with these net results and the columns that are given."""
    results = np.asarray(net, dtype=np.float64)
    table = np.zeros(len(results), dtype=TRADE_DTYPE)
    table["trade"] = np.arange(len(results))
    table["side"] = 1
    table["net_pnl"] = results
    table["return_frac"] = results / 100.0
    table["r_multiple"] = np.nan
    for name, values in columns.items():
        table[name] = values
    return table


def nan_names(values: dict[str, float], *groups: str) -> set[str]:
    """Names of the undefined metrics of these groups (none given: of all)."""
    return {n for n, v in values.items() if math.isnan(v) and GROUP_OF[n] in (groups or GROUPS)}
