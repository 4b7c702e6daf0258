"""The aligned load's cache, its damaged parts and its memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets import ArrayCache, Instrument, Store, load_aligned
from datasets.loading.request import _code_version, cache_key, resolved
from engine import MINUTE_NS, DataError
from tests.test_datasets.aligned_stores import INSTRUMENTS, assert_same, bars_key, write_bars
from tests.test_datasets.sample_files import START_NS, bar_table


def test_conflicts_of_sources_are_told_also_from_the_cache(store: Store) -> None:
    store.write(bars_key("AAA", source="a"), bar_table(20, seed=1), provenance={})
    store.write(bars_key("AAA", source="b"), bar_table(24, seed=2), provenance={})
    both = Instrument("binance", "spot", "AAA", ("a", "b"))
    first = load_aligned(store, [both], "1h")
    assert len(first) == 24
    assert [conflicts.rows for conflicts in first.source_conflicts] == [20]
    assert_same(first, load_aligned(store, [both], "1h"))
    assert load_aligned(store, [both], "1h").close.base is not None


def test_a_changed_data_set_is_never_served_from_the_cache(store: Store) -> None:
    write_bars(store, "AAA", 0, 20, set())
    cache = ArrayCache.of(store)
    load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)
    held = cache.size()
    assert held > 0
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)) == 20
    assert cache.size() == held
    write_bars(store, "AAA", 20, 5, set())
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)) == 25
    # A shorter step or another source that answers instead is another request.
    store.write(bars_key("AAA", source="other"), bar_table(5), provenance={})
    with pytest.raises(DataError, match="2 sources"):
        load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)
    store.remove(bars_key("AAA"))
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h", cache=cache)) == 5


@pytest.mark.parametrize(
    "module",
    ["kinds/derivatives", "kinds/kind", "loading/fill", "store/parts", "tables", "timestamps"],
)
def test_changed_code_has_a_cache_of_its_own(
    store: Store, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    write_bars(store, "AAA", 0, 20, set())
    asked = resolved(store, INSTRUMENTS[:1], "1h", None, None, (), None, {}, None, False)
    key = cache_key(store, asked)
    read = Path.read_bytes

    def changed(path: Path) -> bytes:
        return read(path) + (b"#" if path.as_posix().endswith(f"datasets/{module}.py") else b"")

    _code_version.cache_clear()
    assert cache_key(store, asked) == key
    _code_version.cache_clear()
    monkeypatch.setattr(Path, "read_bytes", changed)
    assert cache_key(store, asked) != key
    _code_version.cache_clear()


def test_the_cache_is_really_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bars(store, "AAA", 0, 20, set())
    load_aligned(store, INSTRUMENTS[:1], "1h")
    monkeypatch.setattr(Store, "dataset", lambda *_: pytest.fail("parsed a manifest"))
    monkeypatch.setattr(Store, "keys", lambda *_: pytest.fail("listed the store"))
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", lambda *_, **__: pytest.fail("decoded"))
    assert len(load_aligned(store, INSTRUMENTS[:1], "1h")) == 20


def test_a_damaged_part_is_an_error_that_names_it(store: Store) -> None:
    write_bars(store, "AAA", 0, 4000, set())
    (part,) = store.part_paths(store.dataset(bars_key("AAA")))
    data = part.read_bytes()
    for damaged in (data[:-1], data[:500] + bytes(40) + data[540:]):
        part.write_bytes(damaged)
        with pytest.raises(DataError, match=r"part-.*import the data again"):
            load_aligned(store, INSTRUMENTS[:1], "1h")
    part.unlink()
    with pytest.raises(DataError, match=r"part-.* is gone"):
        load_aligned(store, INSTRUMENTS[:1], "1h")


MEMORY = """
import sys
import numpy as np
from datasets import Instrument, Store, load_aligned
store = Store(sys.argv[1])
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
small = [Instrument("binance", "spot", "BBB")]
load_aligned(store, small, "1h", cache=False)
before = peak()
markets = load_aligned(store, [Instrument("binance", "spot", "AAA")], "1m", cache=sys.argv[2] == "yes")
names = ("open_time", "open", "high", "low", "close", "volume", "is_gap", "listed")
arrays = [*(getattr(markets, name) for name in names), *markets.flows.values()]
total = sum(array.nbytes for array in arrays)
print((peak() - before) / total, total)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of a process")
@pytest.mark.parametrize("cache", ["no", "yes"])
def test_a_load_holds_little_more_than_what_it_returns(store: Store, cache: str) -> None:
    rows = 365 * 1440
    table = bar_table(rows)
    times = pa.array(START_NS + MINUTE_NS * np.arange(rows))
    store.write(bars_key("AAA", "1m"), table.set_column(0, "open_time", times), provenance={})
    write_bars(store, "BBB", 0, 50, set())
    output = subprocess.run(
        [sys.executable, "-c", MEMORY, str(store.root), cache],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert int(output[1]) > 40e6
    assert float(output[0]) <= 1.5
