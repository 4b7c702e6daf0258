"""An indicator on columns made by hand, and the times of their rows."""

import numpy as np

from engine import DAY_NS, HOUR_NS
from indicators.spec import Indicator
from tests.generators import START_NS


def computed(indicator: Indicator, columns, **parameters) -> dict[str, np.ndarray]:
    outputs = indicator.compute(columns, indicator.resolved(parameters))
    return {declared.name: o for declared, o in zip(indicator.outputs, outputs, strict=True)}


def hours(rows: int) -> np.ndarray:
    return (START_NS + HOUR_NS * np.arange(rows)).astype(np.float64)


def days(rows: int) -> np.ndarray:
    return (START_NS + DAY_NS * np.arange(rows)).astype(np.float64)
