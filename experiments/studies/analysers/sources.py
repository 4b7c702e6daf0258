"""From the files of the data folder to the markets that the subjects are read on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from datasets import Instrument, Store, import_files, load_bars, load_series
from engine import DAY_NS, HOUR_NS, Bars, DataError, Float1D, Int1D, Market, Series

from ...config import RunConfig
from ...market_data import signal_markets

MARKET_OF: Final[Mapping[str, str]] = MappingProxyType(
    {"derivatives/okx_sol_long_short_ratio_1h_vintages.parquet": "linear_perp"}
)
"""The market of files that do not say it themselves."""
_SHOWN_NS: Final = 3 * DAY_NS


def import_all(store: Store, data: Path, files: Sequence[str]) -> None:
    """Import ``files`` of the folder ``data``, each with what it does not say itself."""
    for name in dict.fromkeys(files):
        import_files(store, [data / name], market=MARKET_OF.get(name))


def configured(
    signals: str,
    *series_from: str,
    timeframe: str = "1h",
    universe: Mapping[str, Any] | None = None,
    **further: str,
) -> Callable[[Store], Market]:
    """The market as a run loads it; instruments are written ``venue/market/symbol[/source]``.

    ``further`` are keys of the pair that name one instrument each, such as ``dated_futures``.
    """

    def load(store: Store) -> Market:
        data = {
            "timeframe": timeframe,
            "instruments": [
                {
                    "signals": _instrument(signals),
                    "series_from": [*map(_instrument, series_from)],
                    **{key: _instrument(text) for key, text in further.items()},
                }
            ],
            "universe": universe,
        }
        config = RunConfig.model_validate({"data": data})
        return next(signal_markets(config, config.instruments, store))

    return load


def _instrument(text: str) -> dict[str, str]:
    return dict(zip(("venue", "market", "symbol", "source"), text.split("/"), strict=False))


def with_perpetual_premium(store: Store) -> Market:
    """Hours of Binance's BTCUSDT on spot, and the premium of the perpetual's last trade over them.

    No file has the venue's premium index; the last trades of the hour on both markets stand in.
    """
    spot, perpetual = (
        load_bars(store, Instrument("binance", market, "BTCUSDT", "spot_and_perp"), "1h")
        for market in ("spot", "um_perp")
    )
    open_time, mine, its = _common(spot, perpetual)
    premium = perpetual.close[its] / spot.close[mine] - 1.0
    return Market(
        bars=spot,
        series={"premium_index": _bar_series("premium_index", open_time, HOUR_NS, close=premium)},
    )


def with_half_taken(market: Callable[[Store], Market]) -> Callable[[Store], Market]:
    """The same market with takers on each side of half of the volume: the bars do not state them."""

    def load(store: Store) -> Market:
        given = market(store)
        if given.bars.taker_buy_volume is not None:
            raise DataError(f"the bars of {given.bars.symbol} state what takers bought; read that")
        bars = replace(given.bars, taker_buy_volume=0.5 * given.bars.volume)
        return replace(given, bars=bars)

    return load


def with_accounts(store: Store) -> Market:
    """Hours without a price around OKX's account ratio of SOL, each row known an hour after its event.

    No file has bars of that fortnight, and the file states when rows were captured, which for nearly all
    of them is the last day.
    """
    ratios = load_series(
        store, Instrument("okx", "linear_perp", "SOL", "long_short_vintages"), "metrics"
    )
    if ratios is None:
        raise DataError("the store has no account ratio of SOL at OKX; import its file first")
    ratios = replace(ratios, available_at=ratios.event_time + HOUR_NS)
    first, last = int(ratios.event_time[0]), int(ratios.available_at[-1])
    open_time = np.arange(first - first % HOUR_NS, last + HOUR_NS, HOUR_NS, dtype=np.int64)
    flat = np.ones(len(open_time))
    bars = Bars(
        symbol="SOL",
        timeframe="1h",
        open_time=open_time,
        open=flat,
        high=flat,
        low=flat,
        close=flat,
        volume=0.0 * flat,
        is_gap=np.zeros(len(open_time), dtype=np.bool_),
    )
    return Market(bars=bars, series={"metrics": ratios})


def _common(first: Bars, second: Bars) -> tuple[Int1D, Int1D, Int1D]:
    """Open times that both have a bar at, and their rows."""
    open_time, mine, its = np.intersect1d(first.open_time, second.open_time, return_indices=True)
    both = ~first.is_gap[mine] & ~second.is_gap[its]
    return open_time[both], mine[both], its[both]


def _bar_series(name: str, open_time: Int1D, step_ns: int, **columns: Float1D) -> Series:
    """Closes as a slow series, each known when its bar has ended."""
    return Series(
        name=name,
        max_age_ns=_SHOWN_NS,
        event_time=open_time,
        available_at=open_time + step_ns,
        columns=columns,
    )
