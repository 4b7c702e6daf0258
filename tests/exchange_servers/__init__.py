"""A local HTTP server that speaks the REST formats of exchanges, with a history known exactly."""

from .faults import Faults
from .server import ExchangeServer
from .truth import World

__all__ = ["ExchangeServer", "Faults", "World"]
