"""Handing a run over to vectorbt, for its statistics and plots; see docs/vectorbt.md.

vectorbt is imported inside the functions: that takes seconds, and only who asks for it should pay.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine import PAYMENT_KINDS, Float1D, Int1D, Panel, ReplayResult, ReplayRules

if TYPE_CHECKING:
    import pandas as pd

    from .pipeline import RunResult

VECTORBT_ENGINE: Final = "numba"
"""Pinned: left alone, vectorbt takes its Rust engine where that happens to be installed."""
BUY, SELL = 0, 1
"""vectorbt's codes of an order's side."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VectorbtPortfolio:
    """A replay as vectorbt holds it, and beside it what vectorbt cannot hold.

    ``portfolio`` is a ``vectorbt.Portfolio`` with every fill of the replay, one account for all symbols
    and the mark as its close; its trades are the round trips of the ledger. ``funding``, ``borrow``
    (positive is received) and ``shortfall`` (what the venue bore) are series in settlement currency,
    summed over the symbols, at each close. ``equity_with_funding`` is the value of the portfolio
    plus all of these up to each close: the equity of the replay. ``is_inverse`` says that a unit of the
    portfolio is a quote unit priced in the coin, so that its longs are shorts of the contract.
    All series are indexed by close time (UTC).
    """

    portfolio: Any
    funding: "pd.Series[float]"
    borrow: "pd.Series[float]"
    shortfall: "pd.Series[float]"
    equity_with_funding: "pd.Series[float]"
    is_inverse: bool


def to_vectorbt(run: "RunResult") -> VectorbtPortfolio:
    """The replay of ``run`` as a vectorbt portfolio."""
    return replay_to_vectorbt(run.replay, run.panel, run.config.rules())


def replay_to_vectorbt(replay: ReplayResult, panel: Panel, rules: ReplayRules) -> VectorbtPortfolio:
    """``replay``, played over ``panel`` under ``rules``, as a vectorbt portfolio.

    The order records are written directly instead of being simulated again: a simulation of
    vectorbt takes one order of a symbol in a bar (a replay may have a reversal, rungs of a ladder and a
    re-entry there) and refuses what its cash cannot pay for (a margin account owes).
    """
    import pandas as pd
    import vectorbt as vbt

    index = pd.DatetimeIndex(panel.close_time.astype("datetime64[ns]"), name="close_time")
    is_inverse = rules.margin.contract == "inverse"
    mark = panel.close if panel.mark is None else panel.mark.close
    value = pd.DataFrame(
        1.0 / mark if is_inverse else mark, index=index, columns=list(panel.symbols)
    )
    alone = len(panel.symbols) == 1
    close = value.iloc[:, 0] if alone else value
    portfolio = vbt.Portfolio(
        vbt.ArrayWrapper.from_obj(
            close, freq=pd.Timedelta(panel.step_ns, "ns"), group_by=None if alone else True
        ),
        close,
        _order_records(replay, is_inverse),
        np.zeros(0, dtype=vbt.portfolio.enums.log_dt),
        np.array([rules.initial_cash]),
        cash_sharing=not alone,
        trades_type="positions",
        engine=VECTORBT_ENGINE,
    )

    def series(name: str, bars: Int1D, amounts: Float1D) -> "pd.Series[float]":
        sums = np.bincount(bars, weights=amounts, minlength=len(panel))
        return pd.Series(sums, index=index, name=name)

    payments, fills = replay.payments, replay.fills
    paid = {
        kind: series(
            kind, payments["bar"], np.where(payments["kind"] == code, payments["payment"], 0.0)
        )
        for code, kind in enumerate(PAYMENT_KINDS)
    }
    shortfall = series("shortfall", fills["bar"], fills["shortfall"])
    beside = (paid["funding"] + paid["borrow"] + shortfall).cumsum()
    return VectorbtPortfolio(
        portfolio=portfolio,
        funding=paid["funding"],
        borrow=paid["borrow"],
        shortfall=shortfall,
        equity_with_funding=(portfolio.value() + beside).rename("equity_with_funding"),
        is_inverse=is_inverse,
    )


def _order_records(replay: ReplayResult, is_inverse: bool) -> np.ndarray[Any, Any]:
    """The fills as vectorbt's order records, in the order in which they happened."""
    from vectorbt.portfolio.enums import order_dt

    fills = replay.fills
    records = np.zeros(len(fills), dtype=order_dt)
    records["id"] = np.arange(len(fills))
    records["col"] = fills["symbol"]
    records["idx"] = fills["bar"]
    records["size"] = fills["quantity"]
    records["price"] = 1.0 / fills["price"] if is_inverse else fills["price"]
    records["fees"] = fills["fee"]
    buys = (fills["side"] > 0) != is_inverse
    records["side"] = np.where(buys, BUY, SELL)
    return records
