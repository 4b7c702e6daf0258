"""The tables of a run as Arrow: columns, units and order as docs/run-folder.md states them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from engine import (
    ACCOUNT_COLUMNS,
    LIMITS,
    ORDER_KINDS,
    ORDER_STATUSES,
    PAYMENT_KINDS,
    PHASES,
    REASONS,
    STYLES,
    ConfigError,
    Float2D,
)
from strategies import GATES

from .alignment import panel_rows
from .decisions import average_true_ranges
from .prices import PRICE_SOURCES
from .zones import zones_table

if TYPE_CHECKING:
    from .pipeline import RunResult

TIME: Final = pa.timestamp("us")
"""UTC, without a zone."""


def _time(nanoseconds: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(nanoseconds // 1_000, pa.int64()).cast(TIME)


def _names(codes: np.ndarray[Any, Any], names: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32)), pa.array(list(names))
    ).cast(pa.string())


def equity_table(result: "RunResult") -> pa.Table:
    """One row for each bar of the panel, at its close."""
    return pa.table(
        {
            "time": _time(result.panel.close_time),
            **{name: getattr(result.replay, name) for name in ACCOUNT_COLUMNS},
            "buy_and_hold": result.benchmark,
        }
    )


CODED: Final[Mapping[str, tuple[str, ...]]] = {
    "phase": PHASES,
    "reason": REASONS,
    "exit_reason": REASONS,
    "status": ORDER_STATUSES,
    "limit": LIMITS,
}
"""Columns of codes, and the words behind them, in every ledger that has them."""


def _ledger_table(
    result: "RunResult", ledger: np.ndarray[Any, Any], **coded: tuple[str, ...]
) -> pa.Table:
    """A ledger of the replay column by column: times as timestamps, codes as words, NaN as null."""
    words = {**CODED, **coded, "symbol": result.panel.symbols}
    columns: dict[str, Any] = {}
    for name in ledger.dtype.names or ():
        values = ledger[name]
        if name.endswith("time_ns"):
            columns[name.removesuffix("_ns")] = _time(values)
        elif name in words:
            columns[name] = _names(values, words[name])
        elif values.dtype.kind == "f":
            columns[name] = pa.array(values, pa.float64(), from_pandas=True)
        else:
            columns[name] = values
    return pa.table(columns)


def fills_table(result: "RunResult") -> pa.Table:
    """One row for each fill, in the order in which they happened."""
    return _ledger_table(result, result.replay.fills)


def orders_table(result: "RunResult") -> pa.Table:
    """One row for each order, in the order in which they were placed."""
    return _ledger_table(result, result.replay.orders, kind=ORDER_KINDS)


def trades_table(result: "RunResult") -> pa.Table:
    """One row for each round trip, in the order of entry."""
    return _ledger_table(result, result.replay.trades)


def payments_table(result: "RunResult") -> pa.Table:
    """One row for each payment of funding or borrowing on a position that was held."""
    return _ledger_table(result, result.replay.payments, kind=PAYMENT_KINDS)


def votes_table(result: "RunResult") -> pa.Table:
    """One row for each symbol and bar of its signals: heads, consensus, decision."""
    atr_frac = result.decisions.atr_frac
    if result.config.targets is not None:
        # Decisions hold a stand-in where a target comes before the range is known and needs none.
        atr_frac = average_true_ranges(result.config, result.data)
    return pa.concat_tables([_votes(result, symbol, atr_frac) for symbol in result.panel.symbols])


def _votes(result: "RunResult", symbol: str, atr_frac: Float2D) -> pa.Table:
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
    columns |= _decision_columns(result, symbol, atr_frac)
    return pa.table(columns)


def _decision_columns(result: "RunResult", symbol: str, atr_frac: Float2D) -> dict[str, Any]:
    votes, panel = result.votes[symbol], result.panel
    column = panel.symbols.index(symbol)
    rows, inside = panel_rows(panel, votes.open_time)

    def shown(name: str, otherwise: Any) -> np.ndarray[Any, Any]:
        given = atr_frac if name == "atr_frac" else getattr(result.decisions, name)
        values = np.full(len(votes), otherwise)
        if given is not None:
            values[inside] = given[rows, column]
        return values

    def number(name: str) -> pa.Array:
        return pa.array(shown(name, np.nan), pa.float64(), from_pandas=True)

    return {
        "decision_target": shown("target", 0.0),
        "decision_acts": shown("acts", False),
        "decision_atr_frac": number("atr_frac"),
        "decision_volatility": number("volatility"),
        "decision_style": _names(shown("style", np.int8(0)), STYLES),
        "decision_order_kind": _names(shown("order_kind", np.int8(0)), ORDER_KINDS),
        "decision_order_price": number("order_price"),
    }


def prices_table(result: "RunResult") -> pa.Table:
    """One row for each symbol and traded bar: the prices that fills refer to."""
    tables = []
    panel = result.panel
    marks = panel.close if panel.mark is None else panel.mark.close
    for column, symbol in enumerate(panel.symbols):
        priced = result.data.prices[symbol]
        bars = priced.bars
        rows, _ = panel_rows(panel, bars.open_time)
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
                    "mark_close": marks[rows, column],
                    "volume": bars.volume,
                    "is_gap": bars.is_gap,
                    "price_source": _names(priced.source, PRICE_SOURCES),
                }
            )
        )
    return pa.concat_tables(tables)


def leave_one_out_table(result: "RunResult") -> pa.Table:
    """One row for each enabled head and day: sums of the returns of the run without the head."""
    found = result.leave_one_out
    heads, blocks = (0, 0) if found is None else found.sums.shape[:2]
    last = np.empty(0, dtype=np.int64) if found is None else found.edges[1:] - 1
    sums = np.empty((0, 0, 2)) if found is None else found.sums
    names = [] if found is None else found.heads
    return pa.table(
        {
            "head": pa.array(np.repeat(np.array(names, dtype=object), blocks), pa.string()),
            "time": _time(np.tile(result.panel.close_time[last], heads)),
            "bars": np.tile(np.diff(last, prepend=-1), heads),
            "return_sum": sums[..., 0].ravel(),
            "square_sum": sums[..., 1].ravel(),
        }
    )


ARTEFACTS: Final[Mapping[str, Callable[["RunResult"], pa.Table]]] = {
    "equity": equity_table,
    "fills": fills_table,
    "orders": orders_table,
    "trades": trades_table,
    "payments": payments_table,
    "votes": votes_table,
    "prices": prices_table,
    "zones": zones_table,
    "leave_one_out": leave_one_out_table,
}
"""Every table of a run folder, by the name of its file."""


def artefact(result: "RunResult", name: str) -> pa.Table:
    """One table of ``result``; ConfigError listing the names when there is none called ``name``."""
    if name not in ARTEFACTS:
        raise ConfigError(f"a run has no table {name!r}; it has {', '.join(ARTEFACTS)}")
    return ARTEFACTS[name](result)
