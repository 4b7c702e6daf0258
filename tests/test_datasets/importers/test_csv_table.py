"""The CSV reader: the values Python reads, and refusals that name the line, column and cell."""

import numpy as np
import pyarrow as pa
import pytest

from datasets.findings import RefusedFileError
from datasets.importers.reading.csv_table import csv_table
from tests.test_datasets.importers.fuzzing import in_memory

TYPES = {"time": pa.int64(), "price": pa.float64(), "flag": pa.bool_()}
NAMES = (*TYPES, "word")
GOOD = b"t,p,f,w\n1,2.5,true,a\n3,-4e-3,False,b\n"
BUILD = in_memory("x.csv")


def test_values_and_lines() -> None:
    table, places = csv_table(BUILD(GOOD), NAMES, TYPES, skip_lines=1)
    assert table.to_pydict() == {
        "time": [1, 3],
        "price": [2.5, -0.004],
        "flag": [True, False],
        "word": ["a", "b"],
    }
    assert places.tolist() == [2, 3]


def test_line_ends_byte_order_mark_and_quotes_do_not_matter() -> None:
    expected, _ = csv_table(BUILD(GOOD), NAMES, TYPES, skip_lines=1)
    for data in (
        GOOD.rstrip(b"\n"),
        GOOD + b"\n \r\n",
        GOOD.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"2.5", b'"2.5"').replace(b"a\n", b'"a"\n'),
    ):
        assert csv_table(BUILD(data), NAMES, TYPES, skip_lines=1)[0].equals(expected)
    without_header, places = csv_table(
        BUILD(b"\xef\xbb\xbf" + GOOD.partition(b"\n")[2]), NAMES, TYPES, skip_lines=0
    )
    assert without_header.equals(expected)
    assert places.tolist() == [1, 2]


def test_numbers_are_those_of_python_beyond_one_block() -> None:
    generator = np.random.default_rng(3)
    exponents = np.resize(np.arange(-9, 11), 300_000)
    values = (generator.standard_normal(300_000) * 10.0**exponents).tolist()
    data = "\n".join(f"{row},{value!r}" for row, value in enumerate(values)).encode()
    table, places = csv_table(BUILD(data), ("time", "price"), TYPES, skip_lines=0)
    assert table["price"].to_pylist() == values
    assert table["time"].to_pylist() == list(range(300_000))
    assert places[-1] == 300_000


@pytest.mark.parametrize(
    ("broken", "defect", "message"),
    [
        (
            b"1.60947E+12,2.5,true,a",
            "scientific_notation",
            "line 2: time='1.60947E.12' is in scient",
        ),
        (b"1.5,2.5,true,a", "unreadable", "line 2: time='1.5' is not a whole number"),
        (b"10\x1c,2.5,true,a", "unreadable", "line 2: time=.* is not a whole number"),
        (b"0x10,2.5,true,a", "unreadable", "line 2: time='0x10' is not a whole number"),
        (b"99999999999999999999,2.5,true,a", "unreadable", "line 2: time=.* is too large"),
        (b",2.5,true,a", "missing_value", "line 2: time is empty"),
        (b"1,abc,true,a", "unreadable", "line 2: price='abc' is not a number"),
        (b"1,1_0.5,true,a", "unreadable", "line 2: price='1_0.5' is not a number"),
        (b"1,nan,true,a", "missing_value", "line 2: price is empty"),
        (b"1,-inf,true,a", "unreadable", "line 2: price=-inf is not a finite number"),
        (b"1,NAN,true,a", "missing_value", "line 2: price=nan is not a finite number"),
        (b"1,2.5,maybe,a", "unreadable", "line 2: flag='maybe' is neither true nor false"),
        (b"1,2.5,true", "unreadable", "line 2: 3 of 4 columns, the line is broken"),
        (b"1,2.5,true,a,b", "unreadable", "line 2: 5 of 4 columns, the line is broken"),
        (b"", "missing_value", "line 2: time is empty"),
        (b'1,2.5,true,"a', "unreadable", "line 2: a quoted cell does not end on its line"),
        (b"1,2.5,true,a\rb", "unreadable", "a carriage return that ends no line"),
        (b"1,2.5,true,\xff", "unreadable", "x.csv"),
        (b"1\x00,2.5,true,a", "unreadable", r"line 2: time='1\\\\x00' is not a whole number"),
    ],
)
def test_broken_cells_are_refused_by_name(broken: bytes, defect: str, message: str) -> None:
    data = GOOD.replace(b"1,2.5,true,a", broken)
    with pytest.raises(RefusedFileError, match=message) as caught:
        csv_table(BUILD(data), NAMES, TYPES, skip_lines=1)
    assert caught.value.defect == defect


def test_a_cut_line_at_the_end_is_a_truncated_file() -> None:
    with pytest.raises(RefusedFileError, match="line 3: 2 of 4 columns, the file is truncated"):
        csv_table(BUILD(GOOD[:-9]), NAMES, TYPES, skip_lines=1)


@pytest.mark.parametrize("data", [b"t,p,f,w\n", b"t,p,f,w", b"t,p,f,w\n \n"])
def test_a_header_alone_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedFileError, match="a header but no rows"):
        csv_table(BUILD(data), NAMES, TYPES, skip_lines=1)


def test_optional_cells_may_be_empty() -> None:
    data = b"1,NULL,true,a\n2,,true,b\n3,None,true,c\n4,1.0,true,d\n"
    table, _ = csv_table(BUILD(data), NAMES, TYPES, skip_lines=0, optional=("price",))
    assert table["price"].to_pylist() == [None, None, None, 1.0]


def test_required_numbers_without_text_columns_name_their_empty_cells() -> None:
    for cell in (b"", b"NULL", b"nan"):
        with pytest.raises(RefusedFileError, match="line 2: price") as caught:
            csv_table(
                BUILD(b"1,2.5\n3," + cell + b"\n5,6\n"), ("time", "price"), TYPES, skip_lines=0
            )
        assert caught.value.defect == "missing_value"


def test_unused_columns_may_hold_anything() -> None:
    data = GOOD.replace(b",a\n", b",\xff0x\n").replace(b",b\n", b",\n")
    table, _ = csv_table(BUILD(data), NAMES, TYPES, skip_lines=1, unused=("word",))
    assert table.column_names == [*TYPES]
    assert table["time"].to_pylist() == [1, 3]
