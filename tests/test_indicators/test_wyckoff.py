"""Wyckoff against scripted schematics and against a plain-Python reading of the same rules."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Float1D
from indicators.wyckoff import LOOKBACK, WYCKOFF
from tests.oracles.wyckoff import Accumulation, Bars, Rules, reset_rows, wilder_atr

EVENTS = tuple(output.name for output in WYCKOFF.outputs if output.kind == "signal")
TEXTBOOK = (
    "climax",
    "preliminary",
    "range_start",
    "secondary_test",
    "spring",
    "spring_confirmed",
    "test",
    "strength",
    "jump",
    "support_point",
    "backup",
    "markup",
)


class Schematic:
    """Bars drawn leg by leg: straight lines of closes with a steady spread, volume per bar."""

    def __init__(self, start: float = 200.0, reach: float = 0.5) -> None:
        self.reach = reach
        self.rows: list[tuple[float, float, float, float, float]] = []
        self.last = start

    def leg(self, target: float, bars: int, volume: float = 100.0) -> "Schematic":
        step = (target - self.last) / bars
        for _ in range(bars):
            self.bar(self.last + step, volume)
        return self

    def bar(
        self, close: float, volume: float, low: float | None = None, high: float | None = None
    ) -> "Schematic":
        open_ = self.last
        top = max(open_, close) + self.reach if high is None else high
        bottom = min(open_, close) - self.reach if low is None else low
        self.rows.append((open_, top, bottom, close, volume))
        self.last = close
        return self

    @property
    def row(self) -> int:
        """The row drawn last."""
        return len(self.rows) - 1

    def columns(self) -> dict[str, Float1D]:
        table = np.array(self.rows)
        names = ("open", "high", "low", "close", "volume")
        columns = {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)}
        return {**columns, "is_gap": np.zeros(len(table))}


def accumulation() -> tuple[Schematic, dict[str, int]]:
    """The textbook path, and the row on which each event must be known."""
    known: dict[str, int] = {}
    path = Schematic()
    for _ in range(6):
        path.leg(202.0, 10).leg(200.0, 10)
    path.leg(185.0, 14).bar(184.0, 300.0, low=181.0).leg(188.0, 6).leg(180.0, 12)
    path.bar(172.0, 600.0, low=168.0)
    known["climax"] = known["preliminary"] = path.row
    path.leg(185.0, 10, 150.0)
    known["range_start"] = path.row + 3
    path.leg(172.0, 13, 90.0)
    known["secondary_test"] = path.row + 5
    path.leg(182.0, 10, 90.0).leg(172.5, 8, 80.0)
    path.bar(170.0, 130.0, low=166.8)
    known["spring"] = path.row
    known["spring_confirmed"] = path.row + 3
    path.leg(176.0, 8, 80.0).leg(171.0, 6, 60.0)
    known["test"] = path.row + 5
    path.leg(181.0, 10, 80.0).bar(187.0, 250.0, high=187.2)
    known["strength"] = known["jump"] = path.row
    path.leg(189.0, 3, 100.0).leg(186.0, 5, 60.0)
    known["support_point"] = known["backup"] = path.row + 5
    path.leg(189.0, 10, 80.0)
    known["markup"] = known["backup"] + 2
    path.leg(200.0, 20, 90.0)
    return path, known


def mirrored(columns: dict[str, Float1D], centre: float = 200.0) -> dict[str, Float1D]:
    return {
        "open": 2 * centre - columns["open"],
        "high": 2 * centre - columns["low"],
        "low": 2 * centre - columns["high"],
        "close": 2 * centre - columns["close"],
        "volume": columns["volume"],
        "is_gap": columns["is_gap"],
    }


def eventful_columns(seed: int, rows: int = 2500, gap_runs: int = 2) -> dict[str, Float1D]:
    """Random trends that end in a climax and a noisy range: rich in everything Wyckoff names."""
    generator = np.random.default_rng(seed)
    path = Schematic(300.0)
    while len(path.rows) < rows:
        side = generator.choice((-1.0, 1.0))
        if path.last < 200:
            side = 1.0
        elif path.last > 400:
            side = -1.0
        for _ in range(int(generator.integers(20, 60))):
            _noisy(path, path.last + side * generator.uniform(-0.3, 1.0), 100.0, generator)
        edge = path.last + side * generator.uniform(2.0, 5.0)
        _noisy(path, edge, generator.uniform(150, 500), generator, wick=generator.uniform(0, 4))
        height = generator.uniform(6.0, 14.0)
        for _ in range(int(generator.integers(4, 12))):
            for target in (edge - side * height, edge):
                goal = target + generator.normal() * 0.15 * height
                for _ in range(int(generator.integers(4, 14))):
                    drift = (goal - path.last) / 4
                    volume = 80.0 * np.exp(0.4 * generator.normal())
                    _noisy(path, path.last + drift, volume, generator)
        if generator.random() < 0.8:
            burst = path.last - side * generator.uniform(3.0, 8.0)
            _noisy(path, burst, generator.uniform(120, 400), generator, wick=0.1)
            _noisy(path, burst - side * 2, 90.0, generator)
        if generator.random() < 0.6:
            _noisy(path, edge - side * (height + 2.5), 300.0, generator, wick=0.1)
            for offset in (3.5, 4.0, 4.5, 3.5, 2.5, 1.5, 0.5, 1.5, 2.5, 3.0, 3.5, 4.0, 4.5):
                _noisy(path, edge - side * (height + offset), 60.0, generator)
    columns = {name: column[:rows].copy() for name, column in path.columns().items()}
    for _ in range(gap_runs):
        start, length = int(generator.integers(300, rows - 20)), int(generator.integers(1, 7))
        for t in range(start, start + length):
            for name in ("open", "high", "low", "close"):
                columns[name][t] = columns["close"][t - 1]
            columns["volume"][t], columns["is_gap"][t] = 0.0, 1.0
    return columns


def _noisy(
    path: Schematic, close: float, volume: float, generator: np.random.Generator, wick: float = 0.4
) -> None:
    close = close + 0.25 * generator.normal()
    up, down = wick * generator.random(2) + 0.05
    path.bar(
        close, volume, low=min(path.last, close) - down, high=max(path.last, close) + up
    )


def outputs(columns: dict[str, Float1D], **given: float) -> dict[str, Float1D]:
    computed = WYCKOFF.compute(columns, WYCKOFF.resolved(given))
    return {output.name: column for output, column in zip(WYCKOFF.outputs, computed, strict=True)}


def plain_bars(columns: dict[str, Float1D]) -> Bars:
    fields = ("open", "high", "low", "close", "volume")
    return Bars(*(columns[name].tolist() for name in fields), (columns["is_gap"] > 0).tolist())


@pytest.mark.parametrize("sign", [1, -1])
def test_textbook_path_gives_the_textbook_events(sign: int) -> None:
    path, known = accumulation()
    columns = path.columns()
    found = outputs(columns if sign > 0 else mirrored(columns))
    for name in TEXTBOOK:
        rows = np.flatnonzero(found[name] == sign)
        assert known[name] in rows, (name, rows)
    order = ["climax", "range_start", "secondary_test", "spring", "test", "strength", "backup"]
    assert [known[name] for name in order] == sorted(known[name] for name in order)
    for name in ("failure", "upthrust"):
        assert not found[name].any()
    opposite = [name for name in EVENTS if (found[name] == -sign).any()]
    assert opposite == ["climax"], "the bar that jumps is also a candidate for a buying climax"


def test_phases_follow_one_another() -> None:
    path, known = accumulation()
    phase = outputs(path.columns())["accumulation_phase"]
    for row, code in (
        (known["range_start"] - 1, 0),
        (known["range_start"], 1),
        (known["secondary_test"], 2),
        (known["spring"], 3),
        (known["strength"], 4),
        (known["markup"], 5),
    ):
        assert phase[row] == code


def test_levels_are_those_of_the_range_while_it_lives() -> None:
    path, known = accumulation()
    columns = path.columns()
    found = outputs(columns)
    alive = slice(known["range_start"], known["markup"])
    rally = known["range_start"] - 3
    assert (found["support"][alive] == columns["low"][known["climax"]]).all()
    assert (found["resistance"][alive] == columns["high"][rally]).all()
    assert found["range_bars"][known["spring"]] == known["spring"] - known["climax"]
    before = known["range_start"] - 1
    assert found["support"][before] == columns["low"][before - 99 : before + 1].min()
    assert found["range_bars"][before] == 0


def test_breaking_down_on_volume_is_a_sign_of_weakness() -> None:
    path, known = accumulation()
    path.rows = path.rows[: known["secondary_test"] + 1]
    path.last = path.rows[-1][3]
    path.leg(170.0, 6).bar(160.0, 500.0)
    found = outputs(path.columns())
    assert found["failure"][path.row] == -1
    assert found["strength"][path.row] == -1
    assert found["schematic"][path.row] == 4
    assert found["accumulation_phase"][path.row] == 0


def test_a_range_ends_with_its_time_and_with_a_long_gap() -> None:
    path, known = accumulation()
    columns = path.columns()
    cut = known["climax"] + 101
    assert outputs(columns, max_range_bars=100)["accumulation_phase"][cut] == 0
    assert outputs(columns)["accumulation_phase"][cut] > 0
    for length, ended in ((3, False), (4, True)):
        rows = slice(known["range_start"] + 1, known["range_start"] + 1 + length)
        gapped = {name: column.copy() for name, column in columns.items()}
        gapped["is_gap"][rows] = 1.0
        phase = outputs(gapped)["accumulation_phase"]
        assert (phase[rows.stop] == 0) == ended


@pytest.mark.parametrize(
    ("volume", "low", "code"), [(60.0, 166.8, 3), (90.0, 166.8, 2), (200.0, 166.8, 1)]
)
def test_spring_type_is_its_volume(volume: float, low: float, code: int) -> None:
    path, known = accumulation()
    row = known["spring"]
    open_, high, _, close, _ = path.rows[row]
    path.rows[row] = (open_, high, low, close, volume)
    assert outputs(path.columns())["spring_type"][row] == code


def test_too_deep_a_dip_is_no_spring() -> None:
    path, known = accumulation()
    row = known["spring"]
    open_, high, _, close, volume = path.rows[row]
    path.rows[row] = (open_, high, 161.0, close, volume)
    assert outputs(path.columns())["spring"][row] == 0


def _oracle_events(columns: dict[str, Float1D], rules: Rules) -> tuple[dict[str, Float1D], int]:
    rows = len(columns["close"])
    found = {name: np.zeros(rows) for name in (*EVENTS, "broken")}
    bars = plain_bars(columns)
    total = 0
    for sign, series in ((1, bars), (-1, bars.negated())):
        side = Accumulation(series, rules)
        own = {name: np.zeros(rows) for name in found}
        for name, row in side.events:
            own[name][row] = 1.0
            total += 1
        for name, column in own.items():
            found[name] += sign * column
    found["strength"] = np.sign(found["strength"] - found.pop("broken"))
    for name in ("failure", "upthrust"):
        found[name] = -found[name]
    return found, total


@pytest.mark.parametrize("rules", [Rules(), Rules(1.8, 5.0, 0.2, 3, 150)])
def test_every_event_agrees_with_the_oracle(rules: Rules) -> None:
    names = ("climax_volume", "trend_atr", "spring_depth", "pivot_right", "max_range_bars")
    seen = dict.fromkeys(EVENTS, 0)
    for seed in range(24):
        columns = eventful_columns(seed)
        expected, _ = _oracle_events(columns, rules)
        found = outputs(columns, **dict(zip(names, astuple(rules), strict=True)))
        for name in EVENTS:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=f"{name} {seed}")
            seen[name] += int(np.count_nonzero(found[name]))
    assert min(seen.values()) > 0, seen


def test_events_follow_what_they_need() -> None:
    """Known never precedes anchor: no row before a fact's last bar can show it."""
    columns = eventful_columns(1)
    found = outputs(columns)
    starts = np.flatnonzero(found["range_start"] != 0)
    assert starts.size > 3
    for row in starts:
        side = found["range_start"][row]
        assert (found["climax"][row - 33 : row - 3] == side).any()
    for name in ("secondary_test", "spring", "strength", "failure"):
        for row in np.flatnonzero(found[name]):
            assert (starts < row).any()


def test_the_composite_is_bounded_and_fades() -> None:
    path, known = accumulation()
    path.leg(200.0, 1)
    for _ in range(30):
        path.leg(202.0, 10).leg(200.0, 10)
    found = outputs(path.columns())
    composite = found["composite"]
    assert np.isnan(composite[:LOOKBACK]).all()
    assert (np.abs(composite[LOOKBACK:]) <= 1).all()
    last = max(np.flatnonzero(found[name]).max(initial=0) for name in EVENTS)
    expected = np.tanh(np.arctanh(composite[last]) * 0.5 ** (50 / 50))
    assert composite[known["markup"]] > 0.5
    assert composite[last + 50] == pytest.approx(expected, rel=1e-12)


def test_a_start_before_stable_rows_leaves_no_trace() -> None:
    given = {"max_range_bars": 100.0, "half_life_bars": 10.0}
    stable = WYCKOFF.stable(WYCKOFF.resolved(given))
    columns = eventful_columns(7, rows=stable + 1500)
    whole = outputs(columns, **given)
    for dropped in (1, 60, 333):
        late = outputs({name: column[dropped:] for name, column in columns.items()}, **given)
        for output in WYCKOFF.outputs:
            expected = whole[output.name][dropped + stable :]
            np.testing.assert_allclose(
                late[output.name][stable:], expected, rtol=1e-6, atol=1e-6, err_msg=output.name
            )
            if output.kind in ("signal", "state"):
                np.testing.assert_array_equal(late[output.name][stable:], expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 40), cut=st.integers(1, 1199))
def test_prefixes_and_poison_change_nothing(seed: int, cut: int) -> None:
    columns = eventful_columns(seed, rows=1200)
    whole = outputs(columns)
    prefix = outputs({name: column[:cut] for name, column in columns.items()})
    poisons = []
    for value in (np.nan, 1e9, -1e9):
        poisoned = {name: column.copy() for name, column in columns.items()}
        for column in poisoned.values():
            column[cut:] = value
        poisons.append(outputs(poisoned))
    for name, column in whole.items():
        np.testing.assert_array_equal(prefix[name], column[:cut], err_msg=name)
        for poisoned_outputs in poisons:
            np.testing.assert_array_equal(poisoned_outputs[name][:cut], column[:cut])


def test_oracle_helpers_know_their_own_rules() -> None:
    assert reset_rows([True] * 5 + [False] + [True] * 3) == {3, 4}
    bars = Bars([1.0] * 25, [2.0] * 25, [1.0] * 25, [1.5] * 25, [1.0] * 25, [False] * 25)
    assert wilder_atr(bars)[20:] == [1.0] * 5


def test_mirrored_prices_mirror_every_event() -> None:
    columns = eventful_columns(3)
    found, flipped = outputs(columns), outputs(mirrored(columns, 256.0))
    for name in EVENTS:
        np.testing.assert_array_equal(flipped[name], -found[name], err_msg=name)
