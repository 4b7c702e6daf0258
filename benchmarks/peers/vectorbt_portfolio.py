"""Many symbols on one shared cash in vectorbt: target percent of equity."""

import numpy as np
import pandas as pd

from .vectorbt_signals import most_orders, outcome
from .work import Outcome, PortfolioWork


def replay(work: PortfolioWork, engine: str, *, call_seq: str = "default") -> Outcome:
    """``Portfolio.from_orders`` with one group; ``call_seq="auto"`` sells before it buys."""
    import vectorbt as vbt

    size = np.full(work.weight.shape, np.nan)
    size[1:] = np.where(work.acts[:-1], work.weight[:-1], np.nan)
    portfolio = vbt.Portfolio.from_orders(
        work.close,
        size=size,
        size_type="targetpercent",
        price=work.open,
        val_price=work.open,
        fees=work.fee_frac,
        slippage=work.slippage_frac,
        init_cash=work.initial_cash,
        group_by=True,
        cash_sharing=True,
        call_seq=call_seq,
        max_orders=most_orders(work.acts),
        freq=pd.Timedelta(work.step_ns, "ns"),
        engine=engine,
    )
    return outcome(portfolio)
