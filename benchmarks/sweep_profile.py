"""Where the time of a consensus sweep goes: microseconds for each configuration, best of several."""

from collections.abc import Callable

import numpy as np

from engine import DecisionEvents, Funding
from engine.sweep import Sweep
from strategies.consensus_sweep import ConsensusEvents, consensus_gates

from .sweep import CONFIGURATIONS, Work, simulated_market, work
from .timing import timed

PART = 512


def _microseconds(run: Callable[[], object]) -> float:
    return timed(run, runs=15).best_s * 1e6 / CONFIGURATIONS


def figures(own: Work | None = None) -> dict[str, float]:
    """The steps of a sweep on one thread, each alone."""
    own = own or work(simulated_market(), CONFIGURATIONS)
    names = own.symbol.votes.names
    gates = consensus_gates(names, own.consensus_rules)
    events = ConsensusEvents([own.symbol], own.panel, own.atr_frac, gates)
    parts = [np.arange(at, min(at + PART, CONFIGURATIONS)) for at in range(0, CONFIGURATIONS, PART)]
    decided = [events.events(gates.chosen(part)) for part in parts]
    idle = [
        DecisionEvents(
            rows=one.rows,
            offsets=one.offsets,
            actions=np.zeros_like(one.actions),
            atr_frac=one.atr_frac,
        )
        for one in decided
    ]
    paying = Sweep(own.panel, own.funding, own.atr_frac)
    quiet = Sweep(own.panel, Funding.none(), own.atr_frac)
    found = paying.empty_result(CONFIGURATIONS)

    def replayed(sweep: Sweep, chosen: list[DecisionEvents]) -> None:
        for part, one in zip(parts, chosen, strict=True):
            first = int(part[0])
            sweep.replay(one, own.rules[first : first + len(part)], found, first)

    replayed(paying, decided)
    trades = found.totals["trades"]
    usual = int(np.abs(trades - trades.mean()).argmin())
    copies = events.events(gates.chosen(np.full(PART, usual)))
    space = paying.empty_result(PART)

    return {
        "rules_to_columns_us": _microseconds(lambda: consensus_gates(names, own.consensus_rules)),
        "market_us": _microseconds(lambda: Sweep(own.panel, own.funding, own.atr_frac)),
        "entries_us": _microseconds(
            lambda: ConsensusEvents([own.symbol], own.panel, own.atr_frac, gates)
        ),
        "entries_of_bars": len(events.rows) / len(own.panel),
        "decisions_us": _microseconds(
            lambda: [events.events(gates.chosen(part)) for part in parts]
        ),
        "replay_us": _microseconds(lambda: replayed(paying, decided)),
        "replay_without_funding_us": _microseconds(lambda: replayed(quiet, decided)),
        "replay_without_decisions_us": _microseconds(lambda: replayed(paying, idle)),
        "replay_of_copies_of_a_usual_one_us": _microseconds(
            lambda: paying.replay(copies, [own.rules[usual]] * PART, space)
        )
        * CONFIGURATIONS
        / PART,
        "whole_us": _microseconds(lambda: own.run(1)),
    }


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:36s} {value:8.3g}")
