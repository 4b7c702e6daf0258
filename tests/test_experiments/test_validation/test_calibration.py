"""The calibration study in small: its page, its cases, and one null and one planted market."""

import numpy as np
import pytest

from experiments.studies.calibration import (
    EDGES_BPS,
    Case,
    CaseResult,
    band,
    case_result,
    cases,
    page,
)


def test_cases_have_seeds_of_their_own() -> None:
    drawn = list(cases(20, 3))
    assert len({case.seed for case in drawn}) == len(drawn) == 20 + 3 * len(EDGES_BPS)
    assert sum(case.edge_bps == 0 for case in drawn) == 20


def test_the_band_is_the_binomials() -> None:
    # 200 · 0.05 = 10, deviation √9.5 = 3.08.
    assert band(200) == (4, 16)


def told(seed: int, edge_bps: float, p_value: float, word: str) -> CaseResult:
    return CaseResult(
        seed=seed, edge_bps=edge_bps, p_value=p_value, word=word, sharpe_annual=3.0, pbo=0.5
    )


def test_the_page_counts() -> None:
    null = [told(k, 0.0, (k + 1) / 100, "no evidence") for k in range(100)]
    planted = [told(k, EDGES_BPS[0], 0.01, "evidence") for k in range(4)]
    text = page([*null, *planted], "a command")
    sentences = " ".join(text.split())
    assert "in 5 of them (5.0%)" in sentences
    assert '"evidence" 0 times' in sentences
    assert f"| {EDGES_BPS[0]:g} | 4 | 100% | 100% | 100% | 3.00 |" in text
    assert text.count("| 10 | ██████████ |") == 10


def test_a_strong_edge_is_found_and_none_is_not_claimed() -> None:
    small = {"days": 120, "screened": 32, "shifts": 19}
    strong = case_result(Case(seed=3, edge_bps=4.0), **small)
    assert strong.p_value == pytest.approx(0.05)
    assert strong.word != "no evidence"
    null = [case_result(Case(seed=seed, edge_bps=0.0), **small) for seed in (1, 2)]
    assert np.mean([one.p_value for one in null]) > 0.05
