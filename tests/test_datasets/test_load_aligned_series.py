"""Slow series of an aligned load: the latest event known at each close, and whose it is."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import DatasetKey, Instrument, Store, load_aligned, load_series
from engine import DAY_NS, HOUR_NS, ConfigError
from tests.test_datasets.aligned_stores import (
    INSTRUMENTS,
    NAMES,
    assert_same,
    bars_key,
    series_key,
    write_bars,
)
from tests.test_datasets.sample_files import START_NS, bar_table, funding_table

VINTAGES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(-9, 9)),
    min_size=1,
    max_size=15,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=60)
@given(rows=VINTAGES, cut=st.none() | st.integers(0, 80))
def test_series_show_the_latest_event_known_at_each_close(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]], cut: int | None
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    write_bars(store, "AAA", 0, 90, set())
    rows = sorted(rows)
    table = funding_table(
        [START_NS + 8 * HOUR_NS * row[0] for row in rows], [1e-4 * row[2] for row in rows]
    )
    known = pa.array([START_NS + HOUR_NS * (8 * row[0] + row[1]) for row in rows])
    store.write(
        series_key("funding", "AAA"), table.append_column("available_at", known), provenance={}
    )
    markets = load_aligned(
        store,
        INSTRUMENTS[:1],
        "1h",
        kinds=["funding"],
        as_of_ns=None if cut is None else START_NS + HOUR_NS * (90 + cut),
    )
    for t, shown in enumerate(markets.series["funding.rate"][:, 0]):
        visible = [row for row in rows if 8 * row[0] + row[1] <= t + 1]
        best = max(visible, default=None)
        expected = best is not None and t + 1 - 8 * best[0] <= 24
        assert (shown == 1e-4 * best[2]) if best and expected else np.isnan(shown)


def test_each_instrument_has_its_own_series_or_that_of_a_substitute(store: Store) -> None:
    for seed, name in enumerate(NAMES):
        store.write(bars_key(name), bar_table(48, seed=seed), provenance={})
    stamps = [START_NS + 8 * HOUR_NS * row for row in range(6)]
    for symbol, rate in (("AAA", 1e-4), ("BBB", 2e-4)):
        store.write(series_key("funding", symbol), funding_table(stamps, [rate] * 6), provenance={})
    index = DatasetKey("fear_greed", "alternative", "sentiment", "BTC", "1d", "test")
    store.write(
        index,
        pa.table({"event_time": pa.array([START_NS, START_NS + DAY_NS]), "value": [20.0, 30.0]}),
        provenance={},
    )
    mood = Instrument("alternative", "sentiment", "BTC")
    substitutes = dict.fromkeys(INSTRUMENTS, (mood, INSTRUMENTS[1]))
    markets = load_aligned(
        store, INSTRUMENTS, "1h", kinds=["funding", "fear_greed"], series_from=substitutes
    )
    assert set(markets.series) == {"funding.rate", "funding.interval_hours", "fear_greed.value"}
    np.testing.assert_array_equal(markets.series["funding.rate"][0], [1e-4, 2e-4, 2e-4])
    assert (markets.series["funding.interval_hours"] == 8).all()
    mood_shown = markets.series["fear_greed.value"]
    assert mood_shown.shape == (48, 3)
    # Known half an hour after midnight, seen at the next close.
    assert (mood_shown[:24] == 20.0).all()
    assert (mood_shown[24:] == 30.0).all()
    again = load_aligned(
        store, INSTRUMENTS, "1h", kinds=["funding", "fear_greed"], series_from=substitutes
    )
    assert_same(markets, again)
    alone = load_aligned(
        store, INSTRUMENTS, "1h", kinds=["funding"], columns=["funding.rate"], cache=False
    )
    assert list(alone.series) == ["funding.rate"]
    assert np.isnan(alone.series["funding.rate"][:, 2]).all()
    series = load_series(store, INSTRUMENTS[0], "funding")
    assert series is not None
    with pytest.raises(ConfigError, match=r"'funding\.rates' is unknown"):
        load_aligned(store, INSTRUMENTS, "1h", kinds=["funding"], columns=["funding.rates"])
    with pytest.raises(ConfigError, match="trades' is not a slow series"):
        load_aligned(store, INSTRUMENTS, "1h", kinds=["trades"])
