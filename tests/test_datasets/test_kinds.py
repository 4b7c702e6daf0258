"""The table of kinds: availability, identities, and the documentation that is made from it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets import KINDS, SERIES_KINDS, DatasetKey, kind_named
from datasets.kinds import AVAILABLE_AT, EVENT_STEP, Kind
from datasets.kinds.text import kinds_markdown
from engine import DAY_NS, HOUR_NS, DataError

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data.md"


def ns(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1_000


def test_the_documentation_shows_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text()
    shown = text.split("compared by a test -->\n")[1].split("<!-- end of kinds -->")[0]
    assert shown == kinds_markdown()


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_kind_is_whole(kind: Kind) -> None:
    names = [kind.time_column, AVAILABLE_AT, *(column.name for column in kind.columns)]
    assert len(set(names)) == len(names)
    assert kind.schema.names == names
    assert set(kind.row_key) <= set(kind.required)
    assert set(kind.needs_one_of) <= {c.name for c in kind.columns if not c.required}
    assert kind.required or kind.needs_one_of
    assert kind.title
    assert kind.lag_source
    assert kind.is_event == (kind.native_step == EVENT_STEP)
    assert not (kind.is_event and kind.on_grid)
    step = kind.native_step
    times = np.arange(20, dtype=np.int64) * DAY_NS + 3 * HOUR_NS
    known = kind.available_ns(times, step)
    assert (known >= kind.complete_ns(times, step)).all()
    assert (known >= times).all()
    assert (np.diff(known) >= 0).all()
    # A row must be shown for a while after it became known, or it never would be.
    assert kind.max_age_ns > int((known - times).min())
    for column in kind.columns:
        assert column.unit
        assert isinstance(column.arrow_type, pa.DataType)
        assert not column.words or column.type == "text"
        assert column.minimum is None or column.is_number


@pytest.mark.parametrize(
    ("name", "step", "time", "known"),
    [
        ("ohlcv", "1h", "2021-01-01 05:00", "2021-01-01 06:00"),
        ("premium_index", "1m", "2021-01-01 05:00", "2021-01-01 05:01"),
        ("funding", "8h", "2021-01-01 08:00", "2021-01-01 08:00"),
        ("metrics", "5m", "2021-01-01 08:00", "2021-01-01 08:05"),
        ("implied_volatility", "1h", "2021-01-01 08:00", "2021-01-01 09:00"),
        ("exchange_reserves", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
        ("tvl", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
        ("etf", "1d", "2021-01-01 00:00", "2021-01-02 12:00"),
        ("universe", "event", "2021-01-01 00:00", "2021-01-02 12:00"),
        ("fear_greed", "1d", "2021-01-01 00:00", "2021-01-01 00:30"),
        ("trades", "event", "2021-01-01 08:00", "2021-01-01 08:00"),
    ],
)
def test_rows_are_known_when_the_specification_says(
    name: str, step: str, time: str, known: str
) -> None:
    moment = ns(datetime.fromisoformat(time).replace(tzinfo=UTC))
    expected = ns(datetime.fromisoformat(known).replace(tzinfo=UTC))
    assert KINDS[name].available_ns(np.array([moment]), step).tolist() == [expected]


def test_an_exchange_rate_is_known_at_midnight_of_the_next_weekday() -> None:
    first = datetime(2022, 12, 26, tzinfo=UTC)
    for days in range(20):
        day = first + timedelta(days=days)
        expected = day + timedelta(days=1)
        while expected.weekday() >= 5:
            expected += timedelta(days=1)
        known = KINDS["fx"].available_ns(np.array([ns(day)]), "1d")
        assert known.tolist() == [ns(expected)], day


def test_series_kinds_have_one_row_per_time_and_numbers() -> None:
    assert {"funding", "metrics", "premium_index", "fear_greed", "fx", "etf"} <= set(SERIES_KINDS)
    for name in SERIES_KINDS:
        assert not KINDS[name].row_key
        assert any(column.is_number for column in KINDS[name].columns)
    assert not {"ohlcv", "trades", "book_snapshot", "universe", "instruments"} & set(SERIES_KINDS)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(DataError, match="kind='candles' is unknown; `ninefold data kinds` lists"):
        kind_named("candles")
    with pytest.raises(DataError, match="kind='trade' is unknown; did you mean trades"):
        kind_named("trade")


@pytest.mark.parametrize(("kind", "step"), [("ohlcv", "event"), ("trades", "1h")])
def test_the_step_of_a_data_set_fits_its_kind(kind: str, step: str) -> None:
    with pytest.raises(DataError, match=f"step='{step}' does not fit kind {kind}"):
        DatasetKey(kind, "binance", "spot", "BTCUSDT", step, "test")
