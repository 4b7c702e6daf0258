"""Rows of order books as the tests of their formats read them."""

from typing import Any

from tests.test_datasets.importers.fuzzing import rows_of

MS = 1_000_000
START_MS = 1_700_000_000_000
"""The moment that the times of the tests count from."""


def levels(rows: Any) -> dict[tuple[int, str], list[tuple[float, float]]]:
    """Price and quantity of every level, the best first, by milliseconds after the start and side."""
    found: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for row in rows_of(rows.table):
        place = (row["event_time"] // MS - START_MS, row["side"])
        found.setdefault(place, []).append((row["price"], row["quantity"]))
    return found
