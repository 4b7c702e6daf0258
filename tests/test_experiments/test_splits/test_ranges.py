"""Ranges of bars and edges of blocks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from experiments.splits.ranges import BarRange, block_edges, mask_of, ranges_of


@given(st.lists(st.booleans(), max_size=60))
def test_ranges_and_masks_are_the_same_bars(bars: list[bool]):
    mask = np.array(bars, dtype=bool)
    ranges = ranges_of(mask)
    assert mask_of(ranges, len(bars)).tolist() == bars
    assert sum(len(one) for one in ranges) == sum(bars)
    assert all(a.stop < b.start for a, b in pairwise(ranges))


@given(st.integers(1, 40), st.integers(0, 200))
def test_edges_share_bars_evenly(blocks: int, more: int):
    bars = blocks + more
    edges = block_edges(bars, blocks)
    lengths = [len(part) for part in np.array_split(np.arange(bars), blocks)]
    assert np.diff(edges).tolist() == lengths
    assert (edges[0], edges[-1]) == (0, bars)
    equal = block_edges(bars, blocks, equal=True)
    assert set(np.diff(equal)) == {bars // blocks}
    assert (equal[0], equal[-1]) == (bars % blocks, bars)


def test_what_is_refused():
    with pytest.raises(ConfigError, match=r"\[3, 3\)"):
        BarRange(3, 3)
    with pytest.raises(ConfigError, match=r"\[-1, 3\)"):
        BarRange(-1, 3)
    with pytest.raises(ConfigError, match="bars=3 must be a whole number of 4"):
        block_edges(3, 4)
    with pytest.raises(ConfigError, match=r"blocks=2\.0"):
        block_edges(30, 2.0)
    with pytest.raises(ConfigError, match="blocks=True"):
        block_edges(30, True)
