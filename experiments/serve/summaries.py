"""What a list of runs shows of each: some fields of run.json, or why there are none."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..record import RECORD_NAME, SCHEMA_VERSION

LARGEST_BYTES: Final = 256 * 1024 * 1024
"""A larger run.json is not read: no run writes one."""

Signature = tuple[int, int, int]
"""Moment of change in nanoseconds, size in bytes and inode: equal as long as nobody replaced the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A row of the list; ``run_id`` is the name of the folder, ``problem`` what is wrong with it, or "".

    Numbers are those of run.json, None where it states none or the folder has a problem.
    ``is_inside`` is False for a link that leads out of the runs folder: nothing of it is read.
    ``equity_digest`` is the SHA-256 that the run states of its equity.
    """

    run_id: str
    signature: Signature
    problem: str = ""
    is_inside: bool = True
    can_be_opened: bool = False
    name: str = ""
    created_at: str = ""
    timeframe: str = ""
    symbols: tuple[str, ...] = ()
    start_time: str = ""
    end_time: str = ""
    bars: int | None = None
    is_simulated: bool = False
    decisions_from: str = ""
    is_ruined: bool = False
    total_return: float | None = None
    sharpe: float | None = None
    max_drawdown: float | None = None
    trades: int | None = None
    equity_digest: str = ""


def signature_of(path: Path) -> Signature | None:
    """The signature of a regular file that is no link; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    if not os.path.isfile(path) or os.path.islink(path):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def read_summary(folder: Path, signature: Signature) -> RunSummary:
    """The summary of the run in ``folder``; what cannot be read is its ``problem``, never an error."""
    run_id = folder.name
    path = folder / RECORD_NAME
    if signature[1] > LARGEST_BYTES:
        return RunSummary(
            run_id=run_id, signature=signature, problem=f"{RECORD_NAME} is too large to be a record"
        )
    try:
        content = json.loads(path.read_bytes())
        return _summary(run_id, signature, content)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        return RunSummary(
            run_id=run_id,
            signature=signature,
            problem=f"{RECORD_NAME} is not the record of a run ({_short(error)})",
        )


def _summary(run_id: str, signature: Signature, content: Mapping[str, Any]) -> RunSummary:
    version = content["schema_version"]
    is_known = version == SCHEMA_VERSION
    metrics = content["metrics"]
    return RunSummary(
        run_id=run_id,
        signature=signature,
        problem=""
        if is_known
        else f"written by another version (schema_version {_text(version)}, this one reads "
        f"{SCHEMA_VERSION}): run it again",
        can_be_opened=is_known,
        name=_text(content["name"]),
        created_at=_text(content["created_at"]),
        timeframe=_text(content["timeframe"]),
        symbols=tuple(_text(symbol) for symbol in content["symbols"]),
        start_time=_text(content["start_time"]),
        end_time=_text(content["end_time"]),
        bars=int(content["bars"]),
        is_simulated=bool(content["simulated"]),
        decisions_from=_text(content["decisions_from"]),
        is_ruined=content["ruined_bar"] is not None and int(content["ruined_bar"]) >= 0,
        total_return=_number(metrics.get("total_return")),
        sharpe=_number(metrics.get("sharpe")),
        max_drawdown=_number(metrics.get("max_drawdown")),
        trades=int(content["n_trades"]),
        equity_digest=_text(content["artefacts"].get("equity.parquet", "")),
    )


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    """``value`` as text that can be written as UTF-8."""
    return writable(str(value))


def writable(text: str) -> str:
    """``text`` with what UTF-8 cannot hold (names of files in other encodings) as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _short(error: Exception) -> str:
    text = writable(repr(error))
    return text if len(text) <= 120 else f"{text[:119]}…"
