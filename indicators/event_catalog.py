"""Every detector there is, in the order of the families."""

from . import (
    chart_pattern_events,
    dealing_range_events,
    effort_events,
    fair_value_gap_events,
    harmonic_events,
    liquidity_events,
    order_block_events,
    pivot_events,
    session_events,
    structure_events,
    support_resistance_events,
    wyckoff_events,
)
from .detector import Detector

DETECTORS: tuple[Detector, ...] = (
    *pivot_events.DETECTORS,
    *liquidity_events.DETECTORS,
    *session_events.DETECTORS,
    *structure_events.DETECTORS,
    *fair_value_gap_events.DETECTORS,
    *order_block_events.DETECTORS,
    *dealing_range_events.DETECTORS,
    *support_resistance_events.DETECTORS,
    *chart_pattern_events.DETECTORS,
    *effort_events.DETECTORS,
    *harmonic_events.DETECTORS,
    *wyckoff_events.DETECTORS,
)

DETECTORS_BY_NAME = {detector.name: detector for detector in DETECTORS}
