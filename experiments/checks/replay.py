"""Checks of the replay: no fill may know its own bar, let alone a later one."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from engine import ORDER_STATUSES, PAYMENT_KINDS, PHASES, REASONS, ReplayResult, ReplayRules, replay

from .prefix import SEED, first_difference
from .replay_altered import with_other_decisions, with_other_prices
from .replay_case import Replay, ReplayCase
from .report import CheckRow
from .subjects import Rows

TIMING_CUTS = 60
OPEN_PHASE: Final = PHASES.index("open")
AT_THE_CUT: Final = tuple(REASONS.index(reason) for reason in ("end_of_data", "delisted"))
"""Closings that every prefix has at its own last bar."""
EXECUTED: Final = tuple(ORDER_STATUSES.index(status) for status in ("filled", "rejected"))
"""Orders that ended inside a bar; the others end at its close, which a prefix does not decide on."""


def replay_rows(case: ReplayCase, replay_function: Replay = replay) -> Rows:
    """A replay as ``(T,)`` arrays of what is known at each close.

    Left out are the closings at the end of the data, which every prefix has at another place: fills
    and trades that end so, and the account after the last close. ``*_before`` at row *t* is therefore
    the account at close *t* - 1, and what happens to orders at close *t* - 1 stands in row *t*.
    """
    result = case.result(replay_function)
    rows = {
        **_fill_rows(result, len(case.panel)),
        **_payment_rows(result, len(case.panel)),
        **_order_rows(result, len(case.panel)),
        **_trade_rows(result, len(case.panel)),
        **_account_rows(result, case.rules.initial_cash),
    }
    return {name: column for name, column in rows.items() if name not in _idle(case.rules)}


def _idle(rules: ReplayRules) -> set[str]:
    """What these rules never let happen: a column of zeros would check nothing."""
    exits, costs = rules.exits, rules.costs
    targets = (exits.take_profit_atr, exits.take_profit_frac, exits.take_profit_r)
    has_target = bool(exits.ladder) or any(level is not None for level in targets)
    happens = {
        "replay.impact": costs.impact > 0,
        "replay.borrow": costs.borrow_annual > 0,
        "replay.ambiguous": has_target,
        "replay.initial_margin_before": rules.margin.mode != "none",
    }
    return {name for name, may_happen in happens.items() if not may_happen}


def _summed(bars: np.ndarray, weights: np.ndarray, rows: int) -> np.ndarray:
    return np.bincount(bars, weights=weights, minlength=rows)


def _fill_rows(result: ReplayResult, rows: int) -> dict[str, np.ndarray]:
    fills = result.fills[~np.isin(result.fills["reason"], AT_THE_CUT)]
    bars = fills["bar"]
    return {
        "replay.fills": np.bincount(bars, minlength=rows),
        "replay.filled": _summed(bars, fills["side"] * fills["quantity"], rows),
        "replay.price": _summed(bars, fills["price"], rows),
        "replay.fee": _summed(bars, fills["fee"], rows),
        "replay.spread": _summed(bars, fills["spread"], rows),
        "replay.impact": _summed(bars, fills["impact"], rows),
        "replay.reason": _summed(bars, fills["reason"] + 1.0, rows),
        "replay.fill_time": _summed(bars, (fills["time_ns"] // 1_000_000_000).astype(float), rows),
    }


def _payment_rows(result: ReplayResult, rows: int) -> dict[str, np.ndarray]:
    found = {}
    for code, kind in enumerate(PAYMENT_KINDS):
        paid = result.payments[result.payments["kind"] == code]
        found[f"replay.{kind}"] = _summed(paid["bar"], paid["payment"], rows)
    return found


def _order_rows(result: ReplayResult, rows: int) -> dict[str, np.ndarray]:
    orders = result.orders
    executed = np.isin(orders["status"], EXECUTED)
    done = orders[executed]
    placed = orders["decided_bar"] + 1
    ended = orders[~executed]
    ended = ended[ended["closed_bar"] + 1 < rows]
    return {
        "replay.orders": np.bincount(placed, minlength=rows)[:rows],
        "replay.order_target": _summed(placed, orders["target"], rows)[:rows],
        "replay.order_end": _summed(done["closed_bar"], done["status"] + 1.0, rows)
        + _summed(ended["closed_bar"] + 1, ended["status"] + 1.0, rows)[:rows],
        "replay.order_filled": _summed(done["closed_bar"], done["filled_quantity"], rows),
        "replay.granted": _summed(done["closed_bar"], done["granted_notional"], rows),
        "replay.limit": _summed(done["closed_bar"], done["limit"] + 1.0, rows),
    }


def _trade_rows(result: ReplayResult, rows: int) -> dict[str, np.ndarray]:
    trades = result.trades[~np.isin(result.trades["exit_reason"], AT_THE_CUT)]
    bars = trades["exit_bar"]
    return {
        "replay.trades": np.bincount(bars, minlength=rows),
        "replay.trade_return": _summed(bars, trades["return_frac"], rows),
        "replay.excursion": _summed(bars, trades["mae_frac"] + trades["mfe_frac"], rows),
        "replay.ambiguous": _summed(bars, trades["is_ambiguous"].astype(float), rows),
    }


def _account_rows(result: ReplayResult, initial_cash: float) -> dict[str, np.ndarray]:
    names = ("equity", "net_exposure", "initial_margin", "maintenance_margin")
    return {
        f"replay.{name}_before": np.concatenate(
            ([initial_cash if name == "equity" else 0.0], getattr(result, name)[:-1])
        )
        for name in names
    }


def _cuts(case: ReplayCase, count: int) -> np.ndarray:
    """Rows to disturb: half of them act, the others are drawn with a fixed seed."""
    generator = np.random.default_rng(SEED)
    acting = np.flatnonzero(case.decisions.acts.any(axis=1))
    acting = acting[(acting > 0) & (acting < len(case.panel) - 2)]
    if len(acting) > count // 2:
        acting = acting[np.linspace(0, len(acting) - 1, count // 2).astype(int)]
    others = generator.integers(1, len(case.panel) - 2, size=count - len(acting))
    return np.unique(np.concatenate((acting, others)))


def _open_fills(case: ReplayCase, result: ReplayResult, bar: int) -> np.ndarray:
    """Fills at the very open of a bar; those at the opens of later sub-bars know what came before."""
    fills = result.fills
    chosen: np.ndarray = fills[
        (fills["phase"] == OPEN_PHASE) & (fills["time_ns"] == case.panel.open_time[bar])
    ]
    return chosen[["symbol", "reason", "side", "quantity", "price"]]


def _opens(case: ReplayCase, fills: np.ndarray) -> np.ndarray:
    """The traded open at the time of each fill: of its sub-bar, or of the bar where that has none."""
    opens: np.ndarray = case.panel.open[fills["bar"], fills["symbol"]]
    if case.fine is None:
        return opens
    row = (fills["time_ns"] - case.fine.open_time[0]) // case.fine.step_ns
    exists = ~case.fine.is_gap[row, fills["symbol"]]
    return np.where(exists, case.fine.open[row, fills["symbol"]], opens)


def check_replay_prefix(
    case: ReplayCase, *, replay_function: Replay = replay, count: int = TIMING_CUTS
) -> list[CheckRow]:
    """The replay of a prefix is the prefix of the replay, exactly."""
    whole = replay_rows(case, replay_function)
    failures: dict[str, str] = {}
    cuts = _cuts(case, count)
    for cut in cuts:
        part = replay_rows(case.prefix(int(cut)), replay_function)
        for name, column in whole.items():
            row = first_difference(column, part[name])
            if row is not None:
                failures.setdefault(
                    name,
                    f"bar {row} is {part[name][row]!r} on the first {cut} bars, {column[row]!r} "
                    "on all",
                )
    return _rows("prefix", whole, failures, f"{len(cuts)} prefixes")


def check_replay_timing(
    case: ReplayCase, *, replay_function: Replay = replay, count: int = TIMING_CUTS
) -> list[CheckRow]:
    """Three promises about each fill.

    ``replay.decision``: nothing up to bar *t* changes when the decisions of row *t* and later do.
    ``replay.future``: nothing up to bar *t* changes when the prices of bar *t* + 1 and later do.
    ``replay.open``: the fills at the open of bar *t* do not change when the rest of that bar does, and
    each taker fill at an open has that open as its reference price.
    """
    whole = replay_rows(case, replay_function)
    result = case.result(replay_function)
    failures: dict[str, str] = {}
    cuts = _cuts(case, count)
    for cut in cuts:
        bar = int(cut)
        decided = with_other_decisions(case, bar, bar)
        _note(failures, "replay.decision", whole, replay_rows(decided, replay_function), bar + 1)
        priced = with_other_prices(case, bar + 1, bar)
        _note(failures, "replay.future", whole, replay_rows(priced, replay_function), bar + 1)
        changed = with_other_prices(case, bar, bar, keep_open=True).result(replay_function)
        if not np.array_equal(_open_fills(case, result, bar), _open_fills(case, changed, bar)):
            failures.setdefault(
                "replay.open", f"fills at the open of bar {bar} change with the rest of that bar"
            )
    fills = result.fills[(result.fills["phase"] == OPEN_PHASE) & ~result.fills["is_maker"]]
    opens = _opens(case, fills)
    wrong = np.flatnonzero(fills["reference_price"] != opens)
    if wrong.size:
        failures.setdefault(
            "replay.open",
            f"fill {int(wrong[0])} of bar {int(fills['bar'][wrong[0]])} refers to "
            f"{fills['reference_price'][wrong[0]]!r}, the open is {opens[wrong[0]]!r}",
        )
    names = ("replay.decision", "replay.future", "replay.open")
    text = f"{len(cuts)} bars, {len(result.fills)} fills"
    return [
        CheckRow("replay", name, name not in failures, failures.get(name, text)) for name in names
    ]


def _note(failures: dict[str, str], name: str, whole: Rows, changed: Rows, known: int) -> None:
    for label, column in whole.items():
        row = first_difference(column, changed[label][:known])
        if row is not None:
            failures.setdefault(
                name,
                f"{label} of bar {row} changes from {column[row]!r} to {changed[label][row]!r} "
                f"although only what follows bar {known - 1} was changed",
            )


def _rows(check: str, whole: Rows, failures: Mapping[str, str], text: str) -> list[CheckRow]:
    return [CheckRow(check, name, name not in failures, failures.get(name, text)) for name in whole]
