"""Searching a configuration: its space, its trials, and the ledger that keeps them (docs/tuning.md)."""
