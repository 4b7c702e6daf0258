"""The array cache: whole or absent, bounded, shared, never an error."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import ArrayCache
from datasets import cache as cache_module
from engine import ConfigError

KEY = "ab" * 32
OTHER = "cd" * 32
FACTS = {"conflicts": [], "text": "Überblick"}


def arrays() -> dict[str, np.ndarray]:
    return {
        "open_time": np.arange(100, dtype=np.int64),
        "close": np.asfortranarray(np.arange(300.0).reshape(100, 3)),
        "rows": np.arange(6.0).reshape(2, 3),
        "flags": np.arange(100) % 3 == 0,
        "nothing": np.empty((0, 2)),
    }


def only_file(cache: ArrayCache) -> Path:
    (path,) = cache.root.glob("*.arrays")
    return path


def assert_whole(cache: ArrayCache, key: str = KEY) -> None:
    entry = cache.get(key)
    assert entry is not None
    assert entry.facts == FACTS
    assert list(entry.arrays) == list(arrays())
    for name, array in arrays().items():
        kept = entry.arrays[name]
        np.testing.assert_array_equal(kept, array)
        assert (kept.dtype, kept.shape) == (array.dtype, array.shape)
        assert kept.flags.f_contiguous == array.flags.f_contiguous
        assert not kept.flags.writeable
        assert kept.size == 0 or kept.ctypes.data % 64 == 0


@pytest.fixture
def cache(tmp_path: Path) -> ArrayCache:
    return ArrayCache(tmp_path / "_cache")


def test_what_is_kept_comes_back(cache: ArrayCache) -> None:
    assert cache.get(KEY) is None
    assert cache.size() == 0
    assert cache.put(KEY, FACTS, arrays())
    assert_whole(cache)
    assert cache.get(OTHER) is None
    assert cache.size() == only_file(cache).stat().st_size
    held = cache.get(KEY)
    cache.clear()
    assert cache.get(KEY) is None
    assert cache.size() == 0
    # Arrays in use outlive their file.
    assert held is not None
    np.testing.assert_array_equal(held.arrays["close"], arrays()["close"])


def flipped(data: bytes, where: int) -> bytes:
    return data[:where] + bytes([data[where] ^ 0x40]) + data[where + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda data: b"",
    "cut in the prelude": lambda data: data[:20],
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"\0",
    "zeros": lambda data: bytes(len(data)),
    "first half only": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "other file": lambda data: b"PAR1" * 1000,
    "bit in the magic": lambda data: flipped(data, 3),
    "bit in the digest": lambda data: flipped(data, 40),
    "bit in the header": lambda data: flipped(data, 80),
    "bit in an array": lambda data: flipped(data, len(data) - 500),
    "bit in the last array": lambda data: flipped(data, len(data) - 100),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_entry_is_absent_and_made_again(
    cache: ArrayCache, damage: Callable[[bytes], bytes]
) -> None:
    cache.put(KEY, FACTS, arrays())
    path = only_file(cache)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(KEY) is None
    assert not path.exists()
    assert cache.put(KEY, FACTS, arrays())
    assert_whole(cache)


@settings(max_examples=60)
@given(where=st.integers(0, 10_000), value=st.integers(1, 255))
def test_a_changed_byte_never_changes_an_array(
    tmp_path_factory: pytest.TempPathFactory, where: int, value: int
) -> None:
    cache = ArrayCache(tmp_path_factory.mktemp("cache"))
    cache.put(KEY, FACTS, arrays())
    path = only_file(cache)
    data = bytearray(path.read_bytes())
    data[where % len(data)] ^= value
    path.write_bytes(data)
    # Between the arrays are bytes that mean nothing.
    if cache.get(KEY) is not None:
        assert_whole(cache)


def test_an_entry_under_the_name_of_another_is_absent(cache: ArrayCache) -> None:
    cache.put(KEY, FACTS, arrays())
    path = only_file(cache)
    path.rename(path.with_name(f"{OTHER}.arrays"))
    assert cache.get(OTHER) is None


def test_after_a_restart_the_content_is_checked_once(
    cache: ArrayCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(KEY, FACTS, arrays())
    path = only_file(cache)
    sealed = path.stat().st_mtime_ns
    monkeypatch.setattr(cache_module, "_boot_id", lambda: b"another boot")
    # A power loss left a page of zeros under a file time of before: the seal of that boot is void.
    data = path.read_bytes()
    path.write_bytes(data[:-1024] + bytes(1024))
    os.utime(path, ns=(sealed, sealed))
    assert cache.get(KEY) is None
    path.write_bytes(data)
    os.utime(path, ns=(sealed, sealed))
    assert_whole(cache)
    assert path.stat().st_mtime_ns != sealed
    monkeypatch.setattr(cache_module, "_digest", lambda _: pytest.fail("hashed again"))
    assert_whole(cache)


def test_a_sealed_entry_is_not_read_through(
    cache: ArrayCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(KEY, FACTS, arrays())
    monkeypatch.setattr(cache_module, "_digest", lambda _: pytest.fail("hashed"))
    assert_whole(cache)


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    keys = [f"{number:064x}" for number in range(5)]
    one = ArrayCache(tmp_path / "measure")
    one.put(keys[0], FACTS, arrays())
    entry_bytes = one.size()
    cache = ArrayCache(tmp_path / "cache", max_bytes=3 * entry_bytes)
    for key in keys[:3]:
        assert cache.put(key, FACTS, arrays())
    assert_whole(cache, keys[0])
    for key in keys[3:]:
        assert cache.put(key, FACTS, arrays())
    assert cache.size() <= cache.max_bytes
    assert [cache.get(key) is not None for key in keys] == [True, False, False, True, True]


def test_what_does_not_fit_is_not_kept_and_evicts_nothing(cache: ArrayCache) -> None:
    cache.put(KEY, FACTS, arrays())
    small = ArrayCache(cache.root, max_bytes=cache.size())
    assert not small.put(OTHER, FACTS, {"large": np.zeros(100_000)})
    assert_whole(cache)
    with pytest.raises(ConfigError, match="max_bytes=-1"):
        ArrayCache(cache.root, max_bytes=-1)


def test_a_folder_that_cannot_be_written_caches_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    cache = ArrayCache(blocked / "_cache")
    assert not cache.put(KEY, FACTS, arrays())
    assert cache.get(KEY) is None
    assert cache.size() == 0
    cache.clear()


def test_a_full_disk_leaves_nothing(cache: ArrayCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "_write", full)
    assert not cache.put(KEY, FACTS, arrays())
    assert list(cache.root.iterdir()) == []


CHILD = """
import sys
from datasets import ArrayCache
import numpy as np
cache, seed = ArrayCache(sys.argv[1], max_bytes=int(sys.argv[2])), int(sys.argv[3])
generator = np.random.default_rng(seed)
print("ready", flush=True)
for step in range(int(sys.argv[4])):
    number = int(generator.integers(6))
    entry = cache.get(f"{number:064x}")
    if entry is not None:
        for array in entry.arrays.values():
            assert (array == number).all(), (number, array)
    else:
        cache.put(f"{number:064x}", {}, {"a": np.full(200_000 + number, float(number))})
"""


def child(root: Path, max_bytes: int, seed: int, steps: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(root), str(max_bytes), str(seed), str(steps)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_share_a_folder(tmp_path: Path) -> None:
    room = 4 * 1_700_000
    children = [child(tmp_path, room, seed, 120) for seed in range(3)]
    for process in children:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert 0 < ArrayCache(tmp_path, max_bytes=room).size() <= room
    assert not list(tmp_path.glob("partial-*"))


def test_killed_while_writing(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for seed in range(4):
        process = child(tmp_path, 3 * 1_700_000, seed, 100_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(float(generator.uniform(0.01, 0.08)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        cache = ArrayCache(tmp_path)
        for number in range(6):
            entry = cache.get(f"{number:064x}")
            assert entry is None or (entry.arrays["a"] == number).all()
    # Leftovers of the killed ones are gone after the next write.
    ArrayCache(tmp_path).put(KEY, FACTS, arrays())
    assert not list(tmp_path.glob("partial-*"))
