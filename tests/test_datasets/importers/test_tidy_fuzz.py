"""Every tidy layout against a slow reference parser: whole files, changed rows, broken bytes."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.importers.files import recognised
from datasets.importers.formats import FORMATS
from datasets.importers.reading.source_file import open_source
from datasets.importers.tidy import LAYOUTS
from engine import DataError
from tests.test_datasets.importers.fuzzing import (
    arbitrary_bytes,
    assert_refused_or_exact,
    corrupted,
    in_memory,
)
from tests.test_datasets.importers.tidy_reference import reference
from tests.test_datasets.importers.tidy_samples import SAMPLES, TIMES, Row, parquet_bytes

FORMAT = {layout.name: layout.format() for layout in LAYOUTS}
NAMES = sorted(SAMPLES)
REFUSED = ("coinalyze_funding",)
"""Layouts that are recognised in order to be refused."""
PLAIN = {name: parquet_bytes(SAMPLES[name].rows, "none") for name in NAMES}


def promise(name: str, data: bytes) -> bool:
    sample = SAMPLES[name]
    return assert_refused_or_exact(
        FORMAT[name], in_memory(sample.name), reference(name, sample.request), data, sample.request
    )


def test_every_layout_has_a_sample() -> None:
    assert sorted(layout.name for layout in LAYOUTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_taken_as_the_reference_reads_it(name: str) -> None:
    assert promise(name, PLAIN[name]) == (name not in REFUSED)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_of_one_format(name: str, tmp_path: Path) -> None:
    file = open_source(SAMPLES[name].write(tmp_path))
    assert [layout.name for layout in FORMATS if layout.recognises(file)] == [name]
    assert recognised(file).name == name


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(data=st.data())
def test_broken_bytes_are_refused_or_read_exactly(name: str, data: st.DataObject) -> None:
    promise(name, data.draw(st.one_of(corrupted(PLAIN[name]), arbitrary_bytes())))


def _odd_cells(column: str, cells: list[Any]) -> st.SearchStrategy[Any]:
    odd: list[Any] = [None, *cells]
    sample = next((cell for cell in cells if cell is not None), None)
    if column in TIMES:
        odd += [0, 1_609_459_200_001, 1_609_459_200_000 + 40 * 86_400_000, -1, 9_999_999_999_999]
    elif isinstance(sample, bool):
        odd += [True, False]
    elif isinstance(sample, float):
        odd += [0.0, -0.0, -1.0, 1e-300, 1e300, float("nan"), float("inf"), float("-inf")]
    elif isinstance(sample, int):
        odd += [0, -1, 1, 2**62]
    elif isinstance(sample, str):
        odd += ["", "btc", "BTC/USD", "A B", "\n", "é", "USDT", "BTC_210326", ".."]
    return st.sampled_from(odd)


@st.composite
def changed_rows(draw: st.DrawFn, rows: tuple[Row, ...]) -> list[Row]:
    """The rows with one to four cells changed, rows repeated, swapped or left out."""
    changed = [dict(row) for row in rows]
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(changed) - 1))
        other = draw(st.integers(0, len(changed) - 1))
        what = draw(st.sampled_from(("cell", "cell", "cell", "repeat", "swap", "leave out")))
        if what == "repeat":
            changed.insert(other, dict(changed[place]))
        elif what == "swap":
            changed[place], changed[other] = changed[other], changed[place]
        elif what == "leave out" and len(changed) > 1:
            del changed[place]
        else:
            column = draw(st.sampled_from(sorted(rows[0])))
            changed[place][column] = draw(_odd_cells(column, [row[column] for row in rows]))
    return changed


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(data=st.data())
def test_changed_rows_are_refused_or_read_exactly(name: str, data: st.DataObject) -> None:
    rows = data.draw(changed_rows(SAMPLES[name].rows))
    try:
        file = parquet_bytes(rows)
    except pa.ArrowException:
        return
    promise(name, file)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_and_an_unknown_column_are_named(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    more = [{**row, "surprise": 1.0} for row in sample.rows]
    with pytest.raises(DataError, match=rf"looks like {name}, but column 'surprise' is unknown"):
        recognised(open_source(sample.write(tmp_path, more)))
