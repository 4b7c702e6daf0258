"""The words and tables of the page, as plain values that the template prints."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import yaml

from ..formats import formatted, metric_label
from ..record import RunRecord
from ..tables import BENCHMARKED
from ..verdict import verdict
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
    "Every figure is net of taker fees, slippage and funding unless it says otherwise.",
    "A vote of bar t is known at its close and fills no earlier than the open of bar t + 1.",
    "Buy & hold buys equal parts of every traded symbol at its first open, without costs; it is always "
    "fully invested, the run only as far as mean gross exposure says.",
    "Money is in quote currency.",
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
        "metrics": _metric_rows(content),
        "firing": [_firing(firing) for firing in content["firing"]],
        "costs": _cost_rows(tables["trades"]),
        "breakdowns": _breakdowns(tables["trades"]),
        "years": _years(tables["equity"], float(content["config"]["account"]["initial_cash"])),
        "config_yaml": yaml.safe_dump(content["config"], sort_keys=False, allow_unicode=True),
        "conventions": CONVENTIONS,
        "rules": _rules(content["config"]),
    }


def _metric_rows(content: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            metric_label(name, content["metric_units"][name]),
            formatted(value, content["metric_units"][name]),
            formatted(content["benchmark_metrics"][name], content["metric_units"][name])
            if name in BENCHMARKED
            else "",
            content["metric_texts"][name],
        )
        for name, value in content["metrics"].items()
    ]


def _rules(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    execution, account, consensus = config["execution"], config["account"], config["consensus"]

    def multiple(value: float | None) -> str:
        return "none" if value is None else f"{value:g} average true ranges"

    time_stop = "none"
    if execution["time_stop_bars"] is not None:
        time_stop = f"{execution['time_stop_bars']} bars"
        if execution["time_stop_max_r"] is not None:
            time_stop += f", when the open result is below {execution['time_stop_max_r']:g} R"
    veto = consensus["max_opposite"]
    return [
        ("taker fee", f"{execution['taker_fee_bps']:g} bps of the notional, every fill"),
        ("slippage", f"{execution['slippage_bps']:g} bps of the price, every fill"),
        ("stop", multiple(execution["stop_atr"])),
        ("take profit", multiple(execution["take_profit_atr"])),
        ("time stop", time_stop),
        ("initial cash", f"{account['initial_cash']:,.2f}"),
        ("position", f"{account['position_fraction']:.1%} of equity for each symbol"),
        ("gross leverage", f"at most {account['max_gross_leverage']:g}"),
        ("head counts when", f"p ≥ {consensus['p_min']:g} and c ≥ {consensus['c_min']:g}"),
        (
            "consensus stands when",
            f"{consensus['quorum']} heads agree, weight ≥ {consensus['weight_min']:g}, signed score ≥ "
            f"{consensus['score_min']:g}, C ≥ {consensus['consensus_c_min']:g}, P ≥ "
            f"{consensus['consensus_p_min']:g}"
            + ("" if veto is None else f", at most {veto} oppose"),
        ),
    ]


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
