"""The sentences that stand above every result: what it does not show."""

from collections.abc import Mapping
from typing import Any, Final

FEW_TRADES: Final = 30
"""Below this many round trips no ratio of them says anything."""


def verdict(content: Mapping[str, Any]) -> list[str]:
    """What a reader must know before the numbers, from the content of run.json."""
    lines = []
    if content["simulated"]:
        lines.append(f"SIMULATED DATA: nothing here happened on any market.{_planted(content)}")
    if content["ruined_bar"] >= 0:
        lines.append("RUINED: equity reached zero and nothing was traded afterwards.")
    if content["liquidations"]:
        lines.append(f"LIQUIDATED: {content['liquidations']} fills were forced by the venue.")
    trades = content["n_trades"]
    if trades == 0:
        lines.append(f"NO TRADES: {_reason(content)}")
    elif trades < FEW_TRADES:
        lines.append(f"HARDLY ANY TRADES ({trades}): {_reason(content)}")
    if content["ambiguous_exits"]:
        lines.append(f"AMBIGUOUS: {ambiguity(content)}.")
    origin = content["config"].get("origin")
    if origin is not None:
        lines.append(
            f"CHOSEN: trial {origin['trial']} of the sweep {origin['sweep']}. The best of many looks good "
            f"by luck too; `ninefold validate {origin['sweep']}` says how much of it luck explains."
        )
    lines.append(
        "NOT KNOWN YET: whether any of this would repeat. One configuration on one history, no "
        "walk-forward, no correction for configurations tried, no test against chance; `ninefold validate` "
        "makes these tests."
    )
    return lines


def ambiguity(content: Mapping[str, Any]) -> str:
    """How many exits the bars leave open, and what would tell."""
    step = content["fine_timeframe"] or content["timeframe"]
    told = (
        f"{content['ambiguous_exits']} of {content['n_trades']} exits ambiguous: their {step} bar "
        "reached stop and target alike, and the stop was booked"
    )
    if content["fine_timeframe"] is None:
        return f"{told}; finer bars (data.fine_timeframe) would tell"
    return f"{told}; still finer bars would tell" if content["ambiguous_exits"] else told


def _planted(content: Mapping[str, Any]) -> str:
    simulated = content["config"]["data"].get("simulated")
    if not simulated or simulated["mode"] != "planted":
        return ""
    return (
        f" An edge of {simulated['planted_edge']:g} bps an hour and deviation was planted in "
        f"{simulated['planted_column']}: finding it is no news."
    )


def _reason(content: Mapping[str, Any]) -> str:
    if content["decisions_from"] != "consensus":
        return "the targets file asks for hardly any position inside the bars of the run; see the notes."
    bars = sum(firing["bars"] for firing in content["firing"])
    stands = sum(firing["gates"]["stands"] for firing in content["firing"])
    decisions = sum(firing["decisions"] for firing in content["firing"])
    blocked: dict[str, int] = {}
    for firing in content["firing"]:
        for name, count in firing["gates"].items():
            if name != "stands":
                blocked[name] = blocked.get(name, 0) + count
    worst = max(blocked, key=lambda name: blocked[name])
    return (
        f"the consensus stood on {stands} of {bars} bars and turned {decisions} times; most bars "
        f"({blocked[worst]}) were stopped first by: {worst.replace('_', ' ')}. The firing table shows "
        "which heads spoke."
    )
