"""Which number reaches which rule: of two that are at hand, the one that is harder to meet."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine import Panel
from experiments.config_validation import ValidationConfig
from experiments.statistics.overfitting_null import null_band
from experiments.sweeps.config import Choice, Objective, RealRange, SweepSection, WholeRange
from experiments.sweeps.evaluate import Evaluated, View
from experiments.sweeps.families import FamilyCount
from experiments.sweeps.space import Axis, Space
from experiments.sweeps.trial_metrics import DIRECTIONS
from experiments.validation.chosen import brittleness_of, moved_coordinate
from experiments.validation.findings import findings_of
from experiments.validation.selection import selection_of
from experiments.validation.verdict import verdict_of
from tests.generators import random_bars

DAYS, GROUPS, COPIES = 40, 6, 5


class OfReturns:
    """Stands for an evaluator: trials are columns of bar returns ``(T, K)``."""

    def __init__(self, returns: np.ndarray, panel: Any) -> None:
        self.returns, self.data = returns, SimpleNamespace(panel=panel)

    def __call__(self, values: Any, view: View) -> Evaluated:
        part = self.returns[view.part.start : view.part.stop].T
        powers = (part, part**2, part**3, part**4, part**2 * (part < 0))
        sums = np.stack([power.sum(axis=1) for power in powers], axis=-1)[:, None, :]
        metrics = {name: np.zeros(len(part)) for name in DIRECTIONS}
        return Evaluated(metrics=metrics, sums=sums, errors=(None,) * len(part))


def test_the_null_band_is_that_of_the_effective_trials() -> None:
    """Thirty trials, five copies of each of six: the band is that of six, and not of two or thirty."""
    bars = random_bars(DAYS * 24, seed=1)
    returns = np.repeat(np.random.default_rng(2).normal(size=(len(bars), GROUPS)), COPIES, axis=1)
    daily = returns.reshape(DAYS, 24, -1).sum(axis=1)
    evaluator: Any = OfReturns(returns, Panel.from_bars({"A": bars}))
    whole = Evaluated(metrics={}, sums=np.zeros((30, 1, 5)), errors=(None,) * 30)
    validation = ValidationConfig(seed=3)
    found = selection_of(evaluator, [{}] * 30, whole, daily, validation=validation)
    assert found.effective_trials == pytest.approx(GROUPS, abs=0.6)
    lengths = np.full(validation.cscv.blocks, DAYS * 24 // validation.cscv.blocks)
    for trials, is_it in ((2, False), (round(found.effective_trials), True), (30, False)):
        band = null_band(trials, lengths, repetitions=100, seed=np.random.SeedSequence([3, 2]))
        assert (band.pbos.tolist() == found.null.pbos.tolist()) is is_it


def test_a_parameter_is_as_brittle_as_its_worse_side() -> None:
    """A cliff below the point and a rise above it: the loss is that of the cliff, for either parameter."""

    class Cliff:
        def __call__(self, values: list[list[float]]) -> Evaluated:
            sharpe = np.array([x - 10.0 * (x < 0.45) + 7.0 * (y > 0.55) - y for x, y in values])
            metrics = {name: np.zeros(len(sharpe)) for name in DIRECTIONS} | {"sharpe": sharpe}
            return Evaluated(
                metrics=metrics, sums=np.zeros((len(sharpe), 1, 5)), errors=(None,) * len(sharpe)
            )

    real = RealRange(kind="real", low=0.0, high=1.0)
    axes = tuple(SimpleNamespace(name=name, parameter=real) for name in "xy")
    space: Any = SimpleNamespace(axes=axes, values=lambda point: point)
    section = SweepSection.model_construct(objectives=(Objective(metric="sharpe"),), constraints=())
    evaluator: Any = Cliff()
    found = brittleness_of(section, space, evaluator, [0.5, 0.5])
    assert found.losses.tolist() == pytest.approx([10.1, 0.0])
    mirrored = brittleness_of(section, space, evaluator, [0.5, 0.6])
    assert mirrored.losses.tolist() == pytest.approx([10.1, 7.0 - 0.1])


@pytest.mark.parametrize("count", [2, 3, 4, 10, 11, 37])
@pytest.mark.parametrize("kind", ["whole", "choice"])
def test_a_value_out_of_few_is_moved_to_another_value(kind: str, count: int) -> None:
    """By a tenth of the range, at least one value: never to itself but at the wall."""
    if kind == "whole":
        parameter: Any = WholeRange(kind="whole", low=5, high=5 + 3 * (count - 1), step=3)
        values = list(range(5, 5 + 3 * count, 3))
    else:
        values = [f"v{number}" for number in range(count)]
        parameter = Choice(kind="choice", values=tuple(values))
    space = Space(base=None, axes=(Axis("a", parameter),))
    for u in np.linspace(0.0, 0.9999, 101):
        here = values.index(space.values([float(u)])["a"])
        for step in (-0.1, 0.1):
            moved = moved_coordinate(parameter, float(u), step)
            there = values.index(space.values([moved])["a"])
            at_the_wall = here == (0 if step < 0 else count - 1)
            assert (there == here) == at_the_wall
            assert 0 <= (there - here) * np.sign(step) <= max(1, np.ceil(0.1 * count))


def test_a_real_value_is_moved_by_a_tenth_within_its_range() -> None:
    real = RealRange(kind="real", low=0.0, high=1.0)
    assert moved_coordinate(real, 0.5, 0.1) == 0.6
    assert moved_coordinate(real, 0.05, -0.1) == 0.0
    assert moved_coordinate(real, 0.95, 0.1) < 1.0


def test_the_verdict_rests_on_the_deflation_by_effective_trials() -> None:
    """``dsr`` decides, and ``dsr_raw`` is only told: exchanged, the words would be others."""
    record = SimpleNamespace(bars=1000, sharpe_per_bar=0.1)

    def word(effective: float, raw: float) -> str:
        chosen: Any = SimpleNamespace(
            sharpe_annual=1.9,
            record=record,
            random_entries=None,
            interval=SimpleNamespace(low=0.05, high=0.2),
            minimum_days_2012=300.0,
            deflation=SimpleNamespace(
                effective_trials=20.0,
                effective_dsr_2014=effective,
                raw_dsr_2014=raw,
                effective_dsr_2025=0.5,
                raw_dsr_2025=0.5,
            ),
        )
        result: Any = SimpleNamespace(panel=range(24_000), config=SimpleNamespace(simulation=None))
        shifts: Any = SimpleNamespace(p_value=0.005, null=np.zeros(199))
        count = FamilyCount(sweeps=1, trials=1000, failed=0, infeasible=0)
        found = findings_of(shifts, None, chosen, None, count, result, "no holdout")
        assert (found.dsr, found.dsr_raw) == (effective, raw)
        assert not math.isnan(found.sharpe_annual)
        return verdict_of(found).word

    assert word(0.96, 0.10) == "evidence"
    assert word(0.90, 0.99) == "inconclusive"
