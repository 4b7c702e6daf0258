"""The slot for sentiment from elsewhere: news, posts, surveys that a user brings with their moments.

No source of these can be replayed freely, so nothing fills the slot by itself. A row counts from its
``available_at`` on and is gone when it is too old (``ninefold data kinds`` states the age).
"""

import numpy as np

from engine import Float1D

from .spec import Columns, Indicator, Output, Parameters


def _external(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (np.clip(columns["score"], 0.0, 100.0),)


EXTERNAL_SENTIMENT = Indicator(
    name="external_sentiment",
    text="A sentiment score that the user brings: 0 bearish, 50 neutral, 100 bullish.",
    inputs=("score",),
    only_clock="external_sentiment",
    parameters=(),
    outputs=(Output("score", "value", "score", "as it was stated", 0.0, 100.0),),
    compute=_external,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

INDICATORS = (EXTERNAL_SENTIMENT,)
