"""What a review asks of one analyser, and what the analyser answers on a market."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

import numpy as np

from datasets import Store
from engine import DAY_NS, Bool1D, DataError, Float1D, Int1D, Market
from indicators import INDICATORS_BY_NAME, Feature, build_features
from strategies.analysers import Analyser
from strategies.base import HeadInputs

from ...config import midnight_ns

EARLIEST_YEAR: Final = 1970


@dataclass(frozen=True, slots=True)
class Episode:
    """Something known from elsewhere, and the value of ``shown`` to look at.

    The value is the ``extreme`` of ``shown`` on bars that close from ``first`` to ``last``, both whole
    UTC days.
    """

    text: str
    first: date
    last: date
    shown: str
    extreme: Literal["highest", "lowest"]


@dataclass(frozen=True, slots=True, eq=False)
class SecondOpinion:
    """The same quantity as the drawn line from another source, ``(N,)``; times are int64 ns UTC."""

    text: str
    time_ns: Int1D
    value: Float1D


@dataclass(frozen=True, slots=True)
class Subject:
    """One page: an analyser, the files that feed it, and what is shown of it.

    ``analyser`` is asked for its side on every bar; where it is None, ``side`` names a signal among
    ``shown``, or there is no side. ``shown`` are features by alias; ``line`` is drawn, times
    ``scale``, in ``unit``, with dashes at ``levels``. ``states`` maps an alias to the words of its codes.
    Something is known where the analyser says so, or where the state ``known_by`` is not 0, or where the
    line is. The picture shows all days, or those from the first to the last of ``drawn``. ``second``
    computes the line from another source. ``unknown`` are sentences about what nobody could know from
    these files, ``stand_ins`` about what takes the place of something that no file has.
    """

    name: str
    title: str
    says: str
    files: tuple[str, ...]
    market: Callable[[Store], Market]
    shown: Mapping[str, Feature]
    line: str
    unit: str
    unknown: tuple[str, ...]
    episodes: tuple[Episode, ...] = ()
    analyser: Analyser | None = None
    side: str | None = None
    known_by: str | None = None
    second: Callable[[Store], SecondOpinion] | None = None
    scale: float = 1.0
    drawn: tuple[date, date] | None = None
    levels: tuple[float, ...] = ()
    states: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    stand_ins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A subject on a market of T bars, arrays ``(T,)``; row *t* was known at ``known_at[t]``.

    ``values`` are those of ``shown`` that the market allows, ``side`` is -1, 0 or 1, ``known`` tells
    where there were data. Times are int64 ns UTC.
    """

    subject: Subject
    timeframe: str
    known_at: Int1D
    values: Mapping[str, Float1D]
    side: Float1D
    known: Bool1D
    second: SecondOpinion | None = None

    @property
    def line(self) -> Float1D:
        """The drawn value in the subject's unit, NaN where it is not known."""
        line = self.values[self.subject.line] * self.subject.scale
        return line if self.subject.known_by is None else np.where(self.known, line, np.nan)


@dataclass(frozen=True, slots=True)
class Found:
    """An episode as computed: the value in the subject's unit for its line, and when it was known."""

    episode: Episode
    known_at: int
    value: float


@dataclass(frozen=True, slots=True)
class FiringRow:
    """One period: its bars, and shares of them.

    ``known`` is a share of all bars; ``states`` (by alias and code), ``long`` and ``short`` are shares
    of the known ones.
    """

    period: str
    bars: int
    known: float
    states: Mapping[tuple[str, int], float]
    long: float
    short: float


def read(subject: Subject, market: Market, second: SecondOpinion | None = None) -> Reading:
    """Build the features as a run does and ask the analyser.

    Raises DataError where the market lacks what the drawn line needs.
    """
    asked = {} if subject.analyser is None else dict(subject.analyser.features())
    matrix = build_features(
        market, [*subject.shown.values(), *asked.values()], indicators=INDICATORS_BY_NAME
    )

    def present(features: Mapping[str, Feature]) -> dict[str, Float1D]:
        columns = {alias: matrix.get(one) for alias, one in features.items()}
        return {alias: column for alias, column in columns.items() if column is not None}

    values = present(subject.shown)
    if subject.line not in values:
        raise DataError(
            f"{subject.name}: the market of {market.bars.symbol} lacks what "
            f"{subject.shown[subject.line]} reads; it has {sorted(market.series)}"
        )
    rows = len(matrix.known_at)
    known = ~np.isnan(values[subject.line])
    side = np.zeros(rows)
    if subject.analyser is not None:
        opinion = subject.analyser.opinion(HeadInputs(rows, present(asked)))
        side, known = opinion.side, opinion.known
    elif subject.side is not None:
        side = np.where(known, values[subject.side], 0.0)
    if subject.known_by is not None:
        known = values[subject.known_by] != 0
    return Reading(subject, market.bars.timeframe, matrix.known_at, values, side, known, second)


def found(reading: Reading) -> tuple[Found, ...]:
    """Each episode of the subject with its value; DataError where nothing was known of one."""
    results = []
    for episode in reading.subject.episodes:
        inside = (reading.known_at > midnight_ns(episode.first)) & (
            reading.known_at <= midnight_ns(episode.last) + DAY_NS
        )
        scale = reading.subject.scale if episode.shown == reading.subject.line else 1.0
        values = np.where(inside, reading.values[episode.shown], np.nan) * scale
        if np.isnan(values).all():
            raise DataError(
                f"{reading.subject.name}: nothing is known of {episode.shown} from {episode.first} to "
                f"{episode.last}; take the episode out or bring its data"
            )
        row = int(np.nanargmax(values) if episode.extreme == "highest" else np.nanargmin(values))
        results.append(Found(episode, int(reading.known_at[row]), float(values[row])))
    return tuple(results)


def firing_rows(reading: Reading) -> tuple[FiringRow, ...]:
    """One row for each year in which something was known, and one for all of them."""
    # A bar belongs to the year in which it closes; midnight belongs to the day before.
    years = (reading.known_at - 1).astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64)
    spoken = np.unique(years[reading.known])
    rows = [_firing_row(reading, years == year, str(int(year) + EARLIEST_YEAR)) for year in spoken]
    return (*rows, _firing_row(reading, np.isin(years, spoken), "all"))


def _firing_row(reading: Reading, inside: Bool1D, period: str) -> FiringRow:
    known = inside & reading.known
    count = max(int(known.sum()), 1)
    states = {
        (alias, code): float((reading.values[alias][known] == code).sum() / count)
        for alias, words in reading.subject.states.items()
        for code in words
    }
    return FiringRow(
        period=period,
        bars=int(inside.sum()),
        known=float(known.sum() / max(int(inside.sum()), 1)),
        states=states,
        long=float((reading.side[known] > 0).sum() / count),
        short=float((reading.side[known] < 0).sum() / count),
    )
