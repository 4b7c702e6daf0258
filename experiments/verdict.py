"""The sentences that stand above every result: what came out in words, and what it does not show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from engine import DAY_NS, timeframe_ns

from .config_file import is_trial
from .formats import counted, formatted, spoken

FEW_TRADES: Final = 30
"""Below this many round trips no ratio of them says anything."""
IDLE_EXPOSURE: Final = 0.01
"""Share of the closes with a position below which a run hardly held any."""
DAYS_A_YEAR: Final = 365
Interval: TypeAlias = tuple[float, float] | None
Finding: TypeAlias = Literal["gain", "loss", "nothing", "unknown"]


def finding(content: Mapping[str, Any], interval: Interval) -> Finding:
    """What the 95 % interval of the Sharpe ratio says: above 0, below it, on both sides, or nothing."""
    if interval is None or content["n_trades"] == 0:
        return "unknown"
    low, high = interval
    if low > 0:
        return "gain"
    return "loss" if high < 0 else "nothing"


def headline(content: Mapping[str, Any], interval: Interval) -> str:
    """One sentence: what the run made, what holding made, the Sharpe ratio, and what that is evidence of.

    ``interval`` is the 95 % interval of the annual Sharpe ratio, None where there is none.
    """
    span = f"in {_span(content)}"
    held = f"where {_holding(content)} {_made(content['benchmark_metrics']['total_return'])}"
    if content["n_trades"] == 0:
        return f"Never traded {span}, {held}: there is nothing to judge."
    made = _made(content["metrics"]["total_return"])
    if content["ruined_bar"] >= 0:
        return f"Was ruined: it lost everything {span} {held}."
    ratio = content["metrics"]["sharpe"]
    if ratio is None:
        return (
            f"{_upper(made)} {span} {held}; its Sharpe ratio is undefined: no evidence of anything."
        )
    sharpe = f"Sharpe {_ratio(ratio)}"
    if interval is None:
        return (
            f"{_upper(made)} {span} {held}; {sharpe}, too short for an interval: no evidence of "
            "anything."
        )
    between = f"95 % interval {_ratio(interval[0])} to {_ratio(interval[1])}"
    return f"{_upper(made)} {span} {held}; {sharpe}, {between}: {_evidence(content, interval)}."


def _evidence(content: Mapping[str, Any], interval: Interval) -> str:
    if 0 < content["n_trades"] < FEW_TRADES:
        return f"{_trades(content)} no evidence of anything"
    found = finding(content, interval)
    if found == "nothing":
        return "no evidence of anything, chance alone gives as much"
    if found == "loss":
        return "evidence that these rules lose"
    if content["config"].get("origin") is not None:
        return "above zero, and chosen as one of many, which alone can do that"
    return "above zero on this one history"


def _trades(content: Mapping[str, Any]) -> str:
    count = content["n_trades"]
    return f"{counted(count, 'trade')} {'is' if count == 1 else 'are'}"


def _made(total: float | None) -> str:
    if total is None:
        return "made what cannot be stated"
    if round(total, 4) == 0:
        return "made nothing"
    return f"{'made' if total > 0 else 'lost'} {formatted(abs(total), 'fraction')}"


def _holding(content: Mapping[str, Any]) -> str:
    is_inverse = content["config"]["margin"]["contract"] == "inverse"
    return "keeping the coins" if is_inverse else "buying and holding"


def _span(content: Mapping[str, Any]) -> str:
    days = content["bars"] * timeframe_ns(content["timeframe"]) / DAY_NS
    if days >= 2 * DAYS_A_YEAR:
        return f"{days / DAYS_A_YEAR:.1f} years"
    if days >= 2:
        return f"{days:.0f} days"
    return counted(content["bars"], "bar")


def _ratio(value: float) -> str:
    return formatted(value, "ratio")


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchVerdict:
    """What the newest validation of a sweep said: its ``word``, when (UTC), which ``trial`` it judged."""

    word: str
    validated_at: datetime
    trial: int


def verdict(content: Mapping[str, Any], search: SearchVerdict | None = None) -> list[str]:
    """What a reader must know before the numbers, from the content of run.json.

    ``search`` is about the sweep that the configuration is a trial of, None where it was not validated.
    """
    lines = []
    if content["simulated"]:
        lines.append(f"SIMULATED DATA: nothing here happened on any market.{_planted(content)}")
    if content["ruined_bar"] >= 0:
        lines.append("RUINED: equity reached zero and nothing was traded afterwards.")
    if content["liquidations"]:
        lines.append(f"LIQUIDATED: {_fills(content['liquidations'])} forced by the venue.")
    trades = content["n_trades"]
    if trades == 0:
        lines.append(f"NO TRADES: {_reason(content)}")
    elif trades < FEW_TRADES and content["ruined_bar"] < 0:
        lines.append(f"HARDLY ANY TRADES ({trades}): {_reason(content)}")
    if content["ambiguous_exits"]:
        lines.append(f"AMBIGUOUS: {ambiguity(content)}.")
    if content["config"].get("origin") is not None:
        lines.append(_chosen(content["config"], search))
        if search is not None and is_trial(content["config"]):
            return [*lines, "NOT KNOWN YET: whether any of this would repeat on other days."]
    lines.append(
        "NOT KNOWN YET: whether any of this would repeat. One configuration on one history, no "
        "walk-forward, no correction for configurations tried, no test against chance; `ninefold validate` "
        "makes these tests."
    )
    return lines


def _chosen(config: Mapping[str, Any], search: SearchVerdict | None) -> str:
    """Whose choice the configuration is."""
    origin = config["origin"]
    trial, sweep = f"trial {origin['trial']} of the sweep {origin['sweep']}", origin["sweep"]
    if not is_trial(config):
        return (
            f"CHANGED: it was {trial}, and was changed after that was written out (or written by another "
            "version). What the sweep and its validation found is about another configuration, and whoever "
            "changed it may have seen all of these bars."
        )
    if search is not None:
        judged = "" if search.trial == origin["trial"] else f" and judged trial {search.trial}"
        return (
            f"CHOSEN: {trial}, which was validated at {search.validated_at:%Y-%m-%d %H:%M} UTC: "
            f"{search.word}. That is about the search and the bars it looked at{judged}, not about the run "
            f"on this page; `ninefold report {sweep}` shows what was tested."
        )
    return (
        f"CHOSEN: {trial}. The best of many looks good by luck too; `ninefold validate {sweep}` says how "
        "much of it luck explains."
    )


def ambiguity(content: Mapping[str, Any]) -> str:
    """How many exits the bars leave open, and what would tell."""
    step = content["fine_timeframe"] or content["timeframe"]
    told = (
        f"{content['ambiguous_exits']:,} of {counted(content['n_trades'], 'exit')} ambiguous: their "
        f"{step} bar reached stop and target alike, and the stop was booked"
    )
    if content["fine_timeframe"] is None:
        return f"{told}; finer bars (data.fine_timeframe) would tell"
    return f"{told}; still finer bars would tell" if content["ambiguous_exits"] else told


def _fills(count: int) -> str:
    return "1 fill was" if count == 1 else f"{count} fills were"


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
        return _targets_reason(content["metrics"])
    bars = sum(firing["bars"] for firing in content["firing"])
    stands = sum(firing["gates"]["stands"] for firing in content["firing"])
    decisions = sum(firing["decisions"] for firing in content["firing"])
    blocked: dict[str, int] = {}
    for firing in content["firing"]:
        for name, count in firing["gates"].items():
            if name != "stands":
                blocked[name] = blocked.get(name, 0) + count
    worst = max(blocked, key=lambda name: blocked[name])
    turned = "once" if decisions == 1 else f"{decisions:,} times"
    told = f"the consensus stood on {stands:,} of {bars:,} bars and turned {turned}"
    if blocked[worst]:
        gate = spoken(worst)
        told += f"; the gate that stopped the most bars first: {gate} ({blocked[worst]:,} bars)"
    return f"{told}. The table of heads (--verbose, and in the report) shows which of them spoke."


def _targets_reason(metrics: Mapping[str, Any]) -> str:
    """Why a file of targets made few trades: few positions, or few changes of them."""
    exposure, rejected = metrics["exposure"], metrics["orders_rejected"]
    if exposure is None or exposure < IDLE_EXPOSURE:
        told = "the targets file asks for hardly any position inside the bars of the run"
    else:
        told = (
            "the targets file asks for few changes of position; "
            f"{formatted(exposure, 'fraction')} of the closes have one"
        )
    if rejected:
        orders = "1 order was" if rejected == 1 else f"{rejected:.0f} orders were"
        told += f"; {orders} rejected by a limit"
    return f"{told}."
