"""A validation as one JSON object and as a table that fits 80 columns."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from ..tables import table_of
from .selection import low_path
from .validate import Validation
from .verdict import EVIDENCE, NO_EVIDENCE, share

SCHEMA_VERSION = 1
QUANTILES = (0.05, 0.5, 0.95)
MOST_BRITTLE = 3


def validation_json(found: Validation) -> dict[str, Any]:
    """Every number of a validation by name; distributions as quantiles of 5, 50 and 95 %."""
    chosen, selection, snooping = found.chosen, found.selection, found.snooping
    finite = found.shifts.null[np.isfinite(found.shifts.null)]
    tree: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "subject": found.subject,
        "validation": found.settings.model_dump(mode="json"),
        "overrides": list(found.overrides),
        "verdict": asdict(found.verdict),
        "findings": asdict(found.findings),
        "family": None if found.family is None else asdict(found.family),
        "chosen_trial": found.chosen_trial,
        "shifted_votes": {
            "trials": found.shifts.trials,
            "shifts": len(found.shifts.null),
            "best": found.shifts.best,
            "null": _quantiles(finite),
            "p_value": found.shifts.p_value,
        },
        "permuted_bars": None
        if found.permuted is None
        else {
            "trials": found.permuted.trials,
            "permutations": len(found.permuted.null),
            "block_bars": found.permuted.block_bars,
            "best": found.permuted.best,
            "null": _quantiles(found.permuted.null[np.isfinite(found.permuted.null)]),
            "p_value": found.permuted.p_value,
        },
        "chosen": {
            "days": chosen.record.bars,
            "sharpe_annual_by_days": chosen.sharpe_annual,
            "skew_of_days": chosen.record.skew,
            "kurtosis_of_days": chosen.record.kurtosis,
            "psr_2012": chosen.psr_2012,
            "psr_h0": chosen.psr_h0,
            "minimum_days_2012": chosen.minimum_days_2012,
            "minimum_days_h0": chosen.minimum_days_h0,
            "minimum_backtest_years": chosen.minimum_backtest_years,
            "sharpe_interval_annual": list(found.findings.interval),
            "deflation": None if chosen.deflation is None else asdict(chosen.deflation),
            "random_entries": None
            if chosen.random_entries is None
            else {
                "p_total_return": chosen.random_entries.p_total_return,
                "p_sharpe": chosen.random_entries.p_sharpe,
                "null_total_return": _quantiles(chosen.random_entries.null_total_returns),
            },
        },
        "selection": None,
        "snooping": None,
        "brittleness": None,
        "holdout": None if found.holdout is None else asdict(found.holdout),
    }
    if selection is not None:
        cross = selection.overfitting
        tree["selection"] = {
            "trials": selection.trials,
            "effective_trials": selection.effective_trials,
            "blocks": cross.blocks,
            "pbo": cross.pbo,
            "pbo_strict": cross.pbo_strict,
            "pbo_null": [selection.null.low, selection.null.median, selection.null.high],
            "degradation_slope": cross.degradation_slope,
            "loss_probability": cross.loss_probability,
            "path_sharpe": _quantiles(selection.path_sharpes[np.isfinite(selection.path_sharpes)]),
            "walk_forward_efficiency": selection.efficiency.efficiency,
            "walk_forward_profitable": selection.efficiency.profitable_share,
            "decay": None if selection.decay is None else asdict(selection.decay),
        }
    if snooping is not None:
        tree["snooping"] = {
            "spa_p_lower": snooping.spa.p_lower,
            "spa_p_consistent": snooping.spa.p_consistent,
            "spa_p_upper": snooping.spa.p_upper,
            "reality_check_p": snooping.reality_check.p_upper,
            "stepwise_superior": snooping.stepwise_superior,
        }
    if found.brittleness is not None:
        tree["brittleness"] = {
            "objective": found.brittleness.objective,
            "losses": dict(
                zip(found.brittleness.axes, found.brittleness.losses.tolist(), strict=True)
            ),
        }
    return tree


def print_validation(found: Validation, console: Console) -> None:
    """The tests one by one, then the verdict and why."""
    table = table_of(
        escape(found.subject), [("test", "left"), ("found", "right"), ("read as", "left")]
    )
    for row in _rows(found):
        table.add_row(*row)
    console.print(table)
    colour = {EVIDENCE: "green", NO_EVIDENCE: "red"}.get(found.verdict.word, "yellow")
    console.print(f"[bold {colour}]{found.verdict.word}[/]")
    for sentence in found.verdict.because:
        console.print(f"- {escape(sentence)}")
    console.print("not known:")
    for sentence in found.verdict.unknown:
        console.print(f"- {escape(sentence)}")


def _permuted_row(found: Validation) -> list[tuple[str, str, str]]:
    permuted = found.permuted
    if permuted is None:
        return [("permuted bars", "-", "not made (--permutations)")]
    moved = "bars" if permuted.block_bars == 1 else f"blocks of {permuted.block_bars} bars"
    return [
        ("permuted bars", share(permuted.p_value), f"of {len(permuted.null)} orders of {moved}")
    ]


def _rows(found: Validation) -> list[tuple[str, str, str]]:
    chosen, selection, snooping = found.chosen, found.selection, found.snooping
    low, high = found.findings.interval
    rows = [
        ("shifted votes", share(found.shifts.p_value), "share of shifts as good"),
        *_permuted_row(found),
        ("Sharpe ratio by days", f"{chosen.sharpe_annual:.2f}", f"95 %: {low:.2f} to {high:.2f}"),
        ("PSR 2012", f"{chosen.psr_2012:.3f}", "above 0, one trial"),
        ("PSR under H0", f"{chosen.psr_h0:.3f}", "the same, 2025 convention"),
        ("track record needed", _days(chosen.minimum_days_2012), f"has {chosen.record.bars:,}"),
    ]
    if chosen.deflation is not None:
        deflation = chosen.deflation
        rows += [
            (
                "DSR, effective",
                f"{deflation.effective_dsr_2014:.3f}",
                f"{deflation.effective_trials:,.1f} trials",
            ),
            (
                "DSR, all trials",
                f"{deflation.raw_dsr_2014:.3f}",
                f"{deflation.raw_trials:,} trials",
            ),
        ]
    if selection is not None:
        cross, null = selection.overfitting, selection.null
        rows += [
            ("PBO", f"{cross.pbo:.1%}", f"no skill: {null.low:.0%} to {null.high:.0%}"),
            ("path Sharpe, 5 % point", f"{low_path(selection):.2f}", "combinatorial paths"),
            (
                "walk-forward efficiency",
                _number(selection.efficiency.efficiency),
                "out of over in sample, a year",
            ),
        ]
        if selection.decay is not None:
            rows.append(
                ("rank in to out of sample", _number(selection.decay.rank_correlation), "by fold")
            )
    if snooping is not None:
        rows += [
            ("SPA", share(snooping.spa.p_consistent), "studentised, consistent"),
            ("Reality Check", share(snooping.reality_check.p_upper), "in units of returns"),
            ("StepM", f"{snooping.stepwise_superior}", f"of {found.shifts.trials} better than 0"),
        ]
    if chosen.random_entries is not None:
        rows.append(
            ("random entries", share(chosen.random_entries.p_sharpe), "same trades, other times")
        )
    if found.holdout is not None:
        sharpe = found.holdout.metrics["sharpe"]
        rows.append(("holdout, Sharpe ratio", _number(sharpe), f"opening {found.holdout.opening}"))
    if found.brittleness is not None:
        brittle = found.brittleness
        for axis in np.argsort(-brittle.losses, kind="stable")[:MOST_BRITTLE]:
            rows.append(
                (
                    f"± a tenth: {brittle.axes[axis].rsplit('.', 2)[-1]}",
                    f"{brittle.losses[axis]:.2f}" if math.isfinite(brittle.losses[axis]) else "all",
                    f"lost of {brittle.objective:.2f}",
                )
            )
    return rows


def _days(days: float) -> str:
    return "never" if math.isinf(days) else f"{days:,.0f} days"


def _number(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.2f}"


def _quantiles(values: np.ndarray[Any, Any]) -> list[float] | None:
    return [float(x) for x in np.quantile(values, QUANTILES)] if len(values) else None
