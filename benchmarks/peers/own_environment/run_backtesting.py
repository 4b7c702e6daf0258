"""backtesting.py on a file of work: prints its outcome and seconds as JSON.

Runs in an environment of its own, which has neither this project nor numba. backtesting.py trades
whole units and computes its statistics within the run.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd


def main() -> None:
    """Read the arrays of one work, run it, print the figures."""
    from backtesting import Backtest, Strategy

    work = np.load(sys.argv[1])
    side, acts = work["side"].astype(np.int64), work["acts"]
    stop, take_profit = float(work["stop_frac"]), float(work["take_profit_frac"])

    class TargetSide(Strategy):
        def init(self) -> None:
            pass

        def next(self) -> None:
            row = len(self.data) - 1
            if not acts[row]:
                return
            self.position.close()
            price = self.data.Close[-1]
            if side[row] > 0:
                self.buy(sl=price * (1 - stop), tp=price * (1 + take_profit))
            elif side[row] < 0:
                self.sell(sl=price * (1 + stop), tp=price * (1 - take_profit))

    bars = len(side)
    frame = pd.DataFrame(
        {name.capitalize(): work[name] for name in ("open", "high", "low", "close")},
        index=pd.to_datetime(np.arange(bars) * int(work["step_ns"]), unit="ns"),
    )
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backtest = Backtest(
            frame,
            TargetSide,
            cash=float(work["initial_cash"]),
            commission=float(work["fee_frac"]),
            spread=float(work["slippage_frac"]),
            finalize_trades=True,
        )
        stats = backtest.run()
    seconds = time.perf_counter() - started
    print(
        json.dumps(
            {
                "seconds": seconds,
                "bars": bars,
                "final_equity": float(stats["Equity Final [$]"]),
                "total_return": float(stats["Return [%]"]) / 100,
                "sharpe": float(stats["Sharpe Ratio"]),
                "max_drawdown": float(stats["Max. Drawdown [%]"]) / 100,
                "fills": int(stats["# Trades"]),
            }
        )
    )


if __name__ == "__main__":
    main()
