"""A validation as a table that fits 80 columns."""

import math

import numpy as np
from rich.console import Console
from rich.markup import escape

from ..tables import table_of
from .selection import low_path
from .validate import Validation
from .verdict import EVIDENCE, NO_EVIDENCE, share

MOST_BRITTLE = 3


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
                _number(selection.walk_forward.efficiency.efficiency),
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
