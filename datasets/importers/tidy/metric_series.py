"""Daily series in long form, told apart by the name of a metric."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rows import SourceRows
from .layout import TidyLayout
from .series import TidyFile, TidySeries, noting_vendor, taken_periods

_STEP: Final = "1d"


@dataclass(frozen=True, slots=True)
class _Metric:
    """Where a metric goes. ``unit`` None is one that the source does not state."""

    kind: str
    market: str
    unit: str | None
    symbol: str | None = None
    column: str = "value"
    has_sessions: bool = False


def _chain(unit: str | None) -> _Metric:
    return _Metric("onchain", "network", unit)


def _coins(unit: str | None, *, has_sessions: bool = False) -> _Metric:
    return _Metric("onchain", "coins", unit, has_sessions=has_sessions)


def _social(unit: str) -> _Metric:
    return _Metric("social", "social", unit)


def _fund(symbol: str) -> _Metric:
    return _Metric("etf", "etf", "USD per share", symbol, "price", has_sessions=True)


METRICS: Final[Mapping[str, _Metric]] = {
    "btc_exchange_reserves": _Metric("exchange_reserves", "exchanges", "BTC", "BTC", "reserve"),
    "btc_exchange_stablecoin_ratio": _chain("ratio"),
    "btc_exchange_inflow_cdd": _chain("coin days"),
    "btc_fund_reserves": _chain("BTC"),
    "btc_miner_reserves": _chain("BTC"),
    "btc_miner_position_index": _chain("index"),
    "btc_mvrv_ratio": _chain("ratio"),
    "btc_sopr_ratio": _chain("ratio"),
    "btc_net_unrealized_profit_loss": _chain("fraction"),
    "btc_hashrate": _chain("hashes per second, prefix not stated"),
    "btc_open_interest": _coins("USD"),
    "btc_funding_fee": _coins(None),
    "btc_dominance": _coins("percent"),
    "btc_price": _coins("USD"),
    "btc_socialdominance": _social("percent"),
    "btc_contributorsactive": _social("count"),
    "btc_contributorscreated": _social("count"),
    "btc_postscreated": _social("count"),
    "btc_newaddresses": _chain("count"),
    "btc_txcount": _chain("count"),
    "btc_largetxcount": _chain("count"),
    "usdt_dominance": _coins("percent"),
    "total3": _coins("USD"),
    "basis_spread_btc": _coins("USD"),
    "usdtusd_pm": _coins("USD per USDT", has_sessions=True),
    "gbtc": _fund("GBTC"),
    "ibit": _fund("IBIT"),
}
"""Every metric that is known, and what becomes of it."""


def _read(tidy: TidyFile) -> Iterator[SourceRows]:
    time = "date" if "date" in tidy.table.column_names else "time"
    wanted = None
    for one in tidy.split(("metric",)):
        metric = tidy.looked_up("metric", one.names[0], METRICS, one.places)
        symbol = metric.symbol or one.names[0]
        if tidy.request.symbol in (None, symbol) and tidy.request.kind in (None, metric.kind):
            wanted = one
            yield _series(tidy, one, metric, symbol, time)
    if wanted is None:
        tidy.split(("metric",), (tidy.request.symbol or tidy.request.kind,))


def _series(tidy: TidyFile, one: TidySeries, metric: _Metric, symbol: str, time: str) -> SourceRows:
    key = tidy.key(metric.kind, tidy.vendor(), metric.market, symbol, _STEP)
    columns = {"event_time": one.table[time], metric.column: one.table["value"]}
    defect, reason = (
        ("no_session", "no session on that day, no value")
        if metric.has_sessions
        else ("missing_value", "the source has no value")
    )
    rows = tidy.rows(key, columns, one.places)
    rows = taken_periods(rows.without(np.isnan(tidy.floats(one, "value")), defect, reason))
    if metric.unit is None:
        rows = rows.noting("unstated_unit", f"the unit of {one.names[0]} is not stated")
    return noting_vendor(rows)


_HOLDS: Final = (
    "One data set per metric, named like it; metrics that are not known refuse the file. Venue "
    "unstated unless --venue names the vendor. Rows without a value are dropped."
)
LAYOUTS: Final = (
    TidyLayout(
        name="onchain_series",
        title="Daily series of the chain, of exchanges and of the market",
        kinds=("exchange_reserves", "onchain", "social", "etf"),
        required=("metric", "date", "value"),
        read=_read,
        holds=(
            f"{_HOLDS} btc_exchange_reserves becomes exchange_reserves of BTC in the market "
            "exchanges (all together); the rest is onchain, market network for what the chain "
            "counts and coins for prices, shares and derivatives of the market."
        ),
    ),
    TidyLayout(
        name="social_series",
        title="Daily social and market series",
        kinds=("social", "onchain", "etf", "exchange_reserves"),
        required=("metric", "time", "value"),
        read=_read,
        holds=(
            f"{_HOLDS} Posts and contributors are social, gbtc and ibit etf (a price without NAV "
            "or flow), the rest onchain as in onchain_series."
        ),
    ),
)
