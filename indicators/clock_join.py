"""Clocks made of several: the rows of one with the columns of others, as they were known there.

``bars+metrics``
    The rows of ``bars``, each with the row of ``metrics`` that a bar's close can see.
``mark_price&index_price``
    The rows of ``mark_price`` of whose event ``index_price`` has a row too, known when both are.
``bars+trade_flow?``
    The rows of ``bars`` also where the market has no ``trade_flow``, whose columns are missing then.

Columns of the first clock keep their names, those of the others are ``name.column``; ``known_at`` is
the moment from which a row may be used, in ns. ``+`` binds less than ``&``, and ``?`` ends a part after
a ``+``.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from engine import Int1D

from .asof import joined, last_known_row

if TYPE_CHECKING:
    from .clock import Clock

AS_OF: Final = "+"
SAME_EVENT: Final = "&"
IF_ANY: Final = "?"


def is_compound(name: str) -> bool:
    """Whether ``name`` is made of the names of several clocks."""
    return AS_OF in name or SAME_EVENT in name


def source_of(clock: str, column: str) -> tuple[str, str]:
    """The plain clock, and its column, from which ``column`` of ``clock`` comes.

    ``known_at`` comes from the times of the first clock.
    """
    if not is_compound(clock):
        return clock, column
    first = plain_clocks(clock)[0]
    if column == "known_at":
        return first, "open_time" if first == "bars" else "event_time"
    owner, dot, name = column.rpartition(".")
    return (owner, name) if dot else (first, column)


def plain_clocks(clock: str) -> list[str]:
    """The clocks that ``clock`` is made of, in order; itself where it is not made of several."""
    return clock.replace(IF_ANY, "").replace(SAME_EVENT, AS_OF).split(AS_OF)


def compound_clock(name: str, build: Callable[[str], "Clock | None"]) -> "Clock | None":
    """The clock called ``name``, of parts made by ``build``; None where one of them is missing.

    A part that ends in ``?`` may be missing: the clock is then without its columns.

    A row that another clock has nothing to show for holds NaN in its columns, and is then no row for
    an indicator that reads them. A bar is shown until the next one closes, so that an indicator has
    nothing to say where such a series has a hole or has ended.
    """
    first, *further = name.split(AS_OF)
    base = _same_events(first, build)
    others = [_same_events(part.removesuffix(IF_ANY), build) for part in further]
    if base is None or any(
        other is None and not part.endswith(IF_ANY)
        for part, other in zip(further, others, strict=True)
    ):
        return None
    columns = {**base.columns, "known_at": base.available_at.astype(np.float64)}
    for other in others:
        if other is None:
            continue
        rows = last_known_row(base.available_at, other.available_at)
        for column, values in other.columns.items():
            if values.ndim > 1:
                # Columns of a panel belong to several coins; a row of bars has room for one.
                continue
            label = column if "." in column else f"{other.name}.{column}"
            columns[label] = joined(
                values, rows, other.event_time, base.available_at, other.max_age_ns
            )
    return replace(base, name=name, columns=columns, max_age_ns=_age_limit(base))


def _age_limit(base: "Clock") -> int:
    """How long a row of ``base`` may be shown: a bar until the next one closes, another row as before.

    A bar that nothing was known at is no row; the one before it must not stand for it.
    """
    if base.name.split(":")[0] != "bars" or not len(base.event_time):
        return base.max_age_ns
    step_ns = int(base.available_at[0] - base.event_time[0])
    return 2 * step_ns - 1


def _same_events(name: str, build: Callable[[str], "Clock | None"]) -> "Clock | None":
    first, *others = (build(part) for part in name.split(SAME_EVENT))
    for other in others:
        if first is None or other is None:
            return None
        mine, its = _same_rows(first.event_time, other.event_time)
        columns = {label: values[mine] for label, values in first.columns.items()}
        columns |= {f"{other.name}.{label}": values[its] for label, values in other.columns.items()}
        first = replace(
            first,
            event_time=first.event_time[mine],
            available_at=np.maximum(first.available_at[mine], other.available_at[its]),
            columns=columns,
            max_age_ns=min(first.max_age_ns, other.max_age_ns),
        )
    return first


def _same_rows(first: Int1D, other: Int1D) -> tuple[Int1D, Int1D]:
    """Rows of each whose events the other has too; both strictly increase."""
    found = np.searchsorted(other, first)
    mine = np.flatnonzero(found < len(other))
    mine = mine[other[found[mine]] == first[mine]]
    return mine, found[mine]
