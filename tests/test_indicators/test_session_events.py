"""Tables of session ranges and Judas swings against the calendar of New York, date by date."""

from datetime import UTC, datetime

import numpy as np
import pytest

from engine import HOUR_NS, Bars, Float1D
from indicators.session_events import JUDAS_DETECTOR, SESSION_DETECTOR
from indicators.structure import STRUCTURE
from indicators.volatility import average_true_range
from tests.generators import random_bars
from tests.oracles import liquidity as oracle

RAIDS = (("asian", (0, 300)), ("london", (8 * 60 + 30, 10 * 60 + 30)))


def moments(bars: Bars) -> list[datetime]:
    return [datetime.fromtimestamp(time / 1e9, UTC) for time in bars.open_time]


@pytest.mark.parametrize("weekend", [False, True])
@pytest.mark.parametrize(("seed", "gap_share"), [(1, 0.0), (2, 0.3)])
def test_ranges_date_by_date(seed: int, gap_share: float, weekend: bool) -> None:
    # From January to May: the clocks change on the way.
    bars = random_bars(24 * 130, seed, gap_share=gap_share)
    high, low, is_gap = bars.high.tolist(), bars.low.tolist(), bars.is_gap.tolist()
    parameters = SESSION_DETECTOR.resolved({"weekend": float(weekend)})
    table = SESSION_DETECTOR.find(bars.columns(), parameters)
    got = [
        (
            int(table.type[i]), int(table.known[i]), int(table.anchor[i]), table.top[i],
            table.bottom[i], *(int(row) for row in table.point_rows[i]),
        )
        for i in range(len(table))
    ]  # fmt: skip
    expected = [
        (
            code, one.known, one.first, high[one.high_row], low[one.low_row],
            one.high_row, one.low_row,
        )
        for code, kind in enumerate(("asian", "london"))
        for one in oracle.ranges(kind, moments(bars), high, low, is_gap, weekend=weekend)
    ]  # fmt: skip
    assert sorted(got) == sorted(expected)
    assert len(got) > (100 if gap_share == 0 else 50)
    assert not table.direction.any()


@pytest.mark.parametrize("needs_shift", [False, True])
@pytest.mark.parametrize(
    ("seed", "gap_share", "timeframe"), [(1, 0.0, "1h"), (2, 0.3, "1h"), (5, 0.02, "15m")]
)
def test_judas_swings_date_by_date(
    seed: int, gap_share: float, timeframe: str, needs_shift: bool
) -> None:
    # Around the two changes of clocks of 2021, on 14 March and 7 November.
    for start in (datetime(2021, 2, 20, tzinfo=UTC), datetime(2021, 10, 20, tzinfo=UTC)):
        bars = random_bars(24 * 60, seed, timeframe=timeframe, gap_share=gap_share)
        columns = dict(bars.columns())
        columns["open_time"] = columns["open_time"] + start.timestamp() * 1e9 - bars.open_time[0]
        opens = [datetime.fromtimestamp(time / 1e9, UTC) for time in columns["open_time"]]
        atr = average_true_range(bars.high, bars.low, bars.close, 14).tolist()
        prices = tuple(columns[name].tolist() for name in ("open", "high", "low", "close"))
        shifts = STRUCTURE.compute(columns, STRUCTURE.resolved({}))[STRUCTURE.output_index("mss")]
        expected = []
        for code, (kind, window) in enumerate(RAIDS):
            found = oracle.judas_swings(
                opens, prices, atr, bars.is_gap.tolist(), kind=kind, window=window,
                step=opens[1] - opens[0], shift=shifts.tolist() if needs_shift else None,
            )  # fmt: skip
            expected += [(code, j.row, j.side, j.strength, j.began, j.extreme) for j in found]
        parameters = JUDAS_DETECTOR.resolved({"needs_shift": float(needs_shift)})
        table = JUDAS_DETECTOR.find(columns, parameters)
        got = [
            (
                int(table.type[i]), int(table.known[i]), int(table.direction[i]),
                table.measure[i], int(table.anchor[i]), table.point_prices[i, 0],
            )
            for i in range(len(table))
        ]  # fmt: skip
        assert sorted(got) == sorted(expected)
        assert len(got) >= (0 if needs_shift else 5)


def test_a_judas_swing_tells_its_range_its_raid_and_when_it_was_known() -> None:
    hours = datetime(2021, 6, 8, tzinfo=UTC).timestamp() / 3600 + np.arange(48)
    columns: dict[str, Float1D] = {
        "open_time": hours * HOUR_NS,
        "open": np.full(48, 100.0),
        "high": np.full(48, 101.0),
        "low": np.full(48, 99.0),
        "close": np.full(48, 100.0),
        "is_gap": np.zeros(48),
    }
    # Midnight is row 28; the raid goes on for three bars before a close comes back.
    columns["high"][29:32], columns["close"][29:31] = (102.0, 103.0, 102.5), (101.5, 102.0)
    columns["close"][31] = 100.3
    table = JUDAS_DETECTOR.find(columns, JUDAS_DETECTOR.resolved({}))
    assert [kind.name for kind in JUDAS_DETECTOR.types][table.type[0]] == "asian_judas"
    assert len(table) == 1
    assert (table.direction[0], table.anchor[0], table.known[0]) == (-1, 29, 31)
    assert (table.top[0], table.bottom[0]) == (101.0, 99.0)
    assert table.point_rows.tolist() == [[30]]
    assert table.point_prices.tolist() == [[103.0]]
    assert table.measure[0] == (103.0 - 100.3) / 2.0
