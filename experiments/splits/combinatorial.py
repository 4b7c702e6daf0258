"""Combinatorial purged cross-validation: every choice of k of N blocks is once the test.

López de Prado, *Advances in Financial Machine Learning* (2018), chapter 12. Each block is tested in
C(N−1, k−1) splits; taking one of them for each block gives as many whole paths out of sample, so that a
strategy has a distribution of results instead of one. A configuration is replayed once per block; splits
and paths are sums.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

import numpy as np

from engine.arrays import Bool2D, Float2D, Int1D, Int2D
from engine.errors import ConfigError
from engine.sweep import Float3D

from .purged import last_bars, purged_split
from .ranges import BarRange, Split, block_edges, require_whole

MOST_SPLITS: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CombinatorialSplits:
    """All splits of N blocks with k of them as test, and the paths that their tests make up.

    ``edges`` ``(N + 1,)`` of the blocks; ``tested`` ``(splits, k)`` block numbers, ascending, in
    lexicographic order; ``paths`` ``(paths, N)``: the split from which each path takes each block.
    """

    edges: Int1D
    tested: Int2D
    paths: Int2D
    last: Int1D
    embargo_bars: int

    @property
    def is_tested(self) -> Bool2D:
        """Which blocks are the test of each split, ``(splits, N)``."""
        mask = np.zeros((len(self.tested), len(self.edges) - 1), dtype=np.bool_)
        np.put_along_axis(mask, self.tested, True, axis=1)
        return mask

    def split(self, index: int) -> Split:
        """Ranges of bars of one split, purged and embargoed."""
        test = [
            BarRange(int(self.edges[block]), int(self.edges[block + 1]))
            for block in self.tested[index]
        ]
        return purged_split(self.last, test, self.embargo_bars)

    def train_sums(self, block_sums: Float2D) -> Float2D:
        """Power sums ``(splits, 5)`` over the training blocks of each split, from ``(N, 5)``.

        Whole blocks: with positions flat at the edges nothing has to be purged.
        """
        given = np.asarray(block_sums, dtype=np.float64)
        if given.shape[0] != len(self.edges) - 1:
            raise ConfigError(
                f"block_sums of {given.shape[0]} blocks: the splits have {len(self.edges) - 1}"
            )
        sums = np.zeros((len(self.tested), given.shape[1]))
        for block, is_tested in enumerate(self.is_tested.T):
            sums[~is_tested] += given[block]
        return sums

    def path_sums(self, block_sums: Float3D, chosen: Int1D) -> Float2D:
        """Power sums ``(paths, 5)`` out of sample, from ``(K, N, 5)``.

        ``chosen`` ``(splits,)``: the configuration that was chosen on the training of each split.
        """
        given, index = np.asarray(block_sums, dtype=np.float64), np.asarray(chosen)
        blocks = len(self.edges) - 1
        if given.ndim != 3 or given.shape[1] != blocks:
            raise ConfigError(f"block_sums have shape {given.shape}: give (K, {blocks}, 5)")
        if index.shape != (len(self.tested),) or index.min() < 0 or index.max() >= len(given):
            raise ConfigError(
                f"chosen {index.shape} must name one of {len(given)} configurations for each of "
                f"{len(self.tested)} splits"
            )
        sums = np.zeros((len(self.paths), given.shape[2]))
        for block in range(blocks):
            sums += given[index[self.paths[:, block]], block]
        return sums


def combinatorial_splits(
    bars: int,
    *,
    blocks: int,
    test_blocks: int,
    holding_bars: int | Int1D = 0,
    embargo_bars: int = 0,
) -> CombinatorialSplits:
    """C(N, k) splits and C(N−1, k−1) paths of ``bars`` bars in N = ``blocks``, k = ``test_blocks``.

    ``holding_bars`` and ``embargo_bars`` as in ``purged_folds``. Path p takes from each block the p-th
    split that tests it. Raises ConfigError, naming the argument, also above ``MOST_SPLITS`` splits.
    """
    require_whole("blocks", blocks, least=2)
    require_whole("test_blocks", test_blocks, least=1)
    if test_blocks >= blocks:
        raise ConfigError(
            f"test_blocks={test_blocks} must be less than blocks={blocks}: something has to be left to "
            "train on"
        )
    if comb(blocks, test_blocks) > MOST_SPLITS:
        raise ConfigError(
            f"blocks={blocks} and test_blocks={test_blocks} give {comb(blocks, test_blocks)} splits, more "
            f"than {MOST_SPLITS}: take fewer blocks"
        )
    require_whole("embargo_bars", embargo_bars, least=0)
    edges = block_edges(bars, blocks)
    last = last_bars(bars, holding_bars)
    tested = np.array(list(combinations(range(blocks), test_blocks)), dtype=np.int64)
    paths = np.stack(
        [np.flatnonzero((tested == block).any(axis=1)) for block in range(blocks)], axis=1
    )
    return CombinatorialSplits(
        edges=edges, tested=tested, paths=paths, last=last, embargo_bars=embargo_bars
    )
