"""What the peers are given and what they give back: plain arrays, a few figures."""

from dataclasses import dataclass, replace

import numpy as np

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS


@dataclass(frozen=True)
class SingleWork:
    """One symbol, one configuration: T bars and a target side for each.

    ``side`` (T,) is -1, 0 or 1, decided at the close of its bar where ``acts`` and filled at the next
    open, with all of the cash. Levels are fractions of the entry price, None for none.
    """

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    side: np.ndarray
    acts: np.ndarray
    step_ns: int
    stop_frac: float | None = None
    take_profit_frac: float | None = None
    fee_frac: float = 2e-5
    slippage_frac: float = 1e-5
    initial_cash: float = 1e6

    def first(self, bars: int) -> "SingleWork":
        """The same work on the first ``bars`` bars."""
        names = ("open", "high", "low", "close", "side", "acts")
        return replace(self, **{name: getattr(self, name)[:bars] for name in names})


@dataclass(frozen=True)
class SweepWork:
    """One symbol, K configurations: ``sides`` (T, K) and one stop and take-profit for each."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    sides: np.ndarray
    stop_frac: np.ndarray
    take_profit_frac: np.ndarray
    step_ns: int
    fee_frac: float = 5e-4
    slippage_frac: float = 2e-4
    initial_cash: float = 1e5


@dataclass(frozen=True)
class PortfolioWork:
    """S symbols that share one cash: weights (T, S) of equity, decided where ``acts`` (T, S)."""

    open: np.ndarray
    close: np.ndarray
    weight: np.ndarray
    acts: np.ndarray
    step_ns: int
    fee_frac: float = 5e-4
    slippage_frac: float = 2e-4
    initial_cash: float = 1e5


@dataclass(frozen=True)
class Outcome:
    """What a peer's run came to; arrays (K,) for a sweep. ``sharpe`` is per year of 365 days.

    ``fills`` counts orders filled, except for tools that say how many trades were closed instead.
    """

    final_equity: float | np.ndarray
    total_return: float | np.ndarray
    sharpe: float | np.ndarray
    max_drawdown: float | np.ndarray
    fills: int


def random_bars(bars: int, bar_return_sd: float, seed: int) -> dict[str, np.ndarray]:
    """Open, high, low and close of a driftless random walk without gaps."""
    generator = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(bar_return_sd * generator.standard_normal(bars)))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = 1.0 + 0.5 * bar_return_sd * generator.exponential(size=bars)
    return {
        "open": open_,
        "high": np.maximum(open_, close) * reach,
        "low": np.minimum(open_, close) / reach,
        "close": close,
    }


def moving_average_sides(close: np.ndarray, fast: int, slow: int) -> np.ndarray:
    """1 where the fast mean of closes is above the slow one, else -1; 0 before there are both."""
    sums = np.concatenate(([0.0], np.cumsum(close)))
    fast_mean = (sums[slow:] - sums[slow - fast : -fast]) / fast
    slow_mean = (sums[slow:] - sums[:-slow]) / slow
    side = np.zeros(len(close))
    side[slow - 1 :] = np.where(fast_mean > slow_mean, 1.0, -1.0)
    return side


def changes(side: np.ndarray) -> np.ndarray:
    """True where a side differs from that of the row before."""
    first = np.zeros((1, *side.shape[1:]), dtype=bool)
    return np.concatenate((first, side[1:] != side[:-1]))


def single_example(bars: int = 1_000_000, seed: int = 1) -> SingleWork:
    """A 20/100 moving-average cross on one-minute bars, stop 0.6 %, take-profit 1.2 %."""
    prices = random_bars(bars, 0.0008, seed)
    side = moving_average_sides(prices["close"], 20, 100)
    return SingleWork(
        **prices,
        side=side,
        acts=changes(side),
        step_ns=MINUTE_NS,
        stop_frac=0.006,
        take_profit_frac=0.012,
    )


def sweep_example(configurations: int, bars: int = 26_280, seed: int = 2) -> SweepWork:
    """Nine persistent random votes on hourly bars, weighed and thresholded K ways."""
    generator = np.random.default_rng(seed)
    shocks = generator.standard_normal((bars, 9))
    votes = np.empty((bars, 9))
    votes[0] = shocks[0]
    for row in range(1, bars):
        votes[row] = 0.995 * votes[row - 1] + 0.1 * shocks[row]
    scores = votes @ generator.dirichlet(np.ones(9), configurations).T
    threshold = generator.uniform(0.3, 0.6, configurations)
    return SweepWork(
        **random_bars(bars, 0.006, seed),
        sides=(scores > threshold).astype(np.int8) - (scores < -threshold).astype(np.int8),
        stop_frac=generator.uniform(0.01, 0.05, configurations),
        take_profit_frac=generator.uniform(0.02, 0.1, configurations),
        step_ns=HOUR_NS,
    )


def portfolio_example(symbols: int = 50, bars: int = 26_280, seed: int = 3) -> PortfolioWork:
    """A 20/100 moving-average cross of every symbol, each at most its share of equity."""
    prices = [random_bars(bars, 0.006, seed + symbol) for symbol in range(symbols)]
    close = np.column_stack([columns["close"] for columns in prices])
    sides = np.column_stack([moving_average_sides(column, 20, 100) for column in close.T])
    return PortfolioWork(
        open=np.column_stack([columns["open"] for columns in prices]),
        close=close,
        weight=sides / symbols,
        acts=changes(sides),
        step_ns=HOUR_NS,
    )
