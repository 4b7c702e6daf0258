"""A sweep as a document: what was found, how surely, and how it was looked for."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import Int1D

from ..pages import Document, Number, Section, Text, Tile, Tiles
from ..pages.document import Tone
from ..sweeps.holdout import seen_by_hand
from ..sweeps.ledger import Ledger
from ..sweeps.ranking import why_nothing_is_feasible
from ..validation.verdict import EVIDENCE, LEVEL, NO_EVIDENCE
from .context_sections import family_section, provenance_section, space_section
from .importance import Importance, importance_of
from .landscape import plateau_of
from .outcome_section import outcome_section
from .parameter_section import parameters_section
from .reading import SweepReading, read_sweep
from .search_section import search_section
from .trial_section import trials_section
from .validation_sections import history_section, validation_sections
from .words import metric_label, metric_number, plural

WHERE_VALIDATED = (
    "shifted and permuted markets, PBO, walk-forward folds and the drift of their parameters, the paths of "
    "combinatorial cross-validation, the deflated Sharpe ratio against the number of trials"
)


def sweep_document(ledger: Ledger) -> Document:
    """The report of a sweep, finished or not, from its folder alone.

    Nothing is evaluated: what a test would say is there when `ninefold validate` was asked.
    Raises DataError as ``read_sweep``.
    """
    reading = read_sweep(ledger)
    found = tuple(importance_of(reading, one) for one in range(len(reading.objectives)))
    flat = plateau_of(reading)
    order = _order(reading, found[0])
    config = reading.config
    sections: list[Section] = [
        *_validated(reading),
        search_section(reading),
        trials_section(reading, order),
        parameters_section(reading, found, order, flat),
        outcome_section(reading),
        family_section(reading),
        space_section(reading),
        provenance_section(reading),
    ]
    simulated = config.data.simulated
    symbols = [pair.symbol for pair in config.data.instruments]
    if not symbols and simulated is not None:
        symbols = list(simulated.symbols)
    shown = ", ".join(symbols[:6]) + (f" and {len(symbols) - 6} more" if len(symbols) > 6 else "")
    badges = [
        word
        for word, holds in (
            ("SIMULATED", simulated is not None),
            ("RUNNING OR STOPPED", reading.count < reading.planned),
        )
        if holds
    ]
    return Document(
        title=f"Sweep {config.name}",
        subtitle=(
            f"{shown}, {config.data.timeframe}; {reading.count:,} of {reading.planned:,} trials over "
            f"{plural(len(reading.space), 'coordinate')}, for "
            f"{', '.join(metric_label(one) for one in reading.objectives)}; {reading.ledger.sweep_id}"
        ),
        sections=tuple(sections),
        verdict=_verdict(reading),
        tiles=_tiles(reading),
        badges=tuple(badges),
        facts={
            "kind": "sweep",
            "sweep_id": reading.ledger.sweep_id,
            "family": config.family,
            "created_at": reading.ledger.sweep["created_at"],
            "trials": reading.count,
            "planned": reading.planned,
            "objectives": dict(reading.ledger.objectives),
            "data_fingerprint": reading.ledger.sweep["data_fingerprint"],
        },
    )


def _order(reading: SweepReading, found: Importance | None) -> Int1D:
    if found is None:
        return np.arange(len(reading.space), dtype=np.int64)
    return np.argsort(-found.shares, kind="stable").astype(np.int64)


def _verdict(reading: SweepReading) -> tuple[Text, ...]:
    lines, found = [_word(reading)], reading.validation
    if reading.count and not len(reading.ranked):
        why = why_nothing_is_feasible(reading.config, reading.table)
        nothing = _warning(f"NOTHING TO CHOOSE: {why}.")
        # Without a trial that may be chosen there is none to be validated either.
        lines = [nothing] if found is None and not reading.unread else [*lines, nothing]
    if found is not None and found["ledger_trials"] != reading.count:
        lines.append(
            _warning(
                f"OUTDATED: the validation knew {found['ledger_trials']:,} trials; there are "
                f"{reading.count:,} now. Validate again."
            )
        )
    words = Counter(one.content["verdict"]["word"] for one in reading.validations)
    if len(words) > 1:
        counted = ", ".join(f"{word} {times}" for word, times in words.items())
        lines.append(
            _warning(
                f"VALIDATED {len(reading.validations)} TIMES with different verdicts ({counted}): the "
                "newest is shown, all of them stand below."
            )
        )
    if reading.unread and reading.validations:
        lines.append(
            _warning(f"A VALIDATION CANNOT BE READ and is missing here: {reading.unread}.")
        )
    if reading.config.data.simulated is not None:
        lines.append(_warning("SIMULATED DATA: nothing here happened on any market."))
    return tuple(lines)


def _word(reading: SweepReading) -> Text:
    found = reading.validation
    if reading.unread and found is None:
        return _warning(
            f"NOT KNOWN WHETHER IT IS LUCK: what was validated cannot be read: {reading.unread}."
        )
    if found is None:
        if not reading.count:
            return _warning("NOTHING WAS TRIED YET: the first batch of trials is not written.")
        return _warning(
            f"NOT VALIDATED YET: the best of {plural(_tried(reading), 'trial')} looks good by luck too; "
            f"`ninefold validate {reading.ledger.sweep_id}` says how much of it luck explains."
        )
    word = found["verdict"]["word"]
    at = reading.validations[-1].validated_at
    tone: Tone = "good" if word == EVIDENCE else "bad" if word == NO_EVIDENCE else "warning"
    return Text(
        paragraphs=(
            f"{word.upper()}: {_meaning(found)} Trial {found['chosen_trial']}, validated "
            f"{at:%Y-%m-%d %H:%M} UTC.",
        ),
        tone=tone,
    )


def _warning(text: str) -> Text:
    return Text(paragraphs=(text,), tone="warning")


def _meaning(found: Mapping[str, Any]) -> str:
    word, rules = found["verdict"]["word"], found["rules"]
    if word == EVIDENCE:
        return (
            "luck of the kinds tested does not explain the result. It does not say that money will be "
            "made."
        )
    if word == NO_EVIDENCE:
        return _no_evidence(found["findings"])
    failing = sum(not rule["holds"] for rule in rules)
    return f"{failing} of {plural(len(rules), 'rule')} of evidence {'fails' if failing == 1 else 'fail'}."


def _no_evidence(found: Mapping[str, Any]) -> str:
    shifts, sweeps = found["shifts"], found["sweeps"]
    if 1.0 - (1.0 - 1.0 / (1 + shifts)) ** sweeps > LEVEL:
        return (
            f"{plural(shifts, 'shift')} {'is' if shifts == 1 else 'are'} too few for "
            f"{plural(sweeps, 'sweep')} of the family: no result could meet the rule. Take more "
            "(--shifts)."
        )
    if sweeps > 1:
        return (
            "the same search on votes of another time does as well too often for the best of the "
            f"family's {sweeps:,} sweeps."
        )
    return "the same search on votes of another time does as well too often."


def _tried(reading: SweepReading) -> int:
    return reading.count if reading.family is None else max(reading.count, reading.family.trials)


def _tiles(reading: SweepReading) -> Tiles:
    tiles: list[Tile] = []
    best = reading.ranked[:1].tolist()
    for place, metric in enumerate(reading.objectives):
        value = float(reading.scores[best[0], place]) if best else None
        note = f"trial {best[0]}" if best else "no trial may be chosen"
        if len(reading.objectives) > 1 and best:
            note = f"trial {best[0]}, first of a front of {len(reading.ranked)}"
        tiles.append(
            Tile(
                label=f"best {metric_label(metric)}"
                if len(reading.objectives) == 1
                else metric_label(metric),
                value=metric_number(value, metric),
                note=note,
            )
        )
    feasible = int(reading.is_complete.sum())
    tiles.append(
        Tile(
            label="feasible trials",
            value=Number(feasible / reading.count if reading.count else None, "fraction"),
            note=f"{feasible:,} of {reading.count:,}",
        )
    )
    tiles.append(
        Tile(
            label="trials of the family",
            value=Number(None if reading.family is None else reading.family.trials, "count"),
            note="" if reading.family is None else f"in {plural(reading.family.sweeps, 'sweep')}",
        )
    )
    found = reading.validation
    if found is not None:
        told = found["findings"]
        tiles += [
            Tile(
                label="shifted votes, p",
                value=Number(told["primary_p_family"], "probability"),
                note=_shifts_note(told),
            ),
            Tile(
                label="deflated Sharpe",
                value=Number(told["dsr"], "probability"),
                note="n/a"
                if told["effective_trials"] is None
                else f"{told['effective_trials']:,.1f} effective trials",
            ),
            Tile(
                label="PBO",
                value=Number(told["pbo"], "fraction"),
                note=""
                if told["pbo_null_low"] is None
                else f"the rule asks for less than {told['pbo_null_low']:.0%}",
            ),
        ]
    return Tiles(tiles=tuple(tiles))


def _shifts_note(told: Mapping[str, Any]) -> str:
    shifts = plural(told["shifts"], "shift")
    if told["sweeps"] == 1:
        return shifts
    alone = Number(told["primary_p"], "probability").text
    return f"best of {told['sweeps']:,} sweeps; {alone} for this one; {shifts}"


def _validated(reading: SweepReading) -> tuple[Section, ...]:
    found = reading.validation
    if found is not None:
        repeated = len(reading.validations) > 1
        history = (history_section(reading.validations),) if repeated else ()
        return (*validation_sections(found, seen_by_hand(reading.runs_that_saw)), *history)
    if reading.unread:
        said = f"n/a: a validation cannot be read: {reading.unread}."
        return (
            Section(
                name="validation",
                title="Is it luck?",
                blocks=(Text(paragraphs=(said,), tone="warning"),),
            ),
        )
    return (
        Section(
            name="validation",
            title="Is it luck?",
            blocks=(
                Text(
                    paragraphs=(
                        "n/a: the sweep has not been validated. A validation adds here: "
                        f"{WHERE_VALIDATED}.",
                        f"ninefold validate {reading.ledger.sweep_id}",
                    )
                ),
            ),
        ),
    )
