"""The single replay against the peers on the same decisions, costs and levels; ratios of one run.

The unit of work is the same for all: from decisions to fills, equity curve, total return, Sharpe ratio
and maximum drawdown. Event-driven peers run in environments of their own, the slow ones on fewer bars
(their seconds are extrapolated in proportion).
"""

import random
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from engine import (
    HOUR_NS,
    Costs,
    Decisions,
    Exits,
    Funding,
    Limits,
    Panel,
    ReplayResult,
    ReplayRules,
    Sizing,
    replay,
    return_sums,
)
from engine.metrics.drawdowns import max_drawdown
from engine.metrics.moments import sharpe_from_sums

from .peers import vectorbt_portfolio, vectorbt_single
from .peers.environments import PEERS, Skipped, measure
from .peers.vectorbt_signals import engines
from .peers.work import MINUTE_NS, PortfolioWork, SingleWork, portfolio_example, single_example
from .timing import timed, timed_pair

MINUTES_A_YEAR = 365 * 24 * 60
PAIRS = 41
RESAMPLES = 2_000
INTERVAL = (0.025, 0.975)
FINE_BARS = 60
FINE_HOURS = 17_520


def single_panel(work: SingleWork, timeframe: str) -> Panel:
    """The bars of ``work`` as a panel of one symbol."""
    shape = (len(work.close), 1)
    return Panel(
        symbols=("A",),
        timeframe=timeframe,
        open_time=1_600_000_200_000_000_000 // HOUR_NS * HOUR_NS
        + work.step_ns * np.arange(shape[0]),
        listed=np.ones(shape, dtype=bool),
        is_gap=np.zeros(shape, dtype=bool),
        **{name: getattr(work, name)[:, None].copy() for name in ("open", "high", "low", "close")},
    )


def single_decisions(work: SingleWork) -> Decisions:
    """The sides of ``work`` where they act."""
    return Decisions(
        target=work.side[:, None].copy(),
        acts=work.acts[:, None].copy(),
        atr_frac=np.full((len(work.side), 1), 0.002),
    )


def rules_of(work: SingleWork | PortfolioWork, exits: Exits) -> ReplayRules:
    """The costs and cash of ``work``, every position with all of the equity."""
    return ReplayRules(
        initial_cash=work.initial_cash,
        costs=Costs(taker_fee_bps=work.fee_frac * 1e4, slippage_bps=work.slippage_frac * 1e4),
        sizing=Sizing(position_fraction=1.0),
        limits=Limits(max_gross=1.0),
        exits=exits,
    )


def summary(result: ReplayResult, initial_cash: float) -> tuple[float, float, float]:
    """Total return, Sharpe ratio (by bars of a minute) and maximum drawdown."""
    sums = return_sums(result.equity, initial_cash)[-1]
    return (
        float(result.equity[-1]) / initial_cash - 1.0,
        float(sharpe_from_sums(sums, len(result.equity), MINUTES_A_YEAR)),
        max_drawdown(result.equity, initial_cash),
    )


def ratio_interval(
    above: Callable[[], object], below: Callable[[], object], pairs: int = PAIRS
) -> tuple[float, float, float]:
    """Median of the ratio of times in ``pairs`` interleaved pairs, and its 95 % bootstrap interval."""
    above()
    below()
    ratios = []
    for pair in range(pairs):
        seconds = {}
        for work in (above, below) if pair % 2 else (below, above):
            start = time.perf_counter()
            work()
            seconds[work] = time.perf_counter() - start
        ratios.append(seconds[above] / seconds[below])
    chance = random.Random(1)
    medians = sorted(median(chance.choices(ratios, k=pairs)) for _ in range(RESAMPLES))
    low, high = (medians[int(RESAMPLES * share)] for share in INTERVAL)
    return median(ratios), low, high


def figures() -> dict[str, float]:
    """Seconds and ratios of the single run, the shared-cash portfolio, funding and finer bars."""
    return {**_single(), **_portfolio(), **_finer_bars()}


def _single() -> dict[str, float]:
    work = single_example()
    bars = len(work.close)
    panel, decisions = single_panel(work, "1m"), single_decisions(work)
    rules = rules_of(
        work,
        Exits(stop_atr=None, stop_frac=work.stop_frac, take_profit_frac=work.take_profit_frac),
    )
    settlements = panel.open_time[:: 8 * HOUR_NS // MINUTE_NS]
    funding = Funding(
        time_ns=settlements,
        symbol_index=np.zeros(len(settlements), dtype=np.int64),
        rate=np.full(len(settlements), 1e-4),
        mark_price=np.zeros(len(settlements)),
    )

    def ours(paid: Funding = funding) -> object:
        return summary(replay(panel, decisions, paid, rules), work.initial_cash)

    result = replay(panel, decisions, funding, rules)
    found = {
        "million_bars_with_stops_and_funding_s": timed(ours, runs=9).best_s,
        "million_bars_excursions_on_demand_s": timed(result.find_trades).best_s,
        "million_bars_account_columns_on_demand_s": timed(result.find_account).best_s,
    }
    for engine in engines():
        own, peer = timed_pair(ours, partial(vectorbt_single.replay, work, engine), runs=9)
        found[f"beside_vectorbt_{engine}_million_bars_s"] = own.best_s
        found[f"vectorbt_{engine}_million_bars_s"] = peer.best_s
        found[f"faster_than_vectorbt_{engine}_times"] = peer.best_s / own.best_s
        found[f"faster_than_vectorbt_{engine}_times_median"] = peer.median_s / own.median_s
    own_s = found["million_bars_with_stops_and_funding_s"]
    for peer in PEERS:
        measured = measure(peer, work)
        if isinstance(measured, Skipped):
            print(f"{peer.name} skipped: {measured.reason}")
            continue
        name = peer.name.replace(".", "_")
        found[f"{name}_measured_bars"] = measured.bars
        found[f"{name}_measured_s"] = measured.seconds
        found[f"faster_than_{name}_times"] = measured.seconds_for(bars) / own_s
    on_over_off = ratio_interval(ours, partial(ours, Funding.none()))
    return found | _named("funding_on_over_off", on_over_off)


def _portfolio() -> dict[str, float]:
    work = portfolio_example()
    shape = work.close.shape
    panel = Panel(
        symbols=tuple(f"S{number:02d}" for number in range(shape[1])),
        timeframe="1h",
        open_time=1_600_000_200_000_000_000 // HOUR_NS * HOUR_NS + HOUR_NS * np.arange(shape[0]),
        open=work.open,
        high=np.maximum(work.open, work.close),
        low=np.minimum(work.open, work.close),
        close=work.close,
        listed=np.ones(shape, dtype=bool),
        is_gap=np.zeros(shape, dtype=bool),
    )
    decisions = Decisions(target=work.weight, acts=work.acts, atr_frac=np.full(shape, 0.01))
    rules = rules_of(work, Exits(stop_atr=None))

    def ours() -> object:
        return summary(replay(panel, decisions, Funding.none(), rules), work.initial_cash)

    found = {}
    for engine in engines():
        own, peer = timed_pair(ours, partial(vectorbt_portfolio.replay, work, engine), runs=5)
        found["portfolio_50_symbols_s"] = own.best_s
        found[f"vectorbt_{engine}_portfolio_s"] = peer.best_s
        found[f"portfolio_faster_than_vectorbt_{engine}_times"] = peer.best_s / own.best_s
    return found


def _finer_bars() -> dict[str, float]:
    """Two years of hours with tight stops, alone and resolved on their minutes."""
    minutes = single_example(FINE_HOURS * FINE_BARS, seed=4)
    split = {
        name: getattr(minutes, name).reshape(FINE_HOURS, FINE_BARS)
        for name in ("open", "high", "low", "close")
    }
    side = np.sign(np.diff(split["close"][:, -1], n=24, prepend=np.full(24, 100.0)))
    hours = SingleWork(
        open=split["open"][:, 0].copy(),
        high=split["high"].max(axis=1),
        low=split["low"].min(axis=1),
        close=split["close"][:, -1].copy(),
        side=side,
        acts=np.diff(side, prepend=0.0) != 0,
        step_ns=HOUR_NS,
    )
    panel, fine = single_panel(hours, "1h"), single_panel(minutes, "1m")
    decisions = single_decisions(hours)
    rules = rules_of(hours, Exits(stop_atr=None, stop_frac=0.01, take_profit_frac=0.02))
    from engine import DecisionEvents, Sweep

    events = DecisionEvents.from_decisions([decisions] * 100)
    sweeps = [Sweep(panel, Funding.none(), decisions.atr_frac, fine=one) for one in (fine, None)]
    results = [sweep.empty_result(100) for sweep in sweeps]

    def swept(index: int) -> None:
        sweeps[index].replay(events, [rules] * 100, results[index])

    return _named("minutes_over_hours", ratio_interval(partial(swept, 0), partial(swept, 1)))


def _named(name: str, interval: tuple[float, float, float]) -> dict[str, float]:
    middle, low, high = interval
    return {f"{name}_times": middle, f"{name}_times_low": low, f"{name}_times_high": high}
