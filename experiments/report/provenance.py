"""Where a run comes from: code, data, configuration, versions; and the conventions of its numbers."""

from typing import Final

import yaml

from ..pages.document import Code, Section, Table, Text
from .reading import RunReading

CONVENTIONS: Final = (
    "A year has 365 days; ratios are annualised with bars per year.",
    "Risk-free rate 0. Returns are simple (arithmetic) from bar to bar, equity compounds.",
    "Standard deviations have ddof 1. Equity is marked to market at every close.",
    "Every figure is net of fees, spread, impact, funding and borrowing unless it says otherwise.",
    "A vote of bar t is known at its close and fills no earlier than the open of bar t + 1.",
    "Buy and hold buys equal parts of every traded symbol at its first open, without costs; it is always "
    "fully invested, the run only as far as mean gross exposure says. For inverse contracts it is the "
    "initial cash in coins, kept: a run is ahead when it ends with more coins.",
    "Money is in settlement currency: the quote currency, or the base coin of inverse contracts.",
    "The interval of the Sharpe ratio is a BCa bootstrap of whole days in stationary blocks of the "
    "automatic length, 2,000 draws, seeded by the run's seed. It knows nothing of how the configuration "
    "was chosen.",
    "Drawn lines may leave out points, never an extreme; numbers are computed from all bars.",
    "n/a: there is no such number; it is not 0. Times are UTC.",
)


def provenance_section(reading: RunReading) -> Section:
    """Hashes, versions, and the whole configuration."""
    run = reading.content
    code = run["code"]
    commit = code["commit"] or "not known (no git checkout)"
    if code["commit"] and code["dirty"]:
        commit += " with uncommitted changes"
    rows = (
        ("run", run["run_id"]),
        ("created", f"{run['created_at']} in {run['duration_seconds']} s"),
        ("configuration", run["config_hash"]),
        ("overrides", " ".join(f"-s {one}" for one in run["overrides"]) or "none"),
        ("data", run["data_fingerprint"]),
        ("code", commit),
        ("seed", str(run["seed"])),
        (
            "versions",
            ", ".join(f"{name} {version or 'absent'}" for name, version in run["versions"].items()),
        ),
    )
    return Section(
        name="provenance",
        title="Provenance and configuration",
        lead="With the same configuration, data and code the run comes out the same to the last bit: "
        "`ninefold runs verify` checks it.",
        blocks=(
            Table(
                name="provenance-table", caption="Where it comes from", columns=("", ""), rows=rows
            ),
            Code(
                summary="Configuration after defaults and overrides",
                text=yaml.safe_dump(run["config"], sort_keys=False, allow_unicode=True),
            ),
        ),
    )


def conventions_section() -> Section:
    """How every number on the page is to be read."""
    return Section(
        name="conventions",
        title="Conventions",
        blocks=(Text(paragraphs=CONVENTIONS, is_list=True),),
    )
