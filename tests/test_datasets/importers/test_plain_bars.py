"""Plain CSV files of bars: nothing about them is guessed but the unit of their stamps."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.importers.formats import FORMATS
from datasets.importers.reading.source_file import open_source
from datasets.importers.report import Request
from tests.test_datasets.importers.fuzzing import (
    Row,
    arbitrary_bytes,
    assert_refused_or_exact,
    corrupted,
    in_memory,
)
from tests.test_datasets.importers.reading import (
    defects,
    read_one,
    refusal,
    refused_as,
    write,
)
from tests.test_datasets.sample_files import HOUR_NS, START_NS

OWNER = {"venue": "kraken", "market": "spot", "symbol": "BTC-EUR", "timeframe": "1h"}
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
(FORMAT,) = (one for one in FORMATS if one.name == "plain_bars")


def bars(times: list[Any], name: str = "open_time", end: str = "\n") -> bytes:
    rows = [f"{time},10,12,9,11.5,{row + 1}" for row, time in enumerate(times)]
    return (end.join([f"{name},open,high,low,close,volume", *rows]) + end).encode()


def iso(text: str) -> list[str]:
    moments = [datetime.fromtimestamp((START_NS + n * HOUR_NS) // 10**9, UTC) for n in range(6)]
    return [moment.strftime(text) for moment in moments]


@pytest.mark.parametrize("name", ["open_time", "timestamp", "date"])
@pytest.mark.parametrize(
    "times",
    [
        *([(START_NS + n * HOUR_NS) // unit for n in range(6)] for unit in UNITS.values()),
        iso("%Y-%m-%d %H:%M:%S"),
        iso("%Y-%m-%dT%H:%M:%SZ"),
        iso("%Y-%m-%d %H:%M:%S+00:00"),
    ],
)
def test_times_of_any_unit_or_iso(tmp_path: Path, name: str, times: list[Any]) -> None:
    path = write(tmp_path / "btc.csv", bars(times, name, "\r\n"))
    rows = read_one(path, **OWNER)
    assert str(rows.key) == "ohlcv/kraken/spot/BTC-EUR/1h/plain_bars"
    assert rows.time_ns().tolist() == [START_NS + n * HOUR_NS for n in range(5)]
    assert rows.table["volume"].to_pylist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    naive = isinstance(times[0], str) and times[0].endswith(":00") and "+" not in times[0]
    assert defects(rows) == {"incomplete_last_bar": 1} | ({"unstated_zone": 5} if naive else {})
    assert [one.name for one in FORMATS if one.recognises(open_source(path))] == ["plain_bars"]


@pytest.mark.parametrize("left_out", list(OWNER))
def test_everything_that_the_file_does_not_say_must_be_given(tmp_path: Path, left_out: str) -> None:
    path = write(tmp_path / "kraken_spot_btc.csv", bars(iso("%Y-%m-%d %H:%M:%S")))
    given_ = {what: word for what, word in OWNER.items() if what != left_out}
    assert f"does not say the {left_out}; give --{left_out} " in str(refusal(path, **given_))
    message = str(refusal(path))
    assert all(f"--{what} " in message for what in OWNER)


@pytest.mark.parametrize(
    ("row", "cell", "defect"),
    [
        (2, START_NS // 10**3, "mixed_time_unit"),
        (2, "2021-01-01 02:00:00", "mixed_time_format"),
        (0, 7, "unreadable"),
        (0, "1.6E+12", "unreadable"),
        (0, "01.01.2021", "unreadable"),
    ],
)
def test_times_that_are_unclear_are_refused_with_their_line(
    tmp_path: Path, row: int, cell: Any, defect: str
) -> None:
    times: list[Any] = [(START_NS + n * HOUR_NS) // 10**6 for n in range(6)]
    times[row] = cell
    found, message = refused_as(write(tmp_path / "x.csv", bars(times)), **OWNER)
    assert found == defect
    assert f"line {row + 2}: open_time=" in message


def test_bars_of_another_step_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", bars(iso("%Y-%m-%d %H:%M:%S")))
    assert "3600 s apart" in str(refusal(path, **{**OWNER, "timeframe": "1m"}))


@pytest.mark.parametrize("extra", ["open_time,open,high,low,close", "open_time,o,h,l,c,v", "x"])
def test_other_headers_are_not_recognised(tmp_path: Path, extra: str) -> None:
    assert not FORMAT.recognises(open_source(write(tmp_path / "x.csv", f"{extra}\n1\n".encode())))


VALID = bars([(START_NS + n * HOUR_NS) // 10**6 for n in range(6)])


def reference(data: bytes) -> dict[str, list[Row]]:
    lines = data.decode("utf-8-sig").rstrip("\r\n \t").replace("\r\n", "\n").split("\n")[1:]
    rows: dict[int, Row] = {}
    for line in lines:
        stamp, *values = (cell.strip('"').strip() for cell in line.split(","))
        if stamp.isdigit():
            (unit,) = [u for u in UNITS.values() if 10**18 <= int(stamp) * u < 9 * 10**18]
            time_ns = int(stamp) * unit
        else:
            moment = datetime.fromisoformat(stamp)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            time_ns = int(moment.timestamp()) * 10**9
        names = ("open", "high", "low", "close", "volume")
        rows[time_ns] = {"open_time": time_ns, **dict(zip(names, map(float, values), strict=True))}
    kept = [row for _, row in sorted(rows.items()) if row["open_time"] % HOUR_NS == 0][:-1]
    return {"ohlcv/kraken/spot/BTC-EUR/1h/plain_bars": kept}


@settings(max_examples=200)
@given(data=st.one_of(corrupted(VALID), arbitrary_bytes()))
def test_fuzzed_files_are_refused_or_exact(data: bytes) -> None:
    assert_refused_or_exact(FORMAT, in_memory("x.csv"), reference, data, Request(**OWNER))
