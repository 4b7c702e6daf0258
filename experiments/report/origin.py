"""Which bars of a run the search has seen that its configuration comes from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ..config_file import is_trial, without_period
from ..config_section import midnight_ns
from .numbers.samples import Sample, samples_of

if TYPE_CHECKING:
    from .reading import RunReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Stretches of the run that were seen and that were not (none where that is unknown), and in words."""

    samples: tuple[Sample, ...]
    text: str

    @property
    def has_both(self) -> bool:
        """Whether there are bars of either kind to compare."""
        return len({sample.is_seen for sample in self.samples}) == 2


def origin_of(reading: "RunReading") -> Origin:
    """From ``config.origin`` and the sweep beside the run; nothing is guessed where either is missing."""
    config = reading.content["config"]
    origin = config.get("origin")
    if origin is None:
        return Origin(
            samples=(),
            text="Nothing tells which bars this configuration was chosen on: whoever chose it may have "
            "seen all of them. Only a configuration that `ninefold sweep top --out` wrote knows.",
        )
    if not is_trial(config):
        return Origin(
            samples=(),
            text=f"The configuration was changed after trial {origin['trial']} of the sweep "
            f"{origin['sweep']} was written out (or was written out by another version). Whoever changed "
            "it may have seen all bars of this run: none of them is called out of sample.",
        )
    searched = _searched(reading, origin["sweep"])
    if searched is None:
        return Origin(
            samples=(),
            text=f"The configuration comes from the sweep {origin['sweep']}, which is not beside this run: "
            "which bars it saw is not known here.",
        )
    data, holdout = searched["data"], searched["sweep"].get("holdout_from")
    if without_period(data) != without_period(config["data"]):
        return Origin(
            samples=(),
            text=f"The sweep {origin['sweep']} searched on other data than those of this run, so that no "
            "bar here is called in or out of sample.",
        )
    end = data.get("end")
    last = holdout or (end and (date.fromisoformat(end) + timedelta(days=1)).isoformat())
    samples = samples_of(reading.open_time, _ns(data.get("start")), _ns(last))
    words = f"The sweep {origin['sweep']} chose this configuration"
    if all(sample.is_seen for sample in samples):
        return Origin(
            samples=samples,
            text=f"{words} on all bars of this run: nothing here is out of sample. A run with "
            "`-s data.end` after the sweep's period, or `ninefold validate`, shows what is.",
        )
    if not any(sample.is_seen for sample in samples):
        return Origin(
            samples=samples, text=f"{words} on other days: every bar here is out of sample."
        )
    return Origin(
        samples=samples,
        text=f"{words} on the bars that are not shaded. It was judged there, among many, so that part "
        "flatters it; the shaded part was not looked at by the search.",
    )


def _searched(reading: "RunReading", sweep: str) -> Mapping[str, Any] | None:
    """The configuration of the sweep as its sweep.json states it; None where that is not beside the run."""
    from ..sweeps.ledger import SWEEP_NAME, sweeps_folder

    for path in sweeps_folder(reading.record.run_dir.parent).glob(f"*/{sweep}/{SWEEP_NAME}"):
        try:
            config: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["config"]
            config["data"], config["sweep"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return config
    return None


def _ns(day: str | None) -> int | None:
    return None if day is None else midnight_ns(date.fromisoformat(day))
