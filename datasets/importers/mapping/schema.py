"""The YAML that describes a file to import: its keys, checked before any file is opened."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from engine import ConfigError, DataError, timeframe_ns

from ...keys import check_market, check_symbol
from ...kinds import EVENT_STEP, KINDS, kind_named

BARS: Final = ("ohlcv", "mark_price", "index_price", "premium_index", "dated_futures")
"""Kinds whose last row may have been written before its bar had closed."""
NUMBERED: Final = ("trade_id", "sequence")
"""Row keys that are an order within the time where the source has none."""
_DELAY: Final = re.compile(r"([0-9]{1,6})([smhd])")
_DELAY_NS: Final = {"s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}
_Value = bool | int | float | str
_Unit = Literal["s", "ms", "us", "ns"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeColumn(_Strict):
    """A column of times: numbers of a ``unit``, or texts of a ``format`` (ISO if None).

    ``zone`` is that of texts and stamps without an offset; it is never guessed.
    """

    column: str
    unit: _Unit | None = None
    format: str | None = None
    zone: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "TimeColumn":
        if self.unit is not None and (self.format is not None or self.zone is not None):
            raise ValueError("numbers have a unit, texts a format and a zone; give one of the two")
        return self

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str | None) -> str | None:
        from zoneinfo import ZoneInfo

        if zone is None:
            return None
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is no time zone such as Europe/Berlin") from error
        return zone


class Availability(_Strict):
    """When a row is known: a ``column`` of times, or a ``delay`` such as 36h after its event time."""

    column: str | None = None
    unit: _Unit | None = None
    format: str | None = None
    zone: str | None = None
    delay: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Availability":
        if (self.column is None) == (self.delay is None):
            raise ValueError("give either a column or a delay")
        if self.delay is not None:
            duration_ns(self.delay)
        else:
            self.times()
        return self

    def times(self) -> TimeColumn:
        """The column as a column of times."""
        return TimeColumn(
            column=self.column or "", unit=self.unit, format=self.format, zone=self.zone
        )


class SymbolColumn(_Strict):
    """A column that names the symbol of each row."""

    column: str


class CsvOptions(_Strict):
    """How the text of a CSV is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    skip_lines: int = Field(default=0, ge=0)
    thousands: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: str = Field(default=".", min_length=1, max_length=1)
    null_words: tuple[str, ...] = ("", "NULL", "null", "None", "NaN", "nan")

    @model_validator(mode="after")
    def _marks_differ(self) -> "CsvOptions":
        if self.thousands is not None and self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same mark; nothing tells them apart")
        return self


class FileMapping(_Strict):
    """The description of a file; see the module for its keys."""

    kind: str
    venue: str | None = None
    market: str | None = None
    symbol: str | SymbolColumn | None = None
    symbols: dict[str, str] = Field(default_factory=dict)
    step: str | None = None
    time: TimeColumn
    available_at: Availability | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, _Value] = Field(default_factory=dict)
    words: dict[str, dict[str, _Value]] = Field(default_factory=dict)
    factors: dict[str, float] = Field(default_factory=dict)
    csv: CsvOptions = CsvOptions()
    last_bar: Literal["complete", "open"] = "complete"

    @field_validator("time", mode="before")
    @classmethod
    def _time_is_described(cls, time: object) -> object:
        if isinstance(time, str):
            raise ValueError(
                f"{time!r} alone does not say how it is written; for numbers write "
                f"time: {{column: {time}, unit: ms}} (or s, us, ns), for texts time: {{column: {time}}}"
            )
        return time

    @field_validator("available_at", mode="before")
    @classmethod
    def _availability_is_described(cls, known: object) -> object:
        if isinstance(known, str):
            raise ValueError(
                f"{known!r} alone is neither a column nor a delay; write available_at: "
                f"{{column: {known}}} or available_at: {{delay: 36h}}"
            )
        return known

    @field_validator("symbol", mode="before")
    @classmethod
    def _symbol_is_named(cls, symbol: object) -> object:
        if isinstance(symbol, dict) and set(symbol) != {"column"}:
            raise ValueError("write symbol: BTCUSDT, or symbol: {column: NAME} with that one key")
        return symbol

    @field_validator("symbols")
    @classmethod
    def _symbols_are_names(cls, symbols: dict[str, str]) -> dict[str, str]:
        for name in symbols.values():
            _told(partial(check_symbol, name, "mapping"))
        return symbols

    @field_validator("kind")
    @classmethod
    def _kind_exists(cls, kind: str) -> str:
        _told(lambda: kind_named(kind))
        return kind

    @field_validator("market")
    @classmethod
    def _market_exists(cls, market: str | None) -> str | None:
        if market is not None:
            _told(lambda: check_market(market, "mapping"))
        return market

    @field_validator("step")
    @classmethod
    def _step_exists(cls, step: str | None) -> str | None:
        if step not in (None, EVENT_STEP):
            _told(lambda: timeframe_ns(step))
        return step

    @model_validator(mode="after")
    def _names_fit(self) -> "FileMapping":
        kind = KINDS[self.kind]
        known = {column.name: column for column in kind.columns}
        for key in ("columns", "constants", "words", "factors"):
            for name in getattr(self, key):
                if name not in known:
                    raise ValueError(
                        f"{key}: {name!r} is no column of {kind.name}; it has {', '.join(known)}"
                    )
        for name in self.factors:
            if known[name].type != "float":
                raise ValueError(f"factors: {name!r} is no decimal number")
        for name in self.words:
            if known[name].type not in ("flag", "text"):
                raise ValueError(f"words: {name!r} is neither a text nor true or false")
        if self.last_bar == "open" and self.kind not in BARS:
            raise ValueError(f"last_bar: {self.kind} has no bars that close")
        for name in sorted(self.columns.keys() & self.constants.keys()):
            raise ValueError(f"constants: {name!r} has a column, too")
        given = {*self.columns, *self.constants, *NUMBERED}
        for name in kind.required:
            if name not in given:
                raise ValueError(f"columns: {name!r} is missing; {kind.name} needs it")
        return self

    def stored_symbol(self, symbol: str | None) -> str | None:
        """The symbol of the store for one of the file, or for itself; None for None."""
        return None if symbol is None else self.symbols.get(symbol, symbol)


def _told(check: Callable[[], object]) -> None:
    """``check``, its DataError as a fault of the key that pydantic is looking at."""
    try:
        check()
    except (ConfigError, DataError) as error:
        raise ValueError(str(error)) from error


def duration_ns(text: str) -> int:
    """Nanoseconds of a delay such as 30s, 5m, 36h or 2d; ValueError for anything else."""
    match = _DELAY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no delay such as 30s, 5m, 36h or 2d")
    return int(match[1]) * _DELAY_NS[match[2]]


def _keys_at(place: tuple[Any, ...]) -> list[str]:
    """The keys that may stand in the mapping at ``place``, which is empty for the mapping itself."""
    parts: dict[str, type[BaseModel]] = {
        "time": TimeColumn,
        "available_at": Availability,
        "csv": CsvOptions,
    }
    model = parts[place[0]] if place else FileMapping
    return list(model.model_fields)


def load_mapping(path: Path | str) -> FileMapping:
    """The mapping in a YAML file; ConfigError naming the key that is wrong and the rule it breaks."""
    import yaml

    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: must be keys and values; it begins with kind: and venue:")
    try:
        return FileMapping.model_validate(document)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"]) or "mapping"
        reason = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            reason = f"is no key here; the keys are {', '.join(_keys_at(fault['loc'][:-1]))}"
        raise ConfigError(f"{path}: {key}: {reason}") from error
