"""Runs beside each other: what was set apart, what came out, and how sure the difference is."""

from .comparison import Comparison, compare_runs

__all__ = ["Comparison", "compare_runs"]
