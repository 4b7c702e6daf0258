"""What volumes and amounts of ccxt count, which its files do not say."""

from typing import Final

from .source_rows import SourceRows

_COIN_UNITS: Final = ("binance", "bybit")
"""Venues whose linear contracts are one coin each, so that contracts and coins are the same number."""


def counts_coins(rows: SourceRows) -> bool:
    """True where amounts of ccxt are certain to count coins: spot, and contracts of one coin."""
    linear = rows.key.market in ("um_perp", "linear_perp")
    return rows.key.market == "spot" or (linear and rows.key.venue in _COIN_UNITS)


def noting_volume(rows: SourceRows) -> SourceRows:
    """Bars with a finding where nothing says whether their volume counts coins or contracts."""
    if counts_coins(rows) or "volume" not in rows.table.column_names:
        return rows
    return rows.noting(
        "unstated_unit",
        "nothing says whether volume counts coins or contracts of the size that "
        f"{rows.key.venue} gives them; kept as it is",
    )
