"""NautilusTrader on a file of work: prints its outcome and seconds as JSON.

Runs in an environment of its own, which has neither this project nor numba. A market order sent at a
bar's close fills there, not at the next open. The building of bar objects is not timed.
"""

import json
import sys
import time
from decimal import Decimal

import numpy as np


def main() -> None:
    """Read the arrays of one work, run it, print the figures."""
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig
    from nautilus_trader.model.currencies import BTC, USDT
    from nautilus_trader.model.data import Bar, BarType
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
    from nautilus_trader.model.instruments import CryptoPerpetual
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.trading.strategy import Strategy

    work = np.load(sys.argv[1])
    side, acts = work["side"].astype(np.int64).tolist(), work["acts"].tolist()
    stop, take_profit = float(work["stop_frac"]), float(work["take_profit_frac"])
    step_ns, cash = int(work["step_ns"]), float(work["initial_cash"])
    bars = len(side)
    fee = Decimal(str(float(work["fee_frac"]) + float(work["slippage_frac"])))
    venue = Venue("SIM")
    instrument_id = InstrumentId(Symbol("AUSDT-PERP"), venue)
    instrument = CryptoPerpetual(
        instrument_id=instrument_id,
        raw_symbol=Symbol("AUSDT"),
        base_currency=BTC,
        quote_currency=USDT,
        settlement_currency=USDT,
        is_inverse=False,
        price_precision=5,
        size_precision=3,
        price_increment=Price.from_str("0.00001"),
        size_increment=Quantity.from_str("0.001"),
        max_quantity=None,
        min_quantity=None,
        max_notional=None,
        min_notional=None,
        max_price=None,
        min_price=None,
        margin_init=Decimal("0.05"),
        margin_maint=Decimal("0.02"),
        maker_fee=fee,
        taker_fee=fee,
        ts_event=0,
        ts_init=0,
    )
    unit = "1-MINUTE" if step_ns == 60_000_000_000 else "1-HOUR"
    bar_type = BarType.from_str(f"{instrument_id}-{unit}-LAST-EXTERNAL")
    columns = [np.round(work[name], 5).tolist() for name in ("open", "high", "low", "close")]
    volume = Quantity.from_str("1000000000.000")
    data = [
        Bar(bar_type, *(Price(value, 5) for value in row), volume, time_ns, time_ns)
        for time_ns, row in zip(
            range(step_ns, (bars + 1) * step_ns, step_ns), zip(*columns, strict=True), strict=True
        )
    ]

    class TargetSide(Strategy):
        def on_start(self) -> None:
            self.row = -1
            self.equity: list[float] = []
            self.subscribe_bars(bar_type)

        def on_bar(self, bar: Bar) -> None:
            self.row += 1
            account = self.portfolio.account(venue)
            pnl = self.portfolio.unrealized_pnl(instrument_id)
            equity = account.balance_total(USDT).as_double() + (pnl.as_double() if pnl else 0.0)
            self.equity.append(equity)
            if not acts[self.row]:
                return
            self.cancel_all_orders(instrument_id)
            self.close_all_positions(instrument_id)
            wanted = side[self.row]
            if not wanted:
                return
            price = bar.close.as_double()
            bracket = self.order_factory.bracket(
                instrument_id=instrument_id,
                order_side=OrderSide.BUY if wanted > 0 else OrderSide.SELL,
                quantity=instrument.make_qty(0.99 * equity / price),
                sl_trigger_price=instrument.make_price(price * (1 - wanted * stop)),
                tp_price=instrument.make_price(price * (1 + wanted * take_profit)),
            )
            self.submit_order_list(bracket)

    engine = BacktestEngine(
        config=BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        venue=venue,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USDT,
        starting_balances=[Money(cash, USDT)],
    )
    engine.add_instrument(instrument)
    engine.add_data(data)
    strategy = TargetSide()
    engine.add_strategy(strategy)
    started = time.perf_counter()
    engine.run()
    equity = np.array(strategy.equity)
    returns = np.diff(equity) / equity[:-1]
    per_year = 365 * 86_400 * 1e9 / step_ns
    figures = {
        "final_equity": float(equity[-1]),
        "total_return": float(equity[-1] / cash - 1),
        "sharpe": float(returns.mean() / returns.std(ddof=1) * np.sqrt(per_year)),
        "max_drawdown": float((equity / np.maximum.accumulate(equity) - 1).min()),
    }
    seconds = time.perf_counter() - started
    filled = sum(order.is_closed and order.filled_qty > 0 for order in engine.cache.orders())
    print(json.dumps({"seconds": seconds, "bars": bars, **figures, "fills": filled}))
    engine.dispose()


if __name__ == "__main__":
    main()
