"""Answers of an exchange: asked again until one is whole, or until it is clear that none will be."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

from engine import DataError

T = TypeVar("T")
_OK: Final = 200
_LONG_WAIT_SECONDS: Final = 60
_MISSHAPEN: Final = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What reading an answer raises that has not the shape it should have."""


OnWait = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How often a request is repeated, and how long is waited before.

    The wait before repetition n is ``first_wait_seconds * 2**n`` (never above
    ``longest_wait_seconds``), of which a random half to whole is taken; a ``Retry-After`` of the
    exchange replaces it. One above ``longest_pause_seconds`` ends the fetch of the data set.
    """

    attempts: int = 8
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    longest_pause_seconds: float = 900.0


class BrokenAnswerError(DataError):
    """An answer that says it is fine and is not: cut off, empty, HTML, or of the wrong shape."""


class FetchError(DataError):
    """A request that failed for good."""


class StoppedError(Exception):
    """The user asked to stop while an answer was awaited."""


@dataclass(slots=True)
class _LastHeaders:
    values: Mapping[str, str] = field(default_factory=dict)


_HEADERS: ContextVar[_LastHeaders | None] = ContextVar("headers of the last answer", default=None)


@dataclass(slots=True)
class Counts:
    """What the requests of one data set met."""

    requests: int = 0
    repeated: int = 0


class Places:
    """Room for so many requests at one time at one exchange; none while it asks to wait."""

    def __init__(self, count: int) -> None:
        self._room = asyncio.Semaphore(count)
        self._closed_until = 0.0

    def close_for(self, seconds: float) -> None:
        """Let no request begin for so long."""
        self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Room for one request, as soon as there is some."""
        async with self._room:
            while (wait := self._closed_until - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            yield


class Asker:
    """Sends the requests of one data set; at most as many at once as the exchange's ``places``.

    ``name`` begins with the exchange. Once ``stop`` is set, no answer is awaited any longer: ``ask``
    raises StoppedError. ``on_wait`` hears of each failure that will be repeated: the name and why.
    """

    def __init__(
        self,
        name: str,
        places: Places,
        rules: RetryRules,
        stop: asyncio.Event,
        on_wait: OnWait = lambda _name, _why: None,
    ) -> None:
        self.name = name
        self.exchange = name.split(maxsplit=1)[0]
        self.counts = Counts()
        self._places = places
        self._rules = rules
        self._stop = stop
        self._on_wait = on_wait

    async def ask(self, what: str, request: Callable[[], Awaitable[T]]) -> T:
        """The answer to ``request``, repeated with growing pauses while the failure may pass.

        Raises FetchError, which names this data set and ``what``, after the last attempt or for an
        error that repeating does not help.
        """
        for attempt in range(self._rules.attempts):
            headers = _LastHeaders()
            token = _HEADERS.set(headers)
            try:
                return await self._unless_stopped(self._sent(request))
            except StoppedError:
                raise
            except Exception as error:
                if not may_pass(error):
                    if isinstance(error, DataError) or not _is_of_ccxt(error):
                        raise
                    raise FetchError(f"{self.name}, {what}: {_short(error)}") from error
                stated = retry_after_seconds(headers.values, datetime.now(UTC))
                wait = self._wait_seconds(attempt) if stated is None else stated
                if attempt + 1 == self._rules.attempts or wait > self._rules.longest_pause_seconds:
                    raise self._given_up(what, attempt + 1, wait, headers, error) from error
                self._on_wait(
                    self.name,
                    f"attempt {attempt + 1} of {self._rules.attempts} failed ({_short(error)}); the next "
                    f"in {wait:.0f} s",
                )
                if stated is not None:
                    # A ban grows while anyone goes on asking.
                    self._places.close_for(stated)
            finally:
                _HEADERS.reset(token)
            self.counts.repeated += 1
            await self._unless_stopped(asyncio.sleep(wait))
        raise AssertionError("attempts must be at least 1")

    async def _sent(self, request: Callable[[], Awaitable[T]]) -> T:
        async with self._places.one():
            self.counts.requests += 1
            try:
                return await request()
            except DataError:
                raise
            except _MISSHAPEN as error:
                raise BrokenAnswerError(
                    f"an answer of another shape than expected ({type(error).__name__}: {error})"
                ) from error

    def _given_up(
        self, what: str, attempts: int, wait: float, headers: _LastHeaders, error: Exception
    ) -> FetchError:
        asked = f"asks to wait {wait:.0f} s" if wait > _LONG_WAIT_SECONDS else "failed"
        advice = ""
        if not headers.values and not isinstance(error, BrokenAnswerError):
            advice = (
                f"; no answer came: is the exchange reachable? exchanges.{self.exchange}.urls, "
                "httpsProxy and timeout can be set"
            )
        return FetchError(
            f"{self.name}, {what}: {asked} after {attempts} attempts, last: {_short(error)}{advice}"
        )

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        doing = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            raise StoppedError
        finally:
            for one in (doing, stopping):
                one.cancel()
            await asyncio.gather(doing, stopping, return_exceptions=True)

    def _wait_seconds(self, attempt: int) -> float:
        rules = self._rules
        wait = min(rules.longest_wait_seconds, rules.first_wait_seconds * 2.0**attempt)
        # Clients that failed together must not come back together.
        return wait * random.uniform(0.5, 1.0)


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that ``Retry-After`` asks to wait (a number, or a date after ``now``), or None."""
    text = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        return _seconds_until(text, now)


def _seconds_until(date: str, now: datetime) -> float | None:
    """Seconds to a date of RFC 9110, 0 where it is past; None for any other text."""
    try:
        return max(0.0, (parsedate_to_datetime(date) - now).total_seconds())
    except (TypeError, ValueError):
        return None


def may_pass(error: BaseException) -> bool:
    """True for an error that the same request may not meet again."""
    import aiohttp
    import ccxt

    if isinstance(
        error, BrokenAnswerError | ccxt.OperationFailed | aiohttp.ClientError | TimeoutError
    ):
        return True
    # ccxt reports a body that was dropped half way as an ExchangeError, caused by the transport.
    return isinstance(error, ccxt.ExchangeError) and isinstance(
        error.__cause__, aiohttp.ClientError
    )


def _is_of_ccxt(error: BaseException) -> bool:
    import ccxt

    return isinstance(error, ccxt.BaseError)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" + ("…" if len(text) > 200 else "")


def watch_answers(client: Any) -> None:
    """Make a ccxt client refuse answers of status 200 that are no JSON, and note all headers.

    ccxt takes such an answer for an empty one: an empty page of candles, or no markets.
    """
    original = client.on_rest_response

    def checked(
        code: int, reason: str, url: str, method: str, headers: Any, body: str, *sent: Any
    ) -> str:
        note_headers(headers)
        if code == _OK:
            check_json(body, url)
        text: str = original(code, reason, url, method, headers, body, *sent)
        return text

    client.on_rest_response = checked


def note_headers(headers: Mapping[str, str]) -> None:
    """Keep the headers of the answer to the request that is being made."""
    last = _HEADERS.get()
    if last is not None:
        last.values = dict(headers)


def check_json(body: str, url: str) -> None:
    """BrokenAnswerError unless ``body`` is one JSON list or object."""
    try:
        value = json.loads(body)
    except ValueError as error:
        shown = body.strip()[:40]
        raise BrokenAnswerError(
            f"{url} answered 200 with {len(body)} characters that are no JSON: {shown!r}"
        ) from error
    if not isinstance(value, list | dict):
        raise BrokenAnswerError(f"{url} answered 200 with {value!r}, not a list or an object")


def listed(value: Any, what: str, length: int = 0) -> list[Any]:
    """``value`` as the list of rows that it must be, each with at least ``length`` items."""
    if not isinstance(value, list):
        raise BrokenAnswerError(f"{what}: the answer has no list of rows but {str(value)[:60]!r}")
    for row in value:
        if length and (not isinstance(row, list) or len(row) < length):
            raise BrokenAnswerError(f"{what}: a row is {str(row)[:60]!r}, not {length} values")
        if not length and not isinstance(row, dict):
            raise BrokenAnswerError(f"{what}: a row is {str(row)[:60]!r}, not an object")
    return value


def number(value: Any) -> float | None:
    """A number that an exchange wrote as text; None where it left it empty."""
    return None if value is None or value == "" else float(value)
