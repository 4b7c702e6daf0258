"""Columns of bars as indicators of volume delta read them."""

from collections.abc import Mapping

import numpy as np

from engine import Float1D


def without_trades(columns: Mapping[str, Float1D]) -> dict[str, Float1D]:
    """``columns`` of a market that has no trades; without taker columns where they are missing."""
    nothing = np.full(len(columns["volume"]), np.nan)
    lacking = ("taker_buy_volume", "trade_flow.volume", "trade_flow.taker_buy_volume")
    return {**dict.fromkeys(lacking, nothing), **columns}


def taker_columns(volume: Float1D, bought: Float1D) -> dict[str, Float1D]:
    """Bars that stand still, with this volume and what takers bought of it."""
    still = dict.fromkeys(("high", "low", "close"), np.full(len(volume), 100.0))
    return without_trades({**still, "volume": volume, "taker_buy_volume": bought})
