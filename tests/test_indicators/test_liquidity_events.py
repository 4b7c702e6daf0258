"""Tables of pools, sweeps and inducements against pools that are followed one by one."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HOUR_NS, Bars, Float1D
from indicators.detector import Detector
from indicators.event_table import EventTable
from indicators.liquidity import LIQUIDITY_SWEEP, busy_bars
from indicators.liquidity_events import INDUCEMENT_DETECTOR, POOL_DETECTOR, SWEEP_DETECTOR
from indicators.volatility import average_true_range
from tests.generators import random_bars
from tests.oracles import liquidity as oracle
from tests.oracles import structure

TYPES = [kind.name.removesuffix("_pool") for kind in POOL_DETECTOR.types]
STATES = [state.name for state in POOL_DETECTOR.states]
SAMPLES = [
    (1, 0.0, {}),
    (2, 0.3, {"left": 3.0, "right": 3.0, "weekend": 1.0}),
    (7, 0.02, {"left": 2.0, "right": 4.0, "expiry_bars": 60.0, "equal_width_atr": 0.3}),
    (9, 0.02, {"epsilon_atr": 0.2, "by_turns": 1.0, "turn_atr": 1.5}),
]


@dataclass
class Sample:
    """Bars, parameters and the pools of each side that the oracle finds in them."""

    bars: Bars
    given: dict[str, float]
    sides: dict[int, list[oracle.Pool]]


def mirrored(bars: Bars, side: int) -> tuple[list[float], list[float], list[float]]:
    if side > 0:
        return bars.high.tolist(), bars.low.tolist(), bars.close.tolist()
    return (-bars.low).tolist(), (-bars.high).tolist(), (-bars.close).tolist()


def oracle_pools(bars: Bars, parameters: dict[str, float], side: int) -> list[oracle.Pool]:
    prices = mirrored(bars, side)
    is_gap = bars.is_gap.tolist()
    opens = [datetime.fromtimestamp(time / 1e9, UTC) for time in bars.open_time]
    atr = average_true_range(bars.high, bars.low, bars.close, 14).tolist()
    if parameters["by_turns"]:
        reach = [parameters["turn_atr"] * value for value in atr]
        swings = structure.directional_changes(*prices, reach, is_gap)
    else:
        sides = int(parameters["left"]), int(parameters["right"])
        swings = structure.pivots(prices[0], prices[1], *sides, is_gap)
    levels = {}
    for kind in ("day", "week", "asian", "london"):
        found = oracle.ranges(
            kind, opens, prices[0], prices[1], is_gap, weekend=parameters["weekend"] != 0
        )
        levels[kind] = [(one.known, one.low_row, prices[1][one.low_row]) for one in found]
    return oracle.pools(
        prices, atr, is_gap, [p for p in swings if p.side < 0], levels,
        epsilon=parameters["epsilon_atr"], width=parameters["equal_width_atr"],
        expiry=int(parameters["expiry_bars"]),
    )  # fmt: skip


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda sample: f"seed {sample[0]}")
def sample(request: pytest.FixtureRequest) -> Sample:
    seed, gap_share, given = request.param
    bars = random_bars(1500, seed, gap_share=gap_share)
    parameters = LIQUIDITY_SWEEP.resolved(given)
    return Sample(bars, given, {side: oracle_pools(bars, parameters, side) for side in (1, -1)})


def table_of(detector: Detector, bars: Bars, given: dict[str, float]) -> EventTable:
    columns = {name: bars.columns()[name] for name in detector.inputs}
    return detector.find(columns, detector.resolved(given))


def test_every_pool_and_its_end(sample: Sample) -> None:
    table = table_of(POOL_DETECTOR, sample.bars, sample.given)
    state, ended = table.last_changes()
    got = [
        (
            TYPES[table.type[i]], int(table.direction[i]), int(table.known[i]),
            int(table.anchor[i]), table.top[i], table.bottom[i], int(table.measure[i]),
            tuple(int(row) for row in table.point_rows[i]),
            (STATES[state[i]], int(ended[i])) if state[i] >= 0 else None,
        )
        for i in range(len(table))
    ]  # fmt: skip
    expected = []
    for side, pools in sample.sides.items():
        for pool in pools:
            last = pool.points[-1][0] if len(pool.points) > 1 else -1
            expected.append((
                pool.kind, side, pool.known, pool.points[0][0], side * pool.level,
                side * pool.level, len(pool.points), (pool.points[0][0], last), pool.end,
            ))  # fmt: skip
    assert sorted(got, key=repr) == sorted(expected, key=repr)
    assert {name for name, *_ in got} == set(TYPES)
    assert {row[-1][0] for row in got if row[-1]} == set(STATES)


def test_points_are_prices_of_their_rows(sample: Sample) -> None:
    for detector in (POOL_DETECTOR, SWEEP_DETECTOR):
        table = table_of(detector, sample.bars, sample.given)
        for row, price, direction in zip(
            table.point_rows, table.point_prices, table.direction, strict=True
        ):
            extremes = sample.bars.low if direction > 0 else sample.bars.high
            there = row >= 0
            assert there[0]
            assert np.array_equal(extremes[row[there]], price[there])
            assert np.isnan(price[~there]).all()


def test_sweeps_are_the_best_swept_pool_of_each_side(sample: Sample) -> None:
    table = table_of(SWEEP_DETECTOR, sample.bars, sample.given)
    busy = busy_bars(sample.bars.volume)
    expected = {}
    for side, pools in sample.sides.items():
        for pool in pools:
            if pool.end is None or pool.end[0] != "swept":
                continue
            row = pool.end[1]
            value = 0.6 + 0.2 * pool.strength + 0.1 * busy[row] + 0.05 * (pool.kind == "equal")
            best = max(value, expected.get((row, side), (0.0,))[0])
            if best == value:
                raid = (pool.breached, pool.deepest_row)
                expected[row, side] = (value, side * pool.level, *raid)
    got = {
        (int(table.known[i]), int(table.direction[i])): (
            table.measure[i], table.top[i], int(table.anchor[i]), int(table.point_rows[i, 1]),
        )
        for i in range(len(table))
    }  # fmt: skip
    assert len(got) == len(table) > 40
    assert got.keys() == expected.keys()
    for key, (confidence, level, began, deepest) in got.items():
        # Pools of one confidence are one event, and which of them names it is a matter of order.
        assert confidence == pytest.approx(expected[key][0], rel=1e-12)
        ties = [
            pool
            for pool in sample.sides[key[1]]
            if pool.end == ("swept", key[0]) and key[1] * pool.level == level
        ]
        assert any((began, deepest) == (pool.breached, pool.deepest_row) for pool in ties)


def test_the_nearest_pool_of_the_columns_is_one_of_the_table(sample: Sample) -> None:
    bars = sample.bars
    parameters = LIQUIDITY_SWEEP.resolved(sample.given)
    columns = {name: bars.columns()[name] for name in LIQUIDITY_SWEEP.inputs}
    computed = LIQUIDITY_SWEEP.compute(columns, parameters)
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    gaps = structure.long_gap_rows(bars.is_gap.tolist())
    for side, output in ((1, "pool_below_atr"), (-1, "pool_above_atr")):
        column = computed[LIQUIDITY_SWEEP.output_index(output)]
        for t in [t for t in range(14, len(bars), 3) if t not in gaps]:
            standing = [p.level for p in sample.sides[side] if p.known <= t < p.closed]
            away = [max(side * bars.close[t] - level, 0.0) for level in standing]
            nearest = min(min(away, default=np.inf) / atr[t], 10.0)
            assert column[t] == pytest.approx(nearest, rel=1e-12), (t, output)


@pytest.mark.parametrize(("seed", "gap_share"), [(3, 0.0), (4, 0.02), (5, 0.3)])
def test_inducements(seed: int, gap_share: float) -> None:
    bars = random_bars(2500, seed, gap_share=gap_share)
    given = {"minor": 3.0, "major": 20.0}
    table = table_of(INDUCEMENT_DETECTOR, bars, given)
    atr = average_true_range(bars.high, bars.low, bars.close, 14).tolist()
    is_gap = bars.is_gap.tolist()
    expected = []
    for side in (1, -1):
        prices = mirrored(bars, side)
        swings = structure.pivots(prices[0], prices[1], 3, 3, is_gap)
        minor = oracle.pools(prices, atr, is_gap, [p for p in swings if p.side < 0], {})
        rows = sorted({p.end[1] for p in minor if p.end and p.end[0] == "swept"})
        majors = oracle.standing_majors(prices[1], is_gap, 20, rows)
        for row, major in zip(rows, majors, strict=True):
            swept = [p for p in minor if p.end == ("swept", row)]
            if major is not None and major.price < max(p.level for p in swept):
                expected.append((row, side, major.anchor, side * major.price))
    got = [
        (
            int(table.known[i]), int(table.direction[i]),
            int(table.point_rows[i, 2]), table.point_prices[i, 2],
        )
        for i in range(len(table))
    ]  # fmt: skip
    assert sorted(got) == sorted(expected)
    assert len(got) > 15


@st.composite
def choppy_columns(draw: st.DrawFn) -> dict[str, Float1D]:
    """Bars of whole numbers, so that lows are equal, edges are met exactly and gaps come often."""
    rows = draw(st.integers(20, 120))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    close = 1000.0 + np.cumsum(generator.integers(-3, 4, rows))
    open_ = np.concatenate((close[:1], close[:-1]))
    start = draw(st.sampled_from([1_609_804_800e9, 1_615_600_800e9, 1_636_156_800e9]))
    return {
        "open_time": start + HOUR_NS * np.arange(rows, dtype=np.float64),
        "open": open_,
        "high": np.maximum(open_, close) + generator.integers(0, 4, rows),
        "low": np.minimum(open_, close) - generator.integers(0, 4, rows),
        "close": close,
        "volume": generator.integers(0, 9, rows).astype(np.float64),
        "is_gap": (generator.random(rows) < draw(st.sampled_from([0.0, 0.2, 0.6]))).astype(float),
    }


@settings(max_examples=150, deadline=None)
@given(choppy_columns(), st.integers(2, 4))
def test_what_holds_of_every_pool_and_sweep(columns: dict[str, Float1D], side_bars: int) -> None:
    given_sides = {"left": float(side_bars), "right": float(side_bars)}
    tables = {
        detector.name: detector.find(
            {name: columns[name] for name in detector.inputs},
            detector.resolved(given_sides if detector is not INDUCEMENT_DETECTOR else {"minor": 2}),
        )
        for detector in (POOL_DETECTOR, SWEEP_DETECTOR, INDUCEMENT_DETECTOR)
    }
    pools, sweeps = tables["liquidity_pool"], tables["liquidity_sweep"]
    assert np.array_equal(pools.top, pools.bottom)
    assert len(set(pools.change_event.tolist())) == len(pools.change_event)
    assert (pools.change_row > pools.known[pools.change_event]).all()
    equal = pools.type == TYPES.index("equal")
    assert np.array_equal(equal, pools.measure > 1)
    assert np.array_equal(equal, pools.point_rows[:, 1] >= 0)
    swept = pools.change_state == STATES.index("swept")
    raided = {
        (int(row), int(pools.direction[event]))
        for event, row in zip(pools.change_event[swept], pools.change_row[swept], strict=True)
    }
    told = set(zip(sweeps.known.tolist(), sweeps.direction.tolist(), strict=True))
    assert told == raided
    assert len(sweeps) == len(told)
    assert ((sweeps.measure >= 0.6) & (sweeps.measure <= 0.95)).all()
    assert (sweeps.known - sweeps.anchor <= 3).all()
    beyond = sweeps.direction * (sweeps.top - sweeps.point_prices[:, 1])
    assert (beyond > 0).all()
    back = sweeps.direction * (columns["close"][sweeps.known] - sweeps.top)
    assert (back > 0).all()
    induced = tables["inducement"]
    assert (
        induced.direction * (induced.point_prices[:, 1] - induced.point_prices[:, 2]) >= 0
    ).all()
