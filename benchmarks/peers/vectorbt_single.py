"""One configuration over one symbol in vectorbt, with stop and take-profit."""

import pandas as pd

from .vectorbt_signals import most_orders, outcome, signals
from .work import Outcome, SingleWork


def replay(work: SingleWork, engine: str) -> Outcome:
    """``Portfolio.from_signals`` with ``engine`` ``numba`` or ``rust``, and its statistics.

    vectorbt never checks the levels on the bar of the entry, and drops a decision where the bar that
    would fill it touches a level of the position held. Otherwise its rules are ours: the open where the
    bar opens beyond a level, the stop before the take-profit.
    """
    import vectorbt as vbt

    portfolio = vbt.Portfolio.from_signals(
        work.close,
        **signals(work.side, work.acts, engine),
        price=work.open,
        open=work.open,
        high=work.high,
        low=work.low,
        sl_stop=work.stop_frac,
        tp_stop=work.take_profit_frac,
        stop_entry_price="fillprice",
        stop_exit_price="stopmarket",
        fees=work.fee_frac,
        slippage=work.slippage_frac,
        init_cash=work.initial_cash,
        max_orders=most_orders(work.acts),
        freq=pd.Timedelta(work.step_ns, "ns"),
        engine=engine,
    )
    return outcome(portfolio)
