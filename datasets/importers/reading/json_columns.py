"""JSON lists into columns, every odd cell named by its item and field."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine import Int1D

from ...findings import RefusedFileError
from .source_file import SourceFile

MS_NS: Final = 1_000_000
FIRST_MS: Final = 10**12
LAST_MS: Final = 10**13
"""Stamps in milliseconds lie between these: 2001 and 2286."""
Item = Mapping[str, Any] | Sequence[Any]
Field = str | int


def parsed_json(text: bytes | str, where: str) -> Any:
    """The value of a JSON text; RefusedFileError naming ``where`` for anything that is not JSON."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedFileError(
            "unreadable", f"{where}: is not readable JSON ({error}); download it again"
        ) from error


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not a JSON number")


def first_item(file: SourceFile) -> Any:
    """The first item of a JSON list, None where the file is no JSON list or the item is very long."""
    text = "\n".join(file.head).lstrip()
    if not text.startswith("["):
        return None
    try:
        item, _ = json.JSONDecoder(parse_constant=_no_constant).raw_decode(text[1:].lstrip())
    except (ValueError, RecursionError):
        return None
    return item


def json_list(file: SourceFile) -> list[Any]:
    """The file as a JSON list with at least one item, else RefusedFileError."""
    items = parsed_json(file.data, str(file.path))
    if not isinstance(items, list) or not items:
        raise RefusedFileError(
            "unreadable", f"{file.path}: is not a JSON list with rows; download it again"
        )
    return items


def check_rows_of(file: SourceFile, items: Sequence[Any], length: int) -> None:
    """RefusedFileError unless every item is a list of ``length`` values."""
    for number, item in enumerate(items):
        if not isinstance(item, list) or len(item) != length:
            raise RefusedFileError(
                "unreadable",
                f"{file.path} item {number}: is not a list of {length} values; download it again",
            )


def float_column(
    file: SourceFile,
    items: Sequence[Item],
    field: Field,
    name: str,
    *,
    optional: bool = False,
    places: Int1D | None = None,
) -> pa.Array:
    """Numbers as float64; empty (null) cells only where ``optional``.

    ``places`` are the numbers of the items in the file where ``items`` are only some of them.
    """
    numbers = range(len(items)) if places is None else places.tolist()
    values = [
        _number(file, number, item, field, name)
        for number, item in zip(numbers, items, strict=True)
    ]
    if not optional and None in values:
        raise _empty(file, numbers[values.index(None)], name)
    return pa.array(values, pa.float64())


def _number(file: SourceFile, number: int, item: Item, field: Field, name: str) -> float | None:
    value = _cell(item, field)
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return float(value)
    raise _odd(file, number, name, value, "is not a number")


def time_column(
    file: SourceFile,
    items: Sequence[Item],
    field: Field,
    name: str,
    *,
    places: Int1D | None = None,
) -> Int1D:
    """Milliseconds since 1970 as int64 ns UTC, ``(N,)``."""
    stamps = []
    numbers = range(len(items)) if places is None else places.tolist()
    for number, item in zip(numbers, items, strict=True):
        value = _cell(item, field)
        if value is None:
            raise RefusedFileError(
                "missing_time",
                f"{file.path} item {number}: {name} is empty; every row needs a time",
            )
        if not isinstance(value, int) or isinstance(value, bool):
            raise _odd(file, number, name, value, "is not a whole number of milliseconds")
        if not FIRST_MS <= value < LAST_MS:
            raise _odd(file, number, name, value, "is not in milliseconds since 1970")
        stamps.append(value)
    return np.array(stamps, dtype=np.int64) * MS_NS


def text_column(
    file: SourceFile,
    items: Sequence[Item],
    field: Field,
    name: str,
    *,
    optional: bool = False,
    places: Int1D | None = None,
) -> list[str | None]:
    """Texts; numbers become their decimal digits, because ids are written both ways."""
    values: list[str | None] = []
    numbers = range(len(items)) if places is None else places.tolist()
    for number, item in zip(numbers, items, strict=True):
        value = _cell(item, field)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            value = str(value)
        if value is None and not optional:
            raise _empty(file, number, name)
        if value is not None and not isinstance(value, str):
            raise _odd(file, number, name, value, "is not a text")
        values.append(value)
    return values


def _cell(item: Item, field: Field) -> Any:
    return item.get(str(field)) if isinstance(item, Mapping) else item[int(field)]


def _empty(file: SourceFile, number: int, name: str) -> RefusedFileError:
    return RefusedFileError(
        "missing_value", f"{file.path} item {number}: {name} is empty; every row needs a value"
    )


def _odd(file: SourceFile, number: int, name: str, value: object, reason: str) -> RefusedFileError:
    return RefusedFileError(
        "unreadable", f"{file.path} item {number}: {name}={str(value)[:60]!r} {reason}"
    )
