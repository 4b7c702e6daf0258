"""Volume delta, bought less sold by takers, from the best source that there is (SPEC H3.1, H9.1).

========  ===============  ==========================================================================
code      source           delta of a bar
========  ===============  ==========================================================================
1         trades           ``2 B - V`` of the trades under the bar (series ``trade_flow``)
2         taker columns    ``2 taker_buy_volume - V``
3         close location   ``V (2 clv - 1)``, clv = (c - l) / (h - l), 0.5 for a bar without range
========  ===============  ==========================================================================

The fourth way, the colour ``V sign(c - o)``, is never the best: a bar states its range whenever it states
its close. It is the indicator ``colour_delta``.

What is computed from the deltas of several bars is computed from one source: on row *t* it is the best
one that states every row which the numbers of row *t* can follow from, and the deltas and the volumes
of all these rows are its own. So a series of trades that begins half way, or has holes, speaks from the
row on where a whole window is made of trades, and no difference is taken between two sources. Each
indicator says its source in the output ``source``. A bar without volume that a source does not state has
delta 0 whatever the source, and so stands in no source's way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Int1D, kernel

from .rolling import rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volume import close_location_flow, delta_ratio

TRADES, TAKER_COLUMNS, CLOSE_LOCATION = 1, 2, 3
CLOCK: Final = "bars+trade_flow?"
MAY_LACK: Final = ("taker_buy_volume", "trade_flow.volume", "trade_flow.taker_buy_volume")
INPUTS: Final = ("high", "low", "close", "volume", *MAY_LACK)
BEST_SOURCE: Final = Parameter("best_source", TRADES, TRADES, CLOSE_LOCATION)
"""The best source that is used: 2 ignores trades, 3 estimates from the place of the close."""
SOURCE: Final = Output(
    "source",
    "state",
    "code",
    "what the row is made of: 1 trades, 2 taker columns, 3 close location",
    high=float(CLOSE_LOCATION),
)


@dataclass(frozen=True, slots=True)
class _Flow:
    """Delta and volume of each bar by one source, 0 where it does not state them, ``(T,)``."""

    delta: Float1D
    volume: Float1D
    stated: Bool1D


@kernel(nogil=True)
def _covered_kernel(stated: Bool1D, quiet: Bool1D, since: Int1D) -> Bool1D:
    """Whether the rows from ``since[t]`` to *t* are ``stated`` or ``quiet``, and one is stated."""
    out = np.zeros(len(stated), dtype=np.bool_)
    lacking, newest = -1, -1
    for t in range(len(stated)):
        if stated[t]:
            newest = t
        elif not quiet[t]:
            lacking = t
        out[t] = lacking < since[t] <= newest
    return out


def _measured(bought: Float1D, traded: Float1D) -> _Flow:
    stated = ~(np.isnan(bought) | np.isnan(traded))
    delta = np.where(stated, 2.0 * bought - traded, 0.0)
    return _Flow(delta, np.where(stated, traded, 0.0), stated)


def _flow_of(code: int, columns: Columns) -> _Flow:
    volume = columns["volume"]
    if code == TRADES:
        return _measured(columns["trade_flow.taker_buy_volume"], columns["trade_flow.volume"])
    if code == TAKER_COLUMNS:
        return _measured(columns["taker_buy_volume"], volume)
    delta = close_location_flow(columns["high"], columns["low"], columns["close"], volume)
    return _Flow(delta, volume, np.ones(len(volume), dtype=np.bool_))


def last_rows(count: int, length: int) -> Int1D:
    """First row of the window of ``length`` rows that ends on each of ``count`` rows."""
    return np.maximum(np.arange(count, dtype=np.int64) - (length - 1), 0)


def of_one_source(
    columns: Columns,
    best_source: float,
    since: Int1D,
    compute: Callable[[Float1D, Float1D], tuple[Float1D, ...]],
) -> tuple[Float1D, ...]:
    """``compute(delta, volume)`` by the best source of each row, and the code of that source.

    ``columns`` needs ``INPUTS``, NaN in ``MAY_LACK`` where nothing is stated. Row *t* of what is computed
    follows from no row before ``since[t]`` (int64 ``(T,)``); the source is the best, from
    ``best_source`` on, that states all of these rows. Every array ``(T,)``, known at close *t*.
    """
    source, quiet = np.zeros(len(since)), columns["volume"] == 0
    outputs: tuple[Float1D, ...] = ()
    for code in range(int(best_source), CLOSE_LOCATION + 1):
        flow = _flow_of(code, columns)
        rows = (source == 0) & _covered_kernel(flow.stated, quiet, since)
        if len(rows) and not rows.any():
            continue
        made = compute(flow.delta, flow.volume)
        outputs = (
            tuple(np.where(rows, new, old) for new, old in zip(made, outputs, strict=True))
            if outputs
            else made
        )
        source[rows] = code
        if (source > 0).all():
            break
    return *outputs, source


def _summed(delta: Float1D, volume: Float1D, length: int) -> tuple[Float1D, ...]:
    ratio = delta_ratio(delta, volume, length)
    return rolling_sum(delta, length), ratio, np.clip(200.0 * ratio - 50.0, 0.0, 100.0)


def _volume_delta(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    since = last_rows(len(columns["volume"]), length)
    return of_one_source(
        columns,
        parameters["best_source"],
        since,
        lambda delta, volume: _summed(delta, volume, length),
    )


def _close_location_delta(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    flow = _flow_of(CLOSE_LOCATION, columns)
    return _summed(flow.delta, flow.volume, int(parameters["length"]))


def _colour_delta(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    colour = np.sign(columns["close"] - columns["open"])
    volume = columns["volume"]
    return _summed(volume * colour, volume, int(parameters["length"]))


def _outputs(how: str) -> tuple[Output, ...]:
    return (
        Output("delta", "value", "base units", f"bought less sold over length rows, {how}"),
        Output("ratio", "value", "share", "share of buying, 0.5 without volume", 0.0, 1.0),
        Output("score", "value", "0 to 100", "50 + 200 (ratio - 0.5), clipped", 0.0, 100.0),
    )


def _window_lookback(parameters: Parameters) -> int:
    return int(parameters["length"]) - 1


_LENGTH: Final = Parameter("length", 20, 1, 100)

VOLUME_DELTA = Indicator(
    name="volume_delta",
    text="Volume delta over a window, from trades, the taker columns or the place of the close.",
    inputs=INPUTS,
    parameters=(_LENGTH, BEST_SOURCE),
    outputs=(*_outputs("by the best source"), SOURCE),
    compute=_volume_delta,
    lookback=_window_lookback,
    stable=_window_lookback,
    only_clock=CLOCK,
    may_lack=MAY_LACK,
)

CLOSE_LOCATION_DELTA = Indicator(
    name="close_location_delta",
    text="Volume delta estimated from the place of the close in the bar's range.",
    inputs=("high", "low", "close", "volume"),
    parameters=(_LENGTH,),
    outputs=_outputs("from the close location"),
    compute=_close_location_delta,
    lookback=_window_lookback,
    stable=_window_lookback,
)

COLOUR_DELTA = Indicator(
    name="colour_delta",
    text="Volume delta estimated from the colour of the bar; 0 for a bar without a body.",
    inputs=("open", "close", "volume"),
    parameters=(_LENGTH,),
    outputs=_outputs("from the colour"),
    compute=_colour_delta,
    lookback=_window_lookback,
    stable=_window_lookback,
)

INDICATORS = (VOLUME_DELTA, CLOSE_LOCATION_DELTA, COLOUR_DELTA)
