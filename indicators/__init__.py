"""Numbers from bars and slow series, each known at the close of its row; no opinion.

Owns indicators, detectors of events, clocks, as-of joins and feature matrices. Imports engine, numpy,
numba and, for the candlestick patterns, TA-Lib.

>>> from indicators import feature
>>> str(feature("rsi", "rsi", length=14, clock="bars:4h"))
'rsi.rsi(length=14)@bars:4h'
"""

from .asof import last_known_row
from .catalog import INDICATORS, INDICATORS_BY_NAME
from .clock import Clock, clock_of
from .detector import Detection, Detector, EventState, EventType, detection
from .event_catalog import DETECTORS, DETECTORS_BY_NAME
from .event_table import EventTable
from .events import FoundEvents, find_events
from .existing_bars import on_existing_bars
from .features import ClockBuilder, Computed, FeatureMatrix, build_features
from .grid import indicator_grid
from .latest import latest_features
from .resample import resampled
from .spec import Columns, Feature, Indicator, Output, Parameter, Parameters, feature

__all__ = [
    "DETECTORS",
    "DETECTORS_BY_NAME",
    "INDICATORS",
    "INDICATORS_BY_NAME",
    "Clock",
    "ClockBuilder",
    "Columns",
    "Computed",
    "Detection",
    "Detector",
    "EventState",
    "EventTable",
    "EventType",
    "Feature",
    "FeatureMatrix",
    "FoundEvents",
    "Indicator",
    "Output",
    "Parameter",
    "Parameters",
    "build_features",
    "clock_of",
    "detection",
    "feature",
    "find_events",
    "indicator_grid",
    "last_known_row",
    "latest_features",
    "on_existing_bars",
    "resampled",
]
