"""What every importer is: a name, what it recognises, and how it reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .reading.source_file import SourceFile
from .report import Request
from .rows import SourceRows


def _names_nothing(_: SourceFile) -> Mapping[str, str | None]:
    return {}


@dataclass(frozen=True, slots=True)
class Format:
    """One file format.

    ``name`` is the default source of what it holds. ``recognises`` looks at the content (and never
    only at the name) and must be True for no file of another format. ``read`` gives the rows of
    every series in the file, checked and cleaned; it raises RefusedFileError or DataError, and no
    other error, for whatever bytes it is given. ``hint`` says in the documentation how the format is
    recognised, ``holds`` what becomes of it. ``names`` gives the ``kind``, ``venue``, ``market``,
    ``symbol`` and ``timeframe`` that the name of a file states, as far as the format has such names.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    recognises: Callable[[SourceFile], bool]
    read: Callable[[SourceFile, Request], Iterator[SourceRows]]
    hint: str
    holds: str
    names: Callable[[SourceFile], Mapping[str, str | None]] = _names_nothing
