"""A history that an exchange offers: how it is asked, and what one answer holds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

MS_NS: Final = 1_000_000
Cell: TypeAlias = float | int | bool | None
Row: TypeAlias = tuple[Cell, ...]
"""One row of an answer: its time in ms UTC, then the columns of the series."""


@dataclass(frozen=True, slots=True)
class Series:
    """Rows that lie ``spacing_ms`` apart and are asked for by period.

    ``columns`` are the canonical names of the values of a row. ``ask(first_ms, last_ms)`` sends one
    request for the rows whose time is in the closed period and gives whatever came, in the order in
    which it came; at most ``limit`` rows come at once, the oldest ones if ``oldest_first``, else
    perhaps the newest. On a grid, whose origin is ``grid_ms``, every row is expected; else
    ``spacing_ms`` is the smallest usual distance. ``kept_ms`` is how far back the exchange promises
    the history, None for all of it; with ``refuses_older`` asking for more is an error there. Where
    ``ends_where_asked``, no row comes that is later than the period asked for.
    """

    name: str
    columns: tuple[str, ...]
    limit: int
    spacing_ms: int
    on_grid: bool
    ask: Callable[[int, int], Awaitable[list[Row]]]
    oldest_first: bool = False
    kept_ms: int | None = None
    refuses_older: bool = False
    ends_where_asked: bool = True
    grid_ms: int = 0


@dataclass(frozen=True, slots=True)
class TradeHistory:
    """Trades of one market: rows of time, then :data:`TRADE_COLUMNS`.

    Where the exchange numbers its trades, ``latest()`` gives the last ones and
    ``from_id(trade_id, count)`` those numbered from ``trade_id`` up to ``trade_id + count``, ``count``
    being at most ``limit``; where such numbers are missing, lower or higher ones may come instead.
    Elsewhere both are None and ``recent()`` gives the last ``limit`` trades, newest first, which is
    all that such an exchange offers; their numbers are None.
    """

    limit: int
    latest: Callable[[], Awaitable[list[Row]]] | None = None
    from_id: Callable[[int, int], Awaitable[list[Row]]] | None = None
    recent: Callable[[], Awaitable[list[Row]]] | None = None


TRADE_COLUMNS: Final = ("trade_id", "price", "quantity", "is_buyer_maker")
