"""Features of the four measured heads on three years of hourly bars with every slow series.

``python -m benchmarks.features`` prints the figures and what each indicator takes. Markets are null
markets: hourly bars, every slow series and both panels of coins. ``dense`` has the metrics of the
exchange in steps of five minutes, as its archive has them.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from engine import HOUR_NS, MINUTE_NS, Market, Series
from experiments.checks.markets import null_market
from indicators import INDICATORS_BY_NAME, Feature, build_features, clock_of, latest_features
from strategies import HEADS_BY_NAME, Head, latest_votes, vote_matrix

from .peers.memory import peak_memory
from .timing import timed, timed_pair

HOURS = 26_280
SYMBOLS = 50
THREADS = 2
MEASURED = ("technical", "sentiment", "volume", "crypto_metrics")
SEED = 7


def measured_heads() -> list[Head]:
    """The four heads that vote on measured quantities, at their defaults."""
    return [HEADS_BY_NAME[name]() for name in MEASURED]


def features_of(heads: list[Head]) -> tuple[Feature, ...]:
    """Every feature that one of ``heads`` asks for, once."""
    return tuple(dict.fromkeys(one for head in heads for one in head.features().values()))


def every_feature() -> tuple[Feature, ...]:
    """Those of every preset and option of the four heads as well."""
    heads = measured_heads()
    for name in MEASURED:
        kind = HEADS_BY_NAME[name]
        heads += [kind(**variant) for variant in kind.VARIANTS]
    return features_of(heads)


def dense_market(market: Market) -> Market:
    """``market`` with its metrics in steps of five minutes."""
    hourly = market.series["metrics"]
    event_time = np.arange(
        hourly.event_time[0], hourly.event_time[-1], 5 * MINUTE_NS, dtype=np.int64
    )
    columns = {
        name: np.interp(event_time, hourly.event_time, column)
        for name, column in hourly.columns.items()
    }
    metrics = Series(
        name="metrics",
        max_age_ns=6 * HOUR_NS,
        event_time=event_time,
        available_at=event_time + 5 * MINUTE_NS,
        columns=columns,
    )
    return replace(market, series={**market.series, "metrics": metrics})


def build(market: Market, features: tuple[Feature, ...]) -> None:
    """Compute and drop ``features`` of one market."""
    build_features(market, features, indicators=INDICATORS_BY_NAME)


def many_symbols(threads: int) -> float:
    """Seconds for every feature of all symbols, each matrix dropped when it is made."""
    markets = [null_market(HOURS, SEED + symbol) for symbol in range(SYMBOLS)]
    features = every_feature()
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda market: build(market, features), markets))
    return time.perf_counter() - start


def _one_symbol() -> None:
    build(null_market(HOURS, SEED), every_feature())


def _all_symbols() -> None:
    many_symbols(THREADS)


def _short() -> None:
    build(null_market(2_000, SEED), every_feature())


def _peak_mb(work: Callable[[], None]) -> float:
    used = peak_memory(work, _short)
    return used.peak_mb - used.before_mb


def figures() -> dict[str, float]:
    """Seconds, ratios, and peak memory beyond what libraries and kernels take."""
    market = null_market(HOURS, SEED)
    short, dense = market.prefix(HOURS // 3), dense_market(market)
    heads = measured_heads()
    features, every = features_of(heads), every_feature()
    newest, whole = timed_pair(
        lambda: latest_votes(market, heads), lambda: vote_matrix(market, heads), runs=9
    )
    of_short, of_long = timed_pair(
        lambda: latest_votes(short, heads), lambda: latest_votes(market, heads), runs=15
    )
    return {
        "count": float(len(features)),
        "one_symbol_s": timed(lambda: build(market, features)).best_s,
        "one_symbol_dense_s": timed(lambda: build(dense, features)).best_s,
        "every_preset_count": float(len(every)),
        "every_preset_one_symbol_s": timed(lambda: build(market, every)).best_s,
        "fifty_symbols_every_preset_two_threads_s": many_symbols(THREADS),
        "fifty_symbols_every_preset_one_thread_s": many_symbols(1),
        "one_more_bar_s": newest.best_s,
        "one_more_bar_median_s": newest.median_s,
        "one_more_bar_dense_s": timed(lambda: latest_votes(dense, heads)).best_s,
        "all_bars_over_one_more_bar_times": whole.best_s / newest.best_s,
        "one_more_bar_three_years_over_one_times": of_long.best_s / of_short.best_s,
        "one_symbol_peak_mb": _peak_mb(_one_symbol),
        "fifty_symbols_peak_mb": _peak_mb(_all_symbols),
    }


def times_of_indicators() -> dict[str, tuple[float, float]]:
    """Milliseconds of each computation on all rows of its clock, and for one more bar, slowest first."""
    market = null_market(HOURS, SEED)
    found = {}
    for feature in every_feature():
        indicator = INDICATORS_BY_NAME[feature.indicator]
        clock = clock_of(market, feature.clock)
        stating = None if clock is None else clock.stating(indicator.inputs)
        if stating is None:
            continue
        parameters = indicator.resolved(dict(feature.parameters))
        given = ",".join(f"{name}={value:g}" for name, value in feature.parameters)
        inputs = {name: stating.columns[name] for name in indicator.inputs}
        batch = timed(
            lambda indicator=indicator, inputs=inputs, parameters=parameters: indicator.compute(
                inputs, parameters
            ),
            runs=3,
        )
        newest = timed(
            lambda feature=feature: latest_features(
                market, [feature], indicators=INDICATORS_BY_NAME
            ),
            runs=3,
        )
        key = f"{indicator.name}({given})@{feature.clock}"
        found[key] = (1e3 * batch.best_s, 1e3 * newest.best_s)
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:45} {value:,.4g}")
    for name, (batch_ms, newest_ms) in times_of_indicators().items():
        print(f"{name:60} {batch_ms:8.2f} ms, one more bar {newest_ms:6.2f} ms")
