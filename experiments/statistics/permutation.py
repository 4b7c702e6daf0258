"""Markets with the same bars in another order, and what a strategy search finds in them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import numpy as np

from engine.arrays import Bool2D, Float1D, Float2D, Int1D
from engine.bars import FLOW_COLUMNS, Bars
from engine.errors import ConfigError, ContractError
from engine.jit import kernel
from engine.panel import MarkPrices, Panel

_PRICES: Final = ("open", "high", "low", "close")
_QUOTE_COLUMNS: Final = frozenset({"quote_volume", "taker_buy_quote"})

PricesT = TypeVar("PricesT", Bars, Panel)
_Four: TypeAlias = tuple[Float2D, Float2D, Float2D, Float2D]


class Mapper(Protocol):
    """What calls a function for each index: the builtin ``map``, or the ``map`` of a pool."""

    def __call__(
        self, function: Callable[[int], float], indices: Iterable[int], /
    ) -> Iterable[float]:
        """The results in the order of the indices."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PermutationTest:
    """What a search found on the market, beside what it found on permuted ones.

    ``observed`` and ``null`` ``(M,)``, in order of the permutations, are in the unit of the evaluation.
    ``p_value`` = (1 + permuted results at least as good) ÷ (1 + M).
    """

    observed: float
    null: Float1D
    p_value: float
    kept_bars: int
    block_bars: int

    @property
    def null_mean(self) -> float:
        """Mean result on permuted markets: what the search gains by choosing alone."""
        return float(self.null.mean())


@kernel
def _rebuilt_kernel(
    prices: _Four,
    body_rows: Int1D,
    gap_rows: Int1D,
    exists: Bool2D,
    rebuilt: _Four,
) -> None:
    """Chain the bars of ``body_rows`` behind the gaps of ``gap_rows``; other cells carry prices on.

    A row that stays where it is in both orders, with an unmoved close before it, is copied. High, low and
    close are products of the open and ratios on their side of 1, which rounding keeps in order.
    """
    open_, high, low, close = prices
    new_open, new_high, new_low, new_close = rebuilt
    bars, symbols = open_.shape
    for t in range(bars):
        body, gap = body_rows[t], gap_rows[t]
        stays = body == t and gap == t
        for s in range(symbols):
            if t == 0 or (stays and new_close[t - 1, s] == close[t - 1, s]):
                new_open[t, s] = open_[t, s]
                new_high[t, s] = high[t, s]
                new_low[t, s] = low[t, s]
                new_close[t, s] = close[t, s]
                continue
            last = new_close[t - 1, s]
            if not exists[t, s]:
                new_open[t, s] = last
                new_high[t, s] = last
                new_low[t, s] = last
                new_close[t, s] = last
                continue
            opened = last * (open_[gap, s] / close[gap - 1, s])
            before = open_[body, s]
            new_open[t, s] = opened
            new_high[t, s] = opened * (high[body, s] / before)
            new_low[t, s] = opened * (low[body, s] / before)
            new_close[t, s] = opened * (close[body, s] / before)


def _fixed_or_group(exists: Bool2D, starts: Bool2D, kept_bars: int) -> Int1D:
    """A number for each row; rows with the same one may be exchanged, −1 stays.

    Rows belong together when the same symbols have a bar on them. The first bar of a symbol stays.
    """
    found = np.zeros(len(exists), dtype=np.int64)
    partial = np.flatnonzero(~exists.all(axis=1))
    if partial.size:
        found[partial] = 1 + np.unique(exists[partial], axis=0, return_inverse=True)[1].reshape(-1)
    found[~exists.any(axis=1)] = -1
    found[starts.any(axis=1)] = -1
    found[:kept_bars] = -1
    return found


def _order(group: Int1D, block_bars: int, generator: np.random.Generator) -> Int1D:
    """For each row the row that takes its place: blocks of rows of one group change places.

    The first block of a group has a random length, so that the borders differ between permutations.
    """
    order = np.arange(len(group), dtype=np.int64)
    for number in range(int(group.max()) + 1):
        rows = np.flatnonzero(group == number)
        if len(rows) == 0:
            continue
        if block_bars == 1:
            order[rows] = rows[generator.permutation(len(rows))]
            continue
        first = int(generator.integers(1, block_bars + 1))
        blocks = np.split(rows, np.arange(first, len(rows), block_bars))
        order[rows] = np.concatenate([blocks[one] for one in generator.permutation(len(blocks))])
    return order


@dataclass(frozen=True, slots=True, eq=False)
class RowOrder:
    """Where the bars of a permuted market come from, ``(T,)`` rows each.

    ``body_rows``: whose high, low, close over open and volume; ``gap_rows``: whose open over the close
    before it.
    """

    body_rows: Int1D
    gap_rows: Int1D


def row_order(
    exists: Bool2D,
    seed: int | np.random.SeedSequence | np.random.Generator,
    *,
    kept_bars: int = 1,
    block_bars: int = 1,
) -> RowOrder:
    """A random order of the rows on which the same columns have a bar; see ``permuted``.

    ``exists`` ``(T, C)`` says which do; the first bar of each column stays, and the ``kept_bars`` in front.
    """
    bars = len(exists)
    if not 1 <= kept_bars < bars:
        raise ConfigError(
            f"kept_bars={kept_bars}: between 1 and {bars - 1} of {bars} bars stay in front"
        )
    if block_bars < 1:
        raise ConfigError(f"block_bars={block_bars}: a block has 1 bar or more")
    generator = np.random.default_rng(seed)
    starts = np.zeros_like(exists)
    starts[exists.argmax(axis=0), np.arange(exists.shape[1])] = True
    group = _fixed_or_group(exists, starts, kept_bars)
    body_rows = _order(group, block_bars, generator)
    gap_rows = _order(group, 1, generator) if block_bars == 1 else body_rows
    return RowOrder(body_rows, gap_rows)


def reordered(prices: Panel | MarkPrices, order: RowOrder, exists: Bool2D) -> dict[str, Float2D]:
    """The four prices ``(T, C)`` by name, the bars of ``order`` chained one behind the other."""
    return _rebuilt(_tables(prices), order, exists)


def _rebuilt(prices: dict[str, Float2D], order: RowOrder, exists: Bool2D) -> dict[str, Float2D]:
    rebuilt = {name: np.empty_like(table) for name, table in prices.items()}
    _rebuilt_kernel(_four(prices), order.body_rows, order.gap_rows, exists, _four(rebuilt))
    return rebuilt


def _four(tables: dict[str, Float2D]) -> _Four:
    return tables["open"], tables["high"], tables["low"], tables["close"]


def _tables(prices: Bars | Panel | MarkPrices) -> dict[str, Float2D]:
    """The four prices as C-ordered ``(T, S)``."""
    tables = {name: np.asarray(getattr(prices, name)) for name in _PRICES}
    return {
        name: np.ascontiguousarray(table.reshape(len(table), -1)) for name, table in tables.items()
    }


def _permuted_bars(bars: Bars, seed: Any, kept_bars: int, block_bars: int) -> Bars:
    exists, prices = ~bars.is_gap[:, None], _tables(bars)
    order = row_order(exists, seed, kept_bars=kept_bars, block_bars=block_bars)
    rebuilt = _rebuilt(prices, order, exists)
    columns: dict[str, Any] = {name: table[:, 0] for name, table in rebuilt.items()}
    ratio = (rebuilt["open"] / prices["open"][order.body_rows])[:, 0]
    columns |= moved_flows(bars, order.body_rows, ratio)
    return replace(bars, **columns)


def moved_flows(bars: Bars, rows: Int1D, price_ratio: Float1D) -> dict[str, Float1D]:
    """Volumes and counts by name that come with the bars of ``rows`` ``(T,)``.

    ``price_ratio`` ``(T,)``: the open that a bar gets over the open it had; volumes in quote currency
    keep their ratio to it.
    """
    flows: dict[str, Float1D] = {}
    for name in ("volume", *FLOW_COLUMNS):
        column = getattr(bars, name)
        if column is not None:
            flows[name] = column[rows] * price_ratio if name in _QUOTE_COLUMNS else column[rows]
    return flows


def _permuted_panel(panel: Panel, seed: Any, kept_bars: int, block_bars: int) -> Panel:
    exists, prices = panel.listed & ~panel.is_gap, _tables(panel)
    order = row_order(exists, seed, kept_bars=kept_bars, block_bars=block_bars)
    columns: dict[str, Any] = dict(_rebuilt(prices, order, exists))
    rows = order.body_rows
    if panel.mark is not None:
        ratio = columns["open"] / prices["open"][rows]
        marks = {name: table[rows] * ratio for name, table in _tables(panel.mark).items()}
        columns["mark"] = MarkPrices(**marks)
    if panel.volume is not None:
        columns["volume"] = panel.volume[rows]
    return replace(panel, **columns)


def permuted(
    prices: PricesT,
    seed: int | np.random.SeedSequence,
    *,
    kept_bars: int = 1,
    block_bars: int = 1,
) -> PricesT:
    """The same market with its bars in another order.

    Each bar is a body (high, low and close over its open, with its volume) and a gap (its open over the
    close before it). The first ``kept_bars`` bars stay: the training or warm-up rows of a walk-forward
    test. With ``block_bars`` 1, bodies are shuffled, and gaps by themselves, which destroys every
    pattern in time, volatility clusters too. With more, runs of that many bars, gaps and all, change
    places: clusters shorter than a block survive, and so do patterns.

    Prices start at the first open and end at the last close, up to rounding of the products (about
    10⁻¹² for 10⁵ bars). The columns of a panel move together, so that correlation on one bar survives: rows
    change places when the same symbols have a bar on them. Missing bars and listings stay where they
    are, and so does the first bar of each symbol. Volumes and trades move with the body; volumes in quote
    currency and mark prices keep their ratio to its open. Times stay, hence nothing of the hour of day is
    left. Raises ConfigError when an argument is out of range.
    """
    if isinstance(prices, Panel):
        return _permuted_panel(prices, seed, kept_bars, block_bars)
    return _permuted_bars(prices, seed, kept_bars, block_bars)


def permutation_seeds(seed: int, permutations: int) -> list[np.random.SeedSequence]:
    """One seed for each permutation, in their order; the first M are the same whatever follows them."""
    return np.random.SeedSequence(seed).spawn(permutations)


def permutation_p_value(observed: float, null: Float1D) -> float:
    """(1 + permuted results at least as good as ``observed``) ÷ (1 + M), ``null`` ``(M,)``."""
    return (1.0 + float((null >= observed).sum())) / (1.0 + len(null))


def _evaluated(
    evaluate: Callable[[PricesT], float],
    prices: PricesT,
    seeds: list[np.random.SeedSequence],
    kept_bars: int,
    block_bars: int,
    index: int,
) -> float:
    return float(
        evaluate(permuted(prices, seeds[index], kept_bars=kept_bars, block_bars=block_bars))
    )


def permutation_test(
    evaluate: Callable[[PricesT], float],
    prices: PricesT,
    *,
    permutations: int,
    seed: int,
    kept_bars: int = 1,
    block_bars: int = 1,
    mapper: Mapper = map,
) -> PermutationTest:
    """Is the result of a whole search better than on markets without order in time?

    ``evaluate`` takes bars or a panel and returns the result of the search, larger is better: it must
    choose its parameters anew on every market it is given, or the test forgets that they were chosen.
    It gets prices and volumes only: funding, positioning and other slow series belong to the bars in
    their true order, and a search that needs them cannot be tested this way. −inf stands for "nothing
    admissible found". ``mapper`` may spread the calls over processes (``pool.map``, where ``evaluate``
    can be pickled); the result is the same. Raises ContractError when ``evaluate`` returns NaN or +inf.
    """
    if permutations < 1:
        raise ConfigError(f"permutations={permutations}: at least 1 is needed")
    seeds = permutation_seeds(seed, permutations)
    observed = float(evaluate(prices))
    work = partial(_evaluated, evaluate, prices, seeds, kept_bars, block_bars)
    null = np.fromiter(mapper(work, range(permutations)), dtype=np.float64, count=permutations)
    results = np.append(null, observed)
    wrong = np.flatnonzero(np.isnan(results) | (results == np.inf))
    if wrong.size:
        place = f"permutation {wrong[0]}" if wrong[0] < permutations else "the market itself"
        raise ContractError(
            f"evaluate returned {results[wrong[0]]} on {place}: a result is a number, −inf where the "
            "search found nothing admissible"
        )
    return PermutationTest(
        observed=observed,
        null=null,
        p_value=permutation_p_value(observed, null),
        kept_bars=kept_bars,
        block_bars=block_bars,
    )
