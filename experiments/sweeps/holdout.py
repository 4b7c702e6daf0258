"""A family's holdout: its days are never searched, its openings are counted.

What was looked at cannot be unseen.
"""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from datasets.durable import replace_file
from datasets.file_lock import exclusive_lock
from datasets.keys import SIMULATED_VENUE
from engine import ConfigError, ContractError, DataError

from ..config_section import midnight_ns
from ..record import check_runs_folder, run_contents
from .config import SweepConfig
from .families import list_sweeps
from .identity import canonical_json, check_label
from .ledger import family_folder

SCHEMA_VERSION: Final = 1
HOLDOUT_NAME: Final = "holdout.json"
_LOCK_NAME: Final = ".holdout.lock"
_WAIT_SECONDS: Final = 10.0


def record_opening(runs: Path, family: str, opening: Mapping[str, Any]) -> int:
    """Add ``opening`` (plain JSON values: what opened it, when, why) to those of ``family``.

    Returns its number, from 1; it is on the disk then, so record before looking. Openings are only
    ever added. Raises DataError when the file is broken or cannot be written.
    """
    if "number" in opening:
        raise ContractError("opening: 'number' is given by the record")
    canonical_json(opening)
    check_label("family", family)
    folder = family_folder(runs, family)
    check_runs_folder(folder)
    with exclusive_lock(
        folder / _LOCK_NAME,
        time.monotonic() + _WAIT_SECONDS,
        lambda holder: (
            f"{folder / HOLDOUT_NAME}: locked: process {holder} is writing; repeat the command"
        ),
    ):
        known = openings(runs, family)
        number = len(known) + 1
        content = {
            "schema_version": SCHEMA_VERSION,
            "family": family,
            "openings": [*known, {"number": number, **opening}],
        }
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        replace_file(folder / HOLDOUT_NAME, f"{text}\n".encode())
    return number


def openings(runs: Path, family: str) -> tuple[dict[str, Any], ...]:
    """The openings of ``family`` in order, none where there is no file; DataError when it is broken."""
    check_label("family", family)
    path = family_folder(runs, family) / HOLDOUT_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = [dict(opening) for opening in content["openings"]]
        is_sound = (
            content["schema_version"] == SCHEMA_VERSION
            and content["family"] == family
            and [opening["number"] for opening in found] == list(range(1, len(found) + 1))
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: is not a record of openings ({error!r}); put it back as it was"
        ) from None
    if not is_sound:
        raise DataError(
            f"{path}: its schema_version, its family or the numbers of its openings are not those "
            "that were written; put it back as it was"
        )
    return tuple(found)


def runs_that_saw(config: SweepConfig, runs: Path) -> int:
    """Different configurations that were run by themselves, under any name, on days of the holdout.

    A run counts that read bars of a symbol of ``config`` and ended after the holdout began; simulated
    markets are the same only with the same source. A lower bound: a folder may be removed or damaged.
    """
    first = config.sweep.holdout_from
    if first is None:
        return 0
    own = {
        _market(pair.signals.venue, pair.signals.symbol, "".join(pair.signals.sources))
        for pair in config.instruments
    }
    seen = {
        content["config_hash"]
        for content in run_contents(runs)[0]
        if content["end_time"] > f"{first} 00:00" and own & _markets_of(content["datasets"])
    }
    return len(seen)


def seen_by_hand(count: int) -> str:
    """A sentence about ``runs_that_saw``, with the space before it; nothing where there is none."""
    if count == 0:
        return ""
    told = "1 configuration was" if count == 1 else f"{count:,} configurations were"
    return f" {told} run by hand on its days: who looked at that has seen them."


def _markets_of(datasets: Sequence[str]) -> set[tuple[str, str]]:
    """The markets of the bars among the keys of data sets, as strings."""
    keys = [key.split("/") for key in datasets]
    return {_market(key[1], key[3], key[5]) for key in keys if key[0] == "ohlcv"}


def _market(venue: str, symbol: str, source: str) -> tuple[str, str]:
    """A coin moves alike at every venue; each simulated market is one of its own."""
    return (source if venue == SIMULATED_VENUE else "", symbol)


def check_holdout(config: SweepConfig, runs: Path, last_ns: int) -> None:
    """Refuse to search days that the family has locked, or to lock days that it has searched."""
    own = config.sweep.holdout_from
    for ledger in list_sweeps(runs, config.family):
        tree = ledger.sweep["config"]
        stated = tree["sweep"]["holdout_from"]
        if stated is not None and last_ns >= midnight_ns(date.fromisoformat(stated)):
            raise ConfigError(
                f"sweep.holdout_from={own}: the family {config.family} has a holdout from {stated} on "
                f"({ledger.sweep_id}), and this sweep would search it; set sweep.holdout_from to {stated}, "
                "or begin another sweep.family"
            )
        if own is not None and _searched_until(tree) >= own:
            raise ConfigError(
                f"sweep.holdout_from={own}: the family {config.family} has searched that day already "
                f"({ledger.sweep_id}); a holdout is locked before the first search, or in another "
                "sweep.family"
            )


def _searched_until(tree: Mapping[str, Any]) -> date:
    """The last day that trials of a resolved configuration saw, or a later one where it does not say."""
    first, data = tree["sweep"]["holdout_from"], tree["data"]
    if first is not None:
        return date.fromisoformat(first) - timedelta(days=1)
    ends = [date.max] if data["end"] is None else [date.fromisoformat(data["end"])]
    venues = {pair["signals"]["venue"] for pair in data["instruments"]}
    if data["simulated"] is not None and venues <= {SIMULATED_VENUE}:
        start = date.fromisoformat(data["simulated"]["start"])
        ends.append(start + timedelta(days=data["simulated"]["days"] - 1))
    return min(ends)
