"""A small web app over a folder of runs that only reads: lists, reports, comparisons, running sweeps."""

from .server import Address, serve

__all__ = ["Address", "serve"]
