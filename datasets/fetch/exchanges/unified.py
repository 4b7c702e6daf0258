"""Any other exchange, through ccxt's unified methods and what they say the exchange has."""

from collections.abc import Callable
from typing import Any, Final

from engine import HOUR_NS, DataError, grid_origin_ns, timeframe_ns

from ...timestamps import time_text
from ..answers import number
from ..series import MS_NS, Row, Series, TradeHistory
from .steps import interval_name

_ROWS: Final = 100
"""Rows asked for where ccxt does not say how many an exchange gives."""


def series(client: Any, market: Any, kind: str, step: str, now_ms: int) -> tuple[Series, ...]:
    """Histories of ``kind`` that ``client.has``; contracts must be of one unit of the base currency."""
    spacing = timeframe_ns(step) // MS_NS
    found: list[Series] = []
    if kind == "ohlcv" and client.has.get("fetchOHLCV") is True and _in_base(market):
        interval_name(client, step)
        found.append(_history(client, market, "fetchOHLCV", spacing, True, step))
    if kind == "funding" and market.get("swap") and client.has.get("fetchFundingRateHistory"):
        usual = 8 * HOUR_NS // MS_NS
        found.append(_history(client, market, "fetchFundingRateHistory", usual, False, None))
    if kind == "metrics" and market.get("linear") and _in_base(market):
        for name in ("fetchOpenInterestHistory", "fetchLongShortRatioHistory"):
            if client.has.get(name) is True:
                found.append(_history(client, market, name, spacing, True, step))
    return tuple(found)


_COLUMNS: Final = {
    "fetchOHLCV": ("open", "high", "low", "close", "volume"),
    "fetchFundingRateHistory": ("rate",),
    "fetchOpenInterestHistory": ("sum_open_interest",),
    "fetchLongShortRatioHistory": ("count_long_short_ratio",),
}
_CELLS: Final[dict[str, Callable[[Any], Row]]] = {
    "fetchOHLCV": lambda r: (int(r[0]), *(float(cell) for cell in r[1:6])),
    "fetchFundingRateHistory": lambda r: (int(r["timestamp"]), float(r["fundingRate"])),
    "fetchOpenInterestHistory": lambda r: (int(r["timestamp"]), number(r["openInterestAmount"])),
    "fetchLongShortRatioHistory": lambda r: (int(r["timestamp"]), number(r["longShortRatio"])),
}


def _history(
    client: Any, market: Any, name: str, spacing_ms: int, on_grid: bool, step: str | None
) -> Series:
    method = getattr(client, "".join(f"_{c.lower()}" if c.isupper() else c for c in _snake(name)))
    stated = client.feature_value(market["symbol"], name, "limit")
    limit = int(stated) if stated else _ROWS
    steps = () if step is None else (step,)
    # One row before the first: some exchanges leave out the row at the beginning.
    room = spacing_ms if on_grid else 1

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await method(market["symbol"], *steps, first_ms - room, limit, {"until": last_ms})
        rows = [_CELLS[name](row) for row in answer]
        oldest_ms = min((int(row[0] or 0) for row in rows), default=last_ms)
        if oldest_ms > last_ms:
            # Nothing in the period, or a period that the exchange does not heed: a later one tells.
            since_ms = oldest_ms + 2 * spacing_ms
            later = await method(market["symbol"], *steps, since_ms, limit)
            if any(int(_CELLS[name](row)[0] or 0) <= oldest_ms for row in later):
                raise DataError(
                    f"{client.id}: {name} gives its newest rows whatever is asked for; begin with "
                    f"{time_text(oldest_ms * MS_NS)} or later"
                )
        return rows

    return Series(
        name=name,
        columns=_COLUMNS[name],
        limit=max(1, limit - 1),
        spacing_ms=spacing_ms,
        on_grid=on_grid,
        ask=ask,
        ends_where_asked=False,
        grid_ms=0 if step is None else grid_origin_ns(step) // MS_NS,
    )


def _snake(name: str) -> str:
    return name.replace("OHLCV", "Ohlcv")


def _in_base(market: Any) -> bool:
    """True where amounts are known to be in the base currency."""
    return bool(market.get("spot")) or (
        bool(market.get("linear")) and market.get("contractSize") == 1
    )


def trades(client: Any, market: Any) -> TradeHistory | None:
    """The last trades only: how to page through older ones is different everywhere."""
    if not client.has.get("fetchTrades") or not _in_base(market):
        return None
    stated = client.feature_value(market["symbol"], "fetchTrades", "limit")
    limit = int(stated) if stated else _ROWS

    async def recent() -> list[Row]:
        answer = await client.fetch_trades(market["symbol"], None, limit)
        rows: list[Row] = [
            (int(r["timestamp"]), None, float(r["price"]), float(r["amount"]), r["side"] == "sell")
            for r in answer
        ]
        return rows[::-1]

    return TradeHistory(limit, recent=recent)
