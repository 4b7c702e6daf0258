"""Events of the five pattern heads on three years of hourly bars, and one more bar for all nine heads.

``python -m benchmarks.events`` prints the figures and what each table takes. Markets are null markets:
hourly bars, every slow series and both panels of coins.
"""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from engine import Market
from experiments.checks.fine_bars import aggregated_bars, null_fine_bars
from experiments.checks.markets import null_market
from indicators import DETECTORS_BY_NAME, Detection, FoundEvents, detection, find_events
from strategies import HEADS, HEADS_BY_NAME, Head, latest_votes, vote_matrix

from .timing import Timing, timed, timed_pair

HOURS = 26_280
TIMES_LONGER = 10
SYMBOLS = 50
THREADS = 2
PATTERN_HEADS = ("rules", "ict", "wyckoff", "harmonic", "market_structure")
SEED = 7


def detections_of_heads() -> tuple[Detection, ...]:
    """Every table of events that the votes of the five heads follow from, at their defaults, once."""
    heads = [HEADS_BY_NAME[name]() for name in PATTERN_HEADS]
    return tuple(dict.fromkeys(one for head in heads for one in head.detections().values()))


def every_detection() -> tuple[Detection, ...]:
    """Those of every preset and option of the five heads, and every detector at its defaults."""
    heads: list[Head] = []
    for name in PATTERN_HEADS:
        kind = HEADS_BY_NAME[name]
        heads += [kind(**variant) for variant in ({}, *kind.VARIANTS)]
    of_heads = [one for head in heads for one in head.detections().values()]
    return tuple(dict.fromkeys([*of_heads, *(detection(name) for name in DETECTORS_BY_NAME)]))


def found(market: Market, wanted: Iterable[Detection]) -> dict[Detection, FoundEvents]:
    """The tables of ``wanted`` on one market."""
    return find_events(market, wanted, detectors=DETECTORS_BY_NAME)


def many_symbols(threads: int) -> float:
    """Seconds for the tables of the five heads of all symbols, each dropped when it is made."""
    markets = [null_market(HOURS, SEED + symbol) for symbol in range(SYMBOLS)]
    wanted = detections_of_heads()
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda market: len(found(market, wanted)), markets):
            pass
    return time.perf_counter() - start


def long_market() -> Market:
    """Bars alone, ``TIMES_LONGER`` times as many."""
    bars = aggregated_bars(null_fine_bars(TIMES_LONGER * HOURS, SEED), "1h")
    if bars is None:
        raise ValueError("a market of many years has hourly bars")
    return Market(bars=bars)


def _by_processor(
    long: Market, short: Market, wanted: Iterable[Detection]
) -> tuple[Timing, Timing]:
    # Processor time: what is asked is whether a bar costs more where there are more of them.
    return timed_pair(
        partial(found, long, wanted), partial(found, short, wanted), clock=time.process_time
    )


def figures() -> dict[str, float]:
    """Seconds, milliseconds and ratios; counts of tables and events."""
    market, long = null_market(HOURS, SEED), long_market()
    short = long.prefix(HOURS)
    wanted, every = detections_of_heads(), every_detection()
    tables = found(market, wanted).values()
    of_long, of_short = _by_processor(long, short, wanted)
    heads = [head() for head in HEADS]
    newest, whole = timed_pair(
        lambda: latest_votes(market, heads), lambda: vote_matrix(market, heads), runs=15
    )
    third = market.prefix(HOURS // 3)
    after_three, after_one = timed_pair(
        lambda: latest_votes(market, heads), lambda: latest_votes(third, heads), runs=15
    )
    return {
        "tables": float(len(tables)),
        "events": float(sum(len(one.table) for one in tables)),
        "changes": float(sum(len(one.table.change_row) for one in tables)),
        "one_symbol_s": timed(lambda: found(market, wanted)).best_s,
        "one_symbol_processor_s": of_short.best_s,
        "every_option_tables": float(len(found(market, every))),
        "every_option_one_symbol_s": timed(lambda: found(market, every)).best_s,
        "ten_times_the_bars_over_ten_times_the_time": of_long.best_s
        / (TIMES_LONGER * of_short.best_s),
        "fifty_symbols_two_threads_s": many_symbols(THREADS),
        "fifty_symbols_one_thread_s": many_symbols(1),
        "nine_heads_one_more_bar_s": newest.best_s,
        "nine_heads_one_more_bar_processor_s": timed(
            lambda: latest_votes(market, heads), runs=15, clock=time.process_time
        ).best_s,
        "nine_heads_one_more_bar_median_s": newest.median_s,
        "all_bars_over_one_more_bar_times": whole.best_s / newest.best_s,
        "one_more_bar_three_years_over_one_times": after_three.best_s / after_one.best_s,
    }


def times_of_tables() -> dict[str, tuple[float, float, int]]:
    """Milliseconds and events of each table, and its time per bar over that of a tenth of the bars."""
    long = long_market()
    short = long.prefix(HOURS)
    times = {}
    for one in every_detection():
        of_long, of_short = _by_processor(long, short, [one])
        there = found(short, [one])
        if one in there:
            given = ",".join(f"{name}={value:g}" for name, value in one.parameters)
            name = f"{one.detector}({given})@{one.clock}"
            growth = of_long.best_s / (TIMES_LONGER * of_short.best_s)
            times[name] = (1e3 * of_short.best_s, growth, len(there[one].table))
    return dict(sorted(times.items(), key=lambda item: -item[1][0]))


def times_of_heads() -> dict[str, tuple[float, float]]:
    """Milliseconds of each head's votes on all bars, and on one more bar."""
    market = null_market(HOURS, SEED)
    times = {}
    for kind in HEADS:
        head = kind()
        newest, whole = timed_pair(
            partial(latest_votes, market, [head]), partial(vote_matrix, market, [head]), runs=9
        )
        times[kind.name] = (1e3 * whole.best_s, 1e3 * newest.best_s)
    return times


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:45} {value:,.4g}")
    for name, (best_ms, growth, events) in times_of_tables().items():
        print(f"{name:90} {best_ms:7.2f} ms, {events:5} events, ten times the bars x{growth:.2f}")
    for name, (batch_ms, newest_ms) in times_of_heads().items():
        print(f"{name:20} {batch_ms:7.1f} ms, one more bar {newest_ms:6.2f} ms")
