"""The history that the servers tell: every value is a pure function of symbol and time."""

import hashlib
from dataclasses import dataclass

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
STEPS_MS = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "1h": HOUR_MS,
    "8h": 8 * HOUR_MS,
    "1d": DAY_MS,
    "1w": 7 * DAY_MS,
}
MONDAY_MS = 4 * DAY_MS
"""The first Monday: weeks begin there."""


def draw(*names: object) -> int:
    """A whole number in 0 … 2**32 that depends on ``names`` only."""
    text = "/".join(map(str, names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; prices and amounts in hundredths."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades: int
    taker_volume: int
    taker_quote: int


@dataclass(frozen=True, slots=True)
class World:
    """What happened: a listing, holes without any row, and the moment up to which time has come."""

    now_ms: int
    listed_ms: int
    holes: tuple[tuple[int, int], ...] = ()
    first_trade_id: int = 5_000
    trade_gap_ms: int = 700
    trades_kept: int | None = None

    def exists(self, time_ms: int) -> bool:
        """True where the exchange has rows of this time."""
        in_hole = any(low <= time_ms < high for low, high in self.holes)
        return self.listed_ms <= time_ms <= self.now_ms and not in_hole

    def bar(self, symbol: str, open_ms: int, step_ms: int) -> Bar:
        """The closed bar, or what is known of one that is still open."""
        close_ms = min(open_ms + step_ms, self.now_ms)
        first, last = price(symbol, open_ms), price(symbol, close_ms)
        volume = 1 + draw(symbol, "volume", open_ms, close_ms) % 100_000
        quote = volume * (first + last) // 200
        taker = volume * (draw(symbol, "taker", open_ms) % 101) // 100
        return Bar(
            open_ms=open_ms,
            open=first,
            high=max(first, last) + draw(symbol, "high", open_ms) % 500,
            low=min(first, last) - draw(symbol, "low", open_ms) % 500,
            close=last,
            volume=volume,
            quote_volume=quote,
            trades=draw(symbol, "trades", open_ms) % 5_000,
            taker_volume=taker,
            taker_quote=quote * taker // volume,
        )

    def times(self, first_ms: int, last_ms: int, step_ms: int) -> list[int]:
        """Times on the grid in the closed period at which rows exist."""
        low = max(first_ms, self.listed_ms)
        origin = MONDAY_MS if step_ms % (7 * DAY_MS) == 0 else 0
        start = origin - (origin - low) // step_ms * step_ms
        return [t for t in range(start, min(last_ms, self.now_ms) + 1, step_ms) if self.exists(t)]

    def settlements(self, first_ms: int, last_ms: int) -> list[int]:
        """Times of funding: every eight hours, every four in the last hundred days."""
        quick_from = self.now_ms - 100 * DAY_MS
        return [
            time_ms
            for time_ms in self.times(first_ms, last_ms, 4 * HOUR_MS)
            if time_ms >= quick_from or time_ms % (8 * HOUR_MS) == 0
        ]

    def trade(self, symbol: str, number: int) -> tuple[int, int, int, int, bool]:
        """(time, id, price and quantity in hundredths, buyer is maker); three share one moment."""
        time_ms = self.listed_ms + (number - self.first_trade_id) // 3 * self.trade_gap_ms
        cents = 1_000_000 + draw(symbol, "trade", number) % 10_000
        size = 1 + draw(symbol, "size", number) % 1_000
        return time_ms, number, cents, size, bool(draw(symbol, "maker", number) % 2)

    @property
    def last_trade_id(self) -> int:
        """Number of the last trade so far."""
        moments = (self.now_ms - self.listed_ms) // self.trade_gap_ms + 1
        return self.first_trade_id + 3 * moments - 1

    @property
    def first_kept_trade_id(self) -> int:
        """Number of the first trade that the exchange still has."""
        if self.trades_kept is None:
            return self.first_trade_id
        return max(self.first_trade_id, self.last_trade_id + 1 - self.trades_kept)


def price(symbol: str, time_ms: int) -> int:
    """Price at a moment, hundredths."""
    return 1_000_000 + draw(symbol, "price", time_ms) % 50_000


def rate(symbol: str, time_ms: int) -> int:
    """Funding rate, in 1e-8."""
    return draw(symbol, "rate", time_ms) % 200_000 - 100_000


def amount(symbol: str, name: str, time_ms: int) -> int:
    """Some positive amount, in 1e-4."""
    return 1 + draw(symbol, name, time_ms) % 100_000_000


def cents(value: int) -> str:
    """Hundredths as exchanges write them."""
    return f"{value // 100}.{value % 100:02d}"


def fine(value: int, digits: int = 8) -> str:
    """Whole units of 1e-digits as exchanges write them."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{value // 10**digits}.{value % 10**digits:0{digits}d}"
