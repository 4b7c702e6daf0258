"""Tables of events: what was found, when it was known, where it is drawn, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine import Bool1D, ContractError, Float1D, Float2D, Int1D, Int8Array1D

EVENT_FIELDS: Final = 7
"""Leading columns of a log of events: type, direction, anchor, known, top, bottom, measure."""
LOG_TYPE, LOG_DIRECTION, LOG_ANCHOR, LOG_KNOWN, LOG_TOP, LOG_BOTTOM, LOG_MEASURE = range(7)
CHANGE_FIELDS: Final = 3
"""Columns of a log of changes: position of the event in the log of events, new state, row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventTable:
    """N events of one detector in the order in which they became known, and M changes of their states.

    ``type`` int64 ``(N,)``: position in the detector's ``types``. ``direction`` int8: 1 argues for a
    rise, -1 for a fall, 0 for neither. ``anchor`` and ``known`` int64: the row that the event describes
    (the first of its shape) and the row at whose close it is known, never before the anchor. ``top``
    and ``bottom``: the edges of its zone, equal for a level, NaN without one. ``measure``: its grade,
    in the detector's ``measure_unit``, NaN without one. ``point_rows`` int64 and ``point_prices``
    ``(N, P)``: the detector's ``points``, -1 and NaN where one is missing; none lies behind ``known``.
    ``levels`` ``(N, L)``: the prices that the detector's ``levels`` name (a target, a stop), as they
    stood when the event became known, NaN where one is missing.

    ``change_event``, ``change_state`` and ``change_row`` int64 ``(M,)``: that event enters that state
    (position in the detector's ``states``) at the close of that row; in order of rows, never before
    the event is known. An event without a change is as it was when it became known.

    Raises ContractError where a table breaks one of these rules.
    """

    type: Int1D
    direction: Int8Array1D
    anchor: Int1D
    known: Int1D
    top: Float1D
    bottom: Float1D
    measure: Float1D
    point_rows: np.ndarray
    point_prices: Float2D
    change_event: Int1D
    change_state: Int1D
    change_row: Int1D
    levels: Float2D = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        count, changes = len(self.known), len(self.change_row)
        if self.levels.shape[1] == 0:
            object.__setattr__(self, "levels", np.empty((count, 0)))
        for name in ("type", "direction", "anchor", "top", "bottom", "measure"):
            _require(getattr(self, name).shape == (count,), f"{name} must have {count} rows")
        for name in ("change_event", "change_state"):
            _require(getattr(self, name).shape == (changes,), f"{name} must have {changes} rows")
        _require(
            self.point_rows.shape == self.point_prices.shape and len(self.point_rows) == count,
            f"point_rows and point_prices must be ({count}, points)",
        )
        _require(len(self.levels) == count, f"levels must have {count} rows")
        _require(bool((self.anchor >= 0).all()), "anchor must be a row of the series")
        _require(bool((self.known >= self.anchor).all()), "known must not lie before anchor")
        _require(bool((np.diff(self.known) >= 0).all()), "events must be in order of known")
        _require(not bool((self.top < self.bottom).any()), "top must not lie under bottom")
        _require(
            not bool((self.point_rows > self.known[:, None]).any()),
            "no point of an event may lie behind known",
        )
        _require(bool((np.diff(self.change_row) >= 0).all()), "changes must be in order of rows")
        if changes:
            inside = (self.change_event >= 0) & (self.change_event < count)
            _require(bool(inside.all()), f"change_event must lie in [0, {count})")
            _require(
                bool((self.change_row >= self.known[self.change_event]).all()),
                "an event must not change before it is known",
            )

    def __len__(self) -> int:
        return len(self.known)

    def as_known(self, rows: int) -> "EventTable":
        """What this table said at the close of row ``rows - 1``: later events and changes are gone."""
        # Events are in order of known, so those that stay keep their positions.
        count = int(np.searchsorted(self.known, rows, side="left"))
        changes = int(np.searchsorted(self.change_row, rows, side="left"))
        return EventTable(
            type=self.type[:count],
            direction=self.direction[:count],
            anchor=self.anchor[:count],
            known=self.known[:count],
            top=self.top[:count],
            bottom=self.bottom[:count],
            measure=self.measure[:count],
            point_rows=self.point_rows[:count],
            point_prices=self.point_prices[:count],
            change_event=self.change_event[:changes],
            change_state=self.change_state[:changes],
            change_row=self.change_row[:changes],
            levels=self.levels[:count],
        )

    def last_changes(self) -> tuple[Int1D, Int1D]:
        """The newest state of every event and the row on which it began, ``(N,)`` each.

        -1 and ``known`` for an event that never changed; of two changes on one row the later counts.
        """
        state, row = np.full(len(self), -1, dtype=np.int64), self.known.copy()
        state[self.change_event] = self.change_state
        row[self.change_event] = self.change_row
        return state, row


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ContractError(f"table of events: {rule}")


def table_of_logs(
    events: Float2D, changes: Float2D | None = None, *, points: int | None = None
) -> EventTable:
    """The table of two logs that a kernel wrote, in any order of rows.

    ``events`` is ``(N, EVENT_FIELDS + 2 P + L)``: the leading columns, then the rows of the P points,
    then their prices, then the levels. ``points`` is P; None says that there are no levels, so that
    P follows from the columns. ``changes`` is ``(M, CHANGE_FIELDS)`` and names events by their row in
    ``events``. Of two that fall on one row, the earlier in the log stays first.
    """
    order = np.argsort(events[:, LOG_KNOWN], kind="stable")
    ordered = events[order]
    if points is None:
        points = (events.shape[1] - EVENT_FIELDS) // 2
    prices, levels = EVENT_FIELDS + points, EVENT_FIELDS + 2 * points
    log = np.empty((0, CHANGE_FIELDS)) if changes is None else changes
    log = log[np.argsort(log[:, 2], kind="stable")]
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    return EventTable(
        type=ordered[:, LOG_TYPE].astype(np.int64),
        direction=ordered[:, LOG_DIRECTION].astype(np.int8),
        anchor=ordered[:, LOG_ANCHOR].astype(np.int64),
        known=ordered[:, LOG_KNOWN].astype(np.int64),
        top=ordered[:, LOG_TOP].copy(),
        bottom=ordered[:, LOG_BOTTOM].copy(),
        measure=ordered[:, LOG_MEASURE].copy(),
        point_rows=ordered[:, EVENT_FIELDS:prices].astype(np.int64),
        point_prices=ordered[:, prices:levels].copy(),
        change_event=position[log[:, 0].astype(np.int64)],
        change_state=log[:, 1].astype(np.int64),
        change_row=log[:, 2].astype(np.int64),
        levels=ordered[:, levels:].copy(),
    )


def events_on_rows(
    fires: Bool1D,
    *,
    type: int,
    direction: Float1D | float,
    anchor: Float1D,
    top: Float1D | None = None,
    bottom: Float1D | None = None,
    measure: Float1D | None = None,
    points: Sequence[tuple[Float1D, Float1D]] = (),
    levels: Sequence[Float1D] = (),
) -> Float2D:
    """The log of events that become known on the rows where ``fires`` holds, one each.

    All arrays ``(T,)``: what the event says is read on the row where it becomes known. ``bottom`` None
    is ``top``: a level. ``points`` are pairs of rows and prices, ``levels`` prices.
    """
    rows = np.flatnonzero(fires)
    log = np.full((len(rows), EVENT_FIELDS + 2 * len(points) + len(levels)), np.nan)
    log[:, LOG_TYPE], log[:, LOG_KNOWN] = type, rows
    log[:, LOG_DIRECTION] = np.broadcast_to(direction, len(fires))[rows]
    log[:, LOG_ANCHOR] = anchor[rows]
    if top is not None:
        log[:, LOG_TOP] = top[rows]
        log[:, LOG_BOTTOM] = (top if bottom is None else bottom)[rows]
    if measure is not None:
        log[:, LOG_MEASURE] = measure[rows]
    for number, (point_row, price) in enumerate(points):
        log[:, EVENT_FIELDS + number] = point_row[rows]
        log[:, EVENT_FIELDS + len(points) + number] = price[rows]
    for number, level in enumerate(levels):
        log[:, EVENT_FIELDS + 2 * len(points) + number] = level[rows]
    return log
