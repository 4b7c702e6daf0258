"""A simulated market: several symbols, spot and perpetual, with the slow series around them.

Everything is made from one seed, in one-minute steps, and shaped after the moments of real files
(``docs/simulated-market.md``). In mode ``null`` nothing predicts the price; in mode ``planted`` one
stated column announces a drift of a stated size. The perpetual is the reference price: its expected
next price is its price, exactly. Spot is the perpetual without its premium.

>>> spec = SimulationSpec(symbols=("BTCSIM",), days=2, seed=1)
>>> market = simulate(spec)
>>> len(market.markets["BTCSIM"].bars)
48
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa

from engine import FLOW_COLUMNS, PRICE_COLUMNS, Bars, Float1D, Int1D, Market, Series

from .keys import SIMULATED_VENUE, DatasetKey
from .simulation.parameters import FUNDING_HOURS, MODEL_VERSION
from .simulation.planted import PLANTED_COLUMNS, PlantedColumn
from .simulation.spec import SimulationSpec
from .simulation.symbol import common_market, symbol_market
from .store import Store, Write

SPOT: Final = "spot"
PERP: Final = "um_perp"
SERIES_STEPS: Final = MappingProxyType(
    {
        "funding": f"{FUNDING_HOURS}h",
        "metrics": "1h",
        "mark_price": "1h",
        "index_price": "1h",
        "premium_index": "1h",
        "fear_greed": "1d",
        "exchange_reserves": "1d",
        "tvl": "1d",
        "implied_volatility": "1d",
    }
)
"""Step of each simulated series."""

__all__ = [
    "PERP",
    "PLANTED_COLUMNS",
    "SERIES_STEPS",
    "SIMULATED_VENUE",
    "SPOT",
    "PlantedColumn",
    "SimulatedMarket",
    "SimulationSpec",
    "simulate",
    "write_simulated",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMarket:
    """What :func:`simulate` returns, each mapping by symbol.

    ``markets`` hold spot bars and every slow series; ``perp_bars`` are the bars of the perpetual on
    the same grid; ``funding_mark`` is the mark price at each row of the funding series.
    ``minute_bars`` and ``perp_minute_bars`` are empty unless the spec keeps them. ``regime`` is the
    true volatility regime of every hour (0 calm, 1 normal, 2 turbulent), ``drift_bps`` the planted
    drift of every hour in basis points: neither is known to anyone in the market.
    """

    spec: SimulationSpec
    markets: Mapping[str, Market]
    perp_bars: Mapping[str, Bars]
    funding_mark: Mapping[str, Float1D]
    regime: Int1D
    drift_bps: Mapping[str, Float1D]
    minute_bars: Mapping[str, Bars] = field(default_factory=dict)
    perp_minute_bars: Mapping[str, Bars] = field(default_factory=dict)


def simulate(spec: SimulationSpec) -> SimulatedMarket:
    """The market that ``spec`` describes; the same spec gives the same bytes.

    More days leave the earlier ones as they were, and a symbol is the same whatever stands beside
    it.
    """
    common = common_market(spec)
    markets, perp_bars, funding_mark, drift_bps, minutes, perp_minutes = {}, {}, {}, {}, {}, {}
    for symbol in spec.symbols:
        one = symbol_market(spec, symbol, common)
        markets[symbol] = Market(bars=one.spot_bars, series=one.series)
        perp_bars[symbol] = one.perp_bars
        funding_mark[symbol] = one.funding_mark
        drift_bps[symbol] = 1e4 * one.drift
        if one.spot_minutes is not None and one.perp_minutes is not None:
            minutes[symbol], perp_minutes[symbol] = one.spot_minutes, one.perp_minutes
    return SimulatedMarket(
        spec=spec,
        markets=MappingProxyType(markets),
        perp_bars=MappingProxyType(perp_bars),
        funding_mark=MappingProxyType(funding_mark),
        regime=common.regime,
        drift_bps=MappingProxyType(drift_bps),
        minute_bars=MappingProxyType(minutes),
        perp_minute_bars=MappingProxyType(perp_minutes),
    )


def write_simulated(store: Store, spec: SimulationSpec) -> tuple[DatasetKey, ...]:
    """Simulate and store everything under venue ``simulated``; the keys that were written.

    Spot bars go to market ``spot``, the bars of the perpetual and every series to ``um_perp``, all
    with the source ``spec.source``; with ``keep_minutes`` the one-minute bars too. Missing bars are
    left out, as an exchange leaves them out. Writing the same spec again changes nothing.
    """
    writes = tuple(_writes(simulate(spec)))
    store.write_all(writes)
    return tuple(write.key for write in writes)


def _writes(market: SimulatedMarket) -> Iterator[Write]:
    spec = market.spec
    provenance = {"format": "simulated", "model": MODEL_VERSION, **asdict(spec)}
    provenance["symbols"] = list(spec.symbols)
    for symbol, one in market.markets.items():
        for name, bars in (
            (SPOT, one.bars),
            (PERP, market.perp_bars[symbol]),
            *((SPOT, bars) for bars in _of(market.minute_bars, symbol, spec.timeframe)),
            *((PERP, bars) for bars in _of(market.perp_minute_bars, symbol, spec.timeframe)),
        ):
            key = DatasetKey("ohlcv", SIMULATED_VENUE, name, symbol, bars.timeframe, spec.source)
            yield Write(key, _bars_table(bars), provenance)
        for kind, series in one.series.items():
            if len(series.event_time) == 0:
                continue
            extra = {"mark_price": market.funding_mark[symbol]} if kind == "funding" else {}
            key = DatasetKey(kind, SIMULATED_VENUE, PERP, symbol, SERIES_STEPS[kind], spec.source)
            yield Write(key, _series_table(series, extra), provenance)


def _of(minutes: Mapping[str, Bars], symbol: str, timeframe: str) -> tuple[Bars, ...]:
    return (minutes[symbol],) if symbol in minutes and timeframe != "1m" else ()


def _bars_table(bars: Bars) -> pa.Table:
    keep = ~bars.is_gap
    columns = bars.columns()
    names = (*PRICE_COLUMNS, "volume", *FLOW_COLUMNS)
    return pa.table(
        {
            "open_time": bars.open_time[keep],
            **{name: columns[name][keep] for name in names if name != "trades"},
            "trades": columns["trades"][keep].astype(np.int64),
        }
    )


def _series_table(series: Series, extra: Mapping[str, Float1D]) -> pa.Table:
    return pa.table({"event_time": series.event_time, **series.columns, **extra})
