"""What ``ninefold data fetch`` is told: symbols to fetch, and how to reach their exchanges."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from datasets.fetch import FetchJob, FetchRules, RetryRules
from engine import timeframe_ns

from .config_file import validated
from .config_section import Label, Real, Section, Whole
from .yaml_source import Source, overridden, read_source

_SHORT: Final = "exchange."
_LONG: Final = "exchanges."


def _moment(value: Any) -> Any:
    """A date or a time in UTC, as YAML or the command line writes it."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a date such as 2020-01-01, or a time in UTC") from None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise ValueError("must be a date such as 2020-01-01, or a time in UTC")


Moment = Annotated[datetime, BeforeValidator(_moment)]
SymbolText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=40)]


class FetchItem(Section):
    """Symbols of one exchange, over one period.

    ``since`` is inclusive, ``until`` exclusive; null means now, by the clock of the exchange.
    ``timeframe`` is the step of bars, ``metrics_timeframe`` that of open interest and ratios.
    ``market`` chooses where a symbol names several markets. ``archive`` reads the bulk archive of
    Binance, with ``tail`` followed by the API. ``source`` names the data sets.
    """

    exchange: Label
    symbols: tuple[SymbolText, ...] = Field(min_length=1)
    since: Moment
    until: Moment | None = None
    timeframe: str = "1h"
    kinds: tuple[Literal["ohlcv", "funding", "metrics", "trades"], ...] = Field(
        default=("ohlcv",), min_length=1
    )
    metrics_timeframe: str = "5m"
    market: Literal["spot", "linear", "inverse"] | None = None
    archive: bool = False
    tail: bool = False
    source: Label | None = None

    @field_validator("timeframe", "metrics_timeframe")
    @classmethod
    def _is_a_timeframe(cls, value: str) -> str:
        timeframe_ns(value)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "FetchItem":
        if self.until is not None and self.until <= self.since:
            raise ValueError(f"until={self.until:%Y-%m-%d %H:%M} must be after since")
        if self.tail and not self.archive:
            raise ValueError("tail: true follows the archive; set archive: true too")
        if self.archive and not self.exchange.startswith("binance"):
            raise ValueError("archive: true needs exchange: binance, no other has one")
        return self

    def job(self) -> FetchJob:
        """The same for :func:`datasets.fetch.fetch`."""
        return FetchJob(
            exchange=self.exchange,
            symbols=self.symbols,
            start_ns=_ns(self.since),
            end_ns=None if self.until is None else _ns(self.until),
            timeframe=self.timeframe,
            kinds=self.kinds,
            metrics_timeframe=self.metrics_timeframe,
            market=self.market,
            archive=self.archive,
            tail=self.tail,
            source=self.source,
        )


class FetchConfig(Section):
    """Everything one fetch is told.

    ``exchanges`` gives settings of ccxt by exchange: ``urls``, ``hostname``, proxies, ``timeout`` (ms),
    ``options``, ``sandbox: true`` and all others. At most ``concurrency`` requests run at once at one
    exchange. A request is sent up to ``attempts`` times, with pauses that double from
    ``first_wait_seconds`` to ``longest_wait_seconds``; an exchange that asks for a pause above
    ``longest_pause_seconds`` is given up. ``on_conflict`` is the rule for values that contradict
    stored ones.
    """

    fetch: tuple[FetchItem, ...] = Field(min_length=1)
    exchanges: Mapping[Label, Mapping[str, Any]] = Field(default_factory=dict)
    concurrency: Whole = Field(default=4, ge=1, le=64)
    attempts: Whole = Field(default=8, ge=1, le=100)
    first_wait_seconds: Real = Field(default=0.5, ge=0.0, le=60.0)
    longest_wait_seconds: Real = Field(default=60.0, ge=0.0, le=3600.0)
    longest_pause_seconds: Real = Field(default=900.0, ge=0.0, le=86_400.0)
    on_conflict: Literal["refuse", "keep", "replace", "revise"] = "revise"
    archive_url: str = "https://data.binance.vision"

    def jobs(self) -> tuple[FetchJob, ...]:
        """What to fetch."""
        return tuple(item.job() for item in self.fetch)

    def rules(self, *, again: bool = False) -> FetchRules:
        """How to fetch it; ``again`` also asks for what was asked before."""
        return FetchRules(
            settings=self.exchanges,
            retry=RetryRules(
                attempts=self.attempts,
                first_wait_seconds=self.first_wait_seconds,
                longest_wait_seconds=self.longest_wait_seconds,
                longest_pause_seconds=self.longest_pause_seconds,
            ),
            places=self.concurrency,
            on_conflict=self.on_conflict,
            again=again,
            archive_url=self.archive_url,
        )


def load_fetch_config(path: Path | str, overrides: Sequence[str] = ()) -> FetchConfig:
    """Read a YAML file, apply ``a.b=c`` overrides in order and check everything.

    ``exchange.binance.…`` in an override is short for ``exchanges.binance.…``. Raises ConfigError
    naming ``file:line`` (or the override), the key, the rule and the value.
    """
    return validated(FetchConfig, overridden(read_source(path), _written_out(overrides)))


def fetch_config_of(tree: Mapping[str, Any], overrides: Sequence[str] = ()) -> FetchConfig:
    """A checked configuration from plain values, as load_fetch_config makes one from a file."""
    source = Source(tree, {}, "command line")
    return validated(FetchConfig, overridden(source, _written_out(overrides)))


def _written_out(overrides: Sequence[str]) -> list[str]:
    return [
        _LONG + override.removeprefix(_SHORT) if override.startswith(_SHORT) else override
        for override in overrides
    ]


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000
