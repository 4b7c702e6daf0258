"""New York time across daylight saving, kill zones, session ranges, Judas swings."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine import HOUR_NS, Float1D
from indicators import kill_zone, new_york, session
from indicators.spec import Indicator

NEW_YORK = ZoneInfo("America/New_York")


def hours_from(start: datetime, count: int) -> Float1D:
    return start.timestamp() * 1e9 + HOUR_NS * np.arange(count, dtype=np.float64)


def outputs_of(
    indicator: Indicator, columns: dict[str, Float1D], **given: float
) -> dict[str, Float1D]:
    computed = indicator.compute(columns, indicator.resolved(given))
    return {o.name: column for o, column in zip(indicator.outputs, computed, strict=True)}


def test_local_time_over_three_years() -> None:
    times = hours_from(datetime(2019, 12, 30, tzinfo=UTC), 24 * 365 * 3)
    local = new_york.new_york_time(times)
    for t in range(0, len(times), 7):
        moment = datetime.fromtimestamp(times[t] / 1e9, NEW_YORK)
        assert local.minute[t] == moment.hour * 60 + moment.minute
        assert local.weekday[t] == moment.weekday()
        assert local.day[t] == (moment.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days


@pytest.mark.parametrize(
    "day", [datetime(2021, 3, 14, tzinfo=UTC), datetime(2021, 11, 7, tzinfo=UTC)]
)
def test_every_minute_around_a_change_of_clocks(day: datetime) -> None:
    times = day.timestamp() * 1e9 + 60e9 * np.arange(24 * 60)
    local = new_york.new_york_time(times)
    expected = [datetime.fromtimestamp(time / 1e9, NEW_YORK) for time in times]
    assert local.minute.tolist() == [m.hour * 60 + m.minute for m in expected]
    assert len(set(local.minute - np.arange(24 * 60) % 1440)) > 1


def test_a_time_that_is_none_does_not_crash() -> None:
    local = new_york.new_york_time(np.array([np.nan, np.inf, -1e9, 1e30, 1e9]))
    assert local.minute.tolist() == [19 * 60] * 5


def test_kill_zones_move_with_the_clocks() -> None:
    for date, offset in (((2021, 3, 12), 5), ((2021, 3, 16), 4)):
        columns = {"open_time": hours_from(datetime(*date, tzinfo=UTC), 30)}
        zone = outputs_of(kill_zone.KILL_ZONE, columns)["zone"]
        assert (zone[2 + offset : 5 + offset] == kill_zone.LONDON).all()
        assert zone[1 + offset] == kill_zone.NO_ZONE
        assert zone[5 + offset] == kill_zone.NO_ZONE
        assert (zone[7 + offset : 10 + offset] == kill_zone.NEW_YORK_AM).all()
        assert (zone[10 + offset : 12 + offset] == kill_zone.LONDON_CLOSE).all()


def test_the_weekend_is_closed_and_sunday_evening_is_mondays() -> None:
    saturday = datetime(2021, 6, 5, 4, tzinfo=UTC)
    columns = {"open_time": hours_from(saturday, 52)}
    zone = outputs_of(kill_zone.KILL_ZONE, columns)["zone"]
    assert (zone[:44] == 0).all()
    assert (zone[44:48] == kill_zone.ASIAN).all()
    friday = {"open_time": hours_from(datetime(2021, 6, 5, tzinfo=UTC), 4)}
    assert not outputs_of(kill_zone.KILL_ZONE, friday)["zone"].any()
    opened = outputs_of(kill_zone.KILL_ZONE, friday, weekend=1)["zone"]
    assert opened.tolist() == [kill_zone.NO_ZONE, *3 * [kill_zone.ASIAN]]


def test_minutes_into_a_zone_and_silver_bullets() -> None:
    quarter = datetime(2021, 6, 8, 4, tzinfo=UTC).timestamp() * 1e9 + 900e9 * np.arange(96)
    got = outputs_of(kill_zone.KILL_ZONE, {"open_time": quarter})
    at = {(int(t) // 4, int(t) % 4 * 15): int(t) for t in range(96)}
    assert got["minutes_into"][at[2, 45]] == 45
    assert got["minutes_into"][at[20, 30]] == 30
    hours = sorted({t // 4 for t in np.flatnonzero(got["silver_bullet"])})
    assert hours == [3, 10, 14]


def evening(start: datetime, count: int = 40, step_hours: float = 1.0) -> dict[str, Float1D]:
    """Quiet bars between 99 and 101 that close at 100."""
    hours = start.timestamp() / 3600 + step_hours * np.arange(count)
    return {
        "open_time": hours * HOUR_NS,
        "open": np.full(count, 100.0),
        "high": np.full(count, 101.0),
        "low": np.full(count, 99.0),
        "close": np.full(count, 100.0),
        "is_gap": np.zeros(count),
    }


@pytest.mark.parametrize(
    ("midnight", "expected"),
    [
        (datetime(2021, 3, 12, 5, tzinfo=UTC), True),
        (datetime(2021, 3, 15, 4, tzinfo=UTC), True),
        (datetime(2021, 3, 14, 5, tzinfo=UTC), False),
    ],
    ids=["winter", "Monday in summer time", "Sunday"],
)
def test_judas_swing_on_both_sides_of_the_clock_change(midnight: datetime, expected: bool) -> None:
    columns = evening(midnight - timedelta(hours=28))
    row = 28 + 2
    columns["high"][row], columns["close"][row] = 103.0, 102.5
    columns["high"][row + 1], columns["close"][row + 1] = 102.6, 100.2
    found = session.judas_swings(columns)
    event, strength = found.event, found.strength
    assert list(np.flatnonzero(event)) == ([row + 1] if expected else [])
    if expected:
        assert event[row + 1] == -1
        assert strength[row + 1] == (103.0 - 100.2) / 2.0
    weekend = session.judas_swings(columns, weekend=True).event
    assert list(np.flatnonzero(weekend)) == [row + 1]


def test_judas_swing_needs_the_window_the_strength_and_a_whole_range() -> None:
    midnight = datetime(2021, 6, 9, 4, tzinfo=UTC)

    def raided(hour: int, start: int = 28, close: float = 100.2) -> list[int]:
        columns = evening(midnight - timedelta(hours=start), start + 20)
        row = start + hour
        columns["high"][row], columns["close"][row] = 103.0, close
        return [int(t) - start for t in np.flatnonzero(session.judas_swings(columns).event)]

    assert raided(0) == [0]
    assert raided(4) == [4]
    assert raided(5) == []
    assert raided(-1) == []
    assert raided(4, close=101.5) == []


def test_a_range_that_began_before_the_series_does_not_count() -> None:
    # Bars of 15 minutes: 16 of them from 20:00 to midnight, the raid at 04:00.
    for lead, expected in ((0, []), (1, [33])):
        first = datetime(2021, 6, 9, 0, tzinfo=UTC) - timedelta(minutes=15 * lead)
        columns = evening(first, 50, step_hours=0.25)
        columns["high"][32 + lead], columns["close"][32 + lead] = 103.0, 100.2
        assert list(np.flatnonzero(session.judas_swings(columns).event)) == expected, lead


def test_a_missing_bar_is_no_part_of_a_range_and_a_missing_evening_no_range() -> None:
    columns = evening(datetime(2021, 6, 8, tzinfo=UTC), 48)
    # 20:00 is missing and repeats a close of 104.
    for name in ("open", "high", "low", "close"):
        columns[name][24] = 104.0
    columns["is_gap"][24] = 1.0
    columns["high"][30], columns["close"][30] = 103.0, 100.2
    assert list(np.flatnonzero(session.judas_swings(columns).event)) == [30]
    columns["is_gap"][24:27] = 1.0
    assert list(np.flatnonzero(session.judas_swings(columns).event)) == [30]
    columns["is_gap"][27] = 1.0
    assert not session.judas_swings(columns).event.any()


def test_a_raid_goes_beyond_the_midnight_open() -> None:
    columns = evening(datetime(2021, 6, 8, tzinfo=UTC), 48)
    columns["open"][28] = columns["high"][28] = 104.0
    columns["high"][30], columns["close"][28:31] = 103.0, (102.0, 102.0, 100.2)
    assert not session.judas_swings(columns).event.any()
    columns["open"][28] = 102.9
    assert list(np.flatnonzero(session.judas_swings(columns).event)) == [30]


def test_once_a_side_and_day() -> None:
    columns = evening(datetime(2021, 6, 8, tzinfo=UTC), 48)
    columns["high"][29:32] = 103.0
    columns["close"][29:32] = 100.2
    columns["low"][32], columns["close"][32] = 97.0, 99.8
    event = session.judas_swings(columns).event
    assert [(int(t), event[t]) for t in np.flatnonzero(event)] == [(29, -1.0), (32, 1.0)]


@pytest.mark.parametrize("hours", [2, 4, 24])
def test_bars_of_more_than_an_hour_have_no_sessions(hours: int) -> None:
    # 21:00 in New York, inside the Asian zone.
    start = datetime(2021, 6, 8, 1, tzinfo=UTC)
    for step_hours, shown in ((1.0, True), (float(hours), False)):
        columns = evening(start, 240, step_hours=step_hours)
        columns["high"][::5], columns["low"][::7] = 110.0, 90.0
        zones = outputs_of(kill_zone.KILL_ZONE, columns, weekend=1)
        judas = outputs_of(session.JUDAS_SWING, columns, weekend=1)
        for name, column in {**zones, **judas}.items():
            kind = next(
                output.kind
                for indicator in (kill_zone.KILL_ZONE, session.JUDAS_SWING)
                for output in indicator.outputs
                if output.name == name
            )
            seen = ~np.isnan(column) if kind == "level" else column != 0
            assert seen.any() == shown or name == "new_york_judas", (name, step_hours)
            assert shown or not seen.any(), name


@pytest.mark.parametrize("indicator", [kill_zone.KILL_ZONE, session.JUDAS_SWING])
@pytest.mark.parametrize("step_hours", [0.25, 1.0, 4.0, 24.0])
def test_a_row_never_changes_when_the_next_arrives(indicator: Indicator, step_hours: float) -> None:
    # The Asian zone is open on row 0, whose length is not known before row 1.
    columns = evening(datetime(2021, 6, 8, 1, tzinfo=UTC), 40, step_hours=step_hours)
    whole = outputs_of(indicator, columns)
    for count in (1, 2, 3, 17):
        part = outputs_of(indicator, {name: column[:count] for name, column in columns.items()})
        for name, column in part.items():
            np.testing.assert_array_equal(column, whole[name][:count], err_msg=name)


def test_asian_range_is_known_at_midnight() -> None:
    columns = evening(datetime(2021, 6, 8, tzinfo=UTC) - timedelta(hours=1), 48)
    columns["high"][3], columns["low"][4] = 105.0, 90.0
    columns["low"][5] = 80.0
    local = new_york.new_york_time(columns["open_time"])
    found = session.session_ranges(columns, session.ASIAN_RAID)
    # The bar that opens at 23:00 closes at midnight.
    assert list(np.flatnonzero(~np.isnan(found.high))) == [4, 28]
    assert local.minute[4] == 23 * 60
    assert (found.high[4], found.low[4]) == (105.0, 90.0)
    assert (found.high_row[4], found.low_row[4], found.first_row[4]) == (3.0, 4.0, 1.0)
    assert found.period[4] == local.day[5]
    shown = outputs_of(session.JUDAS_SWING, columns)["asian_high"]
    assert np.isnan(shown[:4]).all()
    assert shown[4] == 105.0


def test_presets_of_the_kill_zones() -> None:
    minutes = datetime(2021, 6, 8, 4, tzinfo=UTC).timestamp() * 1e9 + 600e9 * np.arange(144)
    common = outputs_of(kill_zone.KILL_ZONE, {"open_time": minutes}, preset=kill_zone.ICT_COMMON)
    seed = outputs_of(kill_zone.KILL_ZONE, {"open_time": minutes}, preset=kill_zone.SEED)

    def windows(column: Float1D) -> list[tuple[int, int, int]]:
        edges = np.flatnonzero(np.diff(column, prepend=0.0, append=0.0))
        return [
            (int(column[a]), int(a) * 10, int(b) * 10) for a, b in pairwise(edges) if column[a] > 0
        ]

    asian, london = (kill_zone.ASIAN, 1200, 1440), (kill_zone.LONDON, 120, 300)
    morning, close = (kill_zone.NEW_YORK_AM, 420, 600), (kill_zone.LONDON_CLOSE, 600, 720)
    assert windows(common["zone"]) == [london, morning, close, asian]
    assert windows(seed["zone"]) == [london, (kill_zone.NEW_YORK_AM, 480, 660), asian]
    assert windows(common["silver_bullet"]) == [(1, 180, 240), (1, 600, 660), (1, 840, 900)]
    assert windows(seed["silver_bullet"]) == [(1, 590, 610), (1, 900, 920)]
    assert common["minutes_into"][59:61].tolist() == [170.0, 0.0]
    assert seed["minutes_into"][59:61].tolist() == [110.0, 120.0]


def test_a_shift_of_structure_may_be_asked_for() -> None:
    # Nothing shifts on quiet bars, whatever is raided.
    columns = evening(datetime(2021, 6, 8, tzinfo=UTC), 48)
    columns["high"][30], columns["close"][30] = 103.0, 100.2
    assert session.judas_swings(columns).event[30] == -1
    assert not session.judas_swings(columns, needs_shift=True).event.any()


@pytest.mark.parametrize(("row", "expected"), [(29, []), (30, [32]), (31, [32]), (33, [])])
def test_the_shift_lies_between_the_raid_and_the_close(
    row: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = evening(datetime(2021, 6, 8, tzinfo=UTC), 48)
    # A raid on row 30, back inside by enough from row 32 on; the window ends behind row 32.
    columns["high"][30], columns["close"][30:32] = 103.0, 102.5
    shift = np.zeros(48)
    shift[row] = -1.0
    monkeypatch.setattr(session, "_shifts", lambda columns: shift)
    found = session.judas_swings(columns, needs_shift=True)
    assert list(np.flatnonzero(found.event)) == expected
