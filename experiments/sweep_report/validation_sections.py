"""What a validation found, as sections: for a sweep's page and for that of a run."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..pages import Block, Cell, Number, Section, Table, Text
from ..pages.document import Tone
from ..sweep_tables import UNITS
from ..validation.keeping import KeptValidation
from .chance_charts import (
    permutations_chart,
    random_entries_chart,
    shifts_chart,
    snooping_chart,
)
from .chosen_charts import brittleness_chart, deflation_chart
from .selection_charts import (
    degradation_chart,
    drift_chart,
    folds_chart,
    logits_chart,
    no_skill_chart,
    paths_chart,
)
from .words import metric_label, plural

ABBREVIATIONS: Final = (
    "p: share of results at least as good where there is nothing to find. PSR: probabilistic Sharpe ratio. "
    "DSR: deflated Sharpe ratio, PSR against what the best of so many trials shows by luck. PBO: "
    "probability of backtest overfitting. SPA: test for superior predictive ability (Hansen). Reality "
    "Check: White's. StepM: stepwise multiple test (Romano and Wolf)."
)


def validation_sections(content: Mapping[str, Any], seen: str = "") -> tuple[Section, ...]:
    """The sections of one validation; ``content`` is its JSON object (``validation_json``).

    ``seen`` is what is to be said of who saw the holdout beside the trials (``seen_by_hand``).
    """
    sections = [
        Section(
            name="validation",
            title="Is it luck?",
            lead=f"The verdict is: {content['verdict']['word']}.",
            blocks=(
                *_rules(content),
                _tests(content),
                *_opened(content, seen),
            ),
        ),
        Section(
            name="chance",
            title="What was found beside chance",
            lead="What the same search finds where there is nothing to find.",
            blocks=(
                shifts_chart(content),
                permutations_chart(content),
                *([snooping_chart(content)] if content["selection"] is not None else []),
                random_entries_chart(content),
                deflation_chart(content),
                *_some(brittleness_chart(content)),
            ),
        ),
    ]
    found = content["selection"]
    if found is not None:
        sections.append(
            Section(
                name="selection",
                title="Was choosing worth anything?",
                lead=(
                    f"{found['trials']:,} trials of the random stage, chosen on some blocks of time and "
                    "judged on others."
                ),
                blocks=(
                    folds_chart(found),
                    drift_chart(found),
                    logits_chart(found),
                    no_skill_chart(found),
                    degradation_chart(found),
                    paths_chart(found),
                ),
            )
        )
    return tuple(sections)


def history_section(kept: Sequence[KeptValidation]) -> Section:
    """Every validation of one subject, newest first: repeating until it looks good is looking too."""
    return Section(
        name="validations",
        title="Every validation so far",
        lead="Whoever validates until the verdict is good has chosen it: all of them are kept.",
        blocks=(
            Table(
                name="validations-kept",
                caption=plural(len(kept), "validation") + ", the newest first",
                columns=(
                    "at",
                    "verdict",
                    "trials then",
                    "shifted votes, p",
                    "DSR",
                    "PBO",
                    "changed",
                ),
                rows=tuple(
                    (
                        f"{one.validated_at:%Y-%m-%d %H:%M:%S}",
                        one.content["verdict"]["word"],
                        Number(one.content["ledger_trials"], "count"),
                        Number(one.content["findings"]["primary_p_family"], "probability"),
                        Number(one.content["findings"]["dsr"], "probability"),
                        Number(one.content["findings"]["pbo"], "fraction"),
                        " ".join(f"-s {change}" for change in one.content["overrides"])
                        or "nothing",
                    )
                    for one in reversed(kept)
                ),
                note=(
                    "Changed: what differs from how the configuration said that it would be tested. p: for "
                    "the best of the sweeps that the family had then."
                ),
            ),
        ),
    )


def _rules(content: Mapping[str, Any]) -> tuple[Block, ...]:
    """Rules that fail and that hold, what else is known, and what is not."""
    rules, verdict = content["rules"], content["verdict"]
    stated = {rule["text"] for rule in rules}
    parts: tuple[tuple[str, Tone, list[str]], ...] = (
        ("Rules of evidence that fail:", "bad", [one["text"] for one in rules if not one["holds"]]),
        ("Rules that hold:", "good", [one["text"] for one in rules if one["holds"]]),
        ("Beside the rules:", "plain", [one for one in verdict["because"] if one not in stated]),
        ("What is not known:", "plain", list(verdict["unknown"])),
    )
    return tuple(
        block
        for heading, tone, sentences in parts
        if sentences
        for block in (
            Text(paragraphs=(heading,)),
            Text(paragraphs=tuple(sentences), is_list=True, tone=tone),
        )
    )


def _some(block: Block | None) -> tuple[Block, ...]:
    return () if block is None else (block,)


def _tests(content: Mapping[str, Any]) -> Table:
    """Every test with what it found, as the terminal shows them."""
    chosen, selection = content["chosen"], content["selection"]
    permuted, snooping = content["permuted_bars"], content["snooping"]
    low, high = chosen["sharpe_interval_annual"]
    needed = chosen["minimum_days_2012"]
    rows: list[tuple[Cell, ...]] = [
        (
            "shifted votes, p",
            Number(content["shifted_votes"]["p_value"], "probability"),
            f"{content['shifted_votes']['shifts']:,} shifts",
        ),
        (
            "shifted votes, p of the family",
            Number(content["findings"]["primary_p_family"], "probability"),
            f"for the best of {plural(content['findings']['sweeps'], 'sweep')}, what the rule judges",
        ),
        (
            "permuted bars, p",
            Number(None if permuted is None else permuted["p_value"], "probability"),
            "not made" if permuted is None else f"{permuted['permutations']:,} permutations",
        ),
        (
            "Sharpe ratio by days",
            Number(chosen["sharpe_annual_by_days"], "ratio"),
            f"95 %: {Number(low, 'ratio').text} to {Number(high, 'ratio').text}, one trial",
        ),
        (
            "PSR 2012",
            Number(chosen["psr_2012"], "probability"),
            "probability of being above 0, one trial",
        ),
        (
            "PSR at zero skill",
            Number(chosen["psr_h0"], "probability"),
            "the same, with the error that a ratio of 0 has (convention of 2025)",
        ),
        (
            "days of track record needed",
            "no number would do" if needed is None else Number(math.ceil(needed), "count"),
            f"has {chosen['days']:,}, to show a positive ratio at 95 %",
        ),
    ]
    deflation = chosen["deflation"]
    if deflation is not None:
        rows += [
            (
                "DSR, effective trials",
                Number(deflation["effective_dsr_2014"], "probability"),
                f"{deflation['effective_trials']:,.1f} trials",
            ),
            (
                "DSR, all trials",
                Number(deflation["raw_dsr_2014"], "probability"),
                f"{deflation['raw_trials']:,} trials",
            ),
        ]
    if selection is not None:
        null_low, _, null_high = selection["pbo_null"]
        paths = selection["path_sharpe"]
        rows += [
            (
                "PBO",
                Number(selection["pbo"], "fraction"),
                f"without skill {null_low:.0%} to {null_high:.0%}; the rule asks for less than "
                f"{null_low:.0%}",
            ),
            (
                "path Sharpe, 5 % point",
                Number(None if paths is None else paths[0], "ratio"),
                "paths of combinatorial cross-validation",
            ),
            (
                "walk-forward efficiency",
                Number(selection["walk_forward_efficiency"], "ratio"),
                "mean return × a year out of sample over in sample, not compounded",
            ),
        ]
    if snooping is not None:
        rows += [
            (
                "SPA, p",
                Number(snooping["spa_p_consistent"], "probability"),
                "studentised, consistent",
            ),
            (
                "Reality Check, p",
                Number(snooping["reality_check_p"], "probability"),
                "in units of returns",
            ),
            (
                "StepM",
                Number(snooping["stepwise_superior"], "count"),
                f"of {content['shifted_votes']['trials']:,} trials better than 0",
            ),
        ]
    random = chosen["random_entries"]
    if random is not None:
        rows.append(
            (
                "random entries, p",
                Number(random["p_sharpe"], "probability"),
                "same trades, other times",
            )
        )
    return Table(
        name="tests",
        caption="Every test",
        columns=("test", "found", "read as"),
        rows=tuple(rows),
        note=ABBREVIATIONS
        + (
            ""
            if selection is not None
            else " A single run has no search: PBO, paths, folds and the tests of the best of many are n/a."
        ),
    )


def _opened(content: Mapping[str, Any], seen: str) -> tuple[Block, ...]:
    found = content["holdout"]
    if found is None:
        return ()
    shown = ("total_return", "sharpe", "max_drawdown", "trades", "final_equity")
    return (
        Table(
            name="holdout",
            caption=f"The holdout, opening {found['opening']}: {found['bars']:,} bars that no trial of the "
            "sweep saw",
            columns=("metric", "value"),
            rows=tuple(
                (metric_label(name), Number(found["metrics"][name], UNITS[name])) for name in shown
            ),
            note=f"An account of its own that begins on the first bar of the holdout.{seen}",
            width="half",
        ),
    )
