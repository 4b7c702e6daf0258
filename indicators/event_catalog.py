"""Every detector there is, in the order of the families."""

from . import pivot_events
from .detector import Detector

DETECTORS: tuple[Detector, ...] = (*pivot_events.DETECTORS,)

DETECTORS_BY_NAME = {detector.name: detector for detector in DETECTORS}
