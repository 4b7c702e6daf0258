"""Panels of coins for the checks: driftless ones, disturbed ones, and ones with another future.

The coins of a null panel move with each other, apart from bitcoin for months, and predict nothing of
the market that holds the panel. Coins are listed late, vanish, and come back as new listings.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from engine import DAY_NS, Bool2D, Float1D, Float2D, Int1D, MarketPanel
from indicators.altcoin_season import SECTORS

COINS_PER_SECTOR: Final = 4
OWN_COIN: Final = 1 + COINS_PER_SECTOR
"""Column of the market's own coin: the first of layer 1."""
DAYS_SHOWN: Final = 3
_PARTS: Final = ("own_", "benchmark_", "is_")


def null_universe(start_ns: int, end_ns: int, seed: int, *, history_rows: int) -> MarketPanel:
    """Daily rows of bitcoin and 24 coins from ``history_rows`` days before ``start_ns``."""
    generator = np.random.default_rng([seed, 8])
    days = np.arange(start_ns // DAY_NS - history_rows, end_ns // DAY_NS + 1, dtype=np.int64)
    rows, sectors = len(days), len(SECTORS)
    coins = 1 + sectors * COINS_PER_SECTOR
    sector_of = np.repeat(np.arange(sectors), COINS_PER_SECTOR)
    moves = 0.03 * generator.standard_normal((rows, coins))
    together = 0.03 * generator.standard_normal((rows, 1))
    by_sector = 0.02 * generator.standard_normal((rows, sectors))
    moves[:, 1:] += together + by_sector[:, sector_of]
    close = 100.0 * np.exp(np.cumsum(moves, axis=0))
    is_listed = _listings(generator, rows, coins)
    age = _ages(is_listed)
    member = (generator.random((-(-rows // 30), coins)) < 0.8).repeat(30, axis=0)[:rows]
    member[:, 0] = False
    # One row stands for all: many markets are kept in memory.
    flags = {
        f"in_{name}": np.broadcast_to(
            np.concatenate(([0.0], (sector_of == index).astype(np.float64))), (rows, coins)
        )
        for index, name in enumerate(SECTORS)
    }
    return MarketPanel(
        name="universe",
        symbols=("BTC", *(f"COIN{index}" for index in range(1, coins))),
        own=OWN_COIN,
        benchmark=0,
        max_age_ns=DAYS_SHOWN * DAY_NS,
        event_time=days * DAY_NS,
        available_at=(days + 1) * DAY_NS,
        columns={
            "close": np.where(is_listed, close, np.nan),
            "age": age,
            "member": (member & is_listed).astype(np.float64),
            **flags,
        },
    )


def _listings(generator: np.random.Generator, rows: int, coins: int) -> Bool2D:
    """Bitcoin and the own coin all the time; each other one with three absences in four."""
    is_listed = np.ones((rows, coins), dtype=np.bool_)
    for coin in range(1, coins):
        if coin == OWN_COIN:
            continue
        for span in (rows // 10, 30, 1):
            if generator.random() < 0.75:
                begin = int(generator.integers(0, rows))
                is_listed[begin : begin + span, coin] = False
    return is_listed


def _ages(is_listed: Bool2D) -> Float2D:
    """Days of the present listing; a single missing day does not end it."""
    age = np.zeros(is_listed.shape)
    for coin in range(is_listed.shape[1]):
        last, first = -100, 0
        for row in range(len(is_listed)):
            if not is_listed[row, coin]:
                continue
            if row - last > 7:
                first = row
            last = row
            age[row, coin] = row - first + 1.0
    return age


def null_benchmark(open_time: Int1D, step_ns: int, seed: int, *, history_rows: int) -> MarketPanel:
    """Bars of the own coin and of bitcoin, correlated with each other, on the grid of ``open_time``."""
    generator = np.random.default_rng([seed, 9])
    first = int(open_time[0]) - history_rows * step_ns
    times = np.arange(first, int(open_time[-1]) + step_ns, step_ns, dtype=np.int64)
    shock = 0.006 * generator.standard_normal((2, len(times)))
    moves = np.column_stack((shock[0], 0.6 * shock[0] + 0.8 * shock[1]))
    close = 100.0 * np.exp(np.cumsum(moves, axis=0))
    close[generator.random(len(times)) < 0.01, 0] = np.nan
    return MarketPanel(
        name="benchmark",
        symbols=("OWN", "BTC"),
        own=0,
        benchmark=1,
        max_age_ns=DAY_NS,
        event_time=times,
        available_at=times + step_ns,
        columns={"close": close},
    )


def null_panels(
    open_time: Int1D, step_ns: int, seed: int, *, history_rows: int
) -> Mapping[str, MarketPanel]:
    """Every panel, beside bars at ``open_time``; none of them says anything about their prices."""
    start_ns, end_ns = int(open_time[0]), int(open_time[-1]) + step_ns
    made = (
        null_universe(start_ns, end_ns, seed, history_rows=history_rows),
        null_benchmark(open_time, step_ns, seed, history_rows=history_rows),
    )
    return {panel.name: panel for panel in made}


def panel_columns(panel: MarketPanel) -> tuple[str, ...]:
    """Names of the columns of a panel's clock: its tables, and the parts of them about one coin."""
    own = tuple(f"own_{name}" for name in panel.columns) if panel.own is not None else ()
    return ("event_time", *panel.columns, *own, "benchmark_close", "is_benchmark")


def is_part_of(column: str) -> bool:
    """Whether a column of a panel's clock is taken from one of its tables."""
    return column.startswith(_PARTS)


def disturbed_panel(panel: MarketPanel, column: str, seed: int) -> MarketPanel:
    """The same panel with one column noised; a table keeps the own coin and the benchmark as they were."""
    generator = np.random.default_rng([seed, 10])
    if column == "is_benchmark":
        return replace(panel, own=panel.benchmark)
    coins = [
        index for index in range(len(panel.symbols)) if index not in (panel.own, panel.benchmark)
    ]
    name = column
    if column == "benchmark_close":
        name, coins = "close", [panel.benchmark]
    elif is_part_of(column) and panel.own is not None:
        name, coins = column.removeprefix("own_"), [panel.own]
    table = panel.columns[name].copy()
    for coin in coins:
        table[:, coin] = _noised(name, table[:, coin], generator)
    return replace(panel, columns={**panel.columns, name: table})


def _noised(name: str, values: Float1D, generator: np.random.Generator) -> Float1D:
    """Prices times a factor, a listing that began later, flags that say the opposite now and then."""
    if name == "close":
        return values * np.exp(0.7 * generator.standard_normal(len(values)))
    if name == "age":
        return np.minimum(values, generator.integers(1, 120, len(values)))
    return np.where(generator.random(len(values)) < 0.3, 1.0 - values, values)


def wild_panel(panel: MarketPanel, now: int, generator: np.random.Generator) -> MarketPanel:
    """The same rows up to ``now``; later ones have absurd prices, and other coins on other days."""
    known = int(np.searchsorted(panel.available_at, now, side="right"))

    def wild(name: str, table: Float2D) -> Float2D:
        later = generator.permutation(table[known:])
        if name == "close":
            later = later * 10.0 ** generator.uniform(-3, 3, later.shape)
        return np.concatenate((table[:known], later))

    return replace(
        panel, columns={name: wild(name, table) for name, table in panel.columns.items()}
    )
