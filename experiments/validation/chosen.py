"""The chosen configuration by itself: how good, how surely, against how much luck, and how brittle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine import ConfigError, Float1D, Float2D, Panel, ReplayResult
from engine.metrics import bar_returns
from engine.timeframe import DAYS_PER_YEAR

from ..config_validation import ValidationConfig
from ..statistics.bootstrap import SHARPE, BootstrapInterval, bootstrap_interval
from ..statistics.deflation import Deflation, deflate, minimum_backtest_years
from ..statistics.effective_trials import trial_spread
from ..statistics.random_entries import (
    RandomEntriesTest,
    random_entries_test,
    trades_of_ledger,
)
from ..statistics.sharpe import minimum_track_record_2012, minimum_track_record_h0, psr_2012, psr_h0
from ..statistics.track_record import TrackRecord, track_record
from ..sweeps.config import Choice, Parameter, SweepSection, WholeRange
from ..sweeps.evaluate import Evaluator
from ..sweeps.space import Space
from .trials import good_of

PLATEAU_STEP: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """Inference on one run, from its returns by day.

    ``interval`` is of the annual Sharpe ratio by days; ``deflation`` None where the random stage was too
    small or idle; ``random_entries`` None without a trade and for inverse contracts; ``minimum_days_…`` of
    a track record that would show a positive Sharpe ratio at 95 %, infinite for one that is not positive.
    """

    record: TrackRecord
    sharpe_annual: float
    psr_2012: float
    psr_h0: float
    minimum_days_2012: float
    minimum_days_h0: float
    minimum_backtest_years: float
    interval: BootstrapInterval
    deflation: Deflation | None
    random_entries: RandomEntriesTest | None


def chosen_of(
    result: ReplayResult,
    panel: Panel,
    initial_cash: float,
    day_starts: Sequence[int],
    random_stage: Float2D | None,
    *,
    trials: int,
    sweeps: int,
    is_inverse: bool,
    validation: ValidationConfig,
) -> Chosen:
    """Inference on ``result``; ``random_stage`` ``(days, N)`` are returns of trials drawn at random.

    ``trials`` were run in ``sweeps`` before this one was chosen; each sweep counts as so many effective
    trials as this one has. Raises DataError when its returns do not vary.
    """
    returns = np.add.reduceat(bar_returns(result.equity, initial_cash), day_starts)
    record = track_record(returns)
    annual = math.sqrt(DAYS_PER_YEAR)
    interval = bootstrap_interval(
        returns,
        SHARPE,
        seed=np.random.SeedSequence([validation.seed, 3]),
        draws=validation.bootstrap_draws,
    )
    return Chosen(
        record=record,
        sharpe_annual=record.sharpe_per_bar * annual,
        psr_2012=psr_2012(record),
        psr_h0=psr_h0(record),
        minimum_days_2012=minimum_track_record_2012(record),
        minimum_days_h0=minimum_track_record_h0(record),
        minimum_backtest_years=_backtest_years(trials, record.sharpe_per_bar * annual),
        interval=interval,
        deflation=_deflation(record, random_stage, trials, sweeps),
        random_entries=None
        if is_inverse
        else _random_entries(result, panel, initial_cash, validation),
    )


def _backtest_years(trials: int, sharpe_annual: float) -> float:
    return minimum_backtest_years(trials, sharpe_annual) if sharpe_annual > 0 else math.inf


def _deflation(
    record: TrackRecord, random_stage: Float2D | None, trials: int, sweeps: int
) -> Deflation | None:
    if random_stage is None:
        return None
    try:
        spread = trial_spread(random_stage, np.ones(random_stage.shape[1], dtype=np.bool_))
        spread = replace(spread, effective_trials=spread.effective_trials * sweeps)
        return deflate(record, spread, raw_trials=max(trials, spread.trials))
    except ConfigError:
        # Fewer than ten trials of the random stage whose returns vary have no spread.
        return None


def _random_entries(
    result: ReplayResult, panel: Panel, initial_cash: float, validation: ValidationConfig
) -> RandomEntriesTest | None:
    trades = trades_of_ledger(
        result.trades, result.fills, result.equity, initial_cash, panel.listed
    )
    if not len(trades):
        return None
    return random_entries_test(
        panel.open,
        trades,
        seed=np.random.SeedSequence([validation.seed, 4]),
        draws=validation.random_entry_draws,
        listed=panel.listed,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Brittleness:
    """What moving one coordinate by a tenth of its range costs, first objective, more being better.

    A whole number or a choice moves by one value at least. ``losses`` by axis, in the order of the space;
    infinite where the moved trial may not be chosen.
    """

    axes: tuple[str, ...]
    objective: float
    losses: Float1D


def brittleness_of(
    section: SweepSection, space: Space, evaluator: Evaluator, coordinates: Sequence[float]
) -> Brittleness:
    """Evaluate the point moved by ± a tenth along each axis; at a wall, by what is left of it."""
    points, moved_along = [list(coordinates)], [-1]
    for number, axis in enumerate(space.axes):
        for step in (-PLATEAU_STEP, PLATEAU_STEP):
            moved = [*coordinates]
            moved[number] = moved_coordinate(axis.parameter, coordinates[number], step)
            points.append(moved)
            moved_along.append(number)
    good = good_of(section, evaluator([space.values(point) for point in points]))
    losses = np.zeros(len(space.axes))
    np.maximum.at(losses, moved_along[1:], good[0] - good[1:])
    return Brittleness(
        axes=tuple(axis.name for axis in space.axes), objective=float(good[0]), losses=losses
    )


def moved_coordinate(parameter: Parameter, u: float, step: float) -> float:
    """The coordinate ``u`` of ``parameter`` moved by ``step``, within [0, 1).

    A whole number and a choice move to another value, the next one where ``step`` is less than a value is
    wide, and stay where there is none on that side.
    """
    match parameter:
        case WholeRange(low=low, high=high, step=width):
            count = (high - low) // width + 1
        case Choice(values=values):
            count = len(values)
        case _:
            return min(max(u + step, 0.0), math.nextafter(1.0, 0.0))
    here, there = int(u * count), math.floor((u + step) * count)
    if there == here:
        there = here + (1 if step > 0 else -1)
    return (min(max(there, 0), count - 1) + 0.5) / count
