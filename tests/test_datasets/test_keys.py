import numpy as np
import pyarrow as pa
import pytest

from datasets import KINDS, SERIES_KINDS, DatasetKey, Instrument, time_ns_of, time_text
from datasets.timestamps import column_ns
from engine import FLOW_COLUMNS, PRICE_COLUMNS, ConfigError, DataError, timeframe_ns
from tests.test_datasets.sample_files import BARS_KEY, utc_ns


def test_key_spells_and_parses() -> None:
    text = "ohlcv/binance/spot/BTCUSDT/1h/test"
    assert str(BARS_KEY) == text
    assert DatasetKey.parse(text) == BARS_KEY
    assert str(BARS_KEY.manifest) == f"_manifest/{text}.json"


@pytest.mark.parametrize("symbol", ["", "BTC/USDT", "../x", ".hidden", "a=b", "a b"])
def test_parts_of_a_key_are_folder_names(symbol: str) -> None:
    with pytest.raises(DataError, match=r"symbol=.* cannot be a folder name"):
        DatasetKey("ohlcv", "binance", "spot", symbol, "1h", "test")
    with pytest.raises(DataError, match="cannot be a folder name"):
        Instrument("binance", "spot", symbol)


def test_a_symbol_may_be_spelt_in_any_script() -> None:
    key = DatasetKey("ohlcv", "binance", "um_perp", "币安人生USDT", "1h", "test")
    assert DatasetKey.parse(str(key)) == key


def test_a_market_is_one_of_the_known_words() -> None:
    with pytest.raises(
        DataError, match=r"market='swap' is unknown; it must be one of spot, um_perp"
    ):
        DatasetKey("ohlcv", "okx", "swap", "BTC-USDT-SWAP", "1h", "test")


def test_unknown_kinds_and_short_keys() -> None:
    with pytest.raises(DataError, match=r"kind='bars' is unknown; `ninefold data kinds` lists"):
        DatasetKey("bars", "binance", "spot", "BTCUSDT", "1h", "test")
    with pytest.raises(DataError, match="six parts"):
        DatasetKey.parse("ohlcv/binance")


def test_instrument_names_its_source_only_when_it_has_one() -> None:
    assert str(Instrument("binance", "spot", "BTCUSDT")) == "binance/spot/BTCUSDT"
    assert str(Instrument("binance", "spot", "BTCUSDT", "a")) == "binance/spot/BTCUSDT from a"


def test_bars_of_the_store_have_the_columns_of_the_engine() -> None:
    names = [column.name for column in KINDS["ohlcv"].columns]
    assert names == [*PRICE_COLUMNS, "volume", *FLOW_COLUMNS]


def test_a_row_can_be_shown_before_it_is_too_old() -> None:
    for name in SERIES_KINDS:
        kind = KINDS[name]
        step_ns = timeframe_ns(kind.native_step)
        lag_ns = int(kind.available_ns(np.zeros(1, dtype=np.int64), kind.native_step)[0])
        # With a regular feed the row before is still shown when the next one becomes known.
        assert kind.max_age_ns >= lag_ns + step_ns
        assert kind.schema.field(0).type == pa.timestamp("us")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-01-01", utc_ns("2021-01-01 00:00")),
        ("2021-01-01 08:30", utc_ns("2021-01-01 08:30")),
        ("2021-01-01T08:30:05Z", utc_ns("2021-01-01 08:30:05")),
        ("2021-01-01T08:30+02:00", utc_ns("2021-01-01 06:30")),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: int) -> None:
    assert time_ns_of(text, "--since") == expected


def test_a_text_that_is_no_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="--since: 'soon' is not a time"):
        time_ns_of("soon", "--since")


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01 00:00"),
        (utc_ns("2018-02-09 09:28:14") + 789_000_000, "2018-02-09 09:28:14.789"),
        (utc_ns("2018-02-09 09:28:14"), "2018-02-09 09:28:14"),
        (-1, "1969-12-31 23:59:59.999999999"),
        (np.int64(10**18), "2001-09-09 01:46:40"),
    ],
)
def test_times_read_as_text(time_ns: int, text: str) -> None:
    assert time_text(time_ns) == text


def test_a_time_beyond_what_nanoseconds_can_hold_is_refused() -> None:
    far = pa.array([0, 100_000_000_000_000_000], type=pa.int64()).cast(pa.timestamp("us"))
    with pytest.raises(DataError, match="x: row 1: 100000000000000000 us since 1970 lies outside"):
        column_ns(far, "x")
