"""What a column of one market is: its definition, its warm-up in rows, and the key of its numbers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import numpy as np

from datasets import KINDS
from datasets.universe_panel import BENCHMARK, UNIVERSE
from engine import DAY_NS, Market, timeframe_ns
from indicators import Clock, Feature, Indicator, Output, clock_of, last_known_row
from indicators.clock_join import SAME_EVENT, is_compound, plain_clocks
from indicators.features import StatedRows

from .sources import joining_hash, source_hash

LIBRARIES: Final = ("numpy", "numba", "TA-Lib")
"""What is installed beside our sources and decides numbers."""
BYTE: Final = 255
_BARS: Final = "bars:"
_KNOWN: Final[Mapping[str, str]] = {
    "bars": "at the close of its bar",
    UNIVERSE: "each day of the coins from its end on",
    BENCHMARK: "each bar of the benchmark from its close on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDefinition:
    """One column of a matrix.

    ``parameters`` hold every parameter, given or default. ``lookback`` and ``stable`` count rows of the
    matrix: those before the first number of a ``value``, and those before the numbers no longer depend
    on where the data begin; None where the rows of a slow series never get that far. ``key`` stands
    for everything that the numbers follow from.
    """

    feature: Feature
    parameters: Mapping[str, float]
    output: Output
    dtype: str
    lookback: int | None
    stable: int | None
    known: str
    key: str

    @property
    def name(self) -> str:
        """How the column is called: the feature as it is spelled."""
        return str(self.feature)

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value there can be."""
        return bounds_of(self.output)

    def facts(self) -> dict[str, str]:
        """The definition as texts, as it stands beside the column in a file."""
        return {
            "name": self.name,
            "indicator": self.feature.indicator,
            "output": self.feature.output,
            "parameters": json.dumps(dict(self.parameters), sort_keys=True),
            "clock": self.feature.clock,
            "kind": self.output.kind,
            "unit": self.output.unit,
            "text": self.output.text,
            "low": repr(self.bounds[0]),
            "high": repr(self.bounds[1]),
            "lookback": json.dumps(self.lookback),
            "stable": json.dumps(self.stable),
            "known": self.known,
            "key": self.key,
        }


@dataclass(frozen=True, slots=True)
class Absence:
    """A feature that a market has no data for, and why."""

    feature: Feature
    reason: str


class MarketDefinitions:
    """The columns that features have on one market, whose rows are looked at once."""

    def __init__(self, market: Market, indicators: Mapping[str, Indicator]) -> None:
        base = clock_of(market, "bars")
        assert base is not None
        self._market, self._indicators, self._base = market, indicators, base
        self._clocks: dict[str, Clock | None] = {"bars": base}
        self._stated: dict[StatedRows, Clock | None] = {}
        self._digests: dict[tuple[str, str], str] = {}

    def of(self, feature: Feature) -> ColumnDefinition | Absence:
        """The column of ``feature``, whose names and values are known to be right."""
        indicator = self._indicators[feature.indicator]
        whole = self._clock(feature.clock)
        if whole is None:
            return Absence(feature, self._why_no_clock(feature.clock))
        clock = self._stating(whole, indicator)
        if clock is None:
            return Absence(feature, self._why_not_stated(whole, indicator.inputs))
        parameters = indicator.resolved(dict(feature.parameters))
        output = indicator.outputs[indicator.output_index(feature.output)]
        return ColumnDefinition(
            feature=feature,
            parameters=parameters,
            output=output,
            dtype=dtype_of(output),
            lookback=self._rows(clock, indicator.lookback(parameters)),
            stable=self._rows(clock, indicator.stable(parameters)),
            known=known_text(feature.clock),
            key=self._key(feature, indicator, parameters, clock),
        )

    def rows_key(self) -> str:
        """A key of the rows themselves: their times."""
        return self._digest("rows", "bars", self._base.available_at)

    def _clock(self, name: str) -> Clock | None:
        if name not in self._clocks:
            self._clocks[name] = clock_of(self._market, name)
        return self._clocks[name]

    def _stating(self, whole: Clock, indicator: Indicator) -> Clock | None:
        read = whole.name, indicator.inputs, indicator.may_lack
        if read not in self._stated:
            self._stated[read] = whole.stating(indicator.inputs, indicator.may_lack)
        return self._stated[read]

    def _why_no_clock(self, name: str) -> str:
        missing = [part for part in plain_clocks(name) if self._clock(part) is None]
        longer = [part.removeprefix(_BARS) for part in missing if part.startswith(_BARS)]
        if longer:
            return (
                f"no whole {longer[0]} bar, longer than {self._market.bars.timeframe}, can be built"
            )
        return f"the market has no {' and no '.join(missing or [name])}"

    def _why_not_stated(self, clock: Clock, inputs: tuple[str, ...]) -> str:
        lacking = [name for name in inputs if name not in clock.columns]
        if not lacking:
            return f"no row of {clock.name} states {', '.join(inputs)}"
        homes = [
            name
            for name in (*self._market.series, *self._market.panels)
            if (found := self._clock(name)) and all(one in found.columns for one in inputs)
        ]
        hint = f" (but @{homes[0]} has: name that clock)" if homes else ""
        return f"{clock.name} has no {', '.join(lacking)}{hint}"

    def _rows(self, clock: Clock, count: int) -> int | None:
        """The first row of the matrix that shows row ``count`` of ``clock``.

        Of bars it follows from their steps, also beyond the end of the data; of a slow series from the
        moments at which its rows became known.
        """
        if clock.name == "bars":
            return count
        first_close = int(self._base.available_at[0])
        if clock.name.startswith(_BARS) and not is_compound(clock.name):
            step = timeframe_ns(clock.name.removeprefix(_BARS))
            close = int(clock.event_time[0]) + (count + 1) * step
            return (close - first_close) // self._market.bars.step_ns
        visible = last_known_row(self._base.available_at, clock.available_at)
        row = int(np.searchsorted(visible, count))
        return row if row < len(visible) else None

    def _key(
        self, feature: Feature, indicator: Indicator, parameters: Mapping[str, float], clock: Clock
    ) -> str:
        is_whole = clock is self._clocks[feature.clock]
        owner = feature.clock if is_whole else " ".join((feature.clock, *indicator.inputs))
        content = {
            "indicator": feature.indicator,
            "output": feature.output,
            "parameters": sorted(parameters.items()),
            "clock": feature.clock,
            "kind": indicator.outputs[indicator.output_index(feature.output)].kind,
            "source": source_hash(indicator),
            "joining": joining_hash(),
            "libraries": _libraries(),
            "rows": self.rows_key(),
            "read": [
                self._digest(owner, field.name, getattr(clock, field.name))
                for field in fields(clock)
                if field.name != "columns"
            ],
            "inputs": [
                self._digest(owner, f"column {name}", clock.columns[name])
                for name in indicator.inputs
            ],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _digest(self, owner: str, name: str, value: Any) -> str:
        """SHA-256 of an array, or of the text of anything else; each is asked for once."""
        found = self._digests.get((owner, name))
        if found is None:
            hasher = hashlib.sha256()
            if isinstance(value, np.ndarray):
                hasher.update(f"{value.dtype.str}{value.shape}".encode())
                hasher.update(np.ascontiguousarray(value).data)
            else:
                hasher.update(repr(value).encode())
            found = self._digests[owner, name] = hasher.hexdigest()
        return found


def dtype_of(output: Output) -> str:
    """How a column is stored: numbers float64, signals int8, states uint8 (uint16 above 255)."""
    if output.kind in ("value", "level", "sparse"):
        return "float64"
    if output.kind == "signal":
        return "int8"
    return "uint8" if output.high <= BYTE else "uint16"


def bounds_of(output: Output) -> tuple[float, float]:
    """The smallest and the largest value of an output; of signals and states by what they are."""
    if output.kind == "signal":
        return -1.0, 1.0
    return (max(output.low, 0.0) if output.kind == "state" else output.low), output.high


def known_text(clock: str) -> str:
    """From when on a row of a column that is computed on ``clock`` may be used."""
    parts = plain_clocks(clock)
    if len(parts) == 1:
        return _known(clock)
    rows = "the events that all have" if SAME_EVENT in clock else f"the rows of {parts[0]}"
    told = "; ".join(f"{part}: {_known(part)}" for part in parts)
    return f"on {rows}, when all that a row is made of is known ({told})"


def _known(clock: str) -> str:
    if clock in _KNOWN:
        return _KNOWN[clock]
    if clock.startswith(_BARS):
        step = clock.removeprefix(_BARS)
        return f"each {step} bar from its own close on, until the next one closes"
    kind = KINDS.get(clock.partition(":")[0])
    if kind is None:
        return "each row from its available_at on"
    days = kind.max_age_ns / DAY_NS
    return f"each row from its available_at on ({kind.lag_source}), for {days:g} d after its event"


@cache
def _libraries() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}
