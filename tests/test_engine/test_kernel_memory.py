"""Kernels that address memory themselves write nowhere but into what they were given.

Every array that a replay or a sweep makes for its kernels is put between guards, which must be as they
were afterwards.
"""

from typing import Any

import numpy as np
import pytest

import engine._replay.memory
import engine._replay.run
import engine._sweep.tables
import engine.sweep
from tests.replay_cases import seeded_case
from tests.replay_cases.case import replay_of
from tests.test_engine.test_sweep import sweep_case, swept

GUARD_BYTES = 4096
MARK = 0xA5


class GuardedNumpy:
    """numpy, but for ``zeros`` and ``empty``, whose arrays lie between guards."""

    def __init__(self) -> None:
        self.guarded: list[np.ndarray[Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = np.float64) -> np.ndarray[Any, Any]:
        kind = np.dtype(dtype)
        size = int(np.prod(shape)) * kind.itemsize
        whole = np.full(size + 2 * GUARD_BYTES, MARK, dtype=np.uint8)
        self.guarded.append(whole)
        return whole[GUARD_BYTES : GUARD_BYTES + size].view(kind).reshape(shape)

    def zeros(self, shape: Any, dtype: Any = np.float64) -> np.ndarray[Any, Any]:
        array = self.empty(shape, dtype)
        array[...] = np.zeros((), dtype=array.dtype)
        return array

    def assert_untouched(self) -> None:
        assert self.guarded
        for whole in self.guarded:
            assert (whole[:GUARD_BYTES] == MARK).all()
            assert (whole[-GUARD_BYTES:] == MARK).all()


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> GuardedNumpy:
    # Kernels of these modules name numpy too: they are compiled before it is replaced.
    replay_of(seeded_case(0))
    swept(sweep_case(0))
    shim = GuardedNumpy()
    for module in (
        engine._replay.memory, engine._replay.run, engine._sweep.tables, engine.sweep,
    ):  # fmt: skip
        monkeypatch.setattr(module, "np", shim)
    # A block that is lent again would have its guards where the first loan had them.
    monkeypatch.setattr(engine._replay.memory, "LENT_BYTES", range(0))
    return shim


def test_the_guards_see_a_write_behind_an_array(guarded: GuardedNumpy) -> None:
    array = guarded.zeros(3)
    whole = guarded.guarded[-1]
    guarded.assert_untouched()
    whole[GUARD_BYTES + array.nbytes] = 0
    with pytest.raises(AssertionError):
        guarded.assert_untouched()


def test_a_replay_writes_into_its_own_arrays_only(guarded: GuardedNumpy) -> None:
    for seed in range(150):
        replay_of(seeded_case(seed))
    guarded.assert_untouched()


def test_a_replay_of_whole_registers_of_symbols_writes_into_its_own_arrays_only(
    guarded: GuardedNumpy,
) -> None:
    # The last eight of nine symbols are seven of the first eight once more.
    for seed in range(100):
        replay_of(seeded_case(seed, symbols=(9, 10)))
    guarded.assert_untouched()


def test_a_sweep_writes_into_its_own_arrays_only(guarded: GuardedNumpy) -> None:
    for seed in range(80):
        swept(sweep_case(seed))
    for seed in range(80, 88):
        swept(sweep_case(seed, bars=1100, symbols=1 + seed % 2))
    guarded.assert_untouched()
