"""Opinions: nine heads, and how their votes are reconciled into decisions."""

from .base import Head, HeadInputs, HeadOutput, Range, Reason, reason_bits

__all__ = ["Head", "HeadInputs", "HeadOutput", "Range", "Reason", "reason_bits"]
