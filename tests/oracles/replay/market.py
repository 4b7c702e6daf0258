"""Section 1: prices of bars and of the sub-bars inside them, and what one unit is worth."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine import Decisions, MarkPrices, Panel, ReplayRules

Table = list[list[float]]


@dataclass(frozen=True)
class Candle:
    """Open, high, low and close of one symbol."""

    open: float
    high: float
    low: float
    close: float

    def worst(self, side: int) -> float:
        """The price that is worst for a position of ``side``."""
        return self.low if side > 0 else self.high

    def best(self, side: int) -> float:
        """The price that is best for a position of ``side``."""
        return self.high if side > 0 else self.low


@dataclass(frozen=True)
class SubBar:
    """One step of the walk through a bar; prices by symbol (column of the panel)."""

    bar: int
    open_time: int
    length: int
    traded: dict[int, Candle]
    mark: dict[int, Candle]
    tradable: frozenset[int]


def _candles(prices: Panel | MarkPrices) -> dict[str, Any]:
    return {name: getattr(prices, name).tolist() for name in ("open", "high", "low", "close")}


def _candle(columns: dict[str, Any], row: int, s: int) -> Candle:
    return Candle(**{name: values[row][s] for name, values in columns.items()})


class Market:
    """The panel and its finer bars as plain numbers, ``[bar][symbol]``."""

    def __init__(
        self, panel: Panel, decisions: Decisions, rules: ReplayRules, fine: Panel | None
    ) -> None:
        self.names = panel.symbols
        self.in_name_order = sorted(range(len(panel.symbols)), key=lambda s: panel.symbols[s])
        self.bars = len(panel)
        self.step_ns = int(panel.step_ns)
        self.open_time: list[int] = panel.open_time.tolist()
        self.listed: list[list[bool]] = panel.listed.tolist()
        self.is_gap: list[list[bool]] = panel.is_gap.tolist()
        self.volume: Table | None = None if panel.volume is None else panel.volume.tolist()
        self.atr_frac: Table = decisions.atr_frac.tolist()
        self.is_inverse = rules.margin.contract == "inverse"

        self._traded = _candles(panel)
        self._mark = _candles(panel.mark or panel)
        self.open: Table = self._traded["open"]
        self.high: Table = self._traded["high"]
        self.low: Table = self._traded["low"]
        self.close: Table = self._traded["close"]
        self.mark_close: Table = self._mark["close"]
        self.sub_bars_of_a_bar = 1 if fine is None else self.step_ns // int(fine.step_ns)
        self._fine = None if fine is None else _candles(fine)
        self._fine_mark = None if fine is None else _candles(fine.mark or fine)
        self._fine_exists = None if fine is None else (fine.listed & ~fine.is_gap).tolist()

    def value(self, p: float) -> float:
        """``V(p)``: value of one unit in the settlement currency."""
        return -1 / p if self.is_inverse else p

    def notional(self, p: float) -> float:
        """``u(p) = |V(p)|``."""
        return abs(self.value(p))

    def is_tradable(self, t: int, s: int) -> bool:
        """Listed and not a gap."""
        return self.listed[t][s] and not self.is_gap[t][s]

    def close_time(self, t: int) -> int:
        """When bar ``t`` is complete."""
        return self.open_time[t] + self.step_ns

    def true_range_before(self, t: int, s: int) -> float:
        """``a`` of section 2: the last finite ``atr_frac`` that was known before bar ``t``."""
        for r in range(t - 1, -1, -1):
            if math.isfinite(self.atr_frac[r][s]):
                return self.atr_frac[r][s]
        return 0.0

    def sub_bars(self, t: int) -> Iterator[SubBar]:
        """The walk through bar ``t``."""
        count = self.sub_bars_of_a_bar
        length = self.step_ns // count
        for k in range(count):
            traded, mark, tradable = {}, {}, set()
            for s in self.in_name_order:
                traded[s], mark[s], exists = self._prices(t, k, s)
                if exists:
                    tradable.add(s)
            yield SubBar(
                t, self.open_time[t] + k * length, length, traded, mark, frozenset(tradable)
            )

    def _prices(self, t: int, k: int, s: int) -> tuple[Candle, Candle, bool]:
        if self._fine is None or self._fine_mark is None or self._fine_exists is None:
            return _candle(self._traded, t, s), _candle(self._mark, t, s), self.is_tradable(t, s)
        if self.is_unresolved(t, s):
            if k == 0:
                return _candle(self._traded, t, s), _candle(self._mark, t, s), True
            close, mark_close = self.close[t][s], self.mark_close[t][s]
            return Candle(*[close] * 4), Candle(*[mark_close] * 4), False
        row = t * self.sub_bars_of_a_bar + k
        return (
            _candle(self._fine, row, s),
            _candle(self._fine_mark, row, s),
            self._fine_exists[row][s],
        )

    def is_unresolved(self, t: int, s: int) -> bool:
        """Whether a bar exists while none of its sub-bars does."""
        if self._fine_exists is None or not self.is_tradable(t, s):
            return False
        count = self.sub_bars_of_a_bar
        return not any(self._fine_exists[t * count + k][s] for k in range(count))
