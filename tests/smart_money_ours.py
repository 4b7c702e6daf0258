"""Our side of the comparison with smartmoneyconcepts: bars, tables, swings and breaks from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from engine import Float1D
from indicators import DETECTORS_BY_NAME, EventTable
from tests.generators import random_bars
from tests.smart_money import SWING_LENGTH, Peer, Swing

LEFT, RIGHT = SWING_LENGTH - 1, SWING_LENGTH
"""The library's window of 2 L bars has L - 1 before the extreme and L behind it."""
REAL_FILE = "klines/binance_spot_klines12_1h.parquet"


@dataclass(frozen=True)
class Case:
    """Bars, what the library says about them, and ours on demand."""

    columns: Mapping[str, Float1D]
    peer: Peer

    def table(self, detector: str, **parameters: float) -> EventTable:
        found = DETECTORS_BY_NAME[detector]
        inputs = {name: self.columns[name] for name in found.inputs}
        return found.find(inputs, found.resolved(parameters))


def simulated(seed: int) -> dict[str, Float1D]:
    return dict(random_bars(4000, seed).columns())


def real_bars(folder: Path) -> dict[str, Float1D]:
    """BTCUSDT, hours of 2021, those that exist one after the other."""
    rows = pd.read_parquet(folder / REAL_FILE)
    rows = rows[(rows["symbol"] == "BTCUSDT") & (rows["open_time"].dt.year == 2021)]
    columns = {
        name: rows[name].to_numpy(dtype=np.float64)
        for name in ("open", "high", "low", "close", "volume")
    }
    return {**columns, "is_gap": np.zeros(len(rows))}


def pivots_of(case: Case) -> list[Swing]:
    table = case.table("pivot", left=LEFT, right=RIGHT)
    assert (table.known - table.anchor == RIGHT).all()
    found = [
        Swing(int(row), -int(side), float(price))
        for row, side, price in zip(table.anchor, table.direction, table.top, strict=True)
    ]
    return sorted(found, key=lambda one: (one.row, -one.side))


def plateaus_of(case: Case) -> list[Swing]:
    """Extremes of the library's window that have an equal before them: no pivots of ours."""
    found = []
    for side, values in ((1, case.columns["high"]), (-1, -case.columns["low"])):
        for row in range(LEFT, len(values) - RIGHT):
            window = values[row - LEFT : row + RIGHT + 1]
            if values[row] == window.max() and values[row] in window[:LEFT]:
                found.append(Swing(row, side, side * float(values[row])))
    return found


@dataclass(frozen=True)
class Break:
    """One of our breaks: its row, its side, the row of the swing, and whether it is a CHoCH."""

    row: int
    side: int
    swing: int
    change: bool


def breaks_of(case: Case) -> list[Break]:
    table = case.table("structure", left=LEFT, right=RIGHT)
    names = [kind.name for kind in DETECTORS_BY_NAME["structure"].types]
    return [
        Break(int(row), int(side), int(points[1]), names[code] == "choch")
        for row, side, points, code in zip(
            table.known, table.direction, table.point_rows, table.type, strict=True
        )
        if names[code] != "mss"
    ]
