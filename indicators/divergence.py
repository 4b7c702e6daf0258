"""Divergence of any measure from price at confirmed pivots of the close.

Row j is a pivot high when its close is above the ``left`` closes before it and not below the
``right`` closes after it; lows mirrored. It is known at the close of ``j + right``, and there the
pair (i, j) is judged, i being the pivot of the same type before it:

========  =======  ==============  ============
kind      pivots   price           measure
========  =======  ==============  ============
regular   lows     lower low       higher low    1
regular   highs    higher high     lower high   -1
hidden    lows     higher low      lower low     1
hidden    highs    lower high      higher high  -1
========  =======  ==============  ============

provided that i and j are ``nearest`` to ``furthest`` rows apart, the prices differ by at least
``separation`` ATR and the measure by ``separation`` deviations of its one-row change. Pivots are
forgotten, and none may reach across, more than three missing bars in a row. With ``at_wicks`` pivots are
those of highs and lows; with ``reach`` the measure's extreme that many rows around a pivot counts.

A line that accumulates for ever (OBV, ADL) enters as its flow: what it gained between the two pivots
is the sum of the flow between them, whatever it was when the series began.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine import Float1D

from ._divergence_pairs import active_kernel, divergences
from .momentum import relative_strength_index
from .moving_average import exponential_stable_rows
from .pivot import MAX_GAP_RUN
from .rolling import rolling_std, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .trend import moving_average_convergence
from .volatility import average_true_range, wilder_stable_rows
from .volume import close_location_flow, delta_ratio, signed_volume
from .volume_delta import (
    BEST_SOURCE,
    CLOCK,
    INPUTS,
    MAY_LACK,
    SOURCE,
    last_rows,
    of_one_source,
)

_ATR_LENGTH: Final = 14
_TIGHT: Final = 1e-9
"""Share of its seed that a recursive measure may remember when pivots are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Something whose turns are compared with those of price.

    ``values(columns, parameters)`` is ``(T,)``, known from row ``lookback`` on and forgetful of the
    start of the series after ``stable`` rows; of a line that ``accumulates`` it is the flow.
    """

    name: str
    label: str
    inputs: tuple[str, ...]
    values: Callable[[Columns, Parameters], Float1D]
    lookback: Callable[[Parameters], int]
    stable: Callable[[Parameters], int]
    parameters: tuple[Parameter, ...] = ()
    accumulates: bool = False


def _cvd(columns: Columns, parameters: Parameters) -> Float1D:
    return rolling_sum(columns["delta"], int(parameters["cvd_length"]))


def _on_balance_flow(columns: Columns, parameters: Parameters) -> Float1D:
    return signed_volume(columns["close"], columns["volume"])


def _location_flow(columns: Columns, parameters: Parameters) -> Float1D:
    return close_location_flow(columns["high"], columns["low"], columns["close"], columns["volume"])


def _money_flow(columns: Columns, parameters: Parameters) -> Float1D:
    flow = _location_flow(columns, parameters)
    return 2.0 * delta_ratio(flow, columns["volume"], int(parameters["length"])) - 1.0


def _rsi(columns: Columns, parameters: Parameters) -> Float1D:
    return relative_strength_index(columns["close"], int(parameters["length"]))


def _macd_histogram(columns: Columns, parameters: Parameters) -> Float1D:
    lengths = (int(parameters[name]) for name in ("fast", "slow", "signal"))
    return moving_average_convergence(columns["close"], *lengths)[2]


def _no_rows(parameters: Parameters) -> int:
    return 0


CVD = Measure(
    name="cvd",
    label="windowed CVD",
    inputs=INPUTS,
    parameters=(Parameter("cvd_length", 24, 5, 500), BEST_SOURCE),
    values=_cvd,
    lookback=lambda parameters: int(parameters["cvd_length"]) - 1,
    stable=lambda parameters: int(parameters["cvd_length"]) - 1,
)
OBV = Measure(
    name="obv",
    label="on-balance volume",
    inputs=("close", "volume"),
    values=_on_balance_flow,
    lookback=_no_rows,
    stable=lambda parameters: 1,
    accumulates=True,
)
ADL = Measure(
    name="adl",
    label="the accumulation and distribution line",
    inputs=("high", "low", "close", "volume"),
    values=_location_flow,
    lookback=_no_rows,
    stable=_no_rows,
    accumulates=True,
)
CMF = Measure(
    name="cmf",
    label="Chaikin money flow",
    inputs=("high", "low", "close", "volume"),
    parameters=(Parameter("length", 20, 2, 200),),
    values=_money_flow,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)
RSI = Measure(
    name="rsi",
    label="RSI",
    inputs=("close",),
    parameters=(Parameter("length", 14, 2, 100),),
    values=_rsi,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"]), 1, _TIGHT),
)
MACD = Measure(
    name="macd",
    label="the MACD histogram",
    inputs=("close",),
    parameters=(
        Parameter("fast", 12, 2, 25),
        Parameter("slow", 26, 26, 100),
        Parameter("signal", 9, 2, 50),
    ),
    values=_macd_histogram,
    lookback=lambda parameters: int(parameters["slow"] + parameters["signal"]) - 2,
    stable=lambda parameters: exponential_stable_rows(
        int(max(parameters["slow"], parameters["signal"])), 2, _TIGHT
    ),
)
BALANCED: Final = (OBV, ADL, CMF, RSI, MACD)
"""Measures of ``divergence_balance``: those that every bar can state."""

_PAIR: Final = (
    Parameter("left", 5, 2, 12),
    Parameter("right", 5, 2, 12),
    Parameter("nearest", 5, 2, 20),
    Parameter("furthest", 60, 20, 200),
    Parameter("separation", 0.25, 0.0, 1.0, integer=False),
    Parameter("deviation_length", 100, 20, 500),
    Parameter("reach", 0, 0, 2),
    Parameter("at_wicks", 0, 0, 1),
)


def _events(
    measure: Measure, columns: Columns, parameters: Parameters, warm_up: int
) -> tuple[Float1D, Float1D, Float1D]:
    values = measure.values(columns, parameters)
    change = values
    if not measure.accumulates:
        change = np.full(len(values), np.nan)
        change[1:] = values[1:] - values[:-1]
    wicks = parameters["at_wicks"] != 0
    regular, hidden, strength = divergences(
        columns["high" if wicks else "close"],
        values,
        average_true_range(columns["high"], columns["low"], columns["close"], _ATR_LENGTH),
        rolling_std(change, int(parameters["deviation_length"])),
        columns["is_gap"],
        price_of_lows=columns["low" if wicks else "close"],
        left=int(parameters["left"]),
        right=int(parameters["right"]),
        nearest=int(parameters["nearest"]),
        furthest=int(parameters["furthest"]),
        separation=parameters["separation"],
        reach=int(parameters["reach"]),
        accumulates=measure.accumulates,
    )
    regular[:warm_up], hidden[:warm_up], strength[:warm_up] = 0.0, 0.0, 0.0
    return regular, hidden, strength


def _lookback(measure: Measure, parameters: Parameters) -> int:
    first_change = 0 if measure.accumulates else 1
    known = measure.lookback(parameters) + first_change + int(parameters["deviation_length"]) - 1
    return max(known, _ATR_LENGTH)


def _stable(measure: Measure, parameters: Parameters) -> int:
    pair = int(parameters["right"] + parameters["furthest"] + parameters["left"])
    settled = max(
        measure.stable(parameters) + int(parameters["deviation_length"]),
        3 * wilder_stable_rows(_ATR_LENGTH) // 2,
    )
    return settled + pair + MAX_GAP_RUN + 1


def _divergence(measure: Measure) -> Indicator:
    def compute(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
        warm_up = _lookback(measure, parameters)
        regular, hidden, strength = _events(measure, columns, parameters, warm_up)
        strength[:warm_up] = np.nan
        return regular, hidden, strength

    return Indicator(
        name=f"{measure.name}_divergence",
        text=(
            f"Divergence of {measure.label} and price at confirmed pivots, four kinds, newest pair "
            "only."
        ),
        inputs=tuple(dict.fromkeys(("high", "low", "close", *measure.inputs, "is_gap"))),
        parameters=(*_PAIR, *measure.parameters),
        outputs=(
            Output(
                "regular",
                "signal",
                "",
                f"1 lower low in price, higher low in {measure.label}; -1 mirrored at highs",
                firing_rate=(0.003, 0.05),
            ),
            Output(
                "hidden",
                "signal",
                "",
                f"1 higher low in price, lower low in {measure.label}; -1 mirrored at highs",
                firing_rate=(0.003, 0.05),
            ),
            Output("strength", "value", "fraction", "of the row's event, 0 without one", 0.0, 1.0),
        ),
        compute=compute,
        lookback=lambda parameters: _lookback(measure, parameters),
        stable=lambda parameters: _stable(measure, parameters),
    )


def _from_one_source(divergence: Indicator, measure: Measure) -> Indicator:
    """``divergence`` of a measure of ``delta``, by the best source of each row."""

    def rows_read(parameters: Parameters) -> int:
        pair = int(parameters["right"] + parameters["furthest"] + parameters["left"])
        return measure.stable(parameters) + int(parameters["deviation_length"]) + pair + 1

    def compute(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
        return of_one_source(
            columns,
            parameters["best_source"],
            last_rows(len(columns["close"]), rows_read(parameters)),
            lambda delta, _: divergence.compute({**columns, "delta": delta}, parameters),
        )

    return replace(
        divergence,
        outputs=(*divergence.outputs, SOURCE),
        compute=compute,
        only_clock=CLOCK,
        may_lack=MAY_LACK,
    )


CVD_DIVERGENCE = _from_one_source(_divergence(CVD), CVD)
OBV_DIVERGENCE, ADL_DIVERGENCE, CMF_DIVERGENCE, RSI_DIVERGENCE, MACD_DIVERGENCE = (
    _divergence(measure) for measure in (OBV, ADL, CMF, RSI, MACD)
)


def _defaults(measure: Measure, parameters: Parameters) -> Parameters:
    return {**parameters, **{one.name: one.default for one in measure.parameters}}


def _balance_lookback(parameters: Parameters) -> int:
    return max(_lookback(one, _defaults(one, parameters)) for one in BALANCED)


def _divergence_balance(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    warm_up = _balance_lookback(parameters)
    balance = np.zeros(len(columns["close"]))
    for measure in BALANCED:
        given = _defaults(measure, parameters)
        regular, hidden, strength = _events(measure, columns, given, warm_up)
        event = np.sign(regular + hidden)
        balance += active_kernel(event, strength, int(parameters["validity"]))
    balance[:warm_up] = np.nan
    return (balance,)


DIVERGENCE_BALANCE = Indicator(
    name="divergence_balance",
    text=(
        "Divergences of OBV, ADL, CMF, RSI and the MACD histogram that are still valid: the newest of "
        "each, by strength, bullish less bearish."
    ),
    inputs=("high", "low", "close", "volume", "is_gap"),
    parameters=(*_PAIR, Parameter("validity", 10, 1, 200)),
    outputs=(Output("balance", "value", "strengths", "sum of the signed strengths", -5.0, 5.0),),
    compute=_divergence_balance,
    lookback=_balance_lookback,
    stable=lambda parameters: (
        max(_stable(one, _defaults(one, parameters)) for one in BALANCED)
        + int(parameters["validity"])
    ),
)

INDICATORS = (
    CVD_DIVERGENCE,
    OBV_DIVERGENCE,
    ADL_DIVERGENCE,
    CMF_DIVERGENCE,
    RSI_DIVERGENCE,
    MACD_DIVERGENCE,
    DIVERGENCE_BALANCE,
)
