"""An ablation as a terminal table that fits 80 columns, and as plain values."""

import math
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from .ablation import ALL, ALONE, WITHOUT, Ablation
from .formats import formatted, spoken
from .tables import table_of

SHOWN: Final = (("sharpe", "ratio"), ("total_return", "fraction"), ("trades", "count"))


def print_ablation(found: Ablation, console: Console) -> None:
    """A row for each head: its data, the run without it and the run of it alone."""
    whole = found.run(ALL).metrics
    console.print(
        f"[bold]{escape(found.config.name)}[/]  all {len(found.present)} heads: "
        + ", ".join(f"{spoken(name)} {_shown(whole, name, unit)}" for name, unit in SHOWN)
    )
    heads = [("head", "left"), ("has data", "right")]
    sides = [
        (f"{kind}\n{spoken(name.removeprefix('total_'))}", "right")
        for kind in (WITHOUT, ALONE)
        for name, _ in SHOWN
    ]
    table = table_of(None, [*heads, *sides])
    for head, present in found.present.items():
        cells = [
            _shown(found.run(kind, head).metrics, name, unit)
            for kind in (WITHOUT, ALONE)
            for name, unit in SHOWN
        ]
        table.add_row(escape(spoken(head)), f"{present:.1%}", *cells)
    console.print(table)
    console.print(
        f"A head alone needs no other to agree (quorum 1). {len(found.runs)} runs on one history: some "
        "differences of any size are luck, and no ledger counts them as trials."
    )


def ablation_json(found: Ablation) -> dict[str, Any]:
    """An ablation as plain values, with every metric of every run."""
    return {
        "name": found.config.name,
        "config_hash": found.config_hash,
        "data_fingerprint": found.data_fingerprint,
        "present": dict(found.present),
        "runs": [
            {
                "kind": one.kind,
                "head": one.head,
                "overrides": list(one.overrides),
                "metrics": dict(one.metrics),
            }
            for one in found.runs
        ],
    }


def _shown(values: Mapping[str, float], name: str, unit: str) -> str:
    value = values[name]
    return formatted(None if math.isnan(value) else value, unit)
