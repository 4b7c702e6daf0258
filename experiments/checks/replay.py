"""Checks of the replay: no fill may know its own bar, let alone a later one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from engine import (
    PHASES,
    REASONS,
    Bars,
    Decisions,
    Funding,
    Market,
    Panel,
    ReplayResult,
    ReplayRules,
    replay,
)

from .markets import null_market
from .prefix import SEED, first_difference
from .report import CheckRow
from .subjects import Rows

Replay: TypeAlias = Callable[[Panel, Decisions, Funding, ReplayRules], ReplayResult]

TIMING_CUTS = 60
END_OF_DATA = REASONS.index("end_of_data")
OPEN_PHASE = PHASES.index("open")


@dataclass(frozen=True, slots=True)
class ReplayCase:
    """Everything a replay is given."""

    panel: Panel
    decisions: Decisions
    funding: Funding
    rules: ReplayRules

    def prefix(self, count: int) -> "ReplayCase":
        """The first ``count`` bars and decisions; funding stamps after them are ignored anyway."""
        return replace(self, panel=self.panel.prefix(count), decisions=self.decisions.prefix(count))


def replay_rows(case: ReplayCase, replay_function: Replay = replay) -> Rows:
    """A replay as ``(T,)`` arrays of what is known at each close.

    Left out is the liquidation at the end of the data, which every prefix has at another place:
    fills of that reason, and the account after the last close. ``*_before`` at row *t* is therefore
    the account at close *t* - 1.
    """
    result = replay_case_result(case, replay_function)
    rows = len(case.panel)
    fills = result.fills[result.fills["reason"] != END_OF_DATA]
    paid = result.funding_payments

    def summed(bars: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.bincount(bars, weights=weights, minlength=rows)

    def before(account: np.ndarray) -> np.ndarray:
        return np.concatenate(([case.rules.initial_cash], account[:-1]))

    return {
        "replay.fills": np.bincount(fills["bar"], minlength=rows),
        "replay.filled": summed(fills["bar"], fills["side"] * fills["quantity"]),
        "replay.price": summed(fills["bar"], fills["price"]),
        "replay.fee": summed(fills["bar"], fills["fee"]),
        "replay.reason": np.bincount(fills["bar"], weights=fills["reason"] + 1.0, minlength=rows),
        "replay.funding": summed(paid["bar"], paid["payment"]),
        "replay.equity_before": before(result.equity),
        "replay.net_exposure_before": np.concatenate(([0.0], result.net_exposure[:-1])),
    }


def replay_case_result(case: ReplayCase, replay_function: Replay = replay) -> ReplayResult:
    """The replay of one case."""
    return replay_function(case.panel, case.decisions, case.funding, case.rules)


def funding_of(market: Market) -> Funding:
    """The settlements of a market's own funding series, for the one symbol of its panel."""
    series = market.series.get("funding")
    if series is None:
        return Funding.none()
    return Funding(
        time_ns=series.event_time,
        symbol_index=np.zeros(len(series.event_time), dtype=np.int64),
        rate=series.columns["rate"],
        mark_price=np.zeros(len(series.event_time)),
    )


def random_replay_case(rows: int, seed: int, rules: ReplayRules) -> ReplayCase:
    """Two symbols with random decisions, and opens that differ from the closes before them."""
    generator = np.random.default_rng([seed, 2])
    bars: dict[str, Bars] = {}
    for symbol in ("FIRST", "SECOND"):
        made = null_market(rows, seed + len(bars)).bars
        share = generator.random(rows)
        bars[symbol] = replace(made, symbol=symbol, open=made.low + share * (made.high - made.low))
    panel = Panel.from_bars(bars)
    shape = panel.open.shape
    decisions = Decisions(
        target=generator.choice([-1.0, -0.5, 0.0, 0.5, 1.0], size=shape),
        acts=generator.random(shape) < 0.08,
        atr_frac=0.01 * np.exp(0.3 * generator.standard_normal(shape)),
    )
    stamps = np.arange(panel.open_time[0], panel.close_time[-1], 8 * panel.step_ns, dtype=np.int64)
    funding = Funding(
        time_ns=np.repeat(stamps, 2),
        symbol_index=np.tile(np.array([0, 1], dtype=np.int64), len(stamps)),
        rate=1e-4 + 1e-4 * generator.standard_normal(2 * len(stamps)),
        mark_price=np.zeros(2 * len(stamps)),
    )
    return ReplayCase(panel, decisions, funding, rules)


def _cuts(case: ReplayCase, count: int) -> np.ndarray:
    """Rows to disturb: half of them act, the others are drawn with a fixed seed."""
    generator = np.random.default_rng(SEED)
    acting = np.flatnonzero(case.decisions.acts.any(axis=1))
    acting = acting[(acting > 0) & (acting < len(case.panel) - 2)]
    if len(acting) > count // 2:
        acting = acting[np.linspace(0, len(acting) - 1, count // 2).astype(int)]
    others = generator.integers(1, len(case.panel) - 2, size=count - len(acting))
    return np.unique(np.concatenate((acting, others)))


def _other_decisions(decisions: Decisions, first: int, seed: int) -> Decisions:
    """The same decisions before row ``first``; from it on every row acts, on something else."""
    generator = np.random.default_rng(seed)
    target, acts = decisions.target.copy(), decisions.acts.copy()
    atr_frac = decisions.atr_frac.copy()
    wanted = generator.choice([-1.0, -0.25, 0.75], size=target[first:].shape)
    target[first:] = np.where(wanted == target[first:], -wanted, wanted)
    acts[first:] = True
    atr_frac[first:] = 0.02
    return Decisions(target=target, acts=acts, atr_frac=atr_frac)


def _other_prices(panel: Panel, first: int, seed: int, *, keep_open: bool) -> Panel:
    """The same prices before bar ``first``; from it on, others, its own open kept on request."""
    generator = np.random.default_rng(seed)
    factor = np.exp(0.1 * generator.standard_normal((len(panel) - first, len(panel.symbols))))
    changed = {}
    for name in ("open", "high", "low", "close"):
        column = getattr(panel, name).copy()
        column[first:] *= factor
        changed[name] = column
    if keep_open:
        changed["open"][first] = panel.open[first]
        changed["high"][first] = np.maximum(changed["high"][first], panel.open[first]) * 1.2
        changed["low"][first] = np.minimum(changed["low"][first], panel.open[first]) / 1.2
    return replace(panel, **changed)


def _open_fills(result: ReplayResult, bar: int) -> np.ndarray:
    fills = result.fills
    chosen: np.ndarray = fills[(fills["bar"] == bar) & (fills["phase"] == OPEN_PHASE)]
    return chosen[["symbol", "reason", "side", "quantity", "price"]]


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
    ``replay.open``: the fills at the open of bar *t* do not change when the rest of that bar does,
    and each is made at a reference price equal to that open.
    """
    whole = replay_rows(case, replay_function)
    result = replay_case_result(case, replay_function)
    failures: dict[str, str] = {}
    cuts = _cuts(case, count)
    for cut in cuts:
        bar = int(cut)
        decided = replace(case, decisions=_other_decisions(case.decisions, bar, bar))
        _note(failures, "replay.decision", whole, replay_rows(decided, replay_function), bar + 1)
        priced = replace(case, panel=_other_prices(case.panel, bar + 1, bar, keep_open=False))
        _note(failures, "replay.future", whole, replay_rows(priced, replay_function), bar + 1)
        own = _other_prices(case.panel, bar, bar, keep_open=True)
        changed = replay_function(own, case.decisions, case.funding, case.rules)
        if not np.array_equal(_open_fills(result, bar), _open_fills(changed, bar)):
            failures.setdefault(
                "replay.open", f"fills at the open of bar {bar} change with the rest of that bar"
            )
    fills = result.fills[result.fills["phase"] == OPEN_PHASE]
    opens = case.panel.open[fills["bar"], fills["symbol"]]
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


def same_bar_replay(
    panel: Panel, decisions: Decisions, funding: Funding, rules: ReplayRules
) -> ReplayResult:
    """Leaked twin: a decision fills at the open of its own bar."""

    def earlier(column: np.ndarray) -> np.ndarray:
        return np.concatenate((column[1:], np.zeros_like(column[:1])))

    atr_frac = np.concatenate((decisions.atr_frac[1:], decisions.atr_frac[-1:]))
    moved = Decisions(
        target=earlier(decisions.target), acts=earlier(decisions.acts), atr_frac=atr_frac
    )
    return replay(panel, moved, funding, rules)


def decision_close_replay(
    panel: Panel, decisions: Decisions, funding: Funding, rules: ReplayRules
) -> ReplayResult:
    """Leaked twin: orders fill at the close of the bar that decided, a bar before the open."""
    opens = panel.open.copy()
    opens[1:] = panel.close[:-1]
    shifted = replace(
        panel,
        open=opens,
        high=np.maximum(panel.high, opens),
        low=np.minimum(panel.low, opens),
    )
    return replay(shifted, decisions, funding, rules)


def own_close_replay(
    panel: Panel, decisions: Decisions, funding: Funding, rules: ReplayRules
) -> ReplayResult:
    """Leaked twin: orders fill at the close of the bar at whose open they were due."""
    return replay(replace(panel, open=panel.close), decisions, funding, rules)


REPLAY_TWINS: Mapping[str, Replay] = {
    "same bar": same_bar_replay,
    "decision close": decision_close_replay,
    "own close": own_close_replay,
}
