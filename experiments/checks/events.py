"""Checks of detectors: nothing known early, rewritten, remembered from the start or carried over a hole."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine import ContractError, Float1D, Market
from indicators import Detection, Detector, EventTable, clock_of
from indicators.pivot import MAX_GAP_RUN
from indicators.spec import Columns, Parameters

from .markets import coarse_market, null_market
from .null_series import HISTORY_ROWS
from .report import CheckRow
from .start import DROPPED, TOLERANCE
from .subjects import CASE_ROWS, FIRST_SEED, case_name, other_than_defaults

CUTS = 80
POISONED = 12
HOLE_BARS = 30 * 24
"""A hole of a month of hourly bars."""
POISON = (np.nan, 1e9, -1e9)


@dataclass(frozen=True, slots=True)
class DetectorCase:
    """One detector with one set of parameters on the rows of one clock."""

    detector: Detector
    parameters: tuple[tuple[str, float], ...]
    clock: str

    @property
    def name(self) -> str:
        """How reports call this case."""
        return case_name(self.detector.name, self.parameters, self.clock)

    @property
    def resolved(self) -> Parameters:
        """Every parameter with its value."""
        return self.detector.resolved(dict(self.parameters))

    def columns(self, market: Market) -> dict[str, Float1D]:
        """The declared inputs on the clock of this case; ContractError where the market lacks them."""
        clock = clock_of(market, self.clock)
        stating = None if clock is None else clock.stating(self.detector.inputs)
        if stating is None:
            raise ContractError(f"{self.name}: the market states no clock {self.clock} for it")
        return {name: stating.columns[name] for name in self.detector.inputs}

    def table(self, columns: Columns) -> EventTable:
        """The events in ``columns``."""
        with np.errstate(all="ignore"):
            return self.detector.find(columns, self.resolved)


def detector_cases(
    detectors: Iterable[Detector], detections: Iterable[Detection] = ()
) -> tuple[DetectorCase, ...]:
    """Every detector at its defaults on the decision bars, and with every other set of parameters."""
    by_name = {detector.name: detector for detector in detectors}
    cases = [DetectorCase(detector, (), "bars") for detector in by_name.values()]
    for wanted in detections:
        detector = by_name[wanted.detector]
        other = other_than_defaults(detector, wanted.parameters)
        cases.append(DetectorCase(detector, other, "bars"))
    return tuple(dict.fromkeys(cases))


def detector_market(case: DetectorCase, position: int = 0) -> Market:
    """Market number ``position`` with at least 1,500 bars beyond the warm-up of ``case``."""
    warm_up = case.detector.stable(case.resolved)
    hours = CASE_ROWS * (1 + warm_up // CASE_ROWS + (warm_up % CASE_ROWS > 500))
    made = coarse_market if position % 2 else null_market
    return made(hours, FIRST_SEED + position, history_rows=HISTORY_ROWS)


def table_difference(expected: EventTable, found: EventTable, tolerance: float = 0.0) -> str | None:
    """What the two tables do not say alike, or None; prices may differ by ``tolerance`` of themselves."""
    if len(expected) != len(found):
        whole = {_identity(expected, i) for i in range(len(expected))}
        part = {_identity(found, i) for i in range(len(found))}
        return (
            f"{len(expected)} events and {len(found)}; only in the first {sorted(whole - part)[:2]}, "
            f"only in the second {sorted(part - whole)[:2]} (type, direction, anchor, known)"
        )
    for name in EventTable.__dataclass_fields__:
        left, right = getattr(expected, name), getattr(found, name)
        if left.shape != right.shape:
            return f"{name} has {len(left)} rows and {len(right)}"
        with np.errstate(all="ignore"):
            same = (left == right) | (np.isnan(left) & np.isnan(right))
            if tolerance and left.dtype == np.float64:
                same |= np.abs(left - right) <= tolerance * np.maximum(np.abs(left), 1e-12)
        if not same.all():
            row = int(np.flatnonzero(~same.reshape(len(left), -1).all(axis=1))[0])
            event = int(expected.change_event[row]) if name.startswith("change") else row
            return f"{name}[{row}] is {left[row]} and {right[row]} ({_identity(expected, event)})"
    return None


def _identity(table: EventTable, event: int) -> tuple[int, int, int, int]:
    return (
        int(table.type[event]),
        int(table.direction[event]),
        int(table.anchor[event]),
        int(table.known[event]),
    )


def chosen_prefixes(table: EventTable, rows: int, count: int = CUTS) -> np.ndarray:
    """Lengths of prefixes: around the rows on which something happens, and spread over the series."""
    happens = np.unique(np.concatenate((table.known, table.change_row)))
    if len(happens) > count:
        happens = happens[np.linspace(0, len(happens) - 1, count).astype(np.int64)]
    spread = np.linspace(1, rows, count // 4 + 1).astype(np.int64)
    cuts = np.unique(np.concatenate((happens, happens + 1, spread)))
    return cuts[(cuts > 0) & (cuts <= rows)]


def prefix_failure(case: DetectorCase, columns: Columns) -> tuple[str | None, int]:
    """The first prefix that says something else than the whole series did, and how many were cut."""
    whole = case.table(columns)
    cuts = chosen_prefixes(whole, _rows(columns))
    for cut in cuts:
        part = case.table({name: column[:cut].copy() for name, column in columns.items()})
        difference = table_difference(whole.as_known(int(cut)), part)
        if difference:
            return f"cut at row {cut}: {difference}", len(cuts)
    return None, len(cuts)


def poison_failure(case: DetectorCase, columns: Columns) -> tuple[str | None, int]:
    """Whether the rows before a cut change when those behind it are replaced by nonsense."""
    whole = case.table(columns)
    cuts = chosen_prefixes(whole, _rows(columns), POISONED)
    for position, cut in enumerate(cuts):
        value = POISON[position % len(POISON)]
        poisoned = {name: column.copy() for name, column in columns.items()}
        for name, column in poisoned.items():
            if name not in ("open_time", "is_gap"):
                column[cut:] = value
        difference = table_difference(
            whole.as_known(int(cut)), case.table(poisoned).as_known(int(cut))
        )
        if difference:
            return f"{value} from row {cut} on: {difference}", len(cuts)
    return None, len(cuts)


def start_failure(case: DetectorCase, columns: Columns) -> tuple[str | None, int]:
    """Whether an event that became known after ``stable`` rows depends on where the series began."""
    whole, stable, compared = case.table(columns), case.detector.stable(case.resolved), 0
    for skip in DROPPED:
        later = case.table({name: column[skip:].copy() for name, column in columns.items()})
        expected = _moved(whole, skip + stable, -skip)
        difference = table_difference(expected, _moved(later, stable, 0), TOLERANCE)
        compared += max(_rows(columns) - skip - stable, 0)
        if difference:
            return f"without the first {skip} rows (stable is {stable}): {difference}", compared
    return None, compared


def _moved(table: EventTable, first: int, shift: int) -> EventTable:
    """The events known on row ``first`` or later with their changes, all rows moved by ``shift``."""
    dropped = int(np.searchsorted(table.known, first, side="left"))
    kept = table.change_event >= dropped
    rows = table.point_rows[dropped:]
    return EventTable(
        type=table.type[dropped:],
        direction=table.direction[dropped:],
        anchor=table.anchor[dropped:] + shift,
        known=table.known[dropped:] + shift,
        top=table.top[dropped:],
        bottom=table.bottom[dropped:],
        measure=table.measure[dropped:],
        point_rows=np.where(rows < 0, rows, rows + shift),
        point_prices=table.point_prices[dropped:],
        change_event=table.change_event[kept] - dropped,
        change_state=table.change_state[kept],
        change_row=table.change_row[kept] + shift,
        levels=table.levels[dropped:],
    )


def with_hole(columns: Columns, start: int, bars: int, factor: float) -> dict[str, Float1D]:
    """``columns`` with ``bars`` missing bars put in at ``start``, and prices times ``factor`` behind them.

    What a name that is given to another coin looks like.
    """
    out = {}
    for name, column in columns.items():
        head, tail = column[:start], column[start:]
        if name == "open_time":
            step = column[1] - column[0]
            out[name] = column[0] + step * np.arange(len(column) + bars, dtype=np.float64)
            continue
        if name == "is_gap":
            middle = np.ones(bars)
        elif name in ("open", "high", "low", "close"):
            middle = np.full(bars, columns["close"][start - 1] if "close" in columns else head[-1])
            tail = tail * factor
        else:
            middle = np.zeros(bars)
        out[name] = np.concatenate((head, middle, tail))
    return out


def hole_failure(case: DetectorCase, columns: Columns) -> str | None:
    """Whether anything is carried over a month without bars into what may be another coin."""
    start = _rows(columns) // 2
    table = case.table(with_hole(columns, start, HOLE_BARS, 1000.0))
    reset = start + MAX_GAP_RUN
    behind = start + HOLE_BARS
    for event in np.flatnonzero(table.known >= reset):
        rows = table.point_rows[event][table.point_rows[event] >= 0]
        earliest = min([int(table.anchor[event]), *rows.tolist()])
        if earliest < reset and table.known[event] >= behind:
            return f"{_identity(table, int(event))} reaches back to row {earliest} over the hole"
    late = (table.change_row >= behind) & (table.known[table.change_event] < reset)
    if late.any():
        first = int(np.flatnonzero(late)[0])
        return (
            f"{_identity(table, int(table.change_event[first]))} from before the hole changes on row "
            f"{table.change_row[first]} behind it"
        )
    return None


def column_failures(case: DetectorCase, columns: Columns) -> Iterator[str]:
    """Where the table and the columns of the same kernels do not say the same."""
    detector = case.detector
    if detector.indicator is None:
        return
    table = case.table(columns)
    with np.errstate(all="ignore"):
        computed = detector.indicator.compute(columns, case.resolved)
    sums: dict[str, Float1D] = {}

    def add(column: str | None, rows: np.ndarray, directions: np.ndarray) -> None:
        if column is not None:
            np.add.at(sums.setdefault(column, np.zeros(_rows(columns))), rows, directions)

    for code, kind in enumerate(detector.types):
        of_type = table.type == code
        add(kind.column, table.known[of_type], table.direction[of_type])
    for code, state in enumerate(detector.states):
        entered = table.change_state == code
        side = state.sign * table.direction[table.change_event[entered]]
        add(state.column, table.change_row[entered], side)
    for name, total in sums.items():
        column = computed[detector.indicator.output_index(name)]
        differs = np.flatnonzero(np.sign(total) != column)
        if differs.size:
            row = int(differs[0])
            yield (
                f"{detector.indicator.name}.{name} is {column[row]:g} on row {row}, the events sum to "
                f"{total[row]:g}; {differs.size} rows differ"
            )


def declaration_failure(case: DetectorCase, columns: Columns) -> str | None:
    """Whether the table stays inside what the detector declares: types, states, points, ends."""
    detector, table = case.detector, case.table(columns)
    in_range = (table.type >= 0) & (table.type < len(detector.types))
    if not in_range.all():
        return f"type {table.type[~in_range][0]} is not one of {len(detector.types)}"
    if table.point_rows.shape[1] != len(detector.points):
        return f"{table.point_rows.shape[1]} points, {len(detector.points)} declared"
    if table.levels.shape[1] != len(detector.levels):
        return f"{table.levels.shape[1]} levels, {len(detector.levels)} declared"
    ended: set[int] = set()
    for event, state in zip(table.change_event, table.change_state, strict=True):
        if not 0 <= state < len(detector.states):
            return f"state {state} is not one of {len(detector.states)}"
        if int(event) in ended:
            return f"event {event} changes after its end"
        if detector.states[state].ends:
            ended.add(int(event))
    return None


def twin_of(case: DetectorCase) -> DetectorCase:
    """The same detector, its events moved one bar towards their past: it must fail the prefix check."""

    def early(columns: Columns, parameters: Parameters) -> EventTable:
        table = case.detector.find(columns, parameters)
        known = np.maximum(table.known - 1, 0)
        return replace(
            table,
            known=known,
            anchor=np.minimum(table.anchor, known),
            point_rows=np.minimum(table.point_rows, known[:, None]),
        )

    return DetectorCase(replace(case.detector, find=early), case.parameters, case.clock)


_CHECKS: tuple[tuple[str, Callable[[DetectorCase, Columns], str | None]], ...] = (
    ("prefix", lambda case, columns: prefix_failure(case, columns)[0]),
    ("poison", lambda case, columns: poison_failure(case, columns)[0]),
    ("start", lambda case, columns: start_failure(case, columns)[0]),
    ("hole", hole_failure),
    ("columns", lambda case, columns: next(column_failures(case, columns), None)),
    ("declaration", declaration_failure),
)


def check_detectors(cases: Sequence[DetectorCase], position: int = 0) -> list[CheckRow]:
    """One row for every check of every case, on market number ``position``."""
    rows = []
    for case in cases:
        columns = case.columns(detector_market(case, position))
        events = len(case.table(columns))
        for name, failure_of in _CHECKS:
            failure = failure_of(case, columns)
            detail = failure or f"{events} events in {_rows(columns)} rows"
            rows.append(CheckRow("events", f"{case.name}.{name}", failure is None, detail))
    return rows


def _rows(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def event_columns(case: DetectorCase, table: EventTable, rows: int) -> dict[str, np.ndarray]:
    """For every type of ``case``, and every state of it, the side of its events on each row.

    ``(rows,)`` of -1, 0 and 1, where the events of ``table`` became known or changed; 0 where both
    sides did. Named ``case:type`` and ``case:type:state``. What ``null.Tally`` takes.
    """
    out: dict[str, np.ndarray] = {}
    for code, kind in enumerate(case.detector.types):
        chosen = table.type == code
        column = np.zeros(rows)
        np.add.at(column, table.known[chosen], table.direction[chosen])
        out[f"{case.name}:{kind.name}"] = np.sign(column)
        of_type = chosen[table.change_event]
        for number, state in enumerate(case.detector.states):
            entered = of_type & (table.change_state == number)
            column = np.zeros(rows)
            side = state.sign * table.direction[table.change_event[entered]]
            np.add.at(column, table.change_row[entered], side)
            out[f"{case.name}:{kind.name}:{state.name}"] = np.sign(column)
    return out
