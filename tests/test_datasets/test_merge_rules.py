"""Every rule for contradicting rows against a dictionary that obeys it in plain Python."""

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import DatasetKey
from datasets.conflicts import OnConflict
from datasets.kinds import KINDS
from datasets.merge import merged_rows
from datasets.tables import canonical_table, identity_order
from engine import DAY_NS, DataError

KEY = DatasetKey("universe", "vendor", "coins", "all", "event", "test")
KIND = KINDS["universe"]
Row = tuple[int, str, int, float]
"""Day, asset, day on which the row is known, market cap."""
Stored = dict[tuple[int, str], dict[int, float]]
FIRST_KNOWN = 5
"""Every row is known after every day that rows are about."""


def table(rows: Sequence[Row]) -> pa.Table:
    columns = {
        "event_time": pa.array([day * DAY_NS for day, *_ in rows], pa.int64()),
        "available_at": pa.array([known * DAY_NS for *_, known, _ in rows], pa.int64()),
        "asset": pa.array([asset for _, asset, *_ in rows], pa.string()),
        "symbol": pa.array(["X"] * len(rows), pa.string()),
        "market_cap_usd": pa.array([cap for *_, cap in rows], pa.float64()),
    }
    made = canonical_table(KIND, KEY.step, pa.table(columns), "test")
    return made.take(pa.array(identity_order(KIND, made)))


def stored_rows(merged: pa.Table) -> Stored:
    found: Stored = {}
    for row in merged.to_pylist():
        known_us = int(row["available_at"].timestamp() * 1e6)
        day = int(row["event_time"].timestamp()) // 86_400
        found.setdefault((day, row["asset"]), {})[known_us] = row["market_cap_usd"]
    return found


def us(day: int) -> int:
    return day * DAY_NS // 1_000


def grouped(rows: Sequence[Row]) -> Stored:
    found: Stored = {}
    for day, asset, known, cap in rows:
        found.setdefault((day, asset), {})[us(known)] = cap
    return found


def reference(stored: Stored, new: Stored, rule: str) -> Stored:
    """What is left of both, one value after the other."""
    result = {name: dict(vintages) for name, vintages in stored.items()}
    for name, vintages in new.items():
        kept = result.setdefault(name, {})
        for known, cap in vintages.items():
            if rule == "replace" or known not in kept:
                kept[known] = cap
    return result


def rows_of(most: int = 8) -> st.SearchStrategy[list[Row]]:
    row = st.tuples(
        st.integers(0, 1),
        st.sampled_from("ab"),
        st.integers(FIRST_KNOWN, 9),
        st.integers(1, 3).map(float),
    )
    return st.lists(row, min_size=1, max_size=most, unique_by=lambda one: one[:3])


@given(rows_of(), rows_of(), st.sampled_from(["keep", "replace"]))
def test_keep_and_replace_decide_vintage_by_vintage(
    old: list[Row], new: list[Row], rule: OnConflict
) -> None:
    merged = merged_rows(KEY, table(old), table(new), on_conflict=rule)
    assert stored_rows(merged.table) == reference(grouped(old), grouped(new), rule)
    before, after = grouped(old), grouped(new)
    differing = sum(
        before.get(name, {}).get(known, cap) != cap
        for name, vintages in after.items()
        for known, cap in vintages.items()
    )
    assert merged.conflicting_rows == differing
    if differing:
        with pytest.raises(DataError, match=rf"\({differing} rows differ\)"):
            merged_rows(KEY, table(old), table(new))
    else:
        assert merged_rows(KEY, table(old), table(new)).table == merged.table


def as_of(stored: Stored, name: tuple[int, str], moment_us: int) -> float | None:
    known = [k for k in stored.get(name, {}) if k <= moment_us]
    return stored[name][max(known)] if known else None


@given(rows_of(), st.lists(rows_of(), min_size=1, max_size=3))
def test_revisions_leave_the_past_as_it_was_and_are_stored_once(
    old: list[Row], files: list[list[Row]]
) -> None:
    """Before its moment a revision is not seen; at it, the last word of the new file is."""
    stored = table(old)
    for number, file in enumerate(files):
        moment = 10 + number
        before, new = stored_rows(stored), grouped(file)
        merged = merged_rows(
            KEY, stored, table(file), on_conflict="revise", revised_at_ns=moment * DAY_NS
        )
        after = stored_rows(merged.table)
        kept = reference(before, new, "keep")
        for name in after:
            for day in range(FIRST_KNOWN, moment):
                assert as_of(after, name, us(day)) == as_of(kept, name, us(day))
            is_revised = any(
                before.get(name, {}).get(k, cap) != cap for k, cap in new.get(name, {}).items()
            )
            last_word = new[name][max(new[name])] if is_revised else as_of(kept, name, us(moment))
            assert as_of(after, name, us(moment)) == last_word
        again = merged_rows(
            KEY,
            merged.table,
            table(file),
            on_conflict="revise",
            revised_at_ns=(moment * DAY_NS + 1),
        )
        assert not again.changed
        stored = merged.table


def test_of_two_contradicting_vintages_the_last_one_is_the_revision() -> None:
    old = table([(1, "a", 6, 1.0), (1, "a", 7, 2.0)])
    for new in ([(1, "a", 6, 3.0), (1, "a", 7, 4.0)], [(1, "a", 6, 3.0), (1, "a", 8, 4.0)]):
        merged = merged_rows(KEY, old, table(new), on_conflict="revise", revised_at_ns=9 * DAY_NS)
        assert as_of(stored_rows(merged.table), (1, "a"), us(9)) == 4.0
    agreeing_at_last = table([(1, "a", 6, 3.0), (1, "a", 7, 2.0)])
    merged = merged_rows(KEY, old, agreeing_at_last, on_conflict="revise", revised_at_ns=9 * DAY_NS)
    assert merged.table == old
    assert merged.conflicting_rows == 1


def test_a_revision_of_what_is_known_later_than_its_moment_follows_it() -> None:
    old = table([(1, "a", 6, 1.0), (1, "a", 9, 2.0)])
    new = table([(1, "a", 6, 1.0), (1, "a", 9, 4.0)])
    merged = merged_rows(KEY, old, new, on_conflict="revise", revised_at_ns=8 * DAY_NS)
    found = stored_rows(merged.table)
    assert [as_of(found, (1, "a"), us(9) + shift) for shift in (-1, 0, 1)] == [1.0, 2.0, 4.0]
