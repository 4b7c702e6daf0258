"""vectorbt's two engines on arrays: one shared account over some symbols, played by numba or by Rust.

The functions of ``vectorbt.portfolio.dispatch`` are what ``Portfolio.from_orders``, ``from_signals`` and
``value`` call; without the pandas around them a case takes a millisecond instead of twenty.
"""

from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

import numpy as np

from engine import Float1D, Float2D, Panel, ReplayResult

VERSION: Final = "1.2.0"
ENGINES: Final = ("numba", "rust")
RELATIVE: Final = 1e-9


def require_both_engines() -> None:
    """Fail, rather than skip, without exactly the engines that are named here."""
    for package in ("vectorbt", "vectorbt-rust"):
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            found = "missing"
        assert found == VERSION, f"{package} is {found}; install {package}=={VERSION} (extra: test)"


@dataclass(frozen=True)
class Simulation:
    """What vectorbt says happened: order and position records, and the account's value at each close."""

    orders: np.ndarray[Any, Any]
    positions: np.ndarray[Any, Any]
    equity: Float1D


def simulate_orders(
    engine: str, panel: Panel, initial_cash: float, share_of_equity: Float2D, **arguments: Any
) -> Simulation:
    """``from_orders`` with target percentages of the equity at the last close, filled at the open.

    ``val_price=-inf`` values the account at the last close, but vectorbt then also turns the wanted
    value into a size at that close: the percentage is stretched by close / open to get the size at
    the open. NaN places no order.
    """
    from vectorbt.portfolio import dispatch
    from vectorbt.portfolio.enums import SizeType

    mark = _mark(panel)
    stretched = np.full_like(share_of_equity, np.nan)
    stretched[1:] = share_of_equity[1:] * mark[:-1] / panel.open[1:]
    records, _ = dispatch.simulate_from_orders(
        *_account(panel, initial_cash),
        size=stretched,
        size_type=np.asarray(SizeType.TargetPercent),
        val_price=np.asarray(-np.inf),
        **_common(panel, mark),
        **_arrays(arguments),
        engine=engine,
    )
    return _valued(engine, records, mark, initial_cash)


def simulate_signals(
    engine: str, panel: Panel, initial_cash: float, size_type: str, **arguments: Any
) -> Simulation:
    """``from_signals`` with stops at percentages of the fill price, filled as market orders."""
    from vectorbt.portfolio import dispatch
    from vectorbt.portfolio.enums import SizeType, StopEntryPrice, StopExitPrice

    mark = _mark(panel)
    records, _ = dispatch.simulate_from_signals(
        *_account(panel, initial_cash),
        size_type=np.asarray(getattr(SizeType, size_type)),
        open=panel.open,
        high=panel.high,
        low=panel.low,
        stop_entry_price=np.asarray(StopEntryPrice.FillPrice),
        stop_exit_price=np.asarray(StopExitPrice.StopMarket),
        **_common(panel, mark),
        **_arrays(arguments),
        engine=engine,
    )
    return _valued(engine, records, mark, initial_cash)


def _mark(panel: Panel) -> Float2D:
    return panel.close if panel.mark is None else panel.mark.close


def _account(panel: Panel, initial_cash: float) -> tuple[Any, ...]:
    shape = panel.open.shape
    call_order = np.tile(np.arange(shape[1]), (shape[0], 1))
    return shape, np.array([shape[1]]), np.array([initial_cash]), call_order


def _common(panel: Panel, mark: Float2D) -> dict[str, Any]:
    return {
        "price": panel.open,
        "close": mark,
        "raise_reject": np.asarray(True),
        "max_orders": mark.size,
    }


def _arrays(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in arguments.items()}


def _valued(engine: str, records: Any, mark: Float2D, initial_cash: float) -> Simulation:
    from vectorbt.portfolio import dispatch
    from vectorbt.records.dispatch import col_map

    shape, group = mark.shape, np.array([mark.shape[1]])
    orders_by_column = col_map(records["col"], shape[1], engine=engine)
    bought = dispatch.asset_flow(shape, records, orders_by_column, 2, engine=engine)
    held = dispatch.asset_value(mark, dispatch.assets(bought, engine=engine), engine=engine)
    paid = dispatch.cash_flow(shape, records, orders_by_column, False, engine=engine)
    cash = dispatch.cash_grouped(
        shape,
        dispatch.cash_flow_grouped(paid, group, engine=engine),
        group,
        np.array([initial_cash]),
        engine=engine,
    )
    equity = dispatch.value(
        cash, dispatch.asset_value_grouped(held, group, engine=engine), engine=engine
    )
    exits = dispatch.get_exit_trades(records, mark, orders_by_column, engine=engine)
    trades_by_column = col_map(exits["col"], shape[1], engine=engine)
    positions = dispatch.get_positions(exits, trades_by_column, engine=engine)
    return Simulation(records, positions, equity[:, 0])


def assert_agree(ours: ReplayResult, theirs: Simulation, engine: str) -> None:
    """Equity at every close, every fill, every round trip, to 1e-9."""
    np.testing.assert_allclose(theirs.equity, ours.equity, rtol=RELATIVE, err_msg=engine)
    _assert_same_fills(ours, theirs, engine)
    order = np.lexsort((ours.trades["trade"], ours.trades["symbol"]))
    trades, positions = ours.trades[order], theirs.positions
    assert len(positions) == len(trades), engine
    for mine, other in (("symbol", "col"), ("entry_bar", "entry_idx"), ("exit_bar", "exit_idx")):
        np.testing.assert_array_equal(positions[other], trades[mine], err_msg=f"{engine} {mine}")
    np.testing.assert_array_equal(positions["direction"], np.where(trades["side"] > 0, 0, 1))
    for name in ("entry_price", "exit_price"):
        np.testing.assert_allclose(
            positions[name], trades[name], rtol=RELATIVE, err_msg=f"{engine} {name}"
        )
    fees = positions["entry_fees"] + positions["exit_fees"]
    notional = trades["quantity"] * trades["entry_price"]
    for other, mine, unit in (
        (fees, trades["fees"], notional),
        (positions["pnl"], trades["net_pnl"], notional),
        (positions["return"], trades["return_frac"], 1.0),
    ):
        assert (np.abs(other - mine) <= RELATIVE * unit).all(), engine


def _assert_same_fills(ours: ReplayResult, theirs: Simulation, engine: str) -> None:
    """A reversal is two fills here and one order there: fills of one bar and symbol are added up."""
    expected = _added_up(
        ours.fills["bar"],
        ours.fills["symbol"],
        ours.fills["side"] * ours.fills["quantity"],
        ours.fills["price"],
        ours.fills["fee"],
    )
    signed = np.where(theirs.orders["side"] == 0, 1, -1) * theirs.orders["size"]
    columns = (theirs.orders[name] for name in ("price", "fees"))
    found = _added_up(theirs.orders["idx"], theirs.orders["col"], signed, *columns)
    assert sorted(found) == sorted(expected), engine
    for key, numbers in expected.items():
        np.testing.assert_allclose(
            found[key], numbers, rtol=RELATIVE, atol=1e-12, err_msg=f"{engine} {key}"
        )


def _added_up(bars: Any, symbols: Any, signed: Any, prices: Any, fees: Any) -> dict[Any, Any]:
    sums: dict[tuple[int, int], tuple[float, float, float]] = {}
    for bar, symbol, quantity, price, fee in zip(bars, symbols, signed, prices, fees, strict=True):
        before = sums.get((int(bar), int(symbol)), (0.0, price, 0.0))
        assert price == before[1], "all fills of a bar and symbol are at one price in these cases"
        sums[int(bar), int(symbol)] = (before[0] + quantity, price, before[2] + fee)
    return sums
