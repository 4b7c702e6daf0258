"""Work that an indicator and a detector of events have in common: done once where both are asked."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from engine import Float1D

from .spec import Columns, Parameters

ResultT = TypeVar("ResultT")


class SharedColumns(dict[str, Float1D]):
    """The columns of one clock, which remember what was worked out of them for as long as they live."""

    def __init__(self, columns: Mapping[str, Float1D]) -> None:
        super().__init__(columns)
        self.worked_out: dict[tuple[object, ...], Any] = {}


def shared(
    work: Callable[[Columns, Parameters], ResultT],
) -> Callable[[Columns, Parameters], ResultT]:
    """``work``, whose result is made once for each set of parameters where the columns are shared.

    Who gets the result only reads it. Of columns that are not shared it is made anew each time.
    """

    @wraps(work)
    def made_once(columns: Columns, parameters: Parameters) -> ResultT:
        if not isinstance(columns, SharedColumns):
            return work(columns, parameters)
        key = (work, *sorted(parameters.items()))
        if key not in columns.worked_out:
            columns.worked_out[key] = work(columns, parameters)
        result: ResultT = columns.worked_out[key]
        return result

    return made_once
