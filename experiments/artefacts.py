"""The tables of a run as Arrow: columns, units and order as docs/run-folder.md states them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from engine import PHASES, REASONS, ConfigError
from strategies import GATES

from .alignment import panel_rows
from .prices import PRICE_SOURCES

if TYPE_CHECKING:
    from .pipeline import RunResult

TIME: Final = pa.timestamp("us")
"""UTC, without a zone."""


def _time(nanoseconds: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(nanoseconds // 1_000, pa.int64()).cast(TIME)


def _names(codes: np.ndarray[Any, Any], names: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int8)), pa.array(list(names))
    ).cast(pa.string())


def equity_table(result: "RunResult") -> pa.Table:
    """One row for each bar of the panel, at its close."""
    return pa.table(
        {
            "time": _time(result.panel.close_time),
            "equity": result.replay.equity,
            "cash": result.replay.cash,
            "gross_exposure": result.replay.gross_exposure,
            "net_exposure": result.replay.net_exposure,
            "buy_and_hold": result.benchmark,
        }
    )


def fills_table(result: "RunResult") -> pa.Table:
    """One row for each fill, in the order in which they happened."""
    fills = result.replay.fills
    return pa.table(
        {
            "time": _time(fills["time_ns"]),
            "bar": fills["bar"],
            "symbol": _names(fills["symbol"], result.panel.symbols),
            "phase": _names(fills["phase"], PHASES),
            "reason": _names(fills["reason"], REASONS),
            "side": fills["side"],
            "quantity": fills["quantity"],
            "reference_price": fills["reference_price"],
            "price": fills["price"],
            "fee": fills["fee"],
            "slippage": fills["slippage"],
            "position_after": fills["position_after"],
            "cash_after": fills["cash_after"],
            "trade": fills["trade"],
        }
    )


def trades_table(result: "RunResult") -> pa.Table:
    """One row for each round trip, in the order of entry."""
    trades = result.replay.trades
    return pa.table(
        {
            "trade": trades["trade"],
            "symbol": _names(trades["symbol"], result.panel.symbols),
            "side": trades["side"],
            "entry_time": _time(trades["entry_time_ns"]),
            "exit_time": _time(trades["exit_time_ns"]),
            "entry_bar": trades["entry_bar"],
            "exit_bar": trades["exit_bar"],
            "quantity": trades["quantity"],
            "entry_price": trades["entry_price"],
            "exit_price": trades["exit_price"],
            "gross_pnl": trades["gross_pnl"],
            "fees": trades["fees"],
            "funding": trades["funding"],
            "slippage": trades["slippage"],
            "net_pnl": trades["net_pnl"],
            "return_frac": trades["return_frac"],
            "bars_held": trades["bars_held"],
            "exit_reason": _names(trades["exit_reason"], REASONS),
            "is_ambiguous": trades["is_ambiguous"],
        }
    )


def funding_table(result: "RunResult") -> pa.Table:
    """One row for each settlement of a position that was held."""
    payments = result.replay.funding_payments
    return pa.table(
        {
            "time": _time(payments["time_ns"]),
            "bar": payments["bar"],
            "symbol": _names(payments["symbol"], result.panel.symbols),
            "position": payments["position"],
            "mark_price": payments["mark_price"],
            "rate": payments["rate"],
            "payment": payments["payment"],
            "trade": payments["trade"],
        }
    )


def votes_table(result: "RunResult") -> pa.Table:
    """One row for each symbol and bar of its signals: heads, consensus, decision."""
    return pa.concat_tables([_votes(result, symbol) for symbol in result.panel.symbols])


def _votes(result: "RunResult", symbol: str) -> pa.Table:
    votes, opinion = result.votes[symbol], result.consensus[symbol]
    rows = len(votes)
    columns: dict[str, Any] = {
        "time": _time(votes.known_at),
        "symbol": pa.array([symbol] * rows, pa.string()),
    }
    for index, name in enumerate(votes.names):
        for part in ("direction", "probability", "confidence", "coverage", "score", "reasons"):
            columns[f"{name}_{part}"] = np.ascontiguousarray(getattr(votes, part)[:, index])
    for part in (
        "direction",
        "side",
        "probability",
        "confidence",
        "agreeing_weight",
        "signed_score",
        "legacy_score",
        "votes_for",
        "votes_against",
        "mask",
    ):
        columns[f"consensus_{part}"] = getattr(opinion, part)
    columns["consensus_gate"] = _names(opinion.gate, GATES)
    columns |= _decision_columns(result, symbol)
    return pa.table(columns)


def _decision_columns(result: "RunResult", symbol: str) -> dict[str, Any]:
    votes, panel = result.votes[symbol], result.panel
    column = panel.symbols.index(symbol)
    rows, inside = panel_rows(panel, votes.open_time)
    target, acts = np.zeros(len(votes)), np.zeros(len(votes), dtype=np.bool_)
    atr_frac = np.full(len(votes), np.nan)
    target[inside] = result.decisions.target[rows, column]
    acts[inside] = result.decisions.acts[rows, column]
    atr_frac[inside] = result.decisions.atr_frac[rows, column]
    return {
        "decision_target": target,
        "decision_acts": acts,
        "decision_atr_frac": pa.array(atr_frac, pa.float64(), from_pandas=True),
    }


def prices_table(result: "RunResult") -> pa.Table:
    """One row for each symbol and traded bar: the prices that fills refer to."""
    tables = []
    for symbol in result.panel.symbols:
        priced = result.data.prices[symbol]
        bars = priced.bars
        tables.append(
            pa.table(
                {
                    "time": _time(bars.close_time),
                    "open_time": _time(bars.open_time),
                    "symbol": pa.array([symbol] * len(bars), pa.string()),
                    "open": bars.open,
                    "high": bars.high,
                    "low": bars.low,
                    "close": bars.close,
                    "is_gap": bars.is_gap,
                    "price_source": _names(priced.source, PRICE_SOURCES),
                }
            )
        )
    return pa.concat_tables(tables)


ARTEFACTS: Final[Mapping[str, Callable[["RunResult"], pa.Table]]] = {
    "equity": equity_table,
    "fills": fills_table,
    "trades": trades_table,
    "funding": funding_table,
    "votes": votes_table,
    "prices": prices_table,
}
"""Every table of a run folder, by the name of its file."""


def artefact(result: "RunResult", name: str) -> pa.Table:
    """One table of ``result``; ConfigError listing the names when there is none called ``name``."""
    if name not in ARTEFACTS:
        raise ConfigError(f"a run has no table {name!r}; it has {', '.join(ARTEFACTS)}")
    return ARTEFACTS[name](result)
