"""Each rule of the verdict, one at a time."""

import math
from dataclasses import replace

import pytest

from experiments.validation.verdict import Findings, rules_of, share, verdict_of

GOOD = Findings(
    primary_p=0.05,
    shifts=199,
    sweeps=1,
    trials=1000,
    effective_trials=20.0,
    sharpe_annual=2.0,
    interval=(0.8, 3.1),
    dsr=0.95,
    dsr_raw=0.9,
    pbo=0.2,
    pbo_null_low=0.21,
    days=1000,
    minimum_days=1000.0,
    random_p=0.0004,
    random_median=-0.2,
    is_simulated=False,
    holdout="The holdout from 2023-01-01 on has not been opened.",
)


def test_everything_at_its_bound_is_evidence() -> None:
    assert verdict_of(GOOD).word == "evidence"
    assert all(holds for holds, _ in rules_of(GOOD))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"primary_p": 0.0501}, "no evidence"),
        ({"primary_p": 0.025, "sweeps": 2}, "evidence"),
        ({"primary_p": 0.026, "sweeps": 2}, "no evidence"),
        ({"dsr": 0.9499}, "inconclusive"),
        ({"dsr": None}, "inconclusive"),
        ({"pbo": 0.21}, "inconclusive"),
        ({"minimum_days": 1000.1}, "inconclusive"),
        ({"minimum_days": math.inf}, "inconclusive"),
        ({"primary_p": 0.5, "dsr": 0.1}, "no evidence"),
        ({"pbo": None, "pbo_null_low": None}, "evidence"),
        ({"dsr": None, "effective_trials": None, "trials": 1}, "evidence"),
        ({"permuted_p": 0.05, "permutations": 19}, "evidence"),
        ({"permuted_p": 0.0501, "permutations": 999}, "inconclusive"),
        ({"permuted_p": 0.1, "permutations": 9}, "inconclusive"),
        ({"permuted_p": 0.05, "permutations": 19, "primary_p": 0.06}, "no evidence"),
    ],
)
def test_each_rule_by_itself(changed: dict[str, float], word: str) -> None:
    assert verdict_of(replace(GOOD, **changed)).word == word


def test_the_sentences_hold_the_numbers() -> None:
    told = " ".join(verdict_of(GOOD).because)
    for number in (
        "0.050",
        "199 shifts",
        "20.0 effective",
        "0.950",
        "20.0%",
        "21.0%",
        "1,000 days",
    ):
        assert number in told
    assert "1,000 trials" in told
    assert "0.80 to 3.10" in told
    assert "share of less than 0.001" in told
    assert "no number would do" in " ".join(
        verdict_of(replace(GOOD, minimum_days=math.inf)).because
    )


def test_what_is_not_known_is_always_told() -> None:
    unknown = verdict_of(GOOD).unknown
    assert unknown[0] == GOOD.holdout
    assert "not known" in unknown[-1]
    assert not any("simulated" in sentence for sentence in unknown)
    assert verdict_of(replace(GOOD, unfinished="Half of it.")).unknown[0] == "Half of it."
    simulated = verdict_of(replace(GOOD, is_simulated=True)).unknown
    assert any("simulated" in sentence for sentence in simulated)


def test_a_share_is_never_nothing() -> None:
    assert share(0.0005) == "less than 0.001"
    assert share(0.25) == "0.250"


def test_too_few_shifts_for_so_many_sweeps_are_told() -> None:
    few = verdict_of(replace(GOOD, primary_p=1 / 200, sweeps=11)).because[0]
    assert "With 199 shifts it cannot be met" in few
    assert "cannot be met" not in verdict_of(replace(GOOD, sweeps=10)).because[0]


def test_permuted_bars_are_told_and_so_is_that_they_were_not() -> None:
    because = verdict_of(
        replace(GOOD, permuted_p=0.05, permutations=19, permuted_trials=80)
    ).because
    assert any("The same search on the market's bars in another order" in one for one in because)
    assert any("0.050 of 19 permutations; the rule asks for 0.05" in one for one in because)
    assert not any("cannot be met" in one for one in because)
    assert any("Bars were not permuted" in one for one in verdict_of(GOOD).unknown)
    few = verdict_of(replace(GOOD, permuted_p=0.1, permutations=9, permuted_trials=1))
    told = " ".join(few.because)
    assert "The same run on the market's bars" in told
    assert "With 9 permutations it cannot be met: take more (--permutations)" in told
    assert not any("Bars were not permuted" in one for one in few.unknown)


def test_runs_by_hand_are_told_and_change_no_word() -> None:
    assert "by hand" not in " ".join(verdict_of(GOOD).because)
    found = verdict_of(replace(GOOD, by_hand=3))
    assert found.word == "evidence"
    assert any("3 runs were made by hand" in one for one in found.because)
