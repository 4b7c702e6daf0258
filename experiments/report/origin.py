"""Which bars of a run the search has seen that its configuration comes from."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from engine import DataError

from ..config_file import is_trial, without_period
from ..config_section import midnight_ns
from ..searched import searched_by
from ..verdict import SearchVerdict
from .numbers.samples import Sample, samples_of

if TYPE_CHECKING:
    from .reading import RunReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Stretches of the run that were seen and that were not (none where that is unknown), and in words.

    ``has_other_rows`` says that the data have changed since the sweep.
    """

    samples: tuple[Sample, ...]
    text: str
    has_other_rows: bool = False

    @property
    def has_both(self) -> bool:
        """Whether there are bars of either kind to compare."""
        return len({sample.is_seen for sample in self.samples}) == 2


def origin_of(reading: "RunReading") -> Origin:
    """From ``config.origin`` and the sweep beside the run; nothing is guessed where either is missing.

    The rows that the sweep searched must have been those of the store when the run was made
    (``searched_data_fingerprint`` of run.json): of other rows nothing is claimed.
    """
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
    searched = searched_by(reading.record.run_dir.parent, origin["sweep"])
    if searched is None:
        return Origin(
            samples=(),
            text=f"The configuration comes from the sweep {origin['sweep']}, which is not beside this run: "
            "which bars it saw is not known here.",
        )
    if without_period(searched.data) != without_period(config["data"]):
        return Origin(
            samples=(),
            text=f"The sweep {origin['sweep']} searched on other data than those of this run, so that no "
            "bar here is called in or out of sample.",
        )
    held = reading.content.get("searched_data_fingerprint")
    if held != searched.fingerprint:
        text = _other_rows(origin["sweep"], held)
        return Origin(samples=(), text=text, has_other_rows=held is not None)
    end = searched.data["end"]
    last = None if end is None else date.fromisoformat(end) + timedelta(days=1)
    samples = samples_of(reading.open_time, _ns(searched.data["start"]), _ns(last))
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


def search_verdict(reading: "RunReading") -> tuple[SearchVerdict | None, str]:
    """What the newest validation of the sweep said that the configuration is a trial of; why one is unread.

    None where the configuration is no trial, its sweep is not beside the run, or was not validated.
    """
    from ..validation.keeping import readable_validations

    config = reading.content["config"]
    if not is_trial(config):
        return None, ""
    searched = searched_by(reading.record.run_dir.parent, config["origin"]["sweep"])
    if searched is None:
        return None, ""
    try:
        kept, unread = readable_validations(searched.folder)
    except DataError as error:
        return None, str(error)
    if not kept:
        return None, "; ".join(unread)
    newest = kept[-1]
    said = SearchVerdict(
        word=str(newest.content["verdict"]["word"]),
        validated_at=newest.validated_at,
        trial=int(newest.content["chosen_trial"]),
    )
    return said, "; ".join(unread)


def _other_rows(sweep: str, held: str | None) -> str:
    if held is None:
        return (
            f"Nothing tells whether the rows that the sweep {sweep} searched were still those of the store "
            "when this run was made, so that no bar here is called in or out of sample. A run made beside "
            "the sweep, with its data in the store, knows."
        )
    return (
        f"The data have changed since the sweep {sweep}: of the days that it searched, the store held "
        "other rows when this run was made. The configuration was chosen on those, so that no bar here is "
        "called in or out of sample. Put the data back, or sweep again."
    )


def _ns(day: date | str | None) -> int | None:
    if day is None:
        return None
    return midnight_ns(date.fromisoformat(day) if isinstance(day, str) else day)
