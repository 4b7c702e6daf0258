"""The store against a dictionary: random writes, appends, compactions, conflicts and vintages."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import KINDS, DatasetKey, Store, Write
from engine import DataError
from tests.test_datasets.sample_files import contents, utc_ns

HOUR_NS = 3_600_000_000_000
MONTH_END = utc_ns("2021-12-31 20:00")
DEPTH_KEY = DatasetKey("book_depth", "binance", "um_perp", "BTCUSDT", "event", "test")
"""Rows are told apart by a column beside the time, parts are months, and vintages are allowed."""
FUNDING_KEY = DatasetKey("funding", "binance", "um_perp", "BTCUSDT", "8h", "test")

Identity = tuple[int, float]
Model = dict[Identity, dict[int, float]]
"""For each (time, percentage) its vintages: value by ``available_at``. Times in ns."""


@dataclass
class Reference:
    """What the store should hold, kept the slow way."""

    rows: Model = field(default_factory=dict)

    def add(self, new: Mapping[tuple[int, float, int], float], rule: str, moment_ns: int) -> bool:
        """Apply a write; False when it is refused and nothing changed."""
        after = {identity: dict(vintages) for identity, vintages in self.rows.items()}
        revisions = []
        for (time_ns, percentage, known_ns), value in new.items():
            vintages = after.setdefault((time_ns, percentage), {})
            if known_ns not in vintages or rule == "replace":
                vintages[known_ns] = value
            elif vintages[known_ns] != value and rule == "refuse":
                return False
            elif vintages[known_ns] != value and rule == "revise":
                revisions.append((time_ns, percentage, max(known_ns + 1000, moment_ns), value))
        snapshot = {identity: dict(vintages) for identity, vintages in after.items()}
        for time_ns, percentage, known_ns, value in revisions:
            vintages = snapshot[time_ns, percentage]
            if known_ns in vintages and vintages[known_ns] != value:
                return False
            by_then = vintages[max(known for known in vintages if known <= known_ns)]
            if by_then != value:
                after[time_ns, percentage][known_ns] = value
        self.rows = after
        return True

    def listed(self, as_of_ns: int | None = None) -> list[tuple[int, float, int, float]]:
        found = []
        for (time_ns, percentage), vintages in sorted(self.rows.items()):
            known = sorted(at for at in vintages if as_of_ns is None or at <= as_of_ns)
            for at in known if as_of_ns is None else known[-1:]:
                found.append((time_ns, percentage, at, vintages[at]))
        return found


def depth_table(rows: Mapping[tuple[int, float, int], float]) -> pa.Table:
    ordered = sorted(rows.items())
    return pa.table(
        {
            "event_time": pa.array([row[0] for row, _ in ordered], pa.int64()),
            "available_at": pa.array([row[2] for row, _ in ordered], pa.int64()),
            "percentage": pa.array([row[1] for row, _ in ordered], pa.float64()),
            "depth": pa.array([value for _, value in ordered], pa.float64()),
            "notional": pa.array([2 * value for _, value in ordered], pa.float64()),
        }
    )


def listed(table: pa.Table) -> list[tuple[int, float, int, float]]:
    def ns(name: str) -> list[int]:
        return [1000 * int(value) for value in table[name].cast(pa.int64()).to_pylist()]

    return list(
        zip(
            ns("event_time"),
            table["percentage"].to_pylist(),
            ns("available_at"),
            table["depth"].to_pylist(),
            strict=True,
        )
    )


@st.composite
def depth_rows(draw: st.DrawFn) -> dict[tuple[int, float, int], float]:
    first = draw(st.integers(0, 8))
    hours = draw(st.lists(st.integers(first, first + 3), min_size=1, max_size=6))
    return {
        (
            MONTH_END + hour * HOUR_NS,
            draw(st.sampled_from([-1.0, 1.0])),
            MONTH_END + (hour + draw(st.integers(1, 3))) * HOUR_NS,
        ): float(draw(st.integers(1, 2)))
        for hour in hours
    }


RULES = st.sampled_from(["refuse", "keep", "replace", "revise"])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), depth_rows(), RULES),
        st.tuples(st.just("append"), depth_rows(), RULES),
        st.tuples(st.just("compact"), st.none(), st.none()),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=120)
@given(
    actions=ACTIONS, moment=st.integers(0, 16), start=st.integers(0, 6), length=st.integers(0, 9)
)
def test_the_store_equals_a_dictionary(
    actions: list[tuple[str, dict[tuple[int, float, int], float], str]],
    moment: int,
    start: int,
    length: int,
) -> None:
    reference, moment_ns = Reference(), MONTH_END + moment * HOUR_NS
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "store"))
        for action, rows, rule in actions:
            if action == "compact":
                store.compact()
                continue
            act = store.write if action == "write" else store.append
            options = {"on_conflict": rule, "revised_at_ns": moment_ns}
            before, had = contents(store.root), len(reference.listed())
            if not reference.add(rows, rule, moment_ns):
                with pytest.raises(DataError, match="in the store and"):
                    act(DEPTH_KEY, depth_table(rows), provenance={}, **options)
                assert contents(store.root) == before
                continue
            result = act(DEPTH_KEY, depth_table(rows), provenance={}, **options)
            assert result.rows == len(reference.listed())
            assert result.added_rows == result.rows - had
            assert result.changed == (contents(store.root) != before)
        if not reference.rows:
            assert store.keys() == ()
            return
        assert store.verify() == store.leftovers() == ()
        assert listed(store.read(DEPTH_KEY)) == reference.listed()
        low, high = MONTH_END + start * HOUR_NS, MONTH_END + (start + length) * HOUR_NS
        for as_of in (None, MONTH_END + 4 * HOUR_NS, moment_ns):
            expected = [row for row in reference.listed(as_of) if low <= row[0] < high]
            assert listed(store.read(DEPTH_KEY, low, high, as_of_ns=as_of)) == expected
        known = {row[2] for row in reference.listed()}
        for as_of in known | {moment_ns - 1000 for moment_ns in known}:
            assert listed(store.read(DEPTH_KEY, as_of_ns=as_of)) == reference.listed(as_of)
        once = Store(Path(folder, "once"))
        once.write(DEPTH_KEY, store.read(DEPTH_KEY), provenance={})
        assert store.fingerprint([DEPTH_KEY], low, high) == once.fingerprint([DEPTH_KEY], low, high)
        store.compact()
        assert contents(store.root) == contents(once.root)
        assert not any(result.changed for result in store.compact())


@settings(max_examples=60)
@given(data=st.data())
def test_the_order_of_imports_does_not_matter(data: st.DataObject) -> None:
    truth = data.draw(depth_rows()) | data.draw(depth_rows()) | data.draw(depth_rows())
    keys = sorted(truth)
    pieces = data.draw(
        st.lists(st.lists(st.sampled_from(keys), min_size=1, unique=True), min_size=1, max_size=5)
    )
    with tempfile.TemporaryDirectory() as folder:
        stores = []
        for name, order in (("a", pieces), ("b", data.draw(st.permutations(pieces)))):
            store = Store(Path(folder, name))
            for piece in order:
                act = data.draw(st.sampled_from([store.write, store.append]))
                act(DEPTH_KEY, depth_table({key: truth[key] for key in piece}), provenance={})
            store.compact()
            stores.append(contents(store.root))
        assert stores[0] == stores[1]


@settings(max_examples=40)
@given(data=st.data())
def test_a_write_of_several_data_sets_is_all_or_nothing_for_its_rules(data: st.DataObject) -> None:
    stored, new = data.draw(depth_rows()), data.draw(depth_rows())
    funding = pa.table({"event_time": pa.array([MONTH_END]), "rate": [1e-4]})
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        store.write(DEPTH_KEY, depth_table(stored), provenance={})
        before = contents(store.root)
        writes = [Write(FUNDING_KEY, funding, {}), Write(DEPTH_KEY, depth_table(new), {})]
        if any(stored.get(row, value) != value for row, value in new.items()):
            with pytest.raises(DataError, match="in the store and"):
                store.write_all(writes)
            assert contents(store.root) == before
        else:
            assert [result.key for result in store.write_all(writes)] == [FUNDING_KEY, DEPTH_KEY]
            assert store.keys() == (DEPTH_KEY, FUNDING_KEY)
            assert len(store.read(DEPTH_KEY)) == len(stored | new)


def test_the_model_has_every_column_that_tells_rows_apart() -> None:
    assert KINDS["book_depth"].row_key == ("percentage",)
    assert KINDS["book_depth"].parts_by == "month"
