"""Trying to disprove a sweep: tests, and a verdict whose rules are written down (docs/validation.md)."""
