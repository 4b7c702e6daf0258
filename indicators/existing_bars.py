"""An indicator over the bars that exist, for what a run of missing bars must not wear down."""

import numpy as np

from engine import Bars, Float1D

from .spec import Indicator, Parameters


def on_existing_bars(
    bars: Bars, indicator: Indicator, output: str, parameters: Parameters
) -> Float1D:
    """``output`` of ``indicator`` computed without the missing bars; a missing bar repeats the last.

    A missing bar has no range, so an average over it shrinks with every one of them; the distance of
    a stop must not. Returns ``(T,)`` in the output's unit, known at close *t*, NaN until the first
    value. Raises ConfigError for an unknown output or parameter.
    """
    exists = ~bars.is_gap
    columns = {name: column[exists] for name, column in bars.columns().items()}
    outputs = indicator.compute(columns, indicator.resolved(parameters))
    known = outputs[indicator.output_index(output)]
    last = np.cumsum(exists) - 1
    if not len(known):
        return np.full(len(bars), np.nan)
    return np.where(last >= 0, known[np.maximum(last, 0)], np.nan)
