"""The arrays of one symbol of the linked chart, on the rows of the traded bars.

Bars that would make the page too large are put together, a fixed number in one: prices keep open,
highest, lowest and close, of several votes the strongest stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine import Float1D, Int1D

from ..formats import spoken
from .reading import floats, places

MAX_FILLS: Final = 6_000
MOST_DECIMALS: Final = 8
PRICES: Final = ("open", "high", "low", "close")
KIND_OF_ZONE: Final = ("head", "detector", "type")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartedVotes:
    """Votes of one head on the rows of the votes table: ``text`` is a place in ``texts``, 0 none.

    ``counts`` says which votes are strong enough for the consensus to count them.
    """

    name: str
    direction: Int1D
    probability: Float1D
    confidence: Float1D
    coverage: Float1D
    counts: np.ndarray[Any, np.dtype[np.bool_]]
    text: Int1D
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Rows of the drawn bars of one symbol: bar ``i`` of the run is drawn in ``i // together``."""

    open_time_us: Int1D
    close_time_us: Int1D
    together: int

    @property
    def starts(self) -> Int1D:
        """First bar of each drawn one."""
        starts: Int1D = np.arange(0, len(self.open_time_us), self.together, dtype=np.int64)
        return starts

    def rows_of_closes(self, time_us: Int1D) -> Int1D:
        """The drawn bar of each close, −1 for one that no traded bar has."""
        at = np.minimum(np.searchsorted(self.close_time_us, time_us), len(self.close_time_us) - 1)
        rows: Int1D = np.where(self.close_time_us[at] == time_us, at // self.together, -1)
        return rows

    def rows_of_moments(self, time_us: Int1D) -> Int1D:
        """The drawn bar in which each moment lies, its open included."""
        at = np.searchsorted(self.open_time_us, time_us, side="right") - 1
        rows: Int1D = np.clip(at, 0, None) // self.together
        return rows


def symbol_payload(
    symbol: str,
    tables: Mapping[str, pa.Table],
    heads: Sequence[ChartedVotes],
    gates: Sequence[str],
    *,
    max_bars: int,
    max_zones: int,
) -> dict[str, Any]:
    """One symbol of the chart from its own rows of the run's ``tables``."""
    prices, votes = tables["prices"], tables["votes"]
    grid = Grid(
        open_time_us=_microseconds(prices["open_time"]),
        close_time_us=_microseconds(prices["time"]),
        together=max(1, -(-len(prices) // max_bars)),
    )
    rows = grid.rows_of_closes(_microseconds(votes["time"]))
    return {
        "symbol": symbol,
        "together": grid.together,
        "unmatched": int((rows < 0).sum()),
        **_times(grid),
        **_prices(prices, grid),
        **_consensus(votes, rows, len(grid.starts), gates),
        "heads": [_head(one, rows) for one in heads],
        "fills": _fills(tables["fills"], grid),
        "trades": _trades(tables["trades"], grid),
        "zones": _zones(tables["zones"], grid, max_zones),
    }


def _microseconds(column: pa.ChunkedArray) -> Int1D:
    values: Int1D = np.asarray(column.cast(pa.int64()))
    return values


def _times(grid: Grid) -> dict[str, Any]:
    """Opens in milliseconds: first and step where they are evenly spaced, else all of them."""
    opens = grid.open_time_us[grid.starts]
    last_close = int(grid.close_time_us[-1]) / 1_000
    steps = np.unique(np.diff(opens))
    if len(steps) <= 1:
        step = int(steps[0]) if len(steps) else int(grid.close_time_us[-1] - opens[0])
        return {"first": int(opens[0]) / 1_000, "step": step / 1_000, "end": last_close}
    return {"times": opens / 1_000, "end": last_close}


def _prices(prices: pa.Table, grid: Grid) -> dict[str, Any]:
    columns = {name: floats(prices[name]) for name in PRICES}
    starts = grid.starts
    ends = np.append(starts[1:], len(prices)) - 1
    drawn = {
        "open": columns["open"][starts],
        "high": np.maximum.reduceat(columns["high"], starts),
        "low": np.minimum.reduceat(columns["low"], starts),
        "close": columns["close"][ends],
    }
    gap = np.asarray(prices["is_gap"]).astype(np.int8)
    decimals = _decimals(np.concatenate(list(drawn.values())))
    if decimals is not None:
        drawn = {
            name: np.round(values * 10.0**decimals).astype(np.int32)
            for name, values in drawn.items()
        }
    return {
        "decimals": decimals,
        **drawn,
        "gaps": np.flatnonzero(np.minimum.reduceat(gap, starts)).astype(np.uint32),
    }


def _decimals(values: Float1D) -> int | None:
    """Decimal places with which every value is a 32-bit integer; None where there are none such."""
    for decimals in range(MOST_DECIMALS + 1):
        whole = np.round(values * 10.0**decimals)
        if np.abs(whole).max(initial=0.0) >= 2**31:
            return None
        if np.array_equal(whole / 10.0**decimals, values):
            return decimals
    return None


def _strongest(rows: Int1D, strength: Float1D) -> Int1D:
    """Of the entries on one row (``rows`` ascend) the place of the one of largest ``strength``."""
    order = np.lexsort((-strength, rows))
    first = np.flatnonzero(np.diff(rows[order], prepend=-1))
    places: Int1D = order[first]
    return places


def _head(votes: ChartedVotes, rows: Int1D) -> dict[str, Any]:
    cast = np.flatnonzero((votes.direction != 0) & (rows >= 0))
    kept = cast[_strongest(rows[cast], votes.confidence[cast])] if len(cast) else cast
    used, text = np.unique(votes.text[kept], return_inverse=True)
    return {
        "name": votes.name,
        "label": spoken(votes.name),
        "row": rows[kept].astype(np.uint32),
        "confidence": (votes.direction[kept] * np.round(100.0 * votes.confidence[kept])).astype(
            np.int8
        ),
        "direction": votes.direction[kept].astype(np.int8),
        "probability": np.round(100.0 * votes.probability[kept]).astype(np.uint8),
        "counts": votes.counts[kept],
        "text": text.astype(np.uint16),
        "texts": [votes.texts[int(at)] for at in used],
        "absent": _stretches(rows[(votes.coverage <= 0) & (rows >= 0)]),
    }


def _stretches(rows: Int1D) -> list[list[int]]:
    """Ascending rows as [first, last] of every run of neighbours."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > 1)
    firsts = rows[np.concatenate(([0], breaks + 1))]
    lasts = rows[np.concatenate((breaks, [len(rows) - 1]))]
    pairs: list[list[int]] = np.column_stack((firsts, lasts)).tolist()
    return pairs


def _consensus(votes: pa.Table, rows: Int1D, bars: int, gates: Sequence[str]) -> dict[str, Any]:
    kept = np.flatnonzero(rows >= 0)
    score = floats(votes["consensus_signed_score"])
    if len(kept):
        kept = kept[_strongest(rows[kept], np.abs(score[kept]))]
    gate = places(votes["consensus_gate"], tuple(gates))

    def shown(values: Any, kind: type[np.generic], otherwise: int) -> np.ndarray[Any, Any]:
        out = np.full(bars, otherwise, dtype=kind)
        out[rows[kept]] = np.asarray(values)[kept]
        return out

    target = floats(votes["decision_target"])
    acts = np.flatnonzero(np.asarray(votes["decision_acts"]).astype(bool) & (rows >= 0))
    return {
        "score": shown(np.round(1_000.0 * score), np.int16, -32_768),
        "for": shown(votes["consensus_votes_for"], np.uint8, 0),
        "against": shown(votes["consensus_votes_against"], np.uint8, 0),
        "gate": shown(gate, np.uint8, 255),
        "decisions": {"row": rows[acts].astype(np.uint32), "target": target[acts]},
    }


def _fills(fills: pa.Table, grid: Grid) -> dict[str, Any]:
    value = floats(fills["quantity"]) * floats(fills["price"])
    shown = np.sort(np.argsort(-value, kind="stable")[:MAX_FILLS])
    kept = fills.take(pa.array(shown))
    reasons = kept["reason"].to_pylist()
    names = list(dict.fromkeys(reasons))
    # A bar's close is the open of the next one.
    at_close = np.array([phase == "close" for phase in kept["phase"].to_pylist()], dtype=np.int64)
    return {
        "count": len(fills),
        "row": grid.rows_of_moments(_microseconds(kept["time"]) - at_close).astype(np.uint32),
        "price": floats(kept["price"]),
        "quantity": floats(kept["quantity"]),
        "side": np.asarray(kept["side"]).astype(np.int8),
        "reason": np.array([names.index(one) for one in reasons], dtype=np.uint8),
        "reasons": [spoken(name) for name in names],
    }


def _trades(trades: pa.Table, grid: Grid) -> dict[str, Any]:
    """Entries and exits; ``held`` is the last bar of which the position saw any part."""
    exit_time = _microseconds(trades["exit_time"])
    return {
        "entry": grid.rows_of_moments(_microseconds(trades["entry_time"])).astype(np.uint32),
        "exit": grid.rows_of_moments(exit_time).astype(np.uint32),
        "held": grid.rows_of_moments(exit_time - 1).astype(np.uint32),
        "entry_price": floats(trades["entry_price"]),
        "exit_price": floats(trades["exit_price"]),
        "side": np.asarray(trades["side"]).astype(np.int8),
        "net": floats(trades["net_pnl"]),
    }


def _kinds(zones: pa.Table) -> tuple[list[tuple[str, ...]], Int1D]:
    """Head, detector and type of each kind of zone as they first appear, and the kind of each row."""
    columns = [zones[name].combine_chunks().dictionary_encode() for name in KIND_OF_ZONE]
    code = np.zeros(len(zones), dtype=np.int64)
    for column in columns:
        code = code * max(len(column.dictionary), 1) + np.asarray(column.indices)
    _, first, at = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(first)
    kind = np.empty(len(order), dtype=np.int64)
    kind[order] = np.arange(len(order))
    words = [column.take(pa.array(first[order])).to_pylist() for column in columns]
    return list(zip(*words, strict=True)), kind[at]


def _zones(zones: pa.Table, grid: Grid, most: int) -> dict[str, Any]:
    """Boxes and levels with the bars of their lives; of kinds that nothing ends, a mark where it was known.

    Where there are too many: boxes before marks before levels, and those that lived longest first.
    """
    anchor = grid.rows_of_moments(_microseconds(zones["anchor_time"]))
    known = grid.rows_of_closes(_microseconds(zones["known_time"]))
    kinds, kind = _kinds(zones)
    has_end = np.asarray(zones["end_time"].is_valid()).astype(bool)
    ends = np.bincount(kind, weights=has_end, minlength=len(kinds)) > 0
    lives = ends[kind]
    last = len(grid.starts) - 1
    end_time = _microseconds(zones["end_time"].fill_null(0))
    end = grid.rows_of_closes(end_time)
    end = np.where(end >= 0, end, grid.rows_of_moments(end_time))
    end = np.where(has_end, end, np.where(lives, last + 1, known))
    bottom, top = floats(zones["bottom"]), floats(zones["top"])
    rank = np.where(lives, np.where(top > bottom, 0, 2), 1)
    order = np.lexsort((known - end, rank))
    shown = np.sort(order[known[order] >= 0][:most])
    return {
        "count": int((known >= 0).sum()),
        "anchor": anchor[shown].astype(np.uint32),
        "known": known[shown].astype(np.uint32),
        "end": end[shown].astype(np.uint32),
        "lives": lives[shown],
        "bottom": bottom[shown].astype(np.float32),
        "top": top[shown].astype(np.float32),
        "direction": np.asarray(zones["direction"])[shown].astype(np.int8),
        "kind": kind[shown].astype(np.uint16),
        "kinds": [[spoken(word) for word in one] for one in kinds],
        "boxes": (np.bincount(kind, weights=rank == 0, minlength=len(kinds)) > 0).tolist(),
    }
