"""What the sweep searched that a configuration comes from: which rows of which days."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import DataError

if TYPE_CHECKING:
    from datasets import Store

    from .config import RunConfig
    from .market_data import MarketData


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a sweep searched.

    ``data`` is the ``data`` section of its configuration with the days that trials saw: ``start`` to
    ``end``, both included and None without a bound, the last one before the holdout. ``fingerprint``
    identifies the rows that it read. ``folder`` is the sweep's.
    """

    folder: Path
    data: Mapping[str, Any]
    fingerprint: str


def searched_by(runs: Path, sweep: str) -> Searched | None:
    """What the sweep of this id under ``runs`` searched; None where no sweep.json there is that sweep's.

    The id follows from configuration and rows, so that a file that was edited is not the sweep's.
    """
    from .sweeps.identity import sweep_id
    from .sweeps.ledger import SWEEP_NAME, sweeps_folder

    for path in sweeps_folder(runs).glob(f"*/{sweep}/{SWEEP_NAME}"):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            config, fingerprint = content["config"], str(content["data_fingerprint"])
            made = sweep_id(content["name"], config, fingerprint)
            data, locked = dict(config["data"]), config["sweep"]["holdout_from"]
            if locked is not None:
                data["end"] = (date.fromisoformat(locked) - timedelta(days=1)).isoformat()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if made != sweep:
            return None
        return Searched(folder=path.parent, data=data, fingerprint=fingerprint)
    return None


def searched_fingerprint(
    config: "RunConfig", data: "MarketData", store: "Store", runs: Path
) -> str | None:
    """The fingerprint of what ``store`` holds now of the rows that the sweep of ``config.origin`` searched.

    ``data`` is what the run itself loaded. None without an origin, where the sweep does not lie under
    ``runs`` or searched other data sets, and where its days cannot be loaded any more.
    """
    # A page only asks what was searched: it loads neither data nor what checks configurations.
    from .config_file import resolved, without_period
    from .market_data import load_market_data

    if config.origin is None:
        return None
    found, own = searched_by(runs, config.origin.sweep), resolved(config)["data"]
    if found is None or without_period(found.data) != without_period(own):
        return None
    if found.data == own:
        return data.fingerprint
    days = {name: _day(found.data[name]) for name in ("start", "end")}
    section = config.data.model_copy(update=days)
    try:
        return load_market_data(config.model_copy(update={"data": section}), store).fingerprint
    except DataError:
        return None


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
