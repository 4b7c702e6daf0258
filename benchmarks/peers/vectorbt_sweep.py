"""K configurations over one symbol in vectorbt, a chunk of columns at a time."""

import gc

import numpy as np
import pandas as pd

from .vectorbt_signals import most_orders, outcome, signals
from .work import Outcome, SweepWork, changes


def sweep(
    work: SweepWork, engine: str, *, chunk: int = 50, collects_garbage: bool = True
) -> Outcome:
    """Every configuration through ``Portfolio.from_signals``, ``chunk`` at a time.

    A portfolio refers to itself: without ``collects_garbage``, which runs Python's collector after
    every chunk, some hundred megabytes become gigabytes, and it is no faster.
    """
    configurations = work.sides.shape[1]
    chunks = [
        _chunk(work, engine, columns, collects_garbage)
        for columns in (
            slice(start, min(start + chunk, configurations))
            for start in range(0, configurations, chunk)
        )
    ]
    return Outcome(
        *(
            np.concatenate([getattr(one, name) for one in chunks])
            for name in ("final_equity", "total_return", "sharpe", "max_drawdown")
        ),
        fills=sum(one.fills for one in chunks),
    )


def _chunk(work: SweepWork, engine: str, columns: slice, collects_garbage: bool) -> Outcome:
    import vectorbt as vbt

    side = work.sides[:, columns]
    acts = changes(side)
    acts[0] = side[0] != 0
    portfolio = vbt.Portfolio.from_signals(
        work.close[:, None],
        **signals(side, acts, engine),
        price=work.open[:, None],
        open=work.open[:, None],
        high=work.high[:, None],
        low=work.low[:, None],
        sl_stop=work.stop_frac[None, columns],
        tp_stop=work.take_profit_frac[None, columns],
        stop_entry_price="fillprice",
        stop_exit_price="stopmarket",
        fees=work.fee_frac,
        slippage=work.slippage_frac,
        init_cash=work.initial_cash,
        max_orders=most_orders(acts),
        freq=pd.Timedelta(work.step_ns, "ns"),
        engine=engine,
    )
    found = outcome(portfolio)
    if collects_garbage:
        del portfolio
        gc.collect(1)
    return found
