"""Markets drawn from the text of the methods, with the events that they contain written beside them.

Each family draws every textbook shape in price and volume, and near misses in which one rule just fails.
What is expected follows from the definitions alone; the detectors are called, never read.
``python -m experiments.studies.drawn_markets`` counts what is still found under noise.
"""

from .drawing import Drawing, Event, found_events
from .families import drawings

__all__ = ["Drawing", "Event", "drawings", "found_events"]
