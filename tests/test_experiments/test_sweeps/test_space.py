"""Points of the cube against values worked out by hand, and what the space refuses."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ConfigError
from experiments.config_file import resolved
from experiments.sweeps.space import Space, assigned, neighbours_of, sobol_points, space_of

from .conftest import SweepOf

BELOW_ONE = math.nextafter(1.0, 0.0)
unit = st.floats(0.0, 1.0, exclude_max=True)


@pytest.fixture(scope="module")
def space(sweep_of: SweepOf) -> Space:
    return space_of(sweep_of())


def test_axes_are_in_the_order_of_their_paths_with_one_for_each_head(space: Space) -> None:
    names = [axis.name for axis in space.axes]
    assert names[:3] == ["consensus.hold_bars", "consensus.p_min", "consensus.quorum"]
    heads = resolved(space.base)["consensus"]["weights"]
    assert names[3:12] == [f"consensus.weights.{head}" for head in heads]
    assert names[12:] == ["exits.stop_atr"]


@pytest.mark.parametrize(
    ("u", "hold", "p_min", "quorum", "stop"),
    [
        (0.0, None, 0.5, 1, 1.0),
        (0.5, 12, 0.6, 3, math.sqrt(5.0)),
        (BELOW_ONE, 48, 0.7, 4, 5.0),
    ],
)
def test_values_of_a_point(
    space: Space, u: float, hold: int | None, p_min: float, quorum: int, stop: float
) -> None:
    values = space.values([u] * len(space))
    assert values["consensus.hold_bars"] == hold
    assert values["consensus.p_min"] == pytest.approx(p_min, rel=1e-12)
    assert values["consensus.quorum"] == quorum
    assert values["exits.stop_atr"] == pytest.approx(stop, rel=1e-12)
    assert values["exits.stop_atr"] <= 5.0
    assert list(values["consensus.weights"].values()) == pytest.approx([1 / 9] * 9)


def test_weights_are_shares_of_exponentials(space: Space) -> None:
    points = [0.5] * len(space)
    points[3], points[4] = 1 - math.exp(-3.0), 1 - math.exp(-1.0)
    weights = list(space.values(points)["consensus.weights"].values())
    total = 3.0 + 1.0 + 7 * math.log(2.0)
    assert weights[:3] == pytest.approx([3.0 / total, 1.0 / total, math.log(2.0) / total])


def test_weights_are_uniform_on_the_simplex(space: Space) -> None:
    points = np.random.default_rng(1).random((4000, len(space)))
    weights = np.array([list(space.values(p)["consensus.weights"].values()) for p in points])
    # Of a uniform point on the simplex of nine each share is Beta(1, 8).
    assert weights.mean(axis=0) == pytest.approx([1 / 9] * 9, abs=4 * 0.0994 / math.sqrt(4000))
    assert (weights > 0.5).mean() == pytest.approx(0.5**8, abs=0.001)


@given(point=st.lists(unit, min_size=13, max_size=13))
def test_what_optuna_would_sample_leads_back_to_the_same_values(
    space: Space, point: list[float]
) -> None:
    sampled = space.sampled(point)
    again = space.coordinates(sampled)
    assert space.values(again) == space.values(point)
    assert space.coordinates(space.sampled(again)) == again
    for name, distribution in space.distributions().items():
        assert distribution._contains(distribution.to_internal_repr(sampled[name]))


@given(point=st.lists(unit, min_size=13, max_size=13))
def test_every_point_is_a_configuration(space: Space, point: list[float]) -> None:
    config = space.config(space.values(point))
    assert math.fsum(config.consensus.weights.values()) == pytest.approx(1.0)


def test_neighbours_stay_near_and_inside() -> None:
    centre = [0.0, 0.5, BELOW_ONE]
    near = neighbours_of(centre, 200, 0.1, (1, 2))
    assert (np.abs(near - centre) <= 0.1).all()
    assert ((near >= 0) & (near < 1)).all()
    assert np.array_equal(near, neighbours_of(centre, 200, 0.1, (1, 2)))
    assert not np.array_equal(near, neighbours_of(centre, 200, 0.1, (1, 3)))
    assert near[:, 1].min() < 0.42
    assert near[:, 1].max() > 0.58


def test_a_longer_screen_begins_with_the_shorter() -> None:
    assert np.array_equal(sobol_points(5, 64, 3)[:16], sobol_points(5, 16, 3))
    assert (sobol_points(5, 64, 3) < 1.0).all()


@pytest.mark.parametrize(
    ("path", "parameter", "message"),
    [
        ("exits.stop_art", {"kind": "real", "low": 1, "high": 2}, "exits has no key 'stop_art'"),
        ("exits", {"kind": "real", "low": 1, "high": 2}, "is a section"),
        ("data.timeframe", {"kind": "choice", "values": ["1h", "4h"]}, "data cannot be searched"),
        ("consensus.p_min", {"kind": "real", "low": 0.4, "high": 0.7}, "consensus.p_min=0.4"),
        ("consensus.quorum", {"kind": "whole", "low": 3, "high": 12}, "consensus.quorum=12"),
        ("consensus.quorum", {"kind": "weights"}, "kind weights does not fit"),
        ("consensus.quorum", {"kind": "real", "low": 1.0, "high": 3.0}, "consensus.quorum=1.7"),
        ("consensus.weights.ict", {"kind": "real", "low": 0, "high": 1}, "cannot be searched"),
        ("consensus.weights", {"kind": "real", "low": 0, "high": 1}, "kind real does not fit"),
        ("exits.stop_atr", {"kind": "real", "low": 2, "high": 2}, "low=2.0 must be below"),
        ("exits.stop_atr", {"kind": "real", "low": 0, "high": 2, "log": True}, "must be positive"),
        ("consensus.quorum", {"kind": "whole", "low": 1, "high": 4, "step": 2}, "multiple of step"),
        ("consensus.hold_bars", {"kind": "choice", "values": [12, 12]}, "is there twice"),
        ("heads.ict.nothing", {"kind": "real", "low": 1, "high": 2}, "no key 'nothing'"),
    ],
)
def test_a_space_that_does_not_fit_is_named(
    sweep_of: SweepOf, path: str, parameter: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        space_of(sweep_of(space={path: parameter}))
    assert path in str(raised.value)


def test_an_empty_space_is_refused(sweep_of: SweepOf) -> None:
    with pytest.raises(ConfigError, match=r"sweep\.space"):
        sweep_of(space={})


def test_assigning_weights_leaves_no_other_head_with_a_weight(sweep_of: SweepOf) -> None:
    tree = resolved(sweep_of().base)
    assigned(tree, {"consensus.weights": {"ict": 1.0}, "exits.stop_atr": 3.0})
    assert {head for head, weight in tree["consensus"]["weights"].items() if weight} == {"ict"}
    assert tree["exits"]["stop_atr"] == 3.0
