"""Sweeps as terminal tables that fit 80 columns."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from engine import METRICS

from .formats import counted, formatted, spoken
from .sweeps.families import FamilyCount
from .tables import table_of

UNITS: Mapping[str, str] = {
    "final_equity": "settlement currency",
    "traded_notional": "settlement currency",
    "cash_turnover": "per year",
    "psr": "ratio",
    "dsr": "ratio",
    **{metric.name: metric.unit for metric in METRICS},
}
SHOWN = ("sharpe", "total_return", "max_drawdown", "trades")
"""Metrics beside the objectives."""


def print_top(sweep_id: str, rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """The best trials: scores, a few metrics, and under each what it holds."""
    objectives = rows[0]["objectives"]
    names = list(dict.fromkeys((*objectives, *SHOWN)))
    # A trial that was judged with its neighbours is ranked by their quantile, not by its own number.
    is_judged = any(
        score != row["metrics"][name]
        for row in rows
        for name, score in zip(objectives, row["score"], strict=True)
    )
    scores = [(f"quantile of {spoken(name)}", "right") for name in objectives]
    table = table_of(
        escape(sweep_id),
        [
            ("trial", "right"),
            *(scores if is_judged else ()),
            *((spoken(name), "right") for name in names),
        ],
    )
    for row in rows:
        judged = [
            formatted(score, UNITS[name])
            for name, score in zip(objectives, row["score"], strict=True)
        ]
        table.add_row(
            str(row["trial"]),
            *(judged if is_judged else ()),
            *(formatted(row["metrics"][name], UNITS[name]) for name in names),
        )
    console.print(table)
    best = rows[0]
    console.print(f"trial {best['trial']}:")
    for path, value in best["values"].items():
        if isinstance(value, Mapping):
            for head, weight in value.items():
                console.print(f"  {escape(path)}.{escape(head)}: {weight:.4g}")
        else:
            shown = f"{value:.6g}" if isinstance(value, float) else json.dumps(value)
            console.print(f"  {escape(path)}: {escape(shown)}")


def print_sweeps(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Every sweep: family, how far it is, its best score."""
    if not rows:
        console.print("no sweeps yet; `ninefold sweep run CONFIG` begins one")
        return
    table = table_of(
        None,
        [
            ("sweep", "left"),
            ("family", "left"),
            ("trials", "right"),
            ("of", "right"),
            ("best", "right"),
        ],
    )
    for row in rows:
        best = "n/a" if row["best"] is None else ", ".join(f"{x:.4g}" for x in row["best"])
        table.add_row(
            escape(row["sweep_id"]),
            escape(row["family"]),
            f"{row['trials']:,}",
            f"{row['planned']:,}",
            best,
        )
    console.print(table)


def print_family(family: str, count: FamilyCount, console: Console) -> None:
    """How many trials a family has cost so far."""
    console.print(
        f"family {escape(family)}: {counted(count.trials, 'trial')} in {counted(count.sweeps, 'sweep')}, "
        f"{count.infeasible:,} infeasible, {count.failed:,} failed; runs by hand: {count.by_hand:,}"
        + (f" ({counted(count.unreadable, 'run')} cannot be read)" if count.unreadable else "")
    )
