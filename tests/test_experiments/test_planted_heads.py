"""The study of planted heads: its statistic, and a small version of what it asks of the heads."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from experiments.studies.planted_heads import READING, design, kept_reading, page
from experiments.studies.planted_votes import (
    DRIFT,
    NULL_MARKETS,
    OUTCOME_HOURS,
    PLANTED_MARKETS,
    PLANTS,
    SHIFTS,
    VOLATILITY_HOURS,
    Case,
    CaseResult,
    Found,
    Plant,
    case_result,
    cases,
    drawn_shifts,
    outcomes,
    shift_p_values,
)
from tests.generators import random_bars

ROWS = 2_000


def persistent(generator: np.random.Generator, memory: float) -> np.ndarray:
    out = generator.standard_normal(ROWS)
    for row in range(1, ROWS):
        out[row] += memory * out[row - 1]
    return out


def test_p_values_of_votes_that_know_nothing_are_uniform() -> None:
    """Votes that last for days, outcomes that overlap for a day: a plain t would not do."""
    generator = np.random.default_rng(5)
    found = []
    for _ in range(150):
        votes = np.sign(persistent(generator, 0.97)) * (generator.random(ROWS) < 0.7)
        hourly = generator.standard_normal(ROWS + OUTCOME_HOURS)
        outcome = np.convolve(hourly, np.ones(OUTCOME_HOURS), "valid")[1:]
        shifts = generator.choice(np.arange(200, ROWS - 200), 99, replace=False).tolist()
        found.append(shift_p_values(votes[:, None], outcome, shifts)[0])
    p_values = np.array(found)
    assert 2 <= (p_values <= 0.05).sum() <= 15
    assert abs(p_values.mean() - 0.5) < 0.1


def test_p_values_by_hand() -> None:
    outcome = np.array([1.0, -1.0, 2.0, 0.0, 0.0, 1.0])
    votes = np.array([1.0, -1.0, 1.0, 0.0, 0.0, 1.0])
    # It earns 5 where it is, 2 - 1 = 1 against outcomes two rows later, 1 + 2 = 3 against three.
    columns = np.column_stack((votes, 0.0 * votes, -votes))
    np.testing.assert_allclose(shift_p_values(columns, outcome, [2, 3]), [1 / 3, 1.0, 1.0])
    earlier = np.roll(votes, -3)
    np.testing.assert_allclose(shift_p_values(earlier[:, None], outcome, [2, 3]), [2 / 3])


def test_an_outcome_is_the_day_that_follows_in_units_of_the_week_before() -> None:
    bars = random_bars(600, 3, gap_share=0.05)
    plain, scaled = outcomes(bars)
    close = bars.close
    known = np.flatnonzero(~np.isnan(scaled))
    reach = np.arange(VOLATILITY_HOURS, len(close) - OUTCOME_HOURS)
    np.testing.assert_array_equal(known, reach[~bars.is_gap[reach]])
    for row in known[::37]:
        last = close[row - VOLATILITY_HOURS : row + 1]
        deviation = np.sqrt(np.mean((last[1:] / last[:-1] - 1.0) ** 2))
        assert plain[row] == close[row + OUTCOME_HOURS] / close[row] - 1.0
        assert scaled[row] == pytest.approx(plain[row] / deviation / np.sqrt(OUTCOME_HOURS))


def test_every_market_has_a_seed_of_its_own_and_shifts_keep_their_distance() -> None:
    made = list(cases())
    sizes = sum(len(plant.edges_bps) for plant in PLANTS)
    assert len(made) == NULL_MARKETS + sizes * PLANTED_MARKETS
    assert len({case.seed for case in made}) == len(made)
    shifts = drawn_shifts(1, 2_000)
    assert len(set(shifts)) == len(shifts)
    assert min(shifts) >= 720
    assert max(shifts) <= 2_000 - 720


def found_by(head: str, component: str, p_value: float, is_twin: bool = False) -> Found:
    return Found(
        head=head,
        component=component,
        is_twin=is_twin,
        share=0.5,
        mean_bps=1.0,
        p_value=p_value,
    )


def made_up(p_value: float, **case: object) -> CaseResult:
    return CaseResult(
        case=Case(seed=1, **case),
        drift_bps=2.0,
        found=(
            *(
                found_by(head, component, p_value, is_twin)
                for head in ("volume", "sentiment", "crypto_metrics")
                for component in ("", f"part of {head}")
                for is_twin in (False, True)
            ),
            found_by("", DRIFT, 0.005),
        ),
    )


def test_the_page_begins_with_the_design_and_says_what_was_missed(tmp_path) -> None:
    plant = PLANTS[0]
    how = {"column": plant.column, "edge_bps": plant.edges_bps[-1]}
    null = [made_up(p_value) for p_value in np.linspace(0.01, 1.0, 100)]
    found = page([*null, *(made_up(0.01, **how) for _ in range(10))])
    assert found.startswith(design())
    assert "| volume | 50.0% | 5 (5.0%) | yes |" in found
    assert "reached" in found
    assert "missed" not in found
    wrong = [made_up(0.01)] * 100
    missed = page([*wrong, *(made_up(0.5, **how) for _ in range(10))])
    assert "| volume | 50.0% | 100 (100.0%) | **no** |" in missed
    assert "**missed**" in missed
    assert "| volume: part of volume | 50% | 0%, twin 0% |" in missed
    path = tmp_path / "page.md"
    assert kept_reading(path) == ""
    path.write_text(found + READING + "by hand", encoding="utf-8")
    assert kept_reading(path) == READING + "by hand"
    json.dumps(asdict(null[0]))


STRENGTH = 2.0
"""Times the largest size of the study: a market here is a fifth as long."""


def small(case: Case) -> dict[tuple[str, str, bool], float]:
    """p values by voter in a market of which 120 days are judged."""
    result = case_result(case, days=300, warm_up_days=180)
    return {(one.head, one.component, one.is_twin): one.p_value for one in result.found}


def strong(plant: Plant, factor: float) -> Case:
    return Case(
        seed=7,
        column=plant.column,
        edge_bps=factor * plant.edges_bps[-1],
        horizon_hours=plant.horizon_hours,
    )


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.column)
def test_heads_find_a_strong_edge_of_the_sign_they_read(plant: Plant) -> None:
    """On the twin nothing but the column can tell, and the other sign turns what is found around."""
    found, turned = small(strong(plant, STRENGTH)), small(strong(plant, -STRENGTH))
    for head in plant.heads:
        assert found[head, "", True] <= 0.05, head
        assert turned[head, "", True] > 0.5, head
    assert found["", DRIFT, False] == turned["", DRIFT, False] == 1 / (1 + SHIFTS)


def test_where_nothing_is_planted_heads_find_nothing() -> None:
    p_values = [small(Case(seed=seed)) for seed in range(11, 17)]
    for head in ("volume", "sentiment", "crypto_metrics"):
        assert sum(one[head, "", False] <= 0.05 for one in p_values) <= 1, head
    assert {one["", DRIFT, False] for one in p_values} == {1.0}
    assert not any(is_twin for one in p_values for *_, is_twin in one)
