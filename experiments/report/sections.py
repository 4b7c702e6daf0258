"""The words and tables of the page, as plain values that the template prints."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import yaml

from ..firing import SYMBOLS_APART, over_symbols
from ..formats import formatted, is_of_equity, is_silent, metric_label
from ..notes import grouped_notes
from ..record import RunRecord
from ..rules_text import rules_text
from ..verdict import ambiguity, verdict
from .figures import cost_split, floats

TILES: Final = (
    ("total_return", "total return"),
    ("annual_return", "a year"),
    ("sharpe", "Sharpe"),
    ("max_drawdown", "max drawdown"),
    ("trades", "trades"),
    ("exposure", "time in the market"),
)
CONVENTIONS: Final = (
    "A year has 365 days; ratios are annualised with bars per year.",
    "Risk-free rate 0. Returns are simple (arithmetic) from bar to bar, equity compounds.",
    "Standard deviations have ddof 1. Equity is marked to market at every close.",
    "Every figure is net of fees, spread, impact, funding and borrowing unless it says otherwise.",
    "A vote of bar t is known at its close and fills no earlier than the open of bar t + 1.",
    "Buy & hold buys equal parts of every traded symbol at its first open, without costs; it is always "
    "fully invested, the run only as far as mean gross exposure says. For inverse contracts it is the "
    "initial cash in coins, kept: a run is ahead when it ends with more coins.",
    "Money is in settlement currency: the quote currency, or the base coin of inverse contracts.",
    "n/a means undefined, not zero. Times are UTC.",
)


def page_values(record: RunRecord, tables: Mapping[str, pa.Table]) -> dict[str, Any]:
    """Everything that the template needs apart from the pictures."""
    content = record.content
    return {
        "run": content,
        "verdict": verdict(content),
        "tiles": [
            (label, formatted(content["metrics"][name], content["metric_units"][name]))
            for name, label in TILES
        ],
        "metric_groups": _metric_groups(content),
        "firing": _firings(content["firing"]),
        "notes": _notes(content),
        "costs": _cost_rows(tables["trades"]),
        "breakdowns": _breakdowns(tables["trades"]),
        "limits": _limit_rows(tables["orders"]),
        "orders": _order_rows(tables["orders"]),
        "ambiguous": ambiguity(content),
        "years": _years(tables["equity"], float(content["config"]["initial_cash"])),
        "config_yaml": yaml.safe_dump(content["config"], sort_keys=False, allow_unicode=True),
        "conventions": CONVENTIONS,
        "rules": rules_text(content["config"]),
    }


def _metric_groups(
    content: Mapping[str, Any],
) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Rows of (label, run, buy and hold, text) by group; what is silent when 0 is left out then."""
    groups: dict[str, list[tuple[str, str, str, str]]] = {}
    for name, value in content["metrics"].items():
        if is_silent(name, value):
            continue
        unit = content["metric_units"][name]
        held = content["benchmark_metrics"][name]
        groups.setdefault(content["metric_groups"][name], []).append(
            (
                metric_label(name, unit),
                formatted(value, unit),
                formatted(held, unit) if is_of_equity(content["metric_groups"][name]) else "",
                content["metric_texts"][name],
            )
        )
    return list(groups.items())


def _limit_rows(orders: pa.Table) -> list[tuple[str, int, int, str, str]]:
    """Orders whose size a limit decided: how many, how many rejected, wanted and granted notional."""
    limit = np.asarray(orders["limit"].to_pylist(), dtype=object)
    rejected = np.asarray(orders["status"].to_pylist(), dtype=object) == "rejected"
    wanted, granted = floats(orders["wanted_notional"]), floats(orders["granted_notional"])
    rows = []
    for name in dict.fromkeys(limit):
        chosen = limit == name
        if name != "none":
            rows.append(
                (
                    str(name).replace("_", " "),
                    int(chosen.sum()),
                    int((chosen & rejected).sum()),
                    f"{wanted[chosen].sum():,.2f}",
                    f"{granted[chosen].sum():,.2f}",
                )
            )
    return sorted(rows, key=lambda row: -row[1])


def _order_rows(orders: pa.Table) -> list[tuple[str, int, str]]:
    """How orders ended, by kind: (kind and status, count, share)."""
    ends = [
        f"{kind} {status}"
        for kind, status in zip(
            orders["kind"].to_pylist(), orders["status"].to_pylist(), strict=True
        )
    ]
    return [
        (end, ends.count(end), f"{ends.count(end) / len(ends):.1%}") for end in sorted(set(ends))
    ]


def _firings(firings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The table of each symbol; of many symbols folded, below one of all of them."""
    is_many = len(firings) > SYMBOLS_APART
    tables = [_firing(firing) | {"is_folded": is_many} for firing in firings]
    return [_firing(over_symbols(firings)) | {"is_folded": False}, *tables] if is_many else tables


def _notes(content: Mapping[str, Any]) -> dict[str, list[str]]:
    """The notes on a run, those of many symbols together; ``each`` of them where that left any out."""
    notes, symbols = list(content["notes"]), content["symbols"]
    grouped = grouped_notes(notes, symbols) if len(symbols) > SYMBOLS_APART else notes
    return {"told": grouped, "each": notes if len(grouped) < len(notes) else []}


def _firing(firing: Mapping[str, Any]) -> dict[str, Any]:
    bars = firing["bars"]
    return {
        **firing,
        "gate_rows": [
            (name.replace("_", " "), count, f"{count / bars:.2%}")
            for name, count in firing["gates"].items()
        ],
        "agreeing_rows": [
            (number, count, f"{count / bars:.2%}")
            for number, count in enumerate(firing["agreeing_heads"])
            if count
        ],
        "voting_heads": sum(head["voted"] > 0 for head in firing["heads"]),
        "silent": [
            head["name"].replace("_", " ") for head in firing["heads"] if head["voted"] == 0
        ],
    }


def _cost_rows(trades: pa.Table) -> list[tuple[str, str, str]]:
    steps = cost_split(trades)
    before = abs(steps[0][1])
    return [
        (name, f"{value:,.2f}", f"{value / before:+.1%}" if before > 0 else "n/a")
        for name, value in steps
    ]


def _breakdowns(trades: pa.Table) -> list[tuple[str, list[tuple[str, int, str, str]]]]:
    sides = np.where(floats(trades["side"]) > 0, "long", "short")
    groups = (
        ("symbol", np.asarray(trades["symbol"].to_pylist(), dtype=object)),
        ("side", sides.astype(object)),
        ("exit", np.asarray(trades["exit_reason"].to_pylist(), dtype=object)),
    )
    net = floats(trades["net_pnl"])
    return [(title, _group_rows(labels, net)) for title, labels in groups]


def _group_rows(labels: Any, net: Any) -> list[tuple[str, int, str, str]]:
    rows = []
    for label in sorted(set(labels)):
        chosen = net[labels == label]
        rows.append(
            (
                str(label).replace("_", " "),
                len(chosen),
                f"{float((chosen > 0).mean()):.1%}",
                f"{float(chosen.sum()):,.2f}",
            )
        )
    return rows


def _years(equity: pa.Table, initial_cash: float) -> list[tuple[str, str, str]]:
    time = np.asarray(equity["time"].cast(pa.int64())) - 1
    year = time.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    rows, before = [], {"equity": initial_cash, "buy_and_hold": initial_cash}
    for number in np.unique(year):
        last = int(np.flatnonzero(year == number)[-1])
        cells = []
        for name in ("equity", "buy_and_hold"):
            after = float(floats(equity[name])[last])
            share = after / before[name] - 1.0 if before[name] > 0 else None
            cells.append(formatted(share, "fraction"))
            before[name] = after
        rows.append((str(int(number)), cells[0], cells[1]))
    return rows
