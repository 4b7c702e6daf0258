"""backtrader on a file of work: prints its outcome and seconds as JSON.

Runs in an environment of its own, which has neither this project nor numba.
"""

import json
import sys
import time

import numpy as np
import pandas as pd


def main() -> None:
    """Read the arrays of one work, run it, print the figures."""
    import backtrader as bt

    work = np.load(sys.argv[1])
    side, acts = work["side"].astype(np.int64), work["acts"]
    stop, take_profit = float(work["stop_frac"]), float(work["take_profit_frac"])
    cash = float(work["initial_cash"])

    class TargetSide(bt.Strategy):
        def __init__(self) -> None:
            self.children: list[object] = []
            self.equity: list[float] = []
            self.filled = 0

        def notify_order(self, order: object) -> None:
            self.filled += order.status == order.Completed

        def next(self) -> None:
            row = len(self) - 1
            self.equity.append(self.broker.getvalue())
            if not acts[row]:
                return
            for order in self.children:
                self.cancel(order)
            self.children = []
            if self.position:
                self.close()
            if not side[row]:
                return
            price = self.data.close[0]
            long = side[row] > 0
            bracket = self.buy_bracket if long else self.sell_bracket
            direction = 1 if long else -1
            self.children = bracket(
                size=0.99 * self.broker.getvalue() / price,
                exectype=bt.Order.Market,
                stopprice=price * (1 - direction * stop),
                limitprice=price * (1 + direction * take_profit),
            )[1:]

    bars = len(side)
    frame = pd.DataFrame(
        {name: work[name] for name in ("open", "high", "low", "close")},
        index=pd.to_datetime(np.arange(bars) * int(work["step_ns"]), unit="ns"),
    )
    started = time.perf_counter()
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame, volume=None, openinterest=None))
    cerebro.addstrategy(TargetSide)
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(float(work["fee_frac"]))
    cerebro.broker.set_slippage_perc(float(work["slippage_frac"]))
    ran = cerebro.run()[0]
    equity = np.array(ran.equity)
    returns = np.diff(equity) / equity[:-1]
    per_year = 365 * 86_400 * 1e9 / int(work["step_ns"])
    figures = {
        "final_equity": float(equity[-1]),
        "total_return": float(equity[-1] / cash - 1),
        "sharpe": float(returns.mean() / returns.std(ddof=1) * np.sqrt(per_year)),
        "max_drawdown": float((equity / np.maximum.accumulate(equity) - 1).min()),
        "fills": ran.filled,
    }
    print(json.dumps({"seconds": time.perf_counter() - started, "bars": bars, **figures}))


if __name__ == "__main__":
    main()
