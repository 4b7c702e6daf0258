"""The bars themselves: what they state, as columns that a feature can name."""

from engine import Float1D

from .spec import Columns, Indicator, Output, Parameters

STATED = ("open", "high", "low", "close", "volume")


def _compute(columns: Columns, _parameters: Parameters) -> tuple[Float1D, ...]:
    return tuple(columns[name].copy() for name in STATED)


INDICATORS = (
    Indicator(
        name="bar",
        text="Prices and volume of the bar itself. A missing bar has the close before it four times "
        "and volume 0.",
        inputs=STATED,
        parameters=(),
        outputs=(
            Output("open", "value", "price", "first price of the bar", low=0.0),
            Output("high", "value", "price", "highest price of the bar", low=0.0),
            Output("low", "value", "price", "lowest price of the bar", low=0.0),
            Output("close", "value", "price", "last price of the bar", low=0.0),
            Output("volume", "value", "base units", "traded volume of the bar", low=0.0),
        ),
        compute=_compute,
        lookback=lambda _parameters: 0,
        stable=lambda _parameters: 0,
    ),
)
