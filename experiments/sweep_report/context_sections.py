"""What stands around the trials: the family and its holdout, the space, the configuration, where from."""

from typing import Any, Final

import yaml

from ..formats import spoken
from ..pages import Block, Cell, Code, Number, Section, Table, Text
from ..sweeps.config import Choice, RealRange, Weights
from ..sweeps.holdout import seen_by_hand
from ..sweeps.places import choice_text
from .reading import SweepReading
from .words import plural

MOST_OPENINGS: Final = 30


def family_section(reading: SweepReading) -> Section:
    """Everything that was tried on the idea, and how often the locked days were looked at."""
    config = reading.config
    blocks: list[Block] = []
    if reading.family is None:
        blocks.append(
            Text(
                paragraphs=(
                    f"The family {config.family} cannot be counted: {reading.uncounted}. How many trials "
                    "were run on the idea is not known here.",
                ),
                tone="warning",
            )
        )
    else:
        count = reading.family
        rows: tuple[tuple[Cell, ...], ...] = (
            ("sweeps with a trial", Number(count.sweeps, "count")),
            ("trials of all of them", Number(count.trials, "count")),
            ("of these infeasible", Number(count.infeasible, "count")),
            ("of these failed", Number(count.failed, "count")),
            ("runs by hand beside them, at least", Number(count.by_hand, "count")),
            ("runs whose record cannot be read", Number(count.unreadable, "count")),
        )
        blocks.append(
            Table(
                name="family-count",
                caption=f"The family {config.family}",
                columns=("what was tried", "number"),
                rows=rows,
                note="Every trial counts against the best one, those of other sweeps of the family too.",
                width="half",
            )
        )
    blocks.append(_holdout(reading))
    return Section(name="family", title="The family and its holdout", blocks=tuple(blocks))


def _holdout(reading: SweepReading) -> Block:
    first = reading.config.sweep.holdout_from
    if first is None:
        return Text(paragraphs=("There is no holdout: everything known has been looked at.",))
    if reading.uncounted:
        return Text(
            paragraphs=(f"Holdout from {first} on; how often it was opened is not known here.",)
        )
    by_hand = seen_by_hand(reading.runs_that_saw)
    if not reading.openings:
        return Text(
            paragraphs=(
                f"The holdout from {first} on has not been opened: `ninefold validate "
                f"{reading.ledger.sweep_id} --open-holdout` looks at it, and is counted.{by_hand}",
            )
        )
    return Table(
        name="openings",
        caption=f"The holdout from {first} on was opened {plural(len(reading.openings), 'time')}",
        columns=("opening", "at", "sweep", "trial"),
        rows=tuple(
            (
                str(one["number"]),
                str(one.get("opened_at", "n/a")),
                str(one.get("sweep_id", "n/a")),
                str(one.get("trial", "n/a")),
            )
            for one in reading.openings[-MOST_OPENINGS:]
        ),
        note=f"What was looked at is not unseen any more, for the whole family.{by_hand}"
        + (f" The last {MOST_OPENINGS}." if len(reading.openings) > MOST_OPENINGS else ""),
        width="half",
    )


def space_section(reading: SweepReading) -> Section:
    """What was searched, and the configuration around it."""
    config = reading.config
    rows = []
    for path in sorted(config.sweep.space):
        parameter: Any = config.sweep.space[path]
        match parameter:
            case RealRange(low=low, high=high, log=log):
                kind = "number, by ratios" if log else "number"
                searched = f"{low:g} to {high:g}"
            case Choice(values=values):
                kind, searched = "choice", "; ".join(choice_text(value) for value in values)
            case Weights():
                heads = [str(axis.head) for axis in reading.space.axes if axis.path == path]
                names = ", ".join(map(spoken, heads))
                kind, searched = "weights", f"shares, uniform on the simplex: {names}"
            case _:
                step = f" in steps of {parameter.step}" if parameter.step > 1 else ""
                kind, searched = "whole number", f"{parameter.low} to {parameter.high}{step}"
        rows.append((path, kind, searched))
    search, screen = config.sweep.search, config.sweep.screen
    plan = (
        f"{screen.trials:,} trials of a Sobol sequence, then {search.trials:,} of {search.sampler}"
    )
    if search.neighbours:
        plan += f", each with {search.neighbours} neighbours within {search.radius:g}"
    tree = reading.ledger.sweep["config"]
    return Section(
        name="space",
        title="What was searched",
        lead=f"{plan}; seed {config.seed}.",
        blocks=(
            Table(
                name="space-ranges",
                caption="The space",
                columns=("parameter", "kind", "searched"),
                rows=tuple(rows),
            ),
            Code(
                text=yaml.safe_dump(tree, sort_keys=False, allow_unicode=True),
                summary="The whole configuration",
            ),
        ),
    )


def provenance_section(reading: SweepReading) -> Section:
    """Where the sweep comes from, and what can be asked next."""
    sweep = reading.ledger.sweep
    code = sweep["code"]
    dirty = {True: ", changed since", False: "", None: ""}[code.get("dirty")]
    rows: list[tuple[Cell, ...]] = [
        ("sweep", sweep["sweep_id"]),
        ("family", sweep["family"]),
        ("made at", sweep["created_at"]),
        ("code", f"{code.get('commit') or 'n/a'}{dirty}"),
        ("configuration", sweep["config_hash"]),
        ("data", sweep["data_fingerprint"]),
        ("overrides", " ".join(f"-s {one}" for one in sweep["overrides"]) or "none"),
        (
            "objectives",
            ", ".join(f"{name} ({way})" for name, way in reading.ledger.objectives.items()),
        ),
        (
            "validations",
            plural(len(reading.validations), "validation")
            + ("; others cannot be read" if reading.unread else ""),
        ),
    ]
    versions = tuple((name, value or "n/a") for name, value in sweep["versions"].items())
    return Section(
        name="provenance",
        title="Where it comes from",
        blocks=(
            Table(name="origin", caption="Origin", columns=("what", "value"), rows=tuple(rows)),
            Table(
                name="versions",
                caption="Versions",
                columns=("distribution", "version"),
                rows=versions,
                is_folded=True,
            ),
            Code(
                text="\n".join(
                    (
                        f"ninefold sweep status {reading.ledger.sweep_id}",
                        f"ninefold sweep top {reading.ledger.sweep_id} --out best.yaml",
                        f"ninefold validate {reading.ledger.sweep_id}",
                    )
                ),
                summary="Commands",
            ),
        ),
    )
