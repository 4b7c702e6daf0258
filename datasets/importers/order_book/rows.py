"""Levels of a book as files write them, and the samples of a replay as rows of the store."""

import numpy as np
import pyarrow as pa

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ...timestamps import time_text
from ..reading.source_file import SourceFile
from ..rows import SourceRows, source_rows, taken
from .replay import BookReplay, Level, Samples


def sampled_rows(
    file: SourceFile, format_name: str, key: DatasetKey, replay: BookReplay, word: str
) -> SourceRows:
    """The samples of a replay as rows of ``book_snapshot``, with what went wrong as findings.

    RefusedFileError where no instant of the grid has a known book.
    """
    samples = replay.samples
    if not samples.time_ns:
        raise _without_samples(file, key, samples, word)
    columns = {
        "event_time": pa.array(samples.time_ns, pa.int64()),
        "available_at": pa.array(samples.known_ns, pa.int64()),
        "side": pa.array(samples.side),
        "level": pa.array(samples.level, pa.int64()),
        "price": pa.array(samples.price, pa.float64()),
        "quantity": pa.array(samples.quantity, pa.float64()),
    }
    places = np.array(samples.place, dtype=np.int64)
    rows = taken(source_rows(file.path, format_name, key, columns, places, word))
    rows = rows.noting(
        "sampled",
        f"the book was rebuilt and kept at {len(set(samples.time_ns))} instants, "
        f"{max(samples.level) + 1} levels deep",
    )
    if samples.breaks:
        rows = rows.noting(
            "gap",
            f"messages are missing {len(samples.breaks)} times, first at {word} "
            f"{samples.breaks[0]}; the book is unknown at {samples.unknown} instants",
            len(samples.breaks),
        )
    if samples.crossed:
        rows = rows.noting(
            "contradiction",
            f"at {len(samples.crossed)} instants the best bid is not below the best ask, first at "
            f"{time_text(samples.crossed[0])}; these are left out",
            len(samples.crossed),
        )
    if samples.shortened:
        rows = rows.noting(
            "missing_value",
            f"at {samples.shortened} instants levels beyond the prices of the snapshot are left "
            "out: what stood there before is unknown",
            samples.shortened,
        )
    if samples.one_sided:
        rows = rows.noting(
            "missing_value",
            f"at {samples.one_sided} instants one side of the book or both are empty or unknown",
            samples.one_sided,
        )
    return rows


def _without_samples(
    file: SourceFile, key: DatasetKey, samples: Samples, word: str
) -> RefusedFileError:
    if samples.breaks:
        return RefusedFileError(
            "gap",
            f"{file.path}: the book of {key.symbol} is unknown throughout: at {word} "
            f"{samples.breaks[0]}",
        )
    if samples.crossed:
        return RefusedFileError(
            "contradiction",
            f"{file.path}: the best bid of {key.symbol} is never below the best ask, first at "
            f"{time_text(samples.crossed[0])}",
        )
    return RefusedFileError(
        "single_snapshot",
        f"{file.path}: no instant of the sampling grid lies between a snapshot of {key.symbol} "
        "and the last message; a longer file is needed",
    )


def price_levels(file: SourceFile, where: str, pairs: object) -> list[Level]:
    """Levels from ``[["61837.63", "3.78"], …]``: texts or numbers; RefusedFileError for anything
    else.
    """
    if not isinstance(pairs, list):
        raise RefusedFileError("unreadable", f"{file.path} {where}: a side of the book is no list")
    levels = []
    for pair in pairs:
        try:
            price, quantity = pair
            level = (plain_number(price), plain_number(quantity))
        except (TypeError, ValueError) as error:
            raise RefusedFileError(
                "unreadable",
                f"{file.path} {where}: level {str(pair)[:60]!r} is not a price and a quantity",
            ) from error
        check_level(file, where, level)
        levels.append(level)
    return levels


def plain_number(value: object) -> float:
    """A decimal text or a JSON number; ValueError for anything else."""
    if isinstance(value, str):
        if "_" in value:
            raise ValueError(value)
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(str(value))
    raise ValueError(value)


def check_level(file: SourceFile, where: str, level: Level) -> None:
    """RefusedFileError unless the price is above 0 and the quantity at least 0, both finite."""
    price, quantity = level
    if not (0.0 < price < float("inf") and 0.0 <= quantity < float("inf")):
        raise RefusedFileError(
            "unreadable",
            f"{file.path} {where}: price={price:g} with quantity={quantity:g} is no level of a "
            "book",
        )
