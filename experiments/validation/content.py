"""A validation as one JSON object: every number, and the distributions behind them."""

import math
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from datasets import time_text
from engine import Float1D
from engine.timeframe import DAYS_PER_YEAR, bars_per_year

from ..sweeps.places import axis_places
from .chosen import Chosen
from .keeping import SCHEMA_VERSION
from .selection import Selection
from .validate import Validation
from .verdict import family_p, rules_of

QUANTILES: Final = (0.05, 0.5, 0.95)
SAMPLED_HALVINGS: Final = 500
"""Halvings of which performance in and out of sample is kept, evenly spaced."""


def validation_json(found: Validation) -> dict[str, Any]:
    """Every number of a validation by name; docs/validation.md describes the keys.

    ``null`` are quantiles of 5, 50 and 95 % of a distribution, ``null_values`` what they are of, in the
    order of drawing, minus infinity where no trial could be chosen.
    """
    shifts, permuted = found.shifts, found.permuted
    return {
        "schema_version": SCHEMA_VERSION,
        "subject": found.subject,
        "validation": found.settings.model_dump(mode="json"),
        "overrides": list(found.overrides),
        "verdict": asdict(found.verdict),
        "rules": [{"holds": holds, "text": text} for holds, text in rules_of(found.findings)],
        "findings": {**asdict(found.findings), "primary_p_family": family_p(found.findings)},
        "family": None if found.family is None else asdict(found.family),
        "ledger_trials": found.ledger_trials,
        "chosen_trial": found.chosen_trial,
        "objective": found.objective,
        "shifted_votes": {
            "trials": shifts.trials,
            "shifts": len(shifts.null),
            "best": shifts.best,
            "null": _quantiles(shifts.null[np.isfinite(shifts.null)]),
            "p_value": shifts.p_value,
            "null_values": shifts.null.tolist(),
        },
        "permuted_bars": None
        if permuted is None
        else {
            "trials": permuted.trials,
            "permutations": len(permuted.null),
            "block_bars": permuted.block_bars,
            "best": permuted.best,
            "null": _quantiles(permuted.null[np.isfinite(permuted.null)]),
            "p_value": permuted.p_value,
            "null_values": permuted.null.tolist(),
        },
        "chosen": _chosen(found.chosen, found),
        "leaders": _leaders(found),
        "selection": None if found.selection is None else _selection(found.selection, found),
        "snooping": _snooping(found),
        "brittleness": None
        if found.brittleness is None
        else {
            "objective": found.brittleness.objective,
            "losses": dict(
                zip(found.brittleness.axes, found.brittleness.losses.tolist(), strict=True)
            ),
        },
        "holdout": None if found.holdout is None else asdict(found.holdout),
    }


def _chosen(chosen: Chosen, found: Validation) -> dict[str, Any]:
    random, record = chosen.random_entries, chosen.record
    bars_a_year = bars_per_year(found.result.panel.timeframe)
    return {
        "days": record.bars,
        "sharpe_annual_by_days": chosen.sharpe_annual,
        "sharpe_per_day": record.sharpe_per_bar,
        "skew_of_days": record.skew,
        "kurtosis_of_days": record.kurtosis,
        "autocorrelation_of_days": record.autocorrelation,
        "psr_2012": chosen.psr_2012,
        "psr_h0": chosen.psr_h0,
        "minimum_days_2012": chosen.minimum_days_2012,
        "minimum_days_h0": chosen.minimum_days_h0,
        "minimum_backtest_years": chosen.minimum_backtest_years,
        "sharpe_interval_annual": list(found.findings.interval),
        "deflation": None if chosen.deflation is None else asdict(chosen.deflation),
        "random_entries": None
        if random is None
        else {
            "p_total_return": random.p_total_return,
            "p_sharpe": random.p_sharpe,
            "total_return": random.total_return,
            "sharpe_annual": random.sharpe_per_bar * math.sqrt(bars_a_year),
            "null_total_return": _quantiles(random.null_total_returns),
            "null_sharpes_annual": (random.null_sharpes_per_bar * math.sqrt(bars_a_year)).tolist(),
        },
    }


def _leaders(found: Validation) -> list[dict[str, Any]]:
    year = math.sqrt(DAYS_PER_YEAR)
    return [
        {
            "trial": one.trial,
            "sharpe_annual_by_days": None if one.interval is None else one.interval.estimate * year,
            "sharpe_interval_annual": None
            if one.interval is None
            else [one.interval.low * year, one.interval.high * year],
        }
        for one in found.leaders
    ]


def _selection(selection: Selection, found: Validation) -> dict[str, Any]:
    cross, null = selection.overfitting, selection.null
    year = math.sqrt(selection.bars_per_year)
    logits, halvings = np.unique(cross.logits, return_counts=True)
    every = -(-len(cross.in_sample) // SAMPLED_HALVINGS)
    efficiency = selection.walk_forward.efficiency
    return {
        "trials": selection.trials,
        "effective_trials": selection.effective_trials,
        "blocks": cross.blocks,
        "pbo": cross.pbo,
        "pbo_strict": cross.pbo_strict,
        "pbo_null": [null.low, null.median, null.high],
        "pbo_null_values": null.pbos.tolist(),
        "median_logit": cross.median_logit,
        "logits": {"values": logits.tolist(), "halvings": halvings.tolist()},
        "degradation_slope": cross.degradation_slope,
        "degradation_intercept_annual": cross.degradation_intercept * year,
        "halvings_sampled": {
            "of": len(cross.in_sample),
            "in_sample_sharpes_annual": (cross.in_sample[::every] * year).tolist(),
            "out_of_sample_sharpes_annual": (cross.out_of_sample[::every] * year).tolist(),
        },
        "loss_probability": cross.loss_probability,
        "path_sharpe": _quantiles(selection.path_sharpes[np.isfinite(selection.path_sharpes)]),
        "path_sharpes": selection.path_sharpes.tolist(),
        "walk_forward_efficiency": efficiency.efficiency,
        "walk_forward_profitable": efficiency.profitable_share,
        "walk_forward_folds": _folds(selection, found),
        "decay": None if selection.decay is None else asdict(selection.decay),
    }


def _folds(selection: Selection, found: Validation) -> list[dict[str, Any]]:
    """Each fold: its times, the trial of the random stage that was chosen, and what it did.

    ``places`` say where its values lie in the ranges of their axes, within [0, 1].
    """
    forward, panel = selection.walk_forward, found.result.panel
    assert found.space is not None
    assert found.points is not None
    year = math.sqrt(selection.bars_per_year)
    names = [axis.name for axis in found.space.axes]
    places = axis_places(found.space, found.points)
    folds = []
    for number, trial in enumerate(forward.trials.tolist()):
        train_start, train_end, test_start, test_end = forward.edges[number].tolist()
        efficiency = forward.efficiency
        folds.append(
            {
                "train_start": time_text(int(panel.open_time[train_start])),
                "train_end": time_text(int(panel.close_time[train_end - 1])),
                "test_start": time_text(int(panel.open_time[test_start])),
                "test_end": time_text(int(panel.close_time[test_end - 1])),
                "trial": trial,
                "values": found.space.values(found.points[trial].tolist()),
                "places": dict(zip(names, places[trial].tolist(), strict=True)),
                "in_sample_sharpe_annual": float(forward.in_sample_sharpes_per_bar[number]) * year,
                "out_of_sample_sharpe_annual": float(forward.out_of_sample_sharpes_per_bar[number])
                * year,
                "in_sample_per_year": float(efficiency.in_sample_per_year[number]),
                "out_of_sample_per_year": float(efficiency.out_of_sample_per_year[number]),
            }
        )
    return folds


def _snooping(found: Validation) -> dict[str, Any] | None:
    snooping = found.snooping
    if snooping is None:
        return None
    return {
        "spa_p_lower": snooping.spa.p_lower,
        "spa_p_consistent": snooping.spa.p_consistent,
        "spa_p_upper": snooping.spa.p_upper,
        "spa_statistic": snooping.spa.statistic,
        "spa_null_values": snooping.spa.null_statistics.tolist(),
        "reality_check_p": snooping.reality_check.p_upper,
        "stepwise_superior": snooping.stepwise_superior,
    }


def _quantiles(values: Float1D) -> list[float] | None:
    return [float(x) for x in np.quantile(values, QUANTILES)] if len(values) else None
