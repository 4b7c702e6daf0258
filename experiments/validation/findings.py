"""From the tests to what the verdict rests on."""

from pathlib import Path

import numpy as np

from ..pipeline import RunResult
from ..sweeps.config import SweepConfig
from ..sweeps.families import FamilyCount
from ..sweeps.holdout import openings, runs_that_saw, seen_by_hand
from .chosen import Chosen
from .holdout import Holdout
from .permutations import PermutedBars
from .selection import Selection
from .shifts import ShiftTest
from .verdict import Findings


def holdout_text(config: SweepConfig, runs: Path, seen: Holdout | None) -> str:
    """What is known of the holdout: how often it was opened, and what was seen there."""
    first = config.sweep.holdout_from
    if first is None:
        return "There is no holdout: everything known has been looked at."
    opened = len(openings(runs, config.family))
    by_hand = seen_by_hand(runs_that_saw(config, runs))
    if opened == 0:
        return f"The holdout from {first} on has not been opened.{by_hand}"
    times = "once" if opened == 1 else f"{opened} times"
    text = (
        f"The holdout from {first} on has been opened {times}: it is not unseen any more.{by_hand}"
    )
    if seen is None:
        return text
    sharpe = seen.metrics["sharpe"]
    earned = "no Sharpe ratio" if np.isnan(sharpe) else f"a Sharpe ratio of {sharpe:.2f}"
    return (
        f"{text} On its {seen.bars:,} bars the chosen trial returned {seen.metrics['total_return']:.2%}, "
        f"{earned}, in {seen.metrics['trades']:.0f} trades."
    )


def findings_of(
    test: ShiftTest,
    permuted: PermutedBars | None,
    chosen: Chosen,
    selection: Selection | None,
    family: FamilyCount,
    result: RunResult,
    holdout: str,
) -> Findings:
    """The numbers that the verdict's rules and sentences need; ``holdout`` is the sentence about it."""
    annual = (
        chosen.sharpe_annual / chosen.record.sharpe_per_bar if chosen.record.sharpe_per_bar else 1.0
    )
    random = chosen.random_entries
    bars_a_day = len(result.panel) / chosen.record.bars
    deflation = chosen.deflation
    return Findings(
        primary_p=test.p_value,
        shifts=len(test.null),
        by_hand=family.by_hand,
        permuted_p=None if permuted is None else permuted.p_value,
        permutations=0 if permuted is None else len(permuted.null),
        permuted_trials=0 if permuted is None else permuted.trials,
        sweeps=max(1, family.sweeps),
        trials=max(1, family.trials),
        effective_trials=None if deflation is None else deflation.effective_trials,
        sharpe_annual=chosen.sharpe_annual,
        interval=(chosen.interval.low * annual, chosen.interval.high * annual),
        dsr=None if deflation is None else deflation.effective_dsr_2014,
        dsr_raw=None if deflation is None else deflation.raw_dsr_2014,
        pbo=None if selection is None else selection.overfitting.pbo,
        pbo_null_low=None if selection is None else selection.null.low,
        days=chosen.record.bars,
        minimum_days=chosen.minimum_days_2012,
        random_p=None if random is None else random.p_sharpe,
        random_median=None
        if random is None
        else float(np.median(random.null_sharpes_per_bar)) * annual * bars_a_day**0.5,
        is_simulated=result.config.simulation is not None,
        holdout=holdout,
    )
