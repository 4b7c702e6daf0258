"""What becomes of rows that say something else than the stored ones."""

import pyarrow as pa
import pytest

from datasets import DatasetKey, Store
from engine import ConfigError, DataError
from tests.test_datasets.sample_files import HOUR_NS, START_NS

KEY = DatasetKey("fear_greed", "alternative", "sentiment", "CRYPTO", "1d", "test")
DAY_NS = 24 * HOUR_NS


def values(*numbers: float, known_ns: int | None = None) -> pa.Table:
    days = [START_NS + DAY_NS * day for day in range(len(numbers))]
    table = pa.table({"event_time": pa.array(days), "value": pa.array(numbers, pa.float64())})
    if known_ns is not None:
        table = table.append_column("available_at", pa.array([known_ns] * len(numbers)))
    return table


def stored(store: Store, as_of_ns: int | None = None) -> list[float]:
    return store.read(KEY, as_of_ns=as_of_ns)["value"].to_pylist()


@pytest.fixture
def filled(store: Store) -> Store:
    store.write(KEY, values(1, 2, 3), provenance={})
    return store


def test_refuse_names_time_column_and_both_values(filled: Store) -> None:
    with pytest.raises(DataError) as caught:
        filled.write(KEY, values(1, 5, 6, 7), provenance={})
    assert "row 2021-01-02 00:00: value is 2.0 in the store and 5.0 in the new data (2 rows" in str(
        caught.value
    )
    assert stored(filled) == [1, 2, 3]


@pytest.mark.parametrize(("rule", "left"), [("keep", [1, 2, 3, 7]), ("replace", [1, 5, 6, 7])])
def test_keep_and_replace_report_what_differed(filled: Store, rule: str, left: list[float]) -> None:
    result = filled.write(KEY, values(1, 5, 6, 7), provenance={}, on_conflict=rule)
    assert stored(filled) == left
    assert [(one.column, one.stored, one.new) for one in result.conflicts] == [
        ("value", 2.0, 5.0),
        ("value", 3.0, 6.0),
    ]
    assert (result.conflicting_rows, result.added_rows, result.rows) == (2, 1, 4)
    again = filled.write(KEY, values(1, 5, 6, 7), provenance={}, on_conflict=rule)
    assert not again.changed
    assert again.conflicting_rows == (2 if rule == "keep" else 0)


def test_replacing_without_new_rows_is_a_change(filled: Store) -> None:
    filled.record_quality(KEY, {"gaps": []})
    result = filled.write(KEY, values(9), provenance={}, on_conflict="replace")
    assert (result.changed, result.added_rows, result.parts_written) == (True, 0, 1)
    assert filled.dataset(KEY).quality is None


def test_a_revision_is_seen_from_its_moment_on_and_stored_once(filled: Store) -> None:
    moment = START_NS + 30 * DAY_NS
    for _ in range(2):
        result = filled.write(
            KEY, values(1, 5, 3), provenance={}, on_conflict="revise", revised_at_ns=moment
        )
    assert not result.changed
    later = filled.write(
        KEY, values(1, 5, 3), provenance={}, on_conflict="revise", revised_at_ns=moment + DAY_NS
    )
    assert not later.changed
    assert stored(filled) == [1, 2, 5, 3]
    assert stored(filled, moment - 1) == [1, 2, 3]
    assert stored(filled, moment) == [1, 5, 3]


def test_two_revisions_of_one_moment_may_not_differ(filled: Store) -> None:
    moment = START_NS + 30 * DAY_NS
    filled.write(KEY, values(1, 5, 3), provenance={}, on_conflict="revise", revised_at_ns=moment)
    with pytest.raises(DataError, match=r"value is 5.0 in the store and 6.0"):
        filled.write(
            KEY, values(1, 6, 3), provenance={}, on_conflict="revise", revised_at_ns=moment
        )


def test_a_revision_needs_its_moment(filled: Store) -> None:
    with pytest.raises(ConfigError, match="moment of the revision"):
        filled.write(KEY, values(4), provenance={}, on_conflict="revise")


def test_a_revision_is_never_known_before_the_value_that_it_revises(filled: Store) -> None:
    filled.write(KEY, values(4), provenance={}, on_conflict="revise", revised_at_ns=START_NS)
    known = filled.read(KEY)["available_at"].to_pylist()[:2]
    assert known[0] < known[1]


def test_stated_vintages_stay_beside_each_other_in_any_order(tmp_path) -> None:
    late, later = START_NS + 10 * DAY_NS, START_NS + 20 * DAY_NS
    tables = [values(1, 2), values(1, 2.5, known_ns=late), values(1.5, 2.5, known_ns=later)]
    answers = []
    for name, order in (("a", (0, 1, 2)), ("b", (2, 0, 1))):
        store = Store(tmp_path / name)
        for number in order:
            store.write(KEY, tables[number], provenance={})
        answers.append(store.manifest_bytes(KEY))
        assert stored(store, START_NS) == []
        assert stored(store, late - 1) == [1, 2]
        assert stored(store, late) == [1, 2.5]
        assert stored(store, later) == [1.5, 2.5]
    assert answers[0] == answers[1]


def test_an_empty_cell_differs_from_a_value_and_equals_an_empty_one(store: Store) -> None:
    key = DatasetKey("etf", "issuer", "etf", "IBIT", "1d", "test")

    def table(nav: float | None) -> pa.Table:
        return pa.table(
            {
                "event_time": pa.array([START_NS]),
                "price": [1.0],
                "nav": pa.array([nav], pa.float64()),
            }
        )

    store.write(key, table(None), provenance={})
    assert not store.write(key, table(None), provenance={}).changed
    with pytest.raises(DataError, match=r"nav is None in the store and 2\.0 in the new data"):
        store.write(key, table(2.0), provenance={})
