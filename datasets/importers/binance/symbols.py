"""Files whose rows name their symbol."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from engine import DataError, Int1D

from ..reading.source_file import SourceFile
from ..report import Request


def by_symbol(
    file: SourceFile, symbols: pa.ChunkedArray, request: Request
) -> Iterator[tuple[str, Int1D]]:
    """Each symbol of a column, and its rows in the order of the file; the requested one only, if any.

    Raises DataError where the requested symbol is not among them.
    """
    encoded = symbols.combine_chunks().dictionary_encode()
    codes, names = np.asarray(encoded.indices), encoded.dictionary.to_pylist()
    if request.symbol is not None and request.symbol not in names:
        raise DataError(
            f"{file.path}: holds no symbol={request.symbol}; its symbols are "
            f"{', '.join(sorted(names)[:20])!r}"
        )
    for name in sorted(names):
        if request.symbol in (None, name):
            yield name, np.flatnonzero(codes == names.index(name))
