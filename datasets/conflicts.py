"""Rows that contradict stored ones: what they are, and the rules for them."""

from dataclasses import dataclass
from typing import Final, Literal

from .keys import DatasetKey
from .timestamps import time_text

OnConflict = Literal["refuse", "keep", "replace", "revise"]
ON_CONFLICT: Final[tuple[OnConflict, ...]] = ("refuse", "keep", "replace", "revise")
"""Refuse the import, keep the stored row, take the new one, or store it as a later revision."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One cell of which the store and the new rows state different values.

    ``time_ns`` is the time of the row (int64 ns UTC).
    """

    key: DatasetKey
    time_ns: int
    column: str
    stored: object
    new: object

    def __str__(self) -> str:
        return (
            f"{self.key} row {time_text(self.time_ns)}: {self.column} is {self.stored!r} in the store "
            f"and {self.new!r} in the new data"
        )
