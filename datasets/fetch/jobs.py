"""What is fetched, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..conflicts import Conflict, OnConflict
from ..findings import Finding
from ..keys import DatasetKey
from .answers import RetryRules

MarketType = Literal["spot", "linear", "inverse"]
Status = Literal["complete", "interrupted", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchJob:
    """Symbols of one exchange, over one period.

    ``start_ns`` is inclusive, ``end_ns`` exclusive (int64 ns UTC), None means up to now by the clock
    of the exchange. ``timeframe`` is the step of bars, ``metrics_timeframe`` that of metrics.
    ``market`` chooses among a symbol's markets. ``archive`` reads the bulk archive of Binance instead
    of the API; with ``tail`` the API gives what the archive does not have yet.
    """

    exchange: str
    symbols: tuple[str, ...]
    start_ns: int
    end_ns: int | None = None
    timeframe: str = "1h"
    kinds: tuple[str, ...] = ("ohlcv",)
    metrics_timeframe: str = "5m"
    market: MarketType | None = None
    archive: bool = False
    tail: bool = False
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRules:
    """How all jobs are done.

    ``settings`` are those of ccxt by exchange. At most ``places`` requests run at once at one
    exchange. ``on_conflict`` says what becomes of values that contradict stored ones. ``again`` asks
    for everything, also for what has been asked before.
    """

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    retry: RetryRules = field(default_factory=RetryRules)
    places: int = 4
    on_conflict: OnConflict = "revise"
    again: bool = False
    archive_url: str = "https://data.binance.vision"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one data set is: ``done_ms`` of ``total_ms`` of its period, and rows so far.

    ``waits`` says why an answer is asked for again, after a pause; the numbers are those of nothing then.
    """

    name: str
    rows: int
    done_ms: int
    total_ms: int
    waits: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """What one fetch brought to one data set.

    ``name`` says exchange, symbol and kind as asked for; ``key`` is None where it failed before the
    data set was known. ``rows`` came from the exchange, ``added_rows`` were new to the store.
    ``first_ns`` to ``last_ns`` (exclusive) was asked. ``requests`` were sent, ``repeated`` of them
    again because an answer was missing or broken.
    ``error`` says why it failed.
    """

    name: str
    key: DatasetKey | None = None
    status: Status = "complete"
    rows: int = 0
    added_rows: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    requests: int = 0
    repeated: int = 0
    findings: tuple[Finding, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    error: str | None = None


OnProgress: TypeAlias = Callable[[Progress], None]
