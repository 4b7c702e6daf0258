"""Where trials are evaluated: in this process, in others of this machine, or on a Ray cluster."""

from .choice import EXECUTORS, THIS_PROCESS, Workers, executor_of
from .protocol import Executor, Values, evaluated_by

__all__ = [
    "EXECUTORS",
    "THIS_PROCESS",
    "Executor",
    "Values",
    "Workers",
    "evaluated_by",
    "executor_of",
]
