"""A folder like a fresh clone, exchanges that answer without a network, and a runner of pages there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets.fetch import FetchRules
from experiments.cli import main
from experiments.config_fetch import FetchConfig
from tests.exchange_servers import ExchangeServer, World
from tests.exchange_servers.truth import DAY_MS, HOUR_MS, Bar
from tests.page_runner import PageRunner, in_folder

EXCHANGES = ("binance", "binanceusdm", "bybit", "okx")
LISTED_MS = 1_648_771_200_000
"""2022-04-01: the exchanges of the tests are younger than the pages assume, so that they answer soon."""
NOW_MS = LISTED_MS + 216 * DAY_MS
"""2022-11-03."""


class WalkingWorld(World):
    """A world whose prices walk from hour to hour, as those of a market do."""

    def bar(self, symbol: str, open_ms: int, step_ms: int) -> Bar:
        plain = super().bar(symbol, open_ms, step_ms)
        first, last = _walk(open_ms), _walk(open_ms + step_ms)
        size = 1 + plain.volume % 7
        return replace(
            plain,
            open=first,
            close=last,
            high=max(first, last) + 900 * size,
            low=min(first, last) - 900 * size,
            quote_volume=plain.volume * (first + last) // 200,
            taker_quote=plain.volume * (first + last) // 400,
            taker_volume=plain.volume // 2,
        )


_STEPS = np.random.default_rng(3).standard_t(4, 60_000) * 0.005
_PRICES = np.rint(4_000_000 * np.exp(np.cumsum(_STEPS - 2e-5))).astype(np.int64)


def _walk(time_ms: int) -> int:
    return int(_PRICES[(time_ms - LISTED_MS) // HOUR_MS])


@pytest.fixture(scope="session")
def exchanges() -> Iterator[ExchangeServer]:
    with ExchangeServer(WalkingWorld(now_ms=NOW_MS, listed_ms=LISTED_MS)) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield from in_folder(tmp_path)


@pytest.fixture
def runner(folder: Path, exchanges: ExchangeServer, monkeypatch: pytest.MonkeyPatch) -> PageRunner:
    """Runs pages as they are written; every exchange is the local server."""
    local = {name: exchanges.settings(name) for name in EXCHANGES}
    rules_of = FetchConfig.rules

    def rules(config: FetchConfig, *, again: bool = False) -> FetchRules:
        made = rules_of(config, again=again)
        return replace(made, settings=local, archive_url=f"{exchanges.base_url}/archive")

    monkeypatch.setattr(FetchConfig, "rules", rules)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("BROWSER", "true")
    return PageRunner(folder, main)
